//! Classifying paths: a million different ones, over workspaces with 25 mounts.
//!
//! The profile is made ready once. Beside it runs a floor: the longest prefix among the same
//! mounts and nothing else, in turns with ours, medians of both. Fails where a million paths take
//! a second or longer on one core in every round, or where classifying one allocates. Run by
//! `cargo bench --bench classify`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement that cannot go on says why and stops"
)]

mod allocations;
mod fleet;

use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use outlast::core::classify::Origin;
use outlast::core::event::Event;

use fleet::{Place, workspaces};

/// How many paths are classified in one round.
const PATHS: usize = 1_000_000;
const ROUNDS: usize = 5;
const WITHIN: Duration = Duration::from_secs(1);

fn main() {
    println!("| 1,000,000 paths, 25 mounts | floor, s | classified, s | ns a path | ratio | allocations |");
    println!("|---|---:|---:|---:|---:|---:|");
    let mut failed = false;
    for Place { name, grounds, floor, paths } in workspaces(PATHS) {
        let classifier = grounds.classifier();
        let (mut bare, mut ours, mut allocated) = (Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            bare.push(timed(&paths, |path| floor.longest(path)));
            let before = allocations::so_far();
            let taken = timed(&paths, |path| {
                let answer = classifier.explain(path, Origin::Unknown);
                answer.fates.verdict(Event::Retire).severity().into()
            });
            allocated += allocations::so_far() - before;
            ours.push(taken);
        }
        // What else the machine does makes a round slower, never faster.
        let fastest = ours.iter().min().copied().unwrap();
        let (bare, ours) = (median(bare), median(ours));
        let ratio = ours.as_secs_f64() / bare.as_secs_f64();
        let each = ours.as_nanos() / PATHS as u128;
        println!(
            "| {name} | {:.3} | {:.3} | {each} | {ratio:.1} | {allocated} |",
            bare.as_secs_f64(),
            ours.as_secs_f64()
        );
        failed |= fastest >= WITHIN || allocated > 0;
    }
    assert!(!failed, "a million paths take a second or longer, or classifying a path allocates");
}

/// How long a question takes for all paths. What is summed up keeps the answers from being left out.
fn timed(paths: &[PathBuf], question: impl Fn(&PathBuf) -> usize) -> Duration {
    let begun = Instant::now();
    let sum: usize = paths.iter().map(|path| question(black_box(path))).sum();
    black_box(sum);
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
