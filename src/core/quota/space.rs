//! How full a file system is, from the numbers that `statvfs` gives. The same figures as `df`.

use serde::Serialize;

use super::Status;
use crate::core::filesystem::Filesystem;

/// What no disk has: from here on a size is a figure of speech.
const NO_DISK: u64 = 1 << 60;
/// What a user-space file system says that has no size to tell.
const NO_SIZE: u64 = 1 << 50;

/// The numbers of `statvfs`, as the kernel gives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The unit of the next three, in bytes.
    pub unit: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Blocks that hold nothing.
    pub free: u64,
    /// Those of them that a plain user may take.
    pub available: u64,
    /// Inodes in all; 0 where the file system has no fixed number of them.
    pub inodes: u64,
    /// Inodes that are free.
    pub inodes_free: u64,
}

/// How full a file system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes in all.
    pub total: u64,
    /// Bytes in use.
    pub used: u64,
    /// Bytes that a plain user may still take: less than what is not in use, where some are reserved.
    pub available: u64,
    /// Inodes; `None` where the file system makes them as it needs them.
    pub inodes: Option<Inodes>,
    /// Whether it grows as it is filled, so that its size is no limit.
    pub elastic: bool,
}

/// Inodes of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Inodes {
    /// In all.
    pub total: u64,
    /// In use.
    pub used: u64,
    /// Free.
    pub available: u64,
}

impl Inodes {
    /// How many of them are in use, in percent, rounded up as `df` does.
    pub fn percent(self) -> Option<u64> {
        percent(self.used, self.available)
    }
}

impl Space {
    /// What the numbers mean, for a type of file system.
    pub fn of(counts: Counts, kind: &str) -> Self {
        let bytes = |blocks: u64| blocks.saturating_mul(counts.unit);
        // Where root has taken what is reserved, some file systems go below zero.
        let available = if counts.available > counts.blocks { 0 } else { counts.available };
        let total = bytes(counts.blocks);
        let vague = Filesystem::of(kind) == Filesystem::Unclear || kind.starts_with("fuse");
        let inodes = (counts.inodes > 0).then(|| Inodes {
            total: counts.inodes,
            used: counts.inodes.saturating_sub(counts.inodes_free),
            available: counts.inodes_free.min(counts.inodes),
        });
        Self {
            total,
            used: bytes(counts.blocks.saturating_sub(counts.free)),
            available: bytes(available),
            inodes,
            elastic: total >= NO_DISK || (vague && total >= NO_SIZE),
        }
    }

    /// How much is in use of what people may use, in percent, rounded up as `df` does.
    pub fn percent(self) -> Option<u64> {
        percent(self.used, self.available)
    }

    /// How it stands: the worse of bytes and inodes. What grows by itself is never full.
    pub fn status(self) -> Status {
        if self.elastic {
            return Status::Ok;
        }
        let bytes = Status::of(self.used, self.used.saturating_add(self.available));
        let inodes = self.inodes.map(|inodes| Status::of(inodes.used, inodes.total));
        inodes.map_or(bytes, |inodes| bytes.max(inodes))
    }
}

fn percent(used: u64, available: u64) -> Option<u64> {
    let (used, all) = (u128::from(used), u128::from(used) + u128::from(available));
    (all > 0).then(|| u64::try_from((used * 100).div_ceil(all)).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DISK: Counts =
        Counts { unit: 4096, blocks: 1000, free: 200, available: 150, inodes: 50, inodes_free: 40 };

    #[test]
    fn what_is_reserved_for_root_is_neither_used_nor_available() {
        let space = Space::of(DISK, "ext4");
        assert_eq!((space.total, space.used, space.available), (4_096_000, 800 * 4096, 150 * 4096));
        assert_eq!(space.percent(), Some(85), "800 of 950, rounded up");
        assert_eq!(space.inodes.map(Inodes::percent), Some(Some(20)));
        assert_eq!(space.status(), Status::Notice);
    }

    #[test]
    fn a_file_system_without_a_number_of_inodes_has_no_share_of_them() {
        assert_eq!(Space::of(Counts { inodes: 0, inodes_free: 0, ..DISK }, "btrfs").inodes, None);
    }

    #[test]
    fn inodes_alone_can_fill_a_disk() {
        let space = Space::of(Counts { free: 900, available: 900, inodes_free: 0, ..DISK }, "ext4");
        assert_eq!((space.percent(), space.status()), (Some(10), Status::Over));
    }

    #[test]
    fn numbers_below_zero_are_nothing_and_not_exabytes() {
        let space = Space::of(Counts { available: u64::MAX - 5, free: 2000, ..DISK }, "ufs");
        assert_eq!((space.used, space.available), (0, 0));
        assert_eq!(Space::of(Counts::default(), "ext4").percent(), None);
    }

    #[test]
    fn a_share_of_exabytes_has_no_fixed_size_and_a_large_disk_has_one() {
        // What a share of Amazon's EFS says, in units of a mebibyte.
        let efs = Counts { unit: 1 << 20, blocks: 8_796_093_022_207, free: 8_796_093_022_207, ..DISK };
        assert!(Space::of(efs, "nfs4").elastic);
        let pebibyte = Counts { unit: 1 << 20, blocks: 1 << 30, free: 10, available: 10, ..DISK };
        assert!(!Space::of(pebibyte, "lustre").elastic);
        assert_eq!(Space::of(pebibyte, "lustre").status(), Status::Warning);
        assert!(Space::of(pebibyte, "fuse.rclone").elastic);
    }
}
