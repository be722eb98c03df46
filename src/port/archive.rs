//! Archives of a folder, as a port: written, listed, read through, put back. All calls may take long.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::core::archive::{Excludes, Packing};
use crate::core::error::Result;

/// Writes and reads archives.
pub trait Archives: Send + Sync {
    /// Writes an archive of a folder under a temporary name and gives it its own when it is whole.
    ///
    /// # Errors
    /// Where it could not be written; nothing is left then.
    fn write(&self, order: &WriteOrder, meter: &Meter) -> Result<Written>;
    /// The archives of a folder, the newest first. They are read through as far as the time allows.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    fn list(&self, folder: &Path, within: Option<Duration>, meter: &Meter) -> Result<Vec<ArchiveFile>>;
    /// Reads an archive to its end and checks every sum.
    ///
    /// # Errors
    /// Where it is damaged or cannot be read.
    fn verify(&self, file: &Path, meter: &Meter) -> Result<Verified>;
    /// Reads an archive to its end, then puts its files into a folder.
    ///
    /// # Errors
    /// Where the archive is damaged, or a file could not be written; nothing is left then.
    fn restore(&self, order: &RestoreOrder, meter: &Meter) -> Result<Restored>;
}

/// How far something is, and whether it is to stop. Shared between who works and who watches.
#[derive(Debug, Default)]
pub struct Meter {
    files: AtomicU64,
    bytes: AtomicU64,
    stop: AtomicBool,
}

impl Meter {
    /// One more file is done.
    pub fn file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    /// So many more bytes of files are done.
    pub fn bytes(&self, more: u64) {
        self.bytes.fetch_add(more, Ordering::Relaxed);
    }

    /// Files and bytes that are done.
    pub fn so_far(&self) -> (u64, u64) {
        (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// Asks whoever works to stop.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Whether to stop.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// An archive to be written.
#[derive(Clone, Debug)]
pub struct WriteOrder {
    /// The folder.
    pub source: PathBuf,
    /// The archive's file, in a folder that is there.
    pub file: PathBuf,
    /// The largest archive that is kept, in bytes.
    pub limit: Option<u64>,
    /// What is left out.
    pub excludes: Excludes,
    /// Where the archive says it is from.
    pub from: String,
}

/// What is not in an archive as it should be, or not put back as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Which path beneath the folder (untrusted).
    pub path: PathBuf,
    /// Why, as a clause.
    pub why: String,
}

/// An archive that was written.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// Bytes of the archive.
    pub bytes: u64,
    /// Files in it.
    pub files: u64,
    /// Bytes of those files.
    pub content: u64,
    /// What changed, vanished or could not be read meanwhile.
    pub missed: Vec<Missed>,
    /// Secrets in it, by their paths beneath the folder (untrusted).
    pub secrets: Vec<PathBuf>,
    /// Folders on which something else is mounted: their content is not in it (untrusted).
    pub mounts: Vec<PathBuf>,
    /// Sockets, which no archive holds.
    pub sockets: u64,
}

/// What is known of an archive's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It was read to its end and every sum is right.
    Whole,
    /// It is damaged, and how.
    Damaged(String),
    /// Nobody read it to its end yet.
    NotRead,
}

/// An archive in a folder.
#[derive(Clone, Debug)]
pub struct ArchiveFile {
    /// Its file.
    pub file: PathBuf,
    /// How it is packed.
    pub packing: Packing,
    /// When it was made, by its name, else by its file.
    pub made: Option<Timestamp>,
    /// Its bytes.
    pub bytes: u64,
    /// Where it says it is from (untrusted text).
    pub from: Option<String>,
    /// What is known of its content.
    pub condition: Condition,
}

/// What reading an archive to its end told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files in it.
    pub files: u64,
    /// Bytes that they take.
    pub content: u64,
    /// Bytes of the archive.
    pub bytes: u64,
    /// Names that lead out of the folder they are put into (untrusted).
    pub outside: Vec<PathBuf>,
    /// Where it says it is from (untrusted text).
    pub from: Option<String>,
}

/// An archive to be put back.
#[derive(Clone, Debug)]
pub struct RestoreOrder {
    /// The archive's file.
    pub file: PathBuf,
    /// The folder, made where it is missing.
    pub target: PathBuf,
    /// Whether the folder may hold files already; newer ones stay.
    pub merge: bool,
    /// Whom everything is given to, instead of its owners.
    pub owner: Option<(u32, u32)>,
}

/// What was put back.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    /// Files that were put back.
    pub files: u64,
    /// Bytes of those files.
    pub content: u64,
    /// What could not be put back as it was.
    pub missed: Vec<Missed>,
    /// Files of the folder that stayed because they are newer, or as old.
    pub newer: Vec<PathBuf>,
    /// Files of the folder that were older: they were moved here.
    pub replaced: Option<PathBuf>,
    /// How many those are.
    pub replaced_files: u64,
    /// Whether owners stayed those of the person who restores, who may not give files away.
    pub owners_not_kept: bool,
}
