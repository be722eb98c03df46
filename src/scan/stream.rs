//! A scan as a stream: one thread, batches of files, cancelled by dropping.

use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc::{self, Sender};

use super::walk::{Entry, walk};
use super::{Job, troubles};
use crate::port::{FileFact, ScanItem, ScanStream};
use crate::{sys, text};

/// Files are sent this many at a time at most,
const BATCH: usize = 256;
/// and this often at least, so that a screen sees progress.
const PATIENCE: Duration = Duration::from_millis(100);
/// While nothing is found, a sign of life is sent this often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
/// Items that wait for the reader before the walk waits for it.
const AHEAD: usize = 16;

/// Reads places one after the other on a thread of its own; dropping the stream cancels.
///
/// A place is announced by [`ScanItem::Reading`]; what could not be read follows its files. The
/// walk itself says [`ScanItem::Looking`] while it finds nothing, so that one stuck in the kernel
/// falls silent.
/// In the background the thread gives way to everybody else.
pub fn stream(jobs: Vec<Job>, background: bool) -> ScanStream {
    run(move || jobs, background)
}

/// The same for places that only a look at the disk tells.
pub(super) fn run(jobs: impl FnOnce() -> Vec<Job> + Send + 'static, background: bool) -> ScanStream {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let started = thread::Builder::new().name("scan".into()).spawn(move || {
        if background {
            // Being polite is a favour; a kernel that refuses it must not stop the scan.
            let _ = sys::ioprio::give_way();
        }
        for job in &jobs() {
            if read(job, &sender).is_break() {
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

fn read(job: &Job, sender: &Sender<ScanItem>) -> ControlFlow<()> {
    send(sender, ScanItem::Reading(job.storage))?;
    let mut batch = Batch { files: Vec::new(), sent: Instant::now(), sender };
    let walked = walk(job, &mut |entry| batch.take(entry));
    match walked {
        Ok(walked) => {
            batch.flush()?;
            for gap in walked.gaps {
                send(sender, ScanItem::Gap(gap))?;
            }
            walked.note.map_or(ControlFlow::Continue(()), |note| send(sender, ScanItem::Note(note)))
        }
        Err(reason) => {
            let place = text::printable_path(&job.shown_at);
            send(sender, ScanItem::Gap(format!("{place} could not be read: {}", troubles::words(reason))))
        }
    }
}

/// Files on their way to the reader.
struct Batch<'s> {
    files: Vec<FileFact>,
    sent: Instant,
    sender: &'s Sender<ScanItem>,
}

impl Batch<'_> {
    fn take(&mut self, entry: Entry) -> ControlFlow<()> {
        if self.sender.is_closed() {
            return ControlFlow::Break(());
        }
        self.files.extend(entry.file);
        if self.files.len() >= BATCH || (!self.files.is_empty() && self.sent.elapsed() >= PATIENCE) {
            return self.flush();
        }
        if self.sent.elapsed() >= SIGN_OF_LIFE {
            self.sent = Instant::now();
            return send(self.sender, ScanItem::Looking);
        }
        ControlFlow::Continue(())
    }

    fn flush(&mut self) -> ControlFlow<()> {
        self.sent = Instant::now();
        let files = std::mem::take(&mut self.files);
        if files.is_empty() { ControlFlow::Continue(()) } else { send(self.sender, ScanItem::Files(files)) }
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
        let long_ago = Instant::now().checked_sub(SIGN_OF_LIFE).expect("a clock that runs for a while");
        let mut batch = Batch { files: Vec::new(), sent: long_ago, sender: &sender };
        let nothing = || Entry { bytes: 0, file: None };
        assert!(batch.take(nothing()).is_continue() && batch.take(nothing()).is_continue());
        assert_eq!(receiver.try_recv(), Ok(ScanItem::Looking));
        assert!(receiver.try_recv().is_err(), "once in a while, not for every entry");
    }
}
