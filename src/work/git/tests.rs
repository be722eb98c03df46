//! Real repositories in temporary folders, well-meant and hostile.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::core::habits::{HabitFacts, LARGE, LargeFile, Tick, Untracked, habits};

/// Runs git as a person would, with no settings but those of the repository.
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"])
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .output()
        .expect("git");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A folder with a repository in `p` that has one commit.
fn repository() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("temporary directory");
    let folder = dir.path().join("p");
    fs::create_dir(&folder).expect("folder");
    git(&folder, &["init", "-q"]);
    commit(&folder, "train.py");
    (dir, folder)
}

fn commit(folder: &Path, name: &str) {
    fs::write(folder.join(name), name).expect("file");
    git(folder, &["add", name]);
    git(folder, &["commit", "-qm", name]);
}

/// A bare repository beside it, as a remote.
fn remote(dir: &TempDir, folder: &Path, name: &str) -> PathBuf {
    let bare = dir.path().join(format!("{name}.git"));
    git(dir.path(), &["init", "-q", "--bare", &bare.display().to_string()]);
    git(folder, &["remote", "add", name, &bare.display().to_string()]);
    bare
}

fn viewer() -> Host {
    Host { uid: fs::metadata("/proc/self").expect("proc").uid(), ..Host::default() }
}

fn asked(folder: &Path) -> Git {
    // A machine under load is not what is tested here.
    within(folder, &viewer(), "git", Duration::from_secs(30))
}

fn read(folder: &Path) -> GitState {
    match asked(folder) {
        Git::Read(state) => state,
        other => panic!("{other:?}"),
    }
}

/// The habit of pushing, as the list shows it.
fn pushing(folder: &Path) -> (Tick, String) {
    let facts = HabitFacts { git: asked(folder), ..HabitFacts::not_read(Timestamp::now()) };
    let habit = habits(&facts).into_iter().find(|habit| habit.id == "git-push").expect("the habit");
    (habit.tick, habit.evidence)
}

#[test]
fn the_tick_turns_green_with_the_push_and_says_that_the_remote_is_here() {
    let (dir, folder) = repository();
    assert_eq!(pushing(&folder), (Tick::No, "it has no remote to push to".into()));
    remote(&dir, &folder, "origin");
    assert_eq!(pushing(&folder), (Tick::No, "1 commit is not pushed".into()));
    git(&folder, &["push", "-q", "-u", "origin", "HEAD"]);
    let (tick, evidence) = pushing(&folder);
    assert_eq!(tick, Tick::Yes);
    assert!(evidence.contains("only to this machine"), "{evidence}");
    commit(&folder, "more.py");
    assert_eq!(pushing(&folder).0, Tick::No);
}

#[test]
fn commits_of_every_branch_and_of_none_count_as_unpushed() {
    let (dir, folder) = repository();
    remote(&dir, &folder, "origin");
    git(&folder, &["push", "-q", "-u", "origin", "HEAD"]);
    git(&folder, &["checkout", "-qb", "idea"]);
    commit(&folder, "idea.py");
    git(&folder, &["checkout", "-q", "--detach", "main"]);
    commit(&folder, "lost.py");
    let state = read(&folder);
    assert_eq!((state.unpushed, state.branch, state.upstream), (2, None, false));
    git(&folder, &["checkout", "-q", "main"]);
    let state = read(&folder);
    assert_eq!((state.unpushed, state.branch.as_deref(), state.upstream), (1, Some("main"), true));
}

#[test]
fn changed_new_and_stashed_work_is_counted() {
    let (_dir, folder) = repository();
    fs::write(folder.join("train.py"), "stashed").expect("file");
    git(&folder, &["stash", "-q"]);
    fs::write(folder.join("train.py"), "changed").expect("file");
    fs::write(folder.join(".gitignore"), "ignored\n").expect("file");
    for name in ["ignored", "new.ipynb", "odd\nname.bin"] {
        fs::write(folder.join(name), "x").expect("file");
    }
    let state = read(&folder);
    assert_eq!((state.uncommitted, state.stashes, state.unpushed), (1, 1, 1));
    assert_eq!(state.untracked, Some(Untracked { files: 3, code: 1 }));
    assert_eq!(state.remotes, Remotes::None);
    assert_eq!(state.large, Some(Vec::new()));
}

