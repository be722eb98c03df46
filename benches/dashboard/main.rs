//! The dashboard against other terminal programs for containers: what it costs to look.
//!
//! Makes sleeping containers, runs each program on a terminal of 120 by 40 in turns, and prints a
//! table with ratios against the best of the others in the same run. Programs that are not on
//! `PATH` are left out. Run by `cargo bench --bench dashboard -- [--n 50,200] [--starts 11]
//! [--idle 20]`; needs an engine and a quiet machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    reason = "a measurement that cannot go on says why and stops"
)]

mod fleet;
mod measure;
mod process;
mod program;
mod proxy;
mod table;

use std::path::{Path, PathBuf};

use fleet::Fleet;
use measure::{Measured, measure_run, measure_start, median};
use program::Subject;
use proxy::Proxy;

/// What the command line asks for.
struct Options {
    /// Fleet sizes.
    sizes: Vec<usize>,
    /// Starts of which the median counts.
    starts: usize,
    /// Seconds without a key.
    idle: u64,
}

fn main() {
    let options = options();
    let socket = engine_socket();
    let subjects = subjects();
    for size in &options.sizes {
        let fleet = Fleet::up(*size);
        let mut rows: Vec<Measured> = subjects.iter().map(|subject| Measured::of(subject.label)).collect();
        // In turns, so that what else the machine does meets all of them alike.
        for round in 0..options.starts {
            for (subject, row) in subjects.iter().zip(&mut rows) {
                eprintln!("{size} containers, start {} of {}: {}", round + 1, options.starts, subject.label);
                let proxy = Proxy::start(&socket);
                row.starts.push(measure_start(subject, &proxy, fleet.prefix()));
            }
        }
        for (subject, row) in subjects.iter().zip(&mut rows) {
            eprintln!("{size} containers, idle and keys: {}", subject.label);
            let proxy = Proxy::start(&socket);
            measure_run(subject, &proxy, fleet.prefix(), options.idle, row);
        }
        println!("\n### {size} containers, 120x40, {} starts, {} s idle\n", options.starts, options.idle);
        println!("{}", table::markdown(&rows));
    }
}

fn options() -> Options {
    let mut options = Options { sizes: vec![50, 200], starts: 11, idle: 20 };
    // Cargo adds `--bench`.
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
        let number = || value.parse().unwrap_or_else(|_| panic!("{name} {value}: not a number"));
        match name.as_str() {
            "--n" => options.sizes = value.split(',').map(|size| size.parse().unwrap()).collect(),
            "--starts" => options.starts = number(),
            "--idle" => options.idle = value.parse().unwrap(),
            _ => panic!("unknown option {name}"),
        }
    }
    options
}

/// The engine's socket: `DOCKER_HOST` where it names one, else the usual place.
fn engine_socket() -> PathBuf {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    host.strip_prefix("unix://").map_or_else(|| "/var/run/docker.sock".into(), PathBuf::from)
}

/// Ours, and those of the others that are installed.
fn subjects() -> Vec<Subject> {
    let found = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
    };
    let ours = Subject { label: "outlast", program: Path::new(env!("CARGO_BIN_EXE_outlast")).to_owned() };
    let others = ["oxker", "dtop", "ducker"].map(|label| (label, found(label)));
    let mut subjects = vec![ours];
    for (label, program) in others {
        match program {
            Some(program) => subjects.push(Subject { label, program }),
            None => eprintln!("not on PATH, left out: {label}"),
        }
    }
    subjects
}

/// The median of what was measured at all.
fn median_of(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    median(&mut values.flatten().collect::<Vec<_>>())
}
