//! What the file system says of an entry, in the words of the repository's format.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use jiff::Timestamp;
use rustic_core::repofile::{Metadata, Node, NodeType};
use rustix::fs::{FileType, Mode, Stat, StatVfsMountFlags};
use rustix::io::{Errno, Result};

use crate::sys;

/// Bits of a mode that the format keeps where Go has them, and where Unix has them.
const SPECIAL: [(u32, u32); 3] = [(1 << 23, 0o4000), (1 << 22, 0o2000), (1 << 20, 0o1000)];
/// Where Go says what kind of entry it is.
const GO_DIRECTORY: u32 = 1 << 31;
const GO_LINK: u32 = 1 << 27;
const GO_DEVICE: u32 = 1 << 26;
const GO_FIFO: u32 = 1 << 25;
const GO_SOCKET: u32 = 1 << 24;
const GO_CHARACTER: u32 = 1 << 21;

/// An attribute longer than this is somebody's mistake; the kernel's own limit is the same.
const LONGEST_ATTRIBUTE: usize = 1 << 16;

/// A Unix mode as the format has it.
pub(super) fn go_mode(stat: &Stat) -> u32 {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => GO_DIRECTORY,
        FileType::Symlink => GO_LINK,
        FileType::BlockDevice => GO_DEVICE,
        FileType::CharacterDevice => GO_DEVICE | GO_CHARACTER,
        FileType::Fifo => GO_FIFO,
        FileType::Socket => GO_SOCKET,
        _ => 0,
    };
    let special = SPECIAL.iter().filter(|(_, unix)| stat.st_mode & unix != 0);
    special.fold(kind | (stat.st_mode & 0o777), |mode, (go, _)| mode | go)
}

/// The permissions in a mode of the format.
pub(super) fn permissions(go_mode: u32) -> Mode {
    let special = SPECIAL.iter().filter(|(go, _)| go_mode & go != 0);
    Mode::from_raw_mode(special.fold(go_mode & 0o777, |mode, (_, unix)| mode | unix))
}

/// Names of users, asked for once.
#[derive(Debug, Default)]
pub(super) struct Users(Mutex<HashMap<u32, Option<String>>>);

impl Users {
    fn name(&self, uid: u32) -> Option<String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(uid).or_insert_with(|| sys::users::user_name(uid)).clone()
    }
}

/// The entry as the format has it; `target` is where a link leads.
pub(super) fn node(
    name: &OsStr,
    stat: &Stat,
    target: Option<&Path>,
    attributes: &[(String, Vec<u8>)],
    users: &Users,
) -> Node {
    let kind = FileType::from_raw_mode(stat.st_mode);
    let is_folder = kind == FileType::Directory;
    let node_type = match (kind, target) {
        (FileType::Directory, _) => NodeType::Dir,
        (FileType::Symlink, target) => NodeType::from_link(target.unwrap_or(Path::new(""))),
        (FileType::BlockDevice, _) => NodeType::Dev { device: stat.st_rdev },
        (FileType::CharacterDevice, _) => NodeType::Chardev { device: stat.st_rdev },
        (FileType::Fifo, _) => NodeType::Fifo,
        (FileType::Socket, _) => NodeType::Socket,
        _ => NodeType::File,
    };
    let modified = time(stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or(0));
    let mut meta = Metadata {
        mode: Some(go_mode(stat)),
        mtime: modified,
        // The time of the last look would make every snapshot differ.
        atime: modified,
        ctime: time(stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or(0)),
        uid: Some(stat.st_uid),
        gid: Some(stat.st_gid),
        user: users.name(stat.st_uid),
        group: None,
        inode: stat.st_ino,
        device_id: if stat.st_nlink > 1 && !is_folder { stat.st_dev } else { 0 },
        size: if is_folder { 0 } else { u64::try_from(stat.st_size).unwrap_or(0) },
        links: if is_folder { 0 } else { stat.st_nlink },
        ..Metadata::default()
    };
    if !attributes.is_empty() {
        let encode = |value: &[u8]| base64::engine::general_purpose::STANDARD.encode(value);
        let list =
            attributes.iter().map(|(name, value)| serde_json::json!({ "name": name, "value": encode(value) }));
        // The library does not give the type a name, so its own reader makes it.
        if let Ok(list) = serde_json::from_value(serde_json::Value::Array(list.collect())) {
            meta.extended_attributes = list;
        }
    }
    Node::new_node(name, node_type, meta)
}

