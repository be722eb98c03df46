//! The verbs: planned, agreed to, done, told in JSON.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{Place, noise, write};
use crate::cli::Outlast;

#[test]
fn what_was_saved_is_listed_read_back_and_restored() {
    let place = Place::new();
    write(&place.work().join("notes"), "text");
    write(&place.work().join("data/model.pt"), noise(1, 200_000));
    let saved = place.backup();
    assert_eq!((&saved["result"], &saved["complete"]), (&"done".into(), &true.into()));
    let snapshot = &saved["snapshot"];
    assert_eq!((snapshot["files"].as_u64(), snapshot["skipped_count"].as_u64()), (Some(2), Some(0)));
    let id = snapshot["id"].as_str().unwrap();

    let listed = place.json(0, &["backups"]);
    assert_eq!(listed["snapshots"][0]["id"], *id);
    assert!(listed["snapshots"][0]["whole"].is_null(), "nobody read it back");
    assert_eq!(place.json(0, &["verify"])["verified"], true);
    assert_eq!(place.json(0, &["backups"])["snapshots"][0]["whole"], true);

    let restored = place.json(0, &["restore", &id[..6], "HERE/new", "--yes"]);
    assert_eq!(restored["result"], "done");
    assert_eq!(fs::read(place.outlast.home().join("new/data/model.pt")).unwrap(), noise(1, 200_000));
    let refused = place.run(&["restore", "latest", "HERE/new", "--yes"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("is not empty"), "{}", refused.err);

    let jobs = place.outlast.json(&["jobs", "--json"]);
    let words: Vec<_> = jobs["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| (job["verb"].as_str().unwrap(), job["state"].as_str().unwrap()))
        .collect();
    assert_eq!(words, [("backup", "done"), ("verify", "done"), ("restore", "done"), ("restore", "failed")]);
}

#[test]
fn a_dry_run_shows_the_plan_and_writes_nothing() {
    let place = Place::new();
    write(&place.work().join("notes"), "text");
    write(&place.work().join(".outlastignore"), "# caches\n*.tmp\n!keep\n");
    let answer = place.run(&["backup", "WORK", "--dry-run"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    for text in
        ["backup work", "saves   ", "without *.tmp", "into    ", "which is made", "“!keep” is not understood"]
    {
        assert!(answer.out.contains(text), "{text}: {}", answer.out);
    }
    let plan = place.json(0, &["backup", "WORK", "--dry-run"]);
    assert_eq!((&plan["result"], &plan["plan"]["steps"][0]["verb"]), (&"planned".into(), &"backup".into()));
    assert!(!place.outlast.home().join("repository").exists() && !place.outlast.home().join("state").exists());
    let refused = place.run(&["backup", "WORK"]);
    assert_eq!(refused.code, 4, "nobody is there to agree");
    assert!(!place.outlast.home().join("repository").exists());
}

#[test]
fn forget_keeps_the_last_ones_and_always_the_newest_that_was_verified() {
    let place = Place::new();
    let save = |content: &str| {
        write(&place.work().join("notes"), content);
        place.backup()["snapshot"]["id"].as_str().unwrap().to_owned()
    };
    let first = save("1");
    place.json(0, &["verify", &first]);
    let ids: Vec<String> = ["2", "3", "4", "5"].iter().map(|content| save(content)).collect();
    let plan = place.run(&["forget", "--keep-last", "3", "--dry-run"]);
    assert!(plan.out.contains("forget 1 of 5"), "{}", plan.out);
    let forgotten = place.json(0, &["forget", "--keep-last", "3", "--yes"]);
    assert_eq!(
        forgotten["removed"],
        serde_json::json!([ids[0]]),
        "the oldest of the others, not the verified one"
    );
    place.restic_checks();
    assert_eq!(
        place.json(0, &["forget", "--keep-last", "3", "--yes"])["result"],
        "done",
        "nothing is left to do"
    );
    assert_eq!(place.json(0, &["backups"])["snapshots"].as_array().unwrap().len(), 4);
    assert_eq!(place.run(&["forget", "--yes"]).code, 2, "a rule or an id is needed");
    let one = place.json(0, &["forget", &ids[1], "--yes"]);
    assert_eq!(one["removed"], serde_json::json!([ids[1]]));
    for kept in [&first, &ids[3]] {
        let refused = place.run(&["forget", kept, "--yes"]);
        assert_eq!(
            (refused.code, refused.err.contains("stays: it is the newest")),
            (4, true),
            "{}",
            refused.err
        );
    }
}

#[test]
fn every_job_that_changes_something_is_one_line_of_the_log() {
    let place = Place::new();
    write(&place.work().join("notes"), "1");
    place.backup();
    write(&place.work().join("notes"), "2");
    place.backup();
    place.json(0, &["verify", "latest"]);
    place.json(0, &["restore", "latest", "HERE/new", "--yes"]);
    place.json(4, &["restore", "latest", "HERE/new", "--yes"]);
    place.json(0, &["forget", "--keep-last", "1", "--yes"]);
    let archives = place.outlast.home().join("archives");
    fs::create_dir(&archives).unwrap();
    let archived = place.outlast.run(&[
        "archive",
        place.work().to_str().unwrap(),
        "--to",
        archives.to_str().unwrap(),
        "--yes",
    ]);
    assert_eq!(archived.code, 0, "{}", archived.err);
    let log = place.outlast.log();
    let text = |line: &serde_json::Value, field: &str| line[field].as_str().unwrap_or("-").to_owned();
    let lines: Vec<_> = log.iter().map(|line| (text(line, "verb"), text(line, "result"))).collect();
    let line = |verb: &str, result: &str| (verb.to_owned(), result.to_owned());
    assert!(lines[3].1.starts_with("failed: ") && lines[3].1.contains("is not empty"), "{lines:?}");
    let mut rest = lines.clone();
    rest.remove(3);
    assert_eq!(
        rest,
        [
            line("backup", "done"),
            line("backup", "done"),
            line("restore", "done"),
            line("forget", "done"),
            line("archive", "done"),
        ],
        "reading back changes nothing"
    );
    let new = place.outlast.home().join("new");
    assert_eq!(text(&log[2], "recreate"), format!("rm -r {}", new.display()));
    assert_eq!(log[3]["recreate"], serde_json::Value::Null, "what failed left nothing to undo");
    assert!(text(&log[0], "command").starts_with("outlast backup "));
    let shown = place.outlast.run(&["log"]).out;
    assert!(shown.contains("forget") && shown.contains("1 removed"), "{shown}");
}

#[test]
fn secrets_are_named_and_what_is_left_out_is_not_there() {
    let place = Place::new();
    for name in [".ssh/id_ed25519", ".env", "data.csv", "x.tmp", "__pycache__/a.pyc", "deep/.vessl/token"] {
        write(&place.work().join(name), "x");
    }
    write(&place.work().join(".outlastignore"), "*.tmp\n.vessl\n__pycache__/\n");
    let saved = place.backup();
    let secrets: Vec<_> =
        saved["secrets"]["first"].as_array().unwrap().iter().map(|s| s["path"].as_str().unwrap()).collect();
    assert!(
        secrets.len() == 2 && secrets[0].ends_with("/.env") && secrets[1].ends_with("/id_ed25519"),
        "{secrets:?}"
    );
    place.json(0, &["restore", "latest", "HERE/new", "--yes"]);
    let there = |name: &str| place.outlast.home().join("new").join(name).exists();
    assert!(there("data.csv") && there("deep"));
    assert!(!there("x.tmp") && !there("__pycache__") && !there("deep/.vessl"));
}

#[test]
fn a_repository_of_ones_own_is_made_on_first_use_with_a_key_for_nobody_else() {
    let outlast = Outlast::new().with("OUTLAST_ENGINE", "machine");
    let work = outlast.home().join("work");
    write(&work.join("notes"), "text");
    let work = work.to_str().unwrap();
    let plan = outlast.run(&["backup", work, "--dry-run"]);
    assert!(
        plan.out.contains("protects against retire and deletion, not against losing this host"),
        "{}{}",
        plan.out,
        plan.err
    );
    let saved = outlast.json(&["backup", work, "--yes", "--json"]);
    assert_eq!(saved["result"], "done");
    let own = outlast.home().join(".local/share/outlast");
    let mode = |name: &str| fs::metadata(own.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("repository"), mode("repository.key")), (0o700, 0o600));
    assert_eq!(outlast.json(&["backups", "--json"])["snapshots"].as_array().unwrap().len(), 1);
    let again = outlast.json(&["backup", work, "--yes", "--json"]);
    assert_eq!(again["plan"]["steps"][0]["backup"]["create"], false);
}

#[test]
fn where_the_repository_would_not_last_another_place_is_asked_for() {
    let Some(memory) = Memory::new() else { return };
    let outlast = Outlast::new().with("OUTLAST_ENGINE", "machine").with("HOME", memory.path());
    let work = outlast.home().join("work");
    write(&work.join("notes"), "text");
    let answer = outlast.run(&["backup", work.to_str().unwrap(), "--yes"]);
    assert_eq!(answer.code, 4, "{}", answer.err);
    assert!(
        answer.err.contains("does not last if rebooted") && answer.err.contains("--repository"),
        "{}",
        answer.err
    );
    assert!(!std::path::Path::new(memory.path()).join(".local").exists());
}

#[test]
fn what_is_wrong_with_a_repository_is_said_with_the_right_exit_code() {
    let place = Place::new();
    write(&place.work().join("notes"), "text");
    let answer = place.run(&["backups"]);
    assert_eq!((answer.code, answer.err.contains("there is no repository")), (2, true), "{}", answer.err);
    let run = |repository: &str| {
        place.outlast.run(&["backup", place.work().to_str().unwrap(), "--yes", "--repository", repository])
    };
    let answer = run("ftp://nowhere/r");
    assert_eq!((answer.code, answer.err.contains("ftp: is not known")), (2, true), "{}", answer.err);
    place.backup();
    write(&place.outlast.home().join("key"), "another\n");
    let answer = place.run(&["backups"]);
    assert_eq!((answer.code, answer.err.contains("password is wrong")), (2, true), "{}", answer.err);
}

/// A file system in memory, unmounted when this goes.
pub(crate) struct Memory(tempfile::TempDir);

impl Memory {
    /// Where mounting is not allowed says so and gives `None`.
    pub(crate) fn new() -> Option<Self> {
        Self::of("64m")
    }

    /// One of a size.
    pub(crate) fn of(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "outlast-test"])
            .arg(folder.path())
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(folder)),
            _ => {
                eprintln!("skipped: nothing may be mounted here");
                None
            }
        }
    }

    pub(crate) fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}
