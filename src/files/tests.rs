//! Files on a real file system: moved, kept in the trash, copied, and never anything else.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use super::*;
use crate::core::spot::Trashed;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn spot(root: &Path, path: &str) -> Spot {
    Spot::new(root, Path::new(path)).unwrap()
}

/// An act on what is there now.
fn act(root: &Path, from: &str, to: Option<&str>) -> FileAct {
    let from = spot(root, from);
    let seen = LocalFiles.entry(&from).unwrap().unwrap().identity;
    FileAct { key: "k1".into(), from, seen, to: to.map(|to| spot(root, to)), trashed: None }
}

fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The act that moves something to the trash.
fn to_trash(root: &Path, from: &str) -> FileAct {
    let goal = format!(".Trash-{}/files/k1", uid());
    let act = act(root, from, Some(&goal));
    let record = Trashed {
        id: "k1".into(),
        from: act.from.clone(),
        now: act.to.clone().unwrap(),
        seen: act.seen,
        at: jiff::Timestamp::UNIX_EPOCH,
        workspace: String::new(),
        files: None,
        bytes: None,
    };
    FileAct { trashed: Some(record), ..act }
}

/// The act that moves it back.
fn back(act: &FileAct) -> FileAct {
    FileAct { from: act.to.clone().unwrap(), to: Some(act.from.clone()), ..act.clone() }
}

