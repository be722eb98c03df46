//! The walk of a whole tree by several threads, looked at while it grows.
//!
//! Each thread takes a folder, opens it by its path beneath the root's handle, looks at every
//! entry, and packs what it saw into one slab a folder, or tells it to whoever asked. No thread keeps
//! a folder open that it does not read, so neither depth nor width costs handles.

mod aside;
#[cfg(test)]
mod change_tests;
mod folders;
mod follow;
mod links;
mod mark;
mod node;
mod page;
mod purpose;
mod queue;
mod reader;
mod record;
mod refresh;
#[cfg(test)]
mod refresh_tests;
mod settle;
mod sums;
mod sweep;
mod territory;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::HashMap;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use rustix::fs::{Statx, StatxFlags, statx};
use rustix::io::Errno;

pub(super) use self::purpose::{Met, Tell};
pub(super) use self::record::{Found, When};

use self::aside::Aside;
use self::folders::{Added, Folders};
use self::follow::Bell;
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
use crate::port::{Follows, Pace};
use crate::sys::ioprio;

/// More threads than this gain nothing, on no disk.
const THREADS: std::ops::RangeInclusive<usize> = 8..=32;
/// Threads of a walk that gives way.
const FEW: usize = 2;
/// The folder where the walk began.
const ROOT: u32 = 0;
/// No moment yet.
const NEVER: i64 = i64::MIN;

/// A walk and what it has found; dropping it ends it.
#[derive(Debug)]
pub(super) struct Tree {
    shared: Arc<Shared>,
    /// Kept for whoever follows; a single file has none.
    root: Option<Root>,
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
    /// Folders of which something is missing.
    asides: Mutex<HashMap<u32, Aside>>,
    /// Threads that still work.
    working: Mutex<usize>,
    ended: Condvar,
    /// Moves with everything that a page may show.
    generation: AtomicU64,
    /// When all was last compared with the disk, in seconds since 1970.
    as_of: AtomicI64,
    /// When every file was last looked at, in seconds since 1970.
    read: AtomicI64,
    /// Whether what works reads everything.
    reading: AtomicBool,
    /// Whether it was read to its end.
    whole: AtomicBool,
    /// Held while it is read again.
    refreshing: Mutex<()>,
    /// Wakes whoever follows.
    bell: Arc<Bell>,
    follows: Mutex<Option<Follows>>,
}

impl Shared {
    /// Something that a page shows has changed.
    fn changed(&self) {
        self.generation.fetch_add(1, Relaxed);
    }

    /// The same, for whoever waits for it.
    fn tell(&self) {
        self.changed();
        drop(self.working());
        self.ended.notify_all();
    }

    /// Where the root is, for the paths that could not be read.
    fn shown_at(&self) -> &Path {
        &self.purpose.shown_at
    }

    fn asides(&self) -> MutexGuard<'_, HashMap<u32, Aside>> {
        self.asides.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something more is missing of a folder.
    fn set_aside(&self, id: u32, aside: &mut Aside) {
        self.asides().entry(id).or_default().append(aside);
    }

    /// So many entries of a folder are certain by now.
    fn settled(&self, id: u32, entries: u32) {
        if let Some(aside) = self.asides().get_mut(&id) {
            aside.changed = aside.changed.saturating_sub(entries);
        }
    }

    /// Of one folder so many entries are other mounts, where so many were.
    fn moved_mounts(&self, were: u32, are: u32) {
        self.mounts.fetch_add(are.into(), Relaxed);
        self.mounts.fetch_sub(were.into(), Relaxed);
    }

    /// All was compared with the disk.
    fn is_as_of_now(&self) {
        self.as_of.store(Timestamp::now().as_second(), Relaxed);
    }

    /// While this is held nothing is read again.
    fn refreshing(&self) -> MutexGuard<'_, ()> {
        self.refreshing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the first walk has ended, or was stopped.
    fn wait_for_the_walk(&self) {
        let waited = self.ended.wait_while(self.working(), |working| *working > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Does nothing for a while, unless it is stopped.
    fn rest(&self, pause: Duration) {
        let stopped = |_: &mut usize| !self.queue.stopped();
        let waited = self.ended.wait_timeout_while(self.working(), pause, stopped);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// How it is kept up with the disk from now on.
    fn follows(&self, how: Follows) {
        *self.follows.lock().unwrap_or_else(PoisonError::into_inner) = Some(how);
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
            self.is_as_of_now();
            self.whole.store(true, Relaxed);
            if self.reading.swap(false, Relaxed) {
                self.read.store(self.as_of.load(Relaxed), Relaxed);
            }
        }
        self.changed();
        self.ended.notify_all();
    }

    fn working(&self) -> MutexGuard<'_, usize> {
        self.working.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many threads work at a pace.
fn threads(pace: Pace) -> usize {
    match pace {
        Pace::Full => {
            let cores = thread::available_parallelism().map_or(1, usize::from);
            (cores * 2).clamp(*THREADS.start(), *THREADS.end())
        }
        Pace::Background => FEW,
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
        let threads = threads(pace);
        let mut itself = itself(root.handle())?;
        if !purpose.counts_all() {
            itself.alone = Added::NOTHING;
        }
        let mut tree = Self::new(purpose, &itself, threads)?;
        tree.root = Some(root.on_its_mount()?);
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
        let first = folders.add(ROOT, b"", &itself.alone, itself.mark).ok_or(Errno::NOMEM)?;
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
            asides: Mutex::default(),
            working: Mutex::new(threads),
            ended: Condvar::new(),
            generation: AtomicU64::new(0),
            as_of: AtomicI64::new(NEVER),
            read: AtomicI64::new(NEVER),
            reading: AtomicBool::new(threads > 0),
            whole: AtomicBool::new(false),
            refreshing: Mutex::default(),
            bell: Arc::default(),
            follows: Mutex::default(),
        });
        Ok(Self { shared, root: None })
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
            // A walk that may not give way is still a walk.
            let _ = match pace {
                Pace::Background => ioprio::give_way(),
                Pace::Full => ioprio::let_answers_first(),
            };
            Reader::new(&shared, root).work();
        };
        thread::Builder::new().name("walk".into()).spawn(work).map_err(|_| Errno::AGAIN)?;
        Ok(())
    }
}
