//! `git` and `git-init`: how projects stand, and a project put under git.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::archive::{Ground, text};
use super::{Outlast, one};

/// A person whom git knows, with a project in their home.
struct Person {
    ground: Ground,
}

impl Person {
    fn new() -> Self {
        let ground = Ground::new();
        let settings = "[user]\n\tname = A\n\temail = a@example.org\n[init]\n\tdefaultBranch = main\n";
        fs::write(ground.outlast.home().join(".gitconfig"), settings).unwrap();
        Self { ground }
    }

    /// Runs git in a folder of theirs as they would.
    fn git(&self, folder: &Path, args: &[&str]) -> String {
        let output = std::process::Command::new("git")
            .args(args)
            .current_dir(folder)
            .env("HOME", self.ground.outlast.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn init(&self, more: &[&str]) -> super::Answer {
        let home = self.ground.at("home");
        self.ground.outlast.run(&[&["git-init", text(&home), "--yes"], more].concat())
    }
}

fn project(ground: &Ground) {
    for path in [
        "src/train.py",
        "src/deep/model.py",
        "notebooks/look.ipynb",
        "README.md",
        "requirements.txt",
        "configs/base.yaml",
        "data/raw/table.csv",
        "models/best.pt",
        "src/weights.safetensors",
        "src/.env",
        "notes.txt",
        ".bash_history",
    ] {
        ground.write(path, "x");
    }
    for large in ["models/huge.pt", "src/huge.py"] {
        fs::File::create(ground.at("home").join(large)).unwrap().set_len(200 << 20).unwrap();
    }
}

#[test]
fn i12_only_what_somebody_wrote_is_in_the_first_commit_and_it_is_pushed_where_they_say() {
    let person = Person::new();
    project(&person.ground);
    let bare = person.ground.at("remote.git");
    person.git(person.ground.dir.path(), &["init", "-q", "--bare", text(&bare)]);
    let plan = person.init(&["--remote", text(&bare), "--push", "--dry-run"]);
    assert_eq!(plan.code, 0, "{}", plan.err);
    assert!(plan.out.contains("src/train.py") && plan.out.contains("models/huge.pt (200M)"), "{}", plan.out);
    assert!(!person.ground.at("home/.git").exists(), "a plan makes nothing");
    let done = person.init(&["--remote", text(&bare), "--push", "--json"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    let report = done.json();
    let listed = person.git(&bare, &["ls-tree", "-r", "--name-only", "main"]);
    assert_eq!(
        listed.lines().collect::<Vec<_>>(),
        [
            ".gitignore",
            "README.md",
            "configs/base.yaml",
            "notebooks/look.ipynb",
            "requirements.txt",
            "src/deep/model.py",
            "src/train.py",
        ]
    );
    assert_eq!(report["commit"].as_str().unwrap(), person.git(&bare, &["rev-parse", "main"]).trim());
    let home = person.ground.at("home");
    assert_eq!(person.git(&home, &["remote", "get-url", "origin"]).trim(), text(&bare));
    let ignored = person.git(&home, &["status", "--porcelain", "--ignored"]);
    assert!(ignored.contains("!! data/") && ignored.contains("!! models/"), "{ignored}");
    assert_eq!(person.ground.outlast.log().last().unwrap()["verb"], "git_init");
}

#[test]
fn i12_a_repository_that_is_there_and_a_gitignore_of_ones_own_stay_as_they_are() {
    let person = Person::new();
    person.ground.write("src/a.py", "x");
    person.ground.write(".gitignore", "mine\n");
    assert_eq!(person.init(&[]).code, 0);
    let home = person.ground.at("home");
    assert_eq!(fs::read_to_string(home.join(".gitignore")).unwrap(), "mine\n");
    let head = person.git(&home, &["rev-parse", "HEAD"]);
    person.ground.write("src/b.py", "x");
    let again = person.init(&[]);
    assert!(again.code == 1 && again.err.contains("already"), "{}", again.err);
    assert_eq!(person.git(&home, &["rev-parse", "HEAD"]), head);
    assert!(person.git(&home, &["status", "--porcelain"]).contains("?? src/b.py"));
}

#[test]
fn i12_what_cannot_be_done_leaves_no_half_repository() {
    let person = Person::new();
    person.ground.write("src/a.py", "x");
    fs::remove_file(person.ground.outlast.home().join(".gitconfig")).unwrap();
    let nobody = person.init(&[]);
    if nobody.code != 0 {
        assert!(nobody.code == 2 && nobody.err.contains("git config --global user.name"), "{}", nobody.err);
        assert!(!person.ground.at("home/.git").exists() && !person.ground.at("home/.gitignore").exists());
    }
    for url in ["ext::sh -c evil", "--upload-pack=evil"] {
        let refused = person.init(&[&format!("--remote={url}")]);
        assert_eq!(refused.code, 2, "{url}: {}", refused.err);
    }
    assert_eq!(person.init(&["--push"]).code, 2, "nobody said where to");
}

#[test]
fn i12_a_remote_out_of_reach_is_an_error_and_the_commit_stays() {
    let person = Person::new();
    person.ground.write("src/a.py", "x");
    let gone = person.ground.at("nowhere.git");
    let answer = person.init(&["--remote", text(&gone), "--push"]);
    assert!(answer.code == 3 && answer.err.contains("the commit is made"), "{}", answer.err);
    assert!(answer.err.contains("git push -u origin main"), "{}", answer.err);
    let home = person.ground.at("home");
    assert_eq!(person.git(&home, &["rev-list", "--count", "HEAD"]).trim(), "1");
}

#[test]
fn i12_nothing_that_the_folder_holds_is_run() {
    let person = Person::new();
    person.ground.write("src/a.py", "x");
    let mark = person.ground.at("ran");
    let hook = format!("#!/bin/sh\ntouch {}\n", mark.display());
    for place in ["hooks/pre-commit", ".githooks/pre-commit", "template/hooks/pre-commit"] {
        person.ground.write(place, &hook);
        let path = person.ground.at("home").join(place);
        fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
    }
    person.ground.write(".gitattributes", "* filter=evil\n");
    person.ground.write(".gitconfig", format!("[core]\n\tfsmonitor = touch {}\n", mark.display()));
    assert_eq!(person.init(&[]).code, 0);
    assert!(!mark.exists());
}

#[test]
fn i11_five_repositories_are_in_five_states_and_never_pushed_is_the_worst() {
    let person = Person::new();
    let dir = person.ground.dir.path().to_path_buf();
    let repository = |name: &str, pushed: bool| {
        let folder = dir.join("projects").join(name);
        fs::create_dir_all(&folder).unwrap();
        person.git(&folder, &["init", "-q"]);
        fs::write(folder.join("a.py"), "x").unwrap();
        person.git(&folder, &["add", "."]);
        person.git(&folder, &["commit", "-qm", "one"]);
        if pushed {
            let bare = dir.join(format!("{name}.git"));
            person.git(&dir, &["init", "-q", "--bare", text(&bare)]);
            person.git(&folder, &["remote", "add", "origin", text(&bare)]);
            person.git(&folder, &["push", "-qu", "origin", "main"]);
        }
        folder
    };
    fs::create_dir_all(dir.join("projects/none")).unwrap();
    repository("never", false);
    let behind = repository("behind", true);
    fs::write(behind.join("b.py"), "x").unwrap();
    person.git(&behind, &["add", "."]);
    person.git(&behind, &["commit", "-qm", "two"]);
    let dirty = repository("dirty", true);
    fs::write(dirty.join("a.py"), "changed").unwrap();
    fs::write(dirty.join("new.py"), "new").unwrap();
    repository("clean", true);
    let config = person.ground.outlast.home().join("config/outlast");
    fs::create_dir_all(&config).unwrap();
    let roots = format!("folder_roots = [{:?}]\n", text(&dir.join("projects")));
    fs::write(config.join("config.toml"), roots).unwrap();
    let outlast: &Outlast = &person.ground.outlast;
    let report = outlast.json(&["git", "--json"]);
    let of = |name: &str| {
        let row = one(&report["projects"], "name", name);
        (row["state"].as_str().unwrap().to_owned(), row["severity"].as_str().unwrap_or("none").to_owned())
    };
    assert_eq!(of("none"), ("no_repository".into(), "warning".into()));
    assert_eq!(of("never"), ("never_pushed".into(), "critical".into()));
    assert_eq!(of("behind"), ("unpushed".into(), "warning".into()));
    assert_eq!(of("dirty"), ("uncommitted".into(), "notice".into()));
    assert_eq!(of("clean"), ("pushed".into(), "none".into()));
    assert_eq!(one(&report["projects"], "name", "behind")["unpushed"], 1);
    assert_eq!(one(&report["projects"], "name", "dirty")["uncommitted"], 1);
    assert_eq!(one(&report["projects"], "name", "dirty")["untracked"], 1);
    let shown = outlast.run(&["git"]);
    assert!(shown.out.contains("never pushed!") && shown.out.contains("this machine"), "{}", shown.out);
    let single = outlast.run(&["git", text(&dir.join("projects/never"))]);
    assert!(single.out.contains("never pushed!"), "{}", single.out);
}
