//! The adapter on real folders: saved, read back, damaged, restored.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::Restic;
use crate::core::backup::{Check, FOLDER, Part, Repository, Restore, Save};
use crate::core::error::{Kind, Result};
use crate::port::{Backups as _, Checked, Meter, Restored, Saved};

struct Place {
    folder: tempfile::TempDir,
    repository: Repository,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        fs::write(&key, "secret\n").unwrap();
        let address = folder.path().join("repository");
        let repository = Repository::new(address.to_str().unwrap(), key).unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Restic.create(&repository, &Arc::default()).unwrap();
        Self { folder, repository }
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    fn saving(&self) -> Save {
        Save {
            workspace: "p".into(),
            folder: self.work(),
            parts: vec![Part {
                name: FOLDER.into(),
                from: self.work(),
                only: None,
                exclude: vec![".vessl".into(), "*.tmp".into()],
            }],
            definition: Some("{}".into()),
            create: false,
            verify: false,
            most: None,
            host: "h".into(),
        }
    }

    fn save_with(&self, what: &Save, meter: &Arc<Meter>) -> Result<Saved> {
        Restic.open(&self.repository, meter)?.save(what)
    }

    fn save(&self) -> Saved {
        self.save_with(&self.saving(), &Arc::default()).unwrap()
    }

    fn verify(&self) -> Checked {
        let vault = Restic.open(&self.repository, &Arc::default()).unwrap();
        vault.verify(&Check { snapshots: Vec::new() }).unwrap()
    }

    fn restoring(&self, to: &str) -> Restore {
        let to = self.folder.path().join(to);
        let part = Some(FOLDER.into());
        Restore { snapshot: "latest".into(), part, include: None, to, remap: None, becomes: None }
    }

    fn restore(&self, what: &Restore) -> Result<Restored> {
        Restic.open(&self.repository, &Arc::default())?.restore(what)
    }

    fn packs(&self) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.folder.path().join("repository/data")).unwrap();
        let files = folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap());
        let mut packs: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        packs.sort_by_key(|pack| std::cmp::Reverse(fs::metadata(pack).unwrap().len()));
        packs
    }
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Bytes that do not compress and of which no two files have the same.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// What can be said of every entry below a folder: path, kind, mode, owner, time, size, links, target.
fn listing(folder: &Path) -> Vec<String> {
    fn walk(top: &Path, folder: &Path, lines: &mut Vec<String>) {
        let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            let m = path.symlink_metadata().unwrap();
            let target = fs::read_link(&path).ok();
            let content = m.is_file().then(|| fs::read(&path).unwrap_or_default());
            let sum = content
                .map(|content| content.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte)));
            let size = if m.is_dir() { 0 } else { m.len() };
            let links = if m.is_dir() { 0 } else { m.nlink() };
            lines.push(format!(
                "{:?} {:o} {}:{} {}.{} {size} {links} {} {target:?} {sum:?} {:?}",
                path.strip_prefix(top).unwrap(),
                m.mode(),
                m.uid(),
                m.gid(),
                m.mtime(),
                m.mtime_nsec(),
                m.rdev(),
                super::entry::attributes_in(
                    std::os::fd::AsFd::as_fd(&fs::File::open(path.parent().unwrap()).unwrap()),
                    path.file_name().unwrap()
                )
                .unwrap(),
            ));
            if m.is_dir() {
                walk(top, &path, lines);
            }
        }
    }
    let mut lines = Vec::new();
    walk(folder, folder, &mut lines);
    lines
}

