//! Every event is answered as honestly as a retire: nothing unread is called nothing, nothing
//! precious is called a cache, and the command that is offered loses nothing itself.

use std::process::Command;

use super::{Outlast, finding_paths};
use crate::support::docker;

/// A folder in the host's memory, removed when this goes.
fn in_host_memory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/dev/shm").unwrap()
}

#[test]
fn a_reboot_counts_what_the_host_keeps_in_memory() {
    let Some(engine) = docker::engine() else { return };
    let folder = in_host_memory();
    let bind = format!("{}:/ram", folder.path().display());
    let container = engine.container("ram").args(["-v", &bind]).run();
    container.exec("echo x > /ram/model.pt");
    let report = Outlast::new().json(&["risk", &container.name, "--event", "reboot", "--json"]);
    assert!(finding_paths(&report).contains(&"/ram/model.pt".to_string()), "{report:#}");
    let retired = Outlast::new().json(&["risk", &container.name, "--json"]);
    assert_eq!(retired["workspaces"][0]["files"], 0, "a retire leaves it where it is");
}

#[test]
fn places_that_were_not_read_are_never_called_none() {
    let Some(engine) = docker::engine() else { return };
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let bind = format!("{}:/workspace", folder.path().display());
    let container = engine.container("unread").args(["-v", &bind]).run();
    container.exec("echo x > /workspace/w.py");
    let answer = Outlast::new().run(&["risk", &container.name, "--event", "workspace_deletion"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    assert!(!answer.out.contains("none lost"), "{}", answer.out);
    assert!(answer.out.contains("/workspace was not read"), "{}", answer.out);
}

#[test]
fn a_checkpoint_in_a_cache_folder_is_no_cache_and_a_stop_is_refused() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("cache").args(["--tmpfs", "/root/.cache"]).run();
    container.exec("echo x > /root/.cache/c.pt; echo y > /root/.cache/index");
    let plan = Outlast::new().run(&["stop", &container.name, "--dry-run"]);
    assert!(plan.out.contains("1 file, 4.0K") && plan.out.contains("caches"), "{}", plan.out);
    let answer = Outlast::new().run(&["stop", &container.name, "--yes"]);
    assert_eq!(answer.code, 4, "{}{}", answer.out, answer.err);
    assert_eq!(container.inspect("{{.State.Running}}"), "true");
}

#[test]
fn the_offered_command_copies_out_and_overwrites_nothing() {
    let Some(engine) = docker::engine() else { return };
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let bind = format!("{}:/data", folder.path().display());
    let container = engine.container("rescue").args(["-v", &bind]).run();
    container.exec("echo precious > /data/model.pt; echo other > /tmp/model.pt; echo new > /tmp/other.pt");
    for (file, expected) in [("model.pt", "precious\n"), ("other.pt", "new\n")] {
        let subject = format!("{}:/tmp/{file}", container.name);
        let report = Outlast::new().json(&["explain", &subject, "--json"]);
        let command = report["command"].as_str().unwrap().to_string();
        // Whether the copy was refused or done, what is there is the right one.
        let _ = Command::new("sh").args(["-c", &command]).status().unwrap();
        assert_eq!(std::fs::read_to_string(folder.path().join(file)).unwrap(), expected, "{command}");
    }
}

#[test]
fn the_command_out_of_a_stopped_container_keeps_what_is_there() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("out").run();
    container.exec("echo inside > /tmp/a.csv");
    container.stop();
    let subject = format!("{}:/tmp/a.csv", container.name);
    let report = Outlast::new().json(&["explain", &subject, "--json"]);
    let command = report["command"].as_str().unwrap();
    let here = tempfile::tempdir().unwrap();
    let run = || Command::new("sh").args(["-c", command]).current_dir(here.path()).status().unwrap();
    assert!(run().success(), "{command}");
    assert_eq!(std::fs::read_to_string(here.path().join("a.csv")).unwrap(), "inside\n");
    std::fs::write(here.path().join("a.csv"), "mine by now\n").unwrap();
    let _ = run();
    assert_eq!(std::fs::read_to_string(here.path().join("a.csv")).unwrap(), "mine by now\n");
}
