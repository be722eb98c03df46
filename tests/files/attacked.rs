//! Somebody swaps folders for links while files are copied and erased: nothing outside is touched.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use outlast::core::plan::Verb;
use outlast::core::spot::{FileAct, Spot};
use outlast::files::LocalFiles;
use outlast::port::{Files as _, Job};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::names;

/// What is copied and renamed in, and what is erased: in each, `sub` is swapped.
const VICTIMS: [&str; 2] = ["work", ".Trash-0/files/work"];

/// Copies, renames and erases so often, while a folder on the way is a folder one moment and a link to
/// one outside the next.
fn attack(times: usize) {
    // In memory, where a try takes no time.
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let (inside, outside) = (dir.path().join("inside"), dir.path().join("outside"));
    std::fs::create_dir_all(outside.join("below")).unwrap();
    for name in ["file", "below/file"] {
        std::fs::write(outside.join(name), "precious").unwrap();
    }
    let over = AtomicBool::new(false);
    let swap = |victim: &str| {
        let (sub, link) = (inside.join(victim).join("sub"), inside.join(victim).join("link"));
        std::fs::create_dir_all(&sub).unwrap();
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        (sub, link)
    };
    let pairs = VICTIMS.map(swap);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                for (sub, link) in &pairs {
                    let _ = renameat_with(CWD, sub, CWD, link, RenameFlags::EXCHANGE);
                }
            }
        });
        // Also where a try fails, or the other thread would go on for ever.
        let _end = End(&over);
        for number in 0..times {
            once(&inside, &outside, number);
        }
    });
    assert_eq!(names(&outside), ["below", "file"]);
    for name in ["file", "below/file"] {
        assert_eq!(std::fs::read_to_string(outside.join(name)).unwrap(), "precious");
    }
}

/// Ends the attack when it goes.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn once(inside: &Path, outside: &Path, number: usize) {
    let spot = |path: &str| Spot::new(inside, Path::new(path)).unwrap();
    let act = |from: &str, to: Option<&str>| {
        let seen = LocalFiles.entry(&spot(from)).ok()??.identity;
        Some(FileAct { key: number.to_string(), from: spot(from), seen, to: to.map(spot), trashed: None })
    };
    // What goes wrong is no matter here, only where it does.
    let run = |verb, act: Option<FileAct>| act.map(|act| LocalFiles.act(verb, &act, &Job::default()));
    run(Verb::Copy, act("work", Some("copy")));
    for copied in ["copy/sub", "copy/link"] {
        let copied = inside.join(copied);
        let followed =
            copied.symlink_metadata().is_ok_and(|found| found.is_dir()) && copied.join("file").exists();
        assert!(!followed, "a link was followed while copying");
    }
    let _ = std::fs::remove_dir_all(inside.join("copy"));
    // These are outside alone.
    for name in ["work/sub/file", "work/sub/below/file"] {
        run(Verb::Rename, act(name, Some("work/sub/moved")));
    }
    run(Verb::Erase, act(VICTIMS[1], None));
    // What was erased is set up again.
    let victim = inside.join(VICTIMS[1]);
    let _ = std::fs::create_dir_all(victim.join("sub/below"));
    let _ = std::os::unix::fs::symlink(outside, victim.join("link"));
}

#[test]
fn a_folder_that_is_swapped_for_a_link_leads_nowhere() {
    attack(1_000);
}

#[test]
#[ignore = "takes minutes; .ci/long runs it"]
fn a_folder_that_is_swapped_for_a_link_a_hundred_thousand_times_leads_nowhere() {
    attack(100_000);
}
