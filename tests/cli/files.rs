//! `files`, `cat`, `copy`, `rename` and `trash`: of running, stopped and ended sessions, and of this host.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use super::{Outlast, one};
use crate::support::docker::{self, Container};
use crate::support::sshd::Sshd;

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/srv").unwrap()
}

fn bytes(outlast: &Outlast, subject: &str) -> Vec<u8> {
    let output = outlast.command(&["cat", subject]).output().unwrap();
    assert!(output.status.success(), "{subject}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn names(report: &Value) -> Vec<&str> {
    report["entries"].as_array().unwrap().iter().map(|entry| entry["path"].as_str().unwrap()).collect()
}

/// Every byte there is, and more than one piece of it.
fn binary() -> Vec<u8> {
    (0..=u8::MAX).cycle().take(700_001).collect()
}

#[test]
fn the_folders_of_a_session_outlast_it_and_the_files_beside_them_do_not() {
    let Some(engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let outlast = Outlast::new();
    let host = folder();
    for folder in ["scratches/77/work", "user1-ml-test", "user2-vfolder"] {
        std::fs::create_dir_all(host.path().join(folder)).unwrap();
    }
    let at = |folder: &str, target: &str| format!("-v{}:{target}", host.path().join(folder).display());
    let mounts = [
        at("scratches/77/work", "/home/work"),
        at("user1-ml-test", "/home/work/user1-ml-test"),
        at("user2-vfolder", "/home/work/user2-vfolder"),
    ];
    let args = mounts.iter().map(String::as_str).chain(["--label=ai.backend.session-id=5f"]);
    let session = engine.container("story").args(args).run();
    session.exec(
        "cd /home/work && printf 'file inside user2-vfolder' > user2-vfolder/test_file && echo x > plain.txt",
    );

    // What is said before it ends.
    let subject = |path: &str| format!("{}:{path}", session.name);
    let fate = |path: &str| {
        let answer = outlast.json(&["explain", &subject(path), "--json"]);
        answer["fates"]["retire"].as_str().unwrap().to_owned()
    };
    assert_eq!(fate("/home/work/user2-vfolder/test_file"), "kept");
    assert_eq!(fate("/home/work/plain.txt"), "lost");
    let listing = outlast.json(&["files", &subject("/home/work"), "--json"]);
    let of = |name: &str| one(&listing["entries"], "path", name)["fates"]["retire"].clone();
    assert_eq!([of("plain.txt"), of("user2-vfolder")], ["lost", "kept"]);

    // The session ends: its container and its own directory go.
    engine.run(&["rm", "-f", "-v", &session.id]);
    std::fs::remove_dir_all(host.path().join("scratches/77")).unwrap();
    let kept = host.path().join("user2-vfolder");
    let listing = outlast.json(&["files", kept.to_str().unwrap(), "--json"]);
    assert_eq!(names(&listing), ["test_file"]);
    let file = kept.join("test_file");
    assert_eq!(bytes(&outlast, file.to_str().unwrap()), b"file inside user2-vfolder");
    assert!(!host.path().join("scratches/77/work").join("plain.txt").exists());

    // The file is taken home, byte for byte.
    let home = outlast.home().join("taken");
    let done = outlast.run(&["copy", file.to_str().unwrap(), home.to_str().unwrap(), "--yes"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(std::fs::read(&home).unwrap(), b"file inside user2-vfolder");
}

#[test]
fn a_file_comes_out_byte_for_byte_through_ssh_also_after_the_session_has_ended() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let Some(server) = Sshd::start(&outlast.home().join("ssh")) else { return };
    let roots = outlast.home().join("workspace");
    std::fs::create_dir_all(roots.join("paper")).unwrap();
    let volume = format!("-v{}:/workspace", roots.join("paper").display());
    let session = engine.container("ssh").args([volume.as_str(), "--label=ds01.user=alice"]).run();
    std::fs::write(roots.join("paper/all.bin"), binary()).unwrap();
    session.exec("cp /workspace/all.bin /opt/b");
    let far = |subject: &str| {
        let command = outlast.command(&["cat", subject]);
        let settings = command
            .get_envs()
            .filter_map(|(name, value)| Some(format!("{}={}", name.to_str()?, value?.to_str()?)));
        let line: Vec<_> = settings.map(|setting| format!("'{setting}'")).collect();
        let program = command.get_program().to_str().unwrap();
        let output = std::process::Command::new("sh")
            .args([
                "-c",
                &format!("{} localhost env {} {program} cat {subject}", server.shell(), line.join(" ")),
            ])
            .output()
            .unwrap();
        assert!(output.status.success(), "{subject}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    assert!(far(&format!("{}:/opt/b", session.name)) == binary());
    assert!(far(&format!("{}:/workspace/all.bin", session.name)) == binary());
    engine.run(&["rm", "-f", &session.id]);
    let ended = roots.join("paper/all.bin");
    assert!(far(ended.to_str().unwrap()) == binary(), "the folder outlived its session");
}

#[test]
fn a_file_comes_out_byte_for_byte_wherever_it_is() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let host = folder();
    let volume = format!("-v{}:/data", host.path().display());
    let session = engine.container("cat").args([volume.as_str(), "--tmpfs", "/scratch"]).run();
    std::fs::write(host.path().join("odd \u{1b}[2J"), binary()).unwrap();
    session.exec("cp '/data/odd \u{1b}[2J' /opt/b && cp /opt/b /scratch/b && ln -s /opt/b /data/link");
    let subject = |path: &str| format!("{}:{path}", session.name);
    for path in ["/data/odd \u{1b}[2J", "/opt/b", "/scratch/b", "/data/link"] {
        assert!(bytes(&outlast, &subject(path)) == binary(), "{path}");
    }
    session.stop();
    for path in ["/data/odd \u{1b}[2J", "/opt/b", "/data/link"] {
        assert!(bytes(&outlast, &subject(path)) == binary(), "{path}, stopped");
    }
    assert!(!bytes(&outlast, &subject("/opt/from-image")).is_empty(), "a file of the image, stopped");
    for (path, code) in [("/opt", 2), ("/opt/none", 2), ("/scratch/b", 2)] {
        let answer = outlast.run(&["cat", &subject(path)]);
        assert_eq!((answer.code, answer.out.as_str()), (code, ""), "{path}: {}", answer.err);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let outlast = Outlast::new();
    let file = outlast.home().join("long");
    std::fs::write(&file, vec![b'x'; 8 << 20]).unwrap();
    let mut child = outlast
        .command(&["--engine", "machine", "cat", file.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A session with a folder that may be written to and one that may not.
fn session(engine: &docker::Cli, host: &Path) -> Container {
    for folder in ["mine", "lent"] {
        std::fs::create_dir(host.join(folder)).unwrap();
        std::fs::write(host.join(folder).join("a.csv"), folder).unwrap();
    }
    let (mine, lent) = (host.join("mine"), host.join("lent"));
    let args = [format!("-v{}:/mine", mine.display()), format!("-v{}:/lent:ro", lent.display())];
    engine.container("browse").args(args.iter().map(String::as_str)).run()
}

#[test]
fn files_go_in_and_out_are_renamed_and_come_back_from_the_trash() {
    let Some(engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let (outlast, host) = (Outlast::new(), folder());
    let session = session(&engine, host.path());
    let subject = |path: &str| format!("{}:{path}", session.name);
    let done = |args: &[&str]| {
        let answer = outlast.run(args);
        assert_eq!(answer.code, 0, "{args:?}: {}", answer.err);
        answer.out
    };
    let new = outlast.home().join("new");
    std::fs::write(&new, binary()).unwrap();
    let new = new.to_str().unwrap();
    let dry = done(&["copy", new, &subject("/mine"), "--dry-run"]);
    assert!(dry.contains("  undo    outlast trash put ") && dry.contains("1 file"), "{dry}");
    assert!(!host.path().join("mine/new").exists());
    done(&["copy", new, &subject("/mine"), "--yes"]);
    assert!(session.succeeds("test -s /mine/new"), "its container sees it");
    let again = outlast.run(&["copy", new, &subject("/mine/new"), "--yes"]);
    assert_eq!(again.code, 1, "{}", again.err);
    assert!(
        again.err.contains("is there already") && again.err.contains("nothing is overwritten"),
        "{}",
        again.err
    );
    done(&["rename", &subject("/mine/new"), "newer", "--yes"]);
    let home = outlast.home().join("home");
    done(&["copy", &subject("/mine/newer"), home.to_str().unwrap(), "--yes"]);
    assert!(std::fs::read(&home).unwrap() == binary());

    let planned = outlast.json(&["trash", "put", &subject("/mine/newer"), "--yes", "--json"]);
    assert_eq!(planned["result"], "done");
    assert!(!session.succeeds("test -e /mine/newer"));
    let trash = outlast.json(&["trash", "--json"]);
    let thing = &trash["things"][0];
    assert_eq!((&thing["fates"]["retire"], &thing["exists"]), (&"kept".into(), &true.into()), "{trash:#}");
    assert_eq!(thing["workspace"], session.name.as_str());
    let id = thing["id"].as_str().unwrap().to_owned();
    assert!(done(&["trash"]).contains(&id));
    std::fs::write(host.path().join("mine/newer"), "in the way").unwrap();
    assert_eq!(outlast.run(&["trash", "restore", &id, "--yes"]).code, 1);
    std::fs::remove_file(host.path().join("mine/newer")).unwrap();
    done(&["trash", "restore", &id, "--yes"]);
    assert!(std::fs::read(host.path().join("mine/newer")).unwrap() == binary());

    done(&["trash", "put", &subject("/mine/newer"), "--yes"]);
    assert!(done(&["trash", "empty", "--yes"]).contains("nothing in the trash is that old"));
    let refused = outlast.run(&["trash", "empty", "--older", "0s", "--yes"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("--lose-data"), "{}", refused.err);
    done(&["trash", "empty", "--older", "0s", "--yes", "--lose-data"]);
    assert_eq!(done(&["trash"]).trim(), "the trash is empty");
    let verbs: Vec<_> = outlast.log().iter().map(|line| line["verb"].as_str().unwrap().to_owned()).collect();
    assert_eq!(verbs, ["copy", "rename", "copy", "trash", "restore", "trash", "erase"]);
}

#[test]
fn a_folder_that_is_read_only_is_looked_at_and_not_changed() {
    let Some(engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let (outlast, host) = (Outlast::new(), folder());
    let session = session(&engine, host.path());
    let subject = |path: &str| format!("{}:{path}", session.name);
    let listing = outlast.json(&["files", &subject("/lent"), "--json"]);
    assert_eq!((names(&listing), &listing["writable"]), (vec!["a.csv"], &false.into()));
    assert!(listing["why_not"].as_str().unwrap().contains("read-only"));
    assert_eq!(outlast.json(&["files", &subject("/mine"), "--json"])["writable"], true);
    let new = outlast.home().join("new");
    std::fs::write(&new, "x").unwrap();
    for args in [
        vec!["rename", &subject("/lent/a.csv"), "b"],
        vec!["trash", "put", &subject("/lent/a.csv")],
        vec!["copy", new.to_str().unwrap(), &subject("/lent")],
        vec!["trash", "put", &subject("/opt/from-image")],
    ] {
        let answer = outlast.run(&[&args[..], &["--yes"]].concat());
        assert_eq!(answer.code, 3, "{args:?}: {}", answer.err);
        assert!(answer.err.contains("cannot be changed"), "{}", answer.err);
    }
    let mount = outlast.run(&["trash", "put", &subject("/mine"), "--yes"]);
    assert_eq!(mount.code, 4, "{}", mount.err);
    assert_eq!(std::fs::read(host.path().join("lent/a.csv")).unwrap(), b"lent");
}

#[test]
fn a_whole_workspace_goes_only_when_its_name_is_typed() {
    let Some(_engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let roots = outlast.home().join("workspace");
    std::fs::create_dir_all(roots.join("thesis/chapters")).unwrap();
    std::fs::write(roots.join("thesis/chapters/one.tex"), "x").unwrap();
    std::fs::create_dir_all(outlast.home().join("config/outlast")).unwrap();
    let config = format!("folder_roots = [{:?}]\n", roots.display().to_string());
    std::fs::write(outlast.home().join("config/outlast/config.toml"), config).unwrap();

    assert_eq!(names(&outlast.json(&["files", "thesis", "--json"])), ["chapters"]);
    assert_eq!(bytes(&outlast, "thesis:/chapters/one.tex"), b"x");
    let dry = outlast.run(&["trash", "put", "thesis", "--dry-run"]);
    assert!(
        dry.out.contains("last backup: none is known") && dry.out.contains("git: "),
        "{}{}",
        dry.out,
        dry.err
    );
    for args in [&["--yes"][..], &["--confirm", "thesi"], &["--confirm", "", "--yes"]] {
        let refused = outlast.run(&[&["trash", "put", "thesis"], args].concat());
        assert_eq!(refused.code, 4, "{args:?}: {}", refused.err);
    }
    assert!(roots.join("thesis").exists());
    let done = outlast.run(&["trash", "put", "thesis", "--confirm", "thesis"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!roots.join("thesis").exists());
    let id = outlast.json(&["trash", "--json"])["things"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(outlast.run(&["trash", "restore", &id, "--yes"]).code, 0);
    assert_eq!(std::fs::read(roots.join("thesis/chapters/one.tex")).unwrap(), b"x");
}

#[test]
fn names_of_any_bytes_are_listed_harmlessly_and_named_exactly() {
    let outlast = Outlast::new();
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff\x1b[2J\n");
    let place = outlast.home().join("place");
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join(odd), "x").unwrap();
    let listed = outlast.run(&["--engine", "machine", "files", place.to_str().unwrap()]);
    assert_eq!(listed.code, 0, "{}", listed.err);
    assert!(!listed.out.contains('\u{1b}') && listed.out.lines().count() == 2, "{}", listed.out);
    let report = outlast.json(&["--engine", "machine", "files", place.to_str().unwrap(), "--json"]);
    assert_eq!(report["entries"][0]["path_b64"], "b2Rk/xtbMkoK");
    let mut rename = outlast.command(&["--engine", "machine", "rename"]);
    let output = rename.arg(place.join(odd)).args(["plain", "--yes"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read(place.join("plain")).unwrap(), b"x");
}
