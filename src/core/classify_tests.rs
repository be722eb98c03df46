//! Classification on made-up workspaces; real containers are in `tests/engine`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::select;

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

/// A rule about a folder, on every kind of storage.
fn rule(id: &str, path: &str, fates: BTreeMap<Event, Fate>, violation: Option<Violation>) -> PathRule {
    PathRule {
        id: id.into(),
        paths: vec![path.into()],
        host_paths: Vec::new(),
        storage: Kinds(StorageKind::ALL.into()),
        packages: false,
        fates,
        conditions: BTreeMap::new(),
        reason: "somebody says so".into(),
        advice: None,
        violation,
        source: None,
    }
}

fn keys(after: Aftermath, path: &str, origin: Origin) -> String {
    let (detail, rules) = (detail(after), ready(plain()));
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
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
fn a_backup_keeps_what_it_covers_in_the_events_that_it_outlives_and_nothing_else() {
    use crate::core::backup::Excludes;
    let (detail, rules) = (detail(Aftermath::Stays), ready(plain()));
    let cover = |events: &[Event]| {
        let holds = Event::ALL.map(|event| events.contains(&event).then_some(true));
        Cover { folder: "/home/u/p".into(), inside: false, excludes: Excludes::new(["raw/"]), holds }
    };
    let of = |events: &[Event], path: &str, event| {
        let covers = [cover(events)];
        let classifier =
            Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &covers };
        classifier.explain(Path::new(path), Origin::Layer).fates.verdict(event)
    };
    let both = [Event::HostLoss, Event::WorkspaceDeletion];
    let backed_up = Verdict::KeptIf(Condition::BackedUp);
    assert_eq!(of(&both, "/workspace/a", Event::HostLoss), Verdict::Kept);
    assert_eq!(of(&both, "/workspace/a", Event::WorkspaceDeletion), Verdict::Kept);
    assert_eq!(of(&both, "/workspace", Event::WorkspaceDeletion), Verdict::Kept);
    assert_eq!(of(&both[1..], "/workspace/a", Event::HostLoss), backed_up, "the repository goes too");
    assert_eq!(of(&both[..1], "/workspace/a", Event::WorkspaceDeletion), Verdict::Lost);
    assert_eq!(of(&both, "/workspace/raw/a", Event::HostLoss), backed_up, "left out");
    assert_eq!(of(&both, "/data/a", Event::HostLoss), backed_up, "another folder");
    // A backup makes no other fate better: a retire does not ask for it.
    assert_eq!(of(&Event::ALL, "/workspace/.cache/x", Event::Retire), Verdict::Lost);
    assert_eq!(of(&Event::ALL, "/tmp/x", Event::Retire), Verdict::Lost);
}

#[test]
fn seen_from_inside_a_folder_is_covered_by_its_own_name() {
    let mut detail = detail(Aftermath::Stays);
    for mount in &mut detail.mounts {
        mount.host_path = None;
    }
    let rules = ready(plain());
    let covers = [Cover {
        folder: "/workspace".into(),
        inside: true,
        excludes: crate::core::backup::Excludes::default(),
        holds: [Some(true); 7],
    }];
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &covers };
    let of = |path: &str| classifier.explain(Path::new(path), Origin::Layer).fates.verdict(Event::HostLoss);
    assert_eq!(of("/workspace/a"), Verdict::Kept);
    assert_eq!(of("/data/a"), Verdict::KeptIf(Condition::BackedUp));
}

#[test]
fn a_rule_never_raises_memory_or_the_layer() {
    let detail = detail(Aftermath::Stays);
    let mut profile = plain();
    let fates = Event::ALL.iter().map(|event| (*event, Fate::Kept)).collect();
    profile.rules.push(rule("wishful", "/", fates, None));
    let rules = ready(profile);
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
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
    let violation = Some(Violation::WorkspaceNotMounted);
    let workspace = rule("workspace", "/workspace", BTreeMap::new(), violation);
    profile.rules.push(PathRule { storage: Kinds([StorageKind::BindMount].into()), ..workspace });
    let rules = ready(profile);
    let classifier = Classifier { detail: &without_mount, rules: &rules, facts: Facts::default(), covers: &[] };
    let explanation = classifier.explain(Path::new("/workspace/x"), Origin::Layer);
    assert_eq!(explanation.violation, Some(Violation::WorkspaceNotMounted));
    assert_eq!(explanation.fates.verdict(Event::Retire), Verdict::Lost);
    assert!(explanation.rule.is_none());
}

