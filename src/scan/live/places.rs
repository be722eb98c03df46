//! Places that are read as a whole when something in them changes: says when, and reads nothing.
//!
//! The kernel tells where it can; other places are looked at every now and then, ever more rarely
//! while nothing changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::OptionFuture;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use rustix::fs::{StatxFlags, statx};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::hub::{OpenFile, Watch};
use super::survey::{Aim, Looks, survey};
use super::writers::writers;
use crate::scan::Job;
use crate::scan::birth::QUIET;
use crate::scan::open::Root;
use crate::sys::ioprio;

/// How soon a place that the kernel does not tell about is looked at again,
const SOON: Duration = Duration::from_secs(5);
/// and how late while nothing changes there.
const LATE: Duration = Duration::from_mins(5);
/// A look takes at most this part of the time.
const PART: u32 = 200;
/// Files that somebody writes to are looked at this often.
const GROWING: Duration = Duration::from_secs(2);
/// Of one workspace so many at most.
const MOST: usize = 256;
/// A file that does not grow for so long is left alone until its folder changes.
const PATIENCE: u32 = 150;

/// Says whenever a scan of these places may find something else than it did at a moment.
///
/// The first item comes where a folder has changed since that moment. Nothing is said for nothing:
/// whoever listens reads again each time. Dropping the stream ends it.
pub fn follow(jobs: Vec<Job>, since: Timestamp) -> BoxStream<'static, ()> {
    let begin = async move {
        let places = spawn_blocking(move || Places::begin(jobs, since)).await.ok()?;
        Some(places)
    };
    stream::once(begin)
        .flat_map(|places| match places {
            Some(places) => stream::unfold(places, next).boxed(),
            None => stream::empty().boxed(),
        })
        .boxed()
}

/// The places and how each is kept up with.
struct Places {
    heard: Arc<Notify>,
    /// Told about by the kernel.
    watched: Option<Watched>,
    /// Looked at every now and then.
    swept: Arc<Vec<(Job, Looks)>>,
    pause: Duration,
    next_sweep: Option<Instant>,
    /// Something changed before anybody asked.
    stirred: bool,
}

/// Files that somebody writes to: in which place, their sizes, and looks since they last grew.
type Growing = BTreeMap<OpenFile, (u32, u64, u32)>;

struct Watched {
    watch: Arc<Watch>,
    jobs: Arc<Vec<Job>>,
    growing: Growing,
    next_look: Option<Instant>,
}

async fn next(mut places: Places) -> Option<((), Places)> {
    if std::mem::take(&mut places.stirred) {
        return Some(((), places));
    }
    loop {
        let growing = places.watched.as_ref().and_then(|watched| watched.next_look);
        let look: OptionFuture<_> = growing.map(sleep_until).into();
        let sweep: OptionFuture<_> = places.next_sweep.map(sleep_until).into();
        if places.watched.is_none() && places.next_sweep.is_none() {
            return None;
        }
        let heard = Arc::clone(&places.heard);
        let stirred = tokio::select! {
            () = heard.notified() => places.listen().await,
            Some(()) = look => places.look().await,
            Some(()) = sweep => places.sweep().await,
        };
        if stirred {
            return Some(((), places));
        }
    }
}

impl Places {
    fn begin(jobs: Vec<Job>, since: Timestamp) -> Self {
        give_way(|| {
            let heard = Arc::new(Notify::new());
            let tell = Arc::clone(&heard);
            let watch = Watch::new(Box::new(move || tell.notify_one())).ok();
            let (mut watched, mut swept, mut stirred) = (Vec::new(), Vec::new(), false);
            let (open, mut growing) = (writers(None), Growing::new());
            for job in jobs {
                let Ok(root) = Root::open(&job.root).and_then(|root| root.on_its_mount()) else { continue };
                let listening = watch.as_ref().filter(|watch| watch.listen(root.handle()).is_ok());
                if let Some(watch) = listening {
                    let number = u32::try_from(watched.len()).unwrap_or(u32::MAX);
                    let looks = survey(&job, &root, Aim::Learn(watch, number, &open));
                    stirred |= looks.changed_since(since);
                    growing.extend(looks.written.into_iter().map(|file| (file, (number, u64::MAX, 0))));
                    watched.push(job);
                } else {
                    let looks = survey(&job, &root, Aim::Compare);
                    stirred |= looks.changed_since(since);
                    swept.push((job, looks));
                }
            }
            let watch = watch.filter(|_| !watched.is_empty()).inspect(Watch::learnt).map(Arc::new);
            let watched = watch.map(|watch| {
                let mut watched = Watched { watch, jobs: Arc::new(watched), growing, next_look: None };
                watched.rest();
                watched
            });
            Self {
                heard,
                watched,
                next_sweep: (!swept.is_empty()).then(|| together(SOON)),
                swept: Arc::new(swept),
                pause: SOON,
                stirred,
            }
        })
    }

