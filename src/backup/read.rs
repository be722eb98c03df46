//! Reading one file into a backup: never through a link, never stuck in a pipe, and what changed
//! or vanished meanwhile is named.

use std::fs::File;
use std::io::{Cursor, Error, ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustic_core::{ReadSourceOpen, RusticError, RusticResult};
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, openat};
use rustix::io::Errno;

use crate::core::backup::Skips;
use crate::port::Meter;

/// What a backup has to say besides its snapshot: shared by all that read for it.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) meter: Arc<Meter>,
    skipped: Mutex<Skips>,
    secrets: Mutex<Skips>,
    notes: Mutex<Vec<String>>,
}

impl Told {
    pub(super) fn new(meter: Arc<Meter>) -> Self {
        Self { meter, ..Self::default() }
    }

    /// A file that is not in the snapshot, or not as it should be.
    pub(super) fn skip(&self, path: &Path, why: &str) {
        self.meter.skipped();
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).add(path, why);
    }

    /// A file that holds a secret, by its name.
    pub(super) fn secret(&self, path: &Path, what: &str) {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).add(path, what);
    }

    pub(super) fn note(&self, note: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
    }

    pub(super) fn skipped(&self) -> Skips {
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn secrets(&self) -> Skips {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How an entry's content is had.
pub(super) enum Content {
    /// From a file, when its turn comes.
    File {
        folder: Arc<OwnedFd>,
        name: std::ffi::OsString,
        /// Where it is, for messages.
        path: PathBuf,
        /// What was seen when the folder was read.
        seen: Stat,
        told: Arc<Told>,
    },
    /// From memory.
    Text(Vec<u8>),
}

impl ReadSourceOpen for Content {
    type Reader = Box<dyn Read + Send>;

    fn open(self) -> RusticResult<Self::Reader> {
        match self {
            Self::Text(text) => Ok(Box::new(Cursor::new(text))),
            Self::File { folder, name, path, seen, told } => match open(&folder, &name, &seen) {
                Ok(file) => Ok(Box::new(Reading { file, path, seen, told, ended: false })),
                Err(why) => {
                    told.skip(&path, &why);
                    Err(RusticError::new(rustic_core::ErrorKind::InputOutput, "a file could not be opened"))
                }
            },
        }
    }
}

/// Opens the very file that was seen, for reading.
fn open(folder: &OwnedFd, name: &std::ffi::OsStr, seen: &Stat) -> std::result::Result<File, String> {
    // A pipe that took the file's place would wait for ever.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let opened = match openat(folder, name, flags | OFlags::NOATIME, Mode::empty()) {
        // Only owners may leave the time of the last look alone.
        Err(Errno::PERM) => openat(folder, name, flags, Mode::empty()),
        opened => opened,
    };
    let file = opened.map_err(|why| match why {
        Errno::NOENT => "it vanished while the backup ran".to_owned(),
        why => format!("it could not be read: {}", Error::from(why)),
    })?;
    let now = fstat(&file).map_err(|why| format!("it could not be read: {}", Error::from(why)))?;
    let same = (now.st_dev, now.st_ino) == (seen.st_dev, seen.st_ino);
    if !same || FileType::from_raw_mode(now.st_mode) != FileType::RegularFile {
        return Err("another file took its place while the backup ran".to_owned());
    }
    Ok(File::from(file))
}

/// A file that is being read.
struct Reading {
    file: File,
    path: PathBuf,
    seen: Stat,
    told: Arc<Told>,
    ended: bool,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.told.meter.is_cancelled() {
            return Err(Error::other("it was called off"));
        }
        match self.file.read(buffer) {
            Ok(0) if !buffer.is_empty() => {
                self.end();
                Ok(0)
            }
            Err(why) if why.kind() != ErrorKind::Interrupted => {
                self.told.skip(&self.path, &format!("it could not be read: {why}"));
                Err(why)
            }
            read => read,
        }
    }
}

impl Reading {
    /// At the end of a file it is looked at once more: what was read may be of two moments.
    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let state =
            |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec);
        if let Ok(now) = fstat(&self.file)
            && state(&now) != state(&self.seen)
        {
            self.told.skip(&self.path, "it changed while it was read");
        }
    }
}
