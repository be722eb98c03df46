//! `mounts` and `explain`: what a path lives on and what becomes of it.

use super::{Outlast, one};
use crate::support::docker;

#[test]
fn every_kind_of_mount_is_shown_as_what_it_is() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let volume = engine.volume("data", &[]);
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let bind = format!("{}:/bind:ro", folder.path().display());
    let named = format!("{}:/named", volume.name);
    let container =
        engine.container("kinds").args(["-v", &bind, "-v", &named, "-v", "/anon", "--tmpfs", "/scratch"]).run();
    let report = outlast.json(&["mounts", &container.name, "--json"]);
    let of = |target: &str| one(&report["mounts"], "target", target).clone();
    let storage = |target: &str| of(target)["storage"].clone();
    assert_eq!(storage("/"), "writable_layer");
    assert_eq!(storage("/bind"), "bind_mount");
    assert_eq!(storage("/named"), "named_volume");
    assert_eq!(storage("/anon"), "anonymous_volume");
    assert_eq!(storage("/scratch"), "tmpfs");
    assert_eq!(storage("/dev/shm"), "tmpfs");
    assert_eq!(of("/bind")["read_only"], true);
    assert_eq!(of("/named")["read_only"], false);
    assert!(of("/bind")["filesystem"].is_string());
    assert_eq!(of("/bind")["fates"]["retire"], "kept");
    assert_eq!(of("/scratch")["fates"]["stop"], "lost");
    assert_eq!(of("/anon")["fates"]["retire"], "conditional", "an anonymous volume is warned about");
    let targets = |args: &[&str]| outlast.json(args)["mounts"].as_array().unwrap().len();
    let more = targets(&["mounts", &container.name, "--json", "--all"]);
    assert!(more > report["mounts"].as_array().unwrap().len(), "--all shows proc and the like");
    let table = outlast.run(&["mounts", &container.name]);
    assert!(table.out.contains("kept if not pruned"), "{}", table.out);
}

#[test]
fn a_path_is_explained_for_all_seven_events() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("explain").run();
    container.exec("echo work > /tmp/model.pt");
    let explain = |path: &str| outlast.json(&["explain", &format!("{}:{path}", container.name), "--json"]);
    let written = explain("/tmp/model.pt");
    assert_eq!(written["storage"], "writable_layer");
    assert_eq!(written["fates"].as_object().unwrap().len(), 7);
    assert_eq!(written["fates"]["stop"], "kept");
    assert_eq!(written["fates"]["retire"], "lost");
    assert_eq!(written["why"]["retire"]["basis"], "observed");
    let from_image = explain("/opt/from-image");
    assert_eq!(from_image["storage"], "image_layer");
    assert_eq!(from_image["fates"]["retire"], "rebuilt");

    let text = outlast.run(&["explain", "--in", &container.name, "/tmp/model.pt", "--event", "stop"]);
    assert!(text.out.starts_with("/tmp/model.pt: kept if stopped: "), "{}", text.out);
}

#[test]
fn host_and_container_paths_have_the_same_answer_both_ways() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let project = outlast.home().join("workspace/p");
    std::fs::create_dir_all(project.join("data")).unwrap();
    std::fs::create_dir_all(outlast.home().join("cache")).unwrap();
    std::fs::write(project.join("data/x"), "x").unwrap();
    let bind = format!("{}:/workspace", project.display());
    let nested = format!("{}:/workspace/cache", outlast.home().join("cache").display());
    let container = engine.container("both").args(["-v", &bind, "-v", &nested]).run();

    let host = project.join("data/x").display().to_string();
    let inside = outlast.json(&["explain", &format!("{}:/workspace/data/x", container.name), "--json"]);
    assert_eq!(inside["host_path"], host.as_str());
    let outside = outlast.json(&["explain", "~/workspace/p/data/x", "--json"]);
    assert_eq!(outside["resolved"], "/workspace/data/x");
    assert_eq!(outside["workspace"], container.name.as_str());
    assert_eq!(outside["fates"], inside["fates"]);
    assert_eq!(one(&outside["seen_in"], "workspace", &container.name)["path"], "/workspace/data/x");

    let nested = outlast.json(&["explain", &format!("{}:/workspace/cache/y", container.name), "--json"]);
    let cache = outlast.home().join("cache/y").display().to_string();
    assert_eq!(nested["host_path"], cache.as_str(), "the longest match wins");
    assert_eq!(outlast.json(&["explain", &cache, "--json"])["resolved"], "/workspace/cache/y");
}

#[test]
fn a_host_path_that_no_workspace_mounts_is_this_machines() {
    let Some(_engine) = docker::engine() else { return };
    let report = Outlast::new().json(&["explain", "/usr/bin", "--json"]);
    assert!(report["workspace"].is_null());
    assert_eq!(report["endpoint"], "machine");
}

#[test]
fn links_are_followed_inside_the_container_and_never_on_the_host() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let bind = format!("{}:/workspace", folder.path().display());
    let container = engine.container("links").args(["-v", &bind]).run();
    container.exec(
        "mkdir -p /tmp/out /workspace/m && ln -s /tmp/out /workspace/out && ln -s /workspace/m /home/u/m",
    );
    let explain = |path: &str| outlast.json(&["explain", &format!("{}:{path}", container.name), "--json"]);
    let lost = explain("/workspace/out/model.pt");
    assert_eq!((&lost["resolved"], &lost["fates"]["retire"]), (&"/tmp/out/model.pt".into(), &"lost".into()));
    let kept = explain("/home/u/m/x");
    assert_eq!((&kept["resolved"], &kept["fates"]["retire"]), (&"/workspace/m/x".into(), &"kept".into()));
    container.exec("ln -s /loop /loop");
    let answer = outlast.run(&["explain", &format!("{}:/loop/x", container.name)]);
    assert_eq!(answer.code, 1);
    assert!(answer.err.contains("more links than can be followed"), "{}", answer.err);
}
