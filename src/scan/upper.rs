//! The signs an overlay leaves in its upper directory: deletions, copies, hollow files.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::fs::{Statx, llistxattr};

/// The kernel's overlay, with and without privilege, and fuse-overlayfs.
const PREFIXES: [&str; 3] = ["trusted.overlay.", "user.overlay.", "user.fuseoverlayfs."];

/// What an entry of an upper directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A file of the container's own.
    New,
    /// A file of the image, copied up when it was changed.
    Changed,
    /// A deletion, or a copy of the attributes alone: no data.
    NoData,
}

/// Reads the signs of a regular file in an open folder, following no link. (A deletion is more
/// often a character device 0:0, which is no regular file and so never gets here.)
pub(super) fn sign(folder: BorrowedFd<'_>, name: &CStr, stat: &Statx) -> Sign {
    // fuse-overlayfs marks with empty files what the kernel's overlay marks with attributes.
    if stat.stx_size == 0 && name.to_bytes().starts_with(b".wh.") {
        return Sign::NoData;
    }
    // There is no call that lists attributes relative to a handle; the handle's entry in
    // /proc leads to the very folder that is open, whatever its path has become.
    let mut path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    path.push(OsStr::from_bytes(name.to_bytes()));
    let mut names = [0_u8; 4096];
    let Ok(length) = llistxattr(&path, &mut names[..]) else { return Sign::New };
    let names = names.get(..length).unwrap_or_default();
    let has = |sign: &str| {
        names.split(|byte| *byte == 0).any(|name| {
            let bare = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix.as_bytes()));
            bare == Some(sign.as_bytes())
        })
    };
    if has("metacopy") || (stat.stx_size == 0 && has("whiteout")) {
        Sign::NoData
    } else if has("origin") {
        Sign::Changed
    } else {
        Sign::New
    }
}
