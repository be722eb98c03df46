//! Owners, attributes, rights and times of what was restored, in the order in which none undoes another.

use std::ffi::OsStr;
use std::io::Error;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::path::PathBuf;

use jiff::Timestamp;
use rustic_core::repofile::Node;
use rustix::fs::{
    AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags, chmodat, chownat, fchmod, fchown, fsetxattr,
    futimens, lsetxattr, utimensat,
};
use rustix::io::{Errno, Result};

use super::super::entry::permissions;

/// Puts them on an open file or folder; gives what could not be put.
pub(super) fn of_file(file: impl AsFd, node: &Node, may_give_away: bool) -> Vec<String> {
    let file = file.as_fd();
    let mut missing = Vec::new();
    if let Some((user, group)) = owner(node) {
        told("its owner", may_give_away, fchown(file, Some(user), Some(group)), &mut missing);
    }
    for attribute in &node.meta.extended_attributes {
        let value = attribute.value.as_deref().unwrap_or_default();
        let put = fsetxattr(file, attribute.name.as_str(), value, XattrFlags::empty());
        attribute_told(&attribute.name, may_give_away, put, &mut missing);
    }
    told("its rights", true, fchmod(file, rights(node)), &mut missing);
    if let Some(times) = times(node) {
        told("its time", true, futimens(file, &times), &mut missing);
    }
    missing
}

/// Puts them on a link, a pipe or a device in an open folder; a link is not followed.
pub(super) fn of_special(folder: impl AsFd, name: &OsStr, node: &Node, may_give_away: bool) -> Vec<String> {
    let folder = folder.as_fd();
    let mut missing = Vec::new();
    if let Some((user, group)) = owner(node) {
        let given = chownat(folder, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW);
        told("its owner", may_give_away, given, &mut missing);
    }
    let place = place(folder, name);
    for attribute in &node.meta.extended_attributes {
        let value = attribute.value.as_deref().unwrap_or_default();
        let put = lsetxattr(&place, attribute.name.as_str(), value, XattrFlags::empty());
        attribute_told(&attribute.name, may_give_away, put, &mut missing);
    }
    if !node.is_symlink() {
        told("its rights", true, chmodat(folder, name, rights(node), AtFlags::empty()), &mut missing);
    }
    if let Some(times) = times(node) {
        let put = utimensat(folder, name, &times, AtFlags::SYMLINK_NOFOLLOW);
        told("its time", true, put, &mut missing);
    }
    missing
}

/// The rights of a folder that had none in the snapshot.
pub(super) fn usual_rights(folder: impl AsFd) {
    let _ = fchmod(folder, Mode::from_raw_mode(0o755));
}

/// A name for what lies in an open folder: there is no call for attributes that takes the folder.
fn place(folder: BorrowedFd<'_>, name: &OsStr) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name)
}

/// The rights in a node: restic leaves them out where there are none.
fn rights(node: &Node) -> Mode {
    permissions(node.meta.mode.unwrap_or(0))
}

fn owner(node: &Node) -> Option<(Uid, Gid)> {
    // All bits set would mean "leave it as it is".
    let (user, group) = (node.meta.uid?, node.meta.gid?);
    (user != u32::MAX && group != u32::MAX).then(|| (Uid::from_raw(user), Gid::from_raw(group)))
}

fn times(node: &Node) -> Option<Timestamps> {
    let spec = |at: Timestamp| {
        let (seconds, nanoseconds) = (at.as_second(), at.subsec_nanosecond());
        // Before 1970 jiff counts both parts backwards; the kernel wants nanoseconds forwards.
        if nanoseconds < 0 {
            Timespec { tv_sec: seconds - 1, tv_nsec: i64::from(nanoseconds) + 1_000_000_000 }
        } else {
            Timespec { tv_sec: seconds, tv_nsec: i64::from(nanoseconds) }
        }
    };
    let modified = spec(node.meta.mtime?);
    let accessed = node.meta.atime.map_or(modified, spec);
    Some(Timestamps { last_access: accessed, last_modification: modified })
}

/// Notes what could not be put; a plain person cannot give files away, and that is no fault.
fn told(what: &str, may: bool, put: Result<()>, missing: &mut Vec<String>) {
    match put {
        Ok(()) => {}
        Err(Errno::PERM) if !may => {}
        Err(errno) => missing.push(format!("{what} could not be set: {}", Error::from(errno))),
    }
}

/// The same for attributes: some are only for root.
fn attribute_told(name: &str, may: bool, put: Result<()>, missing: &mut Vec<String>) {
    let for_root = name.starts_with("trusted.") || name.starts_with("security.");
    told(&format!("its attribute {name}"), may || !for_root, put, missing);
}
