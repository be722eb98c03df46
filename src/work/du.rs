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
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// Rows at most.
    pub top: usize,
    /// Files anywhere beneath, in place of the entries of the folder.
    pub matching: Option<Matching>,
    /// Every file is looked at, whatever is remembered.
    pub fresh: bool,
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

/// Walks a folder and answers. `stop` ends the walk where it is ready first; what was found till
/// then is the answer.
pub async fn usage(
    disk: &Arc<dyn Disk>,
    root: &Path,
    question: Question,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(&Progress),
) -> Result<Usage> {
    let mut stop = std::pin::pin!(stop);
    let opening = {
        let (disk, root) = (Arc::clone(disk), root.to_path_buf());
        tokio::task::spawn_blocking(move || {
            let walk =
                if question.fresh { disk.walk(&root, Pace::Full) } else { disk.recall(&root, Pace::Full) };
            walk.map(Arc::from)
        })
    };
    let walk: Arc<dyn Walk> = tokio::select! {
        opened = opening => opened.map_err(|error| Error::new(Kind::Failed, error.to_string()))??,
        () = &mut stop => return Err(Error::new(Kind::Cancelled, "stopped before the folder was open")),
    };
    let stopped = loop {
        let waited = {
            let walk = Arc::clone(&walk);
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
        walk.ended(AT_ONCE);
    }
    let rows = match &question.matching {
        None => walk.page(FolderId::ROOT, Order::Size, 0, question.top).rows,
        Some(matching) => {
            let order = if matching.larger.is_some() { Order::Size } else { Order::Age };
            walk.files(matching, order, question.top)
        }
    };
    Ok(Usage { progress: walk.progress(), rows, stopped })
}