/// A time of the file system.
pub(super) fn time(seconds: i64, nanoseconds: i64) -> Option<Timestamp> {
    Timestamp::new(seconds, i32::try_from(nanoseconds).ok()?).ok()
}

/// The extended attributes of an entry in an open folder; a link is not followed.
pub(super) fn attributes_in(folder: BorrowedFd<'_>, name: &OsStr) -> Result<Vec<(String, Vec<u8>)>> {
    // There is no call that takes a folder and a name; the folder's own name in /proc does the same.
    let mut path = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
    path.push(name);
    let path = path.as_path();
    attributes(
        |buffer| rustix::fs::llistxattr(path, buffer),
        |name, buffer| rustix::fs::lgetxattr(path, name, buffer),
    )
}

/// The extended attributes of something open.
pub(super) fn attributes_of(file: impl AsFd) -> Result<Vec<(String, Vec<u8>)>> {
    let file = file.as_fd();
    attributes(
        |buffer| rustix::fs::flistxattr(file, buffer),
        |name, buffer| rustix::fs::fgetxattr(file, name, buffer),
    )
}

fn attributes(
    list: impl Fn(&mut [u8]) -> Result<usize>,
    get: impl Fn(&OsStr, &mut [u8]) -> Result<usize>,
) -> Result<Vec<(String, Vec<u8>)>> {
    let mut small = [0_u8; 1024];
    let mut large = Vec::new();
    let names: &[u8] = match list(&mut small) {
        Ok(length) => small.get(..length).unwrap_or_default(),
        Err(Errno::RANGE) => {
            large.resize(LONGEST_ATTRIBUTE, 0);
            let length = list(&mut large)?;
            large.get(..length).unwrap_or_default()
        }
        // A file system without attributes has none.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0_u8; 4096];
        let length = match get(OsStr::from_bytes(name), &mut value) {
            Err(Errno::RANGE) => {
                value.resize(LONGEST_ATTRIBUTE, 0);
                get(OsStr::from_bytes(name), &mut value)
            }
            other => other,
        };
        match length {
            Ok(length) => value.truncate(length),
            // It went away since it was listed.
            Err(Errno::NODATA) => continue,
            Err(error) => return Err(error),
        }
        found.push((String::from_utf8_lossy(name).into_owned(), value));
    }
    Ok(found)
}

/// Bytes that are free for this person where a folder lies; `None` where nobody could ask.
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    // A file system that gives no figures, as some of the network do, is not full.
    let tells = disk.f_blocks > 0 && !disk.f_flag.contains(StatVfsMountFlags::RDONLY);
    tells.then(|| disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn modes_go_there_and_back() {
        let folder = tempfile::tempdir().unwrap();
        for bits in [0o0, 0o644, 0o4755, 0o2755, 0o1777, 0o7777] {
            let path = folder.path().join(format!("{bits:o}"));
            std::fs::write(&path, "x").unwrap();
            rustix::fs::chmod(&path, Mode::from_raw_mode(bits)).unwrap();
            let stat = rustix::fs::lstat(&path).unwrap();
            assert_eq!(permissions(go_mode(&stat)), Mode::from_raw_mode(bits), "{bits:o}");
        }
        let stat = rustix::fs::lstat("/dev/null").unwrap();
        assert_eq!(go_mode(&stat) & (GO_DEVICE | GO_CHARACTER), GO_DEVICE | GO_CHARACTER);
    }
}
