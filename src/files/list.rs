//! What is in a folder, and whether anything can be changed in it.

use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::{Access, AtFlags, RawDir, StatVfsMountFlags, accessat, fstatvfs};
use rustix::io::Errno;

use super::failure::{Tried, failed};
use super::held::{at, described};
use crate::core::error::Result;
use crate::core::spot::Spot;
use crate::port::{Entry, Listing};
use crate::scan::Root;

/// Bytes of entries asked for at a time.
const BUFFER: usize = 64 * 1024;

/// The entries of a folder, at most so many.
pub(super) fn list(folder: &Spot, most: usize) -> Result<Listing> {
    let handle = Root::open(&folder.root)
        .and_then(|root| root.directory(&folder.path))
        .map_err(|why| failed("list", folder, why))?;
    let mut listing = Listing { fixed: fixed(handle.as_fd()), ..Listing::default() };
    each(handle.as_fd(), |name| {
        if listing.entries.len() >= most {
            listing.more = true;
            return false;
        }
        listing.entries.extend(looked_at(handle.as_fd(), name));
        true
    })
    .map_err(|why| failed("list", folder, why))?;
    Ok(listing)
}

/// An entry; one that went away meanwhile is none.
fn looked_at(folder: BorrowedFd<'_>, name: &OsStr) -> Option<Entry> {
    let stat = at(folder, name).ok()??;
    Some(described(folder, name, name.to_os_string(), &stat))
}

/// Calls for each name in an open folder, until the answer is no.
pub(super) fn each(folder: BorrowedFd<'_>, mut on: impl FnMut(&OsStr) -> bool) -> Tried<()> {
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
    let mut entries = RawDir::new(folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." && !on(OsStr::from_bytes(name)) {
            return Ok(());
        }
    }
    Ok(())
}

/// Why nothing can be changed in a folder.
fn fixed(folder: BorrowedFd<'_>) -> Option<String> {
    let read_only = fstatvfs(folder).is_ok_and(|about| about.f_flag.contains(StatVfsMountFlags::RDONLY));
    if read_only {
        return Some("its file system is mounted read-only".into());
    }
    match accessat(folder, c".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS) {
        Err(Errno::ROFS) => Some("its file system is mounted read-only".into()),
        Err(Errno::ACCESS | Errno::PERM) => Some("this user may not write here".into()),
        _ => None,
    }
}
