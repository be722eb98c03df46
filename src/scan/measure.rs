//! How much a directory holds, as `du` counts it.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::walk::walk;
use super::{Job, Rule, troubles};
use crate::core::mount::Measure;
use crate::core::storage::StorageKind;

/// Allocated bytes below a directory, hard links once, within a time budget.
pub fn measure(root: &Path, budget: Duration) -> Measure {
    let job = Job {
        root: root.to_path_buf(),
        shown_at: "/".into(),
        storage: StorageKind::Unknown,
        rule: Rule::Everything,
        skip: Vec::new(),
    };
    measure_job(&job, budget)
}

/// Allocated bytes of what counts in one place, within a time budget. Not permitted is only the
/// root itself; folders further down that cannot be read make the figure a lower bound.
pub fn measure_job(job: &Job, budget: Duration) -> Measure {
    let end = Instant::now() + budget;
    let mut bytes = 0_u64;
    let walked = walk(job, &mut |entry| {
        bytes = bytes.saturating_add(entry.bytes);
        if Instant::now() < end { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    match walked {
        Ok(walked) if walked.finished && walked.gaps.is_empty() => Measure::Bytes(bytes),
        Ok(_) => Measure::AtLeast(bytes),
        Err(Errno::ACCESS | Errno::PERM) => Measure::NotPermitted,
        Err(reason) => Measure::Failed(troubles::words(reason)),
    }
}
