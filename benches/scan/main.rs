//! The walk against the floor, `du` and the other programs that are on `PATH`: time, processor
//! time, memory an entry, how soon a walk ends when it is told to; the layers of containers
//! against `docker diff`; and what it takes to keep a tree up with the disk.
//!
//! Makes trees below Cargo's own folder for temporary files and keeps them for the next run; runs
//! every program on them in turns, with everything in memory already, and prints medians of the
//! ratios to the floor of the same round. Run by `cargo bench --bench scan -- [--entries
//! 100000,1000000] [--rounds 9] [--cold 3] [--layers 1000,100000,500000]`; `--cold` empties the
//! machine's caches before every run, and takes root.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "a measurement that cannot go on says why and stops"
)]

mod floor;
mod grow;
mod layers;
mod refresh;
mod screen;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use outlast::port::{Disk as _, Pace, Walk};
use outlast::scan::LocalDisk;

/// What the command line asks for.
struct Options {
    /// Sizes of trees.
    entries: Vec<u64>,
    /// Times that every program is run.
    rounds: usize,
    /// Times that those that are compared without a cache are run.
    cold: usize,
    /// Files in the layers of containers.
    layers: Vec<u64>,
}

/// A program, and what it took in every round: seconds, and seconds on a processor.
struct Subject {
    label: &'static str,
    program: PathBuf,
    arguments: &'static [&'static str],
    took: Vec<(f64, f64)>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [what, root] if what == "--floor" => return floor::run(Path::new(root), 2),
        [what, root] if what == "--floor-of-eight" => return floor::run(Path::new(root), 8),
        [what, root] if what == "--stranger" => return refresh::stranger(Path::new(root)),
        [what, root] if what == "--memory" => return memory(Path::new(root)),
        [what, root] if what == "--screen" => {
            println!("{}", screen::measured(Path::new(OURS), Path::new(root)));
            return;
        }
        [what, root] if what == "--refresh" => {
            println!("{}", refresh::refresh(Path::new(root), 9));
            return;
        }
        _ => {}
    }
    let options = options(&arguments);
    let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entries in options.entries {
        eprintln!("a tree of {entries} entries");
        let tree = grow::tree(below, entries);
        let mut subjects = subjects();
        for round in 0..=options.rounds {
            for subject in &mut subjects {
                let took = timed(subject, &tree);
                // The first round brings everything into memory.
                if round > 0 {
                    subject.took.push(took);
                }
            }
        }
        println!("\n### {entries} entries, warm, {} rounds\n", options.rounds);
        println!("| | s | s on a processor | to the floor | on a processor |\n|---|---:|---:|---:|---:|");
        for subject in &subjects {
            let (wall, cpu) = (median(wall(subject)), median(cpu(subject)));
            let ratios = (ratio(subject, &subjects[0], wall_of), ratio(subject, &subjects[0], cpu_of));
            let label = subject.label;
            println!("| {label} | {wall:.2} | {cpu:.2} | {:.2} x | {:.2} x |", ratios.0, ratios.1);
        }
        bars(&subjects);
        if options.cold > 0 {
            cold(&tree, options.cold);
        }
        println!("\n{}", own_words(Command::new(own()).arg("--memory").arg(&tree)));
        println!("{}", ends_at_once(&tree));
        println!("{}", screen::measured(Path::new(OURS), &tree));
        println!("{}", refresh::refresh(&tree, options.rounds));
    }
    layers::run(&options.layers, options.rounds);
    println!("\n### kept up with the disk\n");
    println!("{}", refresh::strangers(below));
    println!("{}", refresh::writers(below, options.rounds));
}

/// Whether ours keeps what was promised against each of the others.
fn bars(subjects: &[Subject]) {
    let ours = &subjects[1];
    for (label, bar) in [("floor", 1.15), ("pdu", 0.9), ("dua", 0.35), ("gdu", 0.35)] {
        if let Some(other) = subjects.iter().find(|subject| subject.label == label) {
            verdict(label, ratio(ours, other, wall_of), bar);
        }
    }
}

fn verdict(label: &str, ratio: f64, bar: f64) {
    let said = if ratio <= bar { "held" } else { "MISSED" };
    println!("- {ratio:.2} x {label}, at most {bar} x: {said}");
}

/// Ours and the floor, both with eight threads and nothing in memory.
fn cold(tree: &Path, rounds: usize) {
    let mut pair = [
        Subject { label: "floor", program: own(), arguments: &["--floor-of-eight"], took: Vec::new() },
        Subject { label: "outlast du", program: OURS.into(), arguments: OURS_SAYS, took: Vec::new() },
    ];
    for _ in 0..rounds {
        for subject in &mut pair {
            rustix::fs::sync();
            if std::fs::write("/proc/sys/vm/drop_caches", "3").is_err() {
                eprintln!("not measured: only root may empty the caches");
                return;
            }
            let took = timed(subject, tree);
            subject.took.push(took);
        }
    }
    println!("\n### cold, {rounds} rounds\n");
    println!("floor {:.2} s, outlast du {:.2} s", median(wall(&pair[0])), median(wall(&pair[1])));
    verdict("floor of eight threads, cold", ratio(&pair[1], &pair[0], wall_of), 1.15);
}

