//! Walks folders for the screen: one at a time in the background, those that somebody asked for at
//! once, and answers what parts of them look like.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, Weak};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::Ports;
use super::msg::{Msg, Walking};
use crate::core::error::{Error, Kind, Result};
use crate::port::{Asked, Pace, Progress, Walk};
use crate::work;
use crate::work::du::Start;

/// A walk that finds nothing new for this long is given up: the disk does not answer.
const SILENCE: Duration = Duration::from_secs(30);
/// Entries of walks that are kept beside the one on the screen; at 64 bytes each at most.
const KEPT: u64 = 1_500_000;
/// How long a tree that is followed is waited for before its end is looked for,
const STILL: Duration = Duration::from_secs(5);
/// and how long after a change, which is seldom alone.
const SETTLE: Duration = Duration::from_millis(250);
/// While a walk goes on, looking at it takes at most one part in so many of the time.
const SHARE: u32 = 4;

/// Runs walks.
pub(super) struct Walks {
    ports: Ports,
    out: UnboundedSender<Msg>,
    /// Places that nobody waits for, in order.
    queue: Vec<PathBuf>,
    running: HashMap<PathBuf, Running>,
    /// Walks that ended, the last one looked at in the end.
    kept: VecDeque<(PathBuf, Arc<dyn Walk>)>,
    /// The one that keeps up with the disk: what was looked at last.
    followed: Option<Followed>,
    number: u64,
    look: Look,
}

/// A walk that keeps up with the disk until this is dropped.
struct Followed {
    path: PathBuf,
    walk: Weak<dyn Walk>,
    ends: Arc<AtomicBool>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.ends.store(true, Relaxed);
    }
}

/// A walk that goes on.
struct Running {
    number: u64,
    asked: bool,
    /// Dropped or used, it ends the walk.
    stop: Option<oneshot::Sender<()>>,
    walk: Arc<OnceLock<Arc<dyn Walk>>>,
}

/// How a walk goes.
#[derive(Clone, Copy)]
struct How {
    pace: Pace,
    /// Every file is looked at, whatever is remembered.
    fresh: bool,
}

/// The looks at walks: one at a time, the newest question next.
#[derive(Default)]
struct Look {
    busy: bool,
    next: Option<(PathBuf, Asked)>,
    last: Option<(PathBuf, Asked)>,
    /// When the last one ended, and how long it took.
    took: Option<(Instant, Duration)>,
}

impl Walks {
    pub(super) fn new(ports: Ports, out: UnboundedSender<Msg>) -> Self {
        Self {
            ports,
            out,
            queue: Vec::new(),
            running: HashMap::new(),
            kept: VecDeque::new(),
            followed: None,
            number: 0,
            look: Look::default(),
        }
    }

    /// Walks these when it is their turn, in place of those that waited before.
    pub(super) fn queue(&mut self, paths: Vec<PathBuf>) {
        self.queue = paths;
        self.next();
    }

    /// Walks this one now, as fast as it goes. Unless it is to be fresh, what is remembered of it is
    /// shown at once and compared with the disk.
    pub(super) fn walk(&mut self, path: PathBuf, fresh: bool) {
        self.queue.retain(|waiting| *waiting != path);
        match self.running.remove(&path) {
            // Somebody waits for it already.
            Some(running) if running.asked => {
                self.running.insert(path, running);
            }
            // One that gives way is begun anew: its pages are in memory by now. Dropping it ends it.
            _ => self.start(path, true, fresh),
        }
    }

    /// Ends a walk; what it found stays.
    pub(super) fn stop(&mut self, path: &Path) {
        if let Some(running) = self.running.get_mut(path) {
            if let Some(walk) = running.walk.get() {
                walk.stop();
            }
            running.stop = None;
        }
    }

    fn next(&mut self) {
        let background = self.running.values().any(|running| !running.asked);
        if background || self.queue.is_empty() {
            return;
        }
        let path = self.queue.remove(0);
        if self.running.contains_key(&path) {
            return self.next();
        }
        self.start(path, false, false);
    }

