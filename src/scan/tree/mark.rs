//! What a folder is known again by, and an entry as it is packed.

use std::num::NonZeroU64;

use jiff::Timestamp;
use rustix::fs::{FileType, Statx, StatxTimestamp};

use super::links::Device;
use super::node::Leaf;
use super::territory::device;
use crate::port::EntryKind;

/// Changes within this many nanoseconds may have the same moment: nothing so fresh is known again.
const FRESH: i128 = 50_000_000;
/// The same where a file system counts in seconds.
const FRESH_SECONDS: i128 = 2_000_000_000;

/// What a folder is known again by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) inode: u64,
    /// Stands for the moments of its last changes; none where they are too fresh to tell the next
    /// change from.
    pub(super) stamp: Option<NonZeroU64>,
}

impl Mark {
    /// As of now; the look at the folder must come before its entries are read.
    pub(super) fn of(stat: &Statx) -> Self {
        let nanoseconds =
            |time: StatxTimestamp| i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec);
        let moment =
            |time: StatxTimestamp| mix(time.tv_sec.cast_unsigned().rotate_left(32) ^ u64::from(time.tv_nsec));
        let coarse = stat.stx_ctime.tv_nsec == 0 && stat.stx_mtime.tv_nsec == 0;
        let fresh = if coarse { FRESH_SECONDS } else { FRESH };
        let settled = Timestamp::now().as_nanosecond() - nanoseconds(stat.stx_ctime) > fresh;
        let stamp = moment(stat.stx_mtime) ^ moment(stat.stx_ctime).rotate_left(1);
        Self { inode: stat.stx_ino, stamp: NonZeroU64::new(stamp).filter(|_| settled) }
    }
}

/// Spreads what is close together.
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// What kind of entry it is.
pub(super) fn kind(stat: &Statx) -> EntryKind {
    match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
        FileType::Directory => EntryKind::Folder,
        FileType::RegularFile => EntryKind::File,
        FileType::Symlink => EntryKind::Link,
        _ => EntryKind::Special,
    }
}

/// An entry that is no folder, counted under this name.
pub(super) fn leaf<'n>(name: &'n [u8], stat: &Statx, home: Device) -> Leaf<'n> {
    let linked = stat.stx_nlink > 1;
    Leaf {
        name,
        kind: kind(stat),
        again: false,
        changed: false,
        blocks: stat.stx_blocks,
        apparent: stat.stx_size,
        modified: stat.stx_mtime.tv_sec,
        owner: stat.stx_uid,
        inode: stat.stx_ino,
        linked,
        device: Some(device(stat)).filter(|device| linked && *device != home),
    }
}
