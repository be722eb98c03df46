//! Where an archive's files are put: an empty folder of our own, made ready before it is shown.
//!
//! Everything is made beneath its open handle. A name that leads through a link fails: the kernel refuses it.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags, chownat, fchmod, fchown, fsetxattr,
    futimens, linkat, mkfifoat, openat, symlinkat, unlinkat, utimensat,
};
use rustix::io::{Errno, Result};

use super::entry::Meta;
use super::{folders, source};
use crate::port::archive::{Missed, RestoreOrder};
use crate::scan::{self, Root};

/// The mode of a folder that an archive does not have itself.
const USUAL: u32 = 0o755;

/// An empty folder that is being filled.
pub(super) struct Target {
    root: Root,
    /// Whom everything is given to.
    owner: Option<(u32, u32)>,
    viewer: u32,
    /// The folder that was opened last.
    parent: Option<(PathBuf, OwnedFd)>,
    /// What folders are to be in the end: filling one changes its time.
    folders: BTreeMap<PathBuf, Meta>,
    pub(super) missed: Vec<Missed>,
    /// Whether somebody's files became the viewer's.
    pub(super) owners_not_kept: bool,
}

impl Target {
    pub(super) fn new(root: Root, order: &RestoreOrder) -> Self {
        Self {
            root,
            owner: order.owner,
            viewer: rustix::process::geteuid().as_raw(),
            parent: None,
            folders: BTreeMap::new(),
            missed: Vec::new(),
            owners_not_kept: false,
        }
    }

    /// A folder; what it is besides is put in place in the end.
    pub(super) fn folder(&mut self, relative: &Path, meta: Meta) -> Result<()> {
        if relative.as_os_str().is_empty() {
            self.folders.insert(PathBuf::new(), meta);
            return Ok(());
        }
        let made =
            self.in_parent(relative, |parent, name| match rustix::fs::mkdirat(parent, name, Mode::RWXU) {
                // It came before, or a file that came before has its name.
                Err(Errno::EXIST) if !is_folder(parent, name)? => Err(Errno::EXIST),
                Err(Errno::EXIST) => Ok(()),
                made => made,
            });
        if made == Err(Errno::EXIST) {
            self.remove(relative)?;
            return self.folder(relative, meta);
        }
        made?;
        self.folders.insert(relative.to_path_buf(), meta);
        Ok(())
    }

