//! `find`: where files of a name are, over this machine and every container.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::Value;

use super::{Outlast, one};
use crate::support::docker;

/// A part of a name that no other test's files have.
fn rare() -> String {
    docker::unique("rare").replace("outlast-test-", "")
}

/// A search over all containers; those of other tests may go while they are read.
fn everywhere(outlast: &Outlast, part: &str) -> Value {
    let answer = outlast.run(&["find", part, "--json"]);
    assert!(matches!(answer.code, 0 | 1), "{}", answer.err);
    answer.json()
}

fn matches(report: &Value) -> Vec<Value> {
    report["matches"].as_array().unwrap().clone()
}

#[test]
fn a_file_in_a_stopped_container_and_its_copy_in_the_workspace_are_both_found_with_their_fates() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let project = outlast.home().join("workspace/p");
    std::fs::create_dir_all(&project).unwrap();
    let rare = rare();
    let bind = format!("{}:/workspace", project.display());
    let container = engine.container("find").args(["-v", &bind]).run();
    container.exec(&format!("echo 1 > /tmp/{rare}.pt; cp /tmp/{rare}.pt /workspace/"));
    for _ in 0..2 {
        let report = everywhere(&outlast, &rare.to_uppercase());
        let lost = one(&report["matches"], "path", &format!("/tmp/{rare}.pt")).clone();
        assert_eq!(lost["workspace"], container.name.as_str());
        assert_eq!((&lost["storage"], &lost["fates"]["retire"]), (&"writable_layer".into(), &"lost".into()));
        assert!(lost["host_path"].is_null() && lost["bytes"].is_u64() && lost["modified"].is_string());
        let kept = one(&report["matches"], "path", &format!("/workspace/{rare}.pt")).clone();
        assert_eq!(kept["fates"]["stop"], "kept");
        let on_host = project.join(format!("{rare}.pt"));
        assert_eq!(kept["host_path"], on_host.display().to_string());
        assert_eq!(one(&kept["seen_in"], "workspace", &container.name)["path"], kept["path"]);
        assert_eq!(matches(&report).len(), 2, "host and container show the same file: {report:#}");
        container.stop();
    }
    let text = outlast.run(&["find", &format!("*{rare}.pt"), "--event", "retire"]);
    assert!(matches!(text.code, 0 | 1), "{}", text.err);
    assert!(
        text.out.contains("lost if retired")
            && text.out.contains(&format!("{}:/tmp/{rare}.pt", container.name))
    );
    let none = outlast.run(&["find", &format!("{rare}-nothing")]);
    assert_eq!(none.out, "no file of that name was found\n");
}

#[test]
fn a_search_in_one_workspace_finds_memory_volumes_and_files_that_others_mount_too() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let rare = rare();
    let shared = tempfile::tempdir_in("/var/lib").unwrap();
    std::fs::write(shared.path().join(&rare), "x").unwrap();
    let bind = |target: &str| format!("{}:{target}", shared.path().display());
    let (one_bind, other_bind) = (bind("/data"), bind("/shared"));
    let this = engine.container("find-one").args(["-v", &one_bind, "-v", "/anon", "--tmpfs", "/ram"]).run();
    let other = engine.container("find-other").args(["-v", &other_bind]).run();
    this.exec(&format!("for f in /anon /ram /dev/shm; do echo x > $f/{rare}; done"));
    other.exec(&format!("echo x > /tmp/{rare}"));
    let report = outlast.json(&["find", &rare, "--in", &this.name, "--json"]);
    let mut paths: Vec<_> =
        matches(&report).iter().map(|file| file["path"].as_str().unwrap().to_string()).collect();
    paths.sort();
    assert_eq!(paths, ["/anon", "/data", "/dev/shm", "/ram"].map(|folder| format!("{folder}/{rare}")));
    let shared = one(&report["matches"], "path", &format!("/data/{rare}")).clone();
    assert_eq!(one(&shared["seen_in"], "workspace", &other.name)["path"], format!("/shared/{rare}"));
    let both = everywhere(&outlast, &rare);
    let found = matches(&both).iter().filter(|file| file["storage"] == "bind_mount").count();
    assert_eq!(found, 1, "two containers mount it: {both:#}");
    assert_eq!(outlast.run(&["find", &rare, "--in", "outlast-test-nobody"]).code, 2);
    assert_eq!(outlast.run(&["find", ""]).code, 2);
}

