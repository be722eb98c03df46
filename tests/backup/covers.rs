//! What a backup is good for, asked of a real container: only a verified one, in a repository and
//! with a key that outlive the event, and only while nothing is newer.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::write;
use crate::cli::Outlast;
use crate::support::docker::{self, Container};

/// A container whose workspace is a folder on a disk of this host.
struct Bound {
    outlast: Outlast,
    container: Container,
    /// Not below the host's temporary folders, which are no safe place themselves.
    disk: tempfile::TempDir,
}

impl Bound {
    fn new(settings: &str) -> Option<Self> {
        let engine = docker::engine()?;
        let outlast = Outlast::new();
        write(&outlast.home().join("config/outlast/config.toml"), settings);
        write(&outlast.home().join("key"), "secret\n");
        let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let work = disk.path().join("work");
        write(&work.join("notes"), "text");
        let bind = format!("{}:/workspace", work.display());
        let container = engine.container("covered").args(["-v", &bind, "-w", "/workspace"]).run();
        let key = outlast.home().join("key").to_str().unwrap().to_owned();
        Some(Self { outlast: outlast.with("OUTLAST_PASSWORD_FILE", &key), container, disk })
    }

    fn run(&self, args: &[&str]) -> Value {
        let answer = self.outlast.run(&[args, &["--json"]].concat());
        assert_eq!(answer.code, 0, "{args:?}: {}{}", answer.err, answer.out);
        answer.json()
    }

    fn backup(&self, repository: &str, verify: bool) {
        let mut args = vec!["backup", &self.container.name, "--yes", "--repository", repository];
        args.extend(verify.then_some("--verify"));
        self.run(&args);
    }

    /// Whether the condition of the workspace's fate in an event holds, and what becomes of it.
    fn fate(&self, path: &str, event: &str) -> (String, Option<bool>) {
        let subject = format!("{}:{path}", self.container.name);
        let answer = self.run(&["explain", &subject]);
        (answer["fates"][event].as_str().unwrap().to_owned(), answer["why"][event]["holds"].as_bool())
    }

    fn place(&self, name: &str) -> String {
        self.disk.path().join(name).to_str().unwrap().to_owned()
    }
}

const KEPT: Option<bool> = Some(true);

#[test]
fn a_repository_on_the_same_host_counts_for_deletion_and_never_for_the_loss_of_the_host() {
    let Some(bound) = Bound::new("") else { return };
    let of = |event| bound.fate("/workspace/notes", event);
    assert_eq!(of("workspace_deletion"), ("lost".into(), None), "no backup yet");
    assert_eq!(of("host_loss"), ("conditional".into(), None));

    bound.backup(&bound.place("repository"), false);
    assert_eq!(of("workspace_deletion").0, "lost", "nobody read it back");
    bound.run(&["verify", "--repository", &bound.place("repository")]);
    assert_eq!(of("workspace_deletion"), ("conditional".into(), KEPT));
    assert_eq!(of("host_loss"), ("conditional".into(), None), "the same disk goes with the host");

    // What others have on this engine is not asked about here.
    let listed = bound.outlast.run(&["ls", "--json"]).json();
    let row = listed["workspaces"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["container"] == *bound.container.name)
        .unwrap()
        .clone();
    assert!(row["last_backup"].is_string(), "{row:#}");

    // A person's next change is not in it.
    bound.container.exec("echo more >> /workspace/notes");
    assert_eq!(of("workspace_deletion").0, "lost", "something is newer");
    bound.backup(&bound.place("repository"), true);
    assert_eq!(of("workspace_deletion"), ("conditional".into(), KEPT));

    std::fs::remove_dir_all(bound.place("repository/snapshots")).unwrap();
    assert_eq!(of("workspace_deletion").0, "lost", "it is not there any more");
}

#[test]
fn a_repository_in_the_folder_itself_and_a_key_in_it_never_count_for_its_deletion() {
    let Some(bound) = Bound::new("") else { return };
    bound.backup(&bound.place("work/repository"), true);
    assert_eq!(bound.fate("/workspace/notes", "workspace_deletion").0, "lost");
    let Some(bound) = Bound::new("") else { return };
    let key = bound.place("work/key");
    write(key.as_ref(), "secret\n");
    let bound = Bound { outlast: bound.outlast.with("OUTLAST_PASSWORD_FILE", &key), ..bound };
    bound.backup(&bound.place("repository"), true);
    assert_eq!(bound.fate("/workspace/notes", "workspace_deletion").0, "lost");
}

#[test]
fn what_is_left_out_of_a_backup_is_not_covered_by_it() {
    let Some(bound) = Bound::new("") else { return };
    write(bound.place("work/.outlastignore").as_ref(), "raw/\n");
    write(bound.place("work/raw/x").as_ref(), "x");
    bound.backup(&bound.place("repository"), true);
    assert_eq!(bound.fate("/workspace/notes", "workspace_deletion"), ("conditional".into(), KEPT));
    assert_eq!(bound.fate("/workspace/raw/x", "workspace_deletion").0, "lost");
}

/// A machine of its own as far as the network goes, with a server in it; taken down with the test.
struct Elsewhere {
    name: String,
    server: Child,
    address: String,
}

