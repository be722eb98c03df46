//! The walk on real folders: equal to `du`, never outside, ended at once.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tempfile::TempDir;

use super::Tree;
use super::purpose::Purpose;
use crate::core::spot::Spot;
use crate::port::{EntryKind, FolderId, Matching, Order, Pace, Progress, Row, Walk};
use crate::scan::open::Root;

pub(super) fn folder() -> TempDir {
    tempfile::tempdir().expect("temporary directory")
}

/// Walks to the end.
pub(super) fn walked(root: &Path) -> Tree {
    let tree = Tree::start(root, Pace::Full).expect("walk");
    assert!(tree.ended(Duration::from_mins(1)), "the walk ends");
    tree
}

fn progress(root: &Path) -> Progress {
    walked(root).progress()
}

/// A folder with everything that is easily miscounted; deep enough that no path fits into a call.
fn odd_tree(root: &Path) {
    let at = |name: &str| root.join(name);
    fs::create_dir_all(at("a/b/c")).expect("folders");
    fs::create_dir(at("empty")).expect("folder");
    fs::write(at("a/plain"), vec![7; 70_000]).expect("file");
    fs::write(at("a/b/small"), "x").expect("file");
    File::create(at("a/nothing")).expect("file");
    File::create(at("sparse")).and_then(|file| file.set_len(1 << 40)).expect("sparse file");
    fs::write(at("linked"), vec![1; 9_000]).expect("file");
    for name in ["a/again", "a/b/again", "empty/again"] {
        fs::hard_link(at("linked"), at(name)).expect("hard link");
    }
    for (target, name) in [("nowhere", "dangling"), (".", "loop"), ("/", "away"), ("a", "a/b/up")] {
        symlink(target, at(name)).expect("link");
    }
    symlink("x".repeat(3_000), at("long-link")).expect("link with a block of its own");
    fs::hard_link(at("dangling"), at("dangling-again")).expect("hard link to a link");
    for name in [&b"\xff\xfe"[..], b"new\nline", b"tab\t\x1b[31m", b"-rf", b" ", b"\\", &[b'x'; 255]] {
        fs::write(root.join(OsStr::from_bytes(name)), "odd").expect("odd name");
    }
    let inside = root.join(OsStr::from_bytes(b"\xffdir\n"));
    fs::create_dir(&inside).expect("folder");
    fs::write(inside.join("in"), "1").expect("file");
    drop(UnixListener::bind(at("socket")));
    assert!(Command::new("mkfifo").arg(at("pipe")).status().is_ok_and(|status| status.success()));
    deep(root, 400);
    for (name, mode) in [("none", 0o000), ("no-list", 0o311), ("no-search", 0o444)] {
        fs::create_dir_all(at(name).join("inner")).expect("folder");
        fs::write(at(name).join("hidden"), vec![1; 100]).expect("file");
        fs::set_permissions(at(name), PermissionsExt::from_mode(mode)).expect("mode");
    }
}

/// A folder in a folder, so many levels deep, each with a file; names too long for one path.
fn deep(root: &Path, levels: u32) {
    use rustix::fs::{Mode, OFlags, mkdirat, openat};
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = openat(rustix::fs::CWD, root, flags, Mode::empty()).expect("root");
    for level in 0..levels {
        let name = format!("level-{level:020}");
        mkdirat(&at, &name, Mode::RWXU).expect("folder");
        at = openat(&at, &name, flags, Mode::empty()).expect("folder");
        let new = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = openat(&at, "x", new, Mode::RUSR).expect("file");
        rustix::io::write(&file, b"deep").expect("written");
    }
}

/// Makes everything readable again, so that the folder can be removed.
fn readable(root: &Path) {
    for name in ["none", "no-list", "no-search"] {
        fs::set_permissions(root.join(name), PermissionsExt::from_mode(0o755)).expect("mode");
    }
}

/// What `du` says with these options, in its first column.
pub(super) fn du(options: &[&str], root: &Path) -> u64 {
    let output = Command::new("du").args(options).arg("-s").arg(root).output().expect("du");
    String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .next()
        .and_then(|n| n.parse().ok())
        .expect("number")
}

/// Since coreutils 9.2 `du --apparent-size` leaves folders out.
fn du_counts_folders() -> bool {
    du(&["--apparent-size", "--block-size=1"], folder().path()) > 0
}

