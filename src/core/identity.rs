//! Whose workspace it is, which project it holds, and who sees it: from labels and names.
//!
//! The order of proofs is the one the DS01 host itself uses; on a host without
//! those labels the same rules simply find nothing, and the owner stays unknown.

use std::collections::{BTreeMap, BTreeSet};

use super::profile::Profile;
use super::workspace::Owner;

/// Who looks, as far as that decides whose workspaces are shown. By default it is root, who sees all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewer {
    /// The user's number.
    pub uid: u32,
    /// The user's name, where the number has one.
    pub name: Option<String>,
    /// Those of the administrators' groups that the user is in.
    pub admin_of: BTreeSet<String>,
}

impl Viewer {
    /// Whether a workspace is shown: where the platform keeps owners apart, another person's
    /// is not, unless root or an administrator looks. One whose owner is not known is shown.
    pub fn sees(&self, owner: &Owner, profile: &Profile) -> bool {
        let Some(owner) = &owner.name else { return true };
        profile.isolates_owners != Some(true)
            || self.uid == 0
            || profile.admin_groups.iter().any(|group| self.admin_of.contains(group))
            || self.name.as_ref() == Some(owner)
            || *owner == self.uid.to_string()
    }

    /// Whether a workspace is this person's own; one of nobody who is known may be anybody's.
    pub fn owns(&self, owner: &Owner) -> bool {
        let Some(owner) = &owner.name else { return true };
        self.name.as_ref() == Some(owner) || *owner == self.uid.to_string()
    }
}

/// What lies between project and owner in a container's name.
const SEPARATOR: &str = "._.";

/// Labels that name the owner outright, the strongest first.
const OWNER_LABELS: [&str; 2] = ["ds01.user", "aime.mlc.USER"];

/// The label in which a development container keeps its folder on the host.
const FOLDER_LABEL: &str = "devcontainer.local_folder";

/// Labels of a Backend.AI session: which it is, and whose. The owner is a user of the cluster, of
/// whom this host knows nothing.
const SESSION_LABEL: &str = "ai.backend.session-id";
const SESSION_OWNER_LABEL: &str = "ai.backend.owner-user-id";

/// Labels that name the project, the strongest first.
const PROJECT_LABELS: [&str; 2] = ["ds01.project", "com.docker.compose.project"];

/// Labels that name the type of container, the strongest first.
const TYPE_LABELS: [&str; 2] = ["ds01.container_type", "ds01.interface"];

/// Labels that take a container out of everybody's hands when `true`.
const PROTECTED_LABELS: [&str; 2] = ["ds01.protected", "ds01.monitoring"];

/// A container's name taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Name<'n> {
    /// The project, or the whole name where it carries none.
    pub project: &'n str,
    /// The owner's number or name.
    pub owner: Option<&'n str>,
}

/// Splits `<project>._.<uid>` and `<project>._.<user>`; any other name is its own project.
pub fn split_name(name: &str) -> Name<'_> {
    match name.split_once(SEPARATOR) {
        Some((project, owner)) if !project.is_empty() && !owner.is_empty() => {
            Name { project, owner: Some(owner) }
        }
        _ => Name { project: name, owner: None },
    }
}

/// Finds the owner: by label, by the development folder's home, by name, else unknown.
///
/// `user_name` turns a number into a user's name where this host knows one.
pub fn owner(
    labels: &BTreeMap<String, String>,
    name: &str,
    user_name: &dyn Fn(u32) -> Option<String>,
) -> Owner {
    let named = |text: &str| match text.parse::<u32>() {
        Ok(uid) => user_name(uid).unwrap_or_else(|| text.to_string()),
        Err(_) => text.to_string(),
    };
    for label in OWNER_LABELS {
        if let Some(value) = labels.get(label).filter(|value| !value.is_empty()) {
            return Owner { name: Some(named(value)), from: Some(format!("label {label}")) };
        }
    }
    let home = labels.get(FOLDER_LABEL).and_then(|folder| folder.strip_prefix("/home/"));
    if let Some(user) = home.and_then(|rest| rest.split('/').next()).filter(|user| !user.is_empty()) {
        return Owner { name: Some(user.to_string()), from: Some(format!("label {FOLDER_LABEL}")) };
    }
    match split_name(name).owner {
        Some(owner) => Owner { name: Some(named(owner)), from: Some("the container's name".into()) },
        None => Owner::default(),
    }
}

/// Finds the project: by label, then by name where the name carries one.
pub fn project(labels: &BTreeMap<String, String>, name: &str) -> Option<String> {
    for label in PROJECT_LABELS {
        if let Some(value) = labels.get(label).filter(|value| !value.is_empty()) {
            return Some(value.clone());
        }
    }
    let split = split_name(name);
    split.owner.map(|_| split.project.to_string())
}

/// Whether its platform marks it as not to be touched.
pub fn protected(labels: &BTreeMap<String, String>) -> bool {
    PROTECTED_LABELS.iter().any(|label| labels.get(*label).is_some_and(|value| value == "true"))
}

