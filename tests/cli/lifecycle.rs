//! `lifecycle`: on real containers, in the states in which people find them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{Outlast, one};
use crate::support::docker::{self, Container};
use crate::support::dockerd::Dockerd;

/// The report on one container.
fn report(outlast: &Outlast, container: &Container) -> Value {
    let report = outlast.json(&["lifecycle", &container.name, "--json"]);
    assert_eq!(report["workspaces"].as_array().unwrap().len(), 1);
    report["workspaces"][0].clone()
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

fn scenarios(report: &Value) -> Vec<String> {
    let situations = report["situations"].as_array().unwrap();
    situations.iter().map(|situation| situation["scenario"].as_str().unwrap().to_string()).collect()
}

/// A folder that is no host temp.
fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/srv").unwrap()
}

/// Minutes from a container's end to when a timer ends.
fn minutes_after_the_end(outlast: &Outlast, container: &Container, timer: &str) -> i64 {
    let finished: Timestamp = container.inspect("{{.State.FinishedAt}}").parse().unwrap();
    let due = time(&one(&report(outlast, container)["timers"], "id", timer)["due"]);
    due.duration_since(finished).as_mins()
}

/// A file of limits in which bob is a researcher.
const LIMITS: &str = "
defaults: { container_hold_after_stop: 0.5 }
default_group: student
groups:
  student: { container_hold_after_stop: 0.5 }
  researcher: { members: [bob], container_hold_after_stop: 1 }
";

#[test]
fn a_stopped_container_counts_from_its_end_and_by_its_owners_group() {
    let Some(engine) = docker::engine() else { return };
    let ended = |owner: &str| {
        let label = format!("ds01.user={owner}");
        let container = engine.container("hold").args(["--label", &label]).script("exit 0").run();
        container.wait();
        container
    };
    let (alice, bob) = (ended("alice"), ended("bob"));
    let outlast = Outlast::new();
    assert_eq!(minutes_after_the_end(&outlast, &alice, "hold"), 30, "the platform's default");
    let file = outlast.home().join("resource-limits.yaml");
    std::fs::write(&file, LIMITS).unwrap();
    let config = outlast.home().join("config/outlast");
    std::fs::create_dir_all(&config).unwrap();
    let text = format!("[parameters.ds01]\nlimits_file = {:?}\n", file.display().to_string());
    std::fs::write(config.join("config.toml"), text).unwrap();
    assert_eq!(minutes_after_the_end(&outlast, &alice, "hold"), 30);
    assert_eq!(minutes_after_the_end(&outlast, &bob, "hold"), 60);
    let hold = &report(&outlast, &bob)["timers"];
    assert_eq!(one(hold, "id", "hold")["by"], "this host's limits");
    // A damaged file is named, and the platform's default holds.
    std::fs::write(&file, "groups: [").unwrap();
    let hold = report(&outlast, &bob)["timers"].clone();
    let notes = one(&hold, "id", "hold")["notes"].to_string();
    assert!(notes.contains("resource-limits.yaml"), "{notes}");
    assert_eq!(minutes_after_the_end(&outlast, &bob, "hold"), 30);
}

#[test]
fn a_container_that_never_started_is_counted_too_and_stands_in_the_table() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("never").args(["--label", "ds01.user=alice"]).create();
    let outlast = Outlast::new();
    let found = report(&outlast, &container);
    assert_eq!(
        (found["next"].as_str(), scenarios(&found)),
        (Some("never_started"), vec!["never_started".into()])
    );
    let table = outlast.run(&["lifecycle"]).out;
    let line =
        table.lines().find(|line| line.starts_with(&container.name)).unwrap_or_else(|| panic!("{table}"));
    assert!(line.contains("min left until it is removed") && line.contains("not running"), "{line}");
}

#[test]
fn a_keep_alive_file_is_seen_on_the_host_and_expires_after_a_day() {
    let Some(engine) = docker::engine() else { return };
    let folder = folder();
    let bind = format!("{}:/workspace", folder.path().display());
    let args = ["--label", "ds01.user=alice", "--label", "ds01.gpu.allocated=1", "-v", &bind];
    let container = engine.container("keep").args(args).run();
    let outlast = Outlast::new();
    let idle = || one(&report(&outlast, &container)["timers"], "id", "idle").clone();
    assert_eq!(idle()["state"], "unknown", "nobody measures activity");
    container.exec("touch /workspace/.keep-alive");
    assert_eq!(idle()["state"], "held_off");
    let file = std::fs::File::options().write(true).open(folder.path().join(".keep-alive")).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_hours(25)).unwrap();
    let expired = idle();
    assert_eq!(expired["state"], "unknown");
    assert!(expired["notes"].to_string().contains("keep-alive expired 1h ago"), "{expired}");
    std::fs::remove_file(folder.path().join(".keep-alive")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join(".keep-alive")).unwrap();
    assert!(!idle()["notes"].to_string().contains("keep-alive expired"), "a link is no keep-alive file");
}

#[test]
fn a_crash_says_its_cause_and_its_command_brings_the_files_back() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("crash").run();
    container.exec("echo kept > /opt/result");
    container.kill();
    let outlast = Outlast::new();
    let found = report(&outlast, &container);
    assert_eq!(scenarios(&found), ["crashed"]);
    assert_eq!(found["exit_cause"], "killed by signal 9 (exit 137)");
    let situation = &found["situations"][0];
    assert!(situation["kept"].to_string().contains("container"), "{situation}");
    let command = situation["steps"][0]["command"].as_str().unwrap();
    let status = std::process::Command::new("sh").args(["-c", command]).output().unwrap().status;
    assert!(status.success(), "{command}");
    assert_eq!(container.exec("cat /opt/result"), "kept");
    assert!(scenarios(&report(&outlast, &container)).is_empty());
}

