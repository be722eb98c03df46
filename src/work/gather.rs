//! Everything there is, over all endpoints: what the command line prints in one go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;

use super::roster::{self, Entry};
use crate::core::error::{Error, Kind, Result};
use crate::core::identity::Viewer;
use crate::core::recognise::Profiles;
use crate::core::report::Trouble;
use crate::core::rules::Rules;
use crate::core::subject;
use crate::core::workspace::{Detail, RunState, Workspace, WsKey};
use crate::port::{Endpoint, Engine, Host, Image};

/// What all endpoints said together.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Workspaces in the order of endpoints and their lists.
    pub entries: Vec<Entry>,
    /// Workspaces of others, which the viewer is not to see.
    pub hidden: Vec<Entry>,
    /// Images by endpoint, where they could be listed.
    pub images: BTreeMap<String, Vec<Image>>,
    /// What is missing and why.
    pub troubles: Vec<Trouble>,
}

impl Gathered {
    /// The one workspace that a name means; one of another person's is refused.
    pub fn find(&self, name: &str) -> Result<&Entry> {
        let among = |entries: &[Entry]| -> Result<WsKey> {
            let workspaces: Vec<Workspace> = entries.iter().map(|entry| entry.workspace.clone()).collect();
            Ok(subject::find(&workspaces, name)?.key.clone())
        };
        let key = among(&self.entries).map_err(|error| match among(&self.hidden) {
            Ok(_) if error.kind == Kind::NotFound => hidden(name),
            _ => error,
        })?;
        self.entries
            .iter()
            .find(|entry| entry.workspace.key == key)
            .ok_or_else(|| Error::new(Kind::NotFound, format!("no workspace is called “{name}”")))
    }

    /// The rules of all workspaces, as far as somebody looked closer.
    pub fn rules(&self) -> impl Iterator<Item = &Rules> {
        self.entries.iter().filter_map(|entry| Some(&*entry.stands_on()?.rules))
    }

    /// The workspaces whose details are known.
    pub fn known(&self) -> impl Iterator<Item = (&Workspace, &Detail)> {
        self.entries.iter().filter_map(|entry| Some((&entry.workspace, entry.known()?)))
    }
}

/// Why a workspace of another person is not looked at.
fn hidden(name: &str) -> Error {
    Error::new(
        Kind::Refused,
        format!("“{name}” is somebody else's: this platform keeps people's workspaces apart"),
    )
    .hint("ask its owner, or whoever runs this platform")
}

/// Lists every endpoint and looks closer at those workspaces that `wanted` picks.
///
/// An endpoint that fails is a trouble; when all fail, the first failure is the
/// answer. A workspace that vanishes between list and look is left out.
pub async fn gather(
    engines: &[Arc<dyn Engine>],
    profiles: &Profiles,
    host: &Host,
    wanted: impl Fn(&Workspace) -> bool,
) -> Result<Gathered> {
    let mut gathered = Gathered::default();
    let mut first_error = None;
    let mut answered = false;
    for engine in engines {
        let id = engine.endpoint().id.clone();
        let inventory = match engine.inventory().await {
            Ok(inventory) => inventory,
            Err(error) => {
                gathered.troubles.push(Trouble::new(&id, "workspaces", &error));
                first_error.get_or_insert(error);
                continue;
            }
        };
        answered = true;
        match inventory.images {
            Ok(images) => drop(gathered.images.insert(id.clone(), images)),
            // An engine that has no images misses none.
            Err(error) if error.kind == Kind::NotSupported => {}
            Err(error) => gathered.troubles.push(Trouble::new(&id, "images", &error)),
        }
        let mut workspaces = inventory.workspaces;
        roster::name_owners(&mut workspaces, host);
        let viewer = super::viewer(host, profiles, engine.endpoint());
        look_closer(engine.as_ref(), profiles, &viewer, workspaces, &wanted, &mut gathered).await;
    }
    match first_error {
        Some(error) if !answered => Err(error),
        _ => Ok(gathered),
    }
}

