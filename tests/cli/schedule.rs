//! `schedule`: what makes a machine back up by itself, printed and never installed.

use std::fs;
use std::process::Command;

use super::Outlast;
use super::archive::{Ground, text};

#[test]
fn i17_units_are_printed_that_systemd_takes_and_nothing_is_installed() {
    let outlast = Outlast::new();
    let report = outlast.json(&["schedule", "my project", "--json"]);
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for file in report["files"].as_array().unwrap() {
        let path = folder.path().join(file["name"].as_str().unwrap());
        fs::write(&path, file["text"].as_str().unwrap()).unwrap();
        files.push(path);
    }
    assert_eq!(files.len(), 2);
    let service = fs::read_to_string(&files[0]).unwrap();
    assert!(service.contains("\"backup\" \"--due\" \"--yes\" \"--\" \"my project\""), "{service}");
    if let Ok(output) = Command::new("systemd-analyze").arg("verify").args(&files).output() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // Units of the machine itself are complained of too.
        let wrong = |line: &&str| {
            ["Unknown", "Invalid", "Failed to parse", "Missing"].iter().any(|word| line.contains(word))
        };
        let ours = said.lines().filter(|line| line.contains("outlast-backup")).find(wrong);
        assert_eq!(ours, None, "{said}");
    }
    let shown = outlast.run(&["schedule", "p"]);
    assert!(shown.out.contains("systemctl --user enable --now outlast-backup-p.timer"), "{}", shown.out);
    let left: Vec<_> = fs::read_dir(outlast.home()).unwrap().collect();
    assert!(left.is_empty(), "nothing is written: {left:?}");
}

#[test]
fn i17_a_line_for_cron_means_one_command_whatever_the_name() {
    let outlast = Outlast::new();
    let shown = outlast.run(&["schedule", "--cron", "a'b; touch /tmp/evil $(x) 100%"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let line = shown.out.lines().find(|line| !line.starts_with('#')).unwrap().to_owned();
    // As cron reads it, then as the shell that it starts.
    let command: Vec<&str> = line.splitn(6, ' ').collect();
    let script = command[5].replace("\\\\", "\\").replace("\\%", "%");
    let words = script.split_once(" backup ").unwrap().1;
    let output = Command::new("sh").args(["-c", &format!("printf '<%s>' {words}")]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "<--due><--yes><--><a'b; touch /tmp/evil $(x) 100%>");
    assert_eq!(outlast.run(&["schedule", "--cron", "a\n* * * * * evil"]).code, 2);
}

#[test]
fn i13_a_project_that_was_never_archived_and_one_long_ago_are_found_and_a_fresh_one_is_not() {
    let ground = Ground::new();
    let roots = ground.at("projects");
    for name in ["never", "old", "fresh"] {
        fs::create_dir_all(roots.join(name)).unwrap();
        fs::write(roots.join(name).join("a"), "x").unwrap();
    }
    let config = ground.outlast.home().join("config/outlast");
    fs::create_dir_all(&config).unwrap();
    let place = ground.at("archives");
    let settings = format!("folder_roots = [{:?}]\narchives = {:?}\n", text(&roots), text(&place));
    fs::write(config.join("config.toml"), &settings).unwrap();
    for name in ["old", "fresh"] {
        assert_eq!(ground.outlast.run(&["archive", name, "--yes"]).code, 0);
        if name == "old" {
            let archive = place.join(&ground.archives()[0]);
            fs::rename(archive, place.join("workspace-backup-20200102030405-abcdefghijk0.tar.gz")).unwrap();
        }
    }
    let findings = |outlast: &Outlast| {
        let report: serde_json::Value = serde_json::from_str(&outlast.run(&["check", "--json"]).out).unwrap();
        let all = report["findings"].as_array().unwrap().clone();
        let of = all.iter().filter(|one| one["id"].as_str().unwrap().starts_with("backup-"));
        let mut of: Vec<_> =
            of.map(|one| format!("{} {}", one["id"], one["subject"]).replace('"', "")).collect();
        of.sort();
        of
    };
    assert_eq!(findings(&ground.outlast), ["backup-never never", "backup-overdue old"]);
    fs::write(config.join("config.toml"), format!("{settings}overdue_after = \"9000d\"\n")).unwrap();
    assert_eq!(findings(&ground.outlast), ["backup-never never"], "the settings say after how long");
}
