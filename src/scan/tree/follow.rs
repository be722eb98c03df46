//! Keeps a tree up with the disk: one thread that sleeps until the kernel tells of a change, or until
//! it is time to look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::refresh::Refresher;
use super::sweep::sweep;
use super::{FEW, Shared};
use crate::port::Follows;
use crate::scan::live::{Heard, Watch, writers};
use crate::scan::open::Root;
use crate::sys::ioprio;

/// How soon a tree that the kernel does not tell about is looked at again,
const SOON: Duration = Duration::from_secs(5);
/// and how late while nothing changes.
const LATE: Duration = Duration::from_mins(5);
/// A look at all folders takes at most this part of the time,
const SWEEPS: u32 = 50;
/// reading again what changed this one,
const READS: u32 = 10;
/// and looking who writes to what this one.
const WRITERS: u32 = 400;
/// Files that are written to are looked at this often.
const GROWING: Duration = Duration::from_secs(2);
/// Looks at a file that does not grow, before it is left alone.
const PATIENCE: u32 = 30;
/// Files that are looked at because they may grow, at most.
const MOST: usize = 256;
/// The last written and the largest files that are looked at where nobody tells.
const LIKELY: usize = 32;
/// Every file is looked at again, little by little: so long at a time.
const SLICE: Duration = Duration::from_millis(5);

