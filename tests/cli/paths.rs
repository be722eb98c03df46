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

#[test]
fn the_command_brings_a_file_out_and_never_overwrites() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("out").run();
    container.exec("echo theirs > /tmp/model.pt; echo theirs > /dev/shm/model.pt");
    let command = |path: &str| {
        let report =
            outlast.json(&["explain", &format!("{}:{path}", container.name), "--event", "retire", "--json"]);
        report["command"].as_str().map(str::to_string)
    };
    for path in ["/tmp/model.pt", "/dev/shm/model.pt"] {
        let todo = command(path).unwrap();
        for before in [None, Some("mine\n")] {
            let here = tempfile::tempdir().unwrap();
            let file = here.path().join("model.pt");
            if let Some(text) = before {
                std::fs::write(&file, text).unwrap();
            }
            std::process::Command::new("sh").args(["-c", &todo]).current_dir(here.path()).output().unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap(), before.unwrap_or("theirs\n"), "{todo}");
        }
    }
    assert_eq!(command("/tmp/nothing"), None, "nothing is there to copy");
}

#[test]
fn a_folder_that_is_mounted_twice_is_seen_twice() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    std::fs::write(folder.path().join("x"), "x").unwrap();
    let binds = ["/one", "/two"].map(|target| format!("{}:{target}", folder.path().display()));
    let container = engine.container("twice").args(["-v", &binds[0], "-v", &binds[1]]).run();
    let report = outlast.json(&["explain", &folder.path().join("x").display().to_string(), "--json"]);
    assert_eq!(report["workspace"], container.name.as_str());
    let mut seen: Vec<_> =
        report["seen_in"].as_array().unwrap().iter().map(|place| place["path"].as_str().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, ["/one/x", "/two/x"]);
}

#[test]
fn what_is_not_there_yet_is_explained_as_what_it_would_become() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let bind = format!("{}:/data:ro", folder.path().display());
    let container = engine.container("not-yet").args(["-v", &bind, "-e", "X=1"]).run();
    let name = &container.name;
    let text = outlast.run(&["explain", &format!("{name}:/tmp/new:a b"), "--event", "retire"]).out;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let begin = "/tmp/new:a b: nothing is there yet; what is written there would be lost if retired: ";
    assert!(flat.starts_with(begin), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let report = outlast.json(&["explain", &format!("{name}:/tmp/new:a b"), "--json"]);
    assert_eq!((&report["exists"], &report["path"]), (&false.into(), &"/tmp/new:a b".into()));
    let within = outlast.json(&["explain", "--in", name, "a:b/c", "--json"]);
    assert_eq!(within["resolved"], "/a:b/c", "with --in all of it is the path");
    let read_only = outlast.run(&["explain", &format!("{name}:/data/x")]).out;
    assert!(read_only.contains("nothing can be saved here"), "{read_only}");
    let lost = outlast.run(&["explain", &format!("{name}:/data"), "--event", "host_loss"]).out;
    assert!(lost.contains("condition    a verified backup exists"), "{lost}");
    assert!(lost.contains("not known whether it holds"), "{lost}");
    let wrong = outlast.json(&["--profile", "ds01", "explain", &format!("{name}:/workspace/x"), "--json"]);
    assert_eq!(wrong["violation"], "workspace-not-mounted");
    assert!(wrong["violation_words"].as_str().unwrap().contains("nothing is mounted"), "{wrong:#}");
}

#[test]
fn a_path_with_odd_bytes_is_explained_and_named_exactly_running_and_stopped() {
    use std::os::unix::ffi::OsStrExt as _;
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("bytes").run();
    container.exec(r#"printf x > "$(printf '/tmp/\377.csv')""#);
    let subject = [container.name.as_bytes(), b":/tmp/\xff.csv"].concat();
    for _ in 0..2 {
        let mut command = outlast.command(&["explain", "--json"]);
        let output = command.arg(std::ffi::OsStr::from_bytes(&subject)).output().unwrap();
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["path_b64"], "L3RtcC//LmNzdg==", "{report:#}");
        assert_eq!(
            (&report["exists"], &report["fates"]["retire"]),
            (&true.into(), &"lost".into()),
            "{report:#}"
        );
        container.stop();
    }
}

#[test]
fn a_host_path_that_no_container_mounts_has_the_host_rules_of_the_profile() {
    let Some(_engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    std::fs::create_dir_all(outlast.home().join("workspace/p")).unwrap();
    let report = outlast.json(&["--profile", "ds01", "explain", "~/workspace/p", "--json"]);
    assert_eq!((&report["rule"], &report["fates"]["retire"]), (&"host-workspace".into(), &"kept".into()));
    let report = outlast.json(&["--profile", "ds01", "explain", "/workspace/x", "--json"]);
    assert!(report["violation"].is_null() && report["rule"].is_null(), "no container's path: {report:#}");
}

#[test]
fn the_copy_out_command_copies_once_and_fails_where_a_file_is_in_the_way() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let container = engine.container("twice").args(["-v", &format!("{}:/data", folder.path().display())]).run();
    container.exec("mkdir -p /root/a /root/b; echo a > /root/a/m.pt; echo b > /root/b/m.pt");
    for (name, copied) in [("a", true), ("b", false)] {
        let subject = format!("{}:/root/{name}/m.pt", container.name);
        let report = outlast.json(&["explain", &subject, "--event", "retire", "--json"]);
        let command = report["command"].as_str().unwrap().to_string();
        let ran = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
        assert_eq!(ran.status.success(), copied, "{command}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("m.pt")).unwrap(), "a\n");
}

#[test]
fn i20_data_that_can_be_fetched_again_is_told_from_the_only_copy() {
    let outlast = Outlast::new().with("OUTLAST_ENGINE", "machine");
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let lone = file("data/raw.csv", "1,2");
    let copies = |path: &str| outlast.json(&["explain", path, "--json"])["copies"].clone();
    assert_eq!(copies(&lone), "only_copy");
    file("data/raw.csv.dvc", "outs:\n- md5: 0\n  path: raw.csv\n");
    assert_eq!(copies(&lone), "dvc", "the same file, with its pointer beside it");
    let shown = outlast.run(&["explain", &lone]);
    assert!(shown.out.contains("can be fetched again") && shown.out.contains("dvc pull"), "{}", shown.out);
    let pointer = file("model.pt", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n");
    assert_eq!(copies(&pointer), "lfs");
    assert_eq!(copies(&file("notes.txt", "mine")), serde_json::Value::Null);
}
