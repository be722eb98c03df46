//! Files of this machine, as a port: looked at, read, and changed beneath an open folder.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jiff::Timestamp;

use super::EntryKind;
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::Verb;
use crate::core::rescue::{Rescue, Rescued};
use crate::core::spot::{FileAct, Identity, Spot};

/// One entry, as it is now. A link is itself, not what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name; empty for the folder that a spot stands for.
    pub name: OsString,
    /// What it is.
    pub kind: EntryKind,
    /// Its length.
    pub bytes: u64,
    /// What the file system gave away for it.
    pub allocated: u64,
    /// When its content was changed.
    pub modified: Option<Timestamp>,
    /// The owner's number.
    pub owner: u32,
    /// Who may do what with it.
    pub mode: u16,
    /// Where a link leads.
    pub target: Option<PathBuf>,
    /// What tells it from all others.
    pub identity: Identity,
    /// Something is mounted on it.
    pub mount: bool,
}

/// What is in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries, as far as they were read.
    pub entries: Vec<Entry>,
    /// There are more than were asked for.
    pub more: bool,
    /// Why nothing can be changed in it; `None` where it can.
    pub fixed: Option<String>,
}

/// An act that goes on: how far it is, and whether it is to end.
#[derive(Debug, Default)]
pub struct Job {
    done: AtomicU64,
    stop: AtomicBool,
}

impl Job {
    /// Counts bytes that were handled; an error once it was told to stop.
    pub fn advance(&self, bytes: u64) -> Result<()> {
        self.done.fetch_add(bytes, Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) {
            return Err(Error::new(Kind::Cancelled, "it was told to stop"));
        }
        Ok(())
    }

    /// The bytes that were handled.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Whether it was told to stop.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Tells it to stop.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Looks at files of this machine and changes them. Follows no link, and nothing leads outside the
/// folder that a spot begins in. May wait for the disk, so never called on the way to a frame.
pub trait Files: Send + Sync {
    /// What is at a spot; `None` where nothing is.
    fn entry(&self, spot: &Spot) -> Result<Option<Entry>>;

    /// What is in a folder, at most so many entries.
    fn list(&self, folder: &Spot, most: usize) -> Result<Listing>;

    /// The content of a regular file, from its beginning.
    fn open(&self, file: &Spot) -> Result<Box<dyn Read + Send>>;

    /// How many files are at a spot and beneath it, and their allocated bytes, hard links once.
    fn count(&self, spot: &Spot, job: &Job) -> Result<(u64, u64)>;

    /// Does one step. Nothing that is there is ever replaced, and what was begun and could not be
    /// finished leaves nothing behind.
    ///
    /// # Errors
    /// Also where what is there is not what was seen when the plan was made.
    fn act(&self, verb: Verb, act: &FileAct, job: &Job) -> Result<()>;

    /// Finishes a step that was cut off, or takes it back; whether it took place. Doing so once more
    /// changes nothing.
    fn settle(&self, verb: Verb, act: &FileAct) -> Result<bool>;

    /// Copies files to where they are kept. What is whole there stays, also where this ends early; done
    /// once more it goes on where it ended.
    fn rescue(&self, what: &Rescue, job: &Job) -> Result<Rescued> {
        let _ = (what, job);
        Err(Error::new(Kind::NotSupported, "files cannot be rescued here"))
    }

    /// Takes away what a rescue that was cut off had not finished.
    fn settle_rescue(&self, what: &Rescue) -> Result<()> {
        let _ = what;
        Ok(())
    }

    /// Makes an empty file as its folder's owner, or gives the one that is there the time of now.
    fn touch(&self, spot: &Spot) -> Result<()> {
        let _ = spot;
        Err(Error::new(Kind::NotSupported, "files cannot be made here"))
    }

    /// Removes a regular file; nothing there is fine.
    fn remove(&self, spot: &Spot) -> Result<()> {
        let _ = spot;
        Err(Error::new(Kind::NotSupported, "files cannot be removed here"))
    }

    /// Puts a folder in the place of another, in one step, and erases that one.
    fn put_back(&self, new: &Spot, place: &Spot) -> Result<()> {
        let _ = (new, place);
        Err(Error::new(Kind::NotSupported, "files cannot be put back here"))
    }
}
