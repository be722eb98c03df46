//! A workspace once more: beside the old one under another name, or on another machine.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::nasty::{grow, listing, same};
use super::write;
use crate::cli::{Answer, Outlast};
use crate::support::docker;

/// A machine of its own as far as outlast can tell: its home, its settings, what it remembers.
struct Machine {
    outlast: Outlast,
}

impl Machine {
    /// One whose projects lie in a folder of this name, with a repository that all share.
    fn new(projects: &str, shared: &Path) -> Self {
        let outlast = Outlast::new().with("OUTLAST_ENGINE", "machine");
        let (home, shared) = (outlast.home().display().to_string(), shared.display());
        std::fs::create_dir_all(outlast.home().join(projects)).unwrap();
        let settings = format!(
            "folder_roots = [\"{home}/{projects}\"]\n[backup]\nrepository = \"{shared}/repository\"\n\
             password_file = \"{shared}/key\"\n"
        );
        write(&outlast.home().join("config/outlast/config.toml"), settings);
        Self { outlast }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.outlast.home().join(path)
    }

    fn run(&self, code: i32, args: &[&str]) -> Answer {
        let answer = self.outlast.run(args);
        assert_eq!(answer.code, code, "{args:?}: {}{}", answer.err, answer.out);
        answer
    }
}

