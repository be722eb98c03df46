//! `mirror`: one folder like another, through rsync, here and over ssh.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use super::archive::{Ground, names, text};
use crate::support::sshd::Sshd;

fn rsync_is_here() -> bool {
    let here = Command::new("rsync").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !here {
        eprintln!("skipped: rsync is not installed");
    }
    here
}

impl Ground {
    fn mirror(&self, dest: &str, more: &[&str]) -> super::Answer {
        let home = self.at("home");
        self.outlast.run(&[&["mirror", text(&home), dest], more].concat())
    }
}

#[test]
fn i10_a_file_that_is_removed_at_the_source_stays_at_the_target_unless_deleting_is_asked_for() {
    if !rsync_is_here() {
        return;
    }
    let ground = Ground::new();
    let dest = ground.at("copy");
    let dest = text(&dest);
    for path in ["a", "sub/b", "gone", ".vessl/state"] {
        ground.write(path, path);
    }
    let plan = ground.mirror(dest, &["--dry-run"]);
    assert!(plan.code == 0 && plan.out.contains("3 new files") && !plan.out.contains("loses"), "{}", plan.out);
    assert!(!Path::new(dest).exists(), "a plan makes nothing");
    let refused = ground.mirror(dest, &[]);
    assert!(refused.code == 4 && !Path::new(dest).exists(), "{}", refused.err);
    assert_eq!(ground.mirror(dest, &["--yes"]).code, 0);
    assert_eq!(names(Path::new(dest)), ["a", "gone", "sub"], "the platform's own state is left out");
    fs::remove_file(ground.at("home/gone")).unwrap();
    ground.write("a", "changed");
    let again = ground.mirror(dest, &["--yes", "--json"]).json();
    assert_eq!((&again["changed"], &again["new"]), (&1.into(), &0.into()), "the second run sends what changed");
    assert_eq!(fs::read_to_string(ground.at("copy/a")).unwrap(), "changed");
    assert!(ground.at("copy/gone").exists());
    let plan = ground.mirror(dest, &["--delete", "--dry-run"]);
    assert!(plan.out.contains("loses   ") && plan.out.contains("copy/gone"), "{}", plan.out);
    let refused = ground.mirror(dest, &["--delete", "--yes"]);
    assert!(refused.code == 4 && refused.err.contains("--lose-data"), "{}", refused.err);
    assert!(ground.at("copy/gone").exists());
    let done = ground.mirror(dest, &["--delete", "--yes", "--lose-data", "--json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.json()["deleted"][0]["path"], "gone");
    assert_eq!(names(Path::new(dest)), ["a", "sub"]);
    let same = ground.mirror(dest, &["--delete", "--yes"]);
    assert!(same.code == 0 && same.out.contains("already"), "{}", same.out);
}

#[test]
fn i10_odd_names_owners_links_and_holes_are_kept() {
    if !rsync_is_here() {
        return;
    }
    let ground = Ground::new();
    let odd = [&b"a\nb"[..], b"-rf", b"not-text-\xff", b"*", b"$(touch evil)", b"sp ace", b"\\#101"];
    for name in odd {
        fs::write(ground.at("home").join(std::ffi::OsStr::from_bytes(name)), name).unwrap();
    }
    fs::hard_link(ground.at("home/sp ace"), ground.at("home/second")).unwrap();
    fs::set_permissions(ground.at("home/second"), PermissionsExt::from_mode(0o640)).unwrap();
    let report = ground.mirror(text(&ground.at("copy")), &["--yes", "--json"]).json();
    assert_eq!(report["new"], 8);
    for name in odd {
        let copy = ground.at("copy").join(std::ffi::OsStr::from_bytes(name));
        assert_eq!(fs::read(copy).unwrap(), name);
    }
    let (one, other) =
        (fs::metadata(ground.at("copy/sp ace")).unwrap(), fs::metadata(ground.at("copy/second")).unwrap());
    assert_eq!((one.ino(), one.mode() & 0o777), (other.ino(), 0o640));
    // The names of what goes are the names of what is there.
    for name in odd {
        fs::remove_file(ground.at("home").join(std::ffi::OsStr::from_bytes(name))).unwrap();
    }
    let plan = ground.mirror(text(&ground.at("copy")), &["--delete", "--dry-run", "--json"]).json();
    assert_eq!(plan["deleted"].as_array().unwrap().len(), 7);
    assert!(plan["deleted"].as_array().unwrap().iter().any(|path| path["path"] == "\\#101"), "{plan}");
}

#[test]
fn i10_neither_folder_may_lie_in_the_other_and_a_missing_rsync_is_named() {
    let ground = Ground::new();
    ground.write("a", "x");
    for dest in ["home", "home/copy", "home/../home/x", "."] {
        let answer = ground.mirror(text(&ground.at(dest)), &["--yes", "--delete", "--lose-data"]);
        assert_eq!(answer.code, 2, "{dest}: {}", answer.err);
    }
    assert_eq!(names(&ground.at("home")), ["a"]);
    let (home, copy) = (ground.at("home"), ground.at("copy"));
    let output =
        ground.outlast.command(&["mirror", text(&home), text(&copy)]).env("PATH", "/nowhere").output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && err.contains("apt-get install rsync"), "{err}");
    for dest in ["-e evil:x", ":x"] {
        assert_eq!(ground.mirror(dest, &[]).code, 2, "{dest}");
    }
}

#[test]
fn i9_a_mirror_over_ssh_sends_what_changed_and_what_is_out_of_reach_is_an_error() {
    if !rsync_is_here() {
        return;
    }
    let mut ground = Ground::new();
    let Some(server) = Sshd::start(&ground.at("ssh")) else { return };
    ground.outlast = super::Outlast::new().with("OUTLAST_ENGINE", "machine").with("RSYNC_RSH", &server.shell());
    ground.write("a", "one");
    ground.write("sub/b c", vec![7; 100_000]);
    let dest = format!("localhost:{}", ground.at("far").display());
    let plan = ground.mirror(&dest, &["--dry-run"]);
    assert!(plan.code == 0 && plan.out.contains("2 new files"), "{}{}", plan.out, plan.err);
    let first = ground.mirror(&dest, &["--yes", "--json"]);
    assert_eq!(first.code, 0, "{}", first.err);
    assert_eq!((&first.json()["new"], fs::read(ground.at("far/sub/b c")).unwrap().len()), (&2.into(), 100_000));
    ground.write("a", "two!");
    let second = ground.mirror(&dest, &["--yes", "--json"]).json();
    assert_eq!((&second["new"], &second["changed"]), (&0.into(), &1.into()));
    assert_eq!(fs::read_to_string(ground.at("far/a")).unwrap(), "two!");
    fs::remove_file(ground.at("home/a")).unwrap();
    let plan = ground.mirror(&dest, &["--delete", "--dry-run"]);
    assert!(plan.out.contains("loses   ") && plan.out.contains("/far/a"), "{}", plan.out);
    drop(server);
    let gone = ground.mirror(&dest, &["--yes"]);
    assert!(gone.code == 3 && gone.err.contains("cannot be reached"), "{}: {}", gone.code, gone.err);
}
