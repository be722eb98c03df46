//! `archive`: a folder written as the platform writes it, listed, checked, put back.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use super::{Outlast, one};

pub(super) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a program in a folder; its output.
pub(super) fn sh(folder: &Path, program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A home and a folder for archives.
pub(super) struct Ground {
    pub(super) outlast: Outlast,
    pub(super) dir: tempfile::TempDir,
}

impl Ground {
    pub(super) fn new() -> Self {
        let ground = Self {
            outlast: Outlast::new().with("OUTLAST_ENGINE", "machine"),
            dir: tempfile::tempdir().unwrap(),
        };
        for folder in ["home", "archives"] {
            fs::create_dir(ground.at(folder)).unwrap();
        }
        ground
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub(super) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.at("home").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes an archive; more arguments may follow.
    pub(super) fn archive(&self, more: &[&str]) -> super::Answer {
        let (home, to) = (self.at("home"), self.at("archives"));
        self.outlast.run(&[&["archive", text(&home), "--to", text(&to), "--yes"], more].concat())
    }

    /// Writes an archive, which must succeed; its file.
    pub(super) fn archived(&self) -> PathBuf {
        let answer = self.archive(&["--json"]);
        assert_eq!(answer.code, 0, "{}{}", answer.out, answer.err);
        answer.json()["archive"]["path"].as_str().unwrap().into()
    }

    pub(super) fn restore(&self, archive: &Path, dest: &str, more: &[&str]) -> super::Answer {
        let dest = self.at(dest);
        self.outlast.run(&[&["archive", "restore", text(archive), text(&dest), "--yes"], more].concat())
    }

    /// Names in the folder of archives.
    pub(super) fn archives(&self) -> Vec<String> {
        names(&self.at("archives"))
    }
}

pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn i1_an_archive_has_the_platforms_name_and_form_and_tar_reads_it() {
    let ground = Ground::new();
    ground.write("notes.txt", "hello");
    ground.write("src/train.py", "print()");
    let archive = ground.archived();
    let name = archive.file_name().unwrap().to_str().unwrap().to_owned();
    let tail = name.strip_prefix("workspace-backup-").unwrap().strip_suffix(".tar.gz").unwrap();
    let (moment, random) = tail.split_once('-').unwrap();
    assert!(moment.len() == 14 && moment.bytes().all(|byte| byte.is_ascii_digit()), "{name}");
    assert!(random.len() == 12 && random.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
    assert!(random.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
    let listed = sh(ground.dir.path(), "tar", &["tzf", text(&archive)]);
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["./", "./notes.txt", "./src/", "./src/train.py"]);
    sh(ground.dir.path(), "gzip", &["--test", text(&archive)]);
    assert_eq!(ground.outlast.log().last().unwrap()["verb"], "archive");
}

#[test]
fn i2_the_platforms_own_state_is_left_out_anywhere_and_caches_by_choice() {
    let ground = Ground::new();
    for path in
        [".vessl/a", "deep/er/.vessl/b/c", ".cache/pip/x", "src/__pycache__/m.pyc", "src/m.py", "a.vessl"]
    {
        ground.write(path, "x");
    }
    let listed = |archive: &Path| sh(ground.dir.path(), "tar", &["tzf", text(archive)]);
    let all = listed(&ground.archived());
    assert!(!all.contains(".vessl/") && all.contains("./a.vessl") && all.contains("__pycache__"), "{all}");
    let answer = ground.archive(&["--no-caches", "--exclude", "deep/er", "--json"]);
    let without = listed(Path::new(answer.json()["archive"]["path"].as_str().unwrap()));
    let lines: Vec<_> = without.lines().collect();
    assert_eq!(lines, ["./", "./a.vessl", "./deep/", "./src/", "./src/m.py"]);
}

/// What `du` says of the home, in bytes.
fn du(ground: &Ground) -> u64 {
    let out = sh(ground.dir.path(), "du", &["-s", "--block-size=1", "home"]);
    out.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn i3_exactly_the_limit_is_saved_and_one_byte_more_is_refused_before_anything_is_written() {
    const MIB: u64 = 1 << 20;
    let ground = Ground::new();
    ground.write("model.pt", vec![7; usize::try_from(MIB - du(&ground)).unwrap()]);
    assert_eq!(du(&ground), MIB, "the disk counts in blocks that fit");
    let answer = ground.archive(&["--limit", "1M"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let before = ground.archives();
    ground.write("one", "1");
    let answer = ground.archive(&["--limit", "1M"]);
    assert_eq!((answer.code, ground.archives()), (4, before), "{}", answer.err);
    let both = [format!("({} bytes)", du(&ground)), format!("({MIB} bytes)")];
    assert!(both.iter().all(|size| answer.err.contains(size)), "{}", answer.err);
    assert!(answer.err.contains("outlast du"), "what to do next: {}", answer.err);
}

#[test]
fn i3_an_archive_that_grows_past_the_limit_is_not_kept() {
    let ground = Ground::new();
    // Holes take no room on the disk and some in an archive; noise does not pack.
    let mut noise = Vec::new();
    let mut state = 1_u64;
    for _ in 0..4096 / 8 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        noise.extend_from_slice(&state.to_le_bytes());
    }
    for file in 0..40 {
        ground.write(&format!("long-name-{file}-{}", "x".repeat(180)), &noise);
    }
    let limit = du(&ground);
    let answer = ground.archive(&["--limit", &limit.to_string()]);
    assert_eq!(answer.code, 0, "what fits is kept: {}", answer.err);
    // Small files packed with long names: the folder fits, and the archive is made to be larger.
    let many = Ground::new();
    for file in 0..400 {
        many.write(&format!("{file}-{:x}", u64::MAX / (file + 1)), []);
    }
    let limit = du(&many).to_string();
    let answer = many.archive(&["--limit", &limit]);
    if answer.code == 0 {
        let size = fs::metadata(many.at("archives").join(&many.archives()[0])).unwrap().len();
        assert!(size <= limit.parse().unwrap());
    } else {
        assert!(answer.code == 4 && answer.err.contains("the archive"), "{}", answer.err);
        assert_eq!(many.archives(), [""; 0], "nothing is left");
    }
}

#[test]
fn i4_only_an_empty_folder_takes_an_archive_and_the_platforms_own_entries_count_as_nothing() {
    let ground = Ground::new();
    ground.write("a", "1");
    let archive = ground.archived();
    fs::create_dir_all(ground.at("full")).unwrap();
    fs::write(ground.at("full/mine"), "keep").unwrap();
    let refused = ground.restore(&archive, "full", &[]);
    assert_eq!((refused.code, names(&ground.at("full"))), (4, vec!["mine".into()]));
    assert!(
        refused.err.contains("not empty: it holds mine") && refused.err.contains("--merge"),
        "{}",
        refused.err
    );
    for folder in [".vessl/x", "lost+found"] {
        fs::create_dir_all(ground.at("empty").join(folder)).unwrap();
    }
    let done = ground.restore(&archive, "empty", &[]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(names(&ground.at("empty")), [".vessl", "a", "lost+found"]);
    assert_eq!(names(&ground.at("empty/.vessl")), ["x"]);
    assert_eq!(ground.restore(&archive, "new", &[]).code, 0, "one that is not there is made");
    assert_eq!(fs::read_to_string(ground.at("new/a")).unwrap(), "1");
}

#[test]
fn i4_a_merge_leaves_what_is_newer_and_moves_what_is_older_aside() {
    let ground = Ground::new();
    for path in ["old", "new", "same", "sub/missing", "sub/way/in"] {
        ground.write(path, "archived");
    }
    let archive = ground.archived();
    let dest = ground.at("dest");
    fs::create_dir_all(dest.join("sub")).unwrap();
    for path in ["old", "new", "mine", "sub/way"] {
        fs::write(dest.join(path), "there").unwrap();
    }
    let touch = |path: &Path, time: SystemTime| {
        fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    let archived = fs::metadata(ground.at("home/old")).unwrap().modified().unwrap();
    touch(&dest.join("old"), archived - Duration::from_mins(1));
    touch(&dest.join("new"), archived + Duration::from_mins(1));
    fs::write(dest.join("same"), "same time").unwrap();
    touch(&dest.join("same"), fs::metadata(ground.at("home/same")).unwrap().modified().unwrap());
    let merged = ground.restore(&archive, "dest", &["--merge", "--json"]);
    assert_eq!(merged.code, 1, "a file where a folder should be is named: {}", merged.err);
    let report = merged.json();
    assert_eq!(report["restored"]["skipped"][0]["path"], "sub/way");
    let read = |path: &str| fs::read_to_string(dest.join(path)).unwrap();
    assert_eq!(
        [read("old"), read("new"), read("mine"), read("sub/missing")],
        ["archived", "there", "there", "archived"]
    );
    assert_eq!([read("same"), read("sub/way")], ["same time", "there"]);
    let newer: Vec<_> =
        report["restored"]["kept_newer"].as_array().unwrap().iter().map(|path| path["path"].clone()).collect();
    assert_eq!(newer, ["new", "same"]);
    let aside = Path::new(report["restored"]["replaced"]["path"].as_str().unwrap());
    assert_eq!(fs::read_to_string(aside.join("old")).unwrap(), "there", "the older one is not lost");
    assert_eq!(report["restored"]["replaced_files"], 1);
}

#[test]
fn i5_owners_are_given_away_only_when_that_is_asked_for() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root to give files away");
        return;
    }
    let ground = Ground::new();
    ground.write("sub/a", "1");
    symlink("a", ground.at("home/sub/link")).unwrap();
    std::os::unix::fs::chown(ground.at("home/sub/a"), Some(1234), Some(77)).unwrap();
    fs::set_permissions(ground.at("home/sub/a"), PermissionsExt::from_mode(0o4755)).unwrap();
    let archive = ground.archived();
    assert_eq!(ground.restore(&archive, "b", &[]).code, 0);
    let there = fs::metadata(ground.at("b/sub/a")).unwrap();
    assert_eq!((there.uid(), there.gid(), there.mode() & 0o7777), (1234, 77, 0o4755));
    assert_eq!(ground.restore(&archive, "c", &["--owner", "5:6"]).code, 0);
    for path in ["", "sub", "sub/a", "sub/link"] {
        let there = fs::symlink_metadata(ground.at("c").join(path)).unwrap();
        assert_eq!((there.uid(), there.gid()), (5, 6), "{path}");
    }
    let mode = fs::metadata(ground.at("c/sub/a")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o755, "a program does not begin to run as somebody else");
    assert_eq!(ground.restore(&archive, "d", &["--owner", "me:us"]).code, 2);
}

#[test]
fn i6_archives_are_listed_newest_first_with_age_size_and_source_and_damaged_ones_are_marked() {
    let ground = Ground::new();
    ground.write("a", "some text to be packed");
    let archive = ground.archived();
    let folder = ground.at("archives");
    let bytes = fs::read(&archive).unwrap();
    let old = folder.join("workspace-backup-20200102030405-abcdefghijk0.tar.gz");
    fs::write(&old, &bytes).unwrap();
    let cut = folder.join("workspace-backup-20210102030405-abcdefghijk1.tar.gz");
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(folder.join("else.tar.gz"), &bytes).unwrap();
    let answer = ground.outlast.run(&["archive", "list", text(&folder), "--json"]);
    assert_eq!(answer.code, 1, "something is damaged");
    let report = answer.json();
    let paths: Vec<_> =
        report["archives"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(paths, [text(&archive), text(&cut), text(&old)]);
    assert_eq!(one(&report["archives"], "path", text(&old))["made"], "2020-01-02T03:04:05Z");
    assert_eq!(one(&report["archives"], "path", text(&old))["condition"], "whole");
    let damaged = one(&report["archives"], "path", text(&cut));
    assert_eq!((&damaged["condition"], &damaged["why"]), (&"damaged".into(), &"it ends too soon".into()));
    let source = report["archives"][0]["source"].as_str().unwrap();
    assert!(source.ends_with(&format!(":{}", ground.at("home").display())), "{source}");
    let shown = ground.outlast.run(&["archive", "list", text(&folder)]);
    let lines: Vec<_> = shown.out.lines().collect();
    assert!(
        lines[0].starts_with("AGE") && lines[1].contains("whole") && lines[2].contains("damaged"),
        "{}",
        shown.out
    );
}

#[test]
fn i8_one_flipped_byte_is_damage_and_nothing_is_restored_from_it() {
    let ground = Ground::new();
    ground.write("a", (0..=255).cycle().take(20_000).collect::<Vec<u8>>());
    let archive = ground.archived();
    let whole = ground.outlast.json(&["archive", "verify", text(&archive), "--json"]);
    assert_eq!((&whole["files"], &whole["content_bytes"]), (&1.into(), &20_000.into()));
    let bytes = fs::read(&archive).unwrap();
    let header = bytes.windows(2).skip(10).position(|pair| pair[0] == 0).unwrap() + 11;
    // The last bits in front of the sum may fill up a byte and mean nothing.
    for at in [header, header + 40, bytes.len() / 2, bytes.len() - 8, bytes.len() - 7, bytes.len() - 2] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        fs::write(&archive, flipped).unwrap();
        let verified = ground.outlast.run(&["archive", "verify", text(&archive)]);
        assert!(
            verified.code == 1 && verified.err.contains("is damaged"),
            "{at}: {}{}",
            verified.out,
            verified.err
        );
        let restored = ground.restore(&archive, "dest", &[]);
        assert!(restored.code == 1 && !ground.at("dest").exists(), "{at}: {}", restored.err);
    }
    fs::write(&archive, [&bytes[..], b"more"].concat()).unwrap();
    assert_eq!(ground.outlast.run(&["archive", "verify", text(&archive)]).code, 1, "something follows its end");
}

#[test]
fn i14_old_zip_archives_are_read_and_one_over_the_limit_goes_to_a_folder_beside() {
    let ground = Ground::new();
    ground.write("src/a.py", "print()");
    ground.write("run.sh", "#!/bin/sh");
    fs::set_permissions(ground.at("home/run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("src/a.py", ground.at("home/link")).unwrap();
    let zip = ground.at("archives/workspace-backup-20220102030405-abcdefghijk1.zip");
    sh(&ground.at("home"), "zip", &["-qry", text(&zip), "."]);
    let done = ground.restore(&zip, "back", &[]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(fs::read_to_string(ground.at("back/src/a.py")).unwrap(), "print()");
    assert_eq!(fs::read_link(ground.at("back/link")).unwrap(), Path::new("src/a.py"));
    assert_eq!(fs::metadata(ground.at("back/run.sh")).unwrap().mode() & 0o777, 0o755);
    fs::create_dir(ground.at("beside")).unwrap();
    let beside = ground.restore(&zip, "beside", &["--limit", "10"]);
    assert_eq!(beside.code, 0, "{}", beside.err);
    assert!(beside.out.contains("larger than the limit"), "{}", beside.out);
    assert_eq!(names(&ground.at("beside")), ["workspace-backup"]);
    assert!(ground.at("beside/workspace-backup/run.sh").exists());
    let mut bytes = fs::read(&zip).unwrap();
    let at = bytes.windows(7).position(|bytes| bytes == b"print()").unwrap();
    bytes[at] ^= 1;
    fs::write(&zip, bytes).unwrap();
    assert_eq!(ground.restore(&zip, "flipped", &[]).code, 1);
    assert!(!ground.at("flipped").exists());
}

#[test]
fn i15_what_is_stopped_leaves_nothing_and_what_was_killed_is_swept() {
    use std::os::unix::process::ExitStatusExt as _;
    let ground = Ground::new();
    let noise: Vec<u8> =
        (0..20_000_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()[7]).collect();
    ground.write("big", noise);
    let (home, to) = (ground.at("home"), ground.at("archives"));
    let run = |signal: rustix::process::Signal| {
        let mut command = ground.outlast.command(&["archive", text(&home), "--to", text(&to), "--yes"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let started = std::time::Instant::now();
        while ground.archives().is_empty() && started.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let pid = rustix::process::Pid::from_child(&child);
        let _ = rustix::process::kill_process(pid, signal);
        child.wait_with_output().unwrap()
    };
    let stopped = run(rustix::process::Signal::INT);
    assert_eq!(stopped.status.code(), Some(130), "{}", String::from_utf8_lossy(&stopped.stderr));
    assert_eq!(ground.archives(), [""; 0]);
    let killed = run(rustix::process::Signal::KILL);
    assert_eq!(killed.status.signal(), Some(9));
    let left = ground.archives();
    assert!(left.len() == 1 && left[0].ends_with(".tar.gz.partial"), "never a name that looks whole: {left:?}");
    let listed = ground.outlast.json(&["archive", "list", text(&to), "--json"]);
    assert_eq!(listed["archives"].as_array().unwrap().len(), 0);
    ground.archived();
    let names = ground.archives();
    assert!(names.len() == 1 && names[0].ends_with(".tar.gz"), "{names:?}");
}

#[test]
fn i16_a_file_that_changes_while_it_is_read_is_named_and_the_exit_code_says_so() {
    let ground = Ground::new();
    ground.write("a-calm", "x");
    ground.write("log", vec![b'l'; 20_000_000]);
    let log = ground.at("home/log");
    let done = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writer = {
        let done = std::sync::Arc::clone(&done);
        std::thread::spawn(move || {
            use std::io::Write as _;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                fs::File::options().append(true).open(&log).unwrap().write_all(b"one more line\n").unwrap();
                std::thread::sleep(Duration::from_millis(1));
            }
        })
    };
    let answer = ground.archive(&["--json"]);
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
    assert_eq!(answer.code, 1, "{}", answer.err);
    let report = answer.json();
    assert_eq!(report["complete"], false);
    let skipped = &report["archive"]["skipped"];
    assert_eq!((&skipped[0]["path"], &skipped[0]["why"]), (&"log".into(), &"changed while it was read".into()));
    assert_eq!(skipped.as_array().unwrap().len(), 1);
    let archive = report["archive"]["path"].as_str().unwrap();
    assert_eq!(ground.outlast.run(&["archive", "verify", archive]).code, 0, "the archive itself is whole");
}

#[test]
fn i16_what_a_plain_user_may_not_read_is_named() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root to become another user");
        return;
    }
    let ground = Ground::new();
    ground.write("open", "x");
    ground.write("closed", "x");
    ground.write("locked/inside", "x");
    fs::set_permissions(ground.at("home/closed"), PermissionsExt::from_mode(0o600)).unwrap();
    fs::set_permissions(ground.at("home/locked"), PermissionsExt::from_mode(0o700)).unwrap();
    let program = ground.at("program");
    fs::copy(env!("CARGO_BIN_EXE_outlast"), &program).unwrap();
    for (path, mode) in [("", 0o755), ("archives", 0o777), ("program", 0o755), ("home", 0o755)] {
        fs::set_permissions(ground.at(path), PermissionsExt::from_mode(mode)).unwrap();
    }
    let (home, to) = (ground.at("home"), ground.at("archives"));
    let args = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        text(&program),
        "archive",
        text(&home),
        "--to",
        text(&to),
    ];
    let output = Command::new("setpriv")
        .args(args)
        .args(["--yes", "--json"])
        .env("XDG_STATE_HOME", ground.at("archives/state"))
        .env("OUTLAST_ENGINE", "machine")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let why = |path: &str| one(&report["archive"]["skipped"], "path", path)["why"].as_str().unwrap().to_owned();
    assert_eq!(why("closed"), "could not be read: permission denied");
    assert_eq!(why("locked"), "could not be read: permission denied");
    assert_eq!(report["archive"]["files"], 1);
}

#[test]
fn i19_an_archive_is_for_its_owners_eyes_and_secrets_in_it_are_named() {
    let ground = Ground::new();
    for path in [".ssh/id_ed25519", ".ssh/id_ed25519.pub", ".cache/huggingface/token", "src/a.py"] {
        ground.write(path, "x");
    }
    let answer = ground.archive(&[]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let archive = ground.at("archives").join(&ground.archives()[0]);
    assert_eq!(fs::metadata(&archive).unwrap().mode() & 0o777, 0o600);
    assert!(
        answer.out.contains("holds 2 secrets") && answer.out.contains(".ssh/id_ed25519 (SSH key)"),
        "{}",
        answer.out
    );
    assert!(
        answer.out.contains(".cache/huggingface/token (token)") && !answer.out.contains(".pub"),
        "{}",
        answer.out
    );
}

#[test]
fn nothing_is_written_where_nobody_agrees_or_the_archive_would_lie_in_what_it_saves() {
    let ground = Ground::new();
    ground.write("a", "x");
    let (home, to) = (ground.at("home"), ground.at("archives"));
    let plan = ground.outlast.run(&["archive", text(&home), "--to", text(&to), "--dry-run"]);
    assert!(
        plan.code == 0 && plan.out.contains("left out: .vessl") && plan.out.contains("undo    rm "),
        "{}",
        plan.out
    );
    assert!(plan.out.contains("same disk"), "{}", plan.out);
    let refused = ground.outlast.run(&["archive", text(&home), "--to", text(&to)]);
    assert!(refused.code == 4 && refused.err.contains("nobody is there to agree"), "{}", refused.err);
    let inside = ground.outlast.run(&["archive", text(&home), "--to", text(&home), "--yes"]);
    assert!(inside.code == 2 && inside.err.contains("in") && names(&home) == ["a"], "{}", inside.err);
    let nowhere = ground.outlast.run(&["archive", text(&home), "--yes"]);
    assert!(nowhere.code == 2 && nowhere.err.contains("--to DIR"), "{}", nowhere.err);
    assert_eq!(ground.archives(), [""; 0]);
}

#[test]
fn the_administrator_sets_the_limit_and_the_place_of_archives_by_profile() {
    let ground = Ground::new();
    ground.write("a", "x");
    let config = ground.outlast.home().join("config/outlast");
    fs::create_dir_all(&config).unwrap();
    let place = ground.at("archives");
    let settings = format!("[parameters.vessl]\narchives = {:?}\n", text(&place));
    fs::write(config.join("config.toml"), settings).unwrap();
    let home = ground.at("home");
    let answer = ground.outlast.run(&["archive", text(&home), "--profile", "vessl", "--yes"]);
    assert!(answer.code == 0 && ground.archives().len() == 1, "{}", answer.err);
    // The platform's own limit: a folder that only seems large takes no room.
    fs::File::create(home.join("holes")).unwrap().set_len(20 << 30).unwrap();
    let answer = ground.outlast.run(&["archive", text(&home), "--profile", "vessl", "--yes"]);
    assert_eq!(answer.code, 0, "{}", answer.err);
}