#[test]
fn a_frozen_tree_equals_du_to_the_byte() {
    let dir = folder();
    odd_tree(dir.path());
    rustix::fs::sync();
    let progress = progress(dir.path());
    let root = rustix::process::geteuid().is_root();
    assert_eq!(progress.total.allocated, du(&["--block-size=1"], dir.path()));
    if du_counts_folders() {
        assert_eq!(progress.total.apparent, du(&["--apparent-size", "--block-size=1"], dir.path()));
    }
    assert_eq!(progress.total.files + progress.total.dirs + 1, du(&["--inodes"], dir.path()));
    assert!(progress.finished);
    if root {
        assert_eq!((progress.total.errors, progress.gaps.len(), progress.unread.len()), (0, 0, 0));
    } else {
        // Two folders that may not be listed, one whose two entries may not be looked at.
        assert_eq!(progress.total.errors, 4, "{:?}", progress.gaps);
        assert_eq!(progress.unread.len(), 4);
        assert!(progress.gaps[0].contains("permission denied"), "{:?}", progress.gaps);
    }
    readable(dir.path());
}

#[test]
fn every_entry_of_a_tree_is_on_a_page_with_its_name_as_bytes() {
    let dir = folder();
    odd_tree(dir.path());
    readable(dir.path());
    let tree = walked(dir.path());
    let (mut todo, mut found) = (vec![FolderId::ROOT], BTreeMap::new());
    while let Some(id) = todo.pop() {
        let page = tree.page(id, Order::Size, 0, usize::MAX);
        assert!(!page.growing && page.rows.len() == page.of);
        let held: u64 = page.rows.iter().map(|row| row.totals.allocated).sum();
        assert!(held <= page.totals.allocated, "a folder holds what is in it, and itself");
        for row in page.rows {
            todo.extend(row.folder);
            found.insert(tree.path(id).join(&row.name), row.kind);
        }
    }
    let all = [".", "-mindepth", "1", "-printf", "%P\\0"];
    let listed = Command::new("find").args(all).current_dir(dir.path()).output().expect("find");
    let listed: Vec<&[u8]> = listed.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
    assert_eq!(found.len(), listed.len());
    for path in listed {
        assert!(found.contains_key(Path::new(OsStr::from_bytes(path))), "{}", path.escape_ascii());
    }
    assert_eq!(found[Path::new("socket")], EntryKind::Special);
    assert_eq!(found[Path::new("loop")], EntryKind::Link);
}

#[test]
fn pages_are_in_the_order_that_is_asked_for() {
    let dir = folder();
    for (name, size, files, age) in [("old", 300_000, 1, 90), ("many", 10, 5, 2), ("new", 90_000, 2, 0)] {
        fs::create_dir(dir.path().join(name)).expect("folder");
        for file in 0..files {
            let file = File::create(dir.path().join(name).join(file.to_string())).expect("file");
            fs::write(dir.path().join(name).join("0"), vec![1; size]).expect("written");
            let then = std::time::SystemTime::now() - Duration::from_secs(age * 86_400);
            file.set_modified(then).expect("time");
        }
        let then = std::time::SystemTime::now() - Duration::from_secs(age * 86_400);
        File::open(dir.path().join(name)).and_then(|folder| folder.set_modified(then)).expect("time");
    }
    let tree = walked(dir.path());
    let names = |order, from, limit| {
        let rows = tree.page(FolderId::ROOT, order, from, limit).rows;
        rows.into_iter().map(|row| row.name.into_string().expect("name")).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(Order::Size, 0, 9), "old new many");
    assert_eq!(names(Order::Count, 0, 9), "many new old");
    assert_eq!(names(Order::Age, 0, 9), "new many old");
    assert_eq!(names(Order::Size, 1, 1), "new");
    assert_eq!(names(Order::Size, 3, 5), "");
    let gone = tree.page(FolderId(7_777), Order::Size, 0, 9);
    assert!(gone.rows.is_empty() && gone.of == 0);

    let found = |matching: Matching, limit| {
        let rows = tree.files(&matching, Order::Size, limit);
        rows.into_iter().map(|row: Row| row.name.into_string().expect("name")).collect::<Vec<_>>().join(" ")
    };
    let larger = Matching { larger: Some(90_000), ..Matching::default() };
    assert_eq!(found(larger.clone(), 9), "old/0 new/0", "the size itself is large enough");
    assert_eq!(found(larger, 1), "old/0");
    let yesterday = Timestamp::now() - Duration::from_hours(24);
    assert_eq!(
        found(Matching { larger: Some(90_000), newer: Some(yesterday), ..Matching::default() }, 9),
        "new/0"
    );
}