#[test]
fn a_copy_on_this_machine_does_not_stand_for_one_elsewhere() {
    let (dir, folder) = repository();
    remote(&dir, &folder, "disk");
    git(&folder, &["push", "-q", "-u", "disk", "HEAD"]);
    git(&folder, &["remote", "add", "origin", "git@example.org:u/p.git"]);
    let state = read(&folder);
    assert_eq!((state.unpushed, state.remotes), (1, Remotes::Away));
    assert_eq!(state.push_to.as_deref(), Some("origin"));
    git(&folder, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    assert_eq!(read(&folder).unpushed, 0);
}

#[test]
fn a_large_file_is_found_in_the_last_commit_and_not_beside_it() {
    let (_dir, folder) = repository();
    let sparse = |name: &str| {
        let file = fs::File::create(folder.join(name)).expect("file");
        file.set_len(LARGE + 1).expect("a hole");
    };
    sparse("beside.bin");
    assert_eq!(read(&folder).large, Some(Vec::new()));
    sparse("big.bin");
    git(&folder, &["add", "big.bin"]);
    git(&folder, &["commit", "-qm", "big"]);
    assert_eq!(read(&folder).large, Some(vec![LargeFile { path: "big.bin".into(), bytes: LARGE + 1 }]));
}

#[test]
fn a_new_repository_has_nothing_to_push_and_a_folder_without_one_is_none() {
    let dir = tempfile::tempdir().expect("temporary directory");
    assert_eq!(asked(dir.path()), Git::NotARepository);
    git(dir.path(), &["init", "-q"]);
    let state = read(dir.path());
    assert_eq!((state.commits, state.unpushed, state.branch.is_some()), (false, 0, true));
    assert!(matches!(asked(&dir.path().join("none")), Git::NotRead(_)));
}

#[test]
fn a_folder_inside_a_repository_belongs_to_it_only_with_files_in_it() {
    let (_dir, folder) = repository();
    let (inside, other) = (folder.join("sub"), folder.join("other"));
    fs::create_dir(&inside).expect("folder");
    fs::create_dir(&other).expect("folder");
    fs::write(other.join("x.py"), "x").expect("file");
    assert_eq!(asked(&inside), Git::NotARepository);
    commit(&inside, "x.py");
    let state = read(&inside);
    assert_eq!((state.unpushed, state.untracked), (2, Some(Untracked::default())));
}

#[test]
fn where_there_is_no_git_that_is_the_answer() {
    let (_dir, folder) = repository();
    assert_eq!(within(&folder, &viewer(), "no-such-git", DEADLINE), Git::NotInstalled);
}

/// A program in git's place.
fn in_its_place(dir: &TempDir, script: &str) -> &'static str {
    let path = dir.path().join("git");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("script");
    for path in [dir.path(), &path] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("mode");
    }
    String::leak(path.display().to_string())
}

#[test]
fn a_git_that_never_answers_is_ended_at_the_deadline() {
    let (dir, folder) = repository();
    let stuck = in_its_place(&dir, &format!("echo $$ >{}/pid; exec sleep 1000", dir.path().display()));
    let begun = Instant::now();
    assert!(matches!(within(&folder, &viewer(), stuck, Duration::from_millis(500)), Git::NotRead(_)));
    assert!(begun.elapsed() < Duration::from_secs(20));
    let pid = fs::read_to_string(dir.path().join("pid")).expect("it was started");
    let process = PathBuf::from(format!("/proc/{}", pid.trim()));
    let gone = (0..1000).any(|_| {
        thread::sleep(Duration::from_millis(10));
        !process.exists()
    });
    assert!(gone, "it was killed and waited for");
}

#[test]
fn a_git_that_never_stops_talking_is_cut_off() {
    let (dir, folder) = repository();
    let endless = in_its_place(&dir, "exec yes");
    assert!(matches!(within(&folder, &viewer(), endless, Duration::from_secs(30)), Git::NotRead(_)));
}

#[test]
fn root_asks_as_the_folders_owner() {
    let (dir, folder) = repository();
    if viewer().uid != 0 {
        eprintln!("skipped: needs root");
        return;
    }
    let who = in_its_place(&dir, "echo \"fatal: $(id -u) $(id -g) $(id -G) $HOME\" >&2; exit 128");
    chown(&folder, Some(1234), Some(1235)).expect("owner");
    let said = within(&folder, &viewer(), who, Duration::from_secs(30));
    assert_eq!(said, Git::NotRead("1234 1235 1235 /nonexistent".into()));
}