fn shared() -> tempfile::TempDir {
    let shared = tempfile::tempdir().unwrap();
    write(&shared.path().join("key"), "secret\n");
    shared
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn i5_a_clone_lies_beside_the_old_one_and_is_identical_to_what_was_saved() {
    let shared = shared();
    let machine = Machine::new("projects", shared.path());
    grow(&machine.at("projects/p"));
    machine.run(0, &["backup", "p", "--yes"]);
    let before = listing(&machine.at("projects/p"));
    write(&machine.at("projects/p/newer"), "not saved");
    let plan = machine.run(0, &["clone", "p", "q", "--dry-run"]).out;
    for text in ["  as      q", "/projects/q, which must be new", "shows the command"] {
        assert!(plan.contains(text), "{text}: {plan}");
    }
    assert!(!machine.at("projects/q").exists());
    machine.run(0, &["clone", "p", "q", "--yes"]);
    assert_eq!(listing(&machine.at("projects/q")), before, "as it was when it was saved");

    let refused = machine.run(4, &["clone", "p", "q", "--yes"]);
    assert!(refused.err.contains("is there already"), "{}", refused.err);
    let none = machine.run(2, &["clone", "nothing", "r", "--yes"]);
    assert!(none.err.contains("no snapshot of nothing"), "{}", none.err);
    machine.run(2, &["clone", "p", "../r", "--yes"]);
}

#[test]
fn an_older_snapshot_can_be_cloned_and_one_of_another_workspace_cannot() {
    let shared = shared();
    let machine = Machine::new("projects", shared.path());
    let id = |name: &str, content: &str| {
        write(&machine.at(&format!("projects/{name}/notes")), content);
        let saved = machine.run(0, &["backup", name, "--yes", "--json"]).json();
        saved["snapshot"]["id"].as_str().unwrap().to_owned()
    };
    let first = id("p", "1");
    id("p", "2");
    let other = id("other", "3");
    machine.run(0, &["clone", "p", "old", "--from", &first[..10], "--yes"]);
    machine.run(0, &["clone", "p", "new", "--yes"]);
    let read = |path: &str| std::fs::read_to_string(machine.at(path)).unwrap();
    assert_eq!((read("projects/old/notes").as_str(), read("projects/new/notes").as_str()), ("1", "2"));
    machine.run(2, &["clone", "p", "wrong", "--from", &other, "--yes"]);
}

#[test]
fn i5_a_move_through_a_shared_repository_gives_the_same_tree_on_the_other_machine() {
    let shared = shared();
    let (here, there) = (Machine::new("projects", shared.path()), Machine::new("elsewhere", shared.path()));
    grow(&here.at("projects/p"));
    here.run(0, &["backup", "p", "--yes"]);
    // The other machine does not see this one's disk.
    std::fs::rename(here.at("projects"), here.at("unseen")).unwrap();
    there.run(0, &["clone", "p", "p", "--yes"]);
    same(&here.at("unseen/p"), &there.at("elsewhere/p"));
    there.run(0, &["restore", "latest", "--as", "again", "--yes"]);
    same(&here.at("unseen/p"), &there.at("elsewhere/again"));
    assert_eq!(there.run(2, &["restore", "latest", "--yes"]).code, 2, "a folder or a name is needed");
}

#[test]
fn i5_only_what_was_the_owners_is_given_to_another_user() {
    if !is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let shared = shared();
    let machine = Machine::new("projects", shared.path());
    let folder = machine.at("projects/p");
    for name in ["mine", "roots", "others", "setuid"] {
        write(&folder.join(name), name);
    }
    let script = "chown -R 1234:5678 .; chown 0:0 roots; chown 33:5678 others; chmod 4755 setuid; ln mine twin; \
                  ln -s mine link; chown -h 1234:5678 link";
    super::nasty::shell(&folder, script);
    machine.run(0, &["backup", "p", "--yes"]);
    let done = machine.run(0, &["clone", "p", "q", "--remap", "2001:3001", "--yes"]).out;
    assert!(done.contains("what was 1234:5678's is 2001:3001's now"), "{done}");
    let owner = |name: &str| {
        let metadata = machine.at("projects/q").join(name).symlink_metadata().unwrap();
        (metadata.uid(), metadata.gid())
    };
    assert_eq!(
        ["", "mine", "twin", "link", "setuid"].map(owner),
        [(2001, 3001); 5],
        "the folder itself and all that was the owner's"
    );
    assert_eq!((owner("roots"), owner("others")), ((0, 0), (33, 3001)));
    let mode = machine.at("projects/q/setuid").metadata().unwrap().mode() & 0o7777;
    assert_eq!(mode, 0o4755, "a change of owner takes that bit away, so it comes after");

    super::nasty::shell(&folder, "chown 0:0 .");
    machine.run(0, &["backup", "p", "--yes"]);
    let refused = machine.run(4, &["clone", "p", "r", "--remap", "2001:3001", "--yes"]);
    assert!(refused.err.contains("the saved folder is root's"), "{}", refused.err);
    assert!(!machine.at("projects/r").exists());
}

#[test]
fn i5_an_archive_of_one_workspace_becomes_another_that_is_identical() {
    let shared = shared();
    let machine = Machine::new("projects", shared.path());
    write(&machine.at("projects/a/deep/notes"), "text");
    super::nasty::shell(
        &machine.at("projects/a"),
        "ln deep/notes twin; ln -s deep/notes link; setfattr -n user.note -v x twin 2>/dev/null || true; chmod 2750 deep",
    );
    if is_root() {
        super::nasty::shell(&machine.at("projects/a"), "chown -R 1234:5678 .");
    }
    let to = shared.path().to_str().unwrap();
    let made = machine.run(0, &["archive", "a", "--to", to, "--yes", "--json"]).json();
    let file = made["archive"]["path"].as_str().unwrap();
    machine.run(0, &["archive", "restore", file, machine.at("projects/b").to_str().unwrap(), "--yes"]);
    same(&machine.at("projects/a"), &machine.at("projects/b"));
}

#[test]
fn the_command_that_is_printed_makes_a_container_with_the_new_folder() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    write(&outlast.home().join("key"), "secret\n");
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    write(&disk.path().join("work/notes"), "text");
    write(&disk.path().join("data/set"), "data");
    let bind = |from: &str, to: &str| format!("{}:{to}", disk.path().join(from).display());
    let (work, data) = (bind("work", "/workspace"), bind("data", "/data:ro"));
    let arguments = ["-v", &work, "-v", &data, "-w", "/workspace", "-e", "TOKEN=hidden-word"];
    let container = engine.container("cloned").args(arguments).run();
    let key = outlast.home().join("key").to_str().unwrap().to_owned();
    let repository = disk.path().join("repository").to_str().unwrap().to_owned();
    let outlast = outlast.with("OUTLAST_PASSWORD_FILE", &key).with("OUTLAST_REPOSITORY", &repository);
    let saved = outlast.run(&["backup", &container.name, "--yes"]);
    assert_eq!(saved.code, 0, "{}", saved.err);
    let new = docker::unique("clone");
    let done = outlast.json(&["clone", &container.name, &new, "--yes", "--json"]);
    assert_eq!(std::fs::read_to_string(disk.path().join(&new).join("notes")).unwrap(), "text");
    let command = done["command"].as_str().unwrap();
    assert!(!command.contains("hidden-word"), "{command}");
    // The image of these tests has nothing that runs by itself.
    let output = Command::new("sh").args(["-c", &format!("{command} sleep 300")]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", super::said(&output));
    let seen = engine.try_run(&[
        "exec",
        &new,
        "sh",
        "-c",
        "pwd; cat notes /data/set; touch /data/x || echo read-only",
    ]);
    let _ = engine.try_run(&["rm", "-f", &new]);
    let seen = format!("{seen:?}");
    assert!(seen.contains("/workspace") && seen.contains("textdata") && seen.contains("read-only"), "{seen}");
}