#[test]
fn a_single_file_is_a_tree_and_a_link_to_one_is_none() {
    let dir = folder();
    fs::write(dir.path().join("file"), vec![1; 5_000]).expect("file");
    symlink("file", dir.path().join("link")).expect("link");
    let progress = progress(&dir.path().join("file"));
    assert_eq!((progress.total.allocated, progress.total.apparent, progress.total.files), (8_192, 5_000, 1));
    assert!(Tree::start(&dir.path().join("link"), Pace::Full).is_err());
    assert!(Tree::start(&dir.path().join("none"), Pace::Full).is_err());
}

#[test]
fn an_entry_beneath_a_root_is_walked_and_no_link_leads_to_one() {
    let dir = folder();
    fs::create_dir_all(dir.path().join("a/b")).expect("folders");
    fs::write(dir.path().join("a/b/file"), vec![1; 5_000]).expect("file");
    symlink("a", dir.path().join("link")).expect("link");
    symlink("b/file", dir.path().join("a/link")).expect("link");
    let at = |path: &str| Tree::at(&Spot::new(dir.path(), Path::new(path)).expect("spot"), Pace::Full);
    let files = |path: &str| {
        let tree = at(path).expect("walk");
        assert!(tree.ended(Duration::from_mins(1)));
        tree.progress().total.files
    };
    assert_eq!((files(""), files("a/b"), files("a/b/file")), (3, 1, 1));
    for path in ["link/b", "link", "a/link", "a/b/file/x", "none"] {
        assert!(at(path).is_err(), "{path}");
    }
}

#[test]
fn another_mount_is_counted_and_not_entered() {
    let dir = folder();
    let inner = dir.path().join("a/mounted");
    fs::create_dir_all(&inner).expect("folders");
    fs::write(dir.path().join("a/file"), vec![1; 5_000]).expect("file");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(&inner).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no right to mount");
        return;
    }
    fs::write(inner.join("big"), vec![1; 100_000]).expect("file");
    let with = progress(dir.path());
    let by_name = by_component(dir.path());
    let same = du(&["-x", "--block-size=1"], dir.path());
    let _ = Command::new("umount").arg(&inner).status();
    assert_eq!((with.total.allocated, with.mounts, with.total.errors), (same, 1, 0));
    assert_eq!(by_name.total, with.total);
}

/// Walks as on a kernel without `openat2`.
fn by_component(root: &Path) -> Progress {
    let opened = Root::open(root).expect("root").without_openat2();
    let tree = Tree::beneath(&opened, Purpose::everything(root), Pace::Full).expect("walk");
    assert!(tree.ended(Duration::from_mins(1)));
    tree.progress()
}

#[test]
fn without_openat2_and_in_the_background_the_answer_is_the_same() {
    let dir = folder();
    odd_tree(dir.path());
    let fast = progress(dir.path());
    assert_eq!(by_component(dir.path()).total, fast.total);
    let tree = Tree::start(dir.path(), Pace::Background).expect("walk");
    assert!(tree.ended(Duration::from_mins(1)));
    assert_eq!(tree.progress().total, fast.total);
    readable(dir.path());
}

