//! Who reads which folder: each thread its own last ones, and what others leave for it.
//!
//! A thread takes its newest folder first, so a deep tree needs no recursion; for threads without
//! work it leaves its oldest ones, beneath which most is still to be read, and parts of a folder
//! that is very large itself.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::scan::layer::Ground;

/// Folders left for each thread without work.
const SHARE: usize = 8;

/// What a thread does next.
#[derive(Debug)]
pub(super) enum Work {
    /// Read a folder.
    Folder(u32),
    /// Look at entries of one.
    Part(Part),
}

/// Entries of a large folder of which only the names were read.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) folder: u32,
    pub(super) handle: Arc<OwnedFd>,
    pub(super) ground: Option<Arc<Ground>>,
    /// Each with a zero behind it.
    pub(super) names: Vec<u8>,
}

/// What all threads share.
#[derive(Debug)]
pub(super) struct Queue {
    left: Mutex<Left>,
    wake: Condvar,
    /// Threads without work.
    hungry: AtomicUsize,
    /// Parts that nobody took yet.
    parts: AtomicUsize,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct Left {
    threads: usize,
    folders: Vec<u32>,
    parts: Vec<Part>,
    hungry: usize,
    /// Nothing is left anywhere, and nobody works any more.
    empty: bool,
}

impl Queue {
    /// For so many threads; the first folder is ready.
    pub(super) fn new(threads: usize, first: u32) -> Self {
        Self {
            left: Mutex::new(Left { threads, folders: vec![first], ..Left::default() }),
            wake: Condvar::new(),
            hungry: AtomicUsize::new(0),
            parts: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        }
    }

    /// Ends all work.
    pub(super) fn stop(&self) {
        self.stop.store(true, Relaxed);
        let _left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        self.wake.notify_all();
    }

    /// Whether all work ends.
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// What to do next; waits until there is something. `None` is the end.
    pub(super) fn next(&self, own: &mut VecDeque<u32>) -> Option<Work> {
        if self.stopped() {
            return None;
        }
        if let Some(folder) = own.pop_back() {
            return Some(Work::Folder(folder));
        }
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.hungry += 1;
        loop {
            self.hungry.store(left.hungry, Relaxed);
            if left.empty || self.stopped() {
                return None;
            }
            let part = left.parts.pop().map(Work::Part);
            if let Some(work) = part.or_else(|| left.folders.pop().map(Work::Folder)) {
                left.hungry -= 1;
                self.hungry.store(left.hungry, Relaxed);
                self.parts.store(left.parts.len(), Relaxed);
                return Some(work);
            }
            if left.hungry == left.threads {
                left.empty = true;
                self.wake.notify_all();
                return None;
            }
            left = self.wake.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether somebody would take a part of a large folder.
    pub(super) fn wants_parts(&self) -> bool {
        self.hungry.load(Relaxed) > self.parts.load(Relaxed)
    }

    /// Gives a part of a large folder away.
    pub(super) fn give(&self, part: Part) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.parts.push(part);
        self.parts.store(left.parts.len(), Relaxed);
        self.wake.notify_one();
    }

    /// One thread fewer than was said: it could not be made.
    pub(super) fn leave(&self) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.threads -= 1;
        // Whoever waits looks again whether it is the last.
        self.wake.notify_all();
    }

    /// Leaves the oldest folders for threads without work, where there are such threads.
    pub(super) fn share(&self, own: &mut VecDeque<u32>) {
        let hungry = self.hungry.load(Relaxed);
        if hungry == 0 || own.len() < 2 {
            return;
        }
        let many = (own.len() / 2).min(hungry * SHARE);
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.folders.extend(own.drain(..many));
        for _ in 0..many.min(hungry) {
            self.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_comes_when_nobody_works_and_nothing_is_left() {
        let queue = Queue::new(3, 0);
        let read = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut own = VecDeque::new();
                    while let Some(Work::Folder(folder)) = queue.next(&mut own) {
                        read.fetch_add(1, Relaxed);
                        // A tree three levels deep, ten folders in each.
                        if folder < 111 {
                            own.extend((1..=10).map(|child| folder * 10 + child));
                        }
                        queue.share(&mut own);
                    }
                });
            }
        });
        assert_eq!(read.into_inner(), 1 + 10 + 100 + 1000);
    }

    #[test]
    fn threads_without_work_end_at_once_when_all_work_ends() {
        let queue = Queue::new(2, 0);
        let mut own = VecDeque::new();
        assert!(matches!(queue.next(&mut own), Some(Work::Folder(0))));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| queue.next(&mut VecDeque::new()));
            std::thread::sleep(std::time::Duration::from_millis(20));
            queue.stop();
            assert!(waiting.join().unwrap().is_none());
        });
        own.push_back(1);
        assert!(queue.next(&mut own).is_none());
    }
}
