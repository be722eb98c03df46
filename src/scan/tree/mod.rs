//! The walk of a whole tree by several threads, looked at while it grows.
//!
//! Each thread takes a folder, opens it by its path beneath the root's handle, looks at every
//! entry, and packs what it saw into one slab a folder. No thread keeps a folder open that it does
//! not read, so neither depth nor width costs handles.

mod folders;
mod links;
mod node;
mod page;
mod queue;
mod reader;
mod sums;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::io::Errno;

use self::folders::{Added, Folder, Folders};
use self::links::Links;
use self::queue::Queue;
use self::reader::{Reader, itself, one_file};
use super::open::Root;
use super::troubles::Troubles;
use super::walk::Territory;
use crate::port::{By, FolderId, Follows, Matching, Order, Pace, Page, Progress, Row, Sum, Walk};
use crate::sys::ioprio;

/// More threads than this gain nothing, on no disk.
const THREADS: std::ops::RangeInclusive<usize> = 8..=32;
/// Threads of a walk that gives way.
const FEW: usize = 2;
/// While a walk grows, whoever waits for something new looks this often.
const GROWING: Duration = Duration::from_millis(100);
/// The folder where the walk began.
const ROOT: u32 = 0;
/// No moment yet.
const NEVER: i64 = i64::MIN;

/// A walk and what it has found; dropping it ends it.
#[derive(Debug)]
pub(super) struct Tree {
    shared: Arc<Shared>,
}

/// What the threads of a walk share.
#[derive(Debug)]
struct Shared {
    /// Where the root is, for the paths that could not be read.
    at: PathBuf,
    folders: Folders,
    links: Links,
    queue: Queue,
    home: Territory,
    /// Entries on which something else is mounted.
    mounts: AtomicU64,
    troubles: Mutex<Troubles>,
    /// Threads that still work.
    working: Mutex<usize>,
    ended: Condvar,
    /// Moves with everything that a page may show.
    generation: AtomicU64,
    /// When all was last compared with the disk, in seconds since 1970.
    as_of: AtomicI64,
}

impl Shared {
    /// Something that a page shows has changed.
    fn changed(&self) {
        self.generation.fetch_add(1, Relaxed);
    }

    fn crossed(&self) {
        self.mounts.fetch_add(1, Relaxed);
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread works no more.
    fn gone(&self) {
        let mut working = self.working();
        *working -= 1;
        if *working == 0 && !self.queue.stopped() {
            self.as_of.store(Timestamp::now().as_second(), Relaxed);
        }
        self.changed();
        self.ended.notify_all();
    }

    fn working(&self) -> MutexGuard<'_, usize> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a thread out, also where it panics.
struct Leaving<'w>(&'w Shared);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.queue.stop();
        }
        self.0.gone();
    }
}

impl Tree {
    /// Begins to walk a folder. A single file is a tree without folders, and ended at once.
    pub(super) fn start(root: &Path, pace: Pace) -> Result<Self, Errno> {
        match Root::open(root) {
            Err(Errno::NOTDIR) => {
                let tree = Self::new(root, one_file(root)?, 0)?;
                tree.shared.folders.close(ROOT);
                Ok(tree)
            }
            opened => Self::beneath(root, &opened?, pace),
        }
    }

    /// Begins to walk an open folder.
    fn beneath(at: &Path, root: &Root, pace: Pace) -> Result<Self, Errno> {
        let threads = match pace {
            Pace::Full => {
                let cores = thread::available_parallelism().map_or(1, usize::from);
                (cores * 2).clamp(*THREADS.start(), *THREADS.end())
            }
            Pace::Background => FEW,
        };
        let tree = Self::new(at, itself(root.handle())?, threads)?;
        for number in 0..threads {
            match tree.thread(root.on_its_mount()?, pace) {
                Err(reason) if number == 0 => return Err(reason),
                // Fewer threads get as far, only later.
                Err(_) => {
                    tree.shared.queue.leave();
                    tree.shared.gone();
                }
                Ok(()) => {}
            }
        }
        Ok(tree)
    }

    fn new(
        at: &Path,
        (home, device, alone): (Territory, (u32, u32), Added),
        threads: usize,
    ) -> Result<Self, Errno> {
        let folders = Folders::new();
        let first = folders.add(ROOT, b"", &alone).ok_or(Errno::NOMEM)?;
        let shared = Arc::new(Shared {
            at: at.into(),
            folders,
            links: Links::new(device),
            queue: Queue::new(threads, first),
            home,
            mounts: AtomicU64::new(0),
            troubles: Mutex::default(),
            working: Mutex::new(threads),
            ended: Condvar::new(),
            generation: AtomicU64::new(0),
            as_of: AtomicI64::new(NEVER),
        });
        Ok(Self { shared })
    }

    fn thread(&self, root: Root, pace: Pace) -> Result<(), Errno> {
        let shared = Arc::clone(&self.shared);
        let work = move || {
            let _leaving = Leaving(&shared);
            if pace == Pace::Background {
                // A walk that may not give way is still a walk.
                let _ = ioprio::give_way();
            }
            Reader::new(&shared, root).work();
        };
        thread::Builder::new().name("walk".into()).spawn(work).map_err(|_| Errno::AGAIN)?;
        Ok(())
    }
}

impl Walk for Tree {
    fn progress(&self) -> Progress {
        let finished = *self.shared.working() == 0 && !self.shared.queue.stopped();
        let troubles = self.shared.troubles();
        Progress {
            total: self.shared.folders.get(ROOT).map(Folder::totals).unwrap_or_default(),
            finished,
            gaps: troubles.gaps(),
            unread: troubles.first_few(),
            mounts: self.shared.mounts.load(Relaxed),
            as_of: Timestamp::from_second(self.shared.as_of.load(Relaxed)).ok(),
            follows: Follows::Not,
        }
    }

    fn named(&self, folder: FolderId, words: &str, order: Order, from: usize, limit: usize) -> Page {
        page::page(&self.shared.folders, folder, words, order, from, limit)
    }

    fn files(&self, matching: &Matching, order: Order, limit: usize) -> Vec<Row> {
        page::files(&self.shared.folders, matching, order, limit)
    }

    fn sums(&self, by: By) -> Vec<Sum> {
        sums::sums(&self.shared.folders, by)
    }

    fn find(&self, path: &Path) -> Option<FolderId> {
        page::find(&self.shared.folders, path)
    }

    fn path(&self, folder: FolderId) -> PathBuf {
        let mut path = Vec::new();
        if let Ok(id) = u32::try_from(folder.0) {
            self.shared.folders.path(id, &mut path);
        }
        OsStr::from_bytes(&path).into()
    }

    fn stop(&self) {
        self.shared.queue.stop();
    }

    fn ended(&self, within: Duration) -> bool {
        let working = self.shared.working();
        let waited = self.shared.ended.wait_timeout_while(working, within, |working| *working > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
    }

    fn follow(&self) {}

    fn generation(&self) -> u64 {
        self.shared.generation.load(Relaxed)
    }

    fn moved(&self, from: u64, within: Duration) -> u64 {
        let end = Instant::now() + within;
        let mut working = self.shared.working();
        loop {
            let (now, left) = (self.generation(), end.saturating_duration_since(Instant::now()));
            if now != from || left.is_zero() {
                return now;
            }
            let pause = if *working > 0 { left.min(GROWING) } else { left };
            let waited = self.shared.ended.wait_timeout(working, pause);
            working = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        self.stop();
    }
}