/// What is odd: links, names, times, rights, holes, attributes; as root also owners and devices.
fn oddities(work: &Path) {
    write(&work.join("a/file"), "text");
    write(&work.join("empty"), "");
    fs::create_dir(work.join("empty folder")).unwrap();
    fs::hard_link(work.join("a/file"), work.join("hard")).unwrap();
    fs::hard_link(work.join("a/file"), work.join("z")).unwrap();
    std::os::unix::fs::symlink("nowhere", work.join("dangling")).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"tab\t\xff\n\"quote\\");
    std::os::unix::fs::symlink(odd, work.join("odd target")).unwrap();
    write(&work.join(odd), "odd");
    write(&work.join("n".repeat(255)), "long name");
    fs::File::create(work.join("sparse")).unwrap().set_len(64 << 20).unwrap();
    write(&work.join("big"), noise(1, 5 << 20));
    // Only root reads what nobody may.
    let closed = if rustix::process::geteuid().is_root() { 0o0 } else { 0o400 };
    for (name, mode) in [("setuid", 0o4755), ("sticky", 0o1644), ("none", closed)] {
        write(&work.join(name), name);
        fs::set_permissions(work.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let run = |command: &str| {
        let status = Command::new("sh").args(["-c", command]).current_dir(work).status().unwrap();
        assert!(status.success(), "{command}");
    };
    run("mkfifo pipe");
    run("touch -h -d '1965-03-01 12:00:00.123456789' empty && touch -d '2040-01-01 00:00:00.5' hard");
    rustix::fs::setxattr(work.join("empty"), "user.note", b"\x00\xff", rustix::fs::XattrFlags::empty())
        .unwrap();
    if rustix::process::geteuid().is_root() {
        run("mknod device c 1 3 && chown -h 1234:5678 a dangling setuid && chmod 4755 setuid");
        rustix::fs::setxattr(work.join("a"), "trusted.x", b"t", rustix::fs::XattrFlags::empty()).unwrap();
    }
    run("touch -d '2001-01-01 01:01:01.5' 'empty folder' a");
}

#[test]
fn whatever_is_odd_comes_back_as_it_was() {
    let place = Place::new();
    oddities(&place.work());
    write(&place.work().join("deep/.vessl/token"), "left out");
    write(&place.work().join("x.tmp"), "left out");
    let saved = place.save();
    assert_eq!(saved.skipped.first, []);
    let restored = place.restore(&place.restoring("new")).unwrap();
    assert_eq!((restored.skipped.first, restored.damaged.first), (Vec::new(), Vec::new()));
    fs::remove_dir_all(place.work().join("deep/.vessl")).unwrap();
    fs::remove_file(place.work().join("x.tmp")).unwrap();
    let (before, after) = (listing(&place.work()), listing(&place.folder.path().join("new")));
    for (before, after) in before.iter().zip(&after).filter(|(before, _)| !before.starts_with("\"deep\"")) {
        assert_eq!(before, after);
    }
    assert_eq!(before.len(), after.len());
    let sparse = fs::metadata(place.folder.path().join("new/sparse")).unwrap();
    assert!(sparse.blocks() * 512 < 1 << 20, "{} blocks", sparse.blocks());
}

#[test]
fn a_flipped_byte_is_found_its_file_named_and_every_other_one_restored() {
    let place = Place::new();
    for number in 0..40 {
        write(&place.work().join(format!("f{number:02}")), noise(number, 100_000));
    }
    let saved = place.save();
    assert!(place.verify().snapshots.iter().all(|(_, whole)| *whole));
    let pack = &place.packs()[0];
    let mut bytes = fs::read(pack).unwrap();
    bytes[150_000] ^= 1;
    fs::write(pack, bytes).unwrap();

    let checked = place.verify();
    assert_eq!(checked.snapshots, [(saved.snapshot, false)]);
    assert_eq!(checked.damaged.count, 1);
    let restored = place.restore(&place.restoring("new")).unwrap();
    assert_eq!(restored.damaged.count, 1);
    let named = restored.damaged.first[0].path.path.clone();
    assert_eq!(checked.damaged.first[0].path.path, format!("/workspace/{named}"));
    for number in 0..40 {
        let name = format!("f{number:02}");
        let file = place.folder.path().join("new").join(&name);
        if name == named {
            assert!(!file.exists(), "half a file is no file");
        } else {
            assert!(fs::read(file).unwrap() == noise(number, 100_000), "{name}");
        }
    }
}

#[test]
fn what_could_not_be_read_is_named_and_the_snapshot_says_that_it_is_not_whole() {
    if rustix::process::geteuid().is_root() {
        // Nothing is unreadable to root; a file that changes while it is read is.
        return;
    }
    let place = Place::new();
    write(&place.work().join("good"), "x");
    write(&place.work().join("closed"), "x");
    fs::set_permissions(place.work().join("closed"), fs::Permissions::from_mode(0o0)).unwrap();
    let saved = place.save();
    assert_eq!(saved.skipped.count, 1);
    assert!(saved.skipped.first[0].path.path.ends_with("/closed") && saved.snapshot.incomplete);
    let listed = Restic.open(&place.repository, &Arc::default()).unwrap().list().unwrap();
    assert_eq!(listed, [saved.snapshot]);
}

#[test]
fn a_file_that_grows_while_it_is_read_is_named() {
    let place = Place::new();
    let file = place.work().join("grows");
    write(&file, noise(3, 64 << 20));
    let (stop, stopped) = (Arc::new(Meter::default()), Arc::new(Meter::default()));
    let flag = Arc::clone(&stop);
    let growing = std::thread::spawn(move || {
        use std::io::Write as _;
        let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
        while !flag.is_cancelled() {
            file.write_all(b"more").unwrap();
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    });
    let saved = place.save_with(&place.saving(), &stopped).unwrap();
    stop.cancel();
    growing.join().unwrap();
    assert_eq!(saved.skipped.count, 1, "{saved:?}");
    assert!(saved.skipped.first[0].why.contains("changed"));
    assert!(saved.snapshot.incomplete);
    assert!(place.verify().snapshots.iter().all(|(_, whole)| *whole), "what is saved can be read");
}

#[test]
fn an_unchanged_folder_adds_nothing_and_a_change_is_seen_although_size_and_time_are_the_same() {
    let place = Place::new();
    let file = place.work().join("data");
    write(&file, noise(1, 1 << 20));
    let first = place.save();
    let again = place.save();
    assert!(again.snapshot.added.unwrap() < 20_000, "{again:?}");
    assert_ne!(first.snapshot.id, again.snapshot.id);
    let before = fs::metadata(&file).unwrap();
    fs::write(&file, noise(2, 1 << 20)).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(before.modified().unwrap()).unwrap();
    let changed = place.save();
    assert!(changed.snapshot.added.unwrap() > 1 << 20, "the time of the last change of its state tells");
}

#[test]
fn what_was_called_off_leaves_no_snapshot_and_a_sound_repository() {
    let place = Place::new();
    write(&place.work().join("data"), noise(1, 48 << 20));
    let meter = Arc::new(Meter::default());
    let flag = Arc::clone(&meter);
    let stopping = std::thread::spawn(move || {
        while flag.read(jiff::Timestamp::UNIX_EPOCH).bytes < 1 << 20 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        flag.cancel();
    });
    let error = place.save_with(&place.saving(), &meter).unwrap_err();
    stopping.join().unwrap();
    assert_eq!(error.kind, Kind::Cancelled, "{error}");
    let vault = Restic.open(&place.repository, &Arc::default()).unwrap();
    assert_eq!(vault.list().unwrap(), []);
    place.save();
    assert!(place.verify().snapshots.iter().all(|(_, whole)| *whole));
}

#[test]
fn more_than_the_limit_is_refused_and_exactly_the_limit_is_not() {
    let place = Place::new();
    write(&place.work().join("data"), noise(1, 100_000));
    let limited = |most| Save { most: Some(most), ..place.saving() };
    let error = place.save_with(&limited(99_999), &Arc::default()).unwrap_err();
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.message.contains("1 more than the limit of 98K"), "{error}");
    place.save_with(&limited(100_000), &Arc::default()).unwrap();
}

#[test]
fn a_part_of_a_snapshot_is_restored_and_a_path_that_is_not_in_it_is_an_error() {
    let place = Place::new();
    write(&place.work().join("a/b/c"), "x");
    write(&place.work().join("a/d"), "x");
    place.save();
    let include = |path: &str| Some(PathBuf::from(path));
    place.restore(&Restore { include: include("/a/b"), ..place.restoring("part") }).unwrap();
    let part = place.folder.path().join("part");
    assert!(part.join("a/b/c").exists() && !part.join("a/d").exists());
    let error = place.restore(&Restore { include: include("nowhere"), ..place.restoring("x") }).unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    let error = place.restore(&place.restoring("part")).unwrap_err();
    assert_eq!(error.kind, Kind::Refused, "it is not empty");
    assert!(!place.folder.path().join("x").exists());
    place.restore(&Restore { part: None, ..place.restoring("all") }).unwrap();
    assert!(place.folder.path().join("all/definition.json").exists());
}

#[test]
fn forgotten_snapshots_are_gone_and_the_others_still_whole() {
    let place = Place::new();
    write(&place.work().join("data"), noise(1, 1 << 20));
    let first = place.save().snapshot;
    write(&place.work().join("data"), noise(2, 1 << 20));
    let second = place.save().snapshot;
    let vault = Restic.open(&place.repository, &Arc::default()).unwrap();
    vault.forget(std::slice::from_ref(&first.id)).unwrap();
    assert_eq!(place.verify().snapshots, [(second, true)]);
}

#[test]
fn a_wrong_password_a_missing_repository_and_a_folder_in_use_are_said_so() {
    let place = Place::new();
    let open = |repository: &Repository| match Restic.open(repository, &Arc::default()) {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    };
    let wrong = place.folder.path().join("wrong");
    fs::write(&wrong, "other\n").unwrap();
    let error = open(&Repository::new(&place.repository.url, wrong).unwrap());
    assert_eq!((error.kind, error.message.contains("password is wrong")), (Kind::Config, true), "{error}");
    let work = place.work();
    let elsewhere = Repository::new(work.to_str().unwrap(), place.repository.key.clone()).unwrap();
    assert_eq!(open(&elsewhere).kind, Kind::NotFound);
    write(&work.join("mine"), "x");
    let Err(error) = Restic.create(&elsewhere, &Arc::default()) else { panic!("it was made") };
    assert_eq!(error.kind, Kind::Refused);
    assert_eq!(Restic.exists(&place.repository), Ok(true));
    assert_eq!(Restic.exists(&elsewhere), Ok(false));
    place.save();
    assert_eq!(Restic.ids(&place.repository).unwrap().len(), 1);
}
