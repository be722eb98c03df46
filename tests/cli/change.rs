//! `start` and `stop`: shown, agreed to, checked, logged.

use std::os::unix::fs::MetadataExt as _;

use super::Outlast;
use crate::support::docker;

#[test]
fn stopping_and_starting_are_each_one_line_of_the_log() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("log").run();
    let stopped = outlast.json(&["stop", &container.name, "--yes", "--json"]);
    assert_eq!(stopped["result"], "done");
    assert_eq!(container.inspect("{{.State.Status}}"), "exited");
    let started = outlast.run(&["start", &container.name, "--yes"]);
    assert_eq!((started.code, started.out.trim()), (0, format!("started {}", container.name).as_str()));
    assert_eq!(container.inspect("{{.State.Status}}"), "running");

    let log = outlast.log();
    let line = |at: usize, field: &str| log[at][field].as_str().unwrap().to_string();
    assert_eq!(log.len(), 2);
    assert_eq!([line(0, "verb"), line(0, "before"), line(0, "after")], ["stop", "running", "exited"]);
    assert_eq!([line(1, "verb"), line(1, "before"), line(1, "after")], ["start", "exited", "running"]);
    assert_eq!(line(0, "recreate"), format!("docker start {}", container.name));
    assert_eq!(log[0]["plan"], stopped["plan"]["id"]);
    let file = std::fs::read_to_string(outlast.state().join("audit.jsonl")).unwrap();
    assert_eq!(file.lines().count(), 2);
}

#[test]
fn a_dry_run_shows_the_plan_and_changes_nothing() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("dry").args(["--tmpfs", "/scratch"]).run();
    container.exec("echo x > /scratch/a.csv");
    let answer = outlast.run(&["stop", &container.name, "--dry-run"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(answer.out.contains(&format!("docker stop {}", container.name)), "{}", answer.out);
    assert!(answer.out.contains("/scratch") && answer.out.contains("1 file"), "{}", answer.out);
    let plan = outlast.json(&["stop", &container.name, "--dry-run", "--json"]);
    assert_eq!(plan["result"], "planned");
    assert_eq!(plan["plan"]["steps"][0]["loses"][0]["files"], 1);
    assert_eq!(container.inspect("{{.State.Status}}"), "running");
    assert!(!outlast.home().join("state").exists(), "nothing is written either");
}

#[test]
fn files_in_memory_are_lost_only_when_that_is_asked_for() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("lose").args(["--tmpfs", "/scratch"]).run();
    container.exec("echo x > /scratch/a.csv");
    let refused = outlast.run(&["stop", &container.name, "--yes"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("/scratch") && refused.err.contains("--lose-data"), "{}", refused.err);
    assert_eq!(container.inspect("{{.State.Status}}"), "running");
    assert!(outlast.log().is_empty());
    let done = outlast.run(&["stop", &container.name, "--yes", "--lose-data"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(container.inspect("{{.State.Status}}"), "exited");
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_done() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("noyes").run();
    let answer = outlast.run(&["stop", &container.name]);
    assert_eq!(answer.code, 4);
    assert!(answer.err.contains("hint: `--dry-run` shows it, `--yes` agrees to it"), "{}", answer.err);
    assert_eq!(container.inspect("{{.State.Status}}"), "running");
}

/// Runs a command on a terminal, types an answer and gives the exit code and what was shown.
pub(crate) fn on_a_terminal(outlast: &Outlast, args: &[&str], answer: &str) -> (u32, String) {
    use std::io::{Read as _, Write as _};
    let pty = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).unwrap();
    let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_outlast"));
    command.args(args);
    command.env_clear();
    command.env("HOME", outlast.home());
    command.env("XDG_STATE_HOME", outlast.home().join("state"));
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let reading = std::thread::spawn(move || {
        let mut shown = Vec::new();
        // The end of a terminal is an error, not an end of file.
        let _ = reader.read_to_end(&mut shown);
        String::from_utf8_lossy(&shown).into_owned()
    });
    let mut keys = pty.master.take_writer().unwrap();
    keys.write_all(answer.as_bytes()).unwrap();
    let code = child.wait().unwrap().exit_code();
    drop(keys);
    (code, reading.join().unwrap())
}

#[test]
pub(crate) fn on_a_terminal_the_plan_is_shown_and_no_is_the_default() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("ask").run();
    let (code, shown) = on_a_terminal(&outlast, &["stop", &container.name], "\n");
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains(&format!("docker stop {}", container.name)) && shown.contains("[y/N]"), "{shown}");
    assert_eq!(container.inspect("{{.State.Status}}"), "running");
    let (code, shown) = on_a_terminal(&outlast, &["stop", &container.name], "y\n");
    assert_eq!(code, 0, "{shown}");
    assert_eq!(container.inspect("{{.State.Status}}"), "exited");
}

