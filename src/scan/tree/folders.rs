//! The table of folders: what each holds so far. It grows while others read it, without a lock; the
//! place of a folder that is gone is given to a later one, under another name outside.

use std::num::NonZeroU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::mark::Mark;
use super::node::{Node, Nodes};
use crate::port::{FolderId, Totals};

/// Folders in a block.
const BLOCK: usize = 1024;
/// Blocks in a row, and rows: 67 million folders.
const WIDE: usize = 256;

type Block = Box<[Folder]>;
type Line = Box<[OnceLock<Block>]>;

/// All folders that were met, by number; the root is 0.
#[derive(Debug)]
pub(super) struct Folders {
    lines: Box<[OnceLock<Line>]>,
    next: AtomicU32,
    /// Places of folders that are gone.
    free: Mutex<Vec<u32>>,
    /// How many there are: mostly none, and then nobody asks for the lock.
    frees: AtomicU32,
}

/// One folder.
#[derive(Debug)]
pub(super) struct Folder {
    /// Odd while somebody has the place; moves when it is given and given back.
    uses: AtomicU32,
    parent: AtomicU32,
    name: Mutex<Box<[u8]>>,
    sums: Sums,
    itself: Itself,
    /// When the folder itself was changed.
    modified: AtomicI64,
    /// Itself while it is read, and the folders in it that may still grow.
    open: AtomicU32,
    entries: Mutex<Vec<u8>>,
}

/// What a folder is known again by, and what it takes by itself.
#[derive(Debug)]
struct Itself {
    inode: AtomicU64,
    stamp: AtomicU64,
    blocks: AtomicU32,
    size: AtomicU32,
}

/// What a folder holds with all beneath, while it grows.
#[derive(Debug)]
struct Sums {
    allocated: AtomicU64,
    apparent: AtomicU64,
    files: AtomicU64,
    dirs: AtomicU32,
    errors: AtomicU32,
    changed: AtomicU32,
    newest: AtomicI64,
}

/// What one look added to a folder.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) allocated: u64,
    pub(super) apparent: u64,
    pub(super) files: u64,
    pub(super) dirs: u32,
    pub(super) errors: u32,
    /// Entries that changed while the walk went on.
    pub(super) changed: u32,
    /// The newest change, in seconds since 1970.
    pub(super) newest: i64,
}

impl Added {
    pub(super) const NOTHING: Self =
        Self { allocated: 0, apparent: 0, files: 0, dirs: 0, errors: 0, changed: 0, newest: i64::MIN };
}

impl Folders {
    pub(super) fn new() -> Self {
        Self {
            lines: std::iter::repeat_with(OnceLock::new).take(WIDE).collect(),
            next: AtomicU32::new(0),
            free: Mutex::default(),
            frees: AtomicU32::new(0),
        }
    }

    /// Adds a folder that holds only itself so far; `None` where the table is full.
    pub(super) fn add(&self, parent: u32, name: &[u8], itself: &Added, mark: Mark) -> Option<u32> {
        let id = self.vacant().unwrap_or_else(|| self.next.fetch_add(1, Relaxed));
        let at = usize::try_from(id).ok()?;
        let line = self.lines.get(at / BLOCK / WIDE)?;
        let line = line.get_or_init(|| std::iter::repeat_with(OnceLock::new).take(WIDE).collect());
        let block = line.get(at / BLOCK % WIDE)?;
        let block = block.get_or_init(|| std::iter::repeat_with(Folder::new).take(BLOCK).collect());
        let folder = block.get(at % BLOCK)?;
        folder.sums.add(itself);
        folder.is_now(itself, mark);
        folder.parent.store(parent, Relaxed);
        *folder.name() = name.into();
        folder.open.store(1, Relaxed);
        // Everybody else sees the folder only from here on.
        folder.uses.fetch_add(1, Release);
        Some(id)
    }

    /// A place that a folder gave back.
    fn vacant(&self) -> Option<u32> {
        if self.frees.load(Relaxed) == 0 {
            return None;
        }
        let vacant = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        self.frees.fetch_sub(1, Relaxed);
        Some(vacant)
    }

    /// A folder is gone; those above it know that already. Nobody else may add, read or end folders
    /// meanwhile, though they may be looked at.
    pub(super) fn end(&self, id: u32) {
        let Some(folder) = self.get(id) else { return };
        folder.uses.fetch_add(1, Release);
        *folder.entries() = Vec::new();
        *folder.name() = Box::default();
        folder.sums.clear();
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(id);
        self.frees.fetch_add(1, Relaxed);
    }

    /// What a folder is called outside.
    pub(super) fn outside(&self, id: u32) -> FolderId {
        let uses = self.get(id).map_or(0, |folder| folder.uses.load(Relaxed) >> 1);
        FolderId(u64::from(uses) << 32 | u64::from(id))
    }

