//! When anything in a folder last changed: every entry is looked at, or there is no answer.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};

use crate::core::backup::Excludes;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Folders open at the same time at most; a deeper tree is not answered for.
const DEEPEST: usize = 200;

/// The newest change of content, name, rights or owner in a folder, without what is left out.
///
/// `None` where not all of it could be looked at in time: something newer may be there. The kernel
/// keeps the time of such changes itself, so that no program can set it back.
pub fn newest(root: &Path, excludes: &Excludes, within: Duration) -> Option<Timestamp> {
    let until = Instant::now() + within;
    let top = openat(CWD, root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let stat = fstat(&top).ok()?;
    let device = stat.st_dev;
    let mut newest = changed(&stat)?;
    let mut folders: Vec<(OwnedFd, PathBuf, std::vec::IntoIter<OsString>)> = Vec::new();
    let names = names(&top)?;
    folders.push((top, PathBuf::new(), names.into_iter()));
    loop {
        let depth = folders.len();
        let Some((folder, below, names)) = folders.last_mut() else { return Some(newest) };
        let Some(name) = names.next() else {
            folders.pop();
            continue;
        };
        if Instant::now() >= until {
            return None;
        }
        let below = below.join(&name);
        let stat = statat(&*folder, &name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
        if excludes.covers(&below, is_folder) {
            continue;
        }
        newest = newest.max(changed(&stat)?);
        if is_folder {
            // What lies on another mount was not looked at, nor saved.
            if stat.st_dev != device || depth >= DEEPEST {
                return None;
            }
            let inner = openat(&*folder, &name, FOLDER, Mode::empty()).ok()?;
            let names = self::names(&inner)?;
            folders.push((inner, below, names.into_iter()));
        }
    }
}

fn names(folder: &OwnedFd) -> Option<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder).ok()? {
        let entry = entry.ok()?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name.to_vec()));
        }
    }
    Some(names)
}

fn changed(stat: &Stat) -> Option<Timestamp> {
    Timestamp::new(stat.st_ctime, i32::try_from(stat.st_ctime_nsec).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn a_change_counts_also_where_its_time_was_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/b");
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(&file, "x").unwrap();
        let before = newest(folder.path(), &Excludes::default(), SOON).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        std::fs::write(&file, "y").unwrap();
        let old = std::time::SystemTime::UNIX_EPOCH;
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();
        let after = newest(folder.path(), &Excludes::default(), SOON).unwrap();
        assert!(after > before, "{before} {after}");
    }

    #[test]
    fn what_is_left_out_does_not_count_and_what_takes_too_long_is_not_answered() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join(".cache");
        std::fs::create_dir(&cache).unwrap();
        let excludes = Excludes::new([".cache"]);
        let before = newest(folder.path(), &excludes, SOON);
        std::thread::sleep(Duration::from_millis(30));
        std::fs::write(cache.join("x"), "x").unwrap();
        assert_eq!(newest(folder.path(), &excludes, SOON), before);
        assert!(newest(folder.path(), &Excludes::default(), SOON) > before);
        assert_eq!(newest(folder.path(), &excludes, Duration::ZERO), None);
        assert_eq!(newest(Path::new("/nowhere"), &excludes, SOON), None);
    }
}
