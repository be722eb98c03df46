//! When files were born: what tells a container's own files from those of its image.
//!
//! An overlay keeps each layer file's own birth time, and the upper directory is
//! made with the container: what was born before `/` came with the image.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{AtFlags, Statx, StatxFlags, StatxTimestamp, statx};
use rustix::io::Errno;

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
pub struct Birth {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds of the second.
    pub nanoseconds: u32,
}

impl Birth {
    /// The birth of an open root; where its file system keeps none, the runtime's own marker file
    /// stands in, written when the container was made.
    pub(super) fn of(root: impl AsFd) -> Option<Self> {
        let root = root.as_fd();
        let itself = statx(root, c"", QUIET, FIELDS).ok()?;
        if let Some(birth) = btime(&itself) {
            return Some(birth);
        }
        [c".dockerenv", c"run/.containerenv"]
            .into_iter()
            .find_map(|marker| statx(root, marker, QUIET, FIELDS).ok())
            .map(|marker| moment(marker.stx_ctime))
    }

    /// Whether a file came after: by its birth, or by its last change where it has no birth time.
    pub(super) fn is_before(self, file: &Statx) -> bool {
        let came = btime(file).unwrap_or_else(|| moment(file.stx_ctime));
        (came.seconds, came.nanoseconds) >= (self.seconds, self.nanoseconds)
    }

    /// The same moment as an instant.
    pub fn instant(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::new(self.seconds, i32::try_from(self.nanoseconds).ok()?).ok()
    }
}

/// The birth of a root, and whether what is at a path beneath it came after; `None` where nothing
/// is there, or where it cannot be told. Follows links in no component but the root's own.
pub fn born(root: &Path, path: &Path) -> Result<(Birth, bool), Errno> {
    let root = super::open::Root::open(root)?;
    let birth = Birth::of(root.handle()).ok_or(Errno::NOTSUP)?;
    let path = crate::core::path::normal(path);
    let relative = path.strip_prefix("/").unwrap_or(&path);
    let (Some(folder), Some(name)) = (relative.parent(), relative.file_name()) else {
        return Ok((birth, true));
    };
    let folder = root.directory(folder)?;
    let file = statx(&folder, name, QUIET, FIELDS)?;
    Ok((birth, birth.is_before(&file)))
}

fn btime(file: &Statx) -> Option<Birth> {
    let known = file.stx_mask & StatxFlags::BTIME.bits() != 0 && file.stx_btime.tv_sec != 0;
    known.then(|| moment(file.stx_btime))
}

const fn moment(time: StatxTimestamp) -> Birth {
    Birth { seconds: time.tv_sec, nanoseconds: time.tv_nsec }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_made_after_the_root_is_born_after_it() {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::fs::write(dir.path().join("x"), "x").expect("file");
        assert!(matches!(born(dir.path(), Path::new("/x")), Ok((_, true))));
        assert_eq!(born(dir.path(), Path::new("/y")).err(), Some(Errno::NOENT));
        assert!(born(dir.path(), Path::new("/")).is_ok_and(|(birth, _)| birth.instant().is_some()));
    }

    #[test]
    fn a_file_older_than_the_root_came_with_the_image() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        std::fs::write(&old, "x").expect("file");
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::create_dir(&new).expect("folder");
        std::fs::rename(&old, new.join("old")).expect("moved");
        assert!(
            matches!(born(&new, Path::new("/old")), Ok((_, false))),
            "a birth time is not touched by a move"
        );
    }
}
