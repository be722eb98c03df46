//! Places that more than one party has a say in: a folder that was replaced under its mount, seen with
//! and without rights; one folder in two containers.

use super::check::as_nobody;
use super::{Outlast, one};
use crate::support::docker;

#[test]
fn a_folder_that_was_replaced_under_its_mount_is_critical_and_says_where_it_is() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let outer = tempfile::tempdir_in("/var/lib").unwrap();
    let (folder, old) = (outer.path().join("p"), outer.path().join("p.old"));
    std::fs::create_dir(&folder).unwrap();
    let container =
        engine.container("replaced").args(["-v", &format!("{}:/workspace", folder.display())]).run();
    container.exec("echo weights > /workspace/model.pt");
    std::fs::rename(&folder, &old).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let answer = outlast.run(&["check", &container.name, "--json"]);
    assert_eq!(answer.code, 2, "{}", answer.out);
    let report = answer.json();
    let found = one(&report["findings"], "id", "source-replaced");
    assert!(found["evidence"].as_str().unwrap().contains(old.to_str().unwrap()), "{found}");
    let subject = format!("{}:/workspace/model.pt", container.name);
    let report = outlast.json(&["explain", &subject, "--event", "stop", "--json"]);
    assert_eq!((&report["fates"]["stop"], &report["fates"]["retire"]), (&"lost".into(), &"lost".into()));
    assert_eq!(report["host_path"], old.join("model.pt").to_str().unwrap());
    // The command that is offered reads what the container shows, not what took its place.
    let here = tempfile::tempdir().unwrap();
    let command = report["command"].as_str().unwrap();
    std::process::Command::new("sh").args(["-c", command]).current_dir(here.path()).output().unwrap();
    assert_eq!(std::fs::read_to_string(here.path().join("model.pt")).unwrap(), "weights\n", "{command}");
    let risk = outlast.json(&["risk", &container.name, "--event", "stop", "--json"]);
    one(&risk["findings"], "path", "/workspace/model.pt");
}

#[test]
fn without_rights_a_replaced_folder_is_never_called_kept_and_one_in_its_place_is() {
    let Some(engine) = docker::engine() else { return };
    if !rustix::process::getuid().is_root() || !std::path::Path::new("/var/run/docker.sock").exists() {
        eprintln!("skipped: only root can look as somebody else");
        return;
    }
    let outlast = Outlast::new();
    let outer = tempfile::tempdir_in("/var/lib").unwrap();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(outer.path(), readable).unwrap();
    let [good, anew, swapped, other] = ["good/p", "anew/p", "swapped/p", "swapped/q"].map(|name| {
        let folder = outer.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    });
    let binds = [&good, &anew, &swapped].map(|folder| {
        let target = folder.parent().unwrap().file_name().unwrap().to_str().unwrap().to_string();
        format!("{}:/{target}", folder.display())
    });
    let args: Vec<&str> = binds.iter().flat_map(|bind| ["-v", bind]).collect();
    let container = engine.container("unseen").args(args).run();
    container.exec("for d in good anew swapped; do echo x > /$d/model.pt; done");
    std::fs::rename(&anew, anew.with_file_name("old")).unwrap();
    std::fs::create_dir(&anew).unwrap();
    std::fs::rename(&swapped, swapped.with_file_name("aside")).unwrap();
    std::fs::rename(&other, &swapped).unwrap();
    let fate = |folder: &str| {
        let subject = format!("{}:/{folder}/model.pt", container.name);
        as_nobody(&outlast, &["explain", &subject, "--json"]).json()["fates"]["stop"].clone()
    };
    assert_eq!(fate("good"), "kept", "nothing was put in its place");
    assert_eq!(fate("anew"), "lost", "it was made after the start");
    assert_eq!(fate("swapped"), "conditional", "nobody without rights can tell");
}
