//! An upper directory against the layers beneath it: what is new, changed, deleted, or only renamed.
//!
//! A folder that lies beneath as well (by its path, or by where it was when it was renamed) is
//! compared with the names there; beneath any other all is new, and its files need no second look.
//! Where the layers beneath are not known, the marks on the files themselves tell.

mod marks;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{FileType, RawDir, Statx, statx};
use rustix::io::Errno;

use self::marks::Marks;
use super::birth::{FIELDS, QUIET};
use super::open::Root;
use crate::core::finding::LayerCount;

/// Beginning of the names with which fuse-overlayfs marks what is deleted.
const DELETED: &[u8] = b".wh.";
/// The names with which it marks a folder that hides what lies beneath.
const OPAQUE: [&CStr; 2] = [c".wh..wh..opq", c".wh..opq"];
/// Bytes of entries asked for at a time.
const BUFFER: usize = 32 * 1024;

/// The layers of an image beneath an upper directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Below {
    /// Their directories, top first; empty where they are not known.
    pub layers: Vec<PathBuf>,
    /// Only the marks that nobody inside a container can set count: the kernel says so.
    pub trusted: bool,
}

/// What an entry of an upper directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A file of the container's own.
    New,
    /// A file of the image whose content was changed.
    Changed,
    /// A file of the image of which only owner, mode or times were changed: its data is the image's.
    Attributes,
    /// The mark of something deleted.
    Deleted,
    /// A mark of the driver's: no entry at all.
    Mark,
}

/// A layer that is being read.
#[derive(Debug)]
pub(super) struct Layer {
    /// `None` where not all of them may be read: then only marks tell.
    beneath: Option<Vec<Root>>,
    trusted: bool,
    /// Where the folders that are still to be read lie beneath, by their number.
    waiting: Mutex<HashMap<u32, Place>>,
    new: AtomicU64,
    changed: AtomicU64,
    attributes: AtomicU64,
    deleted: AtomicU64,
}

/// Where a folder lies in the layers beneath.
#[derive(Clone, Debug)]
struct Place {
    path: Vec<u8>,
    /// The layers that have it, by their number, top first.
    layers: Vec<u16>,
    /// A folder above hides it: what is not here again is deleted.
    hidden: bool,
}

/// What a name is in the layers beneath.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Under {
    Folder(Vec<u16>),
    Other,
    /// Deleted by a layer of the image.
    Gone,
}

/// One folder of the upper directory, while it is read.
#[derive(Debug)]
pub(super) struct Ground {
    place: Option<Place>,
    /// The names beneath; `None` where they are not known.
    names: Option<HashMap<Box<[u8]>, Under>>,
    hides: bool,
    /// The marks of every file must be looked at.
    each: bool,
    trusted: bool,
}

impl Layer {
    pub(super) fn new(below: &Below) -> Self {
        let roots = || below.layers.iter().map(|layer| Root::open(layer).ok()).collect();
        let beneath = if below.layers.is_empty() { None } else { roots() };
        let first = beneath.as_ref().map(|roots: &Vec<Root>| {
            let layers = (0..roots.len()).filter_map(|layer| u16::try_from(layer).ok()).collect();
            (0, Place { path: Vec::new(), layers, hidden: false })
        });
        Self {
            beneath,
            trusted: below.trusted,
            waiting: Mutex::new(first.into_iter().collect()),
            new: AtomicU64::new(0),
            changed: AtomicU64::new(0),
            attributes: AtomicU64::new(0),
            deleted: AtomicU64::new(0),
        }
    }

    pub(super) fn count(&self) -> LayerCount {
        LayerCount {
            new: self.new.load(Relaxed),
            changed: self.changed.load(Relaxed),
            attributes: self.attributes.load(Relaxed),
            deleted: self.deleted.load(Relaxed),
        }
    }

    /// A folder of the upper directory was opened.
    pub(super) fn enter(&self, id: u32, handle: BorrowedFd<'_>) -> Ground {
        let marks = Marks::of_folder(handle, self.trusted);
        let place = self.waiting().remove(&id);
        let place = match &marks.redirect {
            Some(to) => self.redirected(place, to),
            None => place,
        };
        let mut ground = Ground {
            hides: marks.hides || place.as_ref().is_some_and(|place| place.hidden),
            each: marks.impure || marks.whiteouts || self.beneath.is_none(),
            names: None,
            place: None,
            trusted: self.trusted,
        };
        if let Some(roots) = &self.beneath {
            let names = place.as_ref().map(|place| names(roots, place)).unwrap_or_default();
            if !names.is_empty() && !ground.hides {
                ground.hides = OPAQUE.into_iter().any(|mark| statx(handle, mark, QUIET, FIELDS).is_ok());
            }
            (ground.names, ground.place) = (Some(names), place);
        }
        ground
    }

    /// A folder is met in another: it may lie beneath as well.
    pub(super) fn met(&self, ground: &Ground, name: &[u8], id: u32) {
        let Some(place) = &ground.place else { return };
        let layers = match ground.names.as_ref().and_then(|names| names.get(name)) {
            Some(Under::Folder(layers)) => layers.clone(),
            _ => Vec::new(),
        };
        let path = joined(&place.path, name);
        self.waiting().insert(id, Place { path, layers, hidden: ground.hides });
    }

    /// Counts an entry that is no folder.
    pub(super) fn told(&self, ground: &Ground, sign: Sign, name: &[u8]) {
        let sum = match sign {
            Sign::New => &self.new,
            Sign::Changed => &self.changed,
            Sign::Attributes => &self.attributes,
            // A deletion of what is not beneath deletes nothing.
            Sign::Deleted if ground.was_there(name) => &self.deleted,
            Sign::Deleted | Sign::Mark => return,
        };
        sum.fetch_add(1, Relaxed);
    }

