//! Backup, unchanged backup and restore against restic, in turn on the same tree: processor time, wall
//! time, peak memory, size of the repository. `cargo bench --bench backup -- --files 50000 --rounds 3`.
//!
//! Each figure is of a process of its own: ours is this very program, started again to do one thing.
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a bench prints and fails loudly")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use outlast::backup::Restic;
use outlast::core::backup::{Part, Repository, Restore, Save};
use outlast::port::Backups as _;

/// One of its figures.
type Figure = fn(Cost) -> f64;

/// What one run cost.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    cpu: f64,
    wall: f64,
    peak: f64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--do") {
        return work(&arguments[at + 1..]);
    }
    let number = |name: &str, usual: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(usual)
    };
    let (files, rounds) = (number("--files", 10_000), number("--rounds", 3));
    let restic = Command::new("restic").arg("version").output().is_ok();
    let place = tempfile::tempdir().unwrap();
    let tree = place.path().join("tree");
    let bytes = grow(&tree, files);
    println!(
        "{files} files, {:.0} MB, half of it compressible; medians of {rounds} rounds in turn\n",
        bytes / 1e6
    );
    let mut costs: Vec<[[Cost; 3]; 2]> = Vec::new();
    let mut sizes = [0.0; 2];
    for round in 0..rounds {
        let mut both = [[Cost::default(); 3]; 2];
        for who in [0, 1] {
            // Whoever comes second finds a warmer disk, so they take turns.
            let who = (who + usize::try_from(round).unwrap()) % 2;
            if who == 1 && !restic {
                continue;
            }
            let at = place.path().join(format!("round{round}-{who}"));
            fs::create_dir(&at).unwrap();
            fs::write(at.join("key"), "secret\n").unwrap();
            let runs = ["first", "again", "restore"].map(|what| measure(&mut command(who, what, &at, &tree)));
            both[who] = runs;
            sizes[who] = size(&at.join("repository")) / 1e6;
            fs::remove_dir_all(&at).unwrap();
        }
        costs.push(both);
    }
    println!("| | outlast | restic | ratio |\n|---|---:|---:|---:|");
    for (step, name) in ["first backup", "unchanged", "restore"].iter().enumerate() {
        let figures: [(&str, Figure); 3] =
            [("CPU, s", |cost| cost.cpu), ("wall, s", |cost| cost.wall), ("peak memory, MB", |cost| cost.peak)];
        for (unit, figure) in figures {
            let of = |who: usize| median(costs.iter().map(|both| figure(both[who][step])).collect());
            let (ours, theirs) = (of(0), of(1));
            println!("| {name}: {unit} | {ours:.2} | {theirs:.2} | {:.2} |", ours / theirs);
        }
    }
    println!("| repository, MB | {:.1} | {:.1} | {:.3} |", sizes[0], sizes[1], sizes[0] / sizes[1]);
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Files as a project has them: many small, some large, half of the bytes random.
fn grow(tree: &Path, files: u64) -> f64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = 0.0;
    for number in 0..files {
        let folder = tree.join(format!("{:02}/{:02}", number % 40, number / 40 % 40));
        fs::create_dir_all(&folder).unwrap();
        let length = if number % 100 == 0 { 2_000_000 } else { 20_000 };
        let mut content = Vec::with_capacity(length);
        while content.len() < length {
            match number % 2 {
                0 => content.extend(next().to_le_bytes()),
                _ => content.extend(format!("line {} of a log that repeats itself\n", next() % 1000).bytes()),
            }
        }
        bytes += content.len() as f64;
        fs::write(folder.join(format!("f{number}")), content).unwrap();
    }
    bytes
}

fn command(who: usize, what: &str, at: &Path, tree: &Path) -> Command {
    let (repository, key) = (at.join("repository"), at.join("key"));
    if who == 0 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("--do").arg(what).args([&repository, &key]).arg(tree).arg(at.join("restored"));
        return command;
    }
    let mut command = Command::new("restic");
    command.args(["--no-cache", "-q", "-r"]).arg(&repository).arg("--password-file").arg(&key);
    match what {
        "first" => {
            let mut init = Command::new("restic");
            init.args(["-q", "-r"]).arg(&repository).arg("--password-file").arg(&key).arg("init");
            assert!(init.status().unwrap().success());
            command.arg("backup").arg(tree);
        }
        "again" => drop(command.arg("backup").arg(tree)),
        _ => drop(command.args(["restore", "latest", "--target"]).arg(at.join("restored"))),
    }
    command
}

/// One thing that we do, in a process of its own.
fn work(arguments: &[String]) {
    let [what, repository, key, tree, to] = arguments else { panic!("{arguments:?}") };
    let repository = Repository::new(repository, PathBuf::from(key)).unwrap();
    let meter = Arc::default();
    if what == "restore" {
        let what = Restore {
            snapshot: "latest".into(),
            part: None,
            include: None,
            to: to.into(),
            remap: None,
            becomes: None,
        };
        Restic.open(&repository, &meter).unwrap().restore(&what).unwrap();
        return;
    }
    let part = Part { name: "workspace".into(), from: tree.into(), only: None, exclude: Vec::new() };
    let save = Save {
        workspace: "tree".into(),
        folder: tree.into(),
        parts: vec![part],
        definition: None,
        create: false,
        verify: false,
        most: None,
        host: "bench".into(),
    };
    let vault = match what.as_str() {
        "first" => Restic.create(&repository, &meter).unwrap(),
        _ => Restic.open(&repository, &meter).unwrap(),
    };
    vault.save(&save).unwrap();
}

/// Runs a process to its end; its figures are read before it is gone.
fn measure(command: &mut Command) -> Cost {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let folder = PathBuf::from(format!("/proc/{}", child.id()));
    let mut peak = 0.0;
    let ticks = loop {
        let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
        let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(kilobytes) = high.and_then(|high| high.trim().split(' ').next()?.parse::<f64>().ok()) {
            peak = kilobytes * 1024.0 / 1e6;
        }
        let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        if fields.first().is_none_or(|state| *state == "Z") {
            let tick = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
            break tick(11) + tick(12);
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let wall = begun.elapsed().as_secs_f64();
    assert!(child.wait().unwrap().success());
    Cost { cpu: ticks / 100.0, wall, peak }
}

fn size(folder: &Path) -> f64 {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let of = |entry: fs::DirEntry| {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() { size(&entry.path()) } else { metadata.len() as f64 }
    };
    entries.map(of).sum()
}
