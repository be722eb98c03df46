//! One look at every folder of a tree, and at no file: which have changed since they were read.

use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::fs::statx;
use rustix::io::Errno;

use super::mark::{Mark, kind};
use super::territory::{BY_NAME, Territory};
use super::{ROOT, Shared};
use crate::port::EntryKind;
use crate::scan::birth::{FIELDS, QUIET};
use crate::scan::live::Watch;
use crate::scan::open::Root;

/// Folders above others that a thread takes at a time,
const SHARE: usize = 16;
/// and those beneath one of them.
const BESIDE: usize = 256;

/// The folders to read again: changed ones, those beneath which one went or came, and those that could
/// not be read whole the last time. `watch` learns every folder that is met.
pub(super) fn sweep(shared: &Shared, root: &Root, watch: Option<&Watch>, threads: usize) -> Vec<u32> {
    let all = by_parent(shared);
    let groups: Vec<&[Place]> =
        all.chunk_by(|one, other| one.1 == other.1).flat_map(|group| group.chunks(BESIDE)).collect();
    let next = AtomicUsize::new(0);
    let dirty = Mutex::new(Vec::new());
    let look = || {
        let mut found = Vec::new();
        let (mut near, mut name) = (Near::default(), Vec::new());
        while let Some(share) = groups.get(next.fetch_add(SHARE, Relaxed)..).filter(|rest| !rest.is_empty()) {
            for group in share.iter().take(SHARE) {
                if shared.queue.stopped() {
                    return;
                }
                look_into(shared, root, watch, group, (&mut near, &mut name), &mut found);
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

/// The folder above the last one that was opened: the next one is mostly beside it, and opened by its name.
#[derive(Default)]
struct Near {
    above: Option<(u32, Root)>,
    path: Vec<u8>,
}

impl Near {
    /// Opens a folder for looking at its entries by name.
    fn open(&mut self, shared: &Shared, root: &Root, id: u32) -> rustix::io::Result<OwnedFd> {
        let folder = shared.folders.get(id).filter(|_| id != ROOT);
        let Some((above, folder)) = folder.map(|folder| (folder.parent(), folder)) else {
            return root.place(Path::new(""));
        };
        if self.above.as_ref().is_none_or(|(known, _)| *known != above) {
            self.above = None;
            shared.folders.path(above, &mut self.path);
            let opened = root.place_as_root(Path::new(OsStr::from_bytes(&self.path)))?;
            self.above = Some((above, opened));
        }
        let Some((_, opened)) = &self.above else { return Err(Errno::NOENT) };
        opened.place(Path::new(OsStr::from_bytes(&folder.name())))
    }
}

/// A folder behind the one that it is in, and that behind the one above.
type Place = (u32, u32, u32);

/// All folders but the root, those beside each other together.
fn by_parent(shared: &Shared) -> Vec<Place> {
    let place = |id: u32| {
        let parent = shared.folders.get(id)?.parent();
        Some((shared.folders.get(parent)?.parent(), parent, id))
    };
    let mut all: Vec<Place> = (1..shared.folders.count()).filter_map(place).collect();
    all.sort_unstable();
    all
}

/// Looks at folders that are in the same one.
fn look_into(
    shared: &Shared,
    root: &Root,
    watch: Option<&Watch>,
    group: &[Place],
    (near, name): (&mut Near, &mut Vec<u8>),
    dirty: &mut Vec<u32>,
) {
    let Some(&(_, parent, _)) = group.first() else { return };
    let Ok(place) = near.open(shared, root, parent) else {
        dirty.push(parent);
        return;
    };
    for &(.., id) in group {
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
