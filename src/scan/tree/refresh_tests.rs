//! A tree that is read again in part: always what a walk from the beginning would say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::refresh::Refresher;
use super::sweep::sweep;
use super::tests::{du, folder, walked};
use super::{ROOT, Tree};
use crate::port::{EntryKind, FolderId, Follows, Order, Pace, Totals, Walk};

/// Looks at the folders, and reads again what changed.
fn refresh(tree: &Tree) -> bool {
    let root = tree.root.as_ref().expect("a folder");
    let dirty = sweep(&tree.shared, root, None, 2);
    Refresher::new(&tree.shared, root, None).pass(dirty)
}

/// Everything that a person can see of a tree. Which of several names is counted may differ.
fn seen(tree: &Tree) -> (Totals, u64, BTreeMap<PathBuf, (EntryKind, Totals)>) {
    let (mut todo, mut found) = (vec![FolderId::ROOT], BTreeMap::new());
    let mut again = Vec::new();
    while let Some(id) = todo.pop() {
        let page = tree.page(id, Order::Size, 0, usize::MAX);
        assert!(!page.growing, "{}", tree.path(id).display());
        for row in page.rows {
            todo.extend(row.folder);
            let path = tree.path(id).join(&row.name);
            if row.again {
                again.push(path.clone());
            }
            found.insert(path, (row.kind, row.totals));
        }
    }
    let progress = tree.progress();
    // Folders above a name that is counted in one tree and not in the other hold different sums.
    for (_, totals) in found.values_mut() {
        if !again.is_empty() {
            *totals = Totals { dirs: totals.dirs, errors: totals.errors, ..Totals::default() };
        }
    }
    (Totals { changed: 0, ..progress.total }, progress.mounts, found)
}

#[track_caller]
fn as_if_new(tree: &Tree, root: &Path) {
    let new = walked(root);
    let (mut one, mut other) = (seen(tree), seen(&new));
    for seen in [&mut one, &mut other] {
        for (_, totals) in seen.2.values_mut() {
            totals.changed = 0;
        }
    }
    assert_eq!(one.0, other.0, "the totals");
    assert_eq!((one.1, one.2), (other.1, other.2));
    rustix::fs::sync();
    assert_eq!(tree.progress().total.allocated, du(&["-x", "--block-size=1"], root));
    assert_eq!(tree.progress().gaps, new.progress().gaps);
}

#[test]
fn where_nothing_changed_nothing_is_different_and_no_page_is_read_again() {
    let dir = folder();
    for name in ["a/b/c", "d"] {
        fs::create_dir_all(dir.path().join(name)).expect("folders");
        fs::write(dir.path().join(name).join("file"), "x").expect("file");
    }
    let tree = walked(dir.path());
    let before = tree.generation();
    assert!(!refresh(&tree));
    assert_eq!(tree.generation(), before);
    std::thread::sleep(Duration::from_millis(60));
    assert!(!refresh(&tree), "marks are settled now");
    let root = tree.root.as_ref().expect("root");
    assert!(sweep(&tree.shared, root, None, 2).is_empty(), "and nothing need be read any more");
    as_if_new(&tree, dir.path());
}

#[test]
fn entries_that_come_go_and_move_are_followed() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    for name in ["a/b/c/d", "x/y", "empty", "same"] {
        fs::create_dir_all(at(name)).expect("folders");
        fs::write(at(name).join("file"), vec![1; 9_000]).expect("file");
    }
    let tree = walked(dir.path());
    let row = |name: &str| {
        let rows = tree.page(FolderId::ROOT, Order::Size, 0, 99).rows;
        rows.into_iter().find(|row| row.name == *name).and_then(|row| row.folder)
    };
    let (a, x) = (row("a").expect("a"), row("x").expect("x"));
    let steps: [(&str, &dyn Fn()); 9] = [
        ("files come", &|| fs::write(at("a/b/new"), vec![7; 70_000]).expect("file")),
        ("files go", &|| fs::remove_file(at("x/y/file")).expect("removed")),
        ("files are put in the place of others", &|| {
            fs::write(at("x/tmp"), vec![7; 20_000]).expect("file");
            fs::rename(at("x/tmp"), at("a/b/new")).expect("renamed");
        }),
        ("a folder with all beneath moves", &|| fs::rename(at("a/b"), at("x/y/b")).expect("renamed")),
        ("and back under another name", &|| fs::rename(at("x/y/b"), at("a/z")).expect("renamed")),
        ("a folder goes", &|| fs::remove_dir_all(at("x")).expect("removed")),
        ("another comes under its name", &|| {
            fs::create_dir_all(at("x/1/2/3")).expect("folders");
            fs::write(at("x/1/2/3/file"), vec![7; 5_000]).expect("file");
        }),
        ("a file takes the place of a folder", &|| {
            fs::remove_dir_all(at("empty")).expect("removed");
            fs::write(at("empty"), "now a file").expect("file");
        }),
        ("two folders change places", &|| {
            let (exchange, here) = (rustix::fs::RenameFlags::EXCHANGE, rustix::fs::CWD);
            rustix::fs::renameat_with(here, at("same"), here, at("x"), exchange).expect("exchanged");
        }),
    ];
    for (what, step) in steps {
        eprintln!("{what}");
        step();
        let before = tree.generation();
        assert!(refresh(&tree), "{what}");
        assert!(tree.generation() > before);
        as_if_new(&tree, dir.path());
    }
    assert_eq!(tree.path(a), Path::new("a"), "a folder that stays keeps its number");
    assert_eq!(tree.path(x), Path::new(""), "that of one that went is nobody's");
    assert!(tree.page(x, Order::Size, 0, 9).rows.is_empty());
}