    fn start(&mut self, path: PathBuf, asked: bool, fresh: bool) {
        self.number += 1;
        let (number, walk) = (self.number, Arc::new(OnceLock::new()));
        let (stop, stopped) = oneshot::channel::<()>();
        let running = Running { number, asked, stop: Some(stop), walk: Arc::clone(&walk) };
        self.running.insert(path.clone(), running);
        let (ports, out) = (self.ports.clone(), self.out.clone());
        tell(&out, &path, number, Walking::So(Progress::default()));
        let pace = if asked { Pace::Full } else { Pace::Background };
        drop(tokio::spawn(async move {
            let stop = async {
                // Dropped is meant as well.
                let _ = stopped.await;
            };
            let mut on = |progress: &Progress| {
                tell(&out, &path, number, Walking::So(progress.clone()));
            };
            let how = How { pace, fresh };
            let ended = follow(&ports, &path, how, stop, &walk, &mut on).await;
            let now = ports.clock.now();
            let ended = ended.map(|(progress, stopped)| {
                let as_of = progress.as_of.unwrap_or(now);
                (progress, stopped, as_of)
            });
            tell(&out, &path, number, Walking::Ended(ended));
        }));
    }

    /// What came back may let something else begin. Says whether it still counts.
    pub(super) fn came_back(&mut self, msg: &Msg) -> bool {
        match msg {
            Msg::Walk(path, number, walking) => {
                if self.running.get(path).is_none_or(|running| running.number != *number) {
                    return false;
                }
                if let Walking::Ended(ended) = &**walking {
                    let walk = self.running.remove(path).and_then(|running| running.walk.get().cloned());
                    let stopped = ended.as_ref().is_ok_and(|(_, stopped, _)| *stopped);
                    let known = self.kept.iter().any(|(other, _)| other == path);
                    // What was whole before is better than a part.
                    if let Some(walk) = walk.filter(|_| !(stopped && known)) {
                        self.keep(path.clone(), walk);
                    }
                    self.next();
                }
            }
            Msg::Shown(_, _, took) => {
                self.look.busy = false;
                self.look.took = Some((Instant::now(), *took));
                if let Some((path, asked)) = self.look.next.take() {
                    self.look(path, asked);
                }
            }
            _ => {}
        }
        true
    }

    /// Keeps a walk for looking at it later; the oldest make room.
    fn keep(&mut self, path: PathBuf, walk: Arc<dyn Walk>) {
        self.kept.retain(|(other, _)| *other != path);
        self.kept.push_back((path, walk));
        let entries = |walk: &dyn Walk| {
            let total = walk.progress().total;
            total.files.saturating_add(total.dirs)
        };
        let mut sum: u64 = self.kept.iter().map(|(_, walk)| entries(walk.as_ref())).sum();
        while self.kept.len() > 1 && sum > KEPT {
            if let Some((_, oldest)) = self.kept.pop_front() {
                sum = sum.saturating_sub(entries(oldest.as_ref()));
            }
        }
    }

    /// Lets one that has ended keep up with the disk, in place of the one before: that is let go, and
    /// recalled when somebody opens it again.
    fn follow(&mut self, path: &Path, walk: &Arc<dyn Walk>) {
        let same = |followed: &Followed| Weak::ptr_eq(&followed.walk, &Arc::downgrade(walk));
        if self.followed.as_ref().is_some_and(same) {
            return;
        }
        if let Some(before) = self.followed.take() {
            self.kept.retain(|(other, _)| *other != before.path || other == path);
        }
        let ends = Arc::new(AtomicBool::new(false));
        self.followed =
            Some(Followed { path: path.to_path_buf(), walk: Arc::downgrade(walk), ends: Arc::clone(&ends) });
        let (walk, path, out) = (Arc::downgrade(walk), path.to_path_buf(), self.out.clone());
        // Where no thread can be made it stays as old as it says.
        drop(thread::Builder::new().name("grew".into()).spawn(move || {
            let Some(mut seen) = walk.upgrade().map(|walk| {
                walk.follow();
                walk.generation()
            }) else {
                return;
            };
            while !ends.load(Relaxed) {
                // Held while waiting: whoever lets go of it waits for nothing.
                let Some(walk) = walk.upgrade() else { return };
                let now = walk.moved(seen, STILL);
                if now == seen || ends.load(Relaxed) {
                    continue;
                }
                seen = now;
                if out.send(Msg::Grew(path.clone(), Box::new(walk.progress()))).is_err() {
                    return;
                }
                drop(walk);
                thread::sleep(SETTLE);
            }
        }));
    }

