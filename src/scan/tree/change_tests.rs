//! The walk of trees that change while they are read, and of folders that several threads read.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Met, Tree};
use crate::core::storage::StorageKind;
use crate::port::{FolderId, Order, Pace, Row, Walk as _};
use crate::scan::{Below, Job, Rule};

fn walked(root: &Path) -> Tree {
    let tree = Tree::start(root, Pace::Full).expect("walk");
    assert!(tree.ended(Duration::from_mins(1)), "the walk ends");
    tree
}

/// Every row of a tree by its path.
fn rows(tree: &Tree) -> BTreeMap<String, Vec<Row>> {
    let (mut todo, mut found) = (vec![FolderId::ROOT], BTreeMap::new());
    while let Some(id) = todo.pop() {
        for row in tree.page(id, Order::Size, 0, usize::MAX).rows {
            let path = tree.path(id).join(&row.name).display().to_string();
            todo.extend(row.folder);
            found.entry(path).or_insert_with(Vec::new).push(row);
        }
    }
    found
}

/// Bytes that a file has before it grows.
const BEFORE: u64 = 10;

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn what_existed_throughout_is_counted_once_with_a_size_it_had(
        folders in 1..12usize, files in 1..300usize, growing in 1..4usize,
    ) {
        let dir = tempfile::tempdir().expect("folder");
        let at = |folder: usize| dir.path().join(format!("folder-{folder}"));
        for folder in 0..folders {
            fs::create_dir(at(folder)).expect("folder");
            for file in 0..files {
                File::create(at(folder).join(format!("still-{file}")))
                    .and_then(|made| made.set_len(file as u64 * 100)).expect("file");
            }
            for file in 0..growing {
                fs::write(at(folder).join(format!("grows-{file}")), vec![1; usize::try_from(BEFORE).expect("few")]).expect("file");
            }
        }
        // Nothing that stays may look changed only because it was made a moment ago.
        thread::sleep(Duration::from_millis(20));
        let (done, written) = (AtomicBool::new(false), AtomicU64::new(BEFORE));
        let until_done = |work: &dyn Fn(usize)| {
            let mut turn = 0;
            while !done.load(Relaxed) {
                work(turn);
                turn += 1;
            }
        };
        let mut changed = 0;
        thread::scope(|scope| {
            scope.spawn(|| until_done(&|turn| {
                let path = at(turn % folders).join(format!("comes-{}", turn % 50));
                let _ = fs::write(&path, "x");
                let _ = fs::remove_file(at((turn + 1) % folders).join(format!("comes-{}", (turn + 25) % 50)));
            }));
            scope.spawn(|| until_done(&|turn| {
                let path = at(turn % folders).join("comes-and-goes");
                let _ = fs::create_dir_all(path.join("deeper"));
                let _ = fs::write(path.join("deeper/x"), "x");
                let _ = fs::remove_dir_all(path);
            }));
            scope.spawn(|| until_done(&|turn| {
                let (here, there) = (at(turn % folders).join("moves"), at((turn + 1) % folders).join("moves"));
                let _ = fs::write(&here, "x");
                let _ = fs::rename(here, there);
            }));
            scope.spawn(|| until_done(&|_| {
                written.fetch_add(1, Relaxed);
                for folder in 0..folders {
                    for file in 0..growing {
                        let path = at(folder).join(format!("grows-{file}"));
                        OpenOptions::new().append(true).open(path)
                            .and_then(|mut file| file.write_all(b"x")).expect("grown");
                    }
                }
            }));
            // A panic here must not leave the others running.
            let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                for _ in 0..8 {
                    let least = written.load(Relaxed) - 1;
                    let tree = walked(dir.path());
                    let most = written.load(Relaxed);
                    changed += tree.progress().total.changed;
                    let rows = rows(&tree);
                    let once = |path: String| match rows.get(&path).map(Vec::as_slice) {
                        Some([row]) => row,
                        other => panic!("{path} {} times", other.map_or(0, <[Row]>::len)),
                    };
                    for folder in 0..folders {
                        for file in 0..files {
                            let row = once(format!("folder-{folder}/still-{file}"));
                            assert_eq!((row.totals.apparent, row.changed), (file as u64 * 100, false));
                        }
                        for file in 0..growing {
                            let size = once(format!("folder-{folder}/grows-{file}")).totals.apparent;
                            assert!((least..=most).contains(&size), "{least} <= {size} <= {most}");
                        }
                    }
                    let counted: u64 = rows.values().flatten().filter(|row| row.folder.is_none()).count() as u64;
                    assert_eq!(tree.progress().total.files, counted, "what is counted is what is shown");
                }
            }));
            done.store(true, Relaxed);
            checked.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        });
        prop_assert!(changed > 0, "something was seen to change");
    }
}

