//! One thread of a walk: opens a folder, looks at every entry, packs what it saw.

use std::collections::VecDeque;
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, RawDir, Statx, statx};
use rustix::io::Errno;

use super::Shared;
use super::folders::{Added, Folder};
use super::node::{Leaf, Node, put};
use crate::port::EntryKind;
use crate::scan::birth::{FIELDS, QUIET};
use crate::scan::open::Root;
use crate::scan::troubles::vanished;
use crate::scan::walk::{LONGEST, Territory};

/// Bytes of entries asked for at a time.
const BUFFER: usize = 64 * 1024;
/// Packed bytes after which a large folder shows what was read of it: some hundred entries.
const HAND_OVER: usize = 8 * 1024;

/// An entry by its name: with [`QUIET`] whole the kernel would look first whether there is one.
const BY_NAME: AtFlags = QUIET.difference(AtFlags::EMPTY_PATH);

/// What an open folder says about itself: where it is mounted, its device, and what it adds.
pub(super) fn itself(root: impl AsFd) -> Result<(Territory, (u32, u32), Added), Errno> {
    let stat = statx(root, c"", QUIET, FIELDS)?;
    Ok((Territory::of(&stat), device(&stat), alone(&stat)))
}

/// The same of a single file; a link is none.
pub(super) fn one_file(path: &Path) -> Result<(Territory, (u32, u32), Added), Errno> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Err(Errno::NOTDIR) };
    let stat = statx(Root::open(folder)?.handle(), name, QUIET, FIELDS)?;
    if FileType::from_raw_mode(u32::from(stat.stx_mode)) != FileType::RegularFile {
        return Err(Errno::NOTDIR);
    }
    Ok((Territory::of(&stat), device(&stat), Added { files: 1, ..alone(&stat) }))
}

/// One thread of a walk.
pub(super) struct Reader<'w> {
    shared: &'w Shared,
    root: Root,
    own: VecDeque<u32>,
    /// The folder that is read, beneath the root.
    path: Vec<u8>,
    /// Its packed entries, until they are handed over.
    slab: Vec<u8>,
    /// Folders met in it, until they are handed over.
    found: Vec<u32>,
    added: Added,
}

impl<'w> Reader<'w> {
    pub(super) fn new(shared: &'w Shared, root: Root) -> Self {
        Self {
            shared,
            root,
            own: VecDeque::new(),
            path: Vec::new(),
            slab: Vec::new(),
            found: Vec::new(),
            added: Added::NOTHING,
        }
    }

    /// Reads folders until none is left or the walk is stopped.
    pub(super) fn work(mut self) {
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
        while let Some(id) = self.shared.queue.next(&mut self.own) {
            let Some(folder) = self.shared.folders.get(id) else { continue };
            self.shared.folders.path(id, &mut self.path);
            match self.open() {
                Ok(Some(handle)) => self.folder(id, folder, &handle, &mut buffer),
                // Something was mounted here since it was met.
                Ok(None) => self.shared.crossed(),
                Err(reason) => self.unread(reason),
            }
            self.hand_over(id, folder, true);
            if self.shared.queue.stopped() {
                // What was met and not read keeps the folders above from looking whole.
                return;
            }
            self.shared.folders.close(id);
        }
    }

    /// `None` where it lies on another mount.
    fn open(&self) -> Result<Option<OwnedFd>, Errno> {
        if self.path.len() > LONGEST {
            return Err(Errno::NAMETOOLONG);
        }
        let handle = match self.root.directory(Path::new(OsStr::from_bytes(&self.path))) {
            Err(Errno::XDEV) => return Ok(None),
            opened => opened?,
        };
        // Where the kernel takes one name after the other it does not watch the mounts.
        let watched = !self.root.by_component() || itself(&handle)?.0 == self.shared.home;
        Ok(watched.then_some(handle))
    }

