//! Files with several names, once a pass has read what changed: each is counted under one name. And a
//! single file that grows, put in place without reading its folder.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::fs::{Statx, statx};

use super::folders::{Added, Folder};
use super::links::Device;
use super::mark::{kind, leaf};
use super::node::{Leaf, Node, Nodes, link, put};
use super::refresh::{File, Refresher, add};
use super::territory::{BY_NAME, device};
use crate::port::EntryKind;
use crate::scan::birth::FIELDS;

/// What is to be done with one name.
enum Deed {
    /// It is counted from now on: the name that was is gone.
    Count,
    /// It is one of several names, which was not known when it was read.
    Join,
}

impl Refresher<'_> {
    /// Finds names for files whose counted one is gone, and other names of files that got a new one.
    /// All names are looked through, but only where there is such a file.
    pub(super) fn settle(&mut self) {
        let links = &self.shared.links;
        self.newcomers.retain(|file, names| links.names(file.0, file.1) < *names);
        if self.orphans.is_empty() && self.newcomers.is_empty() && self.resized.is_empty() {
            return;
        }
        let inodes: BTreeSet<u64> = self.newcomers.keys().map(|(_, inode)| *inode).collect();
        let mut found: Vec<(u32, usize, File, Deed)> = Vec::new();
        let mut outgrown = Vec::new();
        for id in 0..self.shared.folders.count() {
            let Some(folder) = self.shared.folders.get(id) else { continue };
            for (at, node) in Nodes::from(&folder.entries(), 0) {
                let Node::Leaf(leaf) = node else { continue };
                if leaf.linked {
                    let file = (leaf.device.unwrap_or(links.home()), leaf.inode);
                    if leaf.again && self.orphans.remove(&file) {
                        found.push((id, at, file, Deed::Count));
                    } else if !leaf.again && self.resized.contains(&file) {
                        outgrown.push(id);
                    }
                } else if inodes.contains(&leaf.inode) {
                    found.push((id, at, (links.home(), leaf.inode), Deed::Join));
                }
            }
        }
        for (id, at, file, deed) in found {
            self.settle_one(id, at, file, &deed);
        }
        for id in outgrown {
            self.again(id);
        }
        self.orphans.clear();
        self.newcomers.clear();
        self.resized.clear();
    }

    fn settle_one(&mut self, id: u32, at: usize, file: File, deed: &Deed) {
        let Some(folder) = self.shared.folders.get(id) else { return };
        let known = match Nodes::from(&folder.entries(), at).next() {
            Some((_, Node::Leaf(leaf))) => {
                let mut counted = Added::NOTHING;
                add(&mut counted, &leaf);
                Some((leaf.name.to_vec(), counted))
            }
            _ => None,
        };
        let Some((name, counted)) = known else { return };
        match deed {
            Deed::Count => {
                link(&mut folder.entries(), at, false);
                self.shared.folders.add_up(id, &counted);
            }
            Deed::Join => {
                // On another device of the same mount a number may be another file's.
                let same = self.stat(id, &name).is_some_and(|stat| {
                    let of: (Device, u64) = (device(&stat), stat.stx_ino);
                    stat.stx_nlink > 1 && of == file && self.newcomers.contains_key(&of)
                });
                if same {
                    self.shared.links.first(file.0, file.1);
                    link(&mut folder.entries(), at, true);
                    self.shared.folders.take_up(id, &counted);
                }
            }
        }
    }

    /// One file by its name in a folder.
    fn stat(&self, id: u32, name: &[u8]) -> Option<Statx> {
        let mut path = Vec::new();
        self.shared.folders.path(id, &mut path);
        let folder = self.root.place(Path::new(OsStr::from_bytes(&path))).ok()?;
        statx(&folder, OsStr::from_bytes(name), BY_NAME, FIELDS).ok()
    }

    /// Looks at one file again. Whether it is what it was; `None` where only its folder can tell.
    pub(super) fn look_at(&mut self, id: u32, name: &[u8]) -> Option<bool> {
        let folder = self.shared.folders.get(id)?;
        let stat = self.stat(id, name)?;
        let mut entries = folder.entries();
        let mut nodes = Nodes::from(&entries, 0);
        let (at, old) = nodes.find_map(|(at, node)| match node {
            Node::Leaf(leaf) if leaf.name == name => Some((at, leaf)),
            _ => None,
        })?;
        let new = leaf(name, &stat, self.shared.links.home());
        let same_file = (old.inode, old.kind, old.linked) == (new.inode, kind(&stat), new.linked);
        // Of a file with several names another one may be the counted one.
        if !same_file || new.linked || new.kind != EntryKind::File {
            return None;
        }
        if (old.blocks, old.apparent, old.modified) == (new.blocks, new.apparent, new.modified) {
            return Some(true);
        }
        let (mut gone, mut came) = (Added::NOTHING, Added::NOTHING);
        gone.changed = u32::from(old.changed);
        add(&mut gone, &old);
        add(&mut came, &new);
        let end = nodes.at();
        let mut record = Vec::new();
        put(&mut record, Node::Leaf(Leaf { changed: false, ..new }));
        if gone.changed > 0 {
            self.shared.settled(id, gone.changed);
        }
        drop(entries.splice(at..end, record));
        drop(entries);
        let was = folder.newest();
        self.shared.folders.add_up(id, &came);
        self.shared.folders.take_up(id, &gone);
        if gone.newest >= was && came.newest < was {
            self.shared.folders.renew(id);
        }
        Some(false)
    }

    /// The files that may have grown without any sign in their folder: the last ones that were written, the
    /// largest, and those of these numbers on the root's device. All are looked through once, by several
    /// threads.
    pub(super) fn likely(&self, most: usize, open: &BTreeSet<u64>) -> BTreeSet<(u32, Vec<u8>)> {
        let count = self.shared.folders.count();
        let next = AtomicU32::new(0);
        let all = Mutex::new(Likely::default());
        let look = || {
            let mut found = Likely::default();
            loop {
                let from = next.fetch_add(SHARE, Relaxed);
                if from >= count {
                    break;
                }
                for id in from..count.min(from + SHARE) {
                    self.likely_in(id, most, open, &mut found);
                }
            }
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            for (all, found) in all.best.iter_mut().zip(found.best) {
                all.extend(found);
                keep(all, most);
            }
            all.open.extend(found.open);
        };
        // A thread that could not be made leaves its part to the other.
        thread::scope(|scope| {
            if count > SHARE {
                let _ = thread::Builder::new().name("likely".into()).spawn_scoped(scope, look);
            }
            look();
        });
        let all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        let places = all.best.into_iter().flatten().map(|(_, id, at)| (id, at)).chain(all.open);
        let named = |(id, at): (u32, usize)| Some((id, name_at(self.shared.folders.get(id)?, at)?));
        places.filter_map(named).collect()
    }

    fn likely_in(&self, id: u32, most: usize, open: &BTreeSet<u64>, found: &mut Likely) {
        let Some(folder) = self.shared.folders.get(id) else { return };
        for (at, node) in Nodes::from(&folder.entries(), 0) {
            let Node::Leaf(leaf) = node else { continue };
            if !open.is_empty() && open.contains(&leaf.inode) {
                found.open.push((id, at));
            }
            if leaf.kind != EntryKind::File || leaf.again {
                continue;
            }
            let ranks = [leaf.modified, i64::try_from(leaf.blocks).unwrap_or(i64::MAX)];
            for ((best, least), rank) in found.best.iter_mut().zip(&mut found.least).zip(ranks) {
                if rank <= *least {
                    continue;
                }
                best.push((rank, id, at));
                if best.len() >= most.max(1) * 8 {
                    keep(best, most);
                    *least = best.last().map_or(i64::MIN, |(rank, ..)| *rank);
                }
            }
        }
    }

    /// Files by their numbers on the root's device, wherever they are.
    pub(super) fn by_inode(&self, inodes: &BTreeSet<u64>) -> Vec<(u64, u32, Vec<u8>)> {
        let mut found = Vec::new();
        for id in 0..self.shared.folders.count() {
            let Some(folder) = self.shared.folders.get(id) else { continue };
            for (_, node) in Nodes::from(&folder.entries(), 0) {
                if let Node::Leaf(leaf) = node
                    && inodes.contains(&leaf.inode)
                {
                    found.push((leaf.inode, id, leaf.name.to_vec()));
                }
            }
        }
        found
    }
}

/// Folders that a thread looks through at a time.
const SHARE: u32 = 1024;

/// Files that may have grown, by their folders and where they are in them.
struct Likely {
    /// The last written and the largest, with what they are ranked by.
    best: [Vec<(i64, u32, usize)>; 2],
    /// What a rank must reach to be among them.
    least: [i64; 2],
    open: Vec<(u32, usize)>,
}

impl Default for Likely {
    fn default() -> Self {
        Self { best: Default::default(), least: [i64::MIN; 2], open: Vec::new() }
    }
}

fn keep(best: &mut Vec<(i64, u32, usize)>, most: usize) {
    best.sort_unstable_by(|one, other| other.cmp(one));
    best.truncate(most);
}

fn name_at(folder: &Folder, at: usize) -> Option<Vec<u8>> {
    match Nodes::from(&folder.entries(), at).next() {
        Some((_, Node::Leaf(leaf))) => Some(leaf.name.to_vec()),
        _ => None,
    }
}
