//! A tree as the port wants it: looked at while it grows, and kept up with the disk.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::folders::Folder;
use super::{ROOT, Tree, follow, page, sums};
use crate::port::{By, FolderId, Follows, Matching, Order, Pace, Page, Progress, Row, Sum, Walk};

/// While a walk grows, whoever waits for something new looks this often.
const GROWING: Duration = Duration::from_millis(100);

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
            read: Timestamp::from_second(self.shared.read.load(Relaxed)).ok(),
            follows: self.shared.follows.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_default(),
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
        if let Some(id) = self.shared.folders.inside(folder) {
            self.shared.folders.path(id, &mut path);
        }
        OsStr::from_bytes(&path).into()
    }

    fn stop(&self) {
        self.shared.queue.stop();
        self.shared.bell.ring();
        drop(self.shared.working());
        self.shared.ended.notify_all();
    }

    fn ended(&self, within: Duration) -> bool {
        let working = self.shared.working();
        let waited = self.shared.ended.wait_timeout_while(working, within, |working| *working > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
    }

    fn follow(&self) {
        let Some(root) = self.root.as_ref().and_then(|root| root.on_its_mount().ok()) else { return };
        let mut follows = self.shared.follows.lock().unwrap_or_else(PoisonError::into_inner);
        // Which way is found out by whoever follows.
        if follows.is_none() {
            let shared = Arc::clone(&self.shared);
            let started = thread::Builder::new().name("follow".into());
            *follows = started.spawn(move || follow::follow(&shared, &root)).ok().map(|_| Follows::Not);
        }
    }

    fn refresh(&self) {
        // Whoever follows does nothing else.
        if self.progress().follows == Follows::Not {
            // Where no thread can be made it stays as old as it says.
            let _ = self.compare(Pace::Full);
        }
    }

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
