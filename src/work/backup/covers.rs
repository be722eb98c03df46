//! What the backups that were made here are good for: for which folder, in which event.
//!
//! A backup counts for an event only where its repository and its key outlive that event, its data
//! was read back and found whole, it still lies there, and nothing in the folder is newer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::here::{Here, real};
use super::plan::folder_of;
use crate::core::backup::{Cover, Excludes, Known, Records, Repository};
use crate::core::classify::Grounds;
use crate::core::event::Event;
use crate::core::recognise::Profiles;
use crate::port::{Backups, Engine, Host};
use crate::store::Store;

/// How long a folder is looked through for something newer; what takes longer is not known.
const LOOKED_WITHIN: Duration = Duration::from_millis(700);
/// How long a repository is asked which snapshots it holds.
const ASKED_WITHIN: Duration = Duration::from_secs(3);
/// The kernel stamps changes with the time of its last tick, so a change just after the beginning of
/// a backup may look as if it came just before.
const TICK: SignedDuration = SignedDuration::from_millis(50);

/// What is known of backups, and how to find out what they are good for.
pub struct Covers {
    records: Records,
    here: Here,
    host: Arc<Host>,
    backups: Arc<dyn Backups>,
    /// The repository in use, whose address may hold a password.
    in_use: Option<Repository>,
    key_elsewhere: bool,
    /// The snapshots in each repository, as far as it was asked.
    there: Mutex<BTreeMap<String, Option<Arc<BTreeSet<String>>>>>,
}

impl Covers {
    /// Reads what is remembered; looks at this machine only where something is.
    pub async fn read(
        store: Option<&Store>,
        machine: Option<&dyn Engine>,
        profiles: &Profiles,
        host: &Arc<Host>,
        backups: &Arc<dyn Backups>,
        in_use: Option<Repository>,
        key_elsewhere: bool,
    ) -> Self {
        // What cannot be read counts as no backup.
        let records = store.and_then(|store| store.backups().read().ok()).unwrap_or_default();
        let here = match machine.filter(|_| records.iter().next().is_some()) {
            Some(machine) => Here::look(machine, profiles).await.unwrap_or_else(|_| Here::unknown()),
            None => Here::unknown(),
        };
        let (host, backups) = (Arc::clone(host), Arc::clone(backups));
        Self { records, here, host, backups, in_use, key_elsewhere, there: Mutex::default() }
    }

    /// Whether any backup is remembered at all.
    pub fn is_empty(&self) -> bool {
        self.records.iter().next().is_none()
    }

    /// When the folder of a workspace was last backed up, whole or not.
    pub fn last(&self, grounds: &Grounds, roots: &[PathBuf]) -> Option<Timestamp> {
        self.last_of(&folder_of(grounds, roots)?)
    }

    /// When a folder was last backed up, whole or not.
    pub fn last_of(&self, folder: &Path) -> Option<Timestamp> {
        // A folder may have been saved by another of its names.
        let names = [folder.to_path_buf(), real(folder)];
        names.iter().filter_map(|name| Some(self.records.newest(name)?.record.snapshot.at)).max()
    }

    /// What the backups of a workspace's folders are good for.
    pub async fn of(&self, grounds: &Grounds) -> Arc<[Cover]> {
        let mut covers = Vec::new();
        for (folder, inside) in self.folders(grounds) {
            covers.extend(self.cover(&folder, inside, grounds).await);
        }
        covers.into()
    }

    /// The folders that were saved and that the workspace sees; whether each is a path inside of it.
    fn folders(&self, grounds: &Grounds) -> BTreeMap<PathBuf, bool> {
        let mut found = BTreeMap::new();
        for known in self.records.iter() {
            let folder = &known.record.folder;
            for mount in grounds.detail.mounts.iter().filter(|mount| mount.holds_files()) {
                let (place, inside) = match &mount.host_path {
                    Some(place) => (place, false),
                    // Seen from inside, where no path of the host is known, folders are called as they are here.
                    None if grounds.detail.mounts.iter().all(|mount| mount.host_path.is_none()) => {
                        (&mount.target, true)
                    }
                    None => continue,
                };
                if place.starts_with(folder) || folder.starts_with(place) {
                    found.insert(folder.clone(), inside);
                }
            }
        }
        found
    }

    async fn cover(&self, folder: &Path, inside: bool, grounds: &Grounds) -> Option<Cover> {
        let whole: Vec<&Known> = self
            .records
            .iter()
            .rev()
            .filter(|known| known.record.folder == folder && known.is_whole())
            .collect();
        let newest = *whole.first()?;
        let excludes = Excludes::new(&newest.record.exclude);
        let changed = self.changed(folder, &newest.record.exclude).await?;
        let mut holds = [None; Event::ALL.len()];
        for known in whole {
            let record = &known.record;
            // Other patterns would leave out other files.
            let current = record.snapshot.at.checked_sub(TICK).is_ok_and(|at| at >= changed);
            if !current || record.exclude != newest.record.exclude || !self.lies_there(known).await {
                continue;
            }
            for (event, holds) in Event::ALL.into_iter().zip(&mut holds) {
                if self.outlives(&record.repository, folder, grounds, event) {
                    *holds = Some(true);
                }
            }
        }
        Some(Cover { folder: folder.to_path_buf(), inside, excludes, holds })
    }

    /// Whether a repository and its key are both still there after an event.
    fn outlives(&self, repository: &Repository, folder: &Path, grounds: &Grounds, event: Event) -> bool {
        // What lies in the folder that was saved goes when that is deleted.
        let stays = |path: &Path| event != Event::WorkspaceDeletion || !real(path).starts_with(real(folder));
        let key = || {
            let key = &repository.key;
            key.is_file() && stays(key) && self.here.keeps_path(key, grounds, event) == Some(true)
        };
        self.here.keeps(repository, grounds, event) == Some(true)
            && repository.folder().is_none_or(stays)
            && (self.key_elsewhere || key())
    }

    /// When a folder last changed; `None` where that could not be seen in time.
    async fn changed(&self, folder: &Path, exclude: &[String]) -> Option<Timestamp> {
        let look = self.host.newest?;
        let (folder, excludes) = (folder.to_path_buf(), Excludes::new(exclude));
        let task = tokio::task::spawn_blocking(move || look(&folder, &excludes, LOOKED_WITHIN));
        tokio::time::timeout(LOOKED_WITHIN * 2, task).await.ok()?.ok()?
    }

    /// Whether a repository still holds a snapshot. Each repository is asked once.
    async fn lies_there(&self, known: &Known) -> bool {
        let repository = &known.record.repository;
        let asked = self.there.lock().unwrap_or_else(PoisonError::into_inner).get(&repository.url).cloned();
        let ids = if let Some(ids) = asked {
            ids
        } else {
            let in_use = self.in_use.as_ref().filter(|in_use| in_use.url == repository.url);
            let (backups, asked) = (Arc::clone(&self.backups), in_use.unwrap_or(repository).clone());
            let task = tokio::task::spawn_blocking(move || backups.ids(&asked));
            let ids = match tokio::time::timeout(ASKED_WITHIN, task).await {
                Ok(Ok(Ok(ids))) => Some(Arc::new(ids.into_iter().collect())),
                _ => None,
            };
            let mut there = self.there.lock().unwrap_or_else(PoisonError::into_inner);
            there.insert(repository.url.clone(), ids.clone());
            ids
        };
        ids.is_some_and(|ids| ids.contains(&known.record.snapshot.id))
    }
}
