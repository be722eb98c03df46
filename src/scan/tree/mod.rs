//! The walk of a whole tree by several threads, looked at while it grows.
//!
//! Each thread takes a folder, opens it by its path beneath the root's handle, looks at every
//! entry, and packs what it saw into one slab a folder, or tells it to whoever asked. No thread keeps
//! a folder open that it does not read, so neither depth nor width costs handles.

#[cfg(test)]
mod change_tests;
mod folders;
mod links;
mod node;
mod page;
mod purpose;
mod queue;
mod reader;
mod territory;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::{Statx, StatxFlags, statx};
use rustix::io::Errno;

pub(super) use self::purpose::{Met, Tell};

use self::folders::{Added, Folder, Folders};
use self::links::Links;
use self::purpose::Purpose;
use self::queue::Queue;
use self::reader::Reader;
use self::territory::{Itself, Territory, file_in, itself, last_change, one_file};
use super::birth::QUIET;
use super::layer::Layer;
use super::open::Root;
use super::troubles::Troubles;
use super::{Job, Rule};
use crate::core::finding::LayerCount;
use crate::core::spot::Spot;
use crate::port::{FolderId, Follows, Matching, Order, Pace, Page, Progress, Row, Walk};
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
    purpose: Purpose,
    folders: Folders,
    links: Links,
    queue: Queue,
    home: Territory,
    /// When the walk began: seconds since 1970 and nanoseconds.
    began: (i64, u32),
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

    /// Whether an entry was changed after the walk began.
    fn came_after(&self, stat: &Statx) -> bool {
        last_change(stat) > self.began
    }

    /// Whether an open folder was, where it matters: names may have come and gone while it was read.
    fn has_changed(&self, folder: BorrowedFd<'_>) -> bool {
        self.purpose.counts_all()
            && statx(folder, c"", QUIET, StatxFlags::CTIME).is_ok_and(|stat| self.came_after(&stat))
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
            Err(Errno::NOTDIR) => Self::one(&one_file(root)?, Purpose::everything(root)),
            opened => Self::beneath(&opened?, Purpose::everything(root), pace),
        }
    }

    /// Begins to walk an entry beneath a root, following no link below it.
    pub(super) fn at(spot: &Spot, pace: Pace) -> Result<Self, Errno> {
        let root = Root::open(&spot.root)?;
        let purpose = Purpose::everything(&spot.full());
        match root.beneath(&spot.path) {
            Err(Errno::NOTDIR) => {
                let above = root.directory(spot.path.parent().ok_or(Errno::NOTDIR)?)?;
                Self::one(&file_in(&above, spot.name().ok_or(Errno::NOTDIR)?)?, purpose)
            }
            opened => Self::beneath(&opened?, purpose, pace),
        }
    }

    /// Begins to read a place; `tell` hears of its files as they are met. Fails where the root cannot
    /// be opened.
    pub(super) fn of(job: &Job, pace: Pace, tell: Option<Tell>) -> Result<Self, Errno> {
        match Root::open(&job.root) {
            Err(Errno::NOTDIR) if job.rule == Rule::Everything => {
                let stat = one_file(&job.root)?;
                let folder = Root::open(job.root.parent().ok_or(Errno::NOTDIR)?)?;
                Self::one(&stat, Purpose::of(job, &folder, tell))
            }
            opened => {
                let root = opened?;
                let purpose = Purpose::of(job, &root, tell);
                if purpose.is_told() { Self::beneath(&root, purpose, pace) } else { Err(Errno::NODATA) }
            }
        }
    }

    fn one(stat: &Statx, purpose: Purpose) -> Result<Self, Errno> {
        purpose.one(stat);
        let itself = Itself::of(stat);
        let alone = Added { files: 1, ..itself.alone };
        let tree = Self::new(purpose, &Itself { alone, ..itself }, 0)?;
        tree.shared.folders.close(ROOT);
        Ok(tree)
    }

    /// Begins to walk an open folder.
    fn beneath(root: &Root, purpose: Purpose, pace: Pace) -> Result<Self, Errno> {
        let threads = match pace {
            Pace::Full => {
                let cores = thread::available_parallelism().map_or(1, usize::from);
                (cores * 2).clamp(*THREADS.start(), *THREADS.end())
            }
            Pace::Background => FEW,
        };
        let mut itself = itself(root.handle())?;
        if !purpose.counts_all() {
            itself.alone = Added::NOTHING;
        }
        let tree = Self::new(purpose, &itself, threads)?;
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

    fn new(purpose: Purpose, itself: &Itself, threads: usize) -> Result<Self, Errno> {
        let folders = Folders::new();
        let first = folders.add(ROOT, b"", &itself.alone).ok_or(Errno::NOMEM)?;
        let now = Timestamp::now();
        let shared = Arc::new(Shared {
            purpose,
            folders,
            links: Links::new(itself.device),
            queue: Queue::new(threads, first),
            home: itself.home,
            began: (now.as_second(), now.subsec_nanosecond().unsigned_abs()),
            mounts: AtomicU64::new(0),
            troubles: Mutex::default(),
            working: Mutex::new(threads),
            ended: Condvar::new(),
            generation: AtomicU64::new(0),
            as_of: AtomicI64::new(NEVER),
        });
        Ok(Self { shared })
    }

    /// What is worth knowing although nothing is missing.
    pub(super) fn note(&self) -> Option<String> {
        self.shared.troubles().note()
    }

    /// What was counted of a layer.
    pub(super) fn layer(&self) -> Option<LayerCount> {
        self.shared.purpose.layer.as_ref().map(Layer::count)
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

    fn page(&self, folder: FolderId, order: Order, from: usize, limit: usize) -> Page {
        page::page(&self.shared.folders, folder, order, from, limit)
    }

    fn files(&self, matching: &Matching, order: Order, limit: usize) -> Vec<Row> {
        page::files(&self.shared.folders, matching, order, limit)
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