    /// So many names are beneath a folder that hides them, and not in it again.
    pub(super) fn hidden(&self, many: usize) {
        self.deleted.fetch_add(many as u64, Relaxed);
    }

    /// Where a folder was before it was renamed; a name alone is one beside it.
    fn redirected(&self, place: Option<Place>, to: &[u8]) -> Option<Place> {
        let all = self.beneath.as_ref()?.len();
        let path = match to.strip_prefix(b"/") {
            Some(path) => path.to_vec(),
            None => joined(place.map(|place| above(&place.path).to_vec())?.as_slice(), to),
        };
        let layers = (0..all).filter_map(|layer| u16::try_from(layer).ok()).collect();
        Some(Place { path, layers, hidden: false })
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u32, Place>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ground {
    /// The names beneath that a folder hides: those not met again in it are deleted.
    pub(super) fn hidden(&self) -> HashSet<&[u8]> {
        let names = self.names.iter().flatten().filter(|(_, under)| self.hides && **under != Under::Gone);
        names.map(|(name, _)| &**name).collect()
    }

    /// What an entry that is no folder is.
    pub(super) fn sign(&self, folder: BorrowedFd<'_>, name: &CStr, stat: &Statx) -> Sign {
        let kind = FileType::from_raw_mode(u32::from(stat.stx_mode));
        if is_deletion(kind, stat) {
            return Sign::Deleted;
        }
        let is_empty = stat.stx_size == 0 && kind == FileType::RegularFile;
        if is_empty && !self.trusted && name.to_bytes().starts_with(DELETED) {
            return if OPAQUE.contains(&name) { Sign::Mark } else { Sign::Deleted };
        }
        let was_there = self.names.as_ref().map(|_| self.was_there(name.to_bytes()));
        let look = self.each || was_there == Some(true);
        let marks = if look && kind == FileType::RegularFile {
            Marks::of_file(folder, name, self.trusted)
        } else {
            Marks::default()
        };
        if marks.whiteout && is_empty {
            Sign::Deleted
        } else if marks.metacopy {
            Sign::Attributes
        } else if was_there.unwrap_or(marks.origin) {
            Sign::Changed
        } else {
            Sign::New
        }
    }

    /// Whether a name was in the image; where that is not known, a deletion deletes something.
    fn was_there(&self, name: &[u8]) -> bool {
        let is = |name: &[u8]| {
            let names = self.names.as_ref();
            names.is_none_or(|names| names.get(name).is_some_and(|under| *under != Under::Gone))
        };
        is(name) || name.strip_prefix(DELETED).is_some_and(is)
    }
}

/// A character device without a number.
const fn is_deletion(kind: FileType, stat: &Statx) -> bool {
    matches!(kind, FileType::CharacterDevice) && stat.stx_rdev_major == 0 && stat.stx_rdev_minor == 0
}

/// All names in a folder's counterparts. What cannot be read there holds nothing.
fn names(roots: &[Root], place: &Place) -> HashMap<Box<[u8]>, Under> {
    let mut all = HashMap::new();
    let mut buffer = vec![MaybeUninit::uninit(); BUFFER];
    for layer in &place.layers {
        let Some(root) = roots.get(usize::from(*layer)) else { continue };
        let Ok(handle) = root.directory(Path::new(OsStr::from_bytes(&place.path))) else { continue };
        let mut hides = Marks::of_folder(handle.as_fd(), false).hides;
        let mut entries = RawDir::new(&handle, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if OPAQUE.contains(&name) {
                hides = true;
                continue;
            }
            let (name, under) = match kind(handle.as_fd(), name, entry.file_type()) {
                Ok(Under::Folder(_)) => (name.to_bytes(), Under::Folder(vec![*layer])),
                Ok(under) => match name.to_bytes().strip_prefix(DELETED) {
                    Some(name) => (name, Under::Gone),
                    None => (name.to_bytes(), under),
                },
                Err(_) => continue,
            };
            match (all.get_mut(name), under) {
                (None, under) => {
                    all.insert(Box::from(name), under);
                }
                // Folders of several layers are one; anything else hides what is beneath it.
                (Some(Under::Folder(layers)), Under::Folder(_)) if layers.last() != Some(layer) => {
                    layers.push(*layer);
                }
                (Some(_), _) => {}
            }
        }
        if hides {
            break;
        }
    }
    all
}

fn kind(folder: BorrowedFd<'_>, name: &CStr, told: FileType) -> Result<Under, Errno> {
    match told {
        FileType::Directory => Ok(Under::Folder(Vec::new())),
        FileType::CharacterDevice | FileType::Unknown => {
            let stat = statx(folder, name, QUIET, FIELDS)?;
            Ok(match FileType::from_raw_mode(u32::from(stat.stx_mode)) {
                FileType::Directory => Under::Folder(Vec::new()),
                kind if is_deletion(kind, &stat) => Under::Gone,
                _ => Under::Other,
            })
        }
        _ => Ok(Under::Other),
    }
}

fn joined(path: &[u8], name: &[u8]) -> Vec<u8> {
    if path.is_empty() { name.to_vec() } else { [path, name].join(&b'/') }
}

fn above(path: &[u8]) -> &[u8] {
    path.iter().rposition(|byte| *byte == b'/').and_then(|at| path.get(..at)).unwrap_or_default()
}
