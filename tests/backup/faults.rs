//! What goes wrong: kills at any moment, full disks, a flipped byte, two writers at once.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use super::verbs::Memory;
use super::{Place, noise, write};

/// Starts a verb, waits a moment and kills the process of its job, as a machine that goes down would.
fn killed(place: &Place, args: &[&str], after: Duration) {
    let mut command = place.command(args);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(after);
    kill_job(place);
    let _ = child.kill();
    child.wait().unwrap();
    // One that was just being started has its own name by now.
    std::thread::sleep(Duration::from_millis(20));
    while kill_job(place) > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Kills the processes of this place's jobs; how many there were.
pub(crate) fn kill_job(place: &Place) -> usize {
    let all = job_processes(place);
    for pid in &all {
        let _ = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    }
    all.len()
}

/// The processes that work on jobs of a place. One that is over but not waited for yet is none.
pub(crate) fn job_processes(place: &Place) -> Vec<u32> {
    // By the names of its folder, which no other test has.
    let home = place.outlast.home().to_string_lossy().into_owned();
    let works = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("__job") && line.contains(&home)
    };
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(works).collect()
}

fn files(place: &Place, round: u64) {
    for number in 0..40 {
        let seed = if number < 30 { number } else { round * 100 + number };
        write(&place.work().join(format!("f{number}")), noise(seed, 300_000));
    }
}

/// Names in a folder.
fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Kills backups, restores and removals at so many moments; the repository stays whole throughout.
fn kill_at_moments(moments: u64) {
    let place = Place::new();
    files(&place, 0);
    place.backup();
    // Spread over the length of a job, in an order that differs from run to run.
    let seed = u64::from(std::process::id());
    for moment in 0..moments {
        let after = Duration::from_millis((seed.wrapping_mul(31).wrapping_add(moment * 97)) % 1400);
        files(&place, moment + 1);
        match moment % 3 {
            0 => killed(&place, &["backup", "WORK", "--yes"], after),
            1 => {
                killed(&place, &["restore", "latest", "HERE/new", "--yes"], after);
                // It is there whole, or not at all.
                let new = place.outlast.home().join("new");
                if new.exists() {
                    assert_eq!(names(&new).len(), 40);
                    fs::remove_dir_all(new).unwrap();
                }
            }
            _ => killed(&place, &["forget", "--keep-last", "1", "--yes"], after),
        }
        if moment % 10 == 9 || moment + 1 == moments {
            place.restic_checks();
        }
    }
    files(&place, moments + 1);
    place.backup();
    assert_eq!(place.json(0, &["verify"])["verified"], true);
    place.restic_checks();
    place.json(0, &["restore", "latest", "HERE/new", "--yes"]);
    for number in 0..40 {
        let name = format!("f{number}");
        let new = place.outlast.home().join("new").join(&name);
        assert!(fs::read(new).unwrap() == fs::read(place.work().join(&name)).unwrap(), "{name}");
    }
    let left: Vec<_> =
        names(place.outlast.home()).into_iter().filter(|name| name.contains("outlast-restore")).collect();
    assert_eq!(left, Vec::<String>::new(), "what killed restores left is swept by the next one");
    let jobs = place.outlast.json(&["jobs", "--json"]);
    let cut_off = jobs["jobs"].as_array().unwrap().iter().filter(|job| job["state"] == "cut_off").count();
    eprintln!("{cut_off} of {moments} were cut off");
}

#[test]
fn twenty_kills_leave_a_whole_repository_and_no_half_restore() {
    kill_at_moments(20);
}

#[test]
#[ignore = "takes many minutes; .ci/long runs it"]
fn two_hundred_kills_leave_a_whole_repository_and_no_half_restore() {
    kill_at_moments(200);
}