    /// The folder that is called so outside, while it is there.
    pub(super) fn inside(&self, id: FolderId) -> Option<u32> {
        let at = u32::try_from(id.0 & u64::from(u32::MAX)).ok()?;
        (self.get(at).is_some() && self.outside(at) == id).then_some(at)
    }

    /// How many folders there are, the root among them.
    pub(super) fn living(&self) -> u32 {
        self.count().saturating_sub(self.frees.load(Relaxed))
    }

    pub(super) fn get(&self, id: u32) -> Option<&Folder> {
        let at = usize::try_from(id).ok()?;
        let folder =
            self.lines.get(at / BLOCK / WIDE)?.get()?.get(at / BLOCK % WIDE)?.get()?.get(at % BLOCK)?;
        (folder.uses.load(Acquire) & 1 == 1).then_some(folder)
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        self.next.load(Relaxed)
    }

    /// Adds to a folder and to all above it.
    pub(super) fn add_up(&self, id: u32, added: &Added) {
        for folder in self.upwards(id) {
            folder.sums.add(added);
        }
    }

    /// Takes away from a folder and from all above it.
    pub(super) fn take_up(&self, id: u32, gone: &Added) {
        for folder in self.upwards(id) {
            folder.sums.take(gone);
        }
    }

    /// Something beneath a folder may be older than it was: finds the newest change again, there and
    /// above, as far as that matters.
    pub(super) fn renew(&self, id: u32) {
        for folder in self.upwards(id) {
            let newest = |node: Node<'_>| match node {
                Node::Folder(id) => self.get(id).map_or(i64::MIN, Folder::newest),
                Node::Leaf(leaf) => leaf.modified,
            };
            let beneath = Nodes::from(&folder.entries(), 0).map(|(_, node)| newest(node)).max();
            let now = folder.modified.load(Relaxed).max(beneath.unwrap_or(i64::MIN));
            if folder.sums.newest.swap(now, Relaxed) == now {
                break;
            }
        }
    }

    /// So many folders more are to be read in one that was whole, or not.
    pub(super) fn reopen(&self, id: u32, folders: u32) {
        let mut more = folders;
        for folder in self.upwards(id) {
            if more == 0 || folder.open.fetch_add(more, Relaxed) > 0 {
                break;
            }
            more = 1;
        }
    }

    /// A folder was read to its end: it and those above it may be whole now.
    pub(super) fn close(&self, id: u32) {
        for folder in self.upwards(id) {
            if folder.open.fetch_sub(1, AcqRel) != 1 {
                break;
            }
            folder.fit();
        }
    }

    /// The path of a folder beneath the root, written over `path`.
    pub(super) fn path(&self, id: u32, path: &mut Vec<u8>) {
        path.clear();
        for folder in self.upwards(id) {
            let name = folder.name();
            // Backwards, and turned round at the end.
            if !path.is_empty() && !name.is_empty() {
                path.push(b'/');
            }
            path.extend(name.iter().rev());
        }
        path.reverse();
    }

    /// A folder and those above it, the root last.
    fn upwards(&self, id: u32) -> impl Iterator<Item = &Folder> {
        let first = self.get(id).map(|folder| (id, folder));
        let above = |&(id, folder): &(u32, &Folder)| {
            let parent = folder.parent.load(Relaxed);
            (parent != id).then(|| self.get(parent).map(|folder| (parent, folder)))?
        };
        std::iter::successors(first, above).map(|(_, folder)| folder)
    }
}

