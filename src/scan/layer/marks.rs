//! The marks an overlay leaves in its upper directory, as extended attributes.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::fs::{fgetxattr, flistxattr, llistxattr};

/// What only the host's root can set, and with it the kernel's overlay.
const TRUSTED: &str = "trusted.overlay.";
/// What an overlay without privilege uses, and fuse-overlayfs; anybody may set these.
const OPEN: [&str; 2] = ["user.overlay.", "user.fuseoverlayfs."];

/// Names of all attributes of one file are at most so many bytes.
const MOST: usize = 64 * 1024;
/// Usually they are far fewer.
const USUAL: usize = 1024;

/// The marks on one file or folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a mark of its own")]
pub(super) struct Marks {
    /// Of a folder: what lies beneath does not show through.
    pub(super) hides: bool,
    /// Of a folder: it may hold deletions that are marks on empty files.
    pub(super) whiteouts: bool,
    /// Of a folder: it holds something that came from a layer beneath.
    pub(super) impure: bool,
    /// Of a folder: where it lies beneath.
    pub(super) redirect: Option<Vec<u8>>,
    /// Of a file: it came from a layer beneath.
    pub(super) origin: bool,
    /// Of a file: its data is still there.
    pub(super) metacopy: bool,
    /// Of an empty file: it stands for something deleted.
    pub(super) whiteout: bool,
}

impl Marks {
    /// Those of an open folder.
    pub(super) fn of_folder(folder: BorrowedFd<'_>, trusted: bool) -> Self {
        let list = listed(|names| flistxattr(folder, names).ok());
        let mut marks = Self::default();
        for (name, mark) in overlays(&list, trusted) {
            let value = || {
                let mut value = vec![0; 4096];
                let length = fgetxattr(folder, OsStr::from_bytes(name), &mut value[..]).unwrap_or(0);
                value.truncate(length);
                value
            };
            match mark {
                b"impure" => marks.impure = true,
                b"whiteouts" => marks.whiteouts = true,
                b"redirect" => marks.redirect = Some(value()).filter(|to| is_inside(to)),
                b"opaque" => match value().first() {
                    Some(b'x') => marks.whiteouts = true,
                    _ => marks.hides = true,
                },
                _ => {}
            }
        }
        marks
    }

    /// Those of a file in an open folder, following no link.
    pub(super) fn of_file(folder: BorrowedFd<'_>, name: &CStr, trusted: bool) -> Self {
        // There is no call on older kernels that lists attributes relative to a handle; the handle's
        // entry in /proc leads to the very folder that is open, whatever its path has become.
        let mut path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        path.push(OsStr::from_bytes(name.to_bytes()));
        let list = listed(|names| llistxattr(&path, names).ok());
        let mut marks = Self::default();
        for (_, mark) in overlays(&list, trusted) {
            match mark {
                b"origin" => marks.origin = true,
                b"metacopy" => marks.metacopy = true,
                b"whiteout" => marks.whiteout = true,
                _ => {}
            }
        }
        marks
    }
}

/// Names of attributes, one after the other; none where they cannot be had.
fn listed(list: impl Fn(&mut [u8]) -> Option<usize>) -> Vec<u8> {
    let mut names = vec![0; USUAL];
    let length = list(&mut names).or_else(|| {
        names.resize(MOST, 0);
        list(&mut names)
    });
    names.truncate(length.unwrap_or(0));
    names
}

/// The overlay's own attributes, each with its name behind the prefix.
fn overlays(list: &[u8], trusted: bool) -> impl Iterator<Item = (&[u8], &[u8])> {
    list.split(|byte| *byte == 0).filter_map(move |name| {
        let open = OPEN.iter().filter(move |_| !trusted);
        let prefixes = std::iter::once(TRUSTED).chain(open.copied());
        prefixes.into_iter().find_map(|prefix| name.strip_prefix(prefix.as_bytes())).map(|mark| (name, mark))
    })
}

/// Whether where a folder was is a path within the layer: absolute, or one name.
fn is_inside(to: &[u8]) -> bool {
    let path = to.strip_prefix(b"/");
    let names = path.unwrap_or(to).split(|byte| *byte == b'/');
    (path.is_some() || !to.contains(&b'/')) && names.into_iter().all(|name| !matches!(name, b"" | b"." | b".."))
}