    /// A new file to be written; [`Self::finish_file`] ends it.
    pub(super) fn file(&mut self, relative: &Path) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = self.fresh(relative, |parent, name| openat(parent, name, flags, Mode::RUSR | Mode::WUSR))?;
        Ok(File::from(made))
    }

    /// What a file is besides its content.
    pub(super) fn finish_file(&mut self, file: &File, relative: &Path, meta: &Meta) -> Result<()> {
        self.dress(file.as_fd(), relative, meta)
    }

    /// A symbolic link. Where it points is nobody's business here: it is never followed.
    pub(super) fn link(&mut self, relative: &Path, to: &[u8], meta: &Meta) -> Result<()> {
        self.fresh(relative, |parent, name| symlinkat(to, parent, name))?;
        self.dress_by_name(relative, meta)
    }

    /// One more name of a file that was put here before.
    pub(super) fn hard(&mut self, relative: &Path, to: &Path) -> Result<()> {
        let (Some(from), Some(name)) = (to.parent(), to.file_name()) else { return Err(Errno::INVAL) };
        let from = self.root.directory(from)?;
        self.fresh(relative, |parent, new| linkat(&from, name, parent, new, AtFlags::empty()))
    }

    /// A pipe.
    pub(super) fn fifo(&mut self, relative: &Path, meta: &Meta) -> Result<()> {
        self.fresh(relative, |parent, name| mkfifoat(parent, name, Mode::RUSR | Mode::WUSR))?;
        self.dress_by_name(relative, meta)?;
        let mode = Mode::from_raw_mode(self.mode(meta));
        self.in_parent(relative, |parent, name| rustix::fs::chmodat(parent, name, mode, AtFlags::empty()))
    }

    /// Gives folders what they are to be, the deepest first; the folder itself has that as its answer.
    pub(super) fn finish(&mut self) -> Result<Option<Meta>> {
        self.parent = None;
        let mut folders = std::mem::take(&mut self.folders);
        let own = folders.remove(Path::new(""));
        // Whatever lies in a folder comes behind it.
        for (relative, meta) in folders.into_iter().rev() {
            let handle = self.root.directory(&relative)?;
            self.dress(handle.as_fd(), &relative, &meta)?;
        }
        Ok(own)
    }

    /// Owner, mode, attributes and time, in this order: each may change the one before.
    pub(super) fn dress(&mut self, file: BorrowedFd<'_>, relative: &Path, meta: &Meta) -> Result<()> {
        if let Some((uid, gid)) = self.given_to(meta) {
            fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        }
        fchmod(file, Mode::from_raw_mode(self.mode(meta)))?;
        for (name, value) in meta.attributes.iter().filter(|(name, _)| source::is_kept(name)) {
            let set = if value.is_empty() && name.starts_with(b"system.") {
                Err(Errno::INVAL)
            } else {
                fsetxattr(file, &name[..], value, XattrFlags::empty())
            };
            if let Err(reason) = set {
                let name = String::from_utf8_lossy(name);
                let why = format!("its attribute {name} could not be kept: {}", scan::words(reason));
                self.missed.push(Missed { path: relative.into(), why });
            }
        }
        futimens(file, &times(meta))
    }

    fn dress_by_name(&mut self, relative: &Path, meta: &Meta) -> Result<()> {
        let owner = self.given_to(meta);
        let times = times(meta);
        self.in_parent(relative, |parent, name| {
            if let Some((uid, gid)) = owner {
                let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
                chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
            }
            utimensat(parent, name, &times, AtFlags::SYMLINK_NOFOLLOW)
        })
    }

    /// Whom a file is given to; `None` where it is and stays the viewer's.
    fn given_to(&mut self, meta: &Meta) -> Option<(u32, u32)> {
        match self.owner {
            Some(owner) => Some(owner),
            None if self.viewer == 0 => Some((meta.uid, meta.gid)),
            None => {
                self.owners_not_kept |= meta.uid != self.viewer;
                None
            }
        }
    }

    /// A program that ran as its owner does not run as somebody else.
    const fn mode(&self, meta: &Meta) -> u32 {
        let kept = match self.owner {
            Some((uid, _)) => uid == meta.uid,
            None => self.viewer == 0 || self.viewer == meta.uid,
        };
        if kept { meta.mode & 0o7777 } else { meta.mode & 0o1777 }
    }

    /// Makes something new. What came before under this name in the same archive gives way, as in tar.
    fn fresh<T>(&mut self, relative: &Path, make: impl Fn(BorrowedFd<'_>, &Path) -> Result<T>) -> Result<T> {
        match self.in_parent(relative, &make) {
            Err(Errno::EXIST) => {
                self.remove(relative)?;
                self.in_parent(relative, &make)
            }
            made => made,
        }
    }

    fn remove(&mut self, relative: &Path) -> Result<()> {
        let folder = self.folders.remove(relative).is_some();
        let flags = if folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        self.in_parent(relative, |parent, name| unlinkat(parent, name, flags))
    }

    /// Does something in the folder that a path lies in, which is made where it is missing.
    fn in_parent<T>(&mut self, relative: &Path, act: impl Fn(BorrowedFd<'_>, &Path) -> Result<T>) -> Result<T> {
        let (Some(folder), Some(name)) = (relative.parent(), relative.file_name()) else {
            return Err(Errno::INVAL);
        };
        if self.parent.as_ref().is_none_or(|(known, _)| known != folder) {
            let (handle, made) = folders::make(&self.root, folder)?;
            for path in made {
                let now = jiff::Timestamp::now();
                let meta = Meta {
                    mode: USUAL,
                    uid: self.viewer,
                    gid: rustix::process::getegid().as_raw(),
                    modified: (now.as_second(), 0),
                    attributes: Vec::new(),
                };
                self.folders.entry(path).or_insert(meta);
            }
            self.parent = Some((folder.to_path_buf(), handle));
        }
        match &self.parent {
            Some((_, handle)) => act(handle.as_fd(), Path::new(name)),
            None => Err(Errno::INVAL),
        }
    }
}

fn is_folder(parent: BorrowedFd<'_>, name: &Path) -> Result<bool> {
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory)
}

fn times(meta: &Meta) -> Timestamps {
    let (seconds, nanoseconds) = meta.modified;
    let time = Timespec { tv_sec: seconds, tv_nsec: i64::from(nanoseconds) };
    Timestamps { last_access: time, last_modification: time }
}