/// Wakes the thread that follows.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
    }

    /// Waits until it is rung, so long at most.
    fn wait(&self, within: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(rung, within, |rung| !*rung);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

/// When what is due.
struct Due {
    growing: Instant,
    slice: Instant,
    writers: Instant,
    sweep: Instant,
    slice_pause: Duration,
    writers_pause: Duration,
    sweep_pause: Duration,
}

/// Files that may grow: looks since they last did.
type Growing = BTreeMap<(u32, Box<[u8]>), u32>;

/// Follows until the walk is stopped.
pub(super) fn follow(shared: &Arc<Shared>, root: &Root) {
    // Being polite is a favour; a kernel that refuses it must not stop the work.
    let _ = ioprio::give_way();
    let bell = Arc::clone(&shared.bell);
    let watch = Watch::new(Box::new(move || bell.ring())).ok();
    let watch = watch.filter(|watch| watch.listen(root.handle()).is_ok());
    shared.follows(if watch.is_some() { Follows::Watched } else { Follows::Swept });
    shared.wait_for_the_walk();
    if shared.queue.stopped() {
        return;
    }
    let mut refresher = Refresher::new(shared, root, watch.as_ref());
    let begun = Instant::now();
    // What happened since it was read is found now, what happens from now on is told.
    let dirty = compare(shared, root, watch.as_ref());
    refresher.pass(dirty);
    let cost = begun.elapsed();
    let now = Instant::now();
    let mut due = Due {
        growing: now + GROWING,
        slice: now + GROWING,
        writers: now,
        sweep: now + SOON.max(cost * SWEEPS),
        slice_pause: GROWING,
        writers_pause: GROWING,
        sweep_pause: SOON,
    };
    let (mut growing, mut cursor, mut open) = (Growing::new(), Cursor::default(), Open::new());
    while !shared.queue.stopped() {
        shared.bell.wait(due.next(watch.is_some(), !growing.is_empty()));
        if shared.queue.stopped() {
            return;
        }
        let begun = Instant::now();
        let mut stirred = false;
        if let Some(watch) = &watch {
            let heard = watch.take();
            stirred |= take(&mut refresher, shared, root, watch, heard, &mut growing);
        } else if begun >= due.sweep {
            let dirty = compare(shared, root, None);
            let changed = catch_up(&mut refresher, dirty);
            due.swept(begun.elapsed(), changed);
            stirred |= changed;
        }
        if !growing.is_empty() && begun >= due.growing {
            stirred |= grow(&mut refresher, &mut growing);
            due.growing = Instant::now() + GROWING;
        }
        if begun >= due.writers {
            let found = ask_writers(&refresher, shared, &mut growing, &mut open);
            due.asked(begun.elapsed(), found);
        }
        if begun >= due.slice {
            let changed = cursor.step(&mut refresher, shared);
            due.slice_pause = if changed { GROWING } else { (due.slice_pause * 11 / 10).min(LATE / 5) };
            due.slice = Instant::now() + due.slice_pause;
            stirred |= changed;
        }
        if stirred {
            // Whoever writes without end does not keep us reading without end.
            let rest = begun.elapsed().saturating_mul(READS).min(LATE);
            if rest > Duration::from_millis(250) {
                shared.rest(rest);
            }
        }
    }
}

/// Looks at all folders; the tree is as of now once what is returned was read.
fn compare(shared: &Shared, root: &Root, watch: Option<&Watch>) -> Vec<u32> {
    let dirty = sweep(shared, root, watch, FEW);
    if let Some(watch) = watch {
        watch.learnt();
    }
    shared.is_as_of_now();
    dirty
}

/// Reads again what changed since a tree was kept, and looks at the files that are likely to have
/// grown without a sign. Whether anything was different.
pub(super) fn catch_up(refresher: &mut Refresher<'_>, dirty: Vec<u32>) -> bool {
    let changed = refresher.pass(dirty);
    let open = writers(Some(refresher.shared.links.home()));
    let likely = refresher.likely(LIKELY, &open);
    look_at(refresher, likely) | changed
}

/// Takes what the kernel told.
fn take(
    refresher: &mut Refresher<'_>,
    shared: &Shared,
    root: &Root,
    watch: &Watch,
    heard: Heard,
    growing: &mut Growing,
) -> bool {
    for file in &heard.closed {
        growing.retain(|(_, name), _| *name != file.1);
    }
    for ((_, name), folder) in heard.opened {
        if growing.len() < MOST {
            growing.insert((folder, name), 0);
        }
    }
    let crowded = watch.known() > 2 * usize::try_from(shared.folders.living()).unwrap_or(usize::MAX) + 4096;
    if heard.lost || crowded {
        watch.forget();
        let dirty = compare(shared, root, Some(watch));
        return refresher.pass(dirty.into_iter().chain(heard.folders));
    }
    let changed = !heard.folders.is_empty() && refresher.pass(heard.folders);
    // Nothing but what was told has happened.
    shared.is_as_of_now();
    changed
}

/// Looks at files one by one; whether any is different.
fn look_at(refresher: &mut Refresher<'_>, files: impl IntoIterator<Item = (u32, Vec<u8>)>) -> bool {
    let (mut dirty, mut changed) = (BTreeSet::new(), false);
    for (folder, name) in files {
        match refresher.look_at(folder, &name) {
            Some(same) => changed |= !same,
            None => {
                dirty.insert(folder);
            }
        }
    }
    if changed {
        refresher.shared.tell();
    }
    if dirty.is_empty() { changed } else { refresher.pass(dirty) | changed }
}

/// Looks at the files that may grow.
fn grow(refresher: &mut Refresher<'_>, growing: &mut Growing) -> bool {
    let (mut dirty, mut changed) = (BTreeSet::new(), false);
    growing.retain(|(folder, name), idle| {
        match refresher.look_at(*folder, name) {
            Some(true) => *idle += 1,
            Some(false) => {
                changed = true;
                *idle = 0;
            }
            None => {
                dirty.insert(*folder);
                *idle += 1;
            }
        }
        *idle < PATIENCE
    });
    if changed {
        refresher.shared.tell();
    }
    if dirty.is_empty() { changed } else { refresher.pass(dirty) | changed }
}

/// Files that somebody has open for writing, by their numbers; those of the tree with their places.
type Open = BTreeMap<u64, Option<(u32, Box<[u8]>)>>;

/// Looks which files of the tree somebody has open for writing. Whether there are any.
fn ask_writers(refresher: &Refresher<'_>, shared: &Shared, growing: &mut Growing, known: &mut Open) -> bool {
    let open = writers(Some(shared.links.home()));
    // A number may be another file's by now.
    known.retain(|inode, _| open.contains(inode));
    let new: BTreeSet<u64> = open.into_iter().filter(|inode| !known.contains_key(inode)).collect();
    if !new.is_empty() {
        let found = refresher.by_inode(&new);
        known.extend(new.into_iter().map(|inode| (inode, None)));
        for (inode, folder, name) in found {
            known.insert(inode, Some((folder, name.into())));
        }
    }
    for file in known.values().flatten() {
        if growing.len() < MOST {
            growing.entry(file.clone()).or_insert(0);
        }
    }
    !growing.is_empty()
}

/// Where the slow look at every file is.
#[derive(Default)]
struct Cursor {
    next: u32,
    /// When the round began, in seconds since 1970.
    began: Option<i64>,
}

impl Cursor {
    /// Reads some folders again, for a moment. Whether anything was different.
    fn step(&mut self, refresher: &mut Refresher<'_>, shared: &Shared) -> bool {
        let (begun, mut changed) = (Instant::now(), false);
        while begun.elapsed() < SLICE {
            let round = *self.began.get_or_insert_with(|| Timestamp::now().as_second());
            if shared.folders.get(self.next).is_some() {
                changed |= refresher.pass([self.next]);
            }
            self.next += 1;
            if self.next >= shared.folders.count() {
                // Every file was looked at since then.
                shared.read.store(round, Relaxed);
                *self = Self::default();
                break;
            }
        }
        changed
    }
}

impl Due {
    /// How long there is nothing to do.
    fn next(&self, watched: bool, growing: bool) -> Duration {
        let mut next = self.slice.min(self.writers);
        if growing {
            next = next.min(self.growing);
        }
        if !watched {
            next = next.min(self.sweep);
        }
        next.saturating_duration_since(Instant::now())
    }

    fn swept(&mut self, cost: Duration, changed: bool) {
        self.sweep_pause = if changed { SOON } else { (self.sweep_pause * 2).min(LATE) };
        self.sweep = Instant::now() + self.sweep_pause.max(cost * SWEEPS);
    }

    fn asked(&mut self, cost: Duration, found: bool) {
        self.writers_pause = if found { GROWING } else { (self.writers_pause * 2).min(LATE / 5) };
        self.writers = Instant::now() + self.writers_pause.max(cost * WRITERS);
    }
}
