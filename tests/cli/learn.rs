//! `guide` and `habits`, who helps, and commands that do what they say.

use std::path::Path;
use std::process::Command;

use super::{Outlast, one};
use crate::support::docker;

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

#[test]
fn the_guide_of_a_platform_needs_no_engine_and_has_its_own_paths_and_words() {
    let outlast = Outlast::new().with("DOCKER_HOST", "unix:///nowhere/engine.sock");
    for (profile, says) in [
        ("vessl", ["Only /home/vessl is kept", "here: terminate", "support@vessl.ai"]),
        ("ds01", ["Everything in /workspace", "here: container-retire", "the administrators of this server"]),
        (
            "backendai",
            ["mounted storage folders", "here: terminate session", "administrator of your Backend.AI"],
        ),
        ("deeporigin", ["/home/bench-user", "here: terminate", "Deep Origin customer support"]),
        ("docker", ["What is in a mounted folder", "writable layer", "whoever runs this machine"]),
    ] {
        let answer = outlast.run(&["guide", "--profile", profile]);
        assert_eq!(answer.code, 0, "{}", answer.err);
        for text in says {
            assert!(answer.out.contains(text), "{profile}: {text}\n{}", answer.out);
        }
        assert!(!answer.out.contains("${"), "{}", answer.out);
        let guide = outlast.json(&["guide", "--profile", profile, "--json"]);
        assert_eq!(guide["profile"], profile);
        assert!(guide["workspace"].is_null() && guide["good"].as_array().unwrap().len() > 1, "{guide}");
    }
}

#[test]
fn the_guide_of_a_workspace_has_its_own_mounts() {
    let outlast = Outlast::new();
    let guide = outlast.json(&["--engine", "demo", "guide", "bert-session", "--json"]);
    assert_eq!([&guide["profile"], &guide["workspace"]], ["backendai", "bert-session"]);
    assert_eq!(guide["events"]["retire"]["word"], "terminate session");
    let places = guide["places"].as_array().unwrap();
    let corpus = places.iter().find(|place| place["paths"][0] == "/home/work/corpus").unwrap();
    assert_eq!(corpus["fates"]["retire"], "kept");
    let unknown = outlast.run(&["--engine", "demo", "guide", "nobody"]);
    assert_eq!(unknown.code, 2, "{}", unknown.err);
}

#[test]
fn the_habit_of_pushing_is_ticked_after_a_push_from_the_folder_of_a_real_container() {
    let Some(engine) = docker::engine() else { return };
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("p");
    std::fs::create_dir_all(folder.join("data")).unwrap();
    git(&folder, &["init", "-q"]);
    std::fs::write(folder.join("train.py"), "print()").unwrap();
    git(&folder, &["add", "train.py"]);
    git(&folder, &["commit", "-qm", "one"]);
    let bare = dir.path().join("far.git");
    git(dir.path(), &["init", "-q", "--bare", &bare.display().to_string()]);
    git(&folder, &["remote", "add", "origin", &bare.display().to_string()]);
    let bind = format!("{}:/workspace", folder.display());
    let labels = ["--label", "ds01.user=alice", "-v", &bind];
    let container = engine.container("habits").args(labels).run();
    let outlast = Outlast::new();
    let pushed = || {
        let answer = outlast.json(&["habits", &container.name, "--json"]);
        one(&answer["habits"], "id", "git-push")["done"].clone()
    };
    assert_eq!(pushed(), false);
    git(&folder, &["push", "-q", "-u", "origin", "HEAD"]);
    assert_eq!(pushed(), true);
    let answer = outlast.run(&["habits", &container.name]);
    assert!(answer.out.contains("Save everything to /workspace"), "{}", answer.out);
    assert!(answer.out.contains("no backup of it is known"), "{}", answer.out);
    assert!(answer.out.lines().all(|line| line.chars().count() <= 80), "{}", answer.out);
}

#[test]
fn a_protected_container_is_refused_with_the_name_of_who_helps() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("locked").args(["--label", "ds01.protected=true"]).run();
    let answer = outlast.run(&["stop", &container.name, "--yes"]);
    assert_eq!(answer.code, 4, "{}", answer.err);
    let hint = "hint: who helps: the administrators of this server, the ds01-hub issue tracker";
    assert!(answer.err.contains(hint), "{}", answer.err);
    let json = outlast.run(&["stop", &container.name, "--yes", "--json"]).json();
    assert!(json["errors"][0]["hint"].as_str().unwrap().contains("who helps: "), "{json}");
}

#[test]
fn the_command_of_a_plan_does_what_the_plan_does() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let (by_hand, by_us) = (engine.container("by-hand").run(), engine.container("by-us").run());
    for verb in ["stop", "start"] {
        let plan = outlast.json(&[verb, &by_hand.name, "--dry-run", "--json"]);
        let call = plan["plan"]["steps"][0]["call"].as_str().unwrap();
        let done = Command::new("sh").args(["-c", call]).output().unwrap();
        assert!(done.status.success(), "{call}: {}", String::from_utf8_lossy(&done.stderr));
        assert_eq!(outlast.run(&[verb, &by_us.name, "--yes"]).code, 0);
        let state = "{{.State.Status}} {{.State.ExitCode}}";
        assert_eq!(by_hand.inspect(state), by_us.inspect(state), "after {call}");
    }
}