    fn folder(&mut self, id: u32, folder: &Folder, handle: &OwnedFd, buffer: &mut [MaybeUninit<u8>]) {
        let mut entries = RawDir::new(handle, buffer);
        while let Some(entry) = entries.next() {
            match entry {
                Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                Ok(entry) => self.entry(id, handle.as_fd(), entry.file_name()),
                Err(reason) => {
                    self.unread(reason);
                    break;
                }
            }
            if self.shared.queue.stopped() {
                break;
            }
            if self.slab.len() > HAND_OVER {
                self.hand_over(id, folder, false);
            }
        }
    }

    fn entry(&mut self, parent: u32, handle: BorrowedFd<'_>, name: &CStr) {
        let stat = match statx(handle, name, BY_NAME, FIELDS) {
            Ok(stat) => stat,
            Err(reason) => return self.unread_entry(name, reason),
        };
        if Territory::of(&stat) != self.shared.home {
            return self.shared.crossed();
        }
        let name = name.to_bytes();
        let kind = match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
            FileType::Directory => return self.met(parent, name, &stat),
            FileType::RegularFile => EntryKind::File,
            FileType::Symlink => EntryKind::Link,
            _ => EntryKind::Special,
        };
        let again = stat.stx_nlink > 1 && !self.shared.links.first(device(&stat), stat.stx_ino);
        let modified = stat.stx_mtime.tv_sec;
        if !again {
            self.added.files += 1;
            self.added.allocated += allocated(&stat);
            self.added.apparent += stat.stx_size;
        }
        self.added.newest = self.added.newest.max(modified);
        let leaf = Leaf {
            name,
            kind,
            again,
            blocks: stat.stx_blocks,
            apparent: stat.stx_size,
            modified,
            owner: stat.stx_uid,
        };
        put(&mut self.slab, Node::Leaf(leaf));
    }

    /// A folder was met: it is read later, maybe by another thread.
    fn met(&mut self, parent: u32, name: &[u8], stat: &Statx) {
        let alone = alone(stat);
        self.added.dirs += 1;
        self.added.allocated += alone.allocated;
        self.added.apparent += alone.apparent;
        self.added.newest = self.added.newest.max(alone.newest);
        if let Some(id) = self.shared.folders.add(parent, name, &alone) {
            put(&mut self.slab, Node::Folder(id));
            self.found.push(id);
        } else {
            self.added.errors += 1;
            let path = self.shown(name);
            self.shared.troubles().folder(&path, Errno::NOMEM);
        }
    }

    /// Hands over what was seen of a folder: from here on everybody sees it.
    fn hand_over(&mut self, id: u32, folder: &Folder, last: bool) {
        folder.put(&self.slab, last);
        self.slab.clear();
        self.shared.folders.add_up(id, &self.added);
        self.added = Added::NOTHING;
        if !self.found.is_empty() {
            folder.expects(u32::try_from(self.found.len()).unwrap_or(u32::MAX));
            self.own.extend(self.found.drain(..));
        }
        self.shared.changed();
        self.shared.queue.share(&mut self.own);
    }

    /// The folder could not be read.
    fn unread(&mut self, reason: Errno) {
        self.added.errors += u32::from(!vanished(reason));
        let path = self.shown(b"");
        self.shared.troubles().folder(&path, reason);
    }

    /// An entry of it could not be looked at.
    fn unread_entry(&mut self, name: &CStr, reason: Errno) {
        self.added.errors += u32::from(!vanished(reason));
        let path = self.shown(name.to_bytes());
        self.shared.troubles().file(&path, reason);
    }

    /// The path of the folder that is read, or of an entry of it.
    fn shown(&self, name: &[u8]) -> PathBuf {
        let mut path = self.shared.at.clone();
        for part in [self.path.as_slice(), name].into_iter().filter(|part| !part.is_empty()) {
            path.push(OsStr::from_bytes(part));
        }
        path
    }
}

/// What a folder adds by itself.
const fn alone(stat: &Statx) -> Added {
    Added {
        allocated: allocated(stat),
        apparent: stat.stx_size,
        newest: stat.stx_mtime.tv_sec,
        ..Added::NOTHING
    }
}

const fn allocated(stat: &Statx) -> u64 {
    stat.stx_blocks.saturating_mul(512)
}

const fn device(stat: &Statx) -> (u32, u32) {
    (stat.stx_dev_major, stat.stx_dev_minor)
}
