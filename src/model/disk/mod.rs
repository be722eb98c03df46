//! The disk tab: the places that can be walked, what was found in each, and the tree of one of them.

mod places;
mod tree;

pub use places::{DiskRoot, RootKind, collect};
pub use tree::{DiskTree, Mark};

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::list::List;
use super::rows::Row;
use crate::core::classify::{Classifier, Explanation, Grounds, Origin};
use crate::core::fate::Verdict;
use crate::core::mount;
use crate::core::storage::StorageKind;
use crate::core::workspace::{Workspace, WsKey};

/// What lines of a walk are made of: plain data of the port.
pub use crate::port::{Asked, By, EntryKind, Line, Order, Progress, Show, Shown, Totals, Trait};

/// Everything about the disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// Whether the engine's folders are on the disk that can be walked.
    pub shared: bool,
    /// The person's home.
    pub home: Option<PathBuf>,
    /// Somebody looked at the tab: places that no workspace needs are walked too.
    pub visited: bool,
    /// The places, in their own order.
    pub roots: Vec<DiskRoot>,
    /// The list of places.
    pub list: List,
    /// What the places are sorted by; `None` is their own order.
    pub order: Option<Order>,
    /// What was found in each place that was or is walked.
    pub walks: HashMap<PathBuf, Walked>,
    /// The place whose tree is open.
    pub tree: Option<DiskTree>,
    /// This machine, which answers for paths that no container mounts.
    pub machine: Option<Box<(Workspace, Grounds)>>,
}

/// How far a place was walked.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// What the last walk found, to its end or until it was stopped.
    pub known: Option<Found>,
    /// What a walk that is under way has found so far.
    pub reading: Option<Progress>,
    /// Why it could not be walked.
    pub not_read: Option<String>,
    /// It is to be walked again.
    pub again: bool,
}

/// What a walk found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Totals, and what is missing in them.
    pub progress: Progress,
    /// When it ended.
    pub as_of: Timestamp,
    /// Somebody stopped it.
    pub stopped: bool,
}

impl Found {
    /// Whether everything was met: else the totals are a lower bound.
    pub const fn complete(&self) -> bool {
        self.progress.finished && self.progress.total.errors == 0
    }
}

/// A size that may be a lower bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// It is being read; so much was found.
    Reading(u64),
    /// So many allocated bytes, as of a moment.
    Known {
        /// Allocated bytes, as `du` counts them.
        bytes: u64,
        /// Not everything could be read.
        at_least: bool,
        /// When it was read; where several places belong to it, the oldest.
        as_of: Timestamp,
    },
    /// It waits for its turn.
    Waiting,
    /// It cannot be read.
    NotRead,
    /// There is nothing to measure.
    Nothing,
}

impl Disk {
    /// What is known of a place.
    pub fn walked(&self, path: &Path) -> Option<&Walked> {
        self.walks.get(path)
    }

    /// How large a place is.
    pub fn size(&self, path: &Path) -> Size {
        let Some(walked) = self.walks.get(path) else { return Size::Waiting };
        match (&walked.reading, &walked.known, &walked.not_read) {
            // What was known is still the best figure while it is read again.
            (_, Some(found), _) => Size::Known {
                bytes: found.progress.total.allocated,
                at_least: !found.complete(),
                as_of: found.as_of,
            },
            (Some(progress), None, _) => Size::Reading(progress.total.allocated),
            (None, None, Some(_)) => Size::NotRead,
            (None, None, None) => Size::Waiting,
        }
    }

