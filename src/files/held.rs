//! A spot with its folder held open: everything that is done to it is done by this handle.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;

use jiff::Timestamp;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Statx, StatxAttributes, StatxFlags, makedev, openat, readlinkat, statx,
};
use rustix::io::Errno;

use super::failure::{Tried, failed};
use crate::core::error::Result;
use crate::core::spot::{Identity, Spot};
use crate::port::{Entry, EntryKind};
use crate::scan::Root;

/// A look at an entry itself, starting no automount.
const ITSELF: AtFlags = AtFlags::SYMLINK_NOFOLLOW.union(AtFlags::NO_AUTOMOUNT);
/// The same where a handle is enough.
const HANDLE: AtFlags = ITSELF.union(AtFlags::EMPTY_PATH);
/// A regular file to read. What was swapped for a pipe meanwhile must not be waited for.
const TO_READ: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

/// The open folder that an entry lies in, and the entry's name there; `.` for the folder itself.
#[derive(Debug)]
pub(super) struct Held {
    folder: OwnedFd,
    pub(super) name: OsString,
}

impl Held {
    /// Opens the folder that a spot lies in.
    pub(super) fn open(spot: &Spot) -> Result<Self> {
        Self::by_handle(spot).map_err(|why| failed("open", spot, why))
    }

    pub(super) fn by_handle(spot: &Spot) -> Tried<Self> {
        let root = Root::open(&spot.root)?;
        match (spot.path.parent(), spot.name()) {
            (Some(above), Some(name)) => Ok(Self { folder: root.directory(above)?, name: name.into() }),
            _ => Ok(Self { folder: root.directory(&PathBuf::new())?, name: ".".into() }),
        }
    }

    pub(super) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// What is there; `None` where nothing is.
    pub(super) fn stat(&self) -> Tried<Option<Statx>> {
        at(self.folder(), &self.name)
    }

    /// What tells what is there from all others.
    pub(super) fn identity(&self) -> Tried<Option<Identity>> {
        Ok(self.stat()?.map(|stat| identity(&stat)))
    }

    /// The regular file, to be read.
    pub(super) fn content(&self) -> Tried<File> {
        regular(self.folder(), &self.name)
    }

    /// Sees to it that what was done in the folder is on the disk. Some file systems cannot.
    pub(super) fn sync(&self) {
        let _ = rustix::fs::fsync(&self.folder);
    }
}

/// What an entry of a folder is; `None` where nothing is.
pub(super) fn at(folder: BorrowedFd<'_>, name: &OsStr) -> Tried<Option<Statx>> {
    match statx(folder, name, ITSELF, StatxFlags::BASIC_STATS) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(why) => Err(why),
    }
}

/// What an open file or folder is.
pub(super) fn of(handle: impl AsFd) -> Tried<Statx> {
    statx(handle, c"", HANDLE, StatxFlags::BASIC_STATS)
}

/// A regular file of a folder, to be read; anything else is refused.
pub(super) fn regular(folder: BorrowedFd<'_>, name: &OsStr) -> Tried<File> {
    // Opening a device may do something, so it is looked at first.
    readable(&at(folder, name)?.ok_or(Errno::NOENT)?)?;
    let file = File::from(openat(folder, name, TO_READ, Mode::empty())?);
    readable(&of(&file)?)?;
    Ok(file)
}

fn readable(stat: &Statx) -> Tried<()> {
    match kind(stat) {
        EntryKind::File => Ok(()),
        EntryKind::Folder => Err(Errno::ISDIR),
        EntryKind::Link | EntryKind::Special => Err(Errno::INVAL),
    }
}

/// What kind of entry it is.
pub(super) fn kind(stat: &Statx) -> EntryKind {
    match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Folder,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Special,
    }
}

/// Whether something is mounted on it.
pub(super) fn is_mount(stat: &Statx) -> bool {
    stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)
}

/// What tells it from all others.
pub(super) fn identity(stat: &Statx) -> Identity {
    Identity {
        device: makedev(stat.stx_dev_major, stat.stx_dev_minor),
        inode: stat.stx_ino,
        bytes: stat.stx_size,
        seconds: stat.stx_mtime.tv_sec,
        nanos: stat.stx_mtime.tv_nsec,
    }
}

/// What is at a spot.
pub(super) fn entry(spot: &Spot) -> Result<Option<Entry>> {
    let looked = Held::by_handle(spot).and_then(|held| {
        let Some(stat) = held.stat()? else { return Ok(None) };
        let name = spot.name().map(OsStr::to_os_string).unwrap_or_default();
        Ok(Some(described(held.folder(), &held.name, name, &stat)))
    });
    match looked {
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        looked => looked.map_err(|why| failed("look at", spot, why)),
    }
}

/// An entry in the words of the port.
pub(super) fn described(folder: BorrowedFd<'_>, at: &OsStr, name: OsString, stat: &Statx) -> Entry {
    use std::os::unix::ffi::OsStringExt as _;
    let kind = kind(stat);
    let target = (kind == EntryKind::Link)
        .then(|| readlinkat(folder, at, Vec::new()).ok())
        .flatten()
        .map(|target| PathBuf::from(OsString::from_vec(target.into_bytes())));
    let nanos = i32::try_from(stat.stx_mtime.tv_nsec).unwrap_or(0);
    Entry {
        name,
        kind,
        bytes: stat.stx_size,
        allocated: stat.stx_blocks.saturating_mul(512),
        modified: Timestamp::new(stat.stx_mtime.tv_sec, nanos).ok(),
        owner: stat.stx_uid,
        mode: stat.stx_mode & 0o7777,
        target,
        identity: identity(stat),
        mount: is_mount(stat),
    }
}
