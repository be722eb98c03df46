//! The program killed between any two lines of its books while it retires or brings back: the next start
//! finishes or takes back, says so once, and no file is lost.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use outlast::core::plan::Plan;
use outlast::engine::docker::{Docker, find};
use outlast::files::LocalFiles;
use outlast::platform::clock::System;
use outlast::port::{Clock, Host};
use outlast::store::Store;
use outlast::work::act::{Consent, Runner};

use super::Bench;
use crate::support::docker::Container;
use crate::support::model::profiles;

const PLAN: &str = "OUTLAST_TEST_RETIRE_PLAN";
const STATE: &str = "OUTLAST_TEST_RETIRE_STATE";
const WHEN: &str = "OUTLAST_TEST_RETIRE_WHEN";

/// Ends the program the nth time it is asked for the time: before a step is written down as begun, after
/// it was done and before that is logged, after it was logged and before the journal says so.
struct Deadly {
    asked: AtomicU32,
    at: u32,
}

impl Clock for Deadly {
    fn now(&self) -> jiff::Timestamp {
        if self.asked.fetch_add(1, Ordering::Relaxed) + 1 == self.at {
            std::process::abort();
        }
        System.now()
    }
}

/// Not a test of its own: what is killed.
#[test]
fn as_a_child() {
    let Some(plan) = std::env::var_os(PLAN) else { return };
    let plan: Plan = serde_json::from_slice(&std::fs::read(plan).unwrap()).unwrap();
    let store = Store::at(PathBuf::from(std::env::var_os(STATE).unwrap())).unwrap();
    let host = Arc::new(Host { uid: 0, user: Some("tester".into()), ..Host::default() });
    let address = find(&|name| std::env::var(name).ok()).unwrap().unwrap();
    let engine = Docker::new(address, Arc::clone(&host), Arc::new(System), Vec::new());
    let clock = Deadly { asked: AtomicU32::new(0), at: std::env::var(WHEN).unwrap().parse().unwrap() };
    let profiles = profiles();
    let runner = Runner {
        engine: &engine,
        files: Arc::new(LocalFiles),
        store: &store,
        host: &host,
        profiles: &profiles,
        clock: &clock,
        job: Arc::default(),
        program: Path::new(env!("CARGO_BIN_EXE_outlast")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(runner.run(&plan, Consent { yes: true, lose_data: false })).unwrap();
}

/// Runs the plan of a verb until it is killed; whether it was.
fn kill(bench: &Bench, verb: &[&str], at: u32) -> bool {
    let plan = bench.outlast.json(&[verb, &["--dry-run", "--json"]].concat())["plan"].clone();
    let path = bench.outlast.home().join("plan");
    std::fs::write(&path, plan.to_string()).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "retire::killed::as_a_child", "--nocapture"])
        .env(PLAN, &path)
        .env(STATE, bench.outlast.state())
        .env(WHEN, at.to_string())
        .env("OUTLAST_PASSWORD_FILE", bench.outlast.home().join("key"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() || !said.contains("panicked"), "at {at}: {said}");
    !output.status.success()
}

fn fill(container: &Container) {
    container
        .exec("echo layer > /root/a.pt; rm /opt/from-image; echo memory > /scratch/b.csv; echo v > /anon/v");
}

/// That everything is there, whatever became of it.
fn whole(bench: &Bench, name: &str, at: u32) {
    let text = |path: &str| bench.engine.try_run(&["exec", name, "cat", path]);
    assert_eq!(text("/root/a.pt").as_deref(), Ok("layer"), "at {at}");
    assert_eq!(text("/scratch/b.csv").as_deref(), Ok("memory"), "at {at}");
    assert_eq!(text("/anon/v").as_deref(), Ok("v"), "at {at}");
    assert!(text("/opt/from-image").is_err(), "at {at}");
    assert_eq!(bench.engine.run(&["inspect", "-f", "{{.State.Status}}", name]), "running", "at {at}");
}

/// That nothing is left over of what was cut off.
fn tidy(bench: &Bench, at: u32) {
    let again = bench.outlast.run(&["log"]);
    assert!(again.err.is_empty(), "at {at} it is said once: {}", again.err);
    let names = bench.engine.run(&["ps", "-a", "--format", "{{.Names}}"]);
    let plan: Plan =
        serde_json::from_slice(&std::fs::read(bench.outlast.home().join("plan")).unwrap()).unwrap();
    assert!(!names.contains(&format!("outlast-undo-{}", plan.id)), "at {at}: {names}");
    let journal = std::fs::read_dir(bench.outlast.state().join("journal")).unwrap().count();
    assert_eq!(journal, 0, "at {at}");
}

fn retire_killed(at: u32) -> bool {
    let Some(bench) = Bench::new() else { return false };
    let args = ["--tmpfs", "/scratch", "-v", "/anon"];
    let container = bench.engine.container("killed").args(args).run();
    fill(&container);
    // So that there are books.
    let _ = bench.outlast.run(&["start", &container.name, "--yes"]);
    let killed = kill(&bench, &["retire", &container.name], at);
    let said = bench.outlast.run(&["log"]);
    if killed {
        assert!(said.err.contains("was cut off"), "at {at}: {}{}", said.err, said.out);
    }
    if bench.is_there(&container.name) {
        whole(&bench, &container.name, at);
        assert_eq!(bench.pins(), 0, "at {at}");
    } else {
        bench.undo(&container);
        whole(&bench, &container.name, at);
    }
    if killed {
        tidy(&bench, at);
    }
    killed
}

fn undo_killed(at: u32) -> bool {
    let Some(bench) = Bench::new() else { return false };
    let args = ["--tmpfs", "/scratch", "-v", "/anon"];
    let container = bench.engine.container("killed").args(args).run();
    fill(&container);
    bench.retire(&container);
    let killed = kill(&bench, &["undo", &container.name], at);
    let said = bench.outlast.run(&["log"]);
    if killed {
        assert!(said.err.contains("was cut off"), "at {at}: {}{}", said.err, said.out);
    }
    if !bench.is_there(&container.name) {
        bench.undo(&container);
    }
    whole(&bench, &container.name, at);
    if killed {
        tidy(&bench, at);
        assert!(
            bench.outlast.json(&["undo", "--list", "--json"])["undos"].as_array().unwrap().is_empty(),
            "at {at}"
        );
    }
    killed
}

#[test]
fn retiring_that_was_killed_loses_nothing_before_the_container_is_removed() {
    for at in 1..=7 {
        assert!(retire_killed(at) || Bench::new().is_none());
    }
}

#[test]
fn retiring_that_was_killed_while_it_stops_and_removes_loses_nothing() {
    for at in [8, 12, 13, 14, 15, 17, 18, 19, 20, 21] {
        assert!(retire_killed(at) || Bench::new().is_none(), "at {at}");
    }
}

#[test]
fn bringing_back_that_was_killed_is_finished_or_taken_back() {
    for at in [1, 2, 3, 5, 6, 8, 9] {
        assert!(undo_killed(at) || Bench::new().is_none(), "at {at}");
    }
}

#[test]
#[ignore = "takes many minutes; .ci/long runs it"]
fn killed_at_every_boundary_nothing_is_lost() {
    let mut at = 1;
    while retire_killed(at) {
        at += 1;
    }
    assert!(at > 20 || Bench::new().is_none(), "{at}");
    at = 1;
    while undo_killed(at) {
        at += 1;
    }
    assert!(at > 15 || Bench::new().is_none(), "{at}");
}
