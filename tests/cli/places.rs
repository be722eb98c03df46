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
    assert_eq!(fate("swapped"), "lost", "another one has its name");
}

#[test]
fn one_folder_in_two_containers_never_has_two_answers_without_a_word() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let outer = tempfile::tempdir_in("/var/lib").unwrap();
    let (folder, aside) = (outer.path().join("p"), outer.path().join("aside"));
    std::fs::create_dir(&folder).unwrap();
    let bind = |place: &std::path::Path, target: &str| format!("{}:{target}", place.display());
    let first = engine.container("before").args(["-v", &bind(&folder, "/w")]).run();
    // The second sees by another path what the first will lose: the folder that was moved.
    std::fs::rename(&folder, &aside).unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(aside.join("model.pt"), "x").unwrap();
    let second = engine.container("after").args(["-v", &bind(&aside, "/elsewhere")]).run();
    let subject = format!("{}:/elsewhere/model.pt", second.name);
    let kept = outlast.json(&["explain", &subject, "--event", "stop", "--json"]);
    assert_eq!(kept["fates"]["stop"], "kept");
    let other = one(&kept["also"], "workspace", &first.name);
    assert_eq!((&other["path"], &other["fates"]["stop"]), (&"/w/model.pt".into(), &"lost".into()));
    assert!(other["worse"].as_array().unwrap().contains(&"stop".into()), "{other}");
    assert_eq!(one(&kept["seen_in"], "workspace", &first.name)["path"], "/w/model.pt");
    let text = outlast.run(&["explain", &subject, "--event", "stop"]).out;
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(&format!("{}:/w/model.pt is lost if stopped", first.name)), "{text}");
    // By its path on the host the worse one answers; the better one adds no event in which it is better.
    let adds_no_stop = |answer: &serde_json::Value| {
        answer["also"].as_array().unwrap().iter().all(|other| {
            other["workspace"] == second.name.as_str()
                && !other["worse"].as_array().unwrap().contains(&"stop".into())
        })
    };
    let host = outlast.json(&["explain", aside.join("model.pt").to_str().unwrap(), "--json"]);
    assert_eq!((&host["workspace"], &host["fates"]["stop"]), (&first.name.clone().into(), &"lost".into()));
    assert!(adds_no_stop(&host), "{}", host["also"]);
    let own = outlast.json(&["explain", &format!("{}:/w/model.pt", first.name), "--json"]);
    assert_eq!(own["fates"], host["fates"]);
    assert!(adds_no_stop(&own), "{}", own["also"]);
}

#[test]
fn a_layers_own_directory_on_the_host_is_the_containers() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("layer-on-host").run();
    container.exec("echo x > /root/model.pt");
    let upper = container.inspect("{{.GraphDriver.Data.UpperDir}}");
    let file = std::path::Path::new(&upper).join("root/model.pt");
    if !file.exists() {
        eprintln!("skipped: this engine keeps its layers where they cannot be seen");
        return;
    }
    let inside = outlast.json(&["explain", &format!("{}:/root/model.pt", container.name), "--json"]);
    let host = outlast.json(&["explain", file.to_str().unwrap(), "--json"]);
    assert_eq!((&host["workspace"], &host["resolved"]), (&container.name.clone().into(), &inside["path"]));
    assert_eq!((&host["fates"], &host["fates"]["retire"]), (&inside["fates"], &"lost".into()));
}

#[test]
fn messages_hold_nothing_but_ascii_where_the_locale_reads_nothing_else() {
    for (locale, plain) in [("C", true), ("C.UTF-8", false)] {
        let outlast = Outlast::new().with("LC_ALL", locale);
        let answer = outlast.run(&["--engine", "machine", "explain", "nobody:"]);
        assert_eq!(answer.code, 2);
        assert_eq!(answer.err.is_ascii(), plain, "{}", answer.err);
        assert!(answer.err.contains(if plain { "\"nobody:\"" } else { "“nobody:”" }), "{}", answer.err);
    }
}

#[test]
fn a_path_may_be_written_in_any_way() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let container = engine.container("ways").args(["-v", &format!("{}:/w", folder.path().display())]).run();
    container.exec("mkdir -p /w/a /tmp/out; echo x > /w/a/x; echo x > /tmp/out/x; ln -s ../tmp/out /w/up; ln -s /w/a /tmp/in");
    let said = |path: &str| {
        let report = outlast.json(&["explain", &format!("{}:{path}", container.name), "--json"]);
        let of = |value: &serde_json::Value| value.as_str().unwrap().to_string();
        (of(&report["resolved"]), of(&report["fates"]["retire"]))
    };
    for (path, resolved, fate) in [
        ("/w/a/x", "/w/a/x", "kept"),
        ("/w/a/x/", "/w/a/x", "kept"),
        ("/w//a/./x", "/w/a/x", "kept"),
        ("/w/../tmp/out/x", "/tmp/out/x", "lost"),
        ("/tmp/../w/a/x", "/w/a/x", "kept"),
        ("w/a/x", "/w/a/x", "kept"),
        ("/../../w/a/x", "/w/a/x", "kept"),
        ("/w/up/x", "/tmp/out/x", "lost"),
        ("/tmp/in/x", "/w/a/x", "kept"),
        ("/w/up/../x", "/tmp/x", "lost"),
    ] {
        assert_eq!(said(path), (resolved.to_string(), fate.to_string()), "{path}");
    }
}