#[test]
fn a_verb_that_does_not_apply_says_why() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("already").run();
    let answer = outlast.run(&["start", &container.name, "--yes"]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("is running already"), "{}", answer.err);
    let protected = engine.container("protected").args(["--label", "ds01.protected=true"]).run();
    let answer = outlast.run(&["stop", &protected.name, "--yes", "--lose-data"]);
    assert_eq!(answer.code, 4, "{}", answer.err);
    let unknown = outlast.run(&["stop", "outlast-test-nobody", "--yes"]);
    assert_eq!(unknown.code, 2, "{}", unknown.err);
}

#[test]
fn a_plan_that_was_cut_off_is_told_of_at_the_next_start() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("cutoff").run();
    let plan = outlast.json(&["stop", &container.name, "--dry-run", "--json"])["plan"].clone();
    let conflict = outlast.run(&["start", &container.name, "--yes"]);
    assert_eq!(conflict.code, 1, "it runs already, but this makes the state directory");
    let at = plan["made_at"].as_str().unwrap();
    let text = format!("{}\n{}\n{{\"end\":{{\"st", serde_json::json!({ "plan": plan }), {
        serde_json::json!({ "begin": { "step": 0, "at": at } })
    });
    let journal = outlast.state().join("journal/20260101T000000.000Z-1-0.jsonl");
    std::fs::write(&journal, text).unwrap();
    container.stop();

    let answer = outlast.run(&["log"]);
    assert!(answer.err.contains("was cut off; stop"), "{}", answer.err);
    assert!(answer.err.contains("done") && answer.out.contains("done (cut off"), "{}", answer.out);
    assert!(!journal.exists());
    assert!(outlast.run(&["log"]).err.is_empty(), "it is told once");
    assert_eq!(outlast.log().len(), 1);
}

#[test]
fn pausing_and_keeping_alive_are_plans_like_any_other() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let work = outlast.home().join("work");
    std::fs::create_dir(&work).unwrap();
    let bind = format!("{}:/workspace", work.display());
    let container = engine
        .container("pause")
        .args(["-v", &bind, "-w", "/workspace", "--label", "ds01.managed=true", "--label", "ds01.user=alice"])
        .run();
    let run = |args: &[&str]| outlast.run(&[args, &[&container.name, "--yes"]].concat());
    assert_eq!(run(&["pause"]).code, 0);
    assert_eq!(container.inspect("{{.State.Status}}"), "paused");
    let again = run(&["pause"]);
    assert!(again.code == 1 && again.err.contains("is paused already"), "{}", again.err);
    assert_eq!(run(&["unpause"]).code, 0);
    assert_eq!(container.inspect("{{.State.Status}}"), "running");
    assert!(run(&["unpause"]).err.contains("is not paused"));
    let started = container.inspect("{{.State.StartedAt}}");
    assert_eq!(run(&["restart"]).code, 0);
    assert_ne!(container.inspect("{{.State.StartedAt}}"), started);

    if rustix::process::getuid().is_root() {
        std::os::unix::fs::chown(&work, Some(1001), Some(1002)).unwrap();
    }
    let kept = outlast.run(&["keep-alive", &container.name, "--yes", "--profile", "ds01"]);
    assert_eq!(kept.code, 0, "{}", kept.err);
    let (file, folder) =
        (std::fs::metadata(work.join(".keep-alive")).unwrap(), std::fs::metadata(&work).unwrap());
    assert_eq!((file.uid(), file.gid()), (folder.uid(), folder.gid()), "it is the folder's owner's");
    let off = outlast.run(&["keep-alive", &container.name, "--off", "--yes", "--profile", "ds01"]);
    assert!(off.code == 0 && !work.join(".keep-alive").exists(), "{}", off.err);
    let nowhere = outlast.run(&["keep-alive", &container.name, "--yes", "--profile", "docker"]);
    assert!(nowhere.code == 1 && nowhere.err.contains("nothing keeps"), "{}", nowhere.err);
}
