//! One look at every folder of a tree, and at no file: which have changed since they were read.

use std::ffi::{CStr, OsStr};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::fs::statx;

use super::mark::{Mark, kind};
use super::territory::{BY_NAME, Territory};
use super::{ROOT, Shared};
use crate::port::EntryKind;
use crate::scan::birth::{FIELDS, QUIET};
use crate::scan::live::Watch;
use crate::scan::open::Root;

/// Folders above others that a thread takes at a time.
const SHARE: usize = 64;

/// The folders to read again: changed ones, those beneath which one went or came, and those that could
/// not be read whole the last time. `watch` learns every folder that is met.
pub(super) fn sweep(shared: &Shared, root: &Root, watch: Option<&Watch>, threads: usize) -> Vec<u32> {
    let all = by_parent(shared);
    let groups: Vec<&[(u32, u32)]> = all.chunk_by(|one, other| one.0 == other.0).collect();
    let next = AtomicUsize::new(0);
    let dirty = Mutex::new(Vec::new());
    let look = || {
        let mut found = Vec::new();
        let (mut path, mut name) = (Vec::new(), Vec::new());
        while let Some(share) = groups.get(next.fetch_add(SHARE, Relaxed)..).filter(|rest| !rest.is_empty()) {
            for group in share.iter().take(SHARE) {
                if shared.queue.stopped() {
                    return;
                }
                look_into(shared, root, watch, group, (&mut path, &mut name), &mut found);
            }
        }
        dirty.lock().unwrap_or_else(PoisonError::into_inner).append(&mut found);
    };
    // A thread that could not be made leaves its part to the others.
    thread::scope(|scope| {
        for _ in 1..threads {
            let _ = thread::Builder::new().name("sweep".into()).spawn_scoped(scope, look);
        }
        look();
    });
    let mut dirty = dirty.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(watch) = watch {
        let _ = watch.know(root.handle(), c"", ROOT);
    }
    let itself = statx(root.handle(), c"", QUIET, FIELDS).map(|stat| Mark::of(&stat));
    let known = shared.folders.get(ROOT).map(super::folders::Folder::mark);
    if itself.ok() != known || known.is_some_and(|mark| mark.stamp.is_none()) {
        dirty.push(ROOT);
    }
    dirty.extend(shared.asides().keys());
    // Those above come first, as a rule: what they lack need not be read.
    dirty.sort_unstable();
    dirty.dedup();
    dirty
}

/// All folders but the root, each behind the number of the one that it is in.
fn by_parent(shared: &Shared) -> Vec<(u32, u32)> {
    let folders = 1..shared.folders.count();
    let mut all: Vec<(u32, u32)> =
        folders.filter_map(|id| Some((shared.folders.get(id)?.parent(), id))).collect();
    all.sort_unstable();
    all
}

/// Looks at folders that are in the same one.
fn look_into(
    shared: &Shared,
    root: &Root,
    watch: Option<&Watch>,
    group: &[(u32, u32)],
    (path, name): (&mut Vec<u8>, &mut Vec<u8>),
    dirty: &mut Vec<u32>,
) {
    let Some(&(parent, _)) = group.first() else { return };
    shared.folders.path(parent, path);
    let Ok(place) = root.place(Path::new(OsStr::from_bytes(path))) else {
        dirty.push(parent);
        return;
    };
    for &(_, id) in group {
        let Some(folder) = shared.folders.get(id) else { continue };
        name.clear();
        name.extend_from_slice(&folder.name());
        name.push(0);
        let Ok(name) = CStr::from_bytes_with_nul(name) else { continue };
        if let Some(watch) = watch {
            // First, so that nothing happens between this and the look.
            let _ = watch.know(place.as_fd(), name, id);
        }
        let known = folder.mark();
        match statx(&place, name, BY_NAME, FIELDS) {
            Ok(stat)
                if kind(&stat) == EntryKind::Folder
                    && Territory::of(&stat) == shared.home
                    && stat.stx_ino == known.inode =>
            {
                if known.stamp.is_none() || Mark::of(&stat) != known {
                    dirty.push(id);
                }
            }
            // Gone, or another one by now: the folder above knows.
            _ => dirty.push(parent),
        }
    }
}
