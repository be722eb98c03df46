//! `backup --due`: what cron and the timer run. Who is backed up, who is not, and why; never twice at once.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{noise, write};
use crate::cli::{Answer, Outlast};
use crate::support::docker;

/// Projects without containers, and a repository beside them that the settings name.
struct Projects {
    outlast: Outlast,
}

impl Projects {
    fn new(names: &[&str]) -> Self {
        let outlast = Outlast::new().with("OUTLAST_ENGINE", "machine");
        let home = outlast.home();
        for name in names {
            write(&home.join("projects").join(name).join("notes"), name);
        }
        write(&home.join("key"), "secret\n");
        let settings = format!(
            "folder_roots = [\"{home}/projects\"]\n[backup]\nrepository = \"{home}/repository\"\n\
             password_file = \"{home}/key\"\n",
            home = home.display()
        );
        write(&home.join("config/outlast/config.toml"), settings);
        Self { outlast }
    }

    fn project(&self, name: &str) -> PathBuf {
        self.outlast.home().join("projects").join(name)
    }

    fn run(&self, args: &[&str]) -> Answer {
        self.outlast.run(args)
    }

    /// The workspaces of which each snapshot is.
    fn saved(&self) -> Vec<String> {
        let listed = self.outlast.json(&["backups", "--json"]);
        let all = listed["snapshots"].as_array().unwrap().iter();
        let mut names: Vec<_> = all.map(|one| one["workspace"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// What `check` says of backups.
    fn findings(&self) -> Vec<(String, String, String)> {
        let report: Value = serde_json::from_str(&self.run(&["check", "--json"]).out).unwrap();
        let all = report["findings"].as_array().unwrap().iter();
        let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
        all.map(|one| (text(one, "id"), text(one, "subject"), text(one, "fix")))
            .filter(|(id, ..)| id.starts_with("backup-"))
            .collect()
    }
}

fn row<'v>(report: &'v Value, name: &str) -> &'v Value {
    let rows = report["workspaces"].as_array().unwrap();
    rows.iter().find(|row| row["workspace"] == name).unwrap_or_else(|| panic!("{report:#}"))
}

#[test]
fn i13_of_two_projects_the_one_that_was_never_backed_up_is_found_and_backed_up() {
    let projects = Projects::new(&["saved", "never"]);
    assert_eq!(projects.run(&["backup", "saved", "--yes"]).code, 0);
    let never = ("backup-never".to_owned(), "never".to_owned(), "outlast backup never".to_owned());
    assert_eq!(projects.findings(), [never]);

    let plan = projects.run(&["backup", "--due", "--dry-run"]);
    assert_eq!(plan.code, 0, "{}", plan.err);
    for line in
        ["saved: not due, its last backup is <1m old", "never: it was never backed up", "  backup never"]
    {
        assert!(plan.out.lines().any(|said| said == line), "{line}: {}", plan.out);
    }
    assert_eq!(projects.saved(), ["saved"], "a plan saves nothing");
    assert_eq!(projects.run(&["backup", "--due"]).code, 4, "nobody is there to agree");

    let done = projects.outlast.json(&["backup", "--due", "--yes", "--json"]);
    assert_eq!((&done["result"], &row(&done, "never")["result"]), (&"done".into(), &"done".into()));
    assert_eq!(row(&done, "never")["snapshot"]["files"], 1);
    assert_eq!(row(&done, "saved")["due"], false);
    assert_eq!(projects.saved(), ["never", "saved"]);
    assert_eq!(projects.findings(), [], "both have one now");
    assert_eq!(projects.run(&["backup", "--due"]).code, 0, "nothing is due, so nobody is asked");
}

#[test]
fn how_old_a_backup_may_be_is_said_here_or_in_the_settings_and_one_can_be_named() {
    let projects = Projects::new(&["a", "b"]);
    assert_eq!(projects.run(&["backup", "--due", "--yes", "a"]).code, 0);
    assert_eq!(projects.saved(), ["a"]);
    let settings = projects.outlast.home().join("config/outlast/config.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    write(&settings, format!("overdue_after = \"0s\"\n{text}"));
    assert_eq!(projects.run(&["backup", "--due", "--yes", "a"]).code, 0);
    assert_eq!(projects.saved(), ["a", "a"], "by the settings it is due again");
    let folder = projects.project("a");
    let answer = projects.run(&["backup", "--due", "--yes", "--older-than", "1d", folder.to_str().unwrap()]);
    assert!(answer.out.contains("a: not due"), "{}{}", answer.out, answer.err);
    assert_eq!(projects.saved(), ["a", "a"]);
    assert_eq!(projects.run(&["backup", "--older-than", "1d"]).code, 2, "it is a rule for --due alone");
}

#[test]
fn one_that_fails_ends_no_other_and_is_told_by_the_exit_code() {
    let projects = Projects::new(&["a", "large", "z"]);
    write(&projects.project("large").join("model"), noise(1, 3 << 20));
    let answer = projects.run(&["backup", "--due", "--yes", "--limit", "1M"]);
    assert_eq!(answer.code, 4, "too large is refused: {}", answer.err);
    assert!(answer.err.contains("large was not backed up"), "{}", answer.err);
    assert_eq!(projects.saved(), ["a", "z"]);
}

