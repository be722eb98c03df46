//! restic's own program reads, checks and restores what we save, and we what it saves.

use std::process::{Child, Command, Stdio};

use super::nasty::{grow, listing, same, shell};
use super::{Place, said, write};

#[test]
fn whatever_is_odd_comes_back_the_same_in_every_respect() {
    let place = Place::new();
    grow(&place.work());
    let saved = place.backup();
    assert_eq!(saved["snapshot"]["skipped_count"], 0, "{saved:#}");
    place.json(0, &["restore", "latest", "HERE/new", "--yes"]);
    let new = place.outlast.home().join("new");
    same(&place.work(), &new);
    let used = shell(&new, "du -k sparse | cut -f1");
    assert!(used.trim().parse::<u64>().unwrap() < 1000, "holes are kept: {used}K");
}

#[test]
fn restic_lists_checks_and_restores_ours() {
    let place = Place::new();
    grow(&place.work());
    // What restic 0.14 itself cannot bring back.
    shell(&place.work(), "rm -f 'odd target'");
    let id = place.backup()["snapshot"]["id"].as_str().unwrap().to_owned();
    place.restic_checks();
    let Some(listed) = place.restic(&["snapshots", "--json"]) else { return };
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((&listed[0]["id"], &listed[0]["tags"][0]), (&id.into(), &"outlast".into()));
    let to = place.outlast.home().join("by-restic");
    let restored = place.restic(&["restore", "latest", "--target", to.to_str().unwrap()]).unwrap();
    assert!(restored.status.success(), "{}", said(&restored));
    same(&place.work(), &to.join("workspace"));
    assert!(!to.join("definition.json").exists(), "a folder is no workspace");
}

#[test]
fn we_list_check_and_restore_what_restic_saved() {
    let place = Place::new();
    grow(&place.work());
    shell(&place.work(), "rm -f 'odd target'");
    let Some(made) = place.restic(&["init"]) else { return };
    assert!(made.status.success(), "{}", said(&made));
    let saved = place.restic(&["backup", place.work().to_str().unwrap()]).unwrap();
    assert!(saved.status.success(), "{}", said(&saved));
    // A second writer in the same repository.
    write(&place.work().join("later"), "x");
    place.backup();
    place.restic_checks();
    let listed = place.json(0, &["backups"]);
    let own: Vec<_> =
        listed["snapshots"].as_array().unwrap().iter().map(|s| s["own"].as_bool().unwrap()).collect();
    assert_eq!(own, [false, true]);
    let id = listed["snapshots"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(place.json(0, &["verify"])["verified"], true);
    let included = format!("/{}", place.work().strip_prefix("/").unwrap().display());
    place.json(0, &["restore", &id, "HERE/new", "--yes", "--include", &included]);
    let new = place.outlast.home().join("new").join(place.work().strip_prefix("/").unwrap());
    std::fs::remove_file(place.work().join("later")).unwrap();
    // The folder's own time changed with the file.
    let without_top = |folder: &std::path::Path| listing(folder);
    let (before, after) = (without_top(&place.work()), without_top(&new));
    assert_eq!(before, after);
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_holds_backups_too_and_its_password_is_never_written_down() {
    let place = Place::new();
    write(&place.work().join("notes"), "text");
    let served = place.outlast.home().join("served");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = Command::new("rclone")
        .args([
            "serve",
            "restic",
            "--addr",
            &format!("127.0.0.1:{port}"),
            "--user",
            "u",
            "--pass",
            "hidden-word",
        ])
        .arg(&served)
        .stderr(Stdio::null())
        .spawn();
    let Ok(server) = server else {
        eprintln!("skipped: no rclone");
        return;
    };
    let server = Server(server);
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let address = format!("rest:http://u:hidden-word@127.0.0.1:{port}/r");
    let run = |args: &[&str]| {
        let answer = place.outlast.run(&[args, &["--repository", &address, "--json"]].concat());
        assert_eq!(answer.code, 0, "{args:?}: {}{}", answer.err, answer.out);
        assert!(!answer.out.contains("hidden-word"));
        answer.json()
    };
    let work = place.work();
    run(&["backup", work.to_str().unwrap(), "--yes", "--verify"]);
    run(&["verify"]);
    let new = place.outlast.home().join("new");
    run(&["restore", "latest", new.to_str().unwrap(), "--yes"]);
    same(&work, &new);
    if let Some(output) = super::restic(&address, &place.outlast.home().join("key"), &["check", "--read-data"])
    {
        assert!(output.status.success(), "{}", said(&output));
    }
    let written =
        Command::new("grep").args(["-r", "hidden-word"]).arg(place.outlast.home().join("state")).output();
    assert!(written.unwrap().stdout.is_empty());
    drop(server);
    let gone = place.outlast.run(&["backups", "--repository", &address]);
    assert_eq!(gone.code, 3, "{}", gone.err);
}

#[test]
fn without_rclone_the_error_names_the_package() {
    let place = Place::new();
    write(&place.work().join("notes"), "text");
    let mut command = place.outlast.command(&["backups", "--repository", "sftp:u@h:/r"]);
    let output = command.env("PATH", "/nowhere").output().unwrap();
    assert!(said(&output).contains("apt install rclone"), "{}", said(&output));
}
