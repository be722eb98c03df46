//! The port to repositories of backups. Calls here block; they are made in a job's own process.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::core::backup::{Check, Progress, Repository, Restore, Save, Skips, Snapshot, Stage};
use crate::core::error::{Error, Kind, Result};

/// Opens repositories.
pub trait Backups: Send + Sync {
    /// Opens a repository with its password.
    fn open(&self, repository: &Repository, meter: &std::sync::Arc<Meter>) -> Result<Box<dyn Vault>>;

    /// Makes a new repository and opens it; one that is there already is an error.
    fn create(&self, repository: &Repository, meter: &std::sync::Arc<Meter>) -> Result<Box<dyn Vault>>;

    /// Whether there is a repository at the address. Needs no password.
    fn exists(&self, repository: &Repository) -> Result<bool>;

    /// The ids of the snapshots that lie there, without opening it: soon, or an error.
    fn ids(&self, repository: &Repository) -> Result<Vec<String>>;
}

/// An open repository.
pub trait Vault {
    /// Saves a workspace.
    fn save(self: Box<Self>, what: &Save) -> Result<Saved>;

    /// All snapshots, the oldest first.
    fn list(&self) -> Result<Vec<Snapshot>>;

    /// Reads saved data back.
    fn verify(self: Box<Self>, what: &Check) -> Result<Checked>;

    /// Writes the files of a snapshot to a new or empty folder.
    fn restore(self: Box<Self>, what: &Restore) -> Result<Restored>;

    /// Removes snapshots, and in two steps the data that nobody needs any more. The meter says which are
    /// removed, also where this is an error.
    fn forget(&self, snapshots: &[String]) -> Result<()>;
}

/// What saving left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// Files that are not in it.
    pub skipped: Skips,
    /// Files in it that hold secrets, by name.
    pub secrets: Skips,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

/// What reading back found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The snapshots that were looked at, and whether each is whole.
    pub snapshots: Vec<(Snapshot, bool)>,
    /// Files whose data is damaged.
    pub damaged: Skips,
    /// What else is wrong with the repository.
    pub faults: Vec<String>,
}

/// What restoring left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// What the workspace was, where the snapshot says so (untrusted text).
    pub definition: Option<String>,
    /// Files that were not written, or not as they were.
    pub skipped: Skips,
    /// Files whose saved data is damaged.
    pub damaged: Skips,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

/// How far a job is, and whether somebody called it off: shared by those who work and those who tell.
#[derive(Debug, Default)]
pub struct Meter {
    stage: Mutex<Stage>,
    files: AtomicU64,
    bytes: AtomicU64,
    of_files: AtomicU64,
    of_bytes: AtomicU64,
    written: AtomicU64,
    skipped: AtomicU64,
    /// Snapshots that are removed by now, by id: true however it ends.
    removed: Mutex<Vec<String>>,
    cancelled: AtomicBool,
}

/// What stands for a figure that nobody knows yet.
const UNKNOWN: u64 = 0;

impl Meter {
    /// A new stage begins, and its counting too; the last one only brings to its end what was counted.
    pub fn begin(&self, stage: Stage) {
        if let Ok(mut now) = self.stage.lock() {
            *now = stage;
        }
        if stage == Stage::Finishing {
            return;
        }
        for figure in [&self.files, &self.bytes, &self.of_files, &self.of_bytes] {
            figure.store(UNKNOWN, Ordering::Relaxed);
        }
    }

    /// So many files more are done.
    pub fn files(&self, more: u64) {
        self.files.fetch_add(more, Ordering::Relaxed);
    }

    /// So many bytes more are done.
    pub fn bytes(&self, more: u64) {
        self.bytes.fetch_add(more, Ordering::Relaxed);
    }

    /// How many there are in all.
    pub fn of(&self, files: u64, bytes: u64) {
        self.of_files.store(files, Ordering::Relaxed);
        self.of_bytes.store(bytes, Ordering::Relaxed);
    }

    /// So many bytes more were written to the repository.
    pub fn written(&self, more: u64) {
        self.written.fetch_add(more, Ordering::Relaxed);
    }

    /// One file more is missing.
    pub fn skipped(&self) {
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    /// A snapshot is removed.
    pub fn removed(&self, id: String) {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner).push(id);
    }

    /// The snapshots that are removed by now.
    pub fn removed_so_far(&self) -> Vec<String> {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Calls it off.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was called off.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// An error where it was called off.
    pub fn go_on(&self) -> Result<()> {
        if self.is_cancelled() { Err(Error::new(Kind::Cancelled, "it was called off")) } else { Ok(()) }
    }

    /// How far it is.
    pub fn read(&self, at: Timestamp) -> Progress {
        let figure = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
        let known = |of: &AtomicU64| Some(figure(of)).filter(|of| *of != UNKNOWN);
        Progress {
            at,
            stage: self.stage.lock().map(|stage| *stage).unwrap_or_default(),
            files: figure(&self.files),
            bytes: figure(&self.bytes),
            of_files: known(&self.of_files),
            of_bytes: known(&self.of_bytes),
            written: figure(&self.written),
            skipped: figure(&self.skipped),
        }
    }
}
