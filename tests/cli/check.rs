//! Platforms, their findings and the tree of places, on containers dressed as each platform.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::{Answer, Outlast, one};
use crate::support::docker::{self, Cli, Container};

/// A container with a label of its own for each platform, and one without any.
fn dressed(engine: &Cli) -> [(Container, &'static str); 5] {
    let with = |what: &str, args: &[&str]| engine.container(what).args(args.iter().copied()).run();
    [
        (with("ds01", &["--label", "ds01.user=alice"]), "ds01"),
        (with("vessl", &["-e", "VESSL_WORKSPACE_ID=7"]), "vessl"),
        (with("backendai", &["--label", "ai.backend.session-id=5f3c"]), "backendai"),
        (with("deeporigin", &["-e", "DEEP_ORIGIN_ORG=lab"]), "deeporigin"),
        (with("plain", &[]), "docker"),
    ]
}

#[test]
fn four_containers_get_the_four_profiles_and_an_unknown_one_is_docker() {
    let Some(engine) = docker::engine() else { return };
    let dressed = dressed(&engine);
    let outlast = Outlast::new();
    let report = outlast.run(&["ls", "--no-risk", "--json"]).json();
    for (container, profile) in &dressed {
        let row = one(&report["workspaces"], "container", &container.name);
        assert_eq!(row["profile"], *profile, "{row}");
        assert!(row["profile_why"].as_str().is_some_and(|why| !why.is_empty()));
    }
    assert_eq!(report["of_others"], 0, "root sees everybody's");
    let row = one(&report["workspaces"], "container", &dressed[0].0.name);
    assert_eq!(row["profile_why"], "label ds01.user");
    let forced = outlast.run(&["--profile", "vessl", "ls", "--no-risk", "--json"]).json();
    for (container, _) in &dressed {
        let row = one(&forced["workspaces"], "container", &container.name);
        assert_eq!((&row["profile"], &row["profile_why"]), (&"vessl".into(), &"asked for".into()));
    }
}

#[test]
fn views_of_a_platform_that_recreates_on_stop_begin_with_a_stop() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("recreates").args(["-e", "VESSL_WORKSPACE_ID=7"]).run();
    let plain = engine.container("stays").run();
    let outlast = Outlast::new();
    let event = |name: &str| outlast.run(&["survives", name, "--json"]).json()["event"].clone();
    assert_eq!(event(&container.name), "stop");
    assert_eq!(event(&plain.name), "retire");
}

fn finding<'v>(report: &'v Value, id: &str) -> &'v Value {
    one(&report["findings"], "id", id)
}

#[test]
fn a_workspace_without_its_mount_is_critical_and_one_with_it_is_not() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let bare = engine.container("bare").args(["--label", "ds01.user=alice"]).run();
    let answer = outlast.run(&["check", &bare.name, "--json"]);
    assert_eq!(answer.code, 2, "{}", answer.out);
    let report = answer.json();
    let found = finding(&report, "workspace-not-mounted");
    assert_eq!((&found["severity"], &found["subject"]), (&"critical".into(), &bare.name.clone().into()));
    assert!(found["evidence"].as_str().is_some_and(|text| text.contains("/workspace")), "{found}");
    assert!(found["fix"].as_str().is_some_and(|text| !text.is_empty()), "{found}");
    let listed = outlast.run(&["ls", "--no-risk", "--json"]).json();
    let violations = &one(&listed["workspaces"], "container", &bare.name)["violations"];
    assert_eq!(*violations, serde_json::json!([{ "id": "workspace-not-mounted", "path": "/workspace" }]));
    let table = outlast.run(&["ls", "--no-risk"]);
    let line = table.out.lines().find(|line| line.contains(&bare.name)).unwrap_or_default();
    assert!(line.contains("/workspace not mounted"), "{line}");
    let text = outlast.run(&["check", &bare.name]);
    let first = text.out.lines().next().unwrap_or_default();
    assert!(
        first.starts_with(&format!("CRITICAL: {}: nothing is mounted at /workspace", bare.name)),
        "{first}"
    );

    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let bind = format!("{}:/workspace", folder.path().display());
    let good = engine.container("good").args(["--label", "ds01.user=alice", "-v", &bind]).run();
    let answer = outlast.run(&["check", &good.name]);
    assert_eq!((answer.code, answer.out.as_str()), (0, "OK: 1 workspace looked at\n"), "{}", answer.err);
}

