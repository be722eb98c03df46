//! Findings about made-up workspaces; real containers are in `tests/cli`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::core::error::Kind;
use crate::core::facts::Facts;
use crate::core::mount::{Backing, Mount, Source};
use crate::core::profile::{Kinds, PathRule, Profile};
use crate::core::recognise::Recognised;
use crate::core::rules::Rules;
use crate::core::workspace::{Detail, RunState};

/// A workspace that should have something lasting at `/workspace`, and has this.
fn with(mounts: Vec<Mount>) -> Grounds {
    let rule = PathRule {
        id: "workspace".into(),
        paths: vec!["/workspace".into(), "/data".into()],
        host_paths: Vec::new(),
        storage: Kinds(StorageKind::MOUNTED.into()),
        packages: false,
        fates: BTreeMap::new(),
        conditions: BTreeMap::new(),
        reason: "it is the project folder".into(),
        advice: None,
        violation: Some(Violation::WorkspaceNotMounted),
        source: None,
    };
    let profile = Profile { workspace: Some("/workspace".into()), rules: vec![rule], ..Profile::default() };
    let mut detail = Detail::new(RunState::Running);
    detail.mounts = vec![Mount::new("/".into(), String::new(), Backing::Layer, Some("overlay".into()))];
    detail.mounts.extend(mounts);
    let rules = Rules::new(profile.into(), Recognised::default(), &BTreeMap::new(), None, None);
    Grounds {
        detail: Arc::new(detail),
        rules: Arc::new(rules),
        facts: Facts::default(),
        timing: Arc::default(),
        covers: Arc::default(),
    }
}

fn bind(target: &str, path: &str, source: Source, filesystem: &str) -> Mount {
    Mount::new(
        target.into(),
        path.into(),
        Backing::HostDir { path: path.into(), source },
        Some(filesystem.into()),
    )
}

fn ids(grounds: &Grounds) -> Vec<(&'static str, Severity)> {
    workspace("p", grounds).into_iter().map(|finding| (finding.id, finding.severity)).collect()
}

#[test]
fn a_workspace_whose_folder_is_mounted_has_no_findings() {
    let good = with(vec![bind("/workspace", "/home/u/p", Source::Present, "ext4")]);
    assert_eq!(ids(&good), []);
    assert_eq!(status(&[], true), ("ok", 0));
    assert_eq!(status(&[], false), ("unknown", 3));
}

#[test]
fn a_workspace_whose_folder_is_not_mounted_is_critical() {
    let bare = with(Vec::new());
    assert_eq!(ids(&bare), [("workspace-not-mounted", Severity::Critical)]);
    assert_eq!(status(&workspace("p", &bare), false), ("critical", 2));
    // Without a container there is nothing that should be mounted.
    let mut nothing = with(Vec::new());
    nothing.detail = Arc::new(Detail::new(RunState::Exited));
    assert_eq!(ids(&nothing), []);
}

#[test]
fn a_bind_mount_is_no_proof() {
    let on = |path: &str, source, filesystem| ids(&with(vec![bind("/workspace", path, source, filesystem)]));
    assert_eq!(on("/dev/shm/p", Source::Present, "tmpfs"), [("workspace-in-memory", Severity::Warning)]);
    assert_eq!(on("/tmp/p", Source::Present, "ext4"), [("workspace-in-tmp", Severity::Warning)]);
    assert_eq!(on("/s/p", Source::Scratch, "ext4"), [("workspace-on-scratch", Severity::Warning)]);
    assert_eq!(on("/home/u/p", Source::Deleted, "ext4"), [("source-deleted", Severity::Critical)]);
}

#[test]
fn another_folder_that_looks_kept_and_is_memory_is_a_warning() {
    let memory = Mount::new("/data".into(), String::new(), Backing::Memory, Some("tmpfs".into()));
    let grounds = with(vec![bind("/workspace", "/home/u/p", Source::Present, "ext4"), memory]);
    assert_eq!(ids(&grounds), [("looks-persistent-but-is-not", Severity::Warning)]);
    assert_eq!(status(&workspace("p", &grounds), true), ("warning", 1));
}

#[test]
fn a_tie_of_platforms_and_a_refused_profile_are_warnings() {
    let mut grounds = with(vec![bind("/workspace", "/home/u/p", Source::Present, "ext4")]);
    let mut rules = (*grounds.rules).clone();
    rules.recognised = Recognised { tie: true, ..Recognised::default() };
    grounds.rules = Arc::new(rules);
    assert_eq!(ids(&grounds), [("several-platforms", Severity::Warning)]);
    let refused = refused(&Error::new(Kind::Config, "p.toml: line 3: unknown field"));
    assert_eq!((refused.id, refused.severity), ("profile-refused", Severity::Warning));
}

#[test]
fn every_finding_says_what_to_do() {
    let memory = Mount::new("/data".into(), String::new(), Backing::Memory, Some("tmpfs".into()));
    for grounds in [with(vec![memory]), with(vec![bind("/workspace", "/tmp/p", Source::Present, "ext4")])] {
        for finding in workspace("p", &grounds) {
            assert!(!finding.evidence.is_empty() && !finding.fix.is_empty(), "{finding:?}");
        }
    }
}
