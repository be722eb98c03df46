//! Small files beneath a root, read whole or not at all.

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, RawDir, openat, statx};
use rustix::io::Errno;

use super::birth::{FIELDS, QUIET};
use super::open::Root;
use crate::core::path::normal;
use crate::port::NamedFile;

/// Files of one folder that are read at most.
const MOST_FILES: usize = 4096;

/// The regular file at a path beneath a root, or the regular files directly in the folder there. No
/// link is followed. `None` where it cannot be read, or is more than `most` bytes in all.
pub fn read(root: &Path, path: &Path, most: usize) -> Option<Vec<NamedFile>> {
    let path = normal(path);
    match all(root, &path, most) {
        Ok(files) => Some(files),
        Err(Errno::NOENT | Errno::NOTDIR) => Some(Vec::new()),
        Err(_) => None,
    }
}

fn all(root: &Path, path: &Path, most: usize) -> Result<Vec<NamedFile>, Errno> {
    let root = Root::open(root)?;
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Errno::ISDIR);
    };
    let relative = |path: &Path| path.strip_prefix("/").unwrap_or(path).to_path_buf();
    let above = root.directory(&relative(above))?;
    let stat = statx(&above, name, QUIET, FIELDS)?;
    let mut files = Vec::new();
    match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
        FileType::RegularFile => files.push((name.into(), content(above.as_fd(), name, most)?)),
        FileType::Directory => {
            let folder = root.directory(&relative(path))?;
            let mut left = most;
            for name in names(folder.as_fd())? {
                let content = content(folder.as_fd(), &name, left)?;
                left -= content.len();
                files.push((name, content));
            }
        }
        _ => {}
    }
    Ok(files)
}

/// The names of the regular files in an open folder.
fn names(folder: BorrowedFd<'_>) -> Result<Vec<OsString>, Errno> {
    let mut buffer = vec![MaybeUninit::uninit(); 64 * 1024];
    let mut entries = RawDir::new(folder, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        let stat = statx(folder, name, QUIET, FIELDS)?;
        if FileType::from_raw_mode(u32::from(stat.stx_mode)) == FileType::RegularFile {
            names.push(OsStr::from_bytes(name.to_bytes()).to_os_string());
        }
        if names.len() > MOST_FILES {
            return Err(Errno::FBIG);
        }
    }
    Ok(names)
}

fn content(folder: BorrowedFd<'_>, name: &OsStr, most: usize) -> Result<Vec<u8>, Errno> {
    // What was swapped for a pipe meanwhile must not be waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(openat(folder, name, flags, Mode::empty())?);
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    if bytes.len() > most { Err(Errno::FBIG) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_is_read_whole_or_not_at_all_and_no_link_is_followed() {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir_all(dir.path().join("etc/list.d/below")).expect("folders");
        std::fs::write(dir.path().join("etc/list.d/a"), "12345").expect("file");
        std::fs::write(dir.path().join("etc/list.d/below/b"), "x").expect("file");
        symlink("/etc/passwd", dir.path().join("etc/list.d/link")).expect("link");
        symlink("etc", dir.path().join("near")).expect("link");
        let at = |path: &str, most| read(dir.path(), Path::new(path), most);
        let a = vec![(OsString::from("a"), b"12345".to_vec())];
        assert_eq!(at("/etc/list.d/a", 5), Some(a.clone()));
        assert_eq!(at("/etc/list.d/a", 4), None, "more than was asked for is nothing");
        assert_eq!(at("/etc/list.d", 5), Some(a), "the files directly in the folder");
        assert_eq!(at("/etc/list.d/link", 99), Some(Vec::new()));
        assert_eq!(at("/etc/nothing", 99), Some(Vec::new()));
        assert!(at("/near/list.d/a", 99).is_none_or(|files| files.is_empty()), "a link on the way");
        assert_eq!(at("/", 99), None);
    }
}