#[test]
fn another_mount_of_a_part_of_the_workspace_goes_with_it() {
    let mut detail = detail(Aftermath::Stays);
    let bind = |target: &str, path: &str| {
        let backing = Backing::HostDir { path: path.into(), source: Source::Present };
        Mount::new(target.into(), path.into(), backing, Some("ext4".into()))
    };
    detail.mounts.extend([bind("/part", "/home/u/p/part"), bind("/beside", "/home/u/p2")]);
    let kept = [(Event::WorkspaceDeletion, Fate::Kept)];
    let rules = ["/part", "/beside"].map(|path| rule("shared", path, kept.into(), None));
    let profile = Profile { workspace: Some("/workspace".into()), rules: rules.into(), ..plain() };
    let rules = ready(profile);
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
    let of = |path: &str| classifier.explain(Path::new(path), Origin::Layer).fates;
    assert_eq!(of("/part/x").verdict(Event::WorkspaceDeletion), Verdict::Lost);
    assert_eq!(of("/beside/x").verdict(Event::WorkspaceDeletion), Verdict::Kept);
}

#[test]
fn a_file_of_an_image_that_was_deleted_comes_back_no_more() {
    let (detail, rules) = (detail(Aftermath::Stays), ready(plain()));
    let verdict = |gone: Option<bool>| {
        let facts = Facts::default().with(Condition::ImageObtainable, gone);
        let classifier = Classifier { detail: &detail, rules: &rules, facts, covers: &[] };
        classifier.explain(Path::new("/bin/sh"), Origin::Image).fates.verdict(Event::Retire)
    };
    assert_eq!(verdict(None), Verdict::Rebuilt);
    assert_eq!(verdict(Some(false)), Verdict::Lost);
}

#[test]
fn files_at_risk_are_copied_to_a_folder_that_is_kept_and_writable() {
    let (detail, rules) = (detail(Aftermath::Stays), ready(plain()));
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
    let kept = classifier.kept_folder(Event::Retire).map(|mount| mount.target.clone());
    assert_eq!(kept.as_deref(), Some(Path::new("/workspace")));
}

#[test]
fn ignored_paths_are_whole_components() {
    assert!(ready(plain()).ignores(Path::new("/var/cache/apt/x.bin")));
    assert!(!ready(plain()).ignores(Path::new("/etc/hosts.mine")));
}

/// Any storage kind, as a mount at `/m`.
fn any_mount() -> impl Strategy<Value = Mount> {
    let kinds: Vec<StorageKind> = StorageKind::ALL.into();
    (select(kinds), any::<bool>()).prop_map(|(storage, read_only)| {
        let mut mount = Mount::new("/m".into(), "said".into(), Backing::Unknown, None).read_only(read_only);
        mount.storage = storage;
        mount
    })
}

/// Any rule about `/`, `/m` or a pattern, on any kinds, with any fates and conditions.
fn any_rule() -> impl Strategy<Value = PathRule> {
    let paths = select(vec!["/", "/m", "/m/*", "/m/**/x", "/m/a/x"]);
    let kinds = proptest::collection::btree_set(select(Vec::from(StorageKind::ALL)), 1..21);
    let events = || select(Vec::from(Event::ALL));
    let fate = select(vec![Fate::Kept, Fate::Conditional, Fate::Rebuilt, Fate::Lost, Fate::Untouched]);
    let fates = proptest::collection::btree_map(events(), fate, 0..8);
    let conditions = proptest::collection::btree_map(events(), select(Vec::from(Condition::ALL)), 0..4);
    let violation = proptest::option::of(proptest::strategy::Just(Violation::WorkspaceNotMounted));
    (paths, kinds, fates, conditions, any::<bool>(), violation).prop_map(
        |(path, kinds, fates, conditions, packages, violation)| PathRule {
            storage: Kinds(kinds),
            packages,
            conditions,
            ..rule("any", path, fates, violation)
        },
    )
}

fn any_after() -> impl Strategy<Value = Aftermath> {
    select(vec![Aftermath::Stays, Aftermath::Recreated, Aftermath::Removed])
}

fn any_origin() -> impl Strategy<Value = Origin> {
    select(vec![Origin::Image, Origin::Layer, Origin::Package, Origin::Absent, Origin::Unknown])
}