#[test]
fn a_walk_is_looked_at_while_it_goes_on_and_ends_at_once() {
    let dir = folder();
    for name in 0..200 {
        let inner = dir.path().join(name.to_string());
        fs::create_dir(&inner).expect("folder");
        for file in 0..100 {
            File::create(inner.join(file.to_string())).expect("file");
        }
    }
    let whole = progress(dir.path());
    assert_eq!((whole.total.files, whole.total.dirs), (20_000, 200));
    let mut before_the_end = 0;
    for pace in [Pace::Full, Pace::Background] {
        let tree = Tree::start(dir.path(), pace).expect("walk");
        let (mut last, mut seen) = (0, tree.generation());
        while !tree.ended(Duration::from_micros(200)) {
            let total = tree.progress().total;
            assert!(total.files >= last && total.files <= 20_000, "totals only grow");
            last = total.files;
            let page = tree.page(FolderId::ROOT, Order::Count, 0, 10);
            assert!(page.rows.len() <= 10 && page.of <= 200);
            let moved = tree.moved(seen, Duration::ZERO);
            assert!(moved >= seen && tree.progress().as_of.is_none_or(|_| tree.ended(Duration::ZERO)));
            seen = moved;
            before_the_end += u32::from(page.growing && !page.rows.is_empty());
        }
        assert_eq!(tree.progress().total, whole.total);
        assert!(tree.generation() > 200 && tree.progress().as_of.is_some());
        let end = tree.generation();
        assert_eq!(tree.moved(end, Duration::from_millis(1)), end, "nothing moves after the end");
        assert!(!tree.page(FolderId::ROOT, Order::Count, 0, 1).growing);
    }
    assert!(before_the_end > 0, "pages are there before the end");
    // The best of a few: a busy machine may let a thread wait for longer than that.
    let best = [Pace::Full, Pace::Background, Pace::Full, Pace::Background].map(|pace| {
        let tree = Tree::start(dir.path(), pace).expect("walk");
        tree.ended(Duration::from_millis(2));
        let told = Instant::now();
        tree.stop();
        assert!(tree.ended(Duration::from_secs(5)));
        let took = told.elapsed();
        let progress = tree.progress();
        assert!(progress.total.files < 20_000 && !progress.finished, "it was cut short: {:?}", progress.total);
        assert!(tree.page(FolderId::ROOT, Order::Size, 0, 1).growing, "and does not look whole");
        took
    });
    assert!(best.iter().any(|took| *took < Duration::from_millis(50)), "{best:?}");
}

/// Walks while a folder inside is swapped for a link to another outside: so many swaps, and a walk
/// for every tenth of them.
fn attacked(tries: u64, openat2: bool) {
    let (dir, outside) = (folder(), folder());
    fs::create_dir_all(outside.path().join("in/deeper")).expect("folders");
    for name in ["secret", "in/secret", "in/deeper/secret"] {
        File::create(outside.path().join(name)).and_then(|file| file.set_len(1 << 40)).expect("file");
    }
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("swap/in/deeper")).expect("folders");
    symlink(outside.path(), dir.path().join("link")).expect("link");
    let (swaps, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let (swap, link) = (root.join("swap"), dir.path().join("link"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (exchange, here) = (rustix::fs::RenameFlags::EXCHANGE, rustix::fs::CWD);
            while !done.load(Relaxed) {
                rustix::fs::renameat_with(here, &swap, here, &link, exchange).expect("exchange");
                swaps.fetch_add(1, Relaxed);
            }
        });
        let (mut walks, mut met_link) = (0, 0);
        while walks < tries / 10 || swaps.load(Relaxed) < tries {
            let opened = Root::open(&root).expect("root");
            let opened = if openat2 { opened } else { opened.without_openat2() };
            let tree = Tree::beneath(&opened, Purpose::everything(&root), Pace::Full).expect("walk");
            let ended = tree.ended(Duration::from_mins(1));
            let total = tree.progress().total;
            let found = tree.files(&Matching::default(), Order::Size, 9);
            if !ended || total.apparent >= 1 << 40 || !found.is_empty() {
                done.store(true, Relaxed);
                assert_eq!((ended, found), (true, Vec::new()), "nothing outside is ever met: {total:?}");
                assert!(total.apparent < 1 << 40, "nothing outside is ever counted: {total:?}");
            }
            walks += 1;
            met_link += u64::from(tree.shared.troubles().note().is_some());
        }
        done.store(true, Relaxed);
        let swaps = swaps.load(Relaxed);
        eprintln!("{swaps} swaps, {walks} walks; in {met_link} it was a link by the time it was opened");
    });
}

#[test]
fn a_folder_swapped_for_a_link_thousands_of_times_leads_nowhere_else() {
    attacked(5_000, true);
    attacked(5_000, false);
}

#[test]
#[ignore = "a minute; run by .ci/long"]
fn a_folder_swapped_for_a_link_a_hundred_thousand_times_leads_nowhere_else() {
    attacked(100_000, true);
    attacked(100_000, false);
}
