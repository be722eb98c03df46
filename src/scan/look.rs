//! A look at one path beneath a root.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, openat, readlinkat, statx};
use rustix::io::Errno;

use super::birth::{FIELDS, QUIET};
use super::open::Root;
use crate::core::path::normal;
use crate::port::PathKind;

/// What is at a path beneath a root, following no link in its last component and none out of the root.
///
/// A link before the last component is not followed either, and gives [`PathKind::Unknown`]: callers
/// resolve a path by asking for one component after the other.
pub fn look(root: &Path, path: &Path) -> PathKind {
    let path = normal(path);
    let Ok(root) = Root::open(root) else { return PathKind::Unknown };
    match find(&root, &path) {
        Ok(kind) => kind,
        Err(Errno::NOENT | Errno::NOTDIR) => PathKind::Absent,
        Err(_) => PathKind::Unknown,
    }
}

/// Which of these files and folders are beneath a root. Links on the way are not followed.
pub fn landmarks(root: &Path, paths: &[PathBuf]) -> BTreeSet<PathBuf> {
    let is_there = |path: &&PathBuf| !matches!(look(root, path), PathKind::Absent | PathKind::Unknown);
    paths.iter().filter(is_there).cloned().collect()
}

fn find(root: &Root, path: &Path) -> Result<PathKind, Errno> {
    let mut at: Option<OwnedFd> = None;
    let mut kind = PathKind::Directory;
    for component in path.components() {
        let Component::Normal(name) = component else { continue };
        if matches!(kind, PathKind::Link(_)) {
            return Ok(PathKind::Unknown);
        }
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let next = openat(at.as_ref().map_or(root.handle(), AsFd::as_fd), name, flags, Mode::empty())?;
        kind = kind_of(&next)?;
        at = Some(next);
    }
    Ok(kind)
}

fn kind_of(handle: &OwnedFd) -> Result<PathKind, Errno> {
    let stat = statx(handle, c"", QUIET, FIELDS)?;
    Ok(match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
        FileType::Directory => PathKind::Directory,
        FileType::Symlink => {
            let target = readlinkat(handle, c"", Vec::new())?;
            PathKind::Link(PathBuf::from(OsString::from_vec(target.into_bytes())))
        }
        _ => PathKind::File,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_look_tells_files_folders_links_and_nothing_apart() {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir(dir.path().join("folder")).expect("folder");
        std::fs::write(dir.path().join("folder/file"), "x").expect("file");
        symlink("/etc/passwd", dir.path().join("out")).expect("link");
        symlink("folder", dir.path().join("near")).expect("link");
        let at = |path: &str| look(dir.path(), Path::new(path));
        assert_eq!(at("/"), PathKind::Directory);
        assert_eq!(at("/folder"), PathKind::Directory);
        assert_eq!(at("folder/file"), PathKind::File);
        assert_eq!(at("/out"), PathKind::Link("/etc/passwd".into()));
        assert_eq!(at("/near/file"), PathKind::Unknown, "links are followed by the caller");
        assert_eq!(at("/folder/none"), PathKind::Absent);
        assert_eq!(at("/folder/file/none"), PathKind::Absent);
        assert_eq!(at("/../../../etc/passwd"), PathKind::Absent, "the root is the top");
        assert_eq!(look(Path::new("/nowhere"), Path::new("/x")), PathKind::Unknown);
    }
}