/// What controls the container, from the labels its controller leaves.
pub fn managed_by(labels: &BTreeMap<String, String>) -> Option<String> {
    if let Some(service) = labels.get("com.docker.swarm.service.name") {
        return Some(format!("swarm service {service}"));
    }
    if let Some(session) = labels.get(SESSION_LABEL).filter(|session| !session.is_empty()) {
        let of = labels.get(SESSION_OWNER_LABEL).map(|user| format!(" of user {user}")).unwrap_or_default();
        return Some(format!("session {session}{of}"));
    }
    labels.get("com.docker.compose.project").map(|project| format!("compose {project}"))
}

/// What type of container the platform takes it for: by label, by how it was made, else a plain one.
pub fn container_type(labels: &BTreeMap<String, String>, name: &str) -> String {
    for label in TYPE_LABELS {
        if let Some(value) = labels.get(label).filter(|value| !value.is_empty()) {
            return value.clone();
        }
    }
    let from = |prefix: &str| labels.keys().any(|key| key.starts_with(prefix));
    if split_name(name).owner.is_some() {
        "atomic".into()
    } else if from("devcontainer.") {
        "devcontainer".into()
    } else if from("com.docker.compose.") {
        "compose".into()
    } else {
        "docker".into()
    }
}

/// Graphics processors named in labels, with the label that named them.
pub fn gpu_labels(labels: &BTreeMap<String, String>) -> Vec<(String, String)> {
    ["ds01.gpu.allocated", "ds01.gpu.slots", "ds01.gpu.uuids", "ds01.gpu.uuid", "ds01.gpu_slot"]
        .iter()
        .filter_map(|label| {
            let value = labels.get(*label)?;
            (!value.is_empty() && value != "none").then(|| (value.clone(), format!("label {label}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_string(), (*v).to_string())).collect()
    }

    fn who(pairs: &[(&str, &str)], name: &str) -> Option<String> {
        owner(&labels(pairs), name, &|uid| (uid == 1001).then(|| "alice".into())).name
    }

    #[test]
    fn number_and_name_both_lead_to_the_same_project_and_owner() {
        for name in ["p._.1001", "p._.alice"] {
            assert_eq!(who(&[], name).as_deref(), Some("alice"));
            assert_eq!(project(&labels(&[]), name).as_deref(), Some("p"));
        }
    }

    #[test]
    fn the_owner_is_looked_for_label_by_label_and_is_never_guessed() {
        let all = [
            ("ds01.user", "ann"),
            ("aime.mlc.USER", "ben"),
            ("devcontainer.local_folder", "/home/cem/project"),
        ];
        assert_eq!(who(&all, "p._.dan").as_deref(), Some("ann"));
        assert_eq!(who(&all[1..], "p._.dan").as_deref(), Some("ben"));
        assert_eq!(who(&all[2..], "p._.dan").as_deref(), Some("cem"));
        assert_eq!(who(&[], "p._.dan").as_deref(), Some("dan"));
        assert_eq!(who(&[], "web"), None);
        assert_eq!(who(&[("devcontainer.local_folder", "/srv/x")], "web"), None);
    }

    #[test]
    fn a_number_without_a_name_here_stays_a_number() {
        assert_eq!(who(&[], "p._.4242").as_deref(), Some("4242"));
    }

    #[test]
    fn the_type_of_container_follows_labels_then_the_name_then_who_made_it() {
        let all = [
            ("ds01.container_type", "compose"),
            ("ds01.interface", "orchestration"),
            ("devcontainer.local_folder", "/home/u/p"),
            ("com.docker.compose.project", "web"),
        ];
        let of = |pairs: &[(&str, &str)], name: &str| container_type(&labels(pairs), name);
        assert_eq!(of(&all, "p._.1001"), "compose");
        assert_eq!(of(&all[1..], "p._.1001"), "orchestration");
        assert_eq!(of(&all[2..], "p._.1001"), "atomic");
        assert_eq!(of(&all[2..], "p"), "devcontainer");
        assert_eq!(of(&all[3..], "p"), "compose");
        assert_eq!(of(&[], "p"), "docker");
    }

    #[test]
    fn others_are_hidden_only_from_plain_people_and_only_where_owners_are_kept_apart() {
        let apart =
            Profile { isolates_owners: Some(true), admin_groups: vec!["admins".into()], ..Profile::default() };
        let of = |name: &str| Owner { name: Some(name.into()), from: None };
        let alice = Viewer { uid: 1001, name: Some("alice".into()), ..Viewer::default() };
        assert!(alice.sees(&of("alice"), &apart) && alice.sees(&of("1001"), &apart));
        assert!(!alice.sees(&of("bob"), &apart));
        assert!(alice.sees(&of("bob"), &Profile::default()), "this platform hides nobody");
        assert!(alice.sees(&Owner::default(), &apart), "an unknown owner is shown");
        let admin = Viewer { admin_of: ["admins".to_string()].into(), ..alice };
        assert!(admin.sees(&of("bob"), &apart) && Viewer::default().sees(&of("bob"), &apart));
    }

    #[test]
    fn odd_names_are_their_own_project() {
        for name in ["._.x", "x._.", "plain", ""] {
            assert_eq!(split_name(name), Name { project: name, owner: None });
        }
    }
}