fn run(verb: Verb, act: &FileAct) -> Result<()> {
    LocalFiles.act(verb, act, &Job::default())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_rename_never_lands_on_anything() {
    let dir = folder();
    fs::write(dir.path().join("a"), "a").unwrap();
    fs::write(dir.path().join("b"), "b").unwrap();
    fs::create_dir(dir.path().join("empty")).unwrap();
    for taken in ["b", "empty"] {
        let error = run(Verb::Rename, &act(dir.path(), "a", Some(taken))).unwrap_err();
        assert_eq!(error.kind, Kind::Conflict, "{error}");
    }
    run(Verb::Rename, &act(dir.path(), "a", Some("c"))).unwrap();
    assert_eq!(names(dir.path()), ["b", "c", "empty"]);
    assert_eq!(fs::read_to_string(dir.path().join("c")).unwrap(), "a");
}

#[test]
fn what_changed_since_the_plan_is_left_alone() {
    let dir = folder();
    let file = dir.path().join("a");
    fs::write(&file, "a").unwrap();
    let plans = [(Verb::Rename, act(dir.path(), "a", Some("b"))), (Verb::Trash, to_trash(dir.path(), "a"))];
    fs::write(&file, "longer").unwrap();
    for (verb, act) in &plans {
        let error = run(*verb, act).unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{error}");
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(run(Verb::Rename, &plans[0].1).unwrap_err().kind, Kind::Refused);
    assert_eq!(names(&dir.path().join(format!(".Trash-{}/info", uid()))), [""; 0], "no trace of the try");
}

#[test]
fn what_went_to_the_trash_comes_back_as_it_was_and_only_where_nothing_is() {
    let dir = folder();
    let work = dir.path().join("work");
    fs::create_dir_all(work.join("deep")).unwrap();
    fs::write(work.join("deep/x"), "x").unwrap();
    let trashed = to_trash(dir.path(), "work");
    run(Verb::Trash, &trashed).unwrap();
    assert!(!work.exists());
    let trash = dir.path().join(format!(".Trash-{}", uid()));
    assert_eq!(fs::metadata(&trash).unwrap().permissions().mode() & 0o777, 0o700);
    let info = fs::read_to_string(trash.join("info/k1.trashinfo")).unwrap();
    assert_eq!(info, "[Trash Info]\nPath=work\nDeletionDate=1970-01-01T00:00:00\n");

    fs::write(&work, "in the way").unwrap();
    assert_eq!(run(Verb::Restore, &back(&trashed)).unwrap_err().kind, Kind::Conflict);
    fs::remove_file(&work).unwrap();
    run(Verb::Restore, &back(&trashed)).unwrap();
    assert_eq!(fs::read_to_string(work.join("deep/x")).unwrap(), "x");
    assert!(names(&trash.join("info")).is_empty());
}

#[test]
fn a_trash_that_is_a_link_or_open_to_others_is_not_used() {
    let (dir, outside) = (folder(), folder());
    fs::write(dir.path().join("a"), "a").unwrap();
    let trash = dir.path().join(format!(".Trash-{}", uid()));
    symlink(outside.path(), &trash).unwrap();
    assert!(run(Verb::Trash, &to_trash(dir.path(), "a")).is_err());
    assert!(names(outside.path()).is_empty());
    fs::remove_file(&trash).unwrap();
    fs::create_dir(&trash).unwrap();
    fs::set_permissions(&trash, fs::Permissions::from_mode(0o777)).unwrap();
    let error = run(Verb::Trash, &to_trash(dir.path(), "a")).unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "{error}");
    assert!(dir.path().join("a").exists());
}

#[test]
fn only_what_is_in_the_trash_is_erased_and_links_in_it_are_not_followed() {
    let (dir, outside) = (folder(), folder());
    fs::write(outside.path().join("precious"), "x").unwrap();
    let work = dir.path().join("work");
    fs::create_dir_all(work.join("a/b/c")).unwrap();
    fs::write(work.join("a/b/file"), "x").unwrap();
    symlink(outside.path(), work.join("a/out")).unwrap();
    assert_eq!(run(Verb::Erase, &act(dir.path(), "work", None)).unwrap_err().kind, Kind::Refused);
    let trashed = to_trash(dir.path(), "work");
    run(Verb::Trash, &trashed).unwrap();
    run(Verb::Erase, &FileAct { to: None, ..back(&trashed) }).unwrap();
    assert!(names(&dir.path().join(format!(".Trash-{}/files", uid()))).is_empty());
    assert!(names(&dir.path().join(format!(".Trash-{}/info", uid()))).is_empty());
    assert_eq!(names(outside.path()), ["precious"]);
}

#[test]
fn the_folder_itself_and_the_trash_are_never_moved() {
    let dir = folder();
    fs::write(dir.path().join("a"), "a").unwrap();
    run(Verb::Trash, &to_trash(dir.path(), "a")).unwrap();
    let trash = format!(".Trash-{}", uid());
    for place in ["", &trash, &format!("{trash}/files")] {
        let error = run(Verb::Trash, &to_trash(dir.path(), place)).unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{place:?}: {error}");
    }
}

#[test]
fn a_link_on_the_way_leads_nowhere() {
    let (dir, outside) = (folder(), folder());
    fs::write(outside.path().join("a"), "a").unwrap();
    symlink(outside.path(), dir.path().join("link")).unwrap();
    let inside = spot(dir.path(), "link/a");
    assert!(!matches!(LocalFiles.entry(&inside), Ok(Some(_))));
    assert!(LocalFiles.open(&inside).is_err());
    assert!(LocalFiles.list(&spot(dir.path(), "link"), 9).is_err());
    assert_eq!(
        LocalFiles.entry(&spot(dir.path(), "link")).unwrap().unwrap().target.as_deref(),
        Some(outside.path())
    );
}

#[test]
fn a_copy_is_the_same_in_everything() {
    let dir = folder();
    let work = dir.path().join("work");
    fs::create_dir(&work).unwrap();
    let odd = work.join(OsStr::from_bytes(b"odd\xff\n\x1b[2J"));
    fs::write(&odd, "odd").unwrap();
    fs::hard_link(&odd, work.join("again")).unwrap();
    symlink("nowhere", work.join("link")).unwrap();
    let sparse = fs::File::create(work.join("sparse")).unwrap();
    sparse.set_len(64 << 20).unwrap();
    std::os::unix::fs::FileExt::write_at(&sparse, b"end", (64 << 20) - 3).unwrap();
    drop(sparse);
    fs::set_permissions(&work, fs::Permissions::from_mode(0o2750)).unwrap();
    let old = fs::FileTimes::new()
        .set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_007));
    fs::File::open(&odd).unwrap().set_times(old).unwrap();
    fs::File::open(&work).unwrap().set_times(old).unwrap();
    let attribute = rustix::fs::setxattr(&odd, "user.note", b"kept", rustix::fs::XattrFlags::empty()).is_ok();

    run(Verb::Copy, &act(dir.path(), "work", Some("copy"))).unwrap();
    let copy = dir.path().join("copy");
    let same = |name: &OsStr| {
        let (one, other) =
            (work.join(name).symlink_metadata().unwrap(), copy.join(name).symlink_metadata().unwrap());
        assert_eq!(
            (one.len(), one.mode(), one.uid(), one.gid(), one.mtime(), one.nlink()),
            (other.len(), other.mode(), other.uid(), other.gid(), other.mtime(), other.nlink()),
            "{}",
            name.display()
        );
        other
    };
    for entry in fs::read_dir(&work).unwrap() {
        same(&entry.unwrap().file_name());
    }
    same(OsStr::new(""));
    assert_eq!(names(&work), names(&copy));
    assert_eq!(fs::read(copy.join("again")).unwrap(), b"odd");
    assert_eq!(
        copy.join("again").metadata().unwrap().ino(),
        copy.join(odd.file_name().unwrap()).metadata().unwrap().ino()
    );
    assert_eq!(fs::read_link(copy.join("link")).unwrap(), Path::new("nowhere"));
    assert!(copy.join("sparse").metadata().unwrap().blocks() * 512 < 1 << 20, "its hole is one still");
    assert_eq!(fs::read(work.join("sparse")).unwrap(), fs::read(copy.join("sparse")).unwrap());
    if attribute {
        let mut value = [0; 8];
        let length =
            rustix::fs::getxattr(copy.join(odd.file_name().unwrap()), "user.note", &mut value).unwrap();
        assert_eq!(&value[..length], b"kept");
    }
    assert_eq!(names(dir.path()), ["copy", "work"], "nothing half is left");
}

