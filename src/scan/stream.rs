//! A scan as a stream: place after place, batches of files, cancelled by dropping.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use rustix::io::Errno;
use tokio::sync::mpsc::{self, Sender};

use super::tree::{Met, Tree};
use super::{Job, troubles};
use crate::port::{Pace, ScanItem, ScanStream, Walk as _};
use crate::text;

/// How often the walk is looked at: whether it has ended, and whether anybody still listens.
const PATIENCE: Duration = Duration::from_millis(100);
/// While nothing is found, a sign of life is sent this often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
/// Items that wait for the reader before the walk waits for it.
const AHEAD: usize = 16;
/// Why nothing is read of a root whose files are told by their birth.
const UNTOLD: &str =
    "the root file system keeps no birth times: your files cannot be told from those of the image";

/// Reads places one after the other; dropping the stream cancels.
///
/// A place is announced by [`ScanItem::Reading`]; what could not be read follows its files. A walk
/// that finds nothing says [`ScanItem::Looking`], so that one stuck in the kernel falls silent.
/// In the background it gives way to everybody else.
pub fn stream(jobs: Vec<Job>, background: bool) -> ScanStream {
    run(move || jobs, background)
}

/// The same for places that only a look at the disk tells.
pub(super) fn run(jobs: impl FnOnce() -> Vec<Job> + Send + 'static, background: bool) -> ScanStream {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let started = thread::Builder::new().name("scan".into()).spawn(move || {
        for job in &jobs() {
            if read(job, background, &sender).is_break() {
                return;
            }
        }
    });
    if let Err(error) = started {
        let gap = ScanItem::Gap(format!("nothing could be read: no thread to read with ({error})"));
        return stream::iter([gap]).boxed();
    }
    stream::unfold(receiver, |mut receiver| async move {
        let item = receiver.recv().await?;
        Some((item, receiver))
    })
    .boxed()
}

/// Reads one place to its end, or until nobody listens any more.
fn read(job: &Job, background: bool, sender: &Sender<ScanItem>) -> ControlFlow<()> {
    send(sender, ScanItem::Reading(job.storage))?;
    let alive = Arc::new(Alive::default());
    let tell = {
        let (sender, alive) = (sender.clone(), Arc::clone(&alive));
        Box::new(move |met: Met| alive.heard(met, &sender))
    };
    let pace = if background { Pace::Background } else { Pace::Full };
    let tree = match Tree::of(job, pace, Some(tell)) {
        Ok(tree) => tree,
        Err(Errno::NODATA) => return send(sender, ScanItem::Gap(UNTOLD.into())),
        Err(reason) => {
            let (place, why) = (text::printable_path(&job.shown_at), troubles::words(reason));
            return send(sender, ScanItem::Gap(format!("{place} could not be read: {why}")));
        }
    };
    let mut said = Instant::now();
    while !tree.ended(PATIENCE) {
        if sender.is_closed() {
            tree.stop();
            return ControlFlow::Break(());
        }
        if said.elapsed() >= SIGN_OF_LIFE {
            said = Instant::now();
            alive.sign(sender)?;
        }
    }
    for gap in tree.progress().gaps {
        send(sender, ScanItem::Gap(gap))?;
    }
    if let Some(count) = tree.layer() {
        send(sender, ScanItem::Layer(count))?;
    }
    tree.note().map_or(ControlFlow::Continue(()), |note| send(sender, ScanItem::Note(note)))
}

/// What the threads of a walk did since somebody looked.
#[derive(Debug, Default)]
struct Alive {
    /// Entries met.
    met: AtomicU64,
    /// Files sent: the best sign of life.
    sent: AtomicBool,
}

impl Alive {
    fn heard(&self, met: Met, sender: &Sender<ScanItem>) -> ControlFlow<()> {
        self.met.fetch_add(met.entries, Relaxed);
        if met.files.is_empty() {
            return if sender.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        }
        self.sent.store(true, Relaxed);
        send(sender, ScanItem::Files(met.files))
    }

    /// Says that the walk lives, where it does and has said nothing else.
    fn sign(&self, sender: &Sender<ScanItem>) -> ControlFlow<()> {
        let (met, sent) = (self.met.swap(0, Relaxed), self.sent.swap(false, Relaxed));
        if met == 0 || sent { ControlFlow::Continue(()) } else { send(sender, ScanItem::Looking) }
    }
}

/// Sends one item, waiting for a slow reader; breaks when the reader is gone.
fn send(sender: &Sender<ScanItem>, item: ScanItem) -> ControlFlow<()> {
    match sender.blocking_send(item) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_that_finds_nothing_for_a_while_shows_that_it_lives() {
        let (sender, mut receiver) = mpsc::channel(AHEAD);
        let alive = Alive::default();
        let nothing = || Met { files: Vec::new(), entries: 1 };
        assert!(alive.heard(nothing(), &sender).is_continue() && alive.heard(nothing(), &sender).is_continue());
        assert!(receiver.try_recv().is_err(), "once in a while, not for every entry");
        assert!(alive.sign(&sender).is_continue());
        assert_eq!(receiver.try_recv(), Ok(ScanItem::Looking));
        assert!(alive.sign(&sender).is_continue());
        assert!(receiver.try_recv().is_err(), "one that is stuck in the kernel falls silent");
    }
}
