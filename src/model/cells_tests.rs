//! What a cell says never claims more than was looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::core::finding::{Method, Risk};
use crate::core::mount::{Backing, Mount, Source};
use crate::core::recognise::Recognised;
use crate::core::rules::Rules;
use crate::core::storage::StorageKind;
use crate::core::workspace::Detail;
use crate::core::workspace::{Owner, RunState, Workspace, WsKey};
use crate::model::{Fact, RiskState};

fn rules() -> Arc<Rules> {
    Arc::new(Rules::new(Arc::default(), Recognised::default(), &BTreeMap::new(), None, None))
}

/// A container with a writable layer, memory, a bind mount and `/proc`.
fn row() -> Row {
    let bind = Backing::HostDir { path: "/home/u/w".into(), source: Source::Present };
    let mount = |target: &str, backing| Mount::new(target.into(), String::new(), backing, None);
    let detail = Detail {
        mounts: vec![
            mount("/", Backing::Layer),
            mount("/proc", Backing::Pseudo),
            mount("/etc/hosts", Backing::Injected),
            mount("/dev/shm", Backing::Memory),
            mount("/w", bind),
        ],
        ..Detail::new(RunState::Running)
    };
    let mut row = Row::new(
        Workspace {
            key: WsKey { endpoint: "test".into(), id: "1".into() },
            container: Some("c".into()),
            name: "c".into(),
            owner: Owner::default(),
            project: None,
            image: None,
            image_id: None,
            state: RunState::Running,
            created: None,
            labels: BTreeMap::new(),
            managed_by: None,
            protected: false,
        },
        rules(),
    );
    row.detail = Fact::Known(Arc::new(detail));
    row
}

/// A look that found this many files in the layer, and none in the other kinds it read.
fn read(files: u64, others: &[StorageKind], gaps: &[&str]) -> RiskState {
    let mut tallies = vec![(Lot::from(StorageKind::WritableLayer), Tally { files, bytes: files * 10 })];
    tallies.extend(others.iter().map(|storage| ((*storage).into(), Tally::default())));
    let risk = Risk {
        method: Method::Upper,
        caches: Vec::new(),
        tallies,
        layer: None,
        findings: Vec::new(),
        gaps: gaps.iter().map(ToString::to_string).collect(),
        notes: Vec::new(),
        as_of: Timestamp::UNIX_EPOCH,
    };
    RiskState { known: Some(Arc::new(risk)), ..RiskState::default() }
}

#[test]
fn nothing_is_said_to_be_at_risk_only_after_a_complete_look() {
    let cell = |risk| at_risk(&Row { risk, ..row() }, Event::Retire);
    assert_eq!(cell(RiskState::default()), AtRisk::NotRead);
    assert_eq!(cell(read(0, &[StorageKind::Tmpfs], &[])), AtRisk::Nothing);
    let unknown = AtRisk::Files { tally: Tally::default(), at_least: true };
    assert_eq!(cell(read(0, &[StorageKind::Tmpfs], &["no permission"])), unknown, "a gap");
    assert_eq!(cell(read(0, &[], &[])), unknown, "the memory was not read");
    let reading = RiskState { reading: Some(Tally { files: 1, bytes: 2 }), ..RiskState::default() };
    assert_eq!(cell(reading), AtRisk::Reading(Tally { files: 1, bytes: 2 }));
}

#[test]
fn the_event_decides_which_files_are_at_risk() {
    let row = Row { risk: read(2, &[StorageKind::Tmpfs], &[]), ..row() };
    let cell = |event| at_risk(&row, event);
    assert_eq!(cell(Event::Retire), AtRisk::Files { tally: Tally { files: 2, bytes: 20 }, at_least: false });
    assert_eq!(cell(Event::Stop), AtRisk::Nothing);
}

#[test]
fn an_empty_place_does_not_make_an_event_look_bad() {
    let lost = Row { risk: read(2, &[StorageKind::Tmpfs], &[]), ..row() };
    let empty = Row { risk: read(0, &[StorageKind::Tmpfs], &[]), ..row() };
    let unread = row();
    let worst_of = |row: &Row, event| worst(row, event);
    assert_eq!(worst_of(&lost, Event::Retire), Some(Verdict::Lost));
    assert_eq!(worst_of(&empty, Event::Crash), Some(Verdict::Kept));
    assert_eq!(worst_of(&empty, Event::HostLoss), Some(Verdict::KeptIf(Condition::BackedUp)));
    assert_eq!(worst_of(&unread, Event::Retire), Some(Verdict::Lost), "nobody looked");
    let nothing_known = Row { detail: Fact::Waiting, ..row() };
    assert_eq!(worst_of(&nothing_known, Event::Retire), None);
}

#[test]
fn a_folder_without_a_container_has_nothing_to_look_at() {
    let mut row = row();
    row.workspace.state = RunState::Retired;
    row.detail = Fact::Waiting;
    assert_eq!(at_risk(&row, Event::Retire), AtRisk::Folder);
    assert_eq!(worst(&row, Event::Retire), Some(Verdict::Kept));
    assert_eq!(worst(&row, Event::WorkspaceDeletion), Some(Verdict::Lost));
}

#[test]
fn the_places_of_a_row_are_the_tree_of_its_mounts() {
    let row = row();
    let paths: Vec<_> = places(&row).into_iter().map(|place| place.path.display().to_string()).collect();
    assert_eq!(paths, ["/", "/dev/shm", "/w", "/root", "/tmp"]);
    assert!(places(&Row { detail: Fact::Waiting, ..row }).is_empty(), "nothing is known of it");
}