    /// Takes what the kernel told: whether it changes anything.
    async fn listen(&mut self) -> bool {
        let Some(watched) = &mut self.watched else { return false };
        let heard = watched.watch.take();
        if heard.folders.is_empty() && !heard.lost {
            return false;
        }
        for closed in &heard.closed {
            watched.growing.remove(closed);
        }
        for (file, job) in heard.opened {
            watched.growing.entry(file).or_insert((job, u64::MAX, 0));
        }
        if heard.new_folders || heard.lost {
            let (watch, jobs) = (Arc::clone(&watched.watch), Arc::clone(&watched.jobs));
            // They are learnt before anybody reads them: what happens later is heard of, and what was
            // opened in them before that is looked at.
            let learnt = spawn_blocking(move || give_way(|| learn(&watch, &jobs))).await;
            for (file, known) in learnt.unwrap_or_default() {
                watched.growing.entry(file).or_insert(known);
            }
        }
        watched.rest();
        true
    }

    /// Looks whether files that are open for writing have grown.
    async fn look(&mut self) -> bool {
        let Some(watched) = &mut self.watched else { return false };
        let (jobs, mut growing) = (Arc::clone(&watched.jobs), std::mem::take(&mut watched.growing));
        let looked = spawn_blocking(move || {
            let grew = grown(&jobs, &mut growing);
            (grew, growing)
        });
        let Ok((grew, growing)) = looked.await else { return false };
        watched.growing = growing;
        watched.rest();
        grew
    }

    /// Looks at the places that nobody tells about.
    async fn sweep(&mut self) -> bool {
        let swept = Arc::clone(&self.swept);
        let begun = std::time::Instant::now();
        let looked = spawn_blocking(move || {
            give_way(|| {
                swept
                    .iter()
                    .map(|(job, _)| {
                        let root = Root::open(&job.root).and_then(|root| root.on_its_mount());
                        root.map_or_else(|_| Looks::default(), |root| survey(job, &root, Aim::Compare))
                    })
                    .collect::<Vec<_>>()
            })
        });
        let Ok(looks) = looked.await else { return false };
        let stirred = self.swept.iter().zip(&looks).any(|((_, old), new)| old.print != new.print);
        if stirred {
            let jobs = self.swept.iter().map(|(job, _)| job.clone());
            self.swept = Arc::new(jobs.zip(looks).collect());
        }
        self.pause = if stirred { SOON } else { (self.pause * 2).min(LATE) };
        self.next_sweep = Some(together(self.pause.max(begun.elapsed() * PART)));
        stirred
    }
}

impl Watched {
    /// Looks again at what grows, or at nothing.
    fn rest(&mut self) {
        self.growing.retain(|_, (_, _, idle)| *idle < PATIENCE);
        while self.growing.len() > MOST {
            self.growing.pop_last();
        }
        self.next_look = (!self.growing.is_empty()).then(|| Instant::now() + GROWING);
    }
}

/// Learns all folders anew: those that came, without those that went. The files that somebody writes to.
fn learn(watch: &Watch, jobs: &[Job]) -> Growing {
    watch.forget();
    let (open, mut growing) = (writers(None), Growing::new());
    for (number, job) in (0..).zip(jobs) {
        if let Ok(root) = Root::open(&job.root).and_then(|root| root.on_its_mount()) {
            let written = survey(job, &root, Aim::Learn(watch, number, &open)).written;
            growing.extend(written.into_iter().map(|file| (file, (number, u64::MAX, 0))));
        }
    }
    watch.learnt();
    growing
}

/// Whether a file has another size than the last time. Files that are gone are let go.
fn grown(jobs: &[Job], growing: &mut Growing) -> bool {
    let mut grew = false;
    growing.retain(|file, (job, size, idle)| {
        let at = usize::try_from(*job).ok().and_then(|job| jobs.get(job));
        let Some(root) = at.and_then(|job| Root::open(&job.root).ok()) else { return false };
        let Ok(folder) = Watch::open(root.handle(), file) else { return false };
        let fields = StatxFlags::SIZE | StatxFlags::BLOCKS;
        let Ok(stat) = statx(&folder, OsStr::from_bytes(&file.1), QUIET, fields) else { return false };
        let now = stat.stx_blocks.wrapping_mul(512).wrapping_add(stat.stx_size);
        *idle = if now == *size { *idle + 1 } else { 0 };
        grew |= now != *size && *size != u64::MAX;
        // What it was when it was read for the list is not known: it may have grown since.
        grew |= *size == u64::MAX && now > 0;
        *size = now;
        true
    });
    grew
}

/// Runs something that gives way, and gives the thread back as it was taken: it is one of a pool.
fn give_way<T>(work: impl FnOnce() -> T + Send) -> T
where
    T: Send,
{
    let polite = || {
        // Being polite is a favour; a kernel that refuses it must not stop the work.
        let _ = ioprio::give_way();
        work()
    };
    std::thread::scope(|scope| match scope.spawn(polite).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// The next moment after a pause at which everybody else looks too: one waking for all.
fn together(pause: Duration) -> Instant {
    let now = Timestamp::now();
    let later = now + pause;
    let beyond = later.as_millisecond().rem_euclid(i64::try_from(SOON.as_millis()).unwrap_or(1));
    let rest = SOON.saturating_sub(Duration::from_millis(beyond.unsigned_abs()));
    Instant::now() + pause + rest
}