const OURS: &str = env!("CARGO_BIN_EXE_outlast");
const OURS_SAYS: &[&str] = &["du", "--fresh", "--json"];

/// This program.
fn own() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn options(arguments: &[String]) -> Options {
    let mut options = Options { entries: vec![100_000], rounds: 9, cold: 0, layers: Vec::new() };
    let sizes = |value: &str| {
        value.split(',').filter(|size| !size.is_empty()).map(|size| size.parse().unwrap()).collect()
    };
    // Cargo adds `--bench`.
    let mut arguments = arguments.iter().filter(|argument| *argument != "--bench");
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
        match name.as_str() {
            "--entries" => options.entries = sizes(value),
            "--layers" => options.layers = sizes(value),
            "--cold" => options.cold = value.parse().unwrap(),
            "--rounds" => options.rounds = value.parse().unwrap(),
            _ => panic!("unknown option {name}"),
        }
    }
    options
}

/// The floor, ours, and those of the others that are installed.
fn subjects() -> Vec<Subject> {
    let subject = |label, program, arguments| Subject { label, program, arguments, took: Vec::new() };
    let mut subjects =
        vec![subject("floor", own(), &["--floor"]), subject("outlast du", OURS.into(), OURS_SAYS)];
    let others: [(&str, &[&str]); 5] = [
        ("du", &["-s"]),
        ("pdu", &["--quantity", "block-size", "--max-depth", "2", "--silent-errors"]),
        ("diskus", &[]),
        ("dua", &["aggregate"]),
        ("gdu", &["-npc"]),
    ];
    let path = std::env::var_os("PATH").unwrap_or_default();
    for (label, arguments) in others {
        let found = std::env::split_paths(&path).map(|folder| folder.join(label)).find(|file| file.is_file());
        match found {
            Some(program) => subjects.push(subject(label, program, arguments)),
            None => eprintln!("not on PATH, left out: {label}"),
        }
    }
    subjects
}

/// Runs a program to its end: seconds, and seconds on a processor.
fn timed(subject: &Subject, tree: &Path) -> (f64, f64) {
    let before = cpu_of_children();
    let start = Instant::now();
    let ended = Command::new(&subject.program)
        .args(subject.arguments)
        .arg(tree)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(ended.is_ok_and(|status| status.success()), "{} failed", subject.label);
    (start.elapsed().as_secs_f64(), cpu_of_children() - before)
}

/// What the processes that ended so far have used, which Linux counts in hundredths of a second.
fn cpu_of_children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[13..15].iter().map(|field| field.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// Walks in this process and tells what the tree takes in memory.
fn memory(root: &Path) {
    let before = anonymous();
    let walk = LocalDisk.walk(root, Pace::Full).unwrap();
    assert!(walk.ended(Duration::from_mins(10)));
    let total = walk.progress().total;
    let entries = (total.files + total.dirs) as f64;
    println!("{:.0} bytes of memory an entry", (anonymous() - before) / entries);
}

/// Memory of this process that is no file's.
fn anonymous() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() * 1024.0
}

fn own_words(command: &mut Command) -> String {
    String::from_utf8_lossy(&command.output().unwrap().stdout).trim_end().to_owned()
}

/// How long walks take to end that are told to at different moments.
fn ends_at_once(tree: &Path) -> String {
    let mut worst = Duration::ZERO;
    for tenths in 0..20 {
        let walk: Box<dyn Walk> = LocalDisk.walk(tree, Pace::Full).unwrap();
        walk.ended(Duration::from_millis(tenths * 3));
        let told = Instant::now();
        walk.stop();
        assert!(walk.ended(Duration::from_secs(10)));
        worst = worst.max(told.elapsed());
    }
    format!("{:.1} ms at most until a walk that is told to end has ended", worst.as_secs_f64() * 1000.0)
}

const fn wall_of(took: &(f64, f64)) -> f64 {
    took.0
}

const fn cpu_of(took: &(f64, f64)) -> f64 {
    took.1
}

fn wall(subject: &Subject) -> Vec<f64> {
    subject.took.iter().map(wall_of).collect()
}

fn cpu(subject: &Subject) -> Vec<f64> {
    subject.took.iter().map(cpu_of).collect()
}

/// The median of the ratios of each round.
fn ratio(subject: &Subject, floor: &Subject, of: fn(&(f64, f64)) -> f64) -> f64 {
    let rounds = subject.took.iter().zip(&floor.took);
    median(rounds.map(|(took, floor)| of(took) / of(floor)).collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}
