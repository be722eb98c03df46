//! The table of folders: what each holds so far. It grows while others read it, without a lock.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::port::Totals;

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
}

/// One folder.
#[derive(Debug)]
pub(super) struct Folder {
    place: OnceLock<Place>,
    sums: Sums,
    /// When the folder itself was changed.
    modified: AtomicI64,
    /// Itself while it is read, and the folders in it that may still grow.
    open: AtomicU32,
    entries: Mutex<Vec<u8>>,
}

/// Where a folder is.
#[derive(Debug)]
struct Place {
    parent: u32,
    name: Box<[u8]>,
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
        Self { lines: std::iter::repeat_with(OnceLock::new).take(WIDE).collect(), next: AtomicU32::new(0) }
    }

    /// Adds a folder that holds only itself so far; `None` where the table is full.
    pub(super) fn add(&self, parent: u32, name: &[u8], itself: &Added) -> Option<u32> {
        let id = self.next.fetch_add(1, Relaxed);
        let at = usize::try_from(id).ok()?;
        let line = self.lines.get(at / BLOCK / WIDE)?;
        let line = line.get_or_init(|| std::iter::repeat_with(OnceLock::new).take(WIDE).collect());
        let block = line.get(at / BLOCK % WIDE)?;
        let block = block.get_or_init(|| std::iter::repeat_with(Folder::new).take(BLOCK).collect());
        let folder = block.get(at % BLOCK)?;
        folder.sums.add(itself);
        folder.modified.store(itself.newest, Relaxed);
        // Everybody else sees the folder only from here on.
        folder.place.set(Place { parent, name: name.into() }).ok()?;
        Some(id)
    }

    pub(super) fn get(&self, id: u32) -> Option<&Folder> {
        let at = usize::try_from(id).ok()?;
        let folder =
            self.lines.get(at / BLOCK / WIDE)?.get()?.get(at / BLOCK % WIDE)?.get()?.get(at % BLOCK)?;
        folder.place.get().map(|_| folder)
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
        for place in self.upwards(id).filter_map(|folder| folder.place.get()) {
            // Backwards, and turned round at the end.
            if !path.is_empty() && !place.name.is_empty() {
                path.push(b'/');
            }
            path.extend(place.name.iter().rev());
        }
        path.reverse();
    }

    /// A folder and those above it, the root last.
    fn upwards(&self, id: u32) -> impl Iterator<Item = &Folder> {
        let first = self.get(id).map(|folder| (id, folder));
        let above = |&(id, folder): &(u32, &Folder)| {
            let parent = folder.place.get()?.parent;
            (parent != id).then(|| self.get(parent).map(|folder| (parent, folder)))?
        };
        std::iter::successors(first, above).map(|(_, folder)| folder)
    }
}

impl Folder {
    const fn new() -> Self {
        Self {
            place: OnceLock::new(),
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

    pub(super) fn name(&self) -> &[u8] {
        self.place.get().map_or(&[], |place| &place.name)
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

    /// The packed entries; nobody adds to them meanwhile.
    pub(super) fn entries(&self) -> MutexGuard<'_, Vec<u8>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sums {
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
mod tests {
    use super::*;

    fn of(allocated: u64) -> Added {
        Added { allocated, ..Added::NOTHING }
    }

    #[test]
    fn what_is_added_to_a_folder_is_added_to_all_above_it() {
        let folders = Folders::new();
        let root = folders.add(0, b"", &of(1)).unwrap();
        let a = folders.add(root, b"a", &of(10)).unwrap();
        let b = folders.add(a, b"b", &of(100)).unwrap();
        folders.add_up(a, &of(10));
        folders.add_up(b, &Added { files: 3, newest: 7, ..of(1000) });
        let allocated = [root, a, b].map(|id| folders.get(id).unwrap().totals().allocated);
        assert_eq!(allocated, [1011, 1020, 1100], "the folder itself is added by who met it");
        assert_eq!((folders.get(root).unwrap().newest(), folders.get(root).unwrap().totals().files), (7, 3));
        let mut path = Vec::new();
        folders.path(b, &mut path);
        assert_eq!(path, b"a/b");
        folders.path(root, &mut path);
        assert_eq!(path, b"");
    }

    #[test]
    fn a_folder_is_whole_when_all_beneath_it_is() {
        let folders = Folders::new();
        let root = folders.add(0, b"", &of(0)).unwrap();
        let child = folders.add(root, b"a", &of(0)).unwrap();
        let grows = |id| folders.get(id).unwrap().grows();
        folders.get(root).unwrap().expects(1);
        folders.close(root);
        assert!(grows(root) && grows(child), "the child is still read");
        folders.close(child);
        assert!(!grows(root) && !grows(child));
    }

    #[test]
    fn many_threads_add_folders_at_once() {
        let folders = Folders::new();
        folders.add(0, b"", &of(0)).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4u8 {
                let folders = &folders;
                scope.spawn(move || {
                    for number in 0..2_000u32 {
                        let name = [thread.to_string(), number.to_string()].join("-");
                        let id = folders.add(0, name.as_bytes(), &of(1)).unwrap();
                        folders.add_up(0, &of(1));
                        assert_eq!(folders.get(id).unwrap().name(), name.as_bytes());
                    }
                });
            }
        });
        assert_eq!(folders.count(), 8_001);
        assert_eq!(folders.get(0).unwrap().totals().allocated, 8_000);
        assert!(folders.get(8_001).is_none());
    }
}