#[test]
fn hostile_names_are_harmless_and_links_are_not_followed() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let rare = rare();
    let outside = tempfile::tempdir_in("/var/lib").unwrap();
    std::fs::write(outside.path().join(format!("{rare}-secret")), "x").unwrap();
    std::os::unix::fs::symlink(outside.path(), outlast.home().join("out")).unwrap();
    let container = engine.container("find-hostile").run();
    container.exec(&format!(
        r#"printf x > "$(printf '/tmp/{rare}\033[2J\nb')"; printf x > "$(printf '/tmp/{rare}\377')""#
    ));
    container.exec(&format!("ln -s {} /root/out", outside.path().display()));
    let text = outlast.run(&["find", &rare]);
    assert!(!text.out.contains('\x1b') && text.out.lines().count() == 2, "{:?}", text.out);
    assert!(
        text.out.contains(&format!(r"/tmp/{rare}\u{{1b}}[2J\nb"))
            && text.out.contains(&format!(r"/tmp/{rare}\xff"))
    );
    let report = everywhere(&outlast, &rare);
    one(&report["matches"], "path", &format!("/tmp/{rare}\x1b[2J\nb"));
    let bytes = [b"/tmp/", rare.as_bytes(), b"\xff"].concat();
    one(&report["matches"], "path_b64", &base64::engine::general_purpose::STANDARD.encode(bytes));
}

#[test]
fn hidden_caches_come_last() {
    let outlast = Outlast::new();
    let rare = rare();
    for folder in [".cache/a", "z/deep", "a"] {
        std::fs::create_dir_all(outlast.home().join(folder)).unwrap();
        std::fs::write(outlast.home().join(folder).join(&rare), "x").unwrap();
    }
    let report = outlast.json(&["--engine", "machine", "find", &rare, "--json"]);
    let found = matches(&report);
    assert_eq!(found.len(), 3, "{report:#}");
    assert!(found[2]["path"].as_str().unwrap().contains("/.cache/"), "{report:#}");
    assert!(found.iter().all(|file| file["workspace"].is_null() && file["host_path"].is_string()));
}

#[test]
fn a_user_without_rights_gets_what_can_be_read_and_the_rest_as_errors() {
    let Some(engine) = docker::engine() else { return };
    if !rustix::process::getuid().is_root() {
        return;
    }
    let rare = rare();
    let outlast = Outlast::new();
    let home = outlast.home();
    std::fs::create_dir(home.join("closed")).unwrap();
    std::fs::write(home.join("closed").join(&rare), "x").unwrap();
    std::fs::write(home.join(&rare), "x").unwrap();
    std::fs::set_permissions(home, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(home.join("closed"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let container = engine.container("find-denied").run();
    container.exec(&format!("echo x > /root/{rare}"));
    let binary = home.join("outlast");
    std::fs::copy(env!("CARGO_BIN_EXE_outlast"), &binary).unwrap();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=1999", "--regid=1999", "--clear-groups"])
        .arg(&binary)
        .args(["find", &rare, "--json"])
        .env("HOME", home)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["complete"], false);
    let paths: Vec<_> = matches(&report).iter().map(|file| file["host_path"].clone()).collect();
    assert_eq!(paths, [home.join(&rare).display().to_string()], "{report:#}");
    let errors = report["errors"].to_string();
    assert!(errors.contains("closed") && errors.contains("docker"), "{errors}");
}

#[test]
fn a_cancelled_search_says_what_it_found_until_then() {
    let outlast = Outlast::new();
    let rare = rare();
    std::fs::write(outlast.home().join(&rare), "x").unwrap();
    // So much to read that there is time to cancel it.
    for number in 0..40_000 {
        let folder = outlast.home().join(format!("many/{number:05}"));
        std::fs::create_dir_all(folder).unwrap();
    }
    let child = outlast
        .command(&["--engine", "machine", "find", &rare, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    std::thread::sleep(Duration::from_millis(250));
    let pid = i32::try_from(child.id()).unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::INT)
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20));
    // A fast disk may have been read to its end before.
    if output.status.code() == Some(0) {
        return;
    }
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["complete"], false);
    assert!(report["errors"].to_string().contains("cancelled"), "{report:#}");
}
