//! Classification on made-up workspaces; real containers are in `tests/engine`.

use super::*;
use crate::core::mount::{Backing, Source};
use crate::core::profile::{Kinds, Profile};
use crate::core::recognise::Recognised;
use crate::core::workspace::RunState;

fn ready(profile: Profile) -> Rules {
    Rules::new(Arc::new(profile), Recognised::default(), &BTreeMap::new(), None, None)
}

fn plain() -> Profile {
    Profile { ignore: vec!["/etc/hosts".into(), "/var/cache/apt".into()], ..Profile::default() }
}

fn detail(after: Aftermath) -> Detail {
    let bind = |target: &str, path: &str| {
        Mount::new(
            target.into(),
            path.into(),
            Backing::HostDir { path: path.into(), source: Source::Present },
            Some("ext4".into()),
        )
    };
    Detail {
        mounts: vec![
            Mount::new("/".into(), "writable layer".into(), Backing::Layer, Some("overlay".into())),
            bind("/workspace", "/home/u/p"),
            bind("/data", "/srv/data").read_only(true),
            Mount::new("/workspace/.cache".into(), "memory".into(), Backing::Memory, None),
            Mount::new(
                "/anon".into(),
                "0f".into(),
                Backing::Volume { name: "0f".into(), anonymous: true },
                None,
            ),
        ],
        on_crash: after,
        on_stop: after,
        on_reboot: after,
        ..Detail::new(RunState::Running)
    }
}

fn keys(after: Aftermath, path: &str, origin: Origin) -> String {
    let (detail, rules) = (detail(after), ready(plain()));
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default() };
    let explanation = classifier.explain(Path::new(path), origin);
    explanation.fates.0.iter().map(|a| a.fate.key().chars().next().unwrap_or('?')).collect()
}

#[test]
fn the_seven_fates_of_a_plain_container() {
    let of = |path| keys(Aftermath::Stays, path, Origin::Layer);
    // crash, stop, retire, image removal, reboot, host loss, workspace deletion
    assert_eq!(of("/tmp/model.pt"), "kklkklu");
    assert_eq!(of("/workspace/a"), "kkkkkcl");
    assert_eq!(of("/workspace/.cache/x"), "lllullu", "a nested tmpfs is not part of its parent");
    assert_eq!(of("/workspace/.cached"), "kkkkkcl");
    assert_eq!(of("/anon/x"), "kkckkll");
    assert_eq!(keys(Aftermath::Stays, "/bin/sh", Origin::Image), "kkrckru");
}

#[test]
fn a_container_that_removes_itself_keeps_only_its_bind_mounts() {
    let of = |path| keys(Aftermath::Removed, path, Origin::Layer);
    assert_eq!(of("/tmp/model.pt"), "lllkllu");
    assert_eq!(of("/anon/x"), "lllklll");
    assert_eq!(of("/workspace/a"), "kkkkkcl");
}

#[test]
fn a_rule_never_raises_memory_or_the_layer() {
    let detail = detail(Aftermath::Stays);
    let mut profile = plain();
    profile.rules.push(PathRule {
        id: "wishful".into(),
        paths: vec!["/".into()],
        host_paths: Vec::new(),
        storage: Kinds(StorageKind::ALL.into()),
        packages: false,
        fates: Event::ALL.iter().map(|event| (*event, Fate::Kept)).collect(),
        conditions: BTreeMap::new(),
        reason: "somebody says so".into(),
        advice: None,
        violation: None,
        source: None,
    });
    let rules = ready(profile);
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default() };
    for path in ["/tmp/x", "/workspace/.cache/x"] {
        let fates = classifier.explain(Path::new(path), Origin::Layer).fates;
        assert_eq!(fates.verdict(Event::Retire), Verdict::Lost, "{path}");
    }
}

#[test]
fn a_rule_that_matches_by_path_only_is_a_violation() {
    let mut without_mount = detail(Aftermath::Stays);
    without_mount.mounts.truncate(1);
    let mut profile = plain();
    profile.rules.push(PathRule {
        id: "workspace".into(),
        paths: vec!["/workspace".into()],
        host_paths: Vec::new(),
        storage: Kinds([StorageKind::BindMount].into()),
        packages: false,
        fates: BTreeMap::new(),
        conditions: BTreeMap::new(),
        reason: "it is the project folder".into(),
        advice: None,
        violation: Some(Violation::WorkspaceNotMounted),
        source: None,
    });
    let rules = ready(profile);
    let classifier = Classifier { detail: &without_mount, rules: &rules, facts: Facts::default() };
    let explanation = classifier.explain(Path::new("/workspace/x"), Origin::Layer);
    assert_eq!(explanation.violation, Some(Violation::WorkspaceNotMounted));
    assert_eq!(explanation.fates.verdict(Event::Retire), Verdict::Lost);
    assert!(explanation.rule.is_none());
}

#[test]
fn files_at_risk_are_copied_to_a_folder_that_is_kept_and_writable() {
    let (detail, rules) = (detail(Aftermath::Stays), ready(plain()));
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default() };
    let kept = classifier.kept_folder(Event::Retire).map(|mount| mount.target.clone());
    assert_eq!(kept.as_deref(), Some(Path::new("/workspace")));
}

#[test]
fn ignored_paths_are_whole_components() {
    assert!(ready(plain()).ignores(Path::new("/var/cache/apt/x.bin")));
    assert!(!ready(plain()).ignores(Path::new("/etc/hosts.mine")));
}

proptest::proptest! {
    #[test]
    fn every_absolute_path_has_an_answer_and_an_unknown_condition_never_keeps(path in "/[a-z./]{0,30}") {
        let (detail, rules) = (detail(Aftermath::Stays), ready(plain()));
        let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default() };
        let path = crate::core::path::normal(Path::new(&path));
        for answer in classifier.explain(&path, Origin::Unknown).fates.0 {
            if answer.fate == Fate::Conditional {
                proptest::prop_assert_ne!(answer.verdict(), Verdict::Kept);
            }
        }
    }
}
