//! Everything there is, over all endpoints: what the command line prints in one go.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;

use super::roster::{self, Entry};
use crate::core::error::{Error, Kind, Result};
use crate::core::recognise::Profiles;
use crate::core::report::Trouble;
use crate::core::subject;
use crate::core::workspace::{Detail, RunState, Workspace};
use crate::port::{Engine, Host, Image};

/// What all endpoints said together.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Workspaces in the order of endpoints and their lists.
    pub entries: Vec<Entry>,
    /// Images by endpoint, where they could be listed.
    pub images: BTreeMap<String, Vec<Image>>,
    /// What is missing and why.
    pub troubles: Vec<Trouble>,
}

impl Gathered {
    /// The one workspace that a name means.
    pub fn find(&self, name: &str) -> Result<&Entry> {
        let workspaces: Vec<Workspace> = self.entries.iter().map(|entry| entry.workspace.clone()).collect();
        let key = &subject::find(&workspaces, name)?.key;
        self.entries
            .iter()
            .find(|entry| &entry.workspace.key == key)
            .ok_or_else(|| Error::new(Kind::NotFound, format!("no workspace is called “{name}”")))
    }

    /// The workspaces whose details are known.
    pub fn known(&self) -> impl Iterator<Item = (&Workspace, &Detail)> {
        self.entries.iter().filter_map(|entry| Some((&entry.workspace, entry.known()?)))
    }
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
        look_closer(engine.as_ref(), profiles, inventory.workspaces, &wanted, &mut gathered).await;
    }
    match first_error {
        Some(error) if !answered => Err(error),
        _ => {
            for entry in &mut gathered.entries {
                roster::name_owners(std::slice::from_mut(&mut entry.workspace), host);
            }
            Ok(gathered)
        }
    }
}

async fn look_closer(
    engine: &dyn Engine,
    profiles: &Profiles,
    workspaces: Vec<Workspace>,
    wanted: &impl Fn(&Workspace) -> bool,
    gathered: &mut Gathered,
) {
    let looked_at = workspaces.iter().filter(|workspace| wanted(workspace)).cloned().collect();
    let mut looks: BTreeMap<_, _> = roster::grounds(engine, profiles, looked_at).collect().await;
    for workspace in workspaces {
        let grounds = looks.remove(&workspace.key);
        match &grounds {
            Some(Err(error)) if error.kind == Kind::NotFound => continue,
            Some(Err(error)) => {
                gathered.troubles.push(Trouble::new(&workspace.key.endpoint, &workspace.name, error));
            }
            _ => {}
        }
        gathered.entries.push(Entry { workspace, grounds });
    }
}

/// Adds project folders that no container mounts. Where the mounts of some
/// container are not known nobody can say that it does not, so none are added.
pub fn add_retired(gathered: &mut Gathered, roots: &[PathBuf], endpoint: &str, host: &Host) {
    let containers: Vec<_> = gathered
        .entries
        .iter()
        .filter(|entry| entry.workspace.key.endpoint == endpoint && entry.workspace.container.is_some())
        .collect();
    if containers.iter().any(|entry| entry.known().is_none()) {
        let error = Error::new(Kind::Incomplete, "retired folders are not listed: not all mounts are known")
            .hint("try again when every container can be looked at");
        gathered.troubles.push(Trouble::new(endpoint, "retired", &error));
        return;
    }
    let known: Vec<PathBuf> = containers
        .iter()
        .filter_map(|entry| entry.known())
        .flat_map(|detail| detail.mounts.iter().filter_map(|mount| mount.host_path.clone()))
        .collect();
    let retired = roster::retired(roots, &known, endpoint, host);
    gathered.entries.extend(retired.into_iter().map(|workspace| Entry { workspace, grounds: None }));
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
        let roots = [root.path().to_path_buf()];
        let engines: [Arc<dyn Engine>; 1] = [Arc::new(Fake::default())];
        let host = Host::default();
        let mut all = block_on(gather(&engines, &fake::profiles(), &host, |_| true)).unwrap();
        add_retired(&mut all, &roots, "docker", &host);
        let names: Vec<_> = all.entries.iter().map(|entry| entry.workspace.name.as_str()).collect();
        assert_eq!(names, ["p", "old"]);
        let folder = folder_of(&all.entries[1], &roots);
        assert_eq!(folder, Some(root.path().join("old")));

        let mut some = block_on(gather(&engines, &fake::profiles(), &host, |_| false)).unwrap();
        add_retired(&mut some, &roots, "docker", &host);
        assert_eq!((some.entries.len(), some.troubles.len()), (1, 1));
    }
}
