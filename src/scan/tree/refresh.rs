//! Reads again what changed: one thread, one folder after the other, of a tree whose walk has ended.
//!
//! What a folder held is compared with what it holds now, and the difference goes up. Folders that
//! stay keep their number; those that went take all beneath them out; new ones are read whole. Files
//! with several names stay counted once, under whichever name is left.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{RawDir, Statx, statx};
use rustix::io::Errno;

use super::aside::Aside;
use super::folders::{Added, Folder};
use super::links::Device;
use super::mark::{Mark, kind, leaf};
use super::node::{Leaf, Node, Nodes, link, put};
use super::territory::{BY_NAME, Territory, alone, itself};
use super::{ROOT, Shared};
use crate::port::EntryKind;
use crate::scan::birth::{FIELDS, QUIET};
use crate::scan::live::Watch;
use crate::scan::open::Root;
use crate::scan::troubles::vanished;

/// Bytes of entries asked for at a time.
const BUFFER: usize = 64 * 1024;
/// Files with several names are settled so often in one pass: one round may lead to the next.
const ROUNDS: usize = 3;

/// A file with several names.
pub(super) type File = (Device, u64);

/// Reads again what changed.
pub(super) struct Refresher<'t> {
    pub(super) shared: &'t Shared,
    pub(super) root: &'t Root,
    watch: Option<&'t Watch>,
    path: Vec<u8>,
    buffer: Vec<MaybeUninit<u8>>,
    /// Folders to read, and whether for the first time.
    todo: VecDeque<(u32, bool)>,
    /// Folders whose own parents were asked about them in this pass.
    asked: HashSet<u32>,
    /// Files whose counted name is gone while others are left.
    pub(super) orphans: BTreeSet<File>,
    /// Files that were met under a new name, and how many they have.
    pub(super) newcomers: BTreeMap<File, u32>,
    /// Files that have another size under a name that is not the counted one.
    pub(super) resized: BTreeSet<File>,
    changed: bool,
}

/// A folder as it is now.
#[derive(Default)]
struct Now {
    slab: Vec<u8>,
    came: Option<Added>,
    /// Where files with several names are in the slab, and how many they have.
    links: Vec<(usize, u32)>,
    fresh: Vec<u32>,
    aside: Aside,
    /// The newest change beneath folders that stay.
    newest: Option<i64>,
}

/// A file with several names, as it was: which, whether counted under another one, and its size.
type Linked = (File, bool, (u64, u64));

/// A folder as it was.
struct Before {
    slab: Vec<u8>,
    folders: HashMap<Box<[u8]>, u32>,
    /// Files with several names.
    linked: HashMap<Box<[u8]>, Linked>,
    gone: Added,
}

impl<'t> Refresher<'t> {
    pub(super) fn new(shared: &'t Shared, root: &'t Root, watch: Option<&'t Watch>) -> Self {
        Self {
            shared,
            root,
            watch,
            path: Vec::new(),
            buffer: vec![MaybeUninit::uninit(); BUFFER],
            todo: VecDeque::new(),
            asked: HashSet::new(),
            orphans: BTreeSet::new(),
            newcomers: BTreeMap::new(),
            resized: BTreeSet::new(),
            changed: false,
        }
    }

    /// Reads these folders again, and whatever that leads to. Whether anything is different.
    pub(super) fn pass(&mut self, dirty: impl IntoIterator<Item = u32>) -> bool {
        let _alone = self.shared.refreshing();
        self.changed = false;
        self.asked.clear();
        self.todo.extend(dirty.into_iter().map(|id| (id, false)));
        for _ in 0..ROUNDS {
            while let Some((id, fresh)) = self.todo.pop_front() {
                if self.shared.queue.stopped() {
                    return self.changed;
                }
                self.read(id, fresh);
            }
            self.settle();
            if self.todo.is_empty() {
                break;
            }
        }
        if self.changed {
            self.shared.tell();
        }
        self.changed
    }

    /// Reads a folder again in this pass.
    pub(super) fn again(&mut self, id: u32) {
        self.todo.push_back((id, false));
    }

