//! When files were born: what tells a container's own files from those of its image.
//!
//! An overlay keeps each layer file's own birth time, and the upper directory is
//! made with the container: what was born before `/` came with the image.

use std::os::fd::AsFd;
use std::path::Path;

use jiff::Timestamp;
use rustix::fs::{AtFlags, Statx, StatxFlags, StatxTimestamp, statx};
use rustix::io::Errno;

use super::open::Root;
use crate::core::classify::Origin;
use crate::core::path::normal;

/// Statx without asking a server and without starting an automount.
pub(super) const QUIET: AtFlags = AtFlags::STATX_DONT_SYNC
    .union(AtFlags::SYMLINK_NOFOLLOW)
    .union(AtFlags::NO_AUTOMOUNT)
    .union(AtFlags::EMPTY_PATH);

/// What statx is asked for.
pub(super) const FIELDS: StatxFlags =
    StatxFlags::BASIC_STATS.union(StatxFlags::BTIME).union(StatxFlags::MNT_ID);

/// The moment a container was made, as its root tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Birth {
    at: (i64, u32),
    /// Taken from a marker file, which is no file of the container's own.
    by_marker: bool,
}

impl Birth {
    /// The birth of an open root; where its file system keeps none (fuse-overlayfs), the runtime's
    /// own marker file stands in, written when the container was made.
    pub(super) fn of(root: impl AsFd) -> Option<Self> {
        let root = root.as_fd();
        let itself = statx(root, c"", QUIET, FIELDS).ok()?;
        if let Some(at) = btime(&itself) {
            return Some(Self { at, by_marker: false });
        }
        [c".dockerenv", c"run/.containerenv"]
            .into_iter()
            .find_map(|marker| statx(root, marker, QUIET, FIELDS).ok())
            .map(|marker| Self { at: moment(marker.stx_ctime), by_marker: true })
    }

    /// Whether a file came after: by its birth, or by its last change where it has no birth time.
    pub(super) fn is_before(self, file: &Statx) -> bool {
        let came = btime(file).unwrap_or_else(|| moment(file.stx_ctime));
        if self.by_marker { came > self.at } else { came >= self.at }
    }
}

/// Whether births tell a container's files from its image's, by the type of the root's file
/// system. Elsewhere (vfs, btrfs, zfs) the whole image was copied or cloned for the container,
/// and every file of it may be younger than the root.
pub fn tells_births(filesystem: Option<&str>) -> bool {
    matches!(filesystem, Some("overlay" | "fuse.fuse-overlayfs" | "fuse-overlayfs" | "aufs"))
}

/// When a container was made, as the birth of its root tells it.
pub fn made(root: &Path) -> Option<Timestamp> {
    let root = Root::open(root).ok()?;
    let birth = Birth::of(root.handle())?;
    let (seconds, nanoseconds) = birth.at;
    Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
}

/// Where a path beneath a container's root comes from, as its birth tells it. Follows no link.
pub fn origin(root: &Path, path: &Path) -> Origin {
    let told = || -> Result<Origin, Errno> {
        let root = Root::open(root)?;
        let birth = Birth::of(root.handle()).ok_or(Errno::NOTSUP)?;
        let path = normal(path);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(Origin::Layer);
        };
        let folder = root.directory(folder.strip_prefix("/").unwrap_or(folder))?;
        let file = statx(&folder, name, QUIET, FIELDS)?;
        Ok(if birth.is_before(&file) { Origin::Layer } else { Origin::Image })
    };
    match told() {
        Ok(origin) => origin,
        Err(Errno::NOENT) => Origin::Absent,
        Err(_) => Origin::Unknown,
    }
}

/// Seconds since 1970 and nanoseconds.
fn btime(file: &Statx) -> Option<(i64, u32)> {
    let known = file.stx_mask & StatxFlags::BTIME.bits() != 0 && file.stx_btime.tv_sec != 0;
    known.then(|| moment(file.stx_btime))
}

const fn moment(time: StatxTimestamp) -> (i64, u32) {
    (time.tv_sec, time.tv_nsec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_layers_laid_over_each_other_tell_by_birth() {
        for filesystem in ["overlay", "fuse.fuse-overlayfs", "fuse-overlayfs", "aufs"] {
            assert!(tells_births(Some(filesystem)), "{filesystem}");
        }
        for filesystem in [Some("ext4"), Some("btrfs"), Some("zfs"), Some("vfs"), None] {
            assert!(!tells_births(filesystem), "{filesystem:?}");
        }
    }

    #[test]
    fn a_file_made_after_the_root_is_of_the_layer() {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::fs::write(dir.path().join("x"), "x").expect("file");
        let of = |path: &str| origin(dir.path(), Path::new(path));
        assert_eq!(of("/x"), Origin::Layer);
        assert_eq!(of("/"), Origin::Layer);
        assert_eq!(of("/y/z"), Origin::Absent);
        assert_eq!(of("/x/z"), Origin::Unknown);
        let ago = made(dir.path()).map(|made| jiff::Timestamp::now().as_second() - made.as_second());
        assert!(ago.is_some_and(|seconds| (0..60).contains(&seconds)), "{ago:?}");
    }

    #[test]
    fn a_file_older_than_the_root_came_with_the_image() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        std::fs::write(&old, "x").expect("file");
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::create_dir(&new).expect("folder");
        std::fs::rename(&old, new.join("old")).expect("moved");
        assert_eq!(origin(&new, Path::new("/old")), Origin::Image, "a move does not touch the birth");
    }
}
