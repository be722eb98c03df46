//! What a profile or a label asks for by itself: a backup before a stop, a restore before a start.

use std::fs;
use std::path::PathBuf;

use super::{noise, write};
use crate::cli::{Answer, Outlast};
use crate::support::docker::{self, Container};

/// A container on a platform that backs up on stop and restores on start, at most one MiB.
struct Automatic {
    outlast: Outlast,
    container: Container,
    disk: tempfile::TempDir,
}

const PROFILE: &str = "id = \"automatic\"\ntitle = \"Automatic\"\nworkspace = \"/workspace\"\n\
                       backup_on_stop = true\nrestore_on_start = true\n[limits]\nbackup_bytes = 1048576\n";

impl Automatic {
    fn new(arguments: &[&str]) -> Option<Self> {
        let engine = docker::engine()?;
        let outlast = Outlast::new();
        let config = outlast.home().join("config/outlast");
        write(&config.join("profiles/automatic.toml"), PROFILE);
        // Not below the host's temporary folders, which are no safe place themselves.
        let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let place = disk.path().display();
        let settings = format!(
            "[parameters.automatic]\nrepository = \"{place}/admin/${{user}}\"\npassword_file = \"{place}/key\"\n"
        );
        write(&config.join("config.toml"), settings);
        write(&disk.path().join("key"), "secret\n");
        write(&disk.path().join("work/notes"), "text");
        let bind = format!("{place}/work:/workspace");
        let label = ["--label", "outlast.profile=automatic", "-v", &bind, "-w", "/workspace"];
        let container = engine.container("automatic").args([&label, arguments].concat()).run();
        Some(Self { outlast, container, disk })
    }

    fn work(&self) -> PathBuf {
        self.disk.path().join("work")
    }

    fn run(&self, verb: &str, more: &[&str]) -> Answer {
        self.outlast.run(&[&[verb, &self.container.name], more].concat())
    }

    fn status(&self) -> String {
        self.container.inspect("{{.State.Status}}")
    }

    /// Snapshots in the administrator's repository of whoever runs this.
    fn snapshots(&self) -> usize {
        let folders = fs::read_dir(self.disk.path().join("admin")).into_iter().flatten().flatten();
        let of = |folder: fs::DirEntry| fs::read_dir(folder.path().join("snapshots")).unwrap().count();
        folders.map(of).sum()
    }

    fn verbs(&self) -> Vec<(String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        self.outlast.log().iter().map(|line| (text(&line["verb"]), text(&line["result"]))).collect()
    }
}

#[test]
fn i7_a_stop_backs_up_first_to_where_the_administrator_says_and_a_start_brings_it_back() {
    let Some(automatic) = Automatic::new(&[]) else { return };
    let plan = automatic.run("stop", &["--dry-run"]).out;
    let at = |text: &str| plan.find(text).unwrap_or_else(|| panic!("{text}: {plan}"));
    assert!(at("backup ") < at("stop ") && at("  into    ") < at("  does    docker stop"), "{plan}");
    assert!(plan.contains("/admin/") && !plan.contains("${user}"), "{plan}");
    assert_eq!((automatic.snapshots(), automatic.status().as_str()), (0, "running"), "only a plan");

    let stopped = automatic.run("stop", &["--yes"]);
    assert_eq!(stopped.code, 0, "{}", stopped.err);
    assert_eq!((automatic.snapshots(), automatic.status().as_str()), (1, "exited"));
    let done = |verb: &str| (verb.to_owned(), "done".to_owned());
    assert_eq!(automatic.verbs(), [done("backup"), done("stop")]);

    // Nothing is restored over what is there.
    assert!(!automatic.run("start", &["--dry-run"]).out.contains("restore"));
    fs::remove_file(automatic.work().join("notes")).unwrap();
    let plan = automatic.run("start", &["--dry-run"]).out;
    assert!(plan.starts_with("restore ") && plan.contains("docker start"), "{plan}");
    let started = automatic.run("start", &["--yes"]);
    assert_eq!(started.code, 0, "{}", started.err);
    assert_eq!(automatic.container.exec("cat /workspace/notes"), "text");
    assert_eq!(automatic.verbs()[2..], [done("restore"), done("start")]);
}

#[test]
fn i7_a_failed_backup_leaves_the_container_as_it_is_and_says_why() {
    // One that would be gone with its stop.
    let Some(automatic) = Automatic::new(&["--rm"]) else { return };
    assert_eq!(automatic.run("backup", &["--yes"]).code, 0);
    write(&automatic.disk.path().join("key"), "another\n");
    let failed = automatic.run("stop", &["--yes", "--lose-data"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    for text in ["was left as it is", "password is wrong", "`--no-backup` goes on without it"] {
        assert!(failed.err.contains(text), "{text}: {}", failed.err);
    }
    assert_eq!(automatic.status(), "running");
    assert!(automatic.verbs().iter().all(|(verb, _)| verb != "stop"), "{:?}", automatic.verbs());
    assert!(automatic.verbs().last().unwrap().1.starts_with("failed"), "{:?}", automatic.verbs());

    let without = automatic.run("stop", &["--dry-run", "--no-backup"]).out;
    assert!(without.contains("without the backup that is asked for here"), "{without}");
    let stopped = automatic.run("stop", &["--yes", "--lose-data", "--no-backup"]);
    assert_eq!((stopped.code, automatic.container.exists()), (0, false), "{}", stopped.err);
}

#[test]
fn i7_what_is_over_the_limit_is_stopped_without_a_backup_and_said_to_be_pinned() {
    let Some(automatic) = Automatic::new(&[]) else { return };
    write(&automatic.work().join("model"), noise(1, 2 << 20));
    let plan = automatic.run("stop", &["--dry-run"]).out;
    assert!(plan.contains("pinned to this node: 2.") && plan.contains("no backup is made"), "{plan}");
    let stopped = automatic.run("stop", &["--yes"]);
    assert_eq!((stopped.code, automatic.status().as_str()), (0, "exited"), "{}", stopped.err);
    assert_eq!(automatic.snapshots(), 0);
}

#[test]
fn i7_a_label_says_for_one_container_what_a_profile_says_for_all() {
    let Some(automatic) = Automatic::new(&["--label", "outlast.backup-on-stop=false"]) else { return };
    let plan = automatic.run("stop", &["--dry-run"]).out;
    assert!(plan.starts_with("stop "), "{plan}");
    assert_eq!((automatic.run("stop", &["--yes"]).code, automatic.snapshots()), (0, 0));
}
