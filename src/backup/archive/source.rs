//! What is read of a file on its way into an archive. Nothing is opened but beneath an open folder,
//! and no link is followed.

use std::ffi::{CStr, OsString};
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, SeekFrom, Statx, StatxFlags, fgetxattr, flistxattr, openat, seek,
    statx,
};
use rustix::io::{Errno, Result};

use super::acl;
use super::entry::{Meta, What};
use super::header::BLOCK;

/// Bytes that a file's attributes have at most: the kernel's own bound.
const ATTRIBUTES: usize = 64 * 1024;
/// Pieces of one file beyond which it is read as if it had no holes.
const MOST_PIECES: usize = 1 << 18;

const FIELDS: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::MNT_ID);
const HOW: AtFlags = AtFlags::SYMLINK_NOFOLLOW.union(AtFlags::NO_AUTOMOUNT).union(AtFlags::EMPTY_PATH);

/// Looks at an entry of an open folder; an empty name is the folder itself.
pub(super) fn look(folder: BorrowedFd<'_>, name: &CStr) -> Result<Statx> {
    statx(folder, name, HOW, FIELDS)
}

/// The kind of a file.
pub(super) fn file_type(stat: &Statx) -> FileType {
    FileType::from_raw_mode(u32::from(stat.stx_mode))
}

/// What tells a file from all others.
pub(super) const fn identity(stat: &Statx) -> (u32, u32, u64) {
    (stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino)
}

/// The mount that a file is on: its number, or on kernels before 5.8 its device.
pub(super) const fn mount(stat: &Statx) -> (u64, u32) {
    if stat.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
        (stat.stx_dev_major as u64, stat.stx_dev_minor)
    } else {
        (stat.stx_mnt_id, u32::MAX)
    }
}

/// Whether nothing of a file's content or of what is kept beside it changed.
pub(super) const fn same(before: &Statx, after: &Statx) -> bool {
    before.stx_size == after.stx_size
        && before.stx_mtime.tv_sec == after.stx_mtime.tv_sec
        && before.stx_mtime.tv_nsec == after.stx_mtime.tv_nsec
        && before.stx_ctime.tv_sec == after.stx_ctime.tv_sec
        && before.stx_ctime.tv_nsec == after.stx_ctime.tv_nsec
}

/// What is kept of a file besides its content and its attributes.
pub(super) fn meta(stat: &Statx) -> Meta {
    Meta {
        mode: u32::from(stat.stx_mode) & 0o7777,
        uid: stat.stx_uid,
        gid: stat.stx_gid,
        modified: (stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
        attributes: Vec::new(),
    }
}

/// The names in an open folder, in order.
pub(super) fn names(folder: BorrowedFd<'_>) -> Result<Vec<OsString>> {
    let mut buffer = vec![MaybeUninit::uninit(); 64 * 1024];
    let mut entries = RawDir::new(folder, &mut buffer);
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Opens a regular file for reading. One that was swapped for a pipe meanwhile is not waited for.
pub(super) fn open(folder: BorrowedFd<'_>, name: &CStr) -> Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    Ok(File::from(openat(folder, name, flags, Mode::empty())?))
}

/// Attributes that are somebody's own, a program's rights, and access lists.
pub(super) fn attributes(file: impl AsFd) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut names = vec![0; ATTRIBUTES];
    let length = match flistxattr(&file, &mut names[..]) {
        Err(Errno::NOTSUP) => return Ok(Vec::new()),
        listed => listed?,
    };
    names.truncate(length);
    let mut found = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| is_kept(name)) {
        let mut value = vec![0; ATTRIBUTES];
        match fgetxattr(&file, name, &mut value[..]) {
            Ok(length) => {
                value.truncate(length);
                found.push((name.to_vec(), value));
            }
            // It was taken away since the names were listed.
            Err(Errno::NODATA) => {}
            Err(reason) => return Err(reason),
        }
    }
    Ok(found)
}

/// Whether an attribute belongs to the file and not to the machine that it lies on.
pub(super) fn is_kept(name: &[u8]) -> bool {
    name.starts_with(b"user.")
        || name == b"security.capability"
        || name == acl::ACCESS.0
        || name == acl::DEFAULT.0
}

/// What a regular file is: plain, or with holes where it has some.
pub(super) fn what(file: &File, stat: &Statx) -> What {
    let size = stat.stx_size;
    if stat.stx_blocks.saturating_mul(512) >= size {
        return What::File(size);
    }
    match pieces(file, size) {
        // One piece that is all of it is no hole; a small file may lie in its inode.
        Some(pieces) if pieces != [(0, size)] => What::Sparse(size, pieces),
        _ => What::File(size),
    }
}

/// Where a file's data is, in whole blocks; its end is always named. `None` where nobody can say.
fn pieces(file: &File, size: u64) -> Option<Vec<(u64, u64)>> {
    let block = BLOCK as u64;
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < size {
        let data = match seek(file, SeekFrom::Data(at)) {
            Ok(data) => data,
            Err(Errno::NXIO) => break,
            Err(_) => return None,
        };
        let hole = seek(file, SeekFrom::Hole(data)).ok()?;
        let start = (data / block * block).max(at);
        let end = hole.next_multiple_of(block).min(size);
        if end <= start {
            break;
        }
        pieces.push((start, end - start));
        at = end;
        if pieces.len() > MOST_PIECES {
            return None;
        }
    }
    if pieces.last().is_none_or(|(offset, length)| offset + length < size) {
        pieces.push((size, 0));
    }
    Some(pieces)
}

/// A name for the kernel; none where there is a zero in it, which no folder can hold.
pub(super) fn c_name(name: &std::ffi::OsStr) -> Option<std::ffi::CString> {
    std::ffi::CString::new(name.as_bytes()).ok()
}