#[test]
fn what_changed_while_it_was_read_is_marked_and_only_that() {
    let dir = tempfile::tempdir().expect("folder");
    for folder in 0..50 {
        fs::create_dir(dir.path().join(folder.to_string())).expect("folder");
        for file in 0..20 {
            File::create(dir.path().join(format!("{folder}/{file}"))).expect("file");
        }
    }
    thread::sleep(Duration::from_millis(20));
    assert_eq!(walked(dir.path()).progress().total.changed, 0);
    let done = AtomicBool::new(false);
    let marked = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                for folder in 0..50 {
                    fs::write(dir.path().join(format!("{folder}/7")), "x").expect("written");
                }
            }
        });
        let end = Instant::now() + Duration::from_secs(20);
        let marked = std::iter::repeat_with(|| walked(dir.path()))
            .take_while(|_| Instant::now() < end)
            .find(|tree| tree.progress().total.changed > 0);
        done.store(true, Relaxed);
        marked.expect("a walk during which a file was written")
    });
    let all = rows(&marked);
    let files: Vec<_> = all.iter().filter(|(_, rows)| rows[0].folder.is_none() && rows[0].changed).collect();
    assert!(!files.is_empty() && files.iter().all(|(path, _)| path.ends_with("/7")), "{files:?}");
    assert!(all.values().flatten().any(|row| row.folder.is_some() && row.changed), "and the folder above it");
    thread::sleep(Duration::from_millis(20));
    assert_eq!(walked(dir.path()).progress().total.changed, 0, "nothing is written any more");
}

/// One folder with so many files.
fn flat(files: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("folder");
    fs::create_dir(dir.path().join("flat")).expect("folder");
    for file in 0..files {
        File::create(dir.path().join(format!("flat/a-name-of-some-length-{file:08}"))).expect("file");
    }
    dir
}

#[test]
fn one_large_folder_is_read_by_several_threads_and_nothing_is_lost() {
    let dir = flat(30_000);
    let tree = walked(dir.path());
    assert_eq!(tree.progress().total.files, 30_000);
    let page = tree.page(FolderId::ROOT, Order::Size, 0, 1);
    let flat = tree.page(page.rows[0].folder.expect("a folder"), Order::Size, 0, usize::MAX);
    let names: HashSet<_> = flat.rows.iter().map(|row| &row.name).collect();
    assert_eq!((names.len(), flat.of, flat.growing), (30_000, 30_000, false));

    let threads = Arc::new(Mutex::new(HashSet::new()));
    let told = Arc::clone(&threads);
    let tell = Box::new(move |met: Met| {
        if met.files.len() > 100 {
            told.lock().expect("threads").insert(thread::current().id());
        }
        ControlFlow::Continue(())
    });
    let job = Job {
        root: dir.path().into(),
        shown_at: "/".into(),
        storage: StorageKind::WritableLayer,
        rule: Rule::Everything,
        skip: Vec::new(),
        below: Below::default(),
    };
    let tree = Tree::of(&job, Pace::Full, Some(tell)).expect("walk");
    assert!(tree.ended(Duration::from_mins(1)));
    let threads = threads.lock().expect("threads").len();
    assert!(threads > 1, "{threads} threads");
}

#[test]
fn a_large_folder_is_left_at_once_too() {
    let dir = flat(30_000);
    let best = (0..5).map(|_| {
        let tree = Tree::start(dir.path(), Pace::Full).expect("walk");
        tree.ended(Duration::from_millis(3));
        let told = Instant::now();
        tree.stop();
        assert!(tree.ended(Duration::from_secs(5)));
        told.elapsed()
    });
    assert!(best.min().is_some_and(|took| took < Duration::from_millis(50)));
}
