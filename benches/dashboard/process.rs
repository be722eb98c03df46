//! What a process has used so far, from procfs: processor time, wake-ups, memory.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;

/// What was used up to now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    /// Seconds on a processor.
    pub(crate) cpu: f64,
    /// Voluntary context switches by thread.
    wakes: BTreeMap<OsString, u64>,
}

impl Used {
    /// Wake-ups since `before`. A thread that ended in between is left out: its count is gone.
    pub(crate) fn wakes_since(&self, before: &Self) -> u64 {
        let since =
            |(thread, wakes): (&OsString, &u64)| wakes - before.wakes.get(thread).unwrap_or(&0).min(wakes);
        self.wakes.iter().map(since).sum()
    }
}

/// Processor time and wake-ups of a process.
pub(crate) fn used(pid: u32) -> Used {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<u64> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .map(|field| field.trim().parse().unwrap_or(0))
        .collect();
    let ticks = fields.get(11).unwrap_or(&0) + fields.get(12).unwrap_or(&0);
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let wakes = threads
        .map(|thread| (thread.file_name(), number(&thread.path().join("status"), "voluntary_ctxt_switches:")))
        .collect();
    // Linux counts in hundredths of a second for user space, whatever its own clock.
    Used { cpu: ticks as f64 / 100.0, wakes }
}

/// Resident memory and the part of it that is no file's, in MiB.
pub(crate) fn memory(pid: u32) -> (f64, f64) {
    let status = std::path::PathBuf::from(format!("/proc/{pid}/status"));
    let mib = |name| number(&status, name) as f64 / 1024.0;
    (mib("VmRSS:"), mib("RssAnon:"))
}

fn number(file: &std::path::Path, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0)
}
