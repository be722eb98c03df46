//! `tour`: one file kept, one lost, as predicted, and nothing left behind, however it ends.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal};
use serde_json::{Value, json};

use super::{Answer, Outlast};
use crate::support::docker::{self, Cli};
use crate::support::dockerd::Dockerd;
use crate::support::pty::{Pty, Start};

/// One tour at a time: each sweeps what others left.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// With a home on disk, where a mounted folder counts as one that lasts.
fn on_disk() -> Outlast {
    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    Outlast { home, env: Vec::new() }
}

/// How what a process made is marked.
fn marked(pid: Pid) -> String {
    format!("{}-", pid.as_raw_nonzero())
}

/// What the engine and the home still have of the tour of one process, or of all that are over.
fn left(engine: &Cli, outlast: &Outlast, pid: Option<Pid>) -> Vec<String> {
    let lives = |name: &str| {
        let pid = name.trim_start_matches(|c: char| !c.is_ascii_digit()).split('-').next().unwrap();
        Path::new("/proc").join(pid).exists()
    };
    let of = |name: &&str| pid.map_or_else(|| !lives(name), |pid| name.contains(&marked(pid)));
    let containers = ["ps", "-a", "--filter", "label=outlast.tour=1", "--format", "{{.Names}}"];
    let images = ["images", "-a", "--filter", "label=outlast.tour=1", "--format", "{{.Repository}}:{{.Tag}}"];
    let listed = [engine.run(&containers), engine.run(&images)].join("\n");
    let listed = listed.lines().filter(|name| !name.is_empty()).filter(of);
    let folders = std::fs::read_dir(outlast.home().join("state/outlast/tour")).into_iter().flatten();
    let folders = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    listed.map(str::to_string).chain(folders.filter(|name| of(&name.as_str()))).collect()
}

/// Starts a tour on a terminal and waits until it asks; by then everything is made.
fn until_it_asks(outlast: &Outlast) -> Pty {
    let home = outlast.home().to_str().unwrap();
    let state = format!("{home}/state");
    let start = Start::outlast(&["tour"]).env("HOME", home).env("XDG_STATE_HOME", &state).size(80, 60);
    let pty = outlast.env.iter().fold(start, |start, (name, value)| start.env(name, value)).spawn();
    pty.see("[Y/n]");
    pty
}

#[test]
fn one_file_is_kept_and_one_is_lost_as_predicted_and_nothing_is_left() {
    let Some(engine) = docker::engine() else { return };
    let (_alone, outlast) = (alone(), on_disk());
    let report = outlast.json(&["tour", "--yes", "--json"]);
    let split = json!({ "kept": ["/workspace/notes.txt"], "lost": ["/tmp/notes.txt"] });
    assert_eq!((&report["predicted"], &report["found"]), (&split, &split));
    assert_eq!((&report["left_behind"], &report["complete"]), (&json!([]), &json!(true)));
    let steps: Vec<_> = report["steps"].as_array().unwrap().iter().map(|step| step["step"].clone()).collect();
    assert_eq!(steps, ["image", "folder", "container", "save", "predict", "retire", "look", "clear"]);
    assert!(report["steps"].as_array().unwrap().iter().all(|step| step["result"].is_array()), "{report}");
    assert!(left(&engine, &outlast, None).is_empty(), "{:?}", left(&engine, &outlast, None));
    assert!(!outlast.home().join("state").exists(), "not even an empty folder");
}