#[test]
fn a_folder_that_becomes_a_link_is_a_link_and_is_not_followed() {
    let (dir, outside) = (folder(), folder());
    fs::write(outside.path().join("secret"), vec![1; 1 << 20]).expect("file");
    fs::create_dir_all(dir.path().join("a/swap/in")).expect("folders");
    fs::write(dir.path().join("a/swap/in/file"), "x").expect("file");
    let tree = walked(dir.path());
    fs::remove_dir_all(dir.path().join("a/swap")).expect("removed");
    symlink(outside.path(), dir.path().join("a/swap")).expect("link");
    assert!(refresh(&tree));
    assert!(tree.progress().total.apparent < 1 << 20);
    as_if_new(&tree, dir.path());
}

#[test]
fn a_file_with_several_names_is_counted_once_whichever_name_comes_or_goes() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name);
    for name in ["a", "b", "c"] {
        fs::create_dir(at(name)).expect("folder");
    }
    fs::write(at("a/one"), vec![1; 50_000]).expect("file");
    let tree = walked(dir.path());
    let steps: [(&str, &dyn Fn()); 9] = [
        ("a second name, in a folder that did not change otherwise", &|| {
            fs::hard_link(at("a/one"), at("b/two")).expect("link");
        }),
        ("a third", &|| fs::hard_link(at("b/two"), at("c/three")).expect("link")),
        ("the first one goes", &|| fs::remove_file(at("a/one")).expect("removed")),
        ("the second moves", &|| fs::rename(at("b/two"), at("a/two")).expect("renamed")),
        ("a name beside another", &|| fs::hard_link(at("c/three"), at("c/four")).expect("link")),
        ("the folder of two names moves", &|| fs::rename(at("c"), at("a/c")).expect("renamed")),
        ("one name is left", &|| {
            fs::remove_file(at("a/two")).expect("removed");
            fs::remove_file(at("a/c/four")).expect("removed");
        }),
        ("it has a second name again", &|| fs::hard_link(at("a/c/three"), at("b/x")).expect("link")),
        ("it is gone", &|| {
            fs::remove_dir_all(at("a")).expect("removed");
            fs::remove_file(at("b/x")).expect("removed");
        }),
    ];
    for (what, step) in steps {
        eprintln!("{what}");
        step();
        refresh(&tree);
        as_if_new(&tree, dir.path());
    }
    assert_eq!(tree.progress().total.files, 0);
}

#[test]
fn whatever_is_done_at_random_the_tree_is_as_if_new() {
    let dir = folder();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |most: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % most as u64).expect("small")
    };
    let names = ["a", "b", "c", "d"];
    let path = |below: &mut dyn FnMut(usize) -> usize| {
        let mut path = dir.path().to_path_buf();
        for _ in 0..=below(4) {
            path.push(names[below(names.len())]);
        }
        path
    };
    let tree = walked(dir.path());
    for round in 0..60 {
        for _ in 0..12 {
            let (one, other) = (path(&mut below), path(&mut below));
            // Most fail, and that is all right.
            let _ = match below(9) {
                0..3 => fs::create_dir_all(&one),
                3..5 => {
                    let _ = fs::remove_file(&one);
                    fs::write(&one, vec![1; below(30_000)])
                }
                5 => fs::hard_link(&one, &other),
                6 => fs::rename(&one, &other),
                7 => fs::remove_file(&one),
                _ if below(3) == 0 => fs::remove_dir_all(&one),
                _ => symlink("a", &one),
            };
        }
        refresh(&tree);
        let (new, now) = (walked(dir.path()), tree.progress().total);
        let total = new.progress().total;
        assert_eq!((now.allocated, now.files, now.dirs), (total.allocated, total.files, total.dirs), "{round}");
    }
    as_if_new(&tree, dir.path());
    let shared = &tree.shared;
    assert_eq!(u64::from(shared.folders.living()), tree.progress().total.dirs + 1, "no folder is lost");
}