/// Any knowledge of conditions.
fn any_facts() -> impl Strategy<Value = Facts> {
    let known = proptest::collection::vec(proptest::option::of(any::<bool>()), Condition::ALL.len());
    known.prop_map(|known| {
        let facts = Condition::ALL.into_iter().zip(known);
        facts.fold(Facts::default(), |facts, (condition, holds)| facts.with(condition, holds))
    })
}

proptest::proptest! {
    #[test]
    fn no_rules_turn_lost_into_kept_without_a_condition_that_holds(
        mount in any_mount(),
        rules in proptest::collection::vec(any_rule(), 0..6),
        after in any_after(),
        origin in any_origin(),
        facts in any_facts(),
    ) {
        let mut detail = detail(after);
        detail.mounts.push(mount);
        let (with, without) = (ready(Profile { rules, ..plain() }), ready(plain()));
        let answers = |rules: &Rules, path: &str| {
            let classifier = Classifier { detail: &detail, rules, facts, covers: &[] };
            let answer = classifier.explain(Path::new(path), origin);
            (answer.storage, answer.fates)
        };
        for path in ["/m/a/x", "/m", "/root/x", "/anon/x", "/workspace/.cache/x"] {
            let ((storage, ours), (_, bare)) = (answers(&with, path), answers(&without, path));
            for event in Event::ALL {
                let (ours, bare) = (ours.of(event), bare.of(event));
                // Untouched and kept are equally good.
                let severity = |answer: &Answer| answer.verdict().severity().max(1);
                let worse_or_same = severity(ours) >= severity(bare);
                let dangerous = storage.ceiling() == Ceiling::AsItIs;
                prop_assert!(!dangerous || worse_or_same, "{path} on {storage:?} in {event:?}: {ours:?}");
                let made_kept = bare.verdict() == Verdict::Lost
                    && matches!(ours.verdict(), Verdict::Kept | Verdict::Untouched);
                if made_kept && storage.ceiling() != Ceiling::Kept {
                    let held = ours.condition.is_some() && ours.holds == Some(true);
                    prop_assert!(held, "{path} on {storage:?} in {event:?}: {ours:?}");
                }
                let goes = goes_with_its_container(storage) && after == Aftermath::Removed;
                let ends = matches!(event, Event::Crash | Event::Stop | Event::Retire | Event::Reboot);
                if goes && ends && bare.fate == Fate::Lost {
                    prop_assert_eq!(ours.verdict(), Verdict::Lost, "{} goes with its container", path);
                }
            }
        }
    }

    #[test]
    fn whatever_is_wrong_with_a_place_it_is_kept_in_a_retire_only_by_what_its_storage_keeps(
        mount in any_mount(),
        rules in proptest::collection::vec(any_rule(), 0..6),
    ) {
        let mut detail = detail(Aftermath::Stays);
        detail.mounts.push(mount);
        let (with, without) = (ready(Profile { rules, ..plain() }), ready(plain()));
        let of = |rules| Classifier { detail: &detail, rules, facts: Facts::default(), covers: &[] };
        let (ours, bare) = (of(&with).explain(Path::new("/m/a"), Origin::Layer), of(&without));
        let bare = bare.explain(Path::new("/m/a"), Origin::Layer);
        if ours.violation.is_some() && ours.fates.verdict(Event::Retire) == Verdict::Kept {
            let keeps = matches!(bare.fates.verdict(Event::Retire), Verdict::Kept | Verdict::Untouched);
            prop_assert!(keeps || ours.storage.ceiling() == Ceiling::Kept, "{:?}", ours.storage);
        }
    }

    #[test]
    fn any_bytes_are_a_path_with_an_answer_in_any_setup(
        bytes in proptest::collection::vec(1_u8..=255, 0..60),
        mount in any_mount(),
        after in any_after(),
        origin in any_origin(),
        facts in any_facts(),
    ) {
        let mut detail = detail(after);
        detail.mounts.push(mount);
        let rules = ready(plain());
        let classifier = Classifier { detail: &detail, rules: &rules, facts, covers: &[] };
        let path = crate::core::path::normal(Path::new(OsStr::from_bytes(&bytes)));
        let answer = classifier.explain(&path, origin);
        prop_assert!(answer.mount.is_some_and(|mount| path.starts_with(&mount.target)));
        for answer in answer.fates.0 {
            prop_assert_eq!(answer.fate == Fate::Conditional, answer.condition.is_some());
        }
    }
}
