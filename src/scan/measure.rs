//! How much a directory holds, as `du` counts it.

use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;

use super::tree::Tree;
use super::{Below, Job, Rule, troubles};
use crate::core::mount::Measure;
use crate::core::storage::StorageKind;
use crate::port::{Pace, Walk as _};

/// Allocated bytes below a directory, hard links once, within a time budget.
pub fn measure(root: &Path, budget: Duration) -> Measure {
    let job = Job {
        root: root.to_path_buf(),
        shown_at: "/".into(),
        storage: StorageKind::Unknown,
        rule: Rule::Everything,
        skip: Vec::new(),
        below: Below::default(),
    };
    measure_job(&job, budget)
}

/// Allocated bytes of what counts in one place, within a time budget. Not permitted is only the
/// root itself; folders further down that cannot be read make the figure a lower bound.
pub fn measure_job(job: &Job, budget: Duration) -> Measure {
    let tree = match Tree::of(job, Pace::Background, None) {
        Ok(tree) => tree,
        Err(Errno::ACCESS | Errno::PERM) => return Measure::NotPermitted,
        Err(Errno::NODATA) => return Measure::NotSupported,
        Err(reason) => return Measure::Failed(troubles::words(reason)),
    };
    let ended = tree.ended(budget);
    let progress = tree.progress();
    if ended && progress.gaps.is_empty() {
        Measure::Bytes(progress.total.allocated)
    } else {
        Measure::AtLeast(progress.total.allocated)
    }
}
