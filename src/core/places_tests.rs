//! The tree of places of made-up workspaces.

use super::*;
use crate::core::facts::Facts;
use crate::core::finding::{FileAtRisk, Method};
use crate::core::mount::{Backing, Source};
use crate::core::profile::Profile;
use crate::core::recognise::Recognised;
use crate::core::rules::Rules;
use crate::core::value::Value;
use crate::core::workspace::{Detail, RunState};

fn rules() -> Rules {
    let profile = Profile {
        workspace: Some("/workspace".into()),
        shared_data: vec!["/data".into()],
        ..Profile::default()
    };
    Rules::new(profile.into(), Recognised::default(), &BTreeMap::new(), None, None)
}

fn detail() -> Detail {
    let bind = |target: &str, path: &str| {
        let backing = Backing::HostDir { path: path.into(), source: Source::Present };
        Mount::new(target.into(), path.into(), backing, Some("ext4".into()))
    };
    Detail {
        mounts: vec![
            Mount::new("/".into(), String::new(), Backing::Layer, Some("overlay".into())),
            bind("/workspace", "/home/u/p"),
            bind("/data", "/srv/data").read_only(true),
            Mount::new("/workspace/.cache".into(), String::new(), Backing::Memory, None),
            Mount::new("/proc".into(), String::new(), Backing::Pseudo, None),
        ],
        ..Detail::new(RunState::Running)
    }
}

fn found(paths: &[&str]) -> Risk {
    let file = |path: &&str| FileAtRisk {
        path: (*path).into(),
        bytes: Some(1),
        storage: StorageKind::WritableLayer,
        rule: None,
        value: Value::of(path.as_ref()),
        modified: None,
        changed: false,
        files: 1,
        again: None,
    };
    Risk {
        method: Method::Upper,
        tallies: Vec::new(),
        caches: Vec::new(),
        layer: None,
        findings: paths.iter().map(file).collect(),
        gaps: Vec::new(),
        notes: Vec::new(),
        as_of: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn shown(risk: Option<&Risk>) -> Vec<String> {
    let (detail, rules) = (detail(), rules());
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default() };
    tree(&classifier, risk)
        .iter()
        .map(|place| {
            let verdict = place.verdict(Event::Retire);
            format!("{}{} {}", "  ".repeat(place.depth), place.name.display(), verdict.words())
        })
        .collect()
}

#[test]
fn the_tree_begins_with_the_root_then_the_workspace_then_the_other_mounts() {
    assert_eq!(
        shown(None),
        ["/ lost", "  /workspace kept", "    .cache lost", "  /data kept", "  /root lost", "  /tmp lost"]
    );
}

#[test]
fn a_folder_with_files_at_risk_is_listed_unless_a_place_above_it_says_the_same() {
    let risk = found(&["/opt/results/eval.csv", "/opt/results/more/x", "/tmp/wandb/run.log", "/model.pt"]);
    let tree = shown(Some(&risk));
    assert!(tree.contains(&"  /opt/results lost".to_string()), "{tree:?}");
    assert_eq!(tree.len(), 7, "{tree:?}");
}

#[test]
fn the_lost_ones_are_exactly_those_that_the_classifier_calls_lost() {
    let (detail, rules) = (detail(), rules());
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default() };
    for event in Event::ALL {
        for place in tree(&classifier, None) {
            let asked = classifier.explain(&place.path, Origin::Layer).fates.verdict(event);
            assert_eq!(place.verdict(event), asked, "{} {event:?}", place.path.display());
            let json = PlaceRow::of(&place, event);
            assert_eq!(json.fate == Fate::Lost, asked == Verdict::Lost, "{json:?}");
        }
    }
}

#[test]
fn a_read_only_mount_says_so_with_all_below_it() {
    let (detail, rules) = (detail(), rules());
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default() };
    let read_only: Vec<_> =
        tree(&classifier, None).into_iter().filter(Place::read_only).map(|place| place.path).collect();
    assert_eq!(read_only, [Path::new("/data")]);
}

#[test]
fn without_known_mounts_there_is_no_tree() {
    let (mut detail, rules) = (detail(), rules());
    detail.mounts.clear();
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default() };
    assert!(tree(&classifier, None).is_empty());
}
