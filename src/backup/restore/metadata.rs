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

/// To whom what is restored is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owners {
    /// Whether this process may give files away at all.
    pub(super) may_give_away: bool,
    /// The user and group whose files get others, and which.
    pub(super) remap: Option<((u32, u32), (u32, u32))>,
}

impl Owners {
    /// The user and group of an entry; what belongs to root or to others stays theirs.
    fn of(self, node: &Node) -> Option<(Uid, Gid)> {
        let (mut user, mut group) = (node.meta.uid?, node.meta.gid?);
        if let Some((old, new)) = self.remap {
            if user == old.0 && user != 0 {
                user = new.0;
            }
            if group == old.1 && group != 0 {
                group = new.1;
            }
        }
        // All bits set would mean "leave it as it is".
        (user != u32::MAX && group != u32::MAX).then(|| (Uid::from_raw(user), Gid::from_raw(group)))
    }
}

/// Puts them on an open file or folder; gives what could not be put.
pub(super) fn of_file(file: impl AsFd, node: &Node, owners: Owners) -> Vec<String> {
    let file = file.as_fd();
    let mut missing = Vec::new();
    if let Some((user, group)) = owners.of(node) {
        told("its owner", owners.may_give_away, fchown(file, Some(user), Some(group)), &mut missing);
    }
    for attribute in &node.meta.extended_attributes {
        let value = attribute.value.as_deref().unwrap_or_default();
        let put = fsetxattr(file, attribute.name.as_str(), value, XattrFlags::empty());
        attribute_told(&attribute.name, owners.may_give_away, put, &mut missing);
    }
    told("its rights", true, fchmod(file, rights(node)), &mut missing);
    if let Some(times) = times(node) {
        told("its time", true, futimens(file, &times), &mut missing);
    }
    missing
}

/// Puts them on a link, a pipe or a device in an open folder; a link is not followed.
pub(super) fn of_special(folder: impl AsFd, name: &OsStr, node: &Node, owners: Owners) -> Vec<String> {
    let folder = folder.as_fd();
    let mut missing = Vec::new();
    if let Some((user, group)) = owners.of(node) {
        let given = chownat(folder, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW);
        told("its owner", owners.may_give_away, given, &mut missing);
    }
    let place = place(folder, name);
    for attribute in &node.meta.extended_attributes {
        let value = attribute.value.as_deref().unwrap_or_default();
        let put = lsetxattr(&place, attribute.name.as_str(), value, XattrFlags::empty());
        attribute_told(&attribute.name, owners.may_give_away, put, &mut missing);
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

#[cfg(test)]
mod unit {
    use super::*;

    fn given(owners: Owners, user: u32, group: u32) -> Option<(u32, u32)> {
        let mut node = Node::default();
        (node.meta.uid, node.meta.gid) = (Some(user), Some(group));
        owners.of(&node).map(|(user, group)| (user.as_raw(), group.as_raw()))
    }

    #[test]
    fn only_what_was_the_owners_is_given_away() {
        let owners = Owners { may_give_away: true, remap: Some(((1000, 100), (2000, 200))) };
        assert_eq!(given(owners, 1000, 100), Some((2000, 200)));
        assert_eq!(given(owners, 1000, 0), Some((2000, 0)));
        assert_eq!(given(owners, 0, 0), Some((0, 0)));
        assert_eq!(given(owners, 33, 100), Some((33, 200)), "another person's file in the owner's group");
        let of_root = Owners { remap: Some(((0, 0), (2000, 200))), ..owners };
        assert_eq!(given(of_root, 0, 0), Some((0, 0)));
        assert_eq!(given(Owners { remap: None, ..owners }, 1000, 100), Some((1000, 100)));
    }
}
