//! The walk: one thread, no recursion, one open folder at a time.
//!
//! A folder is opened by its path beneath the root's handle, so a deep tree
//! costs no handles, and a folder swapped for a link is refused by the kernel.

use std::collections::HashSet;
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{FileType, RawDir, Statx, StatxFlags, statx};
use rustix::io::Errno;

use super::birth::{Birth, FIELDS, QUIET};
use super::open::Root;
use super::troubles::Troubles;
use super::upper::{Sign, sign};
use super::{Job, Rule};
use crate::port::FileFact;

/// Folders whose path is longer than this many bytes are not read: opening one costs its length.
pub(super) const LONGEST: usize = 256 * 1024;
/// Bytes of folder entries asked for at a time.
const BUFFER: usize = 64 * 1024;
/// Files up to this size may be stored without a block of their own.
const INLINE: u64 = 4096;

/// One entry met on the way.
pub(super) struct Entry {
    /// Allocated bytes that it adds, hard links once; 0 where the rule leaves it out.
    pub(super) bytes: u64,
    /// The file, where it is one that counts.
    pub(super) file: Option<FileFact>,
}

/// An entry that does not count; the visitor still has its chance to break off.
const NOTHING: Entry = Entry { bytes: 0, file: None };

/// How a walk ended.
pub(super) struct Walked {
    /// Whether every entry was met; `false` where the visitor broke off.
    pub(super) finished: bool,
    /// Why the result is a lower bound.
    pub(super) gaps: Vec<String>,
    /// What is worth knowing although nothing is missing.
    pub(super) note: Option<String>,
}

/// Walks one place, showing every entry to the visitor until it breaks off.
/// Fails where the root cannot be opened.
pub(super) fn walk(job: &Job, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Walked, Errno> {
    let root = match Root::open(&job.root) {
        Err(Errno::NOTDIR) if job.rule == Rule::Everything => return one_file(job, visit),
        opened => opened?,
    };
    let stat = statx(root.handle(), c"", QUIET, FIELDS)?;
    let birth = Birth::of(root.handle());
    if job.rule == Rule::BornAfterRoot && birth.is_none() {
        let why =
            "the root file system keeps no birth times: your files cannot be told from those of the image";
        return Ok(Walked { finished: true, gaps: vec![why.into()], note: None });
    }
    let mut walker = Walker {
        job,
        home: Territory::of(&stat),
        root,
        birth,
        skip: job.skip.iter().map(PathBuf::as_path).collect(),
        linked: HashSet::new(),
        troubles: Troubles::default(),
        pending: vec![PathBuf::new()],
    };
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
    let mut ended = visit(Entry { bytes: walker.overhead(&stat), file: None });
    while ended.is_continue()
        && let Some(folder) = walker.pending.pop()
    {
        ended = walker.folder(&folder, &mut buffer, visit);
    }
    let Walker { troubles, .. } = walker;
    Ok(Walked { finished: ended.is_continue(), gaps: troubles.gaps(), note: troubles.note() })
}

/// A place may be a single file, such as a bind mount of one. A link is none.
fn one_file(job: &Job, visit: &mut dyn FnMut(Entry) -> ControlFlow<()>) -> Result<Walked, Errno> {
    let (Some(folder), Some(name)) = (job.root.parent(), job.root.file_name()) else {
        return Err(Errno::NOTDIR);
    };
    let stat = statx(Root::open(folder)?.handle(), name, QUIET, FIELDS)?;
    if FileType::from_raw_mode(u32::from(stat.stx_mode)) != FileType::RegularFile {
        return Err(Errno::NOTDIR);
    }
    let ended = visit(found(job, job.shown_at.clone(), &stat, false));
    Ok(Walked { finished: ended.is_continue(), gaps: Vec::new(), note: None })
}

/// A file that counts.
fn found(job: &Job, shown: PathBuf, stat: &Statx, changed: bool) -> Entry {
    let bytes = allocated(stat);
    let storage = job.storage;
    let file = FileFact { path: shown, bytes: Some(bytes), storage, modified: instant(stat), changed };
    Entry { bytes, file: Some(file) }
}

/// The mount that a walk stays on: its id, or on kernels before 5.8 its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Territory {
    Mount(u64),
    Device(u32, u32),
}

