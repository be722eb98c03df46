//! Where files cannot be saved nothing is changed; only `--lose-data` loses.

use std::path::Path;

use super::Bench;
use crate::backup::verbs::Memory;
use crate::support::docker;

/// That a container runs on as if nothing had been tried.
fn untouched(bench: &Bench, name: &str, before: &str) {
    let now = bench.engine.run(&["inspect", "-f", "{{.State.StartedAt}} {{.State.Status}}", name]);
    assert_eq!(now, before);
    assert!(bench.outlast.json(&["undo", "--list", "--json"])["undos"].as_array().unwrap().is_empty());
    let images = bench.engine.run(&["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    let state = bench.outlast.home().join("state/outlast");
    if let Some(Ok(state)) = std::fs::read_dir(state).ok().and_then(|mut all| all.next()) {
        let undo = state.path().join("undo");
        let left = std::fs::read_dir(&undo).map(|all| all.flatten().map(|entry| entry.file_name()).collect());
        let left: Vec<std::ffi::OsString> = left.unwrap_or_default();
        assert!(left.is_empty(), "{left:?}");
        let log = std::fs::read_to_string(state.path().join("audit.jsonl")).unwrap_or_default();
        let plans: Vec<String> = log
            .lines()
            .filter_map(|line| {
                Some(serde_json::from_str::<serde_json::Value>(line).ok()?["plan"].as_str()?.to_lowercase())
            })
            .collect();
        assert!(!plans.iter().any(|plan| images.contains(plan.as_str())), "{images}");
    }
}

fn running(bench: &Bench, what: &str) -> (docker::Container, String) {
    let container = bench.engine.container(what).args(["--tmpfs", "/scratch"]).run();
    container.exec("echo x > /root/a.pt; echo y > /scratch/b.csv; dd if=/dev/urandom of=/root/big bs=1024 count=3000 2>/dev/null");
    let before = container.inspect("{{.State.StartedAt}} {{.State.Status}}");
    (container, before)
}

#[test]
fn over_the_limit_nothing_is_saved_in_part_and_nothing_is_changed() {
    let Some(bench) = Bench::new() else { return };
    let (container, before) = running(&bench, "limit");
    let refused = bench.outlast.run(&["retire", &container.name, "--yes", "--limit", "1M"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("--lose-data") && refused.err.contains("outlast risk"), "{}", refused.err);
    untouched(&bench, &container.name, &before);
    let shown = bench.outlast.run(&["retire", &container.name, "--dry-run", "--limit", "1M"]);
    assert!(shown.out.contains("more than the limit") && shown.out.contains("loses"), "{}", shown.out);
}

#[test]
fn where_saving_fails_it_is_refused_and_runs_on() {
    let Some(bench) = Bench::new() else { return };
    let (container, before) = running(&bench, "fails");
    // A repository whose key does not open it.
    bench.retire(&bench.engine.container("first").run());
    std::fs::write(bench.outlast.home().join("key"), "another\n").unwrap();
    for undo in bench.outlast.json(&["undo", "--list", "--json"])["undos"].as_array().unwrap() {
        let _ = bench.engine.try_run(&["rmi", undo["pin"].as_str().unwrap()]);
    }
    let state = bench.outlast.state();
    std::fs::remove_dir_all(state.join("undo")).unwrap();
    let refused = bench.outlast.run(&["retire", &container.name, "--yes"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("nothing was removed"), "{}", refused.err);
    untouched(&bench, &container.name, &before);
    assert_eq!(bench.engine.run(&["exec", &container.name, "cat", "/scratch/b.csv"]), "y");
}

#[test]
fn a_full_disk_keeps_the_container() {
    let Some(bench) = Bench::new() else { return };
    let (container, before) = running(&bench, "full");
    let Some(disk) = Memory::of("1m") else { return };
    let small = Path::new(disk.path());
    let goal = small.join("rescued");
    let failed =
        bench.outlast.run(&["retire", &container.name, "--yes", "--rescue-to", goal.to_str().unwrap()]);
    let names = |all: std::fs::ReadDir| all.flatten().map(|entry| entry.file_name()).collect();
    let left: Vec<_> = std::fs::read_dir(&goal).map(names).unwrap_or_default();
    let repository = small.join("repository");
    let refused =
        bench.outlast.run(&["retire", &container.name, "--yes", "--repository", repository.to_str().unwrap()]);
    assert_ne!(failed.code, 0, "{}", failed.out);
    assert!(failed.err.contains("full") && failed.err.contains("nothing was removed"), "{}", failed.err);
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".outlast-")), "{left:?}");
    assert_eq!(refused.code, 4, "{}", refused.err);
    untouched(&bench, &container.name, &before);
}

#[test]
fn only_lose_data_loses() {
    let Some(bench) = Bench::new() else { return };
    let (container, _) = running(&bench, "lose");
    let plan = bench.outlast.run(&["retire", &container.name, "--dry-run", "--lose-data"]);
    assert!(plan.out.contains("loses") && plan.out.contains("/scratch"), "{}", plan.out);
    let retired = bench.outlast.run(&["retire", &container.name, "--yes", "--lose-data"]);
    assert_eq!(retired.code, 0, "{}", retired.err);
    assert!(!container.exists());
    assert!(!bench.outlast.home().join("repository").exists(), "nothing was saved");
    let listed = bench.outlast.run(&["undo", "--list"]);
    assert!(listed.out.contains("not saved"), "{}", listed.out);
    let undone = bench.outlast.run(&["undo", "--yes"]);
    assert_eq!(undone.code, 0, "{}", undone.err);
    assert!(bench.engine.try_run(&["exec", &container.name, "cat", "/root/a.pt"]).is_err());
}

#[test]
fn what_cannot_come_back_says_why_and_changes_nothing() {
    let Some(bench) = Bench::new() else { return };
    let bind = bench.bind();
    let container = bench.engine.container("cannot").args(["-v", &bind]).run();
    container.exec("echo x > /root/a.pt");
    bench.retire(&container);
    let taken = bench.engine.container("other").name(container.name.clone()).create();
    let refuse = |why: &str| {
        let refused = bench.outlast.run(&["undo", &container.name, "--yes"]);
        assert_eq!(refused.code, 4, "{}", refused.err);
        assert!(refused.err.contains(why), "{}", refused.err);
        let listed = bench.outlast.run(&["undo", "--list"]);
        assert!(listed.out.contains(why), "{}", listed.out);
    };
    refuse("is called");
    taken.rm();
    let work = bench.outlast.home().join("work");
    std::fs::remove_dir(&work).unwrap();
    refuse("the folder");
    std::fs::create_dir(&work).unwrap();
    let repository = bench.outlast.home().join("repository/snapshots");
    let aside = bench.outlast.home().join("aside");
    std::fs::rename(&repository, &aside).unwrap();
    std::fs::create_dir(&repository).unwrap();
    refuse("its snapshot");
    std::fs::remove_dir(&repository).unwrap();
    std::fs::rename(&aside, &repository).unwrap();
    bench.undo(&container);
    assert_eq!(bench.engine.run(&["exec", &container.name, "cat", "/root/a.pt"]), "x");
}

#[test]
fn a_protected_container_is_retired_by_nobody() {
    let Some(bench) = Bench::new() else { return };
    let container = bench.engine.container("protected").args(["--label", "ds01.protected=true"]).run();
    let refused = bench.outlast.run(&["retire", &container.name, "--yes", "--lose-data"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(container.exists());
}
