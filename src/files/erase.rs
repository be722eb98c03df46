//! Everything at a spot and beneath it: counted, or erased. Never into another mount.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;

use super::failure::{Tried, failed};
use super::held::{Held, at, identity, is_mount, kind, of};
use super::list::each;
use crate::core::error::Result;
use crate::core::spot::Spot;
use crate::port::{EntryKind, Job};
use crate::scan::Root;

/// Files at a spot and beneath it, and their allocated bytes, hard links once. A folder is no file.
pub(super) fn count(spot: &Spot, job: &Job) -> Result<(u64, u64)> {
    let refuse = |path: &Path, why| failed("read", &Spot { root: spot.root.clone(), path: path.into() }, why);
    let Some(first) = Held::open(spot)?.stat().map_err(|why| refuse(&spot.path, why))? else {
        return Err(refuse(&spot.path, Errno::NOENT));
    };
    if kind(&first) != EntryKind::Folder {
        return Ok((1, first.stx_blocks.saturating_mul(512)));
    }
    let root = Root::open(&spot.root).map_err(|why| refuse(Path::new(""), why))?;
    let (mut files, mut bytes, mut seen) = (0_u64, 0_u64, HashSet::new());
    let mut folders = vec![spot.path.clone()];
    while let Some(path) = folders.pop() {
        job.advance(0)?;
        let handle = root.directory(&path).map_err(|why| refuse(&path, why))?;
        let mut count = |name: &OsStr| {
            // What went away meanwhile is not counted.
            let Ok(Some(stat)) = at(handle.as_fd(), name) else { return true };
            if kind(&stat) == EntryKind::Folder {
                if !is_mount(&stat) {
                    folders.push(path.join(name));
                }
                return true;
            }
            let own = identity(&stat);
            if stat.stx_nlink < 2 || seen.insert((own.device, own.inode)) {
                files += 1;
                bytes += stat.stx_blocks.saturating_mul(512);
            }
            true
        };
        each(handle.as_fd(), &mut count).map_err(|why| refuse(&path, why))?;
    }
    Ok((files, bytes))
}

/// Erases an entry with everything beneath it.
pub(super) fn erase(spot: &Spot, job: &Job) -> Result<()> {
    let refuse = |path: &Path, why| failed("erase", &Spot { root: spot.root.clone(), path: path.into() }, why);
    let held = Held::open(spot)?;
    let Some(first) = held.stat().map_err(|why| refuse(&spot.path, why))? else { return Ok(()) };
    if kind(&first) != EntryKind::Folder {
        return unlinkat(held.folder(), &held.name, AtFlags::empty()).map_err(|why| refuse(&spot.path, why));
    }
    let root = Root::open(&spot.root).map_err(|why| refuse(Path::new(""), why))?;
    let mut folders = vec![spot.path.clone()];
    while let Some(path) = folders.last().cloned() {
        let handle = match open(&root, &path) {
            Ok(handle) => handle,
            // Somebody else was faster.
            Err(Errno::NOENT) => {
                folders.pop();
                continue;
            }
            Err(why) => return Err(refuse(&path, why)),
        };
        let (files, below) = sorted(&handle).map_err(|why| refuse(&path, why))?;
        for (name, bytes) in files {
            job.advance(bytes)?;
            match unlinkat(&handle, &name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(why) => return Err(refuse(&path.join(&name), why)),
            }
        }
        if below.is_empty() {
            folders.pop();
            remove(&root, &path).map_err(|why| refuse(&path, why))?;
        }
        folders.extend(below.into_iter().map(|name| path.join(name)));
    }
    held.sync();
    Ok(())
}

/// A folder to be emptied; not one on which something is mounted.
fn open(root: &Root, path: &Path) -> Tried<OwnedFd> {
    let handle = root.directory(path)?;
    if is_mount(&of(&handle)?) { Err(Errno::BUSY) } else { Ok(handle) }
}

type Sorted = (Vec<(OsString, u64)>, Vec<OsString>);

/// What is in a folder: what can be erased at once with its bytes, and the folders.
fn sorted(folder: &OwnedFd) -> Tried<Sorted> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    each(folder.as_fd(), |name| {
        if let Ok(Some(stat)) = at(folder.as_fd(), name) {
            match kind(&stat) {
                EntryKind::Folder => folders.push(name.to_os_string()),
                _ => files.push((name.to_os_string(), stat.stx_blocks.saturating_mul(512))),
            }
        }
        true
    })?;
    Ok((files, folders))
}

fn remove(root: &Root, path: &Path) -> Tried<()> {
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else { return Err(Errno::INVAL) };
    let above: PathBuf = above.into();
    match unlinkat(root.directory(&above)?, name, AtFlags::REMOVEDIR) {
        // What was put there meanwhile is erased in the next round.
        Err(Errno::NOENT) => Ok(()),
        removed => removed,
    }
}
