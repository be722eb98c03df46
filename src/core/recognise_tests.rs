//! Recognition on made-up profiles; real containers are in `tests/engine`.

use proptest::prelude::*;

use super::*;
use crate::core::aftermath::Aftermath;
use crate::core::mount::{Backing, Mount};
use crate::core::profile::Lifecycle;
use crate::core::workspace::{Owner, RunState, WsKey};

fn workspace(container: &str, labels: &[(&str, &str)]) -> Workspace {
    Workspace {
        key: WsKey { endpoint: "docker".into(), id: "0f".into() },
        container: Some(container.into()),
        name: container.into(),
        owner: Owner::default(),
        project: None,
        image: None,
        image_id: None,
        state: RunState::Running,
        created: None,
        labels: labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        managed_by: None,
        protected: false,
        client: crate::core::workspace::CLIENT,
    }
}

fn profile(id: &str, extends: Option<&str>, detect: Detect) -> Arc<Profile> {
    Arc::new(Profile { id: id.into(), extends: extends.map(Into::into), detect, ..Profile::default() })
}

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// Plain Docker, two platforms that are told by a label each, and one that adds to the first of them.
fn known() -> Profiles {
    let labelled = |label: &str| Detect { labels: words(&[label]), ..Detect::default() };
    let named =
        Detect { names: words(&["*._.*"]), env: words(&["B_*"]), mounts: words(&["/b"]), ..labelled("b.*") };
    let all = vec![
        profile("docker", None, Detect::default()),
        profile("a", None, labelled("a.*")),
        profile("b", None, named),
        profile("mine", Some("a"), labelled("a.*")),
    ];
    Profiles { all, ..Profiles::default() }
}

/// The profile that is taken, and all that matched.
fn taken(profiles: &Profiles, workspace: &Workspace, detail: Option<&Detail>) -> (String, Vec<String>, bool) {
    let rules = profiles.rules(workspace, detail);
    let matches = rules.recognised.matches.iter().map(|one| one.profile.clone()).collect();
    (rules.profile.id.clone(), matches, rules.recognised.tie)
}

#[test]
fn nothing_that_is_known_is_plain_docker() {
    let plain = taken(&known(), &workspace("web", &[("com.docker.compose.project", "web")]), None);
    assert_eq!(plain, ("docker".into(), Vec::new(), false));
}

#[test]
fn a_profile_that_adds_to_another_one_beats_it() {
    let both = taken(&known(), &workspace("web", &[("a.user", "1")]), None);
    assert_eq!(both, ("mine".into(), words(&["mine"]), false));
}

#[test]
fn marks_count_for_more_than_looks_and_a_name_said_outright_for_more_than_both() {
    let looks_like_b = workspace("p._.1", &[("a.user", "1")]);
    assert_eq!(taken(&known(), &looks_like_b, None), ("mine".into(), words(&["mine", "b"]), false));
    let outright = workspace("p._.1", &[("a.user", "1"), (PROFILE_LABEL, "b")]);
    assert_eq!(taken(&known(), &outright, None).0, "b");
    let unknown = workspace("web", &[(PROFILE_LABEL, "nobody")]);
    assert_eq!(taken(&known(), &unknown, None).0, "docker");
}

#[test]
fn a_tie_is_nobodys_and_says_so() {
    let both = workspace("web", &[("a.user", "1"), ("b.user", "1")]);
    assert_eq!(taken(&known(), &both, None), ("docker".into(), words(&["b", "mine"]), true));
    let said = known().rules(&both, None).recognised.words();
    assert_eq!(said, "several platforms match, none was taken: b (label b.user); mine (label a.user)");
    let forced = Profiles { forced: known().named("b").map(Arc::clone), ..known() };
    assert_eq!(taken(&forced, &both, None), ("b".into(), words(&["b", "mine"]), false));
}

#[test]
fn in_a_tie_every_event_does_the_worst_of_what_it_does_on_either_platform() {
    let lifecycle = |stop, reboot| Lifecycle { crash: None, stop, reboot };
    let of = |id: &str, lifecycle| {
        let detect = Detect { labels: words(&[&format!("{id}.*")]), ..Detect::default() };
        Arc::new(Profile { id: id.into(), lifecycle, detect, ..Profile::default() })
    };
    let all = vec![
        profile("docker", None, Detect::default()),
        of("a", lifecycle(Some(Aftermath::Recreated), None)),
        of("b", lifecycle(Some(Aftermath::Removed), Some(Aftermath::Recreated))),
        of("c", lifecycle(Some(Aftermath::Stays), None)),
    ];
    let profiles = Profiles { all, ..Profiles::default() };
    let taken = |labels: &[(&str, &str)]| profiles.rules(&workspace("web", labels), None).profile.lifecycle;
    let worst = lifecycle(Some(Aftermath::Removed), Some(Aftermath::Recreated));
    assert_eq!(taken(&[("a.user", "1"), ("b.user", "1")]), worst);
    assert_eq!(taken(&[("b.user", "1"), ("c.user", "1")]), worst, "in whatever order they match");
    assert_eq!(taken(&[("a.user", "1"), ("c.user", "1")]).stop, Some(Aftermath::Recreated));
}

#[test]
fn a_closer_look_tells_by_variables_and_mounts() {
    let mounted = |target: &str| Mount::new(target.into(), "m".into(), Backing::Memory, None);
    let web = workspace("web", &[]);
    let env = Detail { env_names: ["B_TOKEN".to_string()].into(), ..Detail::new(RunState::Running) };
    assert_eq!(taken(&known(), &web, Some(&env)).0, "b");
    let below = |target: &str| Detail { mounts: vec![mounted(target)], ..Detail::new(RunState::Running) };
    assert_eq!(taken(&known(), &web, Some(&below("/b"))).0, "b");
    assert_eq!(taken(&known(), &web, Some(&below("/b/c"))).0, "docker", "the place itself must be a mount");
}

proptest! {
    #[test]
    fn no_name_label_or_variable_is_too_odd(
        name in any::<String>(), key in any::<String>(), value in any::<String>(), env in any::<String>()
    ) {
        let detail = Detail { env_names: [env].into(), ..Detail::new(RunState::Running) };
        for own in [&name, &format!("a.{key}"), &format!("{PROFILE_LABEL}{key}")] {
            let mut workspace = workspace(&name, &[(own, &value)]);
            workspace.image = Some(value.clone());
            let rules = known().rules(&workspace, Some(&detail));
            prop_assert!(!rules.recognised.words().is_empty());
            prop_assert!(!rules.recognised.tie || rules.profile.id == "docker");
        }
    }
}
