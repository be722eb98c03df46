//! A tree that is kept up with the disk: what a refresh costs against a whole walk, what strangers'
//! changes cost us, and what we cost whoever writes.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use outlast::port::{Disk as _, FolderId, Follows, Order, Pace, Walk};
use outlast::scan::LocalDisk;

/// Folders that are changed for one refresh.
const CHANGES: usize = 1_000;
/// How long strangers are listened to.
const LISTEN: Duration = Duration::from_secs(20);
/// Strangers' changes in a second.
const STRANGERS: u32 = 300;

/// A refresh against a whole walk, in turns.
pub(crate) fn refresh(tree: &Path, rounds: usize) -> String {
    let walked = walk(tree);
    let folders = folders(walked.as_ref(), CHANGES);
    let (mut nothing, mut some) = (Vec::new(), Vec::new());
    // Marks made while the tree grew are too fresh to count.
    std::thread::sleep(Duration::from_millis(100));
    refreshed(walked.as_ref());
    for round in 0..rounds {
        let begun = Instant::now();
        drop(walk(tree));
        let whole = begun.elapsed().as_secs_f64();
        nothing.push(refreshed(walked.as_ref()) / whole);
        for folder in &folders {
            File::create(tree.join(folder).join("a-change-for-the-bench")).unwrap();
        }
        std::thread::sleep(Duration::from_millis(100));
        some.push(refreshed(walked.as_ref()) / whole);
        assert!(round > 0 || walked.progress().total == walk(tree).progress().total, "it is as if walked anew");
        for folder in &folders {
            fs::remove_file(tree.join(folder).join("a-change-for-the-bench")).unwrap();
        }
        std::thread::sleep(Duration::from_millis(100));
        refreshed(walked.as_ref());
    }
    let many = folders.len();
    format!(
        "a refresh with nothing changed: {:.3} x a whole walk; after {many} changes: {:.3} x",
        super::median(nothing),
        super::median(some)
    )
}

fn walk(tree: &Path) -> Box<dyn Walk> {
    let walk = LocalDisk.walk(tree, Pace::Full).unwrap();
    assert!(walk.ended(Duration::from_mins(10)));
    walk
}

fn refreshed(walk: &dyn Walk) -> f64 {
    let begun = Instant::now();
    walk.refresh();
    assert!(walk.ended(Duration::from_mins(10)));
    begun.elapsed().as_secs_f64()
}

/// So many folders, spread over the tree.
fn folders(walk: &dyn Walk, most: usize) -> Vec<PathBuf> {
    let (mut todo, mut found) = (vec![FolderId::ROOT], Vec::new());
    while let Some(id) = todo.pop() {
        found.push(walk.path(id));
        todo.extend(walk.page(id, Order::Size, 0, usize::MAX).rows.into_iter().filter_map(|row| row.folder));
    }
    let step = (found.len() / most).max(1);
    found.into_iter().step_by(step).take(most).collect()
}

/// What it costs to follow a folder beside which others write.
pub(crate) fn strangers(below: &Path) -> String {
    let ours = below.join("followed");
    let theirs = below.join("strangers");
    for folder in [&ours, &theirs] {
        fs::create_dir_all(folder.join("inner")).unwrap();
    }
    let walk = LocalDisk.walk(&ours, Pace::Background).unwrap();
    walk.follow();
    assert!(walk.ended(Duration::from_mins(1)));
    std::thread::sleep(Duration::from_secs(3));
    let how = walk.progress().follows;
    if how != Follows::Watched {
        return format!("strangers' changes are not heard here: {how:?}");
    }
    // In a process of its own: its own time is not ours.
    let mut stranger = std::process::Command::new(std::env::current_exe().unwrap())
        .arg("--stranger")
        .arg(&theirs)
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let (cpu, wakes) = (cpu(), wakes());
    std::thread::sleep(LISTEN);
    let seconds = LISTEN.as_secs_f64();
    let (cpu, wakes) = ((self::cpu() - cpu) / seconds * 100.0, (self::wakes() - wakes) / seconds);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    format!(
        "{STRANGERS} changes a second by strangers: {cpu:.2} % of a processor, {wakes:.1} wake-ups a second"
    )
}

/// Changes something all the time, so often in a second.
pub(crate) fn stranger(folder: &Path) {
    let begun = Instant::now();
    for number in 0.. {
        let file = folder.join("inner").join((number % 1000).to_string());
        // Two changes: it comes or is written, and is closed; the kernel may tell of both at once.
        fs::write(file, "x").unwrap();
        let due = begun + Duration::from_secs(1) / STRANGERS * number;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

/// Seconds on a processor of all threads.
fn cpu() -> f64 {
    let nanoseconds = |task: PathBuf| -> Option<f64> {
        fs::read_to_string(task.join("schedstat")).ok()?.split(' ').next()?.parse().ok()
    };
    tasks().filter_map(nanoseconds).sum::<f64>() / 1e9
}

/// How often threads went to sleep, this one apart.
fn wakes() -> f64 {
    let own = std::process::id().to_string();
    let switches = |task: PathBuf| -> Option<f64> {
        let status = fs::read_to_string(task.join("status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"))?;
        line.rsplit('\t').next()?.parse().ok()
    };
    tasks().filter(|task| !task.ends_with(&own)).filter_map(switches).sum()
}

fn tasks() -> impl Iterator<Item = PathBuf> {
    fs::read_dir("/proc/self/task").unwrap().flatten().map(|task| task.path())
}

/// What whoever writes pays for being followed.
pub(crate) fn writers(below: &Path, rounds: usize) -> String {
    let folder = below.join("writers");
    fs::create_dir_all(&folder).unwrap();
    let (mut files, mut writes) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let alone = (files_made(&folder), written(&folder));
        let walk = LocalDisk.walk(&folder, Pace::Background).unwrap();
        walk.follow();
        walk.ended(Duration::from_mins(1));
        std::thread::sleep(Duration::from_millis(300));
        files.push(files_made(&folder) / alone.0);
        writes.push(written(&folder) / alone.1);
    }
    format!(
        "whoever writes, followed against not: {:.2} x for a new file, {:.2} x for one more write",
        super::median(files),
        super::median(writes)
    )
}

fn files_made(folder: &Path) -> f64 {
    let begun = Instant::now();
    for number in 0..5_000 {
        File::create(folder.join(number.to_string())).unwrap().write_all(b"x").unwrap();
    }
    let took = begun.elapsed().as_secs_f64();
    for number in 0..5_000 {
        fs::remove_file(folder.join(number.to_string())).unwrap();
    }
    took
}

fn written(folder: &Path) -> f64 {
    let file = File::create(folder.join("one")).unwrap();
    let begun = Instant::now();
    for at in 0..200_000 {
        file.write_all_at(b"x", at % 4096).unwrap();
    }
    begun.elapsed().as_secs_f64()
}
