//! Opening and making repositories, and what is soon answered about them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rustic_backend::{LocalBackend, RcloneBackend, RestBackend};
use rustic_core::repofile::{SnapshotFile, SnapshotId};
use rustic_core::{
    ConfigOptions, Credentials, FileType, KeyOptions, OpenStatus, PruneOptions, PrunePlan, ReadBackend as _,
    Repository, RepositoryBackends, RepositoryOptions, WriteBackend,
};

use super::failure::failed;
use super::fence::{Bars, Fence};
use super::sweep::{Swept, sweep};
use crate::core::backup::{self, Check, INCOMPLETE, Place, Restore, Save, Snapshot, Stage, TAG};
use crate::core::error::{Error, Kind, Result};
use crate::port::{Backups, Checked, Meter, Restored, Saved, Vault};

/// Repositories in restic's format.
#[derive(Clone, Copy, Debug, Default)]
pub struct Restic;

/// How patient a question to a server is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// As long as the library waits by itself.
    Usual,
    /// A moment: somebody looks at a list.
    Short,
}

impl Backups for Restic {
    fn open(&self, repository: &backup::Repository, meter: &Arc<Meter>) -> Result<Box<dyn Vault>> {
        let swept = match repository.place()? {
            Place::Folder(folder) => sweep(&folder, SystemTime::now()),
            _ => Swept::default(),
        };
        let closed = closed(repository, meter, Patience::Usual)?;
        let there = closed.config_id().map_err(|error| failed("look at the repository", &error))?;
        if there.is_none() {
            return Err(no_repository(repository));
        }
        let open = closed
            .open(&password(repository)?)
            .map_err(|error| failed(&format!("open the repository {}", repository.url), &error))?;
        Ok(Box::new(Open::new(open, repository, meter, swept)))
    }

    fn create(&self, repository: &backup::Repository, meter: &Arc<Meter>) -> Result<Box<dyn Vault>> {
        if let Some(folder) = repository.folder() {
            make_private(folder)?;
        }
        let open = closed(repository, meter, Patience::Usual)?
            .init(&password(repository)?, &KeyOptions::default(), &ConfigOptions::default())
            .map_err(|error| failed(&format!("make the repository {}", repository.url), &error))?;
        Ok(Box::new(Open::new(open, repository, meter, Swept::default())))
    }

    fn exists(&self, repository: &backup::Repository) -> Result<bool> {
        if let Place::Folder(folder) = repository.place()? {
            return Ok(folder.join("config").is_file());
        }
        let closed = closed(repository, &Arc::default(), Patience::Usual)?;
        let there = closed.config_id().map_err(|error| failed("look at the repository", &error))?;
        Ok(there.is_some())
    }

    fn ids(&self, repository: &backup::Repository) -> Result<Vec<String>> {
        if matches!(repository.place()?, Place::Rclone(_)) {
            return Err(Error::new(Kind::NotSupported, "rclone takes too long to ask"));
        }
        let storage = storage(repository, Patience::Short)?;
        let ids = storage.list(FileType::Snapshot).map_err(|error| failed("list the snapshots", &error))?;
        Ok(ids.into_iter().map(|id| id.to_hex().to_string()).collect())
    }
}

/// A folder for nobody else's eyes; one that is there already must be empty.
fn make_private(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let wrong = |why: &str| {
        Error::new(Kind::Refused, format!("{} {why}", crate::text::printable_path(folder)))
            .hint("name a folder that is empty or not there yet")
    };
    match std::fs::read_dir(folder) {
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(wrong("is no repository and not empty")),
            None => Ok(()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|error| wrong(&format!("could not be made: {error}"))),
        Err(error) => Err(wrong(&format!("could not be read: {error}"))),
    }
}

/// What to say where no repository is.
fn no_repository(repository: &backup::Repository) -> Error {
    Error::new(Kind::NotFound, format!("there is no repository at {}", repository.url))
        .hint("`outlast backup` makes one; `--repository` names another place")
}

/// The password: what somebody typed, else the first line of its file.
fn password(repository: &backup::Repository) -> Result<Credentials> {
    if let Some(password) = repository.password() {
        return Ok(Credentials::password(password));
    }
    let file = repository.key.as_path();
    let shown = crate::text::printable_path(file);
    let text = std::fs::read_to_string(file).map_err(|error| {
        Error::new(Kind::Config, format!("the password could not be read from {shown}: {error}"))
            .hint("OUTLAST_PASSWORD_FILE names the file that holds the password of the repository")
    })?;
    let password = text.lines().next().unwrap_or_default();
    if password.is_empty() {
        return Err(Error::new(Kind::Config, format!("{shown} holds no password in its first line")));
    }
    Ok(Credentials::password(password))
}

/// The storage behind an address.
fn storage(repository: &backup::Repository, patience: Patience) -> Result<Arc<dyn WriteBackend>> {
    let wrong = |error: Box<rustic_core::RusticError>| failed(&format!("reach {}", repository.url), &error);
    let mut options: BTreeMap<String, String> = BTreeMap::new();
    if patience == Patience::Short {
        options.insert("retry".into(), "off".into());
        options.insert("timeout".into(), "2s".into());
    }
    Ok(match repository.place()? {
        Place::Folder(folder) => {
            let Some(path) = folder.to_str() else {
                return Err(Error::new(Kind::Usage, "the repository's path is not text")
                    .hint("put it into a folder whose name can be typed"));
            };
            Arc::new(LocalBackend::new(path, []).map_err(wrong)?)
        }
        Place::Rest(url) => Arc::new(RestBackend::new(url, options).map_err(wrong)?),
        Place::Rclone(remote) => {
            let command = rclone().ok_or_else(|| {
                Error::new(
                    Kind::NotSupported,
                    format!("{} needs rclone, which is not installed", repository.url),
                )
                .hint("install it: apt install rclone")
            })?;
            options.insert("rclone-command".into(), command);
            Arc::new(RcloneBackend::new(remote, options).map_err(wrong)?)
        }
    })
}

