//! Totals, findings and wholes of scans made up.

use std::path::Path;

use jiff::Timestamp;

use super::{Collector, targets};
use crate::core::error::Kind;
use crate::core::finding::{Method, Tally};
use crate::core::storage::StorageKind;
use crate::core::workspace::RunState;
use crate::port::{FileFact, ScanItem};
use crate::work::fake;

fn file(path: &str, bytes: Option<u64>) -> FileFact {
    FileFact { path: path.into(), bytes, storage: StorageKind::WritableLayer, modified: None, changed: false }
}

#[test]
fn only_places_that_daily_events_lose_are_read() {
    let targets = targets(&fake::grounds(fake::detail(RunState::Running)).classifier());
    let targets: Vec<_> = targets.iter().map(|path| path.display().to_string()).collect();
    assert_eq!(targets, ["/", "/dev/shm"]);
}

#[test]
fn totals_are_exact_although_only_the_best_findings_are_kept() {
    let grounds = fake::grounds(fake::detail(RunState::Running));
    let classifier = grounds.classifier();
    let mut collector = Collector::new(2);
    collector.push(ScanItem::By(Method::Upper), &classifier);
    let mut files: Vec<_> = (0..500).map(|n| file(&format!("/tmp/{n}.log"), Some(10))).collect();
    files.push(file("/tmp/model.pt", Some(1)));
    files.push(file("/var/lib/apt/lists/x", Some(1 << 30)));
    collector.push(ScanItem::Files(files), &classifier);
    assert_eq!(collector.tally(), Tally { files: 501, bytes: 5001 });
    let risk = collector.finish(Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(risk.findings.len(), 2);
    assert_eq!(risk.findings[0].path, Path::new("/tmp/model.pt"), "value comes before size");
    assert!(risk.complete());
}

#[test]
fn a_file_of_unknown_size_makes_the_sum_a_lower_bound() {
    let grounds = fake::grounds(fake::detail(RunState::Running));
    let classifier = grounds.classifier();
    let mut collector = Collector::new(10);
    collector.push(ScanItem::By(Method::Api), &classifier);
    collector.push(ScanItem::Files(vec![file("/tmp/x", None)]), &classifier);
    let risk = collector.finish(Timestamp::UNIX_EPOCH).unwrap();
    assert!(!risk.complete());
    assert_eq!(risk.tallies, [(StorageKind::WritableLayer.into(), Tally { files: 1, bytes: 0 })]);
}

#[test]
fn a_scan_that_never_says_how_it_looks_is_an_error_and_not_zero_files() {
    let grounds = fake::grounds(fake::detail(RunState::Running));
    let classifier = grounds.classifier();
    let mut collector = Collector::new(10);
    collector.push(ScanItem::Gap("the layer belongs to root".into()), &classifier);
    let error = collector.finish(Timestamp::UNIX_EPOCH).unwrap_err();
    assert_eq!(error.kind, Kind::NotPermitted);
    assert!(error.message.contains("belongs to root"), "{error}");
}

#[test]
fn an_environment_is_one_finding_with_its_total() {
    let grounds = fake::grounds(fake::detail(RunState::Running));
    let classifier = grounds.classifier();
    let mut collector = Collector::new(50);
    collector.push(ScanItem::By(Method::Upper), &classifier);
    let mut files: Vec<_> = (0..9_000)
        .map(|n| file(&format!("/root/env/lib/python3.11/site-packages/p{}/{n}.py", n % 7), Some(10)))
        .collect();
    files.extend((0..9).map(|n| file(&format!("/root/env/bin/tool{n}"), Some(1))));
    files.push(file("/root/env/train.py", Some(5)));
    files.push(file("/root/env/lib/python3.11/site-packages/mine.ipynb", Some(5)));
    files.push(FileFact {
        changed: true,
        ..file("/root/env/lib/python3.11/site-packages/p1/fixed.py", Some(5))
    });
    collector.push(ScanItem::Files(files), &classifier);
    let risk = collector.finish(Timestamp::UNIX_EPOCH).unwrap();
    let found: Vec<_> = risk.findings.iter().map(|f| (f.shown().display().to_string(), f.files)).collect();
    let expected = [
        ("/root/env/lib/python3.11/site-packages/mine.ipynb", 1),
        ("/root/env/train.py", 1),
        ("/root/env/lib/python3.11/site-packages/p1/fixed.py", 1),
        ("/root/env/", 9_009),
    ];
    assert_eq!(found, expected.map(|(path, files)| (path.to_owned(), files)));
    assert_eq!(risk.findings[3].bytes, Some(90_009));
    assert_eq!(risk.tally(|_| true).files, 9_012, "every file is counted as ever");
}

#[test]
fn a_bounded_list_keeps_the_best_whatever_the_order_they_come_in() {
    let grounds = fake::grounds(fake::detail(RunState::Running));
    let classifier = grounds.classifier();
    let mut collector = Collector::new(40);
    collector.push(ScanItem::By(Method::Upper), &classifier);
    let mixed = (0..5_000u64).map(|n| n * 7919 % 5_000);
    collector
        .push(ScanItem::Files(mixed.map(|n| file(&format!("/tmp/{n}.csv"), Some(n))).collect()), &classifier);
    let risk = collector.finish(Timestamp::UNIX_EPOCH).unwrap();
    let bytes: Vec<_> = risk.findings.iter().filter_map(|finding| finding.bytes).collect();
    assert_eq!(bytes, (4_960..5_000).rev().collect::<Vec<_>>());
}

#[test]
fn caches_are_no_findings_but_are_mentioned() {
    let grounds = fake::grounds(fake::detail(RunState::Running));
    let classifier = grounds.classifier();
    let mut collector = Collector::new(10);
    collector.push(ScanItem::By(Method::Upper), &classifier);
    collector.push(ScanItem::Files(vec![file("/root/.cache/pip/x", Some(7))]), &classifier);
    let risk = collector.finish(Timestamp::UNIX_EPOCH).unwrap();
    assert!(risk.findings.is_empty() && risk.tally(|_| true).files == 0);
    assert_eq!(risk.notes, ["1 cache file (7) not counted: made again by itself"]);
}