    fn read(&mut self, id: u32, fresh: bool) {
        let shared = self.shared;
        let Some(folder) = shared.folders.get(id) else { return };
        shared.folders.path(id, &mut self.path);
        let mut now = Now::default();
        let looked = match self.open() {
            Ok(Some(handle)) => {
                if fresh && let Some(watch) = self.watch {
                    // First, so that nothing happens between this and the reading.
                    let _ = watch.know(handle.as_fd(), c"", id);
                }
                statx(&handle, c"", QUIET, FIELDS).map(|stat| Some((handle, stat)))
            }
            Ok(None) => Ok(None),
            Err(reason) => Err(reason),
        };
        let (own, mark, before) = match looked {
            Ok(Some((handle, stat))) => {
                let before = self.before(id, folder);
                let before = self.entries(id, &handle, before, &mut now);
                (alone(&stat), Mark::of(&stat), before)
            }
            // It is another's now: those above say what is there.
            Ok(None) => return self.ask_above(id, folder, fresh),
            Err(reason) if vanished(reason) => return self.ask_above(id, folder, fresh),
            Err(reason) => {
                self.unread(&mut now, b"", reason, true);
                (folder.alone(), Mark { stamp: None, ..folder.mark() }, self.before(id, folder))
            }
        };
        if shared.queue.stopped() {
            // It was not read to its end; nothing follows from that.
            return;
        }
        self.replace(id, folder, now, before, &(own, mark));
        if fresh {
            shared.folders.close(id);
        }
    }

    /// `None` where it lies on another mount.
    fn open(&self) -> Result<Option<OwnedFd>, Errno> {
        let handle = match self.root.directory(Path::new(OsStr::from_bytes(&self.path))) {
            Err(Errno::XDEV) => return Ok(None),
            opened => opened?,
        };
        // Where the kernel takes one name after the other it does not watch the mounts.
        let watched = !self.root.by_component() || itself(&handle)?.home == self.shared.home;
        Ok(watched.then_some(handle))
    }

    /// A folder is not there any more, or not ours: the one above is read, once.
    fn ask_above(&mut self, id: u32, folder: &Folder, fresh: bool) {
        if fresh {
            self.shared.folders.close(id);
        }
        if id != ROOT && self.asked.insert(id) {
            self.todo.push_back((folder.parent(), false));
        }
    }

    fn before(&self, id: u32, folder: &Folder) -> Before {
        let slab = folder.entries().clone();
        let mut before =
            Before { slab: Vec::new(), folders: HashMap::new(), linked: HashMap::new(), gone: folder.alone() };
        for (_, node) in Nodes::from(&slab, 0) {
            match node {
                Node::Folder(inner) => {
                    if let Some(inner_folder) = self.shared.folders.get(inner) {
                        before.folders.insert(inner_folder.name().clone(), inner);
                    }
                }
                Node::Leaf(leaf) => {
                    if !leaf.again {
                        add(&mut before.gone, &leaf);
                    }
                    if leaf.linked {
                        let size = (leaf.blocks, leaf.apparent);
                        before.linked.insert(leaf.name.into(), (self.file(&leaf), leaf.again, size));
                    }
                }
            }
        }
        let asides = self.shared.asides();
        if let Some(aside) = asides.get(&id) {
            before.gone.errors = u32::try_from(aside.unread.len()).unwrap_or(u32::MAX);
            before.gone.changed = aside.changed;
        }
        before.slab = slab;
        before
    }

    fn file(&self, leaf: &Leaf<'_>) -> File {
        (leaf.device.unwrap_or(self.shared.links.home()), leaf.inode)
    }

    /// Reads the entries; what is left of the folders before is gone.
    fn entries(&mut self, id: u32, handle: &OwnedFd, mut before: Before, now: &mut Now) -> Before {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut entries = RawDir::new(handle, &mut buffer);
        while let Some(entry) = entries.next() {
            match entry {
                Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => {}
                Ok(entry) => self.entry(id, handle.as_fd(), entry.file_name(), &mut before, now),
                Err(reason) => {
                    self.unread(now, b"", reason, true);
                    break;
                }
            }
            if self.shared.queue.stopped() {
                break;
            }
        }
        self.buffer = buffer;
        before
    }

