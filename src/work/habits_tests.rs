//! Ticks rest on facts: a real repository, a real folder, and what a look found.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use super::*;
use crate::core::finding::{FileAtRisk, Method, Tally};
use crate::core::habits::Tick;
use crate::core::mount::{Backing, Source};
use crate::core::storage::StorageKind;
use crate::core::value::Value;
use crate::work::fake::{self, Fake};

fn git(folder: &Path, arguments: &[&str]) {
    let done = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"])
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .output()
        .unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn host() -> Arc<Host> {
    Arc::new(Host {
        uid: fs::metadata("/proc/self").unwrap().uid(),
        project: Some(|folder, now| crate::scan::project(folder, now, crate::scan::Budget::default())),
        disk: Some(|_| Some((10, 100))),
        ..Host::default()
    })
}

/// A workspace whose `/workspace` is this folder.
fn whose(folder: &Path) -> Whose {
    let mut detail = fake::detail(RunState::Running);
    detail.mounts.retain(|mount| mount.target != Path::new("/workspace"));
    let backing = Backing::HostDir { path: folder.into(), source: Source::Present };
    detail.mounts.push(Mount::new("/workspace".into(), String::new(), backing, Some("ext4".into())));
    Whose {
        workspace: fake::workspace("p"),
        grounds: Some(fake::grounds(detail)),
        risk: None,
        roots: vec![folder.parent().unwrap().into()],
    }
}

fn risk(files: u64, at: Timestamp) -> Risk {
    let lot = StorageKind::WritableLayer.into();
    let file = FileAtRisk {
        path: "/tmp/model.pt".into(),
        bytes: Some(10),
        storage: StorageKind::WritableLayer,
        rule: None,
        value: Value::of(Path::new("/tmp/model.pt")),
        modified: Some(at),
        changed: false,
        files: 1,
        again: None,
    };
    Risk {
        method: Method::Upper,
        caches: Vec::new(),
        tallies: vec![(lot, Tally { files, bytes: files * 10 }), (StorageKind::Tmpfs.into(), Tally::default())],
        layer: None,
        findings: (0..files).map(|_| file.clone()).collect(),
        gaps: Vec::new(),
        notes: Vec::new(),
        as_of: at,
    }
}

fn look_at(engine: &dyn Engine, whose: &Whose, now: Timestamp) -> [Habit; 11] {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(look(engine, &host(), whose, now))
}

fn tick(habits: &[Habit], id: &str) -> (Tick, String) {
    let habit = habits.iter().find(|habit| habit.id == id).unwrap_or_else(|| panic!("no habit {id}"));
    (habit.tick, habit.evidence.clone())
}

#[test]
fn pushing_to_another_repository_ticks_the_habit_of_pushing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("p");
    fs::create_dir(&folder).unwrap();
    let now = Timestamp::now();
    let pushed = || tick(&look_at(&Fake::default(), &whose(&folder), now), "git-push");
    assert_eq!(pushed().1, "the folder is not a git repository");
    git(&folder, &["init", "-q"]);
    fs::write(folder.join("train.py"), "print()").unwrap();
    git(&folder, &["add", "train.py"]);
    git(&folder, &["commit", "-qm", "one"]);
    let bare = dir.path().join("far.git");
    git(dir.path(), &["init", "-q", "--bare", &bare.display().to_string()]);
    git(&folder, &["remote", "add", "origin", &bare.display().to_string()]);
    assert_eq!(pushed().0, Tick::No, "{}", pushed().1);
    git(&folder, &["push", "-q", "-u", "origin", "HEAD"]);
    assert_eq!(pushed().0, Tick::Yes, "{}", pushed().1);
}

#[test]
fn the_folder_on_the_host_is_looked_at_and_called_by_its_name_inside() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("p");
    for name in ["data", "src"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    let habits = look_at(&Fake::default(), &whose(&folder), Timestamp::now());
    assert_eq!(tick(&habits, "organise"), (Tick::Yes, "it has data and src".into()));
    assert_eq!(tick(&habits, "room-left").0, Tick::Yes);
    assert_eq!(habits[0].title, "Save everything to /workspace");
}

#[test]
fn what_nobody_looked_at_is_never_ticked_and_says_why() {
    let now = Timestamp::now();
    let mut nowhere = whose(Path::new("/nowhere/p"));
    for habits in [
        look_at(&Fake::default(), &nowhere, now),
        look_at(&crate::engine::demo::Demo::empty(Arc::new(now)), &nowhere, now),
    ] {
        for id in ["save-in-folder", "git-push", "organise", "checkpoints", "tracking", "nowhere-else"] {
            let (tick, evidence) = tick(&habits, id);
            assert_eq!(tick, Tick::NotKnown, "{id}");
            assert!(!evidence.is_empty(), "{id}");
        }
    }
    nowhere.grounds = None;
    let habits = look_at(&Fake::default(), &nowhere, now);
    assert_eq!(tick(&habits, "room-left").0, Tick::NotKnown);
}

#[test]
fn files_at_risk_and_when_they_were_written_decide_two_habits() {
    let now = Timestamp::now();
    let dir = tempfile::tempdir().unwrap();
    let mut whose = whose(dir.path());
    let of = |whose: &Whose| {
        let habits = look_at(&Fake::default(), whose, now);
        (tick(&habits, "save-in-folder").0, tick(&habits, "nowhere-else").0)
    };
    whose.risk = Some(Arc::new(risk(0, now)));
    assert_eq!(of(&whose), (Tick::Yes, Tick::Yes));
    whose.risk = Some(Arc::new(risk(2, now)));
    assert_eq!(of(&whose), (Tick::No, Tick::No));
    whose.risk = Some(Arc::new(risk(2, Timestamp::UNIX_EPOCH)));
    assert_eq!(of(&whose), (Tick::No, Tick::Yes), "written long ago");
    let mut some = risk(2, Timestamp::UNIX_EPOCH);
    some.findings.truncate(1);
    whose.risk = Some(Arc::new(some));
    assert_eq!(of(&whose), (Tick::No, Tick::NotKnown), "the one left out may be recent");
}
