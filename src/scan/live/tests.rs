//! Places that change: told in time, and only when something changed.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::time::timeout;

use super::follow;
use super::hub::Watch;
use crate::core::storage::StorageKind;
use crate::scan::{Below, Job, Rule};

/// On the disk that the sources are on: the one for temporary files may be memory.
fn folder() -> Option<TempDir> {
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR"));
    dir.inspect_err(|error| eprintln!("skipped: nothing can be made beside the sources: {error}")).ok()
}

fn job(root: &Path) -> Job {
    Job {
        root: root.into(),
        shown_at: "/".into(),
        storage: StorageKind::WritableLayer,
        rule: Rule::Everything,
        skip: Vec::new(),
        below: Below::default(),
    }
}

/// Whether the kernel tells about a folder here; says why where it does not.
fn is_told(folder: &Path) -> bool {
    let opened = File::open(folder).expect("folder");
    let told = Watch::new(Box::new(|| {})).and_then(|watch| {
        use std::os::fd::AsFd as _;
        watch.listen(opened.as_fd())
    });
    told.inspect_err(|error| eprintln!("skipped: the kernel tells nothing here: {error}")).is_ok()
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("runtime");
    runtime.block_on(test);
    runtime.shutdown_background();
}

/// Whether something is said within so many seconds.
async fn said(stirs: &mut BoxStream<'static, ()>, seconds: u64) -> bool {
    timeout(Duration::from_secs(seconds), stirs.next()).await.is_ok_and(|said| said.is_some())
}

/// Hears until nothing more is said.
async fn quiet(stirs: &mut BoxStream<'static, ()>) {
    while said(stirs, 1).await {}
}

/// Whether nothing is said of what is done. What the whole machine does may be more than the kernel's queue
/// holds, and then everybody looks anew: that is no answer.
async fn stays_quiet(stirs: &mut BoxStream<'static, ()>, what: impl Fn()) -> bool {
    for _ in 0..3 {
        what();
        if !said(stirs, 2).await {
            return true;
        }
        quiet(stirs).await;
    }
    false
}

#[test]
fn what_changes_in_a_place_is_told_and_what_happens_beside_it_is_not() {
    let Some(dir) = folder() else { return };
    if !is_told(dir.path()) {
        return;
    }
    let (inside, beside) = (dir.path().join("inside"), dir.path().join("beside"));
    fs::create_dir_all(inside.join("a/b")).expect("folders");
    fs::create_dir_all(&beside).expect("folder");
    run(async {
        let mut stirs = follow(vec![job(&inside)], Timestamp::now() + Duration::from_mins(1));
        assert!(stays_quiet(&mut stirs, || {}).await, "nothing has happened");
        let stranger = || fs::write(beside.join("file"), "x").expect("file");
        assert!(stays_quiet(&mut stirs, stranger).await, "it concerns nobody");
        fs::write(inside.join("a/b/file"), "x").expect("file");
        assert!(said(&mut stirs, 10).await);
        quiet(&mut stirs).await;
        fs::create_dir(inside.join("a/new")).expect("folder");
        assert!(said(&mut stirs, 10).await);
        quiet(&mut stirs).await;
        fs::write(inside.join("a/new/file"), "x").expect("file");
        assert!(said(&mut stirs, 10).await, "in a folder that is new itself");
        quiet(&mut stirs).await;
        fs::rename(inside.join("a"), beside.join("a")).expect("renamed");
        assert!(said(&mut stirs, 10).await, "it was moved away");
        quiet(&mut stirs).await;
        fs::rename(beside.join("a"), inside.join("z")).expect("renamed");
        assert!(said(&mut stirs, 10).await, "it was moved back");
        quiet(&mut stirs).await;
        fs::remove_file(inside.join("z/b/file")).expect("removed");
        assert!(said(&mut stirs, 10).await, "in a folder that was moved");
    });
}

#[test]
fn a_file_that_grows_while_it_is_open_is_told() {
    let Some(dir) = folder() else { return };
    if !is_told(dir.path()) {
        return;
    }
    run(async {
        let mut stirs = follow(vec![job(dir.path())], Timestamp::now() + Duration::from_mins(1));
        assert!(!said(&mut stirs, 1).await);
        let mut file = File::create(dir.path().join("log")).expect("file");
        assert!(said(&mut stirs, 10).await, "it came");
        quiet(&mut stirs).await;
        for _ in 0..2 {
            file.write_all(&vec![7; 20_000]).expect("written");
            assert!(said(&mut stirs, 10).await, "it grew and was not closed");
        }
        drop(file);
        assert!(said(&mut stirs, 10).await, "it was closed");
    });
}

#[test]
fn what_changed_before_anybody_listened_is_told_at_once() {
    let Some(dir) = folder() else { return };
    run(async {
        let before = Timestamp::now() - Duration::from_secs(5);
        let mut stirs = follow(vec![job(dir.path())], before);
        assert!(said(&mut stirs, 10).await, "the folder is newer than that");
        let mut none = follow(vec![job(&dir.path().join("none"))], before);
        assert!(timeout(Duration::from_secs(10), none.next()).await.is_ok_and(|end| end.is_none()));
    });
}

#[test]
fn a_place_that_the_kernel_does_not_tell_about_is_looked_at_now_and_then() {
    // An overlay's folders have no handles, unless it is told to give some.
    let Some(dir) = folder() else { return };
    let at = |name: &str| dir.path().join(name).display().to_string();
    for name in ["lower", "upper", "work", "merged"] {
        fs::create_dir(at(name)).expect("folder");
    }
    let options = format!("lowerdir={},upperdir={},workdir={}", at("lower"), at("upper"), at("work"));
    let merged = dir.path().join("merged");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "overlay", "overlay", "-o", &options])
        .arg(&merged)
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no right to mount an overlay");
        return;
    }
    fs::write(merged.join("file"), "x").expect("file");
    run(async {
        let mut stirs = follow(vec![job(&merged)], Timestamp::now() + Duration::from_mins(1));
        assert!(!said(&mut stirs, 1).await);
        fs::write(merged.join("file"), vec![1; 100_000]).expect("file");
        assert!(said(&mut stirs, 30).await, "its size is another one, and its folder's times are not");
    });
    let _ = std::process::Command::new("umount").arg(&merged).status();
}