#[test]
fn a_folder_that_is_memory_or_was_deleted_is_found() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let label = ["--label", "ds01.user=alice"];
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let bind = format!("{}:/workspace", memory.path().display());
    let in_memory = engine.container("memory").args(label).args(["-v", &bind]).run();
    let answer = outlast.run(&["check", &in_memory.name, "--json"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    assert_eq!(finding(&answer.json(), "workspace-in-memory")["severity"], "warning");

    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let bind = format!("{}:/workspace", folder.path().display());
    let detached = engine.container("detached").args(label).args(["-v", &bind]).run();
    folder.close().unwrap();
    let answer = outlast.run(&["check", &detached.name, "--json"]);
    assert_eq!(answer.code, 2, "{}", answer.out);
    assert_eq!(finding(&answer.json(), "source-deleted")["severity"], "critical");
}

#[test]
fn a_tie_of_platforms_and_a_refused_profile_file_are_warnings() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let args = ["--label", "ds01.user=alice", "--label", "ai.backend.session-id=5f3c"];
    let both = engine.container("both-platforms").args(args).run();
    let answer = outlast.run(&["check", &both.name, "--json"]);
    assert_eq!(answer.code, 1, "{}", answer.out);
    let tie = answer.json();
    let evidence = finding(&tie, "several-platforms")["evidence"].as_str().unwrap().to_string();
    assert!(evidence.contains("none was taken") && evidence.contains("ds01") && evidence.contains("backendai"));

    let profiles = outlast.home().join("config/outlast/profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    std::fs::write(profiles.join("bad.toml"), "id = \"bad\"\n").unwrap();
    let all = outlast.run(&["check", "--json"]).json();
    let refused = finding(&all, "profile-refused");
    assert!(refused["evidence"].as_str().is_some_and(|text| text.contains("bad.toml: line 1")), "{refused}");
}

#[test]
fn what_cannot_be_looked_at_is_unknown_to_monitoring() {
    let outlast = Outlast::new().with("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    assert_eq!(outlast.run(&["check"]).code, 3);
    if docker::engine().is_some() {
        assert_eq!(Outlast::new().run(&["check", "no-such-workspace"]).code, 3, "never 2, which is critical");
    }
}

#[test]
fn the_tree_marks_exactly_what_the_event_loses() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let workspace = format!("{}:/workspace", folder.path().display());
    let data = format!("{}:/data:ro", folder.path().display());
    let args = ["--label", "ds01.user=alice", "-v", &workspace, "-v", &data, "--tmpfs", "/workspace/.cache"];
    let container = engine.container("tree").args(args).run();
    container.exec("mkdir -p /srv/results && echo x > /srv/results/eval.csv");
    for event in ["stop", "retire"] {
        let report = outlast.run(&["survives", &container.name, "--event", event, "--json"]).json();
        let places = report["places"].as_array().unwrap();
        for place in places {
            let subject = format!("{}:{}", container.name, place["path"].as_str().unwrap());
            // What is saved there, rather than the folder itself, which may be the image's.
            let explained = outlast.run(&["explain", &format!("{subject}/outlast-x"), "--json"]).json();
            let lost = |fate: &Value| *fate == "lost";
            assert_eq!(lost(&place["fate"]), lost(&explained["fates"][event]), "{place} {explained}");
        }
        let paths: Vec<_> = places.iter().map(|place| place["path"].as_str().unwrap()).collect();
        for path in
            ["/", "/tmp", "/root", "/opt/conda", "/workspace", "/workspace/.cache", "/data", "/srv/results"]
        {
            assert!(paths.contains(&path), "no {path} in {paths:?}");
        }
    }
    let text = outlast.run(&["survives", &container.name]).out;
    assert!(text.contains("    .cache"), "what lies below a mount is nested: {text}");
    assert!(text.contains("read-only: nothing can be saved here"), "{text}");
    assert!(text.contains("platform: DS01 (label ds01.user)"), "{text}");
    assert!(!container.succeeds("echo x > /data/x"), "and so it is");
}