/// The command that serves a remote; `None` where rclone is not installed. It ends with us, also
/// where we are killed.
fn rclone() -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let has = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    if !has("rclone") {
        return None;
    }
    let with_us = if has("setpriv") { "setpriv --pdeathsig KILL " } else { "" };
    Some(format!("{with_us}rclone serve restic --addr localhost:0"))
}

fn closed(repository: &backup::Repository, meter: &Arc<Meter>, patience: Patience) -> Result<Repository<()>> {
    let fence = Fence::new(storage(repository, patience)?, Arc::clone(meter));
    let backends = RepositoryBackends::new(Arc::new(fence), None);
    // A cache would fill people's homes, and be one more place that is not kept.
    let options = RepositoryOptions::default().no_cache(true);
    Repository::new_with_progress(&options, &backends, Bars(Arc::clone(meter)))
        .map_err(|error| failed("open the repository", &error))
}

/// An open repository.
pub(super) struct Open {
    pub(super) repository: Repository<OpenStatus>,
    pub(super) at: backup::Repository,
    pub(super) meter: Arc<Meter>,
    pub(super) swept: Swept,
}

impl Open {
    fn new(
        repository: Repository<OpenStatus>,
        at: &backup::Repository,
        meter: &Arc<Meter>,
        swept: Swept,
    ) -> Self {
        Self { repository, at: at.clone(), meter: Arc::clone(meter), swept }
    }

    /// All snapshots as the library has them, the oldest first.
    pub(super) fn files(&self) -> Result<Vec<SnapshotFile>> {
        let mut all = self
            .repository
            .get_all_snapshots()
            .map_err(|error| failed("read the list of snapshots", &error))?;
        all.sort_by_key(|file| file.time.timestamp());
        Ok(all)
    }

    /// The one snapshot whose id begins like this; `latest` is the newest.
    pub(super) fn find(&self, id: &str) -> Result<SnapshotFile> {
        let mut all = self.files()?;
        if id == "latest" {
            return all.pop().ok_or_else(|| Error::new(Kind::NotFound, "the repository holds no snapshot"));
        }
        let mut found: Vec<SnapshotFile> =
            all.into_iter().filter(|snapshot| snapshot.id.to_hex().as_str().starts_with(id)).collect();
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(_), false) => {
                Err(Error::new(Kind::Usage, format!("more than one snapshot begins with {id}"))
                    .hint("type more of it"))
            }
            (None, _) => Err(Error::new(Kind::NotFound, format!("no snapshot begins with {id}"))
                .hint("`outlast backups` lists them")),
        }
    }
}

/// A snapshot in our words.
pub(super) fn described(file: &SnapshotFile) -> Snapshot {
    let own = file.tags.contains(TAG);
    let summary = file.summary.as_ref();
    Snapshot {
        id: file.id.to_hex().to_string(),
        at: file.time.timestamp(),
        host: file.hostname.clone(),
        workspace: file.label.clone(),
        folders: file.paths.iter().cloned().collect(),
        files: summary.map(|summary| summary.total_files_processed),
        bytes: summary.map(|summary| summary.total_bytes_processed),
        added: summary.map(|summary| summary.data_added_packed),
        own,
        incomplete: file.tags.contains(INCOMPLETE),
    }
}

impl Vault for Open {
    fn save(self: Box<Self>, what: &Save) -> Result<Saved> {
        super::save::save(*self, what)
    }

    fn list(&self) -> Result<Vec<Snapshot>> {
        Ok(self.files()?.iter().map(described).collect())
    }

    fn verify(self: Box<Self>, what: &Check) -> Result<Checked> {
        super::verify::verify(*self, what)
    }

    fn restore(self: Box<Self>, what: &Restore) -> Result<Restored> {
        super::restore::restore(*self, what)
    }

    fn forget(&self, snapshots: &[String]) -> Result<()> {
        self.meter.begin(Stage::Forgetting);
        let files = self.files()?;
        let ids: Vec<SnapshotId> = files
            .iter()
            .map(|file| file.id)
            .filter(|id| snapshots.contains(&id.to_hex().to_string()))
            .collect();
        // One by one, so that it is known which are removed where this is called off.
        for id in ids {
            self.meter.go_on()?;
            self.repository.delete_snapshots(&[id]).map_err(|error| failed("remove snapshots", &error))?;
            self.meter.removed(id.to_hex().to_string());
        }
        self.meter.begin(Stage::Finishing);
        // In two steps: what is not needed is marked now and removed by a later run, so that a backup
        // that goes on meanwhile loses nothing.
        let options = PruneOptions::default().instant_delete(false).early_delete_index(false);
        let plan = PrunePlan::from_prune_options(&self.repository, &options)
            .map_err(|error| failed("find the data that nobody needs", &error))?;
        self.repository.prune(&options, plan).map_err(|error| failed("give space back", &error))
    }
}