async fn look_closer(
    engine: &dyn Engine,
    profiles: &Profiles,
    viewer: &Viewer,
    workspaces: Vec<Workspace>,
    wanted: &impl Fn(&Workspace) -> bool,
    gathered: &mut Gathered,
) {
    let looked_at = workspaces.iter().filter(|workspace| wanted(workspace)).cloned().collect();
    let mut looks: BTreeMap<_, _> = roster::grounds(engine, profiles, looked_at).collect().await;
    for workspace in workspaces {
        let grounds = looks.remove(&workspace.key);
        let sees = match &grounds {
            Some(Ok(grounds)) => viewer.sees(&workspace.owner, &grounds.rules.profile),
            _ => viewer.sees(&workspace.owner, &profiles.rules(&workspace, None).profile),
        };
        match &grounds {
            Some(Err(error)) if error.kind == Kind::NotFound => continue,
            Some(Err(error)) if sees => {
                gathered.troubles.push(Trouble::new(&workspace.key.endpoint, &workspace.name, error));
            }
            _ => {}
        }
        let entry = Entry { workspace, grounds };
        if sees { gathered.entries.push(entry) } else { gathered.hidden.push(entry) }
    }
}

/// Adds project folders that no container mounts. Where the mounts of some
/// container are not known nobody can say that it does not, so none are added. `standing` are
/// the rules that hold for folders; another person's are hidden where they say so.
pub fn add_retired(
    gathered: &mut Gathered,
    profiles: &Profiles,
    standing: &Rules,
    endpoint: &Endpoint,
    host: &Host,
) {
    let roots = profiles.roots(&standing.profile);
    let containers: Vec<_> = gathered
        .entries
        .iter()
        .chain(&gathered.hidden)
        .filter(|entry| entry.workspace.key.endpoint == endpoint.id && entry.workspace.container.is_some())
        .collect();
    if containers.iter().any(|entry| entry.known().is_none()) {
        let error = Error::new(Kind::Incomplete, "retired folders are not listed: not all mounts are known")
            .hint("try again when every container can be looked at");
        gathered.troubles.push(Trouble::new(&endpoint.id, "retired", &error));
        return;
    }
    let known: Vec<PathBuf> = containers
        .iter()
        .filter_map(|entry| entry.known())
        .flat_map(|detail| detail.mounts.iter().filter_map(|mount| mount.host_path.clone()))
        .collect();
    let retired = roster::retired(&roots, &known, &endpoint.id, host);
    let viewer = super::viewer(host, profiles, endpoint);
    for workspace in retired {
        let sees = viewer.sees(&workspace.owner, &standing.profile);
        let entry = Entry { workspace, grounds: None };
        if sees { gathered.entries.push(entry) } else { gathered.hidden.push(entry) }
    }
}

/// The folder of a workspace: for a retired one that is all there is.
pub fn folder_of(entry: &Entry, roots: &[PathBuf]) -> Option<PathBuf> {
    if entry.workspace.state == RunState::Retired {
        return Some(Path::new(&entry.workspace.key.id).to_path_buf());
    }
    let grounds = entry.stands_on()?;
    roster::folder(&grounds.detail, &grounds.rules, roots)?.host_path.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::fake::{self, Fake, block_on};

    #[test]
    fn a_folder_is_retired_only_when_every_container_was_looked_at() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("old")).unwrap();
        let roots = vec![root.path().display().to_string()];
        let profiles = Profiles { folder_roots: Some(roots), ..fake::profiles() };
        let (standing, host) = (profiles.without_workspace(), Host::default());
        let fake = Fake::default();
        let endpoint = fake.endpoint.clone();
        let engines: [Arc<dyn Engine>; 1] = [Arc::new(fake)];
        let mut all = block_on(gather(&engines, &profiles, &host, |_| true)).unwrap();
        add_retired(&mut all, &profiles, &standing, &endpoint, &host);
        let names: Vec<_> = all.entries.iter().map(|entry| entry.workspace.name.as_str()).collect();
        assert_eq!(names, ["p", "old"]);
        let folder = folder_of(&all.entries[1], &[root.path().to_path_buf()]);
        assert_eq!(folder, Some(root.path().join("old")));

        let mut some = block_on(gather(&engines, &profiles, &host, |_| false)).unwrap();
        add_retired(&mut some, &profiles, &standing, &endpoint, &host);
        assert_eq!((some.entries.len(), some.troubles.len()), (1, 1));
    }

    #[test]
    fn a_plain_person_finds_nobody_elses_workspace_by_name_either() {
        let mut list = Gathered::default();
        let entry = |name: &str| Entry { workspace: fake::workspace(name), grounds: None };
        list.entries.push(entry("mine"));
        list.hidden.push(entry("hers"));
        assert_eq!(list.find("mine").map(|entry| entry.workspace.name.clone()).unwrap(), "mine");
        assert_eq!(list.find("hers").unwrap_err().kind, Kind::Refused);
        assert_eq!(list.find("nobodys").unwrap_err().kind, Kind::NotFound);
    }
}