#[test]
fn it_reads_like_a_lesson_and_fits_the_screen() {
    let Some(_engine) = docker::engine() else { return };
    let (_alone, outlast) = (alone(), on_disk());
    let Answer { code, out, err } = outlast.run(&["tour", "--yes"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for words in ["mounted", "writable layer", "docker cp notes.txt", "docker rm outlast-tour-"] {
        assert!(out.contains(words), "no “{words}” in {out}");
    }
    assert!(out.contains("/workspace/notes.txt: still there, as predicted"), "{out}");
    assert!(
        out.contains("/tmp/notes.txt: gone, as predicted") && out.contains("Nothing is left behind"),
        "{out}"
    );
    let long: Vec<_> = out.lines().filter(|line| line.len() > 80).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn a_platforms_own_folder_is_the_one_that_is_mounted() {
    let Some(engine) = docker::engine() else { return };
    let (_alone, outlast) = (alone(), on_disk());
    let file = tempfile::NamedTempFile::new().unwrap();
    let profile = file.path().to_str().unwrap();
    for (folder, lost) in [("/home/u/project", "/tmp/notes.txt"), ("/tmp", "/root/notes.txt")] {
        std::fs::write(profile, format!("id = \"x\"\ntitle = \"X\"\nworkspace = \"{folder}\"\n")).unwrap();
        let report = outlast.json(&["--profile", profile, "tour", "--yes", "--json"]);
        assert_eq!(report["found"], json!({ "kept": [format!("{folder}/notes.txt")], "lost": [lost] }));
        assert_eq!(report["found"], report["predicted"]);
    }
    assert!(left(&engine, &outlast, None).is_empty());
}

#[test]
fn on_every_platform_the_prediction_comes_true() {
    let Some(engine) = docker::engine() else { return };
    let (_alone, outlast) = (alone(), on_disk());
    for (profile, folder) in [
        ("ds01", "/workspace"),
        ("vessl", "/home/vessl"),
        ("backendai", "/home/work"),
        ("deeporigin", "/home/bench-user"),
    ] {
        let report = outlast.json(&["--profile", profile, "tour", "--yes", "--json"]);
        let kept = format!("{folder}/notes.txt");
        assert_eq!(report["found"], json!({ "kept": [kept], "lost": ["/tmp/notes.txt"] }), "{profile}");
        assert_eq!(report["found"], report["predicted"], "{profile}");
    }
    assert!(left(&engine, &outlast, None).is_empty());
}

#[test]
fn a_tour_that_fails_half_way_leaves_nothing_behind() {
    let Some(engine) = docker::engine() else { return };
    let (_alone, outlast) = (alone(), on_disk());
    let file = tempfile::NamedTempFile::new().unwrap();
    // The engine mounts nothing there, which it says when image and folder are made.
    std::fs::write(file.path(), "id = \"x\"\ntitle = \"X\"\nworkspace = \"/\"\n").unwrap();
    let answer = outlast.run(&["--profile", file.path().to_str().unwrap(), "tour", "--yes", "--json"]);
    assert_eq!(answer.code, 1, "{}", answer.err);
    let report = answer.json();
    assert!(report["steps"][1]["result"].is_array() && report["steps"][2]["result"].is_null(), "{report}");
    assert!(report["errors"][0]["message"].is_string() && report["left_behind"] == json!([]), "{report}");
    assert!(left(&engine, &outlast, None).is_empty(), "{:?}", left(&engine, &outlast, None));
}

#[test]
fn somebody_on_a_terminal_is_asked_and_enter_goes_on() {
    let Some(engine) = docker::engine() else { return };
    let (_alone, outlast) = (alone(), on_disk());
    let mut pty = until_it_asks(&outlast);
    assert_eq!(left(&engine, &outlast, Some(pty.pid())).len(), 3, "container, image and folder");
    pty.send("\r");
    assert_eq!(pty.wait().exit_code(), 0);
    assert!(left(&engine, &outlast, None).is_empty());
    let mut pty = until_it_asks(&outlast);
    pty.send("n\r");
    assert_eq!(pty.wait().exit_code(), 130);
    assert!(left(&engine, &outlast, None).is_empty());
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let Some(engine) = docker::engine() else { return };
    let (_alone, outlast) = (alone(), on_disk());
    let mut pty = until_it_asks(&outlast);
    pty.send("\x03");
    assert_eq!(pty.wait().exit_code(), 130);
    assert!(left(&engine, &outlast, None).is_empty(), "{:?}", left(&engine, &outlast, None));
}

#[test]
fn a_signal_at_any_moment_leaves_nothing_behind() {
    let Some(engine) = docker::engine() else { return };
    let (_alone, outlast) = (alone(), on_disk());
    for (signal, pause) in [("-INT", 60), ("-TERM", 150), ("-HUP", 300), ("-INT", 450), ("-INT", 700)] {
        let mut child = outlast.command(&["tour", "--yes"]).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(pause));
        let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
        let code = child.wait().unwrap().code();
        // One that comes before it listens ends it as any program; nothing was made by then.
        let early = pause < 100 && code.is_none();
        assert!(early || matches!(code, Some(0 | 130)), "{signal} after {pause} ms: {code:?}");
        assert!(left(&engine, &outlast, None).is_empty(), "{signal} after {pause} ms");
    }
}

#[test]
fn what_a_killed_tour_left_is_swept_by_the_next_and_one_that_goes_on_is_not() {
    let Some(engine) = docker::engine() else { return };
    let (_alone, outlast) = (alone(), on_disk());
    let (mut killed, mut going_on) = (until_it_asks(&outlast), until_it_asks(&outlast));
    let first = killed.pid();
    killed.signal(Signal::KILL);
    killed.wait();
    assert_eq!(left(&engine, &outlast, Some(first)).len(), 3);
    let next = outlast.run(&["tour", "--yes"]);
    assert_eq!(next.code, 0, "{}", next.err);
    assert!(next.err.contains(&format!("outlast-tour-{}", marked(first))), "it is told: {}", next.err);
    assert!(left(&engine, &outlast, Some(first)).is_empty());
    let other = going_on.pid();
    assert_eq!(left(&engine, &outlast, Some(other)).len(), 3, "it is not over");
    going_on.send("\r");
    assert_eq!(going_on.wait().exit_code(), 0, "nobody took its things away");
    assert!(left(&engine, &outlast, None).is_empty());
}

#[test]
fn what_an_engine_that_went_away_keeps_is_named_and_swept_later() {
    let _alone = alone();
    let Some(mut engine) = Dockerd::start() else { return };
    let outlast = on_disk().with("DOCKER_HOST", &format!("unix://{}", engine.socket().display()));
    let mut pty = until_it_asks(&outlast);
    let pid = pty.pid();
    engine.kill();
    pty.send("\r");
    assert_eq!(pty.wait().exit_code(), 3, "{}", pty.text());
    let shown = pty.text();
    assert!(shown.contains("Not everything could be removed"), "{shown}");
    assert!(shown.contains("is left behind; the next tour removes it"), "{shown}");
    engine.restart();
    assert_eq!(left(&engine.cli(), &outlast, Some(pid)).len(), 3);
    let next = outlast.run(&["tour", "--yes"]);
    assert_eq!(next.code, 0, "{}", next.err);
    assert!(left(&engine.cli(), &outlast, None).is_empty());
}

#[test]
fn a_dry_run_shows_the_steps_and_makes_nothing() {
    let Some(engine) = docker::engine() else { return };
    let (_alone, outlast) = (alone(), on_disk());
    let answer = outlast.run(&["tour", "--dry-run"]);
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
    assert!(answer.out.contains("Nothing is made") && answer.out.contains("docker create"), "{}", answer.out);
    let report = outlast.json(&["tour", "--dry-run", "--json"]);
    assert!(report["steps"].as_array().unwrap().iter().all(|step| step["result"].is_null()), "{report}");
    assert_eq!([&report["predicted"], &report["found"]], [&Value::Null, &Value::Null]);
    assert!(left(&engine, &outlast, None).is_empty());
}

#[test]
fn the_demo_needs_no_engine() {
    let outlast = Outlast::new().with("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    let report = outlast.json(&["--engine", "demo", "tour", "--yes", "--json"]);
    let split = json!({ "kept": ["/workspace/notes.txt"], "lost": ["/tmp/notes.txt"] });
    assert_eq!((&report["predicted"], &report["found"]), (&split, &split));
    assert_eq!(report["left_behind"], json!([]));
    assert_eq!(std::fs::read_dir(outlast.home()).unwrap().count(), 0, "it opens no file");
}

#[test]
fn nobody_to_ask_is_a_refusal_before_anything_is_made() {
    let outlast = Outlast::new();
    let answer = outlast.run(&["--engine", "demo", "tour"]);
    assert_eq!(answer.code, 4, "{}", answer.err);
    assert!(answer.err.contains("`--yes`") && answer.out.is_empty(), "{} {}", answer.err, answer.out);
}

#[test]
fn without_an_engine_the_way_to_the_demo_is_told() {
    for outlast in [
        Outlast::new().with("DOCKER_HOST", "unix:///nonexistent/docker.sock"),
        Outlast::new().with("OUTLAST_ENGINE", "machine"),
    ] {
        let answer = outlast.run(&["tour", "--yes"]);
        assert_eq!(answer.code, 3, "{}", answer.err);
        assert!(answer.err.contains("outlast --engine demo tour"), "{}", answer.err);
    }
}

#[test]
fn somebody_who_may_not_use_the_engine_is_told_so() {
    let Some(_engine) = docker::engine() else { return };
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become somebody else");
        return;
    }
    let outlast = Outlast::new();
    // Somebody else must be able to reach the binary and a home.
    let binary = outlast.home().join("outlast");
    std::fs::copy(env!("CARGO_BIN_EXE_outlast"), &binary).unwrap();
    for path in [outlast.home(), binary.as_path()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let output = Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&binary)
        .args(["tour", "--yes"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", outlast.home())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(err.contains("may not use") && err.contains("hint: "), "{err}");
    assert!(output.stdout.is_empty() && !outlast.home().join(".local").exists(), "nothing was made");
}