#[test]
fn a_deleted_image_is_told_and_its_command_saves_what_the_container_holds() {
    let Some(engine) = docker::engine() else { return };
    let image = format!("{}:1", docker::unique("image"));
    let source = engine.container("source").create();
    engine.run(&["commit", &source.id, &image]);
    let container = engine.container("imageless").image(image.clone()).run();
    container.exec("echo kept > /opt/result");
    container.stop();
    engine.run(&["rmi", "-f", &image]);
    let outlast = Outlast::new();
    let found = report(&outlast, &container);
    let deleted = &found["situations"][0];
    assert_eq!(deleted["scenario"], "image_deleted", "{found:#}");
    let save = deleted["steps"][0]["command"].as_str().unwrap();
    let saved = save.rsplit(' ').next().unwrap().to_string();
    let status = std::process::Command::new("sh").args(["-c", save]).output().unwrap().status;
    assert!(status.success(), "{save}");
    let again = engine.container("again").args(["--env", "PATH=/bin"]).image(saved.clone()).run();
    assert_eq!(again.exec("cat /opt/result"), "kept");
    drop((again, container));
    let _ = engine.try_run(&["rmi", "-f", &saved]);
}

#[test]
fn a_folder_deleted_under_a_running_container_is_told_and_nothing_is_made_in_its_place() {
    let Some(engine) = docker::engine() else { return };
    let folder = folder();
    let bind = format!("{}:/workspace", folder.path().display());
    let container = engine.container("gone").args(["--label", "ds01.user=alice", "-v", &bind]).run();
    let place = folder.path().to_path_buf();
    folder.close().unwrap();
    let found = report(&Outlast::new(), &container);
    assert_eq!(scenarios(&found), ["workspace_deleted"], "{found:#}");
    assert_eq!(one(&found["objects"], "id", "workspace")["exists"], false);
    assert!(!place.exists());
}

#[test]
fn a_whole_root_lists_its_projects_and_another_place_is_told() {
    let Some(engine) = docker::engine() else { return };
    let mut outlast = Outlast::new();
    outlast.home = tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/srv").unwrap();
    let root = outlast.home().join("workspace");
    for name in ["first", "second"] {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    let other = folder();
    let at = |place: &std::path::Path| {
        let bind = format!("{}:/workspace", place.display());
        let container = engine.container("place").args(["--label", "ds01.user=alice", "-v", &bind]).run();
        report(&outlast, &container)["folder"].clone()
    };
    let whole = at(&root);
    assert_eq!(
        (whole["place"].as_str(), whole["projects"].to_string()),
        (Some("whole_root"), r#"["first","second"]"#.into())
    );
    assert_eq!(at(&root.join("first"))["place"], "project");
    assert_eq!(at(other.path())["place"], "not_default");
}

#[test]
fn a_home_over_the_limit_is_pinned_to_its_node_and_a_smaller_one_is_not() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let profiles = outlast.home().join("config/outlast/profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    let text = "id = \"small\"\ntitle = \"Small\"\nextends = \"vessl\"\n[limits]\nbackup_bytes = 1048576\n";
    std::fs::write(profiles.join("small.toml"), text).unwrap();
    let home = folder();
    let bind = format!("{}:/home/vessl", home.path().display());
    let container = engine.container("node").args(["--label", "outlast.profile=small", "-v", &bind]).run();
    std::fs::write(home.path().join("weights"), vec![7; 100_000]).unwrap();
    let node = report(&outlast, &container)["node"].clone();
    assert!(node["pinned"].is_null() && node["bytes"].as_u64().unwrap() >= 100_000, "{node}");
    std::fs::write(home.path().join("weights"), vec![7; 2 << 20]).unwrap();
    let node = report(&outlast, &container)["node"].clone();
    assert_eq!((&node["pinned"], &node["limit"]), (&Value::Bool(true), &Value::from(1_048_576)), "{node}");
    let lines = outlast.run(&["lifecycle", &container.name]).out;
    assert!(lines.contains("pinned to this node"), "{lines}");
}

#[test]
fn after_a_reboot_what_was_said_to_come_back_is_back_and_the_rest_is_not() {
    let Some(mut dockerd) = Dockerd::start() else { return };
    let cli = dockerd.cli();
    let outlast = Outlast::new().with("DOCKER_HOST", &format!("unix://{}", dockerd.socket().display()));
    let with = |policy: &str| cli.container(policy).args(["--restart", policy]).run();
    let [none, always, unless] = ["no", "always", "unless-stopped"].map(with);
    let removed = cli.container("removed").args(["--rm"]).run();
    for container in [&none, &always] {
        container.exec("echo kept > /opt/result; echo lost > /dev/shm/x");
    }
    let predicted =
        |container: &Container| report(&outlast, container)["after_reboot"].as_str().unwrap().to_string();
    assert_eq!(
        [&none, &always, &unless, &removed].map(predicted),
        ["will_not_return", "comes_back", "comes_back", "removed"]
    );
    dockerd.reboot();
    let state = |container: &Container| container.inspect("{{.State.Status}}");
    let begun = std::time::Instant::now();
    while [&always, &unless].iter().any(|container| state(container) != "running") {
        assert!(begun.elapsed() < Duration::from_secs(30), "they do not come back");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(state(&none), "exited");
    assert!(!removed.exists());
    assert_eq!(always.exec("cat /opt/result; ls /dev/shm"), "kept");
    let found = report(&outlast, &none);
    assert_eq!(scenarios(&found), ["ended_with_host"], "{found:#}");
    let situation = &found["situations"][0];
    assert!(situation["lost"].to_string().contains("/dev/shm"), "{situation}");
    none.start();
    assert_eq!(none.exec("cat /opt/result; ls /dev/shm"), "kept");
}