#[test]
fn a_copy_never_lands_on_anything_nor_in_itself() {
    let dir = folder();
    fs::create_dir(dir.path().join("work")).unwrap();
    fs::write(dir.path().join("taken"), "kept").unwrap();
    assert_eq!(run(Verb::Copy, &act(dir.path(), "work", Some("taken"))).unwrap_err().kind, Kind::Conflict);
    assert_eq!(run(Verb::Copy, &act(dir.path(), "work", Some("work/in"))).unwrap_err().kind, Kind::Usage);
    assert_eq!(fs::read_to_string(dir.path().join("taken")).unwrap(), "kept");
    assert_eq!(names(dir.path()), ["taken", "work"]);
}

#[test]
fn a_copy_that_is_told_to_stop_leaves_nothing() {
    let dir = folder();
    fs::create_dir(dir.path().join("work")).unwrap();
    for name in ["a", "b"] {
        fs::write(dir.path().join("work").join(name), vec![7; 3 << 20]).unwrap();
    }
    let job = Job::default();
    job.stop();
    let error = LocalFiles.act(Verb::Copy, &act(dir.path(), "work", Some("copy")), &job).unwrap_err();
    assert_eq!(error.kind, Kind::Cancelled);
    assert_eq!(names(dir.path()), ["work"]);
}

#[test]
fn files_are_counted_with_hard_links_once() {
    let dir = folder();
    fs::create_dir_all(dir.path().join("w/below")).unwrap();
    fs::write(dir.path().join("w/a"), vec![1; 8192]).unwrap();
    fs::hard_link(dir.path().join("w/a"), dir.path().join("w/below/again")).unwrap();
    symlink("/", dir.path().join("w/link")).unwrap();
    let bytes = |path: &str| dir.path().join(path).symlink_metadata().unwrap().blocks() * 512;
    let count = LocalFiles.count(&spot(dir.path(), "w"), &Job::default()).unwrap();
    assert_eq!(count, (2, bytes("w/a") + bytes("w/link")));
}

#[test]
fn a_folder_is_listed_no_further_than_asked_for() {
    let dir = folder();
    for number in 0..20 {
        fs::write(dir.path().join(number.to_string()), "").unwrap();
    }
    let listing = LocalFiles.list(&spot(dir.path(), ""), 5).unwrap();
    assert_eq!((listing.entries.len(), listing.more, listing.fixed), (5, true, None));
    let listing = LocalFiles.list(&spot(dir.path(), ""), 50).unwrap();
    assert_eq!((listing.entries.len(), listing.more), (20, false));
}

#[test]
fn an_act_that_was_cut_off_is_finished_or_taken_back() {
    let dir = folder();
    fs::write(dir.path().join("a"), "a").unwrap();
    // Before the move, and after it.
    let trashed = to_trash(dir.path(), "a");
    assert!(!LocalFiles.settle(Verb::Trash, &trashed).unwrap());
    run(Verb::Trash, &trashed).unwrap();
    assert!(LocalFiles.settle(Verb::Trash, &trashed).unwrap());
    assert!(!LocalFiles.settle(Verb::Restore, &back(&trashed)).unwrap());
    run(Verb::Restore, &back(&trashed)).unwrap();
    assert!(LocalFiles.settle(Verb::Restore, &back(&trashed)).unwrap());
    // A copy that grew.
    let copy = act(dir.path(), "a", Some("b"));
    fs::write(dir.path().join(".outlast-k1.part"), "half").unwrap();
    assert!(!LocalFiles.settle(Verb::Copy, &copy).unwrap());
    assert!(!dir.path().join(".outlast-k1.part").exists());
    run(Verb::Copy, &copy).unwrap();
    assert!(LocalFiles.settle(Verb::Copy, &copy).unwrap());
}
