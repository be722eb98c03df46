//! What takes the space: the walk of a folder, watched until it ends or somebody has seen enough.

use std::cmp::Reverse;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::explain::explain;
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::mount;
use crate::core::spot::Spot;
use crate::core::storage::StorageKind;
use crate::core::workspace::Workspace;
use crate::port::{By, Disk, Engine, FolderId, Matching, Order, Pace, Progress, Row, Sum, Walk, Whereabouts};
use crate::text::printable_path;

/// How often progress is told.
const EVERY: Duration = Duration::from_millis(100);
/// How long a stopped walk may take to end.
const AT_ONCE: Duration = Duration::from_millis(50);

/// Where a walk begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At a path of this machine, as somebody who is on it names it.
    Here(PathBuf),
    /// Beneath a root that belongs to a workspace: no link below it is followed.
    Beneath(Spot),
}

/// A path inside a workspace, as far as it can be walked on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The path, links followed inside its root.
    pub path: PathBuf,
    /// Where it is on this machine.
    pub spot: Spot,
    /// How it is walked: `upper` is what was written to the layer alone, `mount` a mounted folder, `proc`
    /// what only the workspace's own processes see, such as memory.
    pub method: &'static str,
}

/// Finds a path of a workspace on this machine.
pub async fn inside(
    engine: &dyn Engine,
    workspace: &Workspace,
    grounds: &Grounds,
    path: &Path,
) -> Result<Inside> {
    let found = explain(engine, workspace, grounds, path).await?.resolved;
    let detail = &grounds.detail;
    let mount = mount::holding(&detail.mounts, &found);
    let layer = mount.is_some_and(|mount| mount.storage == StorageKind::WritableLayer);
    let own = mount.and_then(|mount| {
        let rest = found.strip_prefix(&mount.target).ok()?;
        Spot::new(mount.host_path.clone().filter(|_| engine.shares_our_disk())?, rest)
    });
    if let Some(spot) = own {
        return Ok(Inside { path: found, spot, method: if layer { "upper" } else { "mount" } });
    }
    // What only the workspace's own processes see.
    if let Ok(Whereabouts { spot, partial: None, .. }) =
        engine.whereabouts(&workspace.key, detail, &found).await
    {
        return Ok(Inside { path: found, spot, method: "proc" });
    }
    let message = format!("{} has no place of its own on this machine", printable_path(&found));
    Err(Error::new(Kind::NotSupported, message)
        .hint("root sees the memory of running containers; else run `du` inside, or `outlast mounts NAME`"))
}

/// What is asked about a folder.
#[derive(Clone, Debug)]
pub struct Question {
    /// Rows at most.
    pub top: usize,
    /// Files anywhere beneath, in place of the entries of the folder.
    pub matching: Option<Matching>,
    /// What all files are put together by, in place of both.
    pub by: Option<By>,
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
    /// What was put together, the largest first.
    pub sums: Vec<Sum>,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

/// Begins to walk a folder, away from the caller's thread: opening it may wait for the disk. Unless
/// every file is to be looked at, what is remembered of the folder is the beginning.
pub async fn open(disk: &Arc<dyn Disk>, start: &Start, fresh: bool, pace: Pace) -> Result<Arc<dyn Walk>> {
    let (disk, start) = (Arc::clone(disk), start.clone());
    let opening = move || {
        let walk = match &start {
            Start::Here(path) if fresh => disk.walk(path, pace),
            Start::Here(path) => disk.recall(path, pace),
            Start::Beneath(spot) => disk.walk_beneath(spot, pace),
        };
        walk.map(Arc::from)
    };
    let opened = tokio::task::spawn_blocking(opening).await;
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
                // One that ended early was told to by somebody else who holds it.
                Ok(true) => break !walk.progress().finished,
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
    start: &Start,
    question: &Question,
    stop: impl Future<Output = ()>,
    tell: &mut (dyn FnMut(&Progress) + Send),
) -> Result<Usage> {
    let mut stop = std::pin::pin!(stop);
    let walk = tokio::select! {
        opened = open(disk, start, question.fresh, Pace::Full) => opened?,
        () = &mut stop => return Err(Error::new(Kind::Cancelled, "stopped before the folder was open")),
    };
    let stopped = watch(&walk, stop, tell).await;
    let rows = match &question.matching {
        _ if question.by.is_some() => Vec::new(),
        None => walk.page(FolderId::ROOT, Order::Size, 0, question.top).rows,
        Some(matching) => {
            let order = if matching.larger.is_some() { Order::Size } else { Order::Age };
            walk.files(matching, order, question.top)
        }
    };
    let mut sums = question.by.map(|by| walk.sums(by)).unwrap_or_default();
    sums.sort_by_key(|sum| Reverse(sum.totals.allocated));
    Ok(Usage { progress: walk.progress(), rows, sums, stopped })
}