impl Territory {
    pub(super) const fn of(stat: &Statx) -> Self {
        if stat.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
            Self::Device(stat.stx_dev_major, stat.stx_dev_minor)
        } else {
            Self::Mount(stat.stx_mnt_id)
        }
    }
}

struct Walker<'j> {
    job: &'j Job,
    home: Territory,
    root: Root,
    birth: Option<Birth>,
    skip: HashSet<&'j Path>,
    /// Hard links already counted, by device and inode.
    linked: HashSet<(u32, u32, u64)>,
    troubles: Troubles,
    /// Folders still to read, relative to the root.
    pending: Vec<PathBuf>,
}

impl Walker<'_> {
    fn folder(
        &mut self,
        relative: &Path,
        buffer: &mut [MaybeUninit<u8>],
        visit: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let opened = self.root.directory(relative).and_then(|handle| {
            // The folder may have been replaced by a mount since its parent was read.
            let stat = statx(&handle, c"", QUIET, FIELDS)?;
            Ok((Territory::of(&stat) == self.home).then_some(handle))
        });
        let handle = match opened {
            Ok(Some(handle)) => handle,
            Ok(None) => return visit(NOTHING),
            Err(reason) => {
                self.troubles.folder(&self.shown(relative), reason);
                return visit(NOTHING);
            }
        };
        let mut entries = RawDir::new(&handle, buffer);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(reason) => {
                    self.troubles.folder(&self.shown(relative), reason);
                    break;
                }
            };
            let name = entry.file_name();
            if !matches!(name.to_bytes(), b"." | b"..") {
                let met = self.entry(relative, handle.as_fd(), name);
                visit(met.unwrap_or(NOTHING))?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Looks at one entry of an open folder; a folder is put on the list. `None` where it does not count.
    fn entry(&mut self, folder: &Path, handle: BorrowedFd<'_>, name: &CStr) -> Option<Entry> {
        let relative = folder.join(OsStr::from_bytes(name.to_bytes()));
        let shown = self.shown(&relative);
        if self.skip.contains(shown.as_path()) {
            return None;
        }
        let stat = match statx(handle, name, QUIET, FIELDS) {
            Ok(stat) => stat,
            Err(reason) => {
                self.troubles.file(&shown, reason);
                return None;
            }
        };
        if Territory::of(&stat) != self.home {
            return None;
        }
        match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
            FileType::Directory => {
                if relative.as_os_str().len() > LONGEST {
                    self.troubles.too_deep(&shown);
                } else {
                    self.pending.push(relative);
                }
                Some(Entry { bytes: self.overhead(&stat), file: None })
            }
            FileType::RegularFile => self.file(shown, handle, name, &stat),
            // Links, sockets, pipes and devices hold no data; a device 0:0 is an overlay's deletion.
            _ => Some(Entry { bytes: self.overhead(&stat), file: None }),
        }
    }

    fn file(&mut self, shown: PathBuf, handle: BorrowedFd<'_>, name: &CStr, stat: &Statx) -> Option<Entry> {
        let changed = match self.job.rule {
            Rule::Everything => false,
            Rule::BornAfterRoot if self.birth.is_some_and(|birth| birth.is_before(stat)) => false,
            Rule::BornAfterRoot => return None,
            Rule::Upper => match sign(handle, name, stat) {
                Sign::New => false,
                Sign::Changed => true,
                Sign::NoData => return None,
            },
        };
        let inode = (stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino);
        if stat.stx_nlink > 1 && !self.linked.insert(inode) {
            return None;
        }
        Some(found(self.job, shown, stat, changed))
    }

    /// What folders, links and the like take, where everything is counted.
    fn overhead(&self, stat: &Statx) -> u64 {
        if self.job.rule == Rule::Everything { stat.stx_blocks.saturating_mul(512) } else { 0 }
    }

    fn shown(&self, relative: &Path) -> PathBuf {
        self.job.shown_at.join(relative)
    }
}

/// Allocated bytes; a small file kept in its inode has no block and still holds its size.
const fn allocated(stat: &Statx) -> u64 {
    match stat.stx_blocks {
        0 if stat.stx_size <= INLINE => stat.stx_size,
        blocks => blocks.saturating_mul(512),
    }
}

fn instant(stat: &Statx) -> Option<Timestamp> {
    Timestamp::new(stat.stx_mtime.tv_sec, i32::try_from(stat.stx_mtime.tv_nsec).ok()?).ok()
}
