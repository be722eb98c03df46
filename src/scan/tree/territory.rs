//! What the kernel says of one entry, and which mount it is on.

use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Statx, StatxFlags, statx};
use rustix::io::Errno;

use super::folders::Added;
use crate::scan::birth::{FIELDS, QUIET};
use crate::scan::open::Root;

/// An entry by its name: with [`QUIET`] whole the kernel would look first whether there is one.
pub(super) const BY_NAME: AtFlags = QUIET.difference(AtFlags::EMPTY_PATH);

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

/// What the root of a walk says about itself.
pub(super) struct Itself {
    pub(super) home: Territory,
    pub(super) device: (u32, u32),
    pub(super) alone: Added,
}

impl Itself {
    pub(super) const fn of(stat: &Statx) -> Self {
        Self { home: Territory::of(stat), device: device(stat), alone: alone(stat) }
    }
}

/// What an open folder says about itself.
pub(super) fn itself(folder: impl AsFd) -> Result<Itself, Errno> {
    Ok(Itself::of(&statx(folder, c"", QUIET, FIELDS)?))
}

/// A root that is a single file; a link is none.
pub(super) fn one_file(path: &Path) -> Result<Statx, Errno> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Err(Errno::NOTDIR) };
    file_in(Root::open(folder)?.handle(), name)
}

/// A file in an open folder; a link is none.
pub(super) fn file_in(folder: impl AsFd, name: &OsStr) -> Result<Statx, Errno> {
    let stat = statx(folder, name, BY_NAME, FIELDS)?;
    if FileType::from_raw_mode(u32::from(stat.stx_mode)) != FileType::RegularFile {
        return Err(Errno::NOTDIR);
    }
    Ok(stat)
}

/// What a folder adds by itself.
pub(super) const fn alone(stat: &Statx) -> Added {
    Added {
        allocated: allocated(stat),
        apparent: stat.stx_size,
        newest: stat.stx_mtime.tv_sec,
        ..Added::NOTHING
    }
}

pub(super) const fn allocated(stat: &Statx) -> u64 {
    stat.stx_blocks.saturating_mul(512)
}

pub(super) const fn device(stat: &Statx) -> (u32, u32) {
    (stat.stx_dev_major, stat.stx_dev_minor)
}

/// The moment of an entry's last change of any kind: seconds since 1970 and nanoseconds.
pub(super) const fn last_change(stat: &Statx) -> (i64, u32) {
    (stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec)
}
