//! `ls`: the right containers in the right states.

use std::collections::BTreeSet;

use super::{Outlast, one};
use crate::support::docker;

#[test]
fn all_containers_are_listed_and_each_in_its_state() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let running = engine.container("running").run();
    let exited = engine.container("exited").script("exit 3").run();
    exited.wait();
    let created = engine.container("created").create();

    // Others make and remove containers meanwhile: what is there before and after must be listed.
    let before = ids(&engine.run(&["ps", "-aq", "--no-trunc"]));
    let report = outlast.run(&["ls", "--all", "--no-risk", "--json"]).json();
    let after = ids(&engine.run(&["ps", "-aq", "--no-trunc"]));
    let listed: BTreeSet<String> = report["workspaces"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| !row["container"].is_null())
        .map(|row| row["id"].as_str().unwrap().to_string())
        .collect();
    let stayed: BTreeSet<_> = before.intersection(&after).cloned().collect();
    assert!(stayed.is_subset(&listed), "missing: {:?}", stayed.difference(&listed));
    let ever: BTreeSet<_> = before.union(&after).cloned().collect();
    assert!(listed.difference(&ever).count() == 0 || before != after, "made up: {listed:?}");

    let state = |name: &str| one(&report["workspaces"], "container", name)["state"].clone();
    assert_eq!(state(&running.name), "running");
    assert_eq!(state(&exited.name), "exited");
    assert_eq!(state(&created.name), "created");
    assert_eq!(one(&report["workspaces"], "container", &exited.name)["exit_code"], 3);
    let row = one(&report["workspaces"], "container", &running.name);
    assert!(row["disk"].is_null() && row["last_backup"].is_null() && row.get("disk").is_some(), "{row}");
    let machine = one(&report["workspaces"], "endpoint", "machine");
    assert!(machine["container"].is_null() && machine["layers"]["container"]["exists"] != false, "{machine}");
    let image = &one(&report["workspaces"], "container", &running.name)["image"];
    assert_eq!(*image, engine.base());
}

fn ids(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_string).collect()
}

#[test]
fn without_all_only_what_runs_is_listed_and_the_rest_is_counted() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let running = engine.container("plain").run();
    let created = engine.container("hidden").create();
    let answer = outlast.run(&["ls", "--no-risk"]);
    assert!(answer.out.contains(&running.name) && !answer.out.contains(&created.name), "{}", answer.out);
    assert!(answer.out.contains("more not running: outlast ls --all"), "{}", answer.out);
}

#[test]
fn what_was_not_read_is_null_and_never_zero() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("unread").run();
    let report = Outlast::new().run(&["ls", "--no-risk", "--json"]).json();
    let at_risk = &one(&report["workspaces"], "container", &container.name)["at_risk"];
    assert!(at_risk["files"].is_null() && at_risk["bytes"].is_null(), "{at_risk}");
    assert_eq!(at_risk["complete"], false);
}

#[test]
fn this_machine_is_listed_without_an_engine() {
    let outlast = Outlast::new();
    let report = outlast.json(&["--engine", "machine", "ls", "--no-risk", "--json"]);
    let rows = report["workspaces"].as_array().unwrap();
    assert_eq!(rows.len(), 1);
    assert!(rows[0]["container"].is_null());
    assert_eq!(rows[0]["endpoint"], "machine");
}
