//! `S`: a plan first, No by default, one line in the log.

use std::sync::Arc;
use std::time::Duration;

use outlast::core::workspace::RunState;
use outlast::engine::demo::Demo;

use super::{OLD, clock, demo};
use crate::support::journey::{Arrived, journey, press, see, unsee};

fn log(arrived: &Arrived) -> String {
    let audit = std::fs::read_dir(arrived.state.path())
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with("audit"));
    audit.map(|entry| std::fs::read_to_string(entry.path()).unwrap()).unwrap_or_default()
}

fn state(arrived: &Arrived, name: &str) -> RunState {
    let row = arrived.model.rows.iter().find(|row| row.workspace.name == name);
    row.map_or(RunState::Unknown, |row| row.workspace.state)
}

#[test]
fn any_key_but_yes_changes_nothing() {
    for no in ["<esc>", "n", "<enter>", "Y", "j"] {
        let arrived = demo(
            OLD,
            &[
                see("playground"),
                press("/playground<enter>"),
                see("none"),
                press("S"),
                see("stop playground._.alice"),
                press(no),
                unsee("stop playground._.alice"),
            ],
        );
        assert_eq!(state(&arrived, "playground"), RunState::Running, "after {no:?}");
        assert_eq!(log(&arrived), "");
    }
}

#[test]
fn yes_stops_what_loses_nothing_and_the_log_says_so() {
    let arrived = demo(
        OLD,
        &[
            see("playground"),
            press("/playground<enter>"),
            see("none"),
            press("S"),
            see("stop playground._.alice"),
            press("y"),
            see("stopped playground"),
            see("exited"),
        ],
    );
    assert_eq!(state(&arrived, "playground"), RunState::Exited);
    let log = log(&arrived);
    assert_eq!(log.lines().count(), 1, "{log}");
    let line: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
    let words = [&line["verb"], &line["before"], &line["after"], &line["result"]];
    assert_eq!(words, ["stop", "running", "exited", "done"], "{log}");
}

#[test]
fn what_was_stopped_can_be_started_again() {
    let arrived = demo(
        OLD,
        &[
            see("playground"),
            press("/playground<enter>"),
            see("none"),
            press("S"),
            see("stop playground._.alice"),
            press("y"),
            see("stopped playground"),
            see("exited"),
            press("S"),
            see("start playground._.alice"),
            press("y"),
            see("started playground"),
            see("running"),
        ],
    );
    assert_eq!(state(&arrived, "playground"), RunState::Running);
    assert_eq!(log(&arrived).lines().count(), 2);
}

#[test]
fn esc_while_reading_what_would_be_lost_asks_for_nothing() {
    let slow = Demo::docker_shaped(clock()).delayed(Duration::from_millis(100));
    let steps = [
        see("none"),
        press("/playground<enter>S"),
        see("reading what a stop would lose"),
        press("<esc>"),
        see("nothing was changed"),
        press("j"),
        see("none"),
    ];
    let arrived = journey(Arc::new(slow), clock(), OLD, &steps);
    assert!(arrived.model.overlay.is_none());
}

#[test]
fn what_loses_files_wants_the_name_typed() {
    let start = [see("my-project"), see("2 files"), press("/quick-look<enter>"), press("S"), see("loses data")];
    let wrong = [press("quick<enter>"), see("nothing was changed")];
    let arrived = demo(OLD, &[&start[..], &wrong[..]].concat());
    assert_eq!(state(&arrived, "quick-look"), RunState::Running);
    assert_eq!(log(&arrived), "");
}
