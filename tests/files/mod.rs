//! Files of this machine on real file systems: full, read-only, on several mounts, under attack, and
//! when the program is killed.

mod attacked;
mod killed;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use outlast::core::error::{Error, Kind};
use outlast::core::plan::Plan;
use outlast::engine::machine::Machine;
use outlast::files::LocalFiles;
use outlast::platform::clock::System;
use outlast::port::{Clock, Files, Host};
use outlast::store::Store;
use outlast::work::act::{self, Consent, Runner};
use outlast::work::browse::plans::Maker;
use outlast::work::browse::{Follow, Reach, here};

use crate::support::docker::missing;
use crate::support::model::profiles;

/// Runs what is asynchronous to its end.
fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// What plans are made and run with here.
struct Bench {
    files: Arc<dyn Files>,
    host: Arc<Host>,
    store: Store,
}

impl Bench {
    /// With its books in a folder, and nothing else of this machine.
    fn at(books: &Path) -> Self {
        let uid = rustix::process::geteuid().as_raw();
        // Its home is the folder that the books are in: the trash of what is in it is there.
        let home = books.parent().and_then(|home| home.canonicalize().ok());
        let host = Arc::new(Host { uid, user: Some("tester".into()), home, ..Host::default() });
        Self { files: Arc::new(LocalFiles), host, store: Store::at(books.into()).unwrap() }
    }

    fn maker(&self) -> Maker<'_> {
        Maker { files: &self.files, host: &self.host, clock: &System, endpoint: "machine" }
    }

    fn run(&self, plan: &Plan, clock: &dyn Clock) -> Result<(), Error> {
        let machine = Machine::new(Arc::clone(&self.host), Arc::new(System), Vec::new());
        let profiles = profiles();
        let runner = Runner {
            engine: &machine,
            files: Arc::clone(&self.files),
            store: &self.store,
            host: &self.host,
            profiles: &profiles,
            clock,
            program: std::path::Path::new("outlast"),
            job: Arc::default(),
        };
        wait(runner.run(plan, Consent { yes: true, lose_data: true }))
    }

    fn recover(&self) -> Vec<String> {
        let machine = Machine::new(Arc::clone(&self.host), Arc::new(System), Vec::new());
        wait(act::recover(&machine, &self.files, &self.store, &System, Path::new("")))
    }
}

fn reach(path: &Path) -> Reach {
    wait(here(path, Follow::Parents)).unwrap()
}

/// A path whose trash is in a folder, as if the folder were mounted into a workspace.
fn reach_in(folder: &Path, path: &str) -> Reach {
    let mut reach = reach(&folder.join(path));
    let at = reach.at.as_mut().unwrap();
    at.spot = outlast::core::spot::Spot::new(folder, Path::new(path)).unwrap();
    reach
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A small file system in memory; gone with its guard.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(options: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return missing("mounting needs root");
        }
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(dir.path())
            .status()
            .unwrap();
        if mounted.success() { Some(Self(dir)) } else { missing("nothing can be mounted here") }
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_copy_that_does_not_fit_leaves_nothing_behind() {
    let Some(small) = Mounted::new("size=2m") else { return };
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::at(&dir.path().join("books"));
    std::fs::create_dir(dir.path().join("work")).unwrap();
    std::fs::write(dir.path().join("work/small"), "x").unwrap();
    std::fs::write(dir.path().join("work/big"), vec![7; 5 << 20]).unwrap();
    let goal = small.path().join("copy");
    let plan = wait(bench.maker().copy(&reach(&dir.path().join("work")), &reach(&goal))).unwrap();
    let error = bench.run(&plan, &System).unwrap_err();
    assert!(error.message.contains("the disk is full"), "{error}");
    assert_eq!(names(&small.path()), [""; 0]);
    let (changes, _) = bench.store.audit().read().unwrap();
    assert!(changes[0].result.starts_with("failed: "), "{changes:?}");
    assert!(bench.store.unfinished().unwrap().is_empty());
}

#[test]
fn what_lies_on_another_mount_goes_to_the_trash_of_that_mount() {
    let Some(inner) = Mounted::new("size=2m") else { return };
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::at(&dir.path().join("books"));
    std::fs::create_dir(inner.path().join("folder")).unwrap();
    std::fs::write(inner.path().join("folder/a"), "a").unwrap();
    let plan = wait(bench.maker().trash(&reach(&inner.path().join("folder/a")), &[])).unwrap();
    bench.run(&plan, &System).unwrap();
    let trash = format!(".Trash-{}", rustix::process::geteuid().as_raw());
    assert_eq!(names(&inner.path()), [trash.as_str(), "folder"]);
    let error = wait(bench.maker().trash(&reach(&inner.path()), &[])).unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "the mount itself stays: {error}");
}

#[test]
fn nothing_is_changed_on_a_file_system_that_is_read_only() {
    let Some(lent) = Mounted::new("size=2m") else { return };
    std::fs::write(lent.path().join("a"), "a").unwrap();
    let again = Command::new("mount").args(["-o", "remount,ro"]).arg(lent.path()).status().unwrap();
    assert!(again.success());
    let dir = tempfile::tempdir().unwrap();
    let bench = Bench::at(&dir.path().join("books"));
    let file = reach(&lent.path().join("a"));
    let errors = [
        wait(bench.maker().rename(&file, "b".as_ref())).unwrap_err(),
        wait(bench.maker().trash(&file, &[])).unwrap_err(),
        wait(bench.maker().copy(&reach(dir.path()), &reach(&lent.path().join("c")))).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind, Kind::NotPermitted, "{error}");
        assert!(error.message.contains("read-only"), "{error}");
    }
    let out = dir.path().join("out");
    let plan = wait(bench.maker().copy(&file, &reach(&out))).unwrap();
    bench.run(&plan, &System).unwrap();
    assert_eq!(std::fs::read(out).unwrap(), b"a");
}

#[test]
fn homes_roots_and_what_workspaces_mount_are_never_moved_to_the_trash() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let mut bench = Bench::at(&dir.join("books"));
    std::fs::create_dir_all(dir.join("home/data/mounted")).unwrap();
    bench.host = Arc::new(Host { home: Some(dir.join("home")), ..Host::clone(&bench.host) });
    let mounted = [dir.join("home/data/mounted")];
    for place in [Path::new("/"), &dir.join("home"), &dir, &dir.join("home/data"), &mounted[0]] {
        let error = wait(bench.maker().trash(&reach(place), &mounted)).unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{}: {error}", place.display());
    }
    assert!(wait(bench.maker().trash(&reach(&dir.join("home/data")), &[])).is_ok());
}

#[test]
fn a_file_of_a_hundred_thousand_is_found_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for number in 0..100_000 {
        std::fs::write(dir.path().join(format!("{number:06}")), "").unwrap();
    }
    let files: Arc<dyn Files> = Arc::new(LocalFiles);
    let (listing, _) =
        wait(outlast::work::browse::list(&files, &wait(here(dir.path(), Follow::All)).unwrap(), 500_000))
            .unwrap();
    assert_eq!((listing.entries.len(), listing.more), (100_000, false));
}
