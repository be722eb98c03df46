//! Whether a place of this machine goes with a container: nothing is saved into what is about to be removed.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::backup::Chosen;
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::path::normal;
use crate::core::workspace::Workspace;
use crate::port::Engine;
use crate::text::printable_path;

/// What tells one folder from all others on this machine, whatever path leads to it.
type Identity = (u64, u64);

/// Folders that go with a container.
#[derive(Clone)]
pub(super) struct Doomed(BTreeSet<Identity>);

impl Doomed {
    /// Looks at every place of a container that a retire loses: in its folder, and as it sees it itself.
    pub(super) async fn of(engine: &dyn Engine, workspace: &Workspace, grounds: &Grounds) -> Self {
        let mut folders: Vec<PathBuf> = Vec::new();
        if engine.shares_our_disk() {
            let classifier = grounds.classifier();
            for mount in &grounds.detail.mounts {
                if classifier.mount(mount).fates.verdict(Event::Retire) != Verdict::Lost {
                    continue;
                }
                folders.extend(mount.host_path.clone());
                let seen = engine.whereabouts(&workspace.key, &grounds.detail, &mount.target).await;
                folders.extend(seen.map(|seen| seen.spot.full()));
            }
        }
        let known = tokio::task::spawn_blocking(move || folders.iter().filter_map(|at| identity(at)).collect());
        Self(known.await.unwrap_or_default())
    }

    /// Refuses a place that goes with the container, or with any process.
    pub(super) async fn spares(&self, what: &str, place: &Path) -> Result<()> {
        let path = normal(place);
        let doomed = self.clone();
        let goes = tokio::task::spawn_blocking(move || doomed.holds(&path));
        if !goes.await.unwrap_or(true) {
            return Ok(());
        }
        let place = printable_path(place).into_owned();
        Err(Error::new(Kind::Refused, format!("{what} {place} goes with the container itself"))
            .hint("name a place that is kept when it is removed"))
    }

    /// Touches the disk. What is seen through a process is gone with it.
    fn holds(&self, path: &Path) -> bool {
        let there = path.ancestors().find_map(|above| std::fs::canonicalize(above).ok());
        let all = path.ancestors().chain(there.iter().flat_map(|there| there.ancestors()));
        path.starts_with("/proc") || all.filter_map(identity).any(|found| self.0.contains(&found))
    }
}

/// The repository, and whether it is there; refused where it or its key goes with the container.
pub(super) async fn fit<'c>(
    engine: &dyn Engine,
    workspace: &Workspace,
    grounds: &Grounds,
    repository: &'c Result<(Chosen, bool)>,
) -> Result<(&'c Chosen, bool)> {
    let (chosen, exists) = repository.as_ref().map_err(Clone::clone)?;
    if let Some(unfit) = chosen.unfit.as_ref().filter(|_| !exists) {
        return Err(unfit.clone());
    }
    let doomed = Doomed::of(engine, workspace, grounds).await;
    if let Some(folder) = chosen.repository.folder() {
        doomed.spares("the repository", folder).await?;
    }
    doomed.spares("the password file", &chosen.repository.key).await?;
    Ok((chosen, *exists))
}

fn identity(path: &Path) -> Option<Identity> {
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_by_what_holds_it_and_not_by_the_path_that_leads_there() {
        let home = tempfile::tempdir().unwrap();
        let (layer, kept) = (home.path().join("layer"), home.path().join("kept"));
        std::fs::create_dir_all(layer.join("srv")).unwrap();
        std::fs::create_dir(&kept).unwrap();
        std::os::unix::fs::symlink(layer.join("srv"), kept.join("link")).unwrap();
        let doomed = Doomed(identity(&layer).into_iter().collect());
        assert!(doomed.holds(&layer) && doomed.holds(&layer.join("not/there/yet")));
        assert!(doomed.holds(&kept.join("link/repository")), "a link leads into it");
        assert!(!doomed.holds(&kept.join("repository")) && !doomed.holds(Path::new("/")));
        assert!(doomed.holds(Path::new("/proc/1/root/srv")), "it is gone when that process is");
    }
}
