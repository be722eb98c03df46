//! One thread of a walk: opens a folder, looks at every entry, packs or tells what it saw.

use std::collections::VecDeque;
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FileType, RawDir, Statx, statx};
use rustix::io::Errno;

use super::Shared;
use super::aside::Aside;
use super::folders::{Added, Folder};
use super::mark::{Mark, leaf};
use super::node::{Leaf, Node, put};
use super::purpose::{BATCH, Batch, Hidden};
use super::queue::{Part, Work};
use super::territory::{BY_NAME, Territory, allocated, alone, device, itself};
use crate::port::EntryKind;
use crate::scan::birth::FIELDS;
use crate::scan::layer::Ground;
use crate::scan::open::Root;
use crate::scan::troubles::vanished;

/// Folders whose path is longer than this many bytes are not read: opening one costs its length.
const LONGEST: usize = 256 * 1024;
/// Bytes of entries asked for at a time.
const BUFFER: usize = 64 * 1024;
/// Packed bytes after which a large folder shows what was read of it: some hundred entries.
const HAND_OVER: usize = 8 * 1024;

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
    /// What is missing of it, until it is handed over.
    aside: Aside,
    /// Entries met since they were last handed over.
    met: u32,
    /// Entries that were gone before they could be looked at.
    missed: u32,
    /// Files on their way to whoever is told.
    batch: Option<Batch<'w>>,
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
            aside: Aside::default(),
            met: 0,
            missed: 0,
            batch: Batch::new(&shared.purpose),
        }
    }

    /// Reads folders until none is left or the walk is stopped.
    pub(super) fn work(mut self) {
        let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
        while let Some(work) = self.shared.queue.next(&mut self.own) {
            let (Work::Folder(id) | Work::Part(Part { folder: id, .. })) = work;
            let Some(folder) = self.shared.folders.get(id) else { continue };
            self.shared.folders.path(id, &mut self.path);
            if let Some(batch) = &mut self.batch {
                batch.enter(&self.path);
            }
            match work {
                Work::Folder(_) => self.whole(id, folder, &mut buffer),
                Work::Part(part) => self.part(folder, &part),
            }
            if self.shared.queue.stopped() {
                // What was met and not read keeps the folders above from looking whole.
                break;
            }
            self.shared.folders.close(id);
        }
        if self.batch.as_mut().is_some_and(|batch| batch.tell().is_break()) {
            self.shared.queue.stop();
        }
    }

    fn whole(&mut self, id: u32, folder: &Folder, buffer: &mut [MaybeUninit<u8>]) {
        let mut last = true;
        match self.open() {
            Ok(Some(handle)) => last = self.folder(id, folder, &Arc::new(handle), buffer),
            // Something was mounted here since it was met.
            Ok(None) => self.crossed(),
            Err(reason) => self.unread(reason),
        }
        self.hand_over(id, folder, last);
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
        let watched = !self.root.by_component() || itself(&handle)?.home == self.shared.home;
        Ok(watched.then_some(handle))
    }

    /// Reads a folder; of a large one it gives parts to threads without work. Whether it gave none.
    fn folder(
        &mut self,
        id: u32,
        folder: &Folder,
        handle: &Arc<OwnedFd>,
        buffer: &mut [MaybeUninit<u8>],
    ) -> bool {
        let shared = self.shared;
        let ground = shared.purpose.ground(id, handle.as_fd());
        let mut hidden = Hidden::of(ground.as_deref());
        let skipped = shared.purpose.skipped(&self.path);
        let (mut given, mut names, mut looks) = (false, None, 0);
        let missed = self.missed;
        let mut entries = RawDir::new(handle, buffer);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(reason) => {
                    self.unread(reason);
                    break;
                }
            };
            let name = entry.file_name();
            let bytes = name.to_bytes();
            if !matches!(bytes, b"." | b"..") && !skipped.contains(&bytes) {
                hidden.met(bytes);
                match &mut names {
                    Some(names) => Vec::extend_from_slice(names, name.to_bytes_with_nul()),
                    None => self.entry(id, handle.as_fd(), ground.as_deref(), name),
                }
            }
            if shared.queue.stopped() {
                break;
            }
            if self.is_due() {
                self.hand_over(id, folder, false);
            }
            // What is left of a folder that is larger than one look goes to whoever has no work.
            if entries.is_buffer_empty() {
                looks += 1;
                if let Some(names) = names.take().filter(|names| !names.is_empty()) {
                    given = true;
                    folder.expects(1);
                    let (handle, ground) = (Arc::clone(handle), ground.clone());
                    shared.queue.give(Part { folder: id, handle, ground, names });
                }
                names = shared.queue.wants_parts().then(Vec::new);
            }
        }
        if let (Some(layer), false) = (&shared.purpose.layer, shared.queue.stopped()) {
            layer.hidden(hidden.left());
        }
        // The names that one look gave are those of one moment: where they were all there still, in a
        // folder that was left alone when it was met, nobody needs to ask.
        let stirred = looks > 1 || self.missed != missed || folder.alone().newest >= shared.began.0;
        if stirred && shared.has_changed(handle.as_fd()) {
            self.added.changed += 1;
        }
        !given
    }

    /// Looks at entries of a large folder that another thread read the names of.
    fn part(&mut self, folder: &Folder, part: &Part) {
        for name in part.names.split_inclusive(|byte| *byte == 0) {
            let Ok(name) = CStr::from_bytes_with_nul(name) else { continue };
            self.entry(part.folder, part.handle.as_fd(), part.ground.as_deref(), name);
            if self.shared.queue.stopped() {
                break;
            }
            if self.is_due() {
                self.hand_over(part.folder, folder, false);
            }
        }
        self.hand_over(part.folder, folder, false);
    }

    /// Whether enough was met to hand it over before the end.
    fn is_due(&self) -> bool {
        self.slab.len() > HAND_OVER || (self.met >= BATCH && self.batch.is_some())
    }

    fn entry(&mut self, parent: u32, handle: BorrowedFd<'_>, ground: Option<&Ground>, name: &CStr) {
        self.met += 1;
        let stat = match statx(handle, name, BY_NAME, FIELDS) {
            Ok(stat) => stat,
            Err(reason) => return self.unread_entry(name, reason),
        };
        if Territory::of(&stat) != self.shared.home {
            return self.crossed();
        }
        let kind = match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
            FileType::Directory => return self.folder_met(parent, ground, name.to_bytes(), &stat),
            FileType::RegularFile => EntryKind::File,
            FileType::Symlink => EntryKind::Link,
            _ => EntryKind::Special,
        };
        let Some(of_image) = self.shared.purpose.sort(ground, handle, name, &stat) else { return };
        let again = stat.stx_nlink > 1 && !self.shared.links.first(device(&stat), stat.stx_ino);
        let (name, modified) = (name.to_bytes(), stat.stx_mtime.tv_sec);
        let changed = self.shared.came_after(&stat);
        if !again {
            self.added.files += 1;
            self.added.allocated += allocated(&stat);
            self.added.apparent += stat.stx_size;
        }
        self.added.changed += u32::from(changed);
        self.added.newest = self.added.newest.max(modified);
        if let Some(batch) = &mut self.batch {
            if kind == EntryKind::File && !again {
                batch.file(name, &stat, of_image);
            }
            return;
        }
        let leaf = Leaf { again, changed, ..leaf(name, &stat, self.shared.links.home()) };
        put(&mut self.slab, Node::Leaf(leaf));
    }

    /// A folder was met: it is read later, maybe by another thread.
    fn folder_met(&mut self, parent: u32, ground: Option<&Ground>, name: &[u8], stat: &Statx) {
        let alone = if self.shared.purpose.counts_all() { alone(stat) } else { Added::NOTHING };
        self.added.dirs += 1;
        self.added.allocated += alone.allocated;
        self.added.apparent += alone.apparent;
        self.added.newest = self.added.newest.max(alone.newest);
        let Some(id) = self.shared.folders.add(parent, name, &alone, Mark::of(stat)) else {
            self.missing(Errno::NOMEM, true);
            let path = self.shown(name);
            return self.shared.troubles().folder(&path, Errno::NOMEM);
        };
        if let (Some(layer), Some(ground)) = (&self.shared.purpose.layer, ground) {
            layer.met(ground, name, id);
        }
        if self.batch.is_none() {
            put(&mut self.slab, Node::Folder(id));
        }
        self.found.push(id);
    }

    /// Hands over what was seen of a folder: from here on everybody sees it.
    fn hand_over(&mut self, id: u32, folder: &Folder, last: bool) {
        folder.put(&self.slab, last);
        self.slab.clear();
        self.shared.folders.add_up(id, &self.added);
        self.aside.changed += self.added.changed;
        if !self.aside.is_empty() {
            self.shared.set_aside(id, &mut self.aside);
        }
        self.added = Added::NOTHING;
        if !self.found.is_empty() {
            folder.expects(u32::try_from(self.found.len()).unwrap_or(u32::MAX));
            self.own.extend(self.found.drain(..));
        }
        self.shared.changed();
        self.shared.queue.share(&mut self.own);
        let met = std::mem::take(&mut self.met);
        if self.batch.as_mut().is_some_and(|batch| batch.met(met).is_break()) {
            self.shared.queue.stop();
        }
    }

    /// Something else is mounted on an entry, or on the folder itself.
    fn crossed(&mut self) {
        self.aside.mounts += 1;
        self.shared.crossed();
    }

    /// The folder could not be read.
    fn unread(&mut self, reason: Errno) {
        self.missing(reason, true);
        let path = self.shown(b"");
        if reason == Errno::NAMETOOLONG {
            return self.shared.troubles().too_deep(&path);
        }
        self.shared.troubles().folder(&path, reason);
    }

    fn missing(&mut self, reason: Errno, folder: bool) {
        if !vanished(reason) {
            self.added.errors += 1;
            self.aside.unread.push((reason, folder));
        }
    }

    /// An entry of it could not be looked at.
    fn unread_entry(&mut self, name: &CStr, reason: Errno) {
        self.missed += u32::from(vanished(reason));
        self.missing(reason, false);
        let path = self.shown(name.to_bytes());
        self.shared.troubles().file(&path, reason);
    }

    /// The path of the folder that is read, or of an entry of it.
    fn shown(&self, name: &[u8]) -> PathBuf {
        let mut path = self.shared.purpose.shown_at.clone();
        for part in [self.path.as_slice(), name].into_iter().filter(|part| !part.is_empty()) {
            path.push(OsStr::from_bytes(part));
        }
        path
    }
}
