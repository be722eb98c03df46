//! Which file or directory a path leads to, by device and number: whether two paths lead to the same.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path};

use jiff::Timestamp;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Statx, StatxFlags, StatxTimestamp, openat, statx};
use rustix::io::Errno;

use super::birth::{FIELDS, QUIET};
use super::open::Root;
use crate::core::path::normal;

/// A file or directory of this machine: the same on every path that leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: (u32, u32),
    number: u64,
}

/// What is at a path beneath a root, no link followed; `None` where that cannot be seen.
pub fn beneath(root: &Path, path: &Path) -> Option<Identity> {
    let root = Root::open(root).ok()?;
    let mut at: Option<OwnedFd> = None;
    for component in normal(path).components() {
        let Component::Normal(name) = component else { continue };
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = at.as_ref().map_or(root.handle(), AsFd::as_fd);
        at = Some(openat(folder, name, flags, Mode::empty()).ok()?);
    }
    let stat = match &at {
        Some(at) => statx(at, c"", QUIET, FIELDS),
        None => statx(root.handle(), c"", QUIET, FIELDS),
    };
    stat.ok().map(|stat| Identity { device: (stat.stx_dev_major, stat.stx_dev_minor), number: stat.stx_ino })
}

/// What is at a path of this machine, links followed; `Ok(None)` where nothing is.
pub fn here(path: &Path) -> std::io::Result<Option<Identity>> {
    // Going through a directory makes an automounter mount it; looking at it alone does not.
    let found = std::fs::metadata(path.join(".")).or_else(|_| std::fs::metadata(path));
    match found {
        Ok(found) => {
            let device = (rustix::fs::major(found.dev()), rustix::fs::minor(found.dev()));
            Ok(Some(Identity { device, number: found.ino() }))
        }
        Err(why) if matches!(Errno::from_io_error(&why), Some(Errno::NOENT | Errno::NOTDIR)) => Ok(None),
        Err(why) => Err(why),
    }
}

/// Whether what is at a path is what was there at a moment, as far as times tell; `None` where they
/// do not. Made later, it is another one. Where neither it nor the folder it is in was changed since,
/// nothing was put in its place: that changes both.
pub fn stayed(path: &Path, since: Timestamp) -> Option<bool> {
    let path = path.canonicalize().ok()?;
    let look = |path: &Path| -> Option<Statx> {
        statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS | StatxFlags::BTIME).ok()
    };
    let itself = look(&path)?;
    let moment =
        |time: StatxTimestamp| Timestamp::new(time.tv_sec, i32::try_from(time.tv_nsec).unwrap_or(0)).ok();
    let born = (itself.stx_mask & StatxFlags::BTIME.bits() != 0).then(|| moment(itself.stx_btime)).flatten();
    if born.is_some_and(|born| born > since) {
        return Some(false);
    }
    let untouched = |time: Option<Timestamp>| time.is_some_and(|time| time <= since);
    let folder = path.parent().and_then(look);
    let stays = untouched(moment(itself.stx_ctime))
        || folder
            .is_some_and(|folder| untouched(moment(folder.stx_mtime)) && untouched(moment(folder.stx_ctime)));
    stays.then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_the_same_on_every_path_and_another_one_of_its_name_is_not() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let folder = dir.path().join("w");
        std::fs::create_dir(&folder).expect("folder");
        std::os::unix::fs::symlink(&folder, dir.path().join("link")).expect("link");
        let was = here(&folder).expect("a look");
        assert_eq!(beneath(dir.path(), Path::new("/w")), was);
        assert_eq!(here(&dir.path().join("link")).expect("a look"), was);
        assert_eq!(beneath(dir.path(), Path::new("/link/x")), None, "no link is followed beneath a root");
        std::fs::rename(&folder, dir.path().join("w.old")).expect("rename");
        assert_eq!(here(&folder).expect("a look"), None);
        std::fs::create_dir(&folder).expect("folder");
        assert_ne!(here(&folder).expect("a look"), was);
        assert_eq!(here(&dir.path().join("w.old")).expect("a look"), was);
    }

    #[test]
    fn times_tell_what_was_made_later_and_what_nobody_touched() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let folder = dir.path().join("w");
        std::fs::create_dir(&folder).expect("folder");
        let hour = jiff::SignedDuration::from_hours(1);
        let now = Timestamp::now();
        assert_eq!(stayed(&folder, now + hour), Some(true));
        // A file system without birth times leaves it open.
        assert_ne!(stayed(&folder, now - hour), Some(true));
        assert_eq!(stayed(&dir.path().join("none"), now), None);
    }
}