impl Folder {
    fn new() -> Self {
        Self {
            uses: AtomicU32::new(0),
            parent: AtomicU32::new(0),
            name: Mutex::new(Vec::new().into_boxed_slice()),
            itself: Itself {
                inode: AtomicU64::new(0),
                stamp: AtomicU64::new(0),
                blocks: AtomicU32::new(0),
                size: AtomicU32::new(0),
            },
            sums: Sums {
                allocated: AtomicU64::new(0),
                apparent: AtomicU64::new(0),
                files: AtomicU64::new(0),
                dirs: AtomicU32::new(0),
                errors: AtomicU32::new(0),
                changed: AtomicU32::new(0),
                newest: AtomicI64::new(i64::MIN),
            },
            modified: AtomicI64::new(0),
            open: AtomicU32::new(1),
            entries: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn name(&self) -> MutexGuard<'_, Box<[u8]>> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn parent(&self) -> u32 {
        self.parent.load(Relaxed)
    }

    /// Adds to this folder alone.
    pub(super) fn add(&self, added: &Added) {
        self.sums.add(added);
    }

    /// Nothing in it is still to be read.
    pub(super) fn is_whole(&self) {
        self.open.store(0, Relaxed);
    }

    /// What it is known again by.
    pub(super) fn mark(&self) -> Mark {
        let stamp = NonZeroU64::new(self.itself.stamp.load(Relaxed));
        Mark { inode: self.itself.inode.load(Relaxed), stamp }
    }

    /// What it takes by itself, and what it is known again by, from now on.
    pub(super) fn is_now(&self, itself: &Added, mark: Mark) {
        let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        self.itself.blocks.store(small(itself.allocated / 512), Relaxed);
        self.itself.size.store(small(itself.apparent), Relaxed);
        self.itself.inode.store(mark.inode, Relaxed);
        self.itself.stamp.store(mark.stamp.map_or(0, NonZeroU64::get), Relaxed);
        self.modified.store(itself.newest, Relaxed);
    }

    /// What it takes by itself.
    pub(super) fn alone(&self) -> Added {
        Added {
            allocated: u64::from(self.itself.blocks.load(Relaxed)) * 512,
            apparent: self.itself.size.load(Relaxed).into(),
            newest: self.modified.load(Relaxed),
            ..Added::NOTHING
        }
    }

    /// All it holds, as it was added to those above.
    pub(super) fn held(&self) -> Added {
        let sums = &self.sums;
        Added {
            allocated: sums.allocated.load(Relaxed),
            apparent: sums.apparent.load(Relaxed),
            files: sums.files.load(Relaxed),
            dirs: sums.dirs.load(Relaxed),
            errors: sums.errors.load(Relaxed),
            changed: sums.changed.load(Relaxed),
            newest: sums.newest.load(Relaxed),
        }
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            allocated: self.sums.allocated.load(Relaxed),
            apparent: self.sums.apparent.load(Relaxed),
            files: self.sums.files.load(Relaxed),
            dirs: self.sums.dirs.load(Relaxed).into(),
            errors: self.sums.errors.load(Relaxed).into(),
            changed: self.sums.changed.load(Relaxed).into(),
        }
    }

    /// The newest change beneath, in seconds since 1970.
    pub(super) fn newest(&self) -> i64 {
        self.sums.newest.load(Relaxed)
    }

    /// Whether it may still grow.
    pub(super) fn grows(&self) -> bool {
        self.open.load(Acquire) > 0
    }

    /// So many folders in it are still to be read.
    pub(super) fn expects(&self, folders: u32) {
        self.open.fetch_add(folders, Relaxed);
    }

    /// Adds packed entries; the last ones give back what was reserved for more.
    pub(super) fn put(&self, more: &[u8], last: bool) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if last {
            entries.reserve_exact(more.len());
        }
        entries.extend_from_slice(more);
        if last {
            entries.shrink_to_fit();
        }
    }

    /// Gives back what parts of a large folder reserved for more.
    fn fit(&self) {
        let mut entries = self.entries();
        if entries.capacity() > entries.len() {
            entries.shrink_to_fit();
        }
    }

    /// Puts other packed entries in the place of those there.
    pub(super) fn set(&self, mut entries: Vec<u8>) {
        entries.shrink_to_fit();
        *self.entries() = entries;
    }

    /// The packed entries; nobody adds to them meanwhile.
    pub(super) fn entries(&self) -> MutexGuard<'_, Vec<u8>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
    fn take(&self, gone: &Added) {
        self.allocated.fetch_sub(gone.allocated, Relaxed);
        self.apparent.fetch_sub(gone.apparent, Relaxed);
        self.files.fetch_sub(gone.files, Relaxed);
        self.dirs.fetch_sub(gone.dirs, Relaxed);
        self.errors.fetch_sub(gone.errors, Relaxed);
        self.changed.fetch_sub(gone.changed, Relaxed);
    }

    fn clear(&self) {
        for sum in [&self.allocated, &self.apparent, &self.files] {
            sum.store(0, Relaxed);
        }
        for sum in [&self.dirs, &self.errors, &self.changed] {
            sum.store(0, Relaxed);
        }
        self.newest.store(i64::MIN, Relaxed);
    }

    fn add(&self, added: &Added) {
        let count = |sum: &AtomicU32, more: u32| {
            if more != 0 {
                sum.fetch_add(more, Relaxed);
            }
        };
        self.allocated.fetch_add(added.allocated, Relaxed);
        self.apparent.fetch_add(added.apparent, Relaxed);
        self.files.fetch_add(added.files, Relaxed);
        count(&self.dirs, added.dirs);
        count(&self.errors, added.errors);
        count(&self.changed, added.changed);
        if added.newest > self.newest.load(Relaxed) {
            self.newest.fetch_max(added.newest, Relaxed);
        }
    }
}

#[cfg(test)]
#[path = "folders_tests.rs"]
mod tests;