    /// Looks at a part of a walk. One that was given up, or never begun, is begun.
    pub(super) fn look(&mut self, path: PathBuf, asked: Asked) {
        if self.look.busy {
            self.look.next = Some((path, asked));
            return;
        }
        let running = self.running.get(&path).map(|running| &running.walk);
        let kept = self.kept.iter().position(|(other, _)| *other == path);
        if let Some(at) = kept
            && let Some(kept) = self.kept.remove(at)
        {
            self.kept.push_back(kept);
        }
        let walk = match (kept, running) {
            // What is whole is shown until what replaces it is whole too.
            (Some(_), _) => self.kept.back().map(|(_, walk)| Arc::clone(walk)),
            (None, Some(slot)) => slot.get().cloned(),
            (None, None) => {
                self.walk(path, false);
                return;
            }
        };
        // Not open yet: what it finds is told soon.
        let Some(walk) = walk else { return };
        if kept.is_some() {
            self.follow(&path, &walk);
        }
        let again = self.look.last.as_ref().is_some_and(|(last, question)| *last == path && *question == asked);
        let rests = self.look.took.is_some_and(|(ended, took)| ended.elapsed() < took * SHARE);
        if again && rests && kept.is_none() {
            return;
        }
        self.look.busy = true;
        self.look.last = Some((path.clone(), asked.clone()));
        let (out, host) = (self.out.clone(), Arc::clone(&self.ports.host));
        drop(tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let shown = work::disk::shown(walk.as_ref(), &asked, &host);
            // The loop has ended: nobody is left to see it.
            let _ = out.send(Msg::Shown(path, Box::new((asked, shown)), begun.elapsed()));
        }));
    }
}

fn tell(out: &UnboundedSender<Msg>, path: &Path, number: u64, walking: Walking) {
    // The loop has ended: nobody is left to hear it.
    let _ = out.send(Msg::Walk(path.to_path_buf(), number, Box::new(walking)));
}

/// One walk from its opening to its end. Says what it found and whether it was stopped.
async fn follow(
    ports: &Ports,
    path: &Path,
    how: How,
    stop: impl Future<Output = ()>,
    slot: &OnceLock<Arc<dyn Walk>>,
    on: &mut (dyn FnMut(&Progress) + Send),
) -> Result<(Progress, bool)> {
    let mut stop = std::pin::pin!(stop);
    let silent = || Error::new(Kind::TimedOut, "the disk does not answer");
    let start = Start::Here(path.to_path_buf());
    let opening = work::du::open(&ports.disk, &start, how.fresh, how.pace);
    let walk = tokio::select! {
        opened = timeout(SILENCE, opening) => opened.map_err(|_| silent())??,
        () = &mut stop => return Err(Error::new(Kind::Cancelled, "stopped before it was open")),
    };
    let _ = slot.set(Arc::clone(&walk));
    let (heard, mut news) = tokio::sync::watch::channel(());
    let mut before = Progress::default().total;
    let mut tell = |progress: &Progress| {
        if progress.total != before {
            before = progress.total;
            heard.send_replace(());
            on(progress);
        }
    };
    let silence = async { while timeout(SILENCE, news.changed()).await.is_ok() {} };
    let mut gave_up = false;
    let until = async {
        tokio::select! {
            () = &mut stop => {}
            () = silence => gave_up = true,
        }
    };
    let stopped = work::du::watch(&walk, until, &mut tell).await;
    let mut progress = walk.progress();
    if gave_up {
        progress.gaps.push(silent().message);
    }
    Ok((progress, stopped))
}