/// Runs the binary as a plain user who may use the engine's socket.
pub(super) fn as_nobody(outlast: &Outlast, args: &[&str]) -> Answer {
    let binary = outlast.home().join("outlast");
    std::fs::copy(env!("CARGO_BIN_EXE_outlast"), &binary).unwrap();
    for path in [outlast.home().to_path_buf(), binary.clone()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let group =
        std::fs::metadata("/var/run/docker.sock").map(|meta| std::os::unix::fs::MetadataExt::gid(&meta));
    let group = group.unwrap_or(0).to_string();
    let output = std::process::Command::new("setpriv")
        .args(["--reuid", "65534", "--regid", &group, "--clear-groups"])
        .arg(&binary)
        .args(args)
        .env_clear()
        .env("HOME", outlast.home())
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_plain_person_sees_their_own_and_nobodys_workspaces_only() {
    let Some(engine) = docker::engine() else { return };
    if !rustix::process::getuid().is_root() || !std::path::Path::new("/var/run/docker.sock").exists() {
        eprintln!("skipped: only root can look as somebody else");
        return;
    }
    let outlast = Outlast::new();
    let of = |what: &str, owner: &str| {
        engine.container(what).args(["--label", &format!("ds01.user={owner}"), "--label", "ds01.x=1"]).run()
    };
    let (hers, own) = (of("hers", "bob"), of("own", "nobody"));
    let unknown = engine.container("unowned").args(["--label", "ds01.x=1"]).run();
    let elsewhere = engine
        .container("elsewhere")
        .args(["--label", "aime.mlc.USER=bob", "--label", "outlast.profile=docker"])
        .run();
    let report = as_nobody(&outlast, &["ls", "--no-risk", "--json"]).json();
    let names: Vec<_> =
        report["workspaces"].as_array().unwrap().iter().filter_map(|row| row["container"].as_str()).collect();
    assert!(!names.contains(&hers.name.as_str()), "{names:?}");
    for seen in [&own, &unknown, &elsewhere] {
        assert!(names.contains(&seen.name.as_str()), "{} in {names:?}", seen.name);
    }
    assert!(report["of_others"].as_u64().unwrap() >= 1);
    let table = as_nobody(&outlast, &["ls", "--no-risk"]);
    assert!(table.out.contains("of others not shown") && !table.out.contains(&hers.name), "{}", table.out);
    let check = as_nobody(&outlast, &["check", "--json"]).json();
    let subjects = check["findings"].as_array().unwrap().iter().filter_map(|found| found["subject"].as_str());
    let subjects: Vec<_> = subjects.collect();
    assert!(subjects.contains(&own.name.as_str()) && !subjects.contains(&hers.name.as_str()), "{subjects:?}");
    let refused = as_nobody(&outlast, &["stop", &hers.name, "--dry-run"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("somebody else's"), "{}", refused.err);
    // Root sees all.
    let all = outlast.run(&["ls", "--no-risk", "--json"]).json();
    assert_eq!(one(&all["workspaces"], "container", &hers.name)["owner"], "bob");
}

#[test]
fn a_protected_workspace_is_flagged_and_refused_for_everyone() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let args = ["--label", "ds01.monitoring=true", "--label", "ds01.user=alice"];
    let container = engine.container("protected").args(args).run();
    let report = outlast.run(&["ls", "--no-risk", "--json"]).json();
    assert_eq!(one(&report["workspaces"], "container", &container.name)["protected"], true);
    let table = outlast.run(&["ls", "--no-risk"]).out;
    assert!(table.lines().any(|line| line.contains(&container.name) && line.contains("protected")), "{table}");
    let refused = outlast.run(&["stop", &container.name, "--yes", "--lose-data"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert_eq!(container.inspect("{{.State.Running}}"), "true");
}
