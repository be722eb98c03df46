//! One look at a place, without a memory of it: to learn its folders, or to tell whether anything
//! at all is different from the last time.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{FileType, RawDir, Statx, StatxFlags, statx};
use rustix::io::Errno;

use super::hub::{OpenFile, Watch};
use crate::scan::Job;
use crate::scan::birth::{FIELDS, QUIET};
use crate::scan::open::Root;

/// Bytes of entries asked for at a time.
const BUFFER: usize = 32 * 1024;
/// Deeper folders, by the bytes of their paths, are not looked at.
const LONGEST: usize = 64 * 1024;

/// What a survey is for.
#[derive(Clone, Copy)]
pub(super) enum Aim<'w> {
    /// Learn every folder, by this number, and find the files that somebody writes to, by theirs.
    Learn(&'w Watch, u32, &'w BTreeSet<u64>),
    /// Look at every file too.
    Compare,
}

/// What a place looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Looks {
    /// Two looks at the same differ when anything that was looked at does.
    pub(super) print: u64,
    /// When one of its folders last changed, in seconds since 1970.
    changed: i64,
    /// Files that somebody writes to.
    pub(super) written: Vec<OpenFile>,
}

impl Looks {
    /// Whether a folder of it changed at a moment or later.
    pub(super) fn changed_since(&self, moment: Timestamp) -> bool {
        self.changed >= moment.as_second()
    }

    fn take(&mut self, folder: &Path, name: &OsStr, stat: &Statx) {
        let mut hasher = DefaultHasher::new();
        let times = [stat.stx_mtime, stat.stx_ctime].map(|time| (time.tv_sec, time.tv_nsec));
        (folder, name, stat.stx_ino, stat.stx_size, stat.stx_blocks, stat.stx_nlink, times).hash(&mut hasher);
        // In whichever order entries are met.
        self.print = self.print.wrapping_add(hasher.finish());
    }
}

/// Looks at a place, on its own mount and following no link; what may not be read is left out.
pub(super) fn survey(job: &Job, root: &Root, aim: Aim<'_>) -> Looks {
    let mut looks = Looks::default();
    let Ok(home) = statx(root.handle(), c"", QUIET, FIELDS) else { return looks };
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
    let mut pending = vec![PathBuf::new()];
    while let Some(folder) = pending.pop() {
        // What is gone or forbidden by now looks so: its absence is what differs.
        let Ok(handle) = enter(root, &folder, &home) else { continue };
        let known = match aim {
            // First, so that nothing happens between this and the reading.
            Aim::Learn(watch, number, _) => watch.know(handle.as_fd(), c"", number).unwrap_or_default(),
            Aim::Compare => Vec::new(),
        };
        if let Ok(stat) = statx(&handle, c"", QUIET, FIELDS | StatxFlags::CTIME) {
            looks.changed = looks.changed.max(stat.stx_ctime.tv_sec);
            looks.take(&folder, OsStr::new(""), &stat);
        }
        let mut entries = RawDir::new(&handle, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let told = entry.file_type();
            // On an overlay a file has the number of the one beneath it, which is this one.
            if matches!(aim, Aim::Learn(_, _, open) if open.contains(&entry.ino()))
                && told == FileType::RegularFile
            {
                looks.written.push((known.as_slice().into(), name.to_bytes().into()));
            }
            let stat = (matches!(aim, Aim::Compare) || told == FileType::Unknown)
                .then(|| statx(&handle, name, QUIET, FIELDS | StatxFlags::CTIME));
            let Ok(stat) = stat.transpose() else { continue };
            let name = OsStr::from_bytes(name.to_bytes());
            let kind = stat.map_or(told, |stat| FileType::from_raw_mode(u32::from(stat.stx_mode)));
            if let Some(stat) = stat.filter(|_| kind != FileType::Directory) {
                looks.take(&folder, name, &stat);
            }
            if kind == FileType::Directory {
                let inner = folder.join(name);
                if !job.skip.contains(&job.shown_at.join(&inner)) && inner.as_os_str().len() < LONGEST {
                    pending.push(inner);
                }
            }
        }
    }
    looks
}

fn enter(root: &Root, folder: &Path, home: &Statx) -> Result<OwnedFd, Errno> {
    let handle = root.directory(folder)?;
    // Where the kernel takes one name after the other it does not watch the mounts.
    let same = !root.by_component() || statx(&handle, c"", QUIET, FIELDS)?.stx_mnt_id == home.stx_mnt_id;
    if same { Ok(handle) } else { Err(Errno::XDEV) }
}
