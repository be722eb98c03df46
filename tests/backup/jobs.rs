//! Jobs: they outlive whoever asked for them, are seen by everybody, and end soon when called off.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Place, noise, write};

/// Waits until something is so; a slow machine may take its time.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn jobs(place: &Place) -> Vec<Value> {
    let answer = place.outlast.json(&["jobs", "--json"]);
    answer["jobs"].as_array().unwrap().clone()
}

fn large(place: &Place) {
    for number in 0..30 {
        write(&place.work().join(format!("f{number}")), noise(number, 8 << 20));
    }
}

#[test]
fn a_job_goes_on_when_the_connection_is_gone_and_the_next_start_shows_it() {
    let place = Place::new();
    large(&place);
    // A terminal's whole session hears the hang-up; the job must not be in it.
    let mut command = place.command(&["backup", "WORK", "--yes"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("it runs", || {
        place.outlast.home().join("state").exists() && jobs(&place).iter().any(|job| job["state"] == "running")
    });
    let _ = std::process::Command::new("kill").args(["-HUP", &child.id().to_string()]).status();
    child.wait().unwrap();
    until("it is done", || jobs(&place)[0]["state"] == "done");
    assert_eq!(jobs(&place)[0]["result"]["files"], 30);
    place.json(0, &["verify"]);
}

#[test]
fn a_job_whose_watcher_is_killed_is_done_all_the_same() {
    let place = Place::new();
    large(&place);
    let mut command = place.command(&["backup", "WORK", "--yes"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("it runs", || {
        place.outlast.home().join("state").exists() && jobs(&place).iter().any(|job| job["state"] == "running")
    });
    child.kill().unwrap();
    child.wait().unwrap();
    until("it is done", || jobs(&place)[0]["state"] == "done");
    assert_eq!(jobs(&place)[0]["result"]["files"], 30);
    assert_eq!(place.json(0, &["backups"])["snapshots"].as_array().unwrap().len(), 1);
}

#[test]
fn an_interrupt_calls_the_job_off_soon_and_leaves_no_snapshot() {
    let place = Place::new();
    large(&place);
    let mut command = place.command(&["backup", "WORK", "--yes", "--json"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("it saves", || {
        place.outlast.home().join("state").exists()
            && jobs(&place)
                .iter()
                .any(|job| job["progress"]["stage"] == "saving" && job["progress"]["bytes"].as_u64() > Some(0))
    });
    let begun = Instant::now();
    let _ = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", super::said(&output));
    // Generous: other tests run beside this one.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    until("the job is over", || jobs(&place)[0]["state"] == "cancelled");
    assert_eq!(place.json(0, &["backups"])["snapshots"].as_array().unwrap().len(), 0);
    place.restic_checks();
}

#[test]
fn a_job_can_be_called_off_from_elsewhere() {
    let place = Place::new();
    large(&place);
    let mut command = place.command(&["backup", "WORK", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("it runs", || {
        place.outlast.home().join("state").exists() && jobs(&place).iter().any(|job| job["state"] == "running")
    });
    let id = jobs(&place)[0]["id"].as_str().unwrap().to_owned();
    let answer = place.outlast.run(&["jobs", "--cancel", &id]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", super::said(&output));
    let again = place.outlast.run(&["jobs", "--cancel", &id]);
    assert_eq!((again.code, again.err.contains("over already")), (1, true));
}

#[test]
fn a_job_that_was_cut_off_is_said_so() {
    let place = Place::new();
    large(&place);
    let mut command = place.command(&["backup", "WORK", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("it runs", || {
        place.outlast.home().join("state").exists() && jobs(&place).iter().any(|job| job["state"] == "running")
    });
    super::faults::kill_job(&place);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", super::said(&output));
    assert!(super::said(&output).contains("ended without a word"), "{}", super::said(&output));
    assert_eq!(jobs(&place)[0]["state"], "cut_off");
}