    fn entry(&mut self, id: u32, handle: BorrowedFd<'_>, name: &CStr, before: &mut Before, now: &mut Now) {
        let stat = match statx(handle, name, BY_NAME, FIELDS) {
            Ok(stat) => stat,
            Err(reason) => return self.unread(now, name.to_bytes(), reason, false),
        };
        if Territory::of(&stat) != self.shared.home {
            now.aside.mounts += 1;
            return;
        }
        let name = name.to_bytes();
        if kind(&stat) == EntryKind::Folder {
            return self.folder(id, name, &stat, before, now);
        }
        let leaf = leaf(name, &stat, self.shared.links.home());
        if leaf.linked {
            now.links.push((now.slab.len(), stat.stx_nlink));
        } else {
            add(now.came.get_or_insert(Added::NOTHING), &leaf);
        }
        put(&mut now.slab, Node::Leaf(leaf));
    }

    fn folder(&mut self, id: u32, name: &[u8], stat: &Statx, before: &mut Before, now: &mut Now) {
        let shared = self.shared;
        let known = before.folders.get(name).copied();
        let known = known.and_then(|inner| Some((inner, shared.folders.get(inner)?)));
        if let Some((inner, folder)) = known.filter(|(_, folder)| folder.mark().inode == stat.stx_ino) {
            before.folders.remove(name);
            put(&mut now.slab, Node::Folder(inner));
            now.newest = now.newest.max(Some(folder.newest()));
            if folder.mark() != Mark::of(stat) {
                self.todo.push_back((inner, false));
            }
            return;
        }
        let own = alone(stat);
        // Its mark comes with its first reading.
        let mark = Mark { inode: stat.stx_ino, stamp: None };
        let Some(inner) = shared.folders.add(id, name, &own, mark) else {
            return self.unread(now, name, Errno::NOMEM, true);
        };
        let came = now.came.get_or_insert(Added::NOTHING);
        came.dirs += 1;
        came.allocated += own.allocated;
        came.apparent += own.apparent;
        came.newest = came.newest.max(own.newest);
        put(&mut now.slab, Node::Folder(inner));
        now.fresh.push(inner);
    }

    fn unread(&self, now: &mut Now, name: &[u8], reason: Errno, folder: bool) {
        let mut path: PathBuf = self.shared.shown_at().into();
        for part in [self.path.as_slice(), name].into_iter().filter(|part| !part.is_empty()) {
            path.push(OsStr::from_bytes(part));
        }
        let mut troubles = self.shared.troubles();
        if folder {
            troubles.folder(&path, reason);
        } else {
            troubles.file(&path, reason);
        }
        if !vanished(reason) {
            now.aside.unread.push((reason, folder));
        }
    }

    /// Puts a folder as it is now in the place of what it was.
    fn replace(&mut self, id: u32, folder: &Folder, mut now: Now, mut before: Before, own: &(Added, Mark)) {
        let shared = self.shared;
        let mut came = now.came.take().unwrap_or(Added::NOTHING);
        self.names(&mut now, &mut before, &mut came);
        for inner in before.folders.values().filter_map(|inner| shared.folders.get(*inner)) {
            let (held, gone) = (inner.held(), &mut before.gone);
            // Numbers that were kept on a disk may be any.
            gone.allocated = gone.allocated.wrapping_add(held.allocated);
            gone.apparent = gone.apparent.wrapping_add(held.apparent);
            gone.files = gone.files.wrapping_add(held.files);
            gone.dirs = gone.dirs.wrapping_add(held.dirs).wrapping_add(1);
            gone.errors = gone.errors.wrapping_add(held.errors);
            gone.changed = gone.changed.wrapping_add(held.changed);
        }
        came.allocated += own.0.allocated;
        came.apparent += own.0.apparent;
        came.newest = came.newest.max(own.0.newest).max(now.newest.unwrap_or(i64::MIN));
        came.errors = u32::try_from(now.aside.unread.len()).unwrap_or(u32::MAX);
        let was = folder.newest();
        self.changed |= now.slab != before.slab
            || (came.allocated, came.errors, came.newest) != (before.gone.allocated, before.gone.errors, was)
            || before.gone.changed > 0;
        folder.is_now(&own.0, own.1);
        shared.folders.reopen(id, u32::try_from(now.fresh.len()).unwrap_or(u32::MAX));
        folder.set(now.slab);
        self.set_aside(id, now.aside);
        shared.folders.add_up(id, &came);
        shared.folders.take_up(id, &before.gone);
        if came.newest < was {
            shared.folders.renew(id);
        }
        for inner in before.folders.into_values() {
            self.end(inner);
        }
        self.todo.extend(now.fresh.into_iter().map(|inner| (inner, true)));
    }