#[test]
fn a_folder_of_somebody_else_is_read_without_a_change_of_settings() {
    let (dir, folder) = repository();
    if viewer().uid != 0 {
        eprintln!("skipped: needs root");
        return;
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    chown(&folder, Some(1234), Some(1234)).expect("owner");
    assert_eq!(read(&folder).unpushed, 1, "what git itself calls dubious ownership");
}

/// Every file of a repository: its content and when it changed.
fn everything(folder: &Path, found: &mut BTreeMap<PathBuf, (Vec<u8>, i64, i64)>) {
    for entry in fs::read_dir(folder).expect("folder").flatten() {
        let metadata = entry.metadata().expect("metadata");
        if metadata.is_dir() {
            everything(&entry.path(), found);
        }
        let content = fs::read(entry.path()).unwrap_or_default();
        found.insert(entry.path(), (content, metadata.ctime(), metadata.ctime_nsec()));
    }
}

#[test]
fn looking_changes_nothing_in_the_repository() {
    let (_dir, folder) = repository();
    fs::write(folder.join("train.py"), "train.py").expect("the same content at another time");
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    everything(&folder, &mut before);
    assert_eq!(read(&folder).uncommitted, 0, "git compared the content");
    everything(&folder, &mut after);
    assert!(before == after);
    git(&folder, &["status"]);
    everything(&folder, &mut after);
    assert!(before != after, "an ordinary status does write");
}

/// A repository whose settings run `touch MARK` wherever a program can be named.
fn hostile(mark: &Path) -> (TempDir, PathBuf) {
    let (dir, folder) = repository();
    let touch = format!("touch {}; cat", mark.display());
    for name in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "core.askPass",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.clean",
        "filter.evil.smudge",
        "Filter.other.Process",
        "gpg.program",
        "credential.helper",
        "pager.status",
        "pager.rev-list",
        "uploadpack.packObjectsHook",
        "sequence.editor",
        "interactive.diffFilter",
        "merge.evil.driver",
    ] {
        git(&folder, &["config", name, &touch]);
    }
    for name in ["status", "rev-list", "rev-parse", "config", "remote", "ls-files", "ls-tree", "for-each-ref"] {
        git(&folder, &["config", &format!("alias.{name}"), &format!("!{touch}")]);
    }
    for (name, value) in
        [("filter.evil.required", "true"), ("log.showSignature", "true"), ("status.submoduleSummary", "true")]
    {
        git(&folder, &["config", name, value]);
    }
    let hooks = folder.join(".git/hooks");
    fs::create_dir_all(&hooks).expect("folder");
    for name in ["post-index-change", "fsmonitor-watchman", "reference-transaction", "post-checkout"] {
        let hook = hooks.join(name);
        fs::write(&hook, format!("#!/bin/sh\n{touch}\n")).expect("hook");
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("mode");
    }
    fs::write(folder.join(".git/info/attributes"), "*.txt filter=other diff=evil\n").expect("attributes");
    fs::write(folder.join(".gitattributes"), "*.py filter=evil diff=evil merge=evil\n").expect("attributes");
    // The size stays and the time does not: git must look into the file, through its filter.
    fs::write(folder.join("train.py"), "train.pz").expect("file");
    (dir, folder)
}

#[test]
fn a_hostile_configuration_runs_nothing() {
    let marks = tempfile::tempdir().expect("temporary directory");
    let mark = marks.path().join("pwned");
    let (_dir, folder) = hostile(&mark);
    assert_eq!(read(&folder).uncommitted, 1);
    assert!(!mark.exists(), "something was run");
    git(&folder, &["-c", "core.fsmonitor=false", "status", "--porcelain"]);
    assert!(mark.exists(), "an ordinary status runs the filter");
}

#[test]
fn a_filter_with_a_name_that_slips_through_is_not_asked_about() {
    let marks = tempfile::tempdir().expect("temporary directory");
    let mark = marks.path().join("pwned");
    let (_dir, folder) = repository();
    git(&folder, &["config", "filter.a=b.clean", &format!("touch {}; cat", mark.display())]);
    fs::write(folder.join(".gitattributes"), "* filter=a=b\n").expect("attributes");
    fs::write(folder.join("train.py"), "train.pz").expect("file");
    assert!(matches!(asked(&folder), Git::NotRead(_)));
    assert!(!mark.exists());
    git(&folder, &["status"]);
    assert!(mark.exists(), "git itself takes such a name");
}

#[test]
fn what_a_partial_clone_lacks_is_not_fetched() {
    let marks = tempfile::tempdir().expect("temporary directory");
    let mark = marks.path().join("pwned");
    let (_dir, folder) = repository();
    let blob = git(&folder, &["rev-parse", "HEAD:train.py"]);
    let (start, rest) = blob.trim().split_at(2);
    fs::remove_file(folder.join(".git/objects").join(start).join(rest)).expect("object");
    for (name, value) in [
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", &format!("ext::sh -c touch% {}", mark.display())),
        ("protocol.ext.allow", "always"),
    ] {
        git(&folder, &["config", name, value]);
    }
    let state = read(&folder);
    assert_eq!(state.large, None, "its size is not known");
    assert!(!mark.exists(), "something was run");
    let _ = Command::new("git").arg("-C").arg(&folder).args(["cat-file", "-p", blob.trim()]).output();
    assert!(mark.exists(), "git itself would fetch it");
}