#[test]
fn a_full_disk_of_the_repository_is_refused_before_or_ends_without_a_snapshot() {
    let Some(disk) = Memory::of("40m") else { return };
    let place = Place::new();
    write(&place.work().join("data"), noise(1, 60 << 20));
    let repository = format!("{}/repository", disk.path());
    let work = place.work();
    let run = |args: &[&str]| place.outlast.run(&[args, &["--repository", &repository]].concat());
    let refused = run(&["backup", work.to_str().unwrap(), "--yes"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("is free"), "{}", refused.err);

    // Room for the first, not for what comes later: that is seen only while it is written.
    let Some(disk) = Memory::of("120m") else { return };
    let repository = format!("{}/repository", disk.path());
    let run = |args: &[&str]| place.outlast.run(&[args, &["--repository", &repository]].concat());
    write(&place.work().join("data"), noise(1, 20 << 20));
    assert_eq!(run(&["backup", work.to_str().unwrap(), "--yes"]).code, 0);
    write(&place.work().join("more"), noise(2, 110 << 20));
    let failed = run(&["backup", work.to_str().unwrap(), "--yes"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.contains("No space left"), "{}", failed.err);
    fs::remove_file(place.work().join("more")).unwrap();
    assert_eq!(run(&["verify"]).code, 0, "the one that was whole still is");
    let snapshots = run(&["backups", "--json"]).json()["snapshots"].as_array().unwrap().len();
    assert_eq!(snapshots, 1);
}

#[test]
fn a_full_disk_of_a_restore_is_refused_before_or_leaves_nothing() {
    let Some(disk) = Memory::of("40m") else { return };
    let place = Place::new();
    write(&place.work().join("data"), noise(1, 60 << 20));
    place.backup();
    let to = format!("{}/new", disk.path());
    let refused = place.run(&["restore", "latest", &to, "--yes"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("does not fit"), "{}", refused.err);
    assert_eq!(names(disk.path().as_ref()), Vec::<String>::new());

    // Many small files take more than their bytes: nobody can know that before.
    for number in 0..12_000 {
        write(&place.work().join(format!("small/{number}")), format!("{number}"));
    }
    fs::remove_file(place.work().join("data")).unwrap();
    place.backup();
    let Some(disk) = Memory::of("20m") else { return };
    let to = format!("{}/new", disk.path());
    let failed = place.run(&["restore", "latest", &to, "--yes"]);
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.err.contains("No space left"), "{}", failed.err);
    assert_eq!(names(disk.path().as_ref()), Vec::<String>::new(), "what was begun was taken back");
}

#[test]
fn a_flipped_byte_is_found_by_verify_its_file_named_and_every_other_one_restored() {
    let place = Place::new();
    for number in 0..200 {
        write(&place.work().join(format!("f{number:03}")), noise(number, 50_000));
    }
    place.backup();
    let mut packs: Vec<PathBuf> = Vec::new();
    for folder in fs::read_dir(place.outlast.home().join("repository/data")).unwrap() {
        packs.extend(fs::read_dir(folder.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    packs.sort_by_key(|pack| std::cmp::Reverse(fs::metadata(pack).unwrap().len()));
    let mut bytes = fs::read(&packs[0]).unwrap();
    bytes[1_234_567] ^= 0x10;
    fs::write(&packs[0], bytes).unwrap();

    let verified = place.json(1, &["verify"]);
    assert_eq!((&verified["verified"], &verified["damaged"]["count"]), (&false.into(), &1.into()));
    let named = verified["damaged"]["first"][0]["path"]
        .as_str()
        .unwrap()
        .strip_prefix("/workspace/")
        .unwrap()
        .to_owned();
    let restored = place.json(1, &["restore", "latest", "HERE/new", "--yes"]);
    assert_eq!(
        (&restored["result"], &restored["damaged"]["first"][0]["path"]),
        (&"incomplete".into(), &named.clone().into())
    );
    for number in 0..200 {
        let name = format!("f{number:03}");
        let file = place.outlast.home().join("new").join(&name);
        if name == named {
            assert!(!file.exists());
        } else {
            assert!(fs::read(file).unwrap() == noise(number, 50_000), "{name}");
        }
    }
    let listed = place.run(&["backups"]);
    assert!(listed.out.contains("damaged"), "{}", listed.out);
}

#[test]
fn two_writers_at_once_both_come_to_their_end() {
    let place = Place::new();
    files(&place, 0);
    place.backup();
    let other = place.outlast.home().join("other");
    for number in 0..40 {
        write(&other.join(format!("f{number}")), noise(1000 + number, 300_000));
    }
    let start = |folder: &str| {
        let mut command = place.command(&["backup", folder, "--yes"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    files(&place, 1);
    let both = [start("WORK"), start(other.to_str().unwrap())];
    for child in both {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", super::said(&output));
    }
    assert_eq!(place.json(0, &["backups"])["snapshots"].as_array().unwrap().len(), 3);
    assert_eq!(place.json(0, &["verify"])["verified"], true);
    place.restic_checks();
}
