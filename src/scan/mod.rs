//! Reads directories: layers of containers, memory, volumes. No UI words, no engine.
//!
//! Every step opens beneath an open directory handle and follows no link, so a
//! directory swapped for a link while it is read leads nowhere else.

mod birth;
mod disk;
mod folder;
mod look;
mod measure;
pub mod mountinfo;
mod open;
mod project;
mod read;
mod stream;
mod tree;
mod troubles;
mod upper;
mod walk;
#[cfg(test)]
mod walk_tests;

use std::path::PathBuf;

use crate::core::storage::StorageKind;

pub use birth::{made, origin, tells_births};
pub use disk::LocalDisk;
pub use folder::folder;
pub use look::{landmarks, look};
pub use measure::{measure, measure_job};
pub use open::Root;
pub use project::{Budget, project};
pub use read::read;
pub use stream::stream;

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
