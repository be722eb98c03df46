//! Reads directories: layers of containers, memory, volumes. No UI words, no engine.
//!
//! Every step opens beneath an open directory handle and follows no link, so a
//! directory swapped for a link while it is read leads nowhere else.

pub mod mountinfo;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::mount::Measure;
use crate::core::storage::StorageKind;
use crate::port::{PathKind, ScanStream};

/// Which files in a place count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An overlay's upper directory: whiteouts are deletions, not files.
    Upper,
    /// Every file.
    Everything,
    /// A merged root seen from inside: files born after the root itself.
    BornAfterRoot,
}

/// One place to read.
#[derive(Clone, Debug)]
pub struct Job {
    /// The directory on this machine.
    pub root: PathBuf,
    /// Where it is inside the container.
    pub shown_at: PathBuf,
    /// What it lives on.
    pub storage: StorageKind,
    /// Which files count.
    pub rule: Rule,
    /// Paths inside the container that are not entered: other mounts.
    pub skip: Vec<PathBuf>,
}

/// Reads places one after the other on a thread of its own; dropping the stream cancels.
pub fn stream(_jobs: Vec<Job>, _background: bool) -> ScanStream {
    Box::pin(futures_util::stream::empty())
}

/// Allocated bytes below a directory, hard links once, within a time budget.
pub fn measure(_root: &Path, _budget: Duration) -> Measure {
    Measure::NotSupported
}

/// What is at a path beneath a root, following no link in its last component and none out of the root.
pub fn look(_root: &Path, _path: &Path) -> PathKind {
    PathKind::Unknown
}
