//! What takes the space: the walk of a folder, watched until it ends or somebody has seen enough.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::core::error::{Error, Kind, Result};
use crate::port::{Disk, FolderId, Matching, Order, Pace, Progress, Row, Walk};

/// How often progress is told.
const EVERY: Duration = Duration::from_millis(100);
/// How long a stopped walk may take to end.
const AT_ONCE: Duration = Duration::from_millis(50);

/// What is asked about a folder.
#[derive(Clone, Debug)]
pub struct Question {
    /// Rows at most.
    pub top: usize,
    /// Files anywhere beneath, in place of the entries of the folder.
    pub matching: Option<Matching>,
}

/// What a folder holds.
#[derive(Debug)]
pub struct Usage {
    /// Totals, and what is missing in them.
    pub progress: Progress,
    /// The largest entries, or files; where only new ones were asked for, the newest.
    pub rows: Vec<Row>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// Begins to walk a folder, away from the caller's thread: opening it may wait for the disk.
pub async fn open(disk: &Arc<dyn Disk>, root: &Path, pace: Pace) -> Result<Arc<dyn Walk>> {
    let (disk, root) = (Arc::clone(disk), root.to_path_buf());
    let opened = tokio::task::spawn_blocking(move || disk.walk(&root, pace).map(Arc::from)).await;
    opened.map_err(|error| Error::new(Kind::Failed, error.to_string()))?
}

/// Watches a walk until it ends, or until `stop` is ready: then it is ended. Says whether it was.
pub async fn watch(
    walk: &Arc<dyn Walk>,
    stop: impl Future<Output = ()>,
    tell: &mut (dyn FnMut(&Progress) + Send),
) -> bool {
    let mut stop = std::pin::pin!(stop);
    let stopped = loop {
        let waited = {
            let walk = Arc::clone(walk);
            tokio::task::spawn_blocking(move || walk.ended(EVERY))
        };
        tokio::select! {
            // A watcher that could not be started or ended badly: what was found is the answer.
            ended = waited => match ended {
                Ok(false) => tell(&walk.progress()),
                Ok(true) => break false,
                Err(_) => break true,
            },
            () = &mut stop => break true,
        }
    };
    if stopped {
        walk.stop();
        // What the threads have in hand belongs to the answer.
        let walk = Arc::clone(walk);
        let _ = tokio::task::spawn_blocking(move || walk.ended(AT_ONCE)).await;
    }
    stopped
}

/// Walks a folder and answers. `stop` ends the walk where it is ready first; what was found till
/// then is the answer.
pub async fn usage(
    disk: &Arc<dyn Disk>,
    root: &Path,
    question: &Question,
    stop: impl Future<Output = ()>,
    tell: &mut (dyn FnMut(&Progress) + Send),
) -> Result<Usage> {
    let mut stop = std::pin::pin!(stop);
    let walk = tokio::select! {
        opened = open(disk, root, Pace::Full) => opened?,
        () = &mut stop => return Err(Error::new(Kind::Cancelled, "stopped before the folder was open")),
    };
    let stopped = watch(&walk, stop, tell).await;
    let rows = match &question.matching {
        None => walk.page(FolderId::ROOT, Order::Size, 0, question.top).rows,
        Some(matching) => {
            let order = if matching.larger.is_some() { Order::Size } else { Order::Age };
            walk.files(matching, order, question.top)
        }
    };
    Ok(Usage { progress: walk.progress(), rows, stopped })
}
