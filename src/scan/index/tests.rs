//! What is remembered of a folder: right after a refresh, and thrown away when in doubt.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;

use super::IndexedDisk;
use crate::port::{Disk, FolderId, Order, Pace, Walk};
use crate::scan::open::Root;
use crate::scan::tree::{Tree, When};

const WHEN: When = When { as_of: Timestamp::UNIX_EPOCH, read: Timestamp::UNIX_EPOCH };

/// A folder with so many files in folders of a hundred, some of them with two names.
fn grown(files: usize) -> TempDir {
    let dir = tempfile::tempdir().expect("temporary directory");
    for at in 0..files {
        let folder = dir.path().join(format!("{}/{}", at / 1000, at / 100 % 10));
        if at % 100 == 0 {
            fs::create_dir_all(&folder).expect("folder");
        }
        fs::write(folder.join(at.to_string()), vec![1; at % 9_000]).expect("file");
    }
    fs::hard_link(dir.path().join("0/0/8"), dir.path().join("0/2/again")).expect("link");
    dir
}

fn disk(cache: &Path) -> IndexedDisk {
    IndexedDisk::new(cache.join("index"), "machine".into())
}

fn ended(walk: &dyn Walk) {
    assert!(walk.ended(Duration::from_mins(1)));
    assert!(walk.progress().finished);
}

#[test]
fn the_next_walk_has_an_answer_at_once_and_is_soon_right() {
    let (dir, cache) = (grown(6_000), tempfile::tempdir().expect("temporary directory"));
    let disk = disk(cache.path());
    let first = disk.recall(dir.path(), Pace::Full).expect("walk");
    ended(first.as_ref());
    let total = first.progress().total;
    drop(first);
    assert_eq!(fs::read_dir(cache.path().join("index")).expect("cache").count(), 1);
    fs::write(dir.path().join("0/3/new"), vec![1; 123_456]).expect("file");
    fs::remove_dir_all(dir.path().join("2")).expect("removed");
    let second = disk.recall(dir.path(), Pace::Full).expect("walk");
    let progress = second.progress();
    assert!(progress.as_of.is_some(), "it has an answer, and says how old it is");
    if !second.ended(Duration::ZERO) {
        assert!(!progress.finished);
    }
    ended(second.as_ref());
    let now = second.progress().total;
    assert_ne!(now.files, total.files);
    let fresh = disk.walk(dir.path(), Pace::Full).expect("walk");
    ended(fresh.as_ref());
    assert_eq!(now, fresh.progress().total);
    let names = |walk: &dyn Walk| {
        let rows = walk.page(FolderId::ROOT, Order::Size, 0, 99).rows;
        rows.into_iter().map(|row| (row.name, row.totals)).collect::<Vec<_>>()
    };
    assert_eq!(names(second.as_ref()), names(fresh.as_ref()));
}

#[test]
fn a_small_folder_is_not_worth_keeping_and_a_walk_that_was_stopped_is_not_kept() {
    let (dir, cache) = (grown(300), tempfile::tempdir().expect("temporary directory"));
    let walk = disk(cache.path()).recall(dir.path(), Pace::Full).expect("walk");
    ended(walk.as_ref());
    drop(walk);
    let large = grown(6_000);
    let walk = disk(cache.path()).recall(large.path(), Pace::Full).expect("walk");
    walk.stop();
    walk.ended(Duration::from_secs(10));
    let stopped = !walk.progress().finished;
    drop(walk);
    assert_eq!(cache.path().join("index").exists(), !stopped);
}

#[test]
fn an_index_of_another_folder_or_a_damaged_one_is_not_believed() {
    let (dir, cache) = (grown(6_000), tempfile::tempdir().expect("temporary directory"));
    let root = dir.path().join("root");
    fs::rename(dir.path().join("0"), &root).expect("renamed");
    let disk = disk(cache.path());
    let kept = |disk: &IndexedDisk, path: &Path| {
        let opened = Root::open(path).expect("root");
        disk.remembered(path, &opened).is_some()
    };
    let tree = Tree::start(dir.path(), Pace::Full).expect("walk");
    ended(&tree);
    assert!(disk.keep(dir.path(), &tree.found()).is_some());
    assert!(kept(&disk, dir.path()));
    assert!(!kept(&IndexedDisk::new(cache.path().join("index"), "other".into()), dir.path()));
    assert!(!kept(&disk, &root), "nobody kept this one");
    // Another folder in its place.
    let elsewhere = cache.path().join("elsewhere");
    fs::rename(dir.path(), &elsewhere).expect("renamed");
    fs::create_dir(dir.path()).expect("folder");
    assert!(!kept(&disk, dir.path()));
    fs::remove_dir(dir.path()).expect("removed");
    fs::rename(&elsewhere, dir.path()).expect("renamed");
    assert!(kept(&disk, dir.path()));
    let file = fs::read_dir(cache.path().join("index")).expect("cache").flatten().next().expect("index").path();
    let content = fs::read(&file).expect("index");
    fs::write(&file, &content[..content.len() / 2]).expect("cut");
    assert!(!kept(&disk, dir.path()));
    fs::write(&file, &content).expect("whole again");
    assert!(kept(&disk, dir.path()));
    let link = cache.path().join("target");
    fs::rename(&file, &link).expect("renamed");
    std::os::unix::fs::symlink(&link, &file).expect("link");
    assert!(!kept(&disk, dir.path()), "a link is none of ours");
}

#[test]
fn a_record_made_up_by_somebody_is_refused_or_harmless() {
    let dir = grown(300);
    let tree = Tree::start(dir.path(), Pace::Full).expect("walk");
    ended(&tree);
    let record = tree.found().record().expect("a record");
    let root = Root::open(dir.path()).expect("root");
    let read = |record: &[u8]| Tree::recorded(dir.path(), &root, record, WHEN);
    let again = read(&record).expect("a tree");
    assert_eq!(again.progress().total, tree.progress().total);
    for length in (0..record.len()).step_by(7) {
        assert!(read(&record[..length]).is_none(), "{length} bytes");
    }
    let mut seed = 1_u64;
    for _ in 0..3_000 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut record = record.clone();
        let at = usize::try_from(seed >> 33).expect("small") % record.len();
        record[at] = u8::try_from(seed >> 20 & 0xff).expect("byte");
        if let Some(tree) = read(&record) {
            let _ = (tree.page(FolderId::ROOT, Order::Size, 0, 9), tree.progress());
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    #[test]
    fn any_record_is_read_without_a_panic(record: Vec<u8>) {
        let dir = tempfile::tempdir().expect("temporary directory");
        let root = Root::open(dir.path()).expect("root");
        if let Some(tree) = Tree::recorded(dir.path(), &root, &record, WHEN) {
            tree.compare(Pace::Full).expect("a thread");
            proptest::prop_assert!(tree.ended(Duration::from_secs(20)));
            proptest::prop_assert_eq!(tree.progress().total.files, 0);
        }
    }
}