#[test]
fn a_file_that_grew_in_place_is_found_by_a_look_at_itself() {
    let dir = folder();
    fs::create_dir(dir.path().join("a")).expect("folder");
    fs::write(dir.path().join("a/log"), "x").expect("file");
    fs::write(dir.path().join("a/other"), "x").expect("file");
    let tree = walked(dir.path());
    std::thread::sleep(Duration::from_millis(60));
    refresh(&tree);
    fs::write(dir.path().join("a/log"), vec![1; 80_000]).expect("file");
    assert!(!refresh(&tree), "no folder shows it");
    let root = tree.root.as_ref().expect("root");
    let mut refresher = Refresher::new(&tree.shared, root, None);
    let likely = refresher.likely(1, &BTreeSet::new());
    assert!(likely.iter().any(|(_, name)| name == b"log" || name == b"other"), "{likely:?}");
    let folder =
        tree.shared.folders.inside(tree.page(FolderId::ROOT, Order::Size, 0, 1).rows[0].folder.unwrap());
    let folder = folder.expect("a folder");
    assert_eq!(refresher.look_at(folder, b"log"), Some(false));
    assert_eq!(refresher.look_at(folder, b"log"), Some(true));
    assert_eq!(refresher.look_at(folder, b"other"), Some(true));
    assert_eq!(refresher.look_at(folder, b"none"), None);
    assert_eq!(refresher.look_at(ROOT, b"a"), None);
    as_if_new(&tree, dir.path());
}

#[test]
fn what_is_mounted_on_a_folder_takes_it_out_and_gives_it_back() {
    let dir = folder();
    fs::create_dir_all(dir.path().join("a/inner")).expect("folders");
    fs::write(dir.path().join("a/inner/file"), vec![1; 9_000]).expect("file");
    let tree = walked(dir.path());
    let mount = Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(dir.path().join("a/inner")).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no right to mount");
        return;
    }
    refresh(&tree);
    let with = (tree.progress().mounts, tree.progress().total.files);
    let _ = Command::new("umount").arg(dir.path().join("a/inner")).status();
    assert_eq!(with, (1, 0));
    refresh(&tree);
    assert_eq!(tree.progress().mounts, 0);
    as_if_new(&tree, dir.path());
}

/// Waits until a tree that is followed is what `du` says.
#[track_caller]
fn settles(tree: &Tree, root: &Path, what: &str) {
    let end = Instant::now() + Duration::from_secs(40);
    loop {
        rustix::fs::sync();
        let (now, du) = (tree.progress().total.allocated, du(&["-x", "--block-size=1"], root));
        if now == du {
            return;
        }
        assert!(Instant::now() < end, "{what}: {now} and not {du} ({:?})", tree.progress().follows);
        tree.moved(tree.generation(), Duration::from_millis(200));
    }
}

/// Follows a folder through changes of all kinds.
fn followed(root: &Path, expected: Follows) {
    let at = |name: &str| root.join(name);
    fs::create_dir_all(at("a/b/c")).expect("folders");
    fs::write(at("a/b/c/file"), vec![1; 30_000]).expect("file");
    let tree = Tree::start(root, Pace::Background).expect("walk");
    tree.follow();
    tree.follow();
    let end = Instant::now() + Duration::from_secs(20);
    while tree.progress().follows == Follows::Not && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    if expected == Follows::Watched && tree.progress().follows == Follows::Swept {
        eprintln!("skipped: the kernel tells nothing here");
        return;
    }
    assert_eq!(tree.progress().follows, expected);
    assert!(tree.ended(Duration::from_secs(20)));
    settles(&tree, root, "at first");
    fs::create_dir_all(at("x/y/z")).expect("folders");
    fs::write(at("x/y/z/file"), vec![1; 50_000]).expect("file");
    settles(&tree, root, "new folders with a file");
    fs::rename(at("x/y"), at("a/b/moved")).expect("renamed");
    fs::write(at("a/b/moved/z/second"), vec![1; 20_000]).expect("file");
    settles(&tree, root, "a folder that moved, and a file in it");
    fs::hard_link(at("a/b/c/file"), at("x/link")).expect("link");
    settles(&tree, root, "a second name");
    fs::remove_file(at("a/b/c/file")).expect("removed");
    settles(&tree, root, "the first name went");
    if expected == Follows::Watched {
        fs::write(at("x/link"), vec![1; 90_000]).expect("file");
        settles(&tree, root, "a file that was written in place");
        let mut open = File::options().append(true).open(at("x/link")).expect("file");
        std::io::Write::write_all(&mut open, &vec![1; 40_000]).expect("written");
        settles(&tree, root, "a file that is still open");
    }
    fs::remove_dir_all(at("a")).expect("removed");
    settles(&tree, root, "a folder that went with all beneath");
    let at_rest = tree.generation();
    assert_eq!(tree.moved(at_rest, Duration::from_secs(3)), at_rest, "nothing changes, nothing is said");
    drop(tree);
}