#[test]
fn a_second_run_says_that_one_goes_on_and_does_nothing() {
    let projects = Projects::new(&["large"]);
    for number in 0..24 {
        write(&projects.project("large").join(format!("f{number}")), noise(number, 8 << 20));
    }
    let mut first = projects.outlast.command(&["backup", "--due", "--yes"]);
    let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    super::jobs::until("it runs", || {
        let jobs = projects.outlast.json(&["jobs", "--json"]);
        jobs["jobs"].as_array().unwrap().iter().any(|job| job["state"] == "running")
    });
    let second = projects.run(&["backup", "--due", "--yes"]);
    assert_eq!((second.code, second.out.contains("another run of this goes on")), (0, true), "{}", second.err);
    // Also where who watches is gone, and only the job goes on.
    first.kill().unwrap();
    first.wait().unwrap();
    let third = projects.run(&["backup", "--due", "--yes"]);
    let running = third.out.contains("large: skipped, a backup of it goes on");
    let over = third.out.contains("large: not due");
    assert!(third.code == 0 && (running || over), "{}{}", third.out, third.err);
    super::jobs::until("it is done", || {
        projects.outlast.json(&["jobs", "--json"])["jobs"][0]["state"] == "done"
    });
    assert_eq!(projects.saved(), ["large"]);
}

#[test]
fn i17_the_line_for_cron_does_what_it_says() {
    let projects = Projects::new(&["a", "b"]);
    let shown = projects.run(&["schedule", "--cron", "--older-than", "1d"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let line = shown.out.lines().find(|line| !line.starts_with('#')).unwrap();
    let command = line.splitn(6, ' ').last().unwrap();
    let home = projects.outlast.home();
    let environment = [
        ("HOME", home.to_path_buf()),
        ("XDG_STATE_HOME", home.join("state")),
        ("XDG_CONFIG_HOME", home.join("config")),
        ("OUTLAST_ENGINE", "machine".into()),
    ];
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).env_clear().env("PATH", "/usr/bin:/bin").envs(environment);
    let output = shell.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command}: {}", super::said(&output));
    assert_eq!(projects.saved(), ["a", "b"]);
}

#[test]
fn what_only_this_shell_knows_is_said_where_a_timer_is_printed() {
    let outlast = Outlast::new().with("OUTLAST_REPOSITORY", "rest:https://me:hidden-word@h/r");
    let shown = outlast.run(&["schedule", "p"]);
    assert!(shown.out.contains("OUTLAST_REPOSITORY is set in this shell alone"), "{}", shown.out);
    assert!(!shown.out.contains("hidden-word"), "{}", shown.out);
}

#[test]
fn l8_who_parts_with_a_whole_workspace_is_told_of_its_last_backup() {
    let projects = Projects::new(&["p"]);
    let folder = projects.project("p");
    let said = || {
        let plan = projects.run(&["trash", "put", "p", "--dry-run"]);
        assert_eq!(plan.code, 0, "{}", plan.err);
        plan.out.lines().find(|line| line.contains("last backup: ")).unwrap().to_owned()
    };
    assert!(said().ends_with("none is known"), "{}", said());
    assert_eq!(projects.run(&["backup", "p", "--yes"]).code, 0);
    let repository = projects.outlast.home().join("repository");
    let whole = format!("just now, never read back, nothing is newer, in {}", repository.display());
    assert!(said().ends_with(&whole), "{}", said());
    assert_eq!(projects.run(&["verify"]).code, 0);
    write(&folder.join("newer"), "x");
    let said = said();
    assert!(said.contains("read back and whole, files are newer, the last of just now"), "{said}");
}

#[test]
fn a_containers_folder_is_due_once_and_another_persons_only_for_who_says_so() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    write(&outlast.home().join("key"), "secret\n");
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    write(&disk.path().join("work/notes"), "text");
    let bind = format!("{}:/workspace", disk.path().join("work").display());
    let label = "aime.mlc.USER=somebody-else";
    let container = engine.container("due").args(["-v", &bind, "-w", "/workspace", "--label", label]).run();
    let key = outlast.home().join("key").to_str().unwrap().to_owned();
    let repository = disk.path().join("repository").to_str().unwrap().to_owned();
    let outlast = outlast.with("OUTLAST_PASSWORD_FILE", &key).with("OUTLAST_REPOSITORY", &repository);
    let all = outlast.run(&["backup", "--due", "--dry-run"]).out;
    let theirs = format!("{}: skipped, it is somebody-else's; --all-users takes it too", container.name);
    assert!(all.lines().any(|line| line == theirs), "{all}");
    let named = outlast.run(&["backup", "--due", "--yes", &container.name]);
    assert_eq!(named.code, 0, "{}", named.err);
    assert!(named.out.contains("it was never backed up") && named.out.contains("saved "), "{}", named.out);
    let again = outlast.run(&["backup", "--due", "--yes", &container.name]);
    assert_eq!((again.code, again.out.contains("not due")), (0, true), "{}{}", again.out, again.err);
}