impl Elsewhere {
    fn new(folder: &std::path::Path) -> Option<Self> {
        let number = std::process::id() % 250;
        let name = format!("ot{}", std::process::id() % 100_000);
        let ip = |args: &str| {
            let output = Command::new("ip").args(args.split(' ')).output();
            output.is_ok_and(|output| output.status.success())
        };
        let up = ip(&format!("netns add {name}"))
            && ip(&format!("link add {name}a type veth peer name {name}b netns {name}"))
            && ip(&format!("addr add 10.251.{number}.1/24 dev {name}a"))
            && ip(&format!("link set {name}a up"))
            && ip(&format!("-n {name} addr add 10.251.{number}.2/24 dev {name}b"))
            && ip(&format!("-n {name} link set {name}b up"))
            && ip(&format!("-n {name} link set lo up"));
        let server = Command::new("ip")
            .args([
                "netns",
                "exec",
                &name,
                "rclone",
                "serve",
                "restic",
                "--addr",
                &format!("10.251.{number}.2:8000"),
            ])
            .arg(folder)
            .stderr(Stdio::null())
            .spawn();
        let (true, Ok(server)) = (up, server) else {
            let _ = ip(&format!("netns del {name}"));
            eprintln!("skipped: no network of its own can be made, or no rclone");
            return None;
        };
        let place = Self { name, server, address: format!("rest:http://10.251.{number}.2:8000/r") };
        for _ in 0..200 {
            if std::net::TcpStream::connect((format!("10.251.{number}.2"), 8000)).is_ok() {
                return Some(place);
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        eprintln!("skipped: the server does not answer (no rclone?)");
        None
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

#[test]
fn a_verified_backup_on_another_machine_keeps_what_the_loss_of_the_host_would_take() {
    let Some(bound) = Bound::new("[backup]\nkey_elsewhere = true\n") else { return };
    let Some(elsewhere) = Elsewhere::new(&bound.outlast.home().join("served")) else { return };
    let of = |event| bound.fate("/workspace/notes", event);
    assert_eq!(of("host_loss"), ("conditional".into(), None));
    bound.backup(&elsewhere.address, false);
    assert_eq!(of("host_loss"), ("conditional".into(), None), "nobody read it back");
    bound.run(&["verify", "--repository", &elsewhere.address]);
    assert_eq!(of("host_loss"), ("conditional".into(), KEPT));
    let words = bound.outlast.run(&[
        "explain",
        &format!("{}:/workspace/notes", bound.container.name),
        "--event",
        "host_loss",
    ]);
    assert!(words.out.contains("kept"), "{}", words.out);
    bound.container.exec("echo more >> /workspace/notes");
    assert_eq!(of("host_loss"), ("conditional".into(), None), "something is newer");
    bound.backup(&elsewhere.address, true);
    assert_eq!(of("host_loss"), ("conditional".into(), KEPT));

    // The same with a key that is on this host alone.
    std::fs::write(bound.outlast.home().join("config/outlast/config.toml"), "").unwrap();
    assert_eq!(of("host_loss"), ("conditional".into(), None), "the key goes with the host");
}

#[test]
fn b13_a_home_is_pinned_over_the_limit_and_movable_once_a_verified_backup_is_elsewhere() {
    let Some(engine) = docker::engine() else { return };
    let Some(bound) = Bound::new("[backup]\nkey_elsewhere = true\n") else { return };
    let profile = "id = \"small\"\ntitle = \"Small\"\nextends = \"vessl\"\n[limits]\nbackup_bytes = 1048576\n";
    write(&bound.outlast.home().join("config/outlast/profiles/small.toml"), profile);
    let bind = format!("{}:/home/vessl", bound.place("work"));
    let container = engine.container("movable").args(["--label", "outlast.profile=small", "-v", &bind]).run();
    let bound = Bound { container, ..bound };
    let node = || {
        let report = bound.run(&["lifecycle", &bound.container.name]);
        let words = bound.outlast.run(&["lifecycle", &bound.container.name]).out;
        let line = words.lines().find(|line| line.starts_with("node ")).unwrap().to_owned();
        (report["workspaces"][0]["node"]["pinned"].as_bool(), line)
    };
    let (pinned, line) = node();
    assert!(pinned.is_none() && line.contains("movable once it is backed up"), "{line}");
    bound.backup(&bound.place("repository"), true);
    assert_eq!(node().0, None, "a backup on the same node moves nothing");

    if let Some(elsewhere) = Elsewhere::new(&bound.outlast.home().join("served")) {
        bound.backup(&elsewhere.address, true);
        let (pinned, line) = node();
        assert!(
            pinned == Some(false) && line.contains("movable: ") && line.contains("are backed up"),
            "{line}"
        );
        bound.container.exec("echo more >> /home/vessl/notes");
        assert_eq!(node().0, None, "something is newer");
    }
    write(bound.place("work/model").as_ref(), super::noise(1, 2 << 20));
    let (pinned, line) = node();
    assert!(pinned == Some(true) && line.contains("pinned to this node: 2."), "{line}");
}

#[test]
fn a_folder_of_the_host_is_covered_too_but_never_by_a_repository_inside_it() {
    let place = super::Place::new();
    write(&place.work().join("notes"), "text");
    let notes = place.work().join("notes");
    let of = || {
        let answer = place.outlast.json(&["explain", notes.to_str().unwrap(), "--json"]);
        answer["why"]["workspace_deletion"]["holds"].as_bool()
    };
    assert_eq!(of(), None);
    let within = place.work().join("repository");
    let run = |repository: &str| {
        let work = place.work();
        let args = ["backup", work.to_str().unwrap(), "--yes", "--verify", "--repository", repository];
        let answer = place.outlast.run(&args);
        assert_eq!(answer.code, 0, "{}", answer.err);
    };
    run(within.to_str().unwrap());
    assert_eq!(of(), None, "it goes with the folder");
    run(place.repository());
    assert_eq!(of(), Some(true));
}