    /// What a workspace takes on the disk: its own folder and its writable layer.
    pub fn size_of(&self, row: &Row) -> Size {
        let parts = &row.disk;
        if !self.shared || parts.is_nothing() {
            return Size::Nothing;
        }
        let mut whole = (0_u64, parts.unseen, None::<Timestamp>);
        let (mut reading, mut waiting) = (None::<u64>, false);
        for size in parts.paths.iter().map(|path| self.size(path)) {
            match size {
                Size::Known { bytes, at_least, as_of } => {
                    whole.0 = whole.0.saturating_add(bytes);
                    whole.1 |= at_least;
                    whole.2 = Some(whole.2.map_or(as_of, |oldest| oldest.min(as_of)));
                }
                Size::Reading(bytes) => reading = Some(reading.unwrap_or(0).saturating_add(bytes)),
                Size::Waiting => waiting = true,
                Size::NotRead | Size::Nothing => whole.1 = true,
            }
        }
        match (reading, waiting, whole) {
            (Some(more), _, (bytes, ..)) => Size::Reading(bytes.saturating_add(more)),
            (None, true, (_, _, None)) => Size::Waiting,
            (None, true, (bytes, ..)) => Size::Reading(bytes),
            (None, false, (bytes, at_least, Some(as_of))) => Size::Known { bytes, at_least, as_of },
            (None, false, (_, _, None)) => Size::NotRead,
        }
    }

    /// The place under the cursor.
    pub fn selected(&self) -> Option<&DiskRoot> {
        self.list.selected_item().and_then(|index| self.roots.get(index))
    }

    /// Paths that are walked unasked and were not yet, once each.
    pub fn unread(&self, paths: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
        let mut seen = HashSet::new();
        let wanted = |path: &PathBuf| {
            let walked = self.walks.get(path);
            walked.is_none_or(|walked| {
                walked.reading.is_none()
                    && (walked.again || (walked.known.is_none() && walked.not_read.is_none()))
            })
        };
        paths.filter(wanted).filter(|path| seen.insert(path.clone())).collect()
    }
}

/// Who answers for a place of the disk, and by which path there.
#[derive(Debug)]
pub struct Answerer<'m> {
    /// The workspace.
    pub workspace: &'m Workspace,
    /// Its rules and mounts.
    pub classifier: Classifier<'m>,
    /// The path inside.
    pub path: PathBuf,
}

impl<'m> Answerer<'m> {
    /// What becomes of the place.
    pub fn explanation(&self) -> Explanation<'m> {
        self.classifier.explain(&self.path, Origin::Layer)
    }
}

/// Who answers for a path beneath a place: the workspace that the place belongs to, else the one that
/// mounts it and would lose most, else this machine.
pub fn answerer<'m>(disk: &'m Disk, rows: &'m [Row], root: &DiskRoot, beneath: &Path) -> Option<Answerer<'m>> {
    if let Some((key, inside)) = &root.of {
        let row = rows.iter().find(|row| row.workspace.key == *key)?;
        let path = mount::join(inside, beneath);
        return Some(Answerer { workspace: &row.workspace, classifier: row.classifier()?, path });
    }
    let host = mount::join(&root.path, beneath);
    let mut best: Option<(u32, Answerer<'m>)> = None;
    for row in rows {
        let (Some(classifier), true) = (row.classifier(), disk.shared) else { continue };
        for path in mount::paths_inside(&classifier.detail.mounts, &host) {
            let found = Answerer { workspace: &row.workspace, classifier, path };
            let worst = found.explanation().fates.severity();
            if best.as_ref().is_none_or(|(known, _)| worst > *known) {
                best = Some((worst, found));
            }
        }
    }
    if let Some((_, found)) = best {
        return Some(found);
    }
    let (workspace, grounds) = &**disk.machine.as_ref()?;
    Some(Answerer { workspace, classifier: grounds.classifier(), path: host })
}

/// What becomes of a place in words of one column; where written files and those of the image cannot be
/// told apart, what is said holds for the written ones.
pub fn fate(answerer: &Answerer<'_>, event: crate::core::event::Event) -> (Verdict, bool) {
    let explanation = answerer.explanation();
    let merged = explanation.storage == StorageKind::WritableLayer && answerer.workspace.container.is_none();
    (explanation.fates.verdict(event), merged)
}

/// The workspace that a place belongs to.
pub fn owner_of(root: &DiskRoot) -> Option<&WsKey> {
    root.of.as_ref().map(|(key, _)| key)
}
