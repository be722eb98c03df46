//! Archives on the disk of this machine: `tar` within `gzip`, read and written as GNU tar does; old `.zip` read.
//!
//! What is kept of a file: content, mode, owner, time, links of both kinds, holes, extended attributes
//! and access lists. Everything from an archive is hostile until it was checked.

mod acl;
mod check;
mod entry;
mod folders;
mod header;
mod list;
mod pax;
mod place;
mod restore;
mod source;
mod stream;
mod target;
mod write;
mod zipped;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::core::error::{Error, Kind, Result};
use crate::port::Archives;
use crate::port::archive::{ArchiveFile, Meter, RestoreOrder, Restored, Verified, WriteOrder, Written};
use crate::text::printable_path;

/// Archives on the disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalArchives;

impl Archives for LocalArchives {
    fn write(&self, order: &WriteOrder, meter: &Meter) -> Result<Written> {
        write::write(order, meter)
    }

    fn list(&self, folder: &Path, within: Option<Duration>, meter: &Meter) -> Result<Vec<ArchiveFile>> {
        list::list(folder, within.map(|within| Instant::now() + within), meter)
    }

    fn verify(&self, file: &Path, meter: &Meter) -> Result<Verified> {
        check::verify(file, meter)
    }

    fn restore(&self, order: &RestoreOrder, meter: &Meter) -> Result<Restored> {
        restore::restore(order, meter)
    }
}

/// What can be wrong while an archive is read.
#[derive(Debug)]
enum Flaw {
    /// The archive itself.
    Damaged(String),
    /// The disk that it is on.
    Disk(std::io::Error),
    /// Somebody asked to stop.
    Stopped,
    /// The time that it may take is over.
    Late,
    /// What reads it failed: a file could not be written.
    Other(Error),
}

impl From<std::io::Error> for Flaw {
    fn from(error: std::io::Error) -> Self {
        // The kernel's own errors have a number; the others are the unpacker's, about what it reads.
        match error.raw_os_error() {
            Some(_) => Self::Disk(error),
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::Damaged("it ends too soon".into())
            }
            None => Self::Damaged(error.to_string()),
        }
    }
}

impl From<Error> for Flaw {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl Flaw {
    /// The same as an error about an archive's file.
    fn about(self, file: &Path) -> Error {
        let shown = printable_path(file);
        match self {
            Self::Damaged(why) => Error::new(Kind::Failed, format!("{shown} is damaged: {why}"))
                .hint("take another archive: `outlast archive list` shows them"),
            Self::Disk(error) => Error::new(kind(&error), format!("{shown} could not be read: {error}")),
            Self::Stopped => stopped(),
            Self::Late => Error::new(Kind::TimedOut, format!("{shown} was not read to its end in time")),
            Self::Other(error) => error,
        }
    }
}

/// What an error of the disk is to the person.
fn kind(error: &std::io::Error) -> Kind {
    match error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Kind::NotFound,
        std::io::ErrorKind::PermissionDenied => Kind::NotPermitted,
        _ => Kind::Failed,
    }
}

fn failed(doing: &str, path: &Path, error: impl Into<std::io::Error>) -> Error {
    let error = error.into();
    Error::new(kind(&error), format!("{} could not be {doing}: {error}", printable_path(path)))
}

fn stopped() -> Error {
    Error::new(Kind::Cancelled, "stopped; nothing was left behind")
}

/// How a reading goes on: who is told, and when it has to end.
#[derive(Clone, Copy)]
struct Pace<'m> {
    meter: &'m Meter,
    /// Whether what is read counts as done.
    counts: bool,
    until: Option<Instant>,
}

impl Pace<'_> {
    /// Whether to go on; asked once for every buffer.
    fn go_on(&self) -> std::result::Result<(), Flaw> {
        if self.meter.stopped() {
            return Err(Flaw::Stopped);
        }
        if self.until.is_some_and(|until| Instant::now() > until) { Err(Flaw::Late) } else { Ok(()) }
    }

    fn done(&self, bytes: usize) {
        if self.counts {
            self.meter.bytes(u64::try_from(bytes).unwrap_or(u64::MAX));
        }
    }

    fn file(&self) {
        if self.counts {
            self.meter.file();
        }
    }
}