    /// Under which names files with several are counted.
    fn names(&mut self, now: &mut Now, before: &mut Before, came: &mut Added) {
        let mut new = Vec::new();
        for (at, names) in std::mem::take(&mut now.links) {
            let Some((_, Node::Leaf(leaf))) = Nodes::from(&now.slab, at).next() else { continue };
            let file = self.file(&leaf);
            match before.linked.get(leaf.name) {
                Some(&(known, again, size)) if known == file => {
                    if again && size != (leaf.blocks, leaf.apparent) {
                        self.resized.insert(file);
                    }
                    if !again {
                        add(came, &leaf);
                    }
                    before.linked.remove(leaf.name);
                    link(&mut now.slab, at, again);
                }
                _ => new.push((at, names, file)),
            }
        }
        for (file, again, _) in before.linked.drain().map(|(_, known)| known) {
            self.forget(file, again);
        }
        for (at, names, file) in new {
            let counted = self.shared.links.first(file.0, file.1) || self.orphans.remove(&file);
            if counted && let Some((_, Node::Leaf(leaf))) = Nodes::from(&now.slab, at).next() {
                add(came, &leaf);
            }
            link(&mut now.slab, at, !counted);
            self.newcomers.insert(file, names);
        }
    }

    /// A name of a file is gone.
    fn forget(&mut self, file: File, again: bool) {
        if self.shared.links.forget(file.0, file.1) == 0 {
            self.orphans.remove(&file);
        } else if !again {
            self.orphans.insert(file);
        }
    }

    /// A folder is gone with all beneath it; those above know that already.
    fn end(&mut self, id: u32) {
        let mut gone = vec![id];
        while let Some(id) = gone.pop() {
            let Some(folder) = self.shared.folders.get(id) else { continue };
            let slab = std::mem::take(&mut *folder.entries());
            for (_, node) in Nodes::from(&slab, 0) {
                match node {
                    Node::Folder(inner) => gone.push(inner),
                    Node::Leaf(leaf) if leaf.linked => {
                        let file = self.file(&leaf);
                        self.forget(file, leaf.again);
                    }
                    Node::Leaf(_) => {}
                }
            }
            self.set_aside(id, Aside::default());
            self.shared.folders.end(id);
        }
    }

    /// Keeps what stood in the way of a folder in mind, in place of what did before.
    fn set_aside(&self, id: u32, aside: Aside) {
        let mut asides = self.shared.asides();
        let mounts = aside.mounts;
        let old = if aside.is_empty() { asides.remove(&id) } else { asides.insert(id, aside) };
        drop(asides);
        let old = old.unwrap_or_default();
        self.shared.moved_mounts(old.mounts, mounts);
        let mut troubles = self.shared.troubles();
        for (reason, folder) in old.unread {
            troubles.forget(reason, folder);
        }
    }
}

/// Counts an entry.
pub(super) fn add(sum: &mut Added, leaf: &Leaf<'_>) {
    sum.files += 1;
    // Numbers that were kept on a disk may be any.
    sum.allocated = sum.allocated.saturating_add(leaf.allocated());
    sum.apparent = sum.apparent.saturating_add(leaf.apparent);
    sum.newest = sum.newest.max(leaf.modified);
}
