//! Bad input, closed pipes and missing rights: a message, never a panic.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use base64::Engine as _;

use super::{Outlast, one};
use crate::support::docker;

#[test]
fn a_reader_that_goes_away_is_not_an_error() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("pipe").run();
    container
        .exec("i=0; while [ $i -lt 3000 ]; do : > /tmp/a-file-with-quite-a-long-name-$i; i=$((i+1)); done");
    let outlast = Outlast::new();
    for args in [
        &["risk", &container.name, "--limit", "5000"][..],
        &["risk", &container.name, "--limit", "5000", "--json"],
        &["man"],
        &["--help"],
    ] {
        let mut child = outlast.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Gone before the first byte, which is the hardest case.
        drop(child.stdout.take());
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), err.as_str()), (Some(0), ""), "{args:?}");
    }
}

#[test]
fn hostile_names_are_harmless_in_tables_and_exact_in_json() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("hostile").run();
    container.exec(r#"printf x > "$(printf '/tmp/a\033[2J\nb.csv')"; printf x > "$(printf '/tmp/\377.csv')""#);
    let table = outlast.run(&["risk", &container.name]);
    assert!(!table.out.contains('\x1b'), "{:?}", table.out);
    assert!(table.out.contains(r"/tmp/a\u{1b}[2J\nb.csv") && table.out.contains(r"/tmp/\xff.csv"));
    let report = outlast.json(&["risk", &container.name, "--json"]);
    one(&report["findings"], "path", "/tmp/a\x1b[2J\nb.csv");
    let bytes = base64::engine::general_purpose::STANDARD.encode(b"/tmp/\xff.csv");
    one(&report["findings"], "path_b64", &bytes);
}

#[test]
fn names_that_mean_nothing_are_wrong_use() {
    let Some(_engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    for args in [
        &["risk", "outlast-test-\x1b[2J-nobody"][..],
        &["mounts", ""],
        &["explain", "outlast-test-nobody:/x"],
        &["explain", "x", "--event", "earthquake"],
        &["--profile", "/nonexistent.toml", "ls"],
    ] {
        let answer = outlast.run(args);
        assert_eq!(answer.code, 2, "{args:?}: {}", answer.err);
        assert!(answer.err.contains("error: ") && !answer.err.contains('\x1b'), "{:?}", answer.err);
    }
}

#[test]
fn a_damaged_settings_file_is_named_with_its_line_and_nothing_ends() {
    let outlast = Outlast::new();
    let folder = outlast.home().join("config/outlast");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "ascii = true\ncolour = 3\n").unwrap();
    let answer = outlast.run(&["--engine", "machine", "ls", "--no-risk"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    assert!(answer.err.contains("config.toml: line 2: unknown field `colour`"), "{}", answer.err);
}

#[test]
fn an_engine_that_is_not_there_leads_to_three_and_a_way_out() {
    let outlast = Outlast::new().with("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    let answer = outlast.run(&["ls"]);
    assert_eq!(answer.code, 3, "{}", answer.err);
    assert!(answer.err.contains("error: ") && answer.err.contains("hint: "), "{}", answer.err);
    let answer = outlast.run(&["ls", "--json"]);
    assert_eq!(answer.code, 3, "{}", answer.err);
    let report = answer.json();
    assert_eq!(report["complete"], false);
    let error = &report["errors"][0];
    assert_eq!((&error["endpoint"], &error["section"]), (&"docker".into(), &"ls".into()));
    assert!(error["message"].is_string() && error["hint"].is_string(), "{error}");
    assert!(answer.err.contains("error: "), "a person is told as well");
}

#[test]
fn a_failure_is_one_json_object_for_a_script() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("failure").args(["--tmpfs", "/scratch"]).run();
    container.exec("echo x > /scratch/a.csv");
    for (args, code) in [
        (&["mounts", "outlast-test-nobody", "--json"][..], 2),
        (&["explain", "outlast-test-nobody:", "--json"], 2),
        (&["ls", "--nonsense", "--json"], 2),
        (&["--profile", "/nonexistent.toml", "ls", "--json"], 2),
        (&["stop", &container.name, "--yes", "--json"], 4),
    ] {
        let answer = outlast.run(args);
        assert_eq!(answer.code, code, "{args:?}: {}", answer.err);
        let report = answer.json();
        assert_eq!(report["complete"], false, "{args:?}");
        assert!(!report["errors"][0]["message"].as_str().unwrap().is_empty(), "{report}");
    }
}

#[test]
fn looking_at_the_log_makes_no_directories() {
    let outlast = Outlast::new();
    let answer = outlast.run(&["--engine", "machine", "log"]);
    assert_eq!((answer.code, answer.out.as_str()), (0, "nothing was changed yet\n"));
    assert!(!outlast.home().join("state").exists());
}

#[test]
fn a_path_that_is_not_text_can_be_asked_about() {
    use std::os::unix::ffi::OsStrExt as _;
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("bytes").run();
    container.exec(r#"printf x > "$(printf '/tmp/bad\377')""#);
    let subject = [container.name.as_bytes(), b":/tmp/bad\xff"].concat();
    let mut command = outlast.command(&["explain", "--json"]);
    let output = command.arg(std::ffi::OsStr::from_bytes(&subject)).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["path_b64"], base64::engine::general_purpose::STANDARD.encode(b"/tmp/bad\xff"));
    assert_eq!(report["fates"]["retire"], "lost");
}

#[test]
fn somebody_without_rights_is_told_how_to_get_them_and_can_look_from_inside() {
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
    let run = |args: &[&str]| {
        Command::new("setpriv")
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
            .arg(&binary)
            .args(args)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", outlast.home())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    for args in [&["ls", "--no-risk", "--json"][..], &["explain", "/usr/bin", "--json"]] {
        let view = run(args);
        let err = String::from_utf8_lossy(&view.stderr).into_owned();
        assert_eq!(view.status.code(), Some(1), "{args:?}: {err}");
        assert!(err.contains("warning: ") && err.contains("group") && err.contains("hint: "), "{err}");
        let report: serde_json::Value = serde_json::from_slice(&view.stdout).unwrap();
        assert_eq!(report["complete"], false);
        let missing = one(&report["errors"], "section", "workspaces");
        assert!(missing["endpoint"] == "docker" && missing["hint"].is_string(), "{missing}");
    }
    let listed = run(&["ls", "--no-risk"]);
    assert_eq!(listed.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&listed.stderr).matches("may not use").count(), 1, "it is said once");
    for args in [&["stop", "x", "--yes"][..], &["risk", "x"], &["--engine", "docker", "ls"]] {
        let refused = run(args);
        let err = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{args:?}: {err}");
        assert!(err.contains("error: ") && err.contains("group"), "{err}");
    }
    let inside = run(&["--engine", "machine", "ls", "--no-risk"]);
    assert_eq!(inside.status.code(), Some(0), "{}", String::from_utf8_lossy(&inside.stderr));
}

#[test]
fn no_home_is_a_message_and_no_panic() {
    let mut command = Outlast::new().command(&["--engine", "machine", "start", "x", "--yes"]);
    command.env_remove("HOME").env("XDG_STATE_HOME", "/proc/nowhere");
    let output = command.output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("XDG_STATE_HOME"), "{err}");
}
