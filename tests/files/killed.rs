//! The program killed between any two lines of its books, and in the middle of a copy: the next start
//! finishes or takes back, and says so once.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use outlast::core::error::Result;
use outlast::core::plan::{Plan, Verb};
use outlast::core::spot::{FileAct, Spot};
use outlast::files::LocalFiles;
use outlast::platform::clock::System;
use outlast::port::{Clock, Entry, Files, Job, Listing};
use outlast::work::browse::trash;

use super::{Bench, names, reach_in, wait};

const FOLDER: &str = "OUTLAST_TEST_KILLED_IN";
const WHEN: &str = "OUTLAST_TEST_KILLED_WHEN";
const WHAT: &str = "OUTLAST_TEST_KILLED_AT";

/// Ends the program the nth time it is asked: before a step is written down as begun, after it was done
/// and before that is logged, after it was logged and before the journal says so.
struct Deadly {
    asked: AtomicU32,
    at: u32,
}

impl Clock for Deadly {
    fn now(&self) -> jiff::Timestamp {
        if self.asked.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            std::process::abort();
        }
        System.now()
    }
}

/// Ends the program before a step is done, or in the middle of a copy.
struct DeadlyFiles {
    at: String,
}

impl Files for DeadlyFiles {
    fn entry(&self, spot: &Spot) -> Result<Option<Entry>> {
        LocalFiles.entry(spot)
    }

    fn list(&self, folder: &Spot, most: usize) -> Result<Listing> {
        LocalFiles.list(folder, most)
    }

    fn open(&self, file: &Spot) -> Result<Box<dyn std::io::Read + Send>> {
        LocalFiles.open(file)
    }

    fn count(&self, spot: &Spot, job: &Job) -> Result<(u64, u64)> {
        LocalFiles.count(spot, job)
    }

    fn act(&self, verb: Verb, act: &FileAct, job: &Job) -> Result<()> {
        match self.at.as_str() {
            "before" => std::process::abort(),
            "middle" => std::thread::scope(|scope| {
                scope.spawn(|| {
                    while job.done() < 1 << 20 {
                        std::thread::yield_now();
                    }
                    std::process::abort();
                });
                LocalFiles.act(verb, act, job)
            }),
            _ => LocalFiles.act(verb, act, job),
        }
    }

    fn settle(&self, verb: Verb, act: &FileAct) -> Result<bool> {
        LocalFiles.settle(verb, act)
    }
}

fn plan(bench: &Bench, folder: &Path, what: &str) -> Plan {
    let maker = bench.maker();
    let thing = || wait(trash::list(&bench.files, &bench.store)).unwrap().remove(0).record;
    let plan = match what {
        "rename" => wait(maker.rename(&reach_in(folder, "a"), "b".as_ref())),
        "copy" => wait(maker.copy(&reach_in(folder, "a"), &reach_in(folder, "b"))),
        "trash" => wait(maker.trash(&reach_in(folder, "a"), &[])),
        "restore" => wait(maker.restore(&thing())),
        _ => wait(maker.erase(&[thing()])),
    };
    plan.unwrap()
}

/// Not a test of its own: what is killed.
#[test]
fn as_a_child() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let (when, what) = (std::env::var(WHEN).unwrap(), std::env::var(WHAT).unwrap());
    let mut bench = Bench::at(&folder.join("books"));
    let plan = plan(&bench, folder, &what);
    bench.files = Arc::new(DeadlyFiles { at: when.clone() });
    let clock = Deadly { asked: AtomicU32::new(0), at: when.parse().unwrap_or(u32::MAX) };
    bench.run(&plan, &clock).unwrap();
}

/// Kills a program that does something, and starts the next; gives whether it took place.
fn killed(what: &str, when: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().canonicalize().unwrap();
    let bench = Bench::at(&folder.join("books"));
    std::fs::create_dir(folder.join("a")).unwrap();
    std::fs::write(folder.join("a/file"), vec![7; 24 << 20]).unwrap();
    if matches!(what, "restore" | "erase") {
        bench.run(&plan(&bench, &folder, "trash"), &System).unwrap();
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "files::killed::as_a_child", "--nocapture"])
        .env(FOLDER, &folder)
        .env(WHEN, when)
        .env(WHAT, what)
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&child.stderr);
    assert!(!child.status.success(), "{what} at {when} was not killed: {log}");

    let said = bench.recover();
    assert_eq!(said.len(), 1, "{what} at {when}: {said:?}\n{log}");
    assert!(bench.recover().is_empty(), "it is said once");
    assert!(bench.store.unfinished().unwrap().is_empty());

    let trash = folder.join(format!(".Trash-{}", rustix::process::geteuid().as_raw()));
    let (there, in_trash, other) = (folder.join("a"), names(&trash.join("files")).len(), folder.join("b/file"));
    let known = wait(trash::list(&bench.files, &bench.store)).unwrap().len();
    assert_eq!((known, names(&trash.join("info")).len()), (in_trash, in_trash), "{what} at {when}: {said:?}");
    assert!(!names(&folder).iter().any(|name| name.starts_with(".outlast-")), "{what} at {when}");
    let whole = |path: &Path| path.metadata().is_ok_and(|found| found.len() == 24 << 20);
    match what {
        "trash" => {
            assert_ne!(there.exists(), in_trash == 1, "at {when}");
            in_trash == 1
        }
        "restore" => {
            assert_ne!(there.exists(), in_trash == 1, "at {when}");
            there.exists()
        }
        "rename" => {
            assert_ne!(there.exists(), other.exists(), "at {when}");
            whole(&other)
        }
        "copy" => {
            assert!(whole(&there.join("file")), "at {when}");
            assert!(whole(&other) || !folder.join("b").exists(), "at {when}");
            whole(&other)
        }
        _ => in_trash == 0,
    }
}

#[test]
fn what_was_killed_at_any_point_is_finished_or_taken_back() {
    for what in ["trash", "restore", "rename", "copy"] {
        assert!(!killed(what, "1"), "{what} killed before it was begun");
        assert!(!killed(what, "before"), "{what} killed before it was done");
        assert!(killed(what, "2"), "{what} killed before it was logged");
        assert!(killed(what, "3"), "{what} killed before its journal was ended");
    }
    assert!(!killed("copy", "middle"), "a copy killed in the middle");
}

#[test]
fn what_was_agreed_to_be_erased_is_erased_in_the_end() {
    assert!(!killed("erase", "1"), "killed before it was begun nothing is erased");
    for when in ["before", "2", "3"] {
        assert!(killed("erase", when), "killed at {when}");
    }
}