#[test]
fn a_tree_that_the_kernel_tells_about_keeps_up_with_the_disk() {
    let Ok(dir) = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")) else {
        eprintln!("skipped: nothing can be made beside the sources");
        return;
    };
    followed(dir.path(), Follows::Watched);
}

#[test]
fn a_tree_of_an_overlay_keeps_up_by_looking() {
    let dir = folder();
    let at = |name: &str| dir.path().join(name).display().to_string();
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir(at(name)).expect("folder");
    }
    let options = format!("lowerdir={},upperdir={},workdir={}", at("lower"), at("upper"), at("work"));
    let mounted =
        Command::new("mount").args(["-t", "overlay", "overlay", "-o", &options, &at("merged")]).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no right to mount an overlay");
        return;
    }
    let followed = std::panic::catch_unwind(|| followed(Path::new(&at("merged")), Follows::Swept));
    // Whoever follows may be looking at it.
    let _ = Command::new("umount").args(["-l", &at("merged")]).status();
    assert!(followed.is_ok());
}

#[test]
fn on_btrfs_and_in_memory_a_tree_keeps_up_too() {
    let dir = folder();
    let image = dir.path().join("image");
    File::create(&image).and_then(|file| file.set_len(200 << 20)).expect("image");
    let made = Command::new("mkfs.btrfs").arg("-q").arg(&image).output();
    for (kind, source) in [("tmpfs", Path::new("tmpfs")), ("btrfs", image.as_path())] {
        if kind == "btrfs" && !made.as_ref().is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: no mkfs.btrfs");
            continue;
        }
        let target = dir.path().join(kind);
        fs::create_dir(&target).expect("folder");
        let options: &[&str] = if kind == "btrfs" { &["-o", "loop"] } else { &[] };
        let mounted = Command::new("mount").args(["-t", kind]).args(options).arg(source).arg(&target).output();
        if !mounted.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: no right to mount {kind}");
            continue;
        }
        let inner = target.join("inner");
        fs::create_dir(&inner).expect("folder");
        let watched = std::panic::catch_unwind(|| followed(&inner, Follows::Watched));
        let _ = Command::new("umount").arg("-l").arg(&target).status();
        assert!(watched.is_ok(), "{kind}");
    }
}

/// How many events the kernel keeps for whoever begins to listen.
const QUEUE: &str = "/proc/sys/fs/fanotify/max_queued_events";

#[test]
fn a_flood_of_which_the_kernel_loses_a_part_is_made_up_for_by_looking() {
    let Ok(dir) = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")) else {
        eprintln!("skipped: nothing can be made beside the sources");
        return;
    };
    for folder in 0..40 {
        fs::create_dir(dir.path().join(folder.to_string())).expect("folder");
    }
    let usual = fs::read_to_string(QUEUE).unwrap_or_default();
    if fs::write(QUEUE, "8").is_err() {
        eprintln!("skipped: no right to make the queue small");
        return;
    }
    // Only whoever begins to listen in this very moment has the small queue.
    let tree = Tree::start(dir.path(), Pace::Background).expect("walk");
    tree.follow();
    let end = Instant::now() + Duration::from_secs(20);
    while tree.progress().follows == Follows::Not && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
    fs::write(QUEUE, usual.trim()).expect("restored");
    assert_eq!(fs::read_to_string(QUEUE).expect("queue"), usual);
    if tree.progress().follows == Follows::Swept {
        eprintln!("skipped: the kernel tells nothing here");
        return;
    }
    settles(&tree, dir.path(), "at first");
    for file in 0..2_000 {
        fs::write(dir.path().join((file % 40).to_string()).join(file.to_string()), "x").expect("file");
    }
    settles(&tree, dir.path(), "after a flood");
    assert_eq!(tree.progress().total.files, 2_000);
}
