//! A tree as bytes, and back: what the index on disk keeps of it.
//!
//! Folders follow one another, each before those in it and in the order in which its entries name
//! them. So whatever is read back is a tree, or nothing: it has no loops and no folder twice.

use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use jiff::Timestamp;
use rustix::io::Errno;

use super::folders::{Added, Folder, Folders};
use super::follow::catch_up;
use super::mark::Mark;
use super::node::{Node, Nodes, number, put, unzigzag, zigzag};
use super::purpose::Purpose;
use super::refresh::{Refresher, add};
use super::sweep::sweep;
use super::territory::{Itself, itself};
use super::{Leaving, ROOT, Shared, Tree, threads};
use crate::port::Pace;
use crate::scan::open::Root;
use crate::sys::ioprio;

/// Bytes in which a folder's name, numbers and entries are read.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn number(&mut self) -> Option<u64> {
        let mut nodes = Nodes::from(self.0, 0);
        let value = nodes.number()?;
        self.0 = self.0.get(nodes.at()..)?;
        Some(value)
    }

    fn some(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (some, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(some)
    }
}

/// How old what was found is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scan) struct When {
    /// When it was last compared with the disk.
    pub(in crate::scan) as_of: Timestamp,
    /// When every file was last looked at.
    pub(in crate::scan) read: Timestamp,
}

/// What a tree has found, for whoever keeps it; it does not keep the walk going.
pub(in crate::scan) struct Found(Arc<Shared>);

impl Found {
    /// Waits until the walk has ended, or was stopped.
    pub(in crate::scan) fn wait(&self) {
        self.0.wait_for_the_walk();
    }

    /// Waits for a while; whether the walk is still wanted then.
    pub(in crate::scan) fn rest(&self, pause: Duration) -> bool {
        self.0.rest(pause);
        !self.0.queue.stopped()
    }

    /// Moves with everything that is found.
    pub(in crate::scan) fn generation(&self) -> u64 {
        self.0.generation.load(Relaxed)
    }

    /// How many entries there are.
    pub(in crate::scan) fn entries(&self) -> u64 {
        self.0.folders.get(ROOT).map(Folder::totals).map_or(0, |total| total.files + total.dirs)
    }

    /// How old it is; `None` while nothing is whole.
    pub(in crate::scan) fn when(&self) -> Option<When> {
        let moment = |at: &AtomicI64| Timestamp::from_second(at.load(Relaxed)).ok();
        Some(When { as_of: moment(&self.0.as_of)?, read: moment(&self.0.read)? })
    }

    /// All of it, as bytes; `None` of a tree that is not whole.
    pub(in crate::scan) fn record(&self) -> Option<Vec<u8>> {
        let shared = &self.0;
        let _still = shared.refreshing();
        if !shared.whole.load(Relaxed) {
            return None;
        }
        let mut record = Vec::new();
        let (mut order, mut at) = (vec![ROOT], 0);
        let mut slab = Vec::new();
        while let Some(id) = order.get(at).copied() {
            at += 1;
            let folder = shared.folders.get(id)?;
            slab.clear();
            let entries = folder.entries();
            let mut nodes = Nodes::from(&entries, 0);
            while let Some((from, node)) = nodes.next() {
                match node {
                    Node::Folder(inner) => {
                        put(&mut slab, Node::Folder(u32::try_from(order.len()).ok()?));
                        order.push(inner);
                    }
                    Node::Leaf(_) => slab.extend_from_slice(entries.get(from..nodes.at())?),
                }
            }
            let (name, own, mark) = (folder.name(), folder.alone(), folder.mark());
            // What was not read whole is read again the next time.
            let known = mark.stamp.filter(|_| !shared.asides().contains_key(&id));
            number(&mut record, name.len() as u64);
            record.extend_from_slice(&name);
            for value in [own.allocated / 512, own.apparent, zigzag(own.newest), mark.inode] {
                number(&mut record, value);
            }
            number(&mut record, known.map_or(0, NonZeroU64::get));
            number(&mut record, slab.len() as u64);
            record.extend_from_slice(&slab);
        }
        Some(record)
    }
}

impl Tree {
    /// What it has found, for whoever keeps it.
    pub(in crate::scan) fn found(&self) -> Found {
        Found(Arc::clone(&self.shared))
    }

    /// The tree of a folder as it was recorded at a moment, compared with the disk from now on. `None`
    /// where the record makes no sense.
    pub(in crate::scan) fn recorded(path: &Path, root: &Root, record: &[u8], when: When) -> Option<Self> {
        let now = itself(root.handle()).ok()?;
        let mut tree =
            Self::new(Purpose::everything(path), &Itself { alone: Added::NOTHING, ..now }, 0).ok()?;
        tree.root = root.on_its_mount().ok();
        tree.read_back(record)?;
        tree.shared.as_of.store(when.as_of.as_second(), Relaxed);
        tree.shared.read.store(when.read.as_second(), Relaxed);
        Some(tree)
    }

    fn read_back(&self, record: &[u8]) -> Option<()> {
        let (shared, folders) = (&self.shared, &self.shared.folders);
        let mut bytes = Bytes(record);
        // Whose each folder is, by the order in which they were named.
        let mut parents = vec![ROOT];
        let mut at = 0;
        while let Some(parent) = parents.get(at).copied() {
            let name = bytes.some()?;
            let (blocks, apparent) = (bytes.number()?, bytes.number()?);
            let (newest, inode) = (unzigzag(bytes.number()?), bytes.number()?);
            let mark = Mark { inode, stamp: NonZeroU64::new(bytes.number()?) };
            let own = Added { allocated: blocks.checked_mul(512)?, apparent, newest, ..Added::NOTHING };
            let slab = bytes.some()?;
            let id = u32::try_from(at).ok()?;
            if at == 0 {
                let folder = folders.get(ROOT)?;
                folder.is_now(&own, mark);
                folder.add(&own);
            } else if name.is_empty() || name.contains(&b'/') || folders.add(parent, name, &own, mark)? != id {
                return None;
            }
            let folder = folders.get(id)?;
            let (mut sum, mut nodes) = (Added::NOTHING, Nodes::from(slab, 0));
            for (_, node) in nodes.by_ref() {
                match node {
                    Node::Folder(inner) if usize::try_from(inner).ok()? == parents.len() => parents.push(id),
                    Node::Folder(_) => return None,
                    Node::Leaf(leaf) => {
                        if leaf.linked {
                            shared.links.first(leaf.device.unwrap_or(shared.links.home()), leaf.inode);
                        }
                        if !leaf.again {
                            add(&mut sum, &leaf);
                        }
                    }
                }
            }
            if nodes.at() != slab.len() {
                return None;
            }
            folder.add(&sum);
            folder.set(slab.to_vec());
            at += 1;
        }
        if !bytes.0.is_empty() {
            return None;
        }
        add_up(folders, &parents);
        Some(())
    }

    /// Compares what was found with the disk, on a thread of its own; not while something else does.
    pub(in crate::scan) fn compare(&self, pace: Pace) -> Result<(), Errno> {
        let root = self.root.as_ref().ok_or(Errno::NOTDIR)?.on_its_mount()?;
        let shared = Arc::clone(&self.shared);
        let threads = threads(pace);
        {
            let mut working = shared.working();
            if *working > 0 || shared.queue.stopped() {
                return Ok(());
            }
            *working = 1;
        }
        shared.whole.store(false, Relaxed);
        let work = move || {
            let _leaving = Leaving(&shared);
            if pace == Pace::Background {
                // A look that may not give way is still a look.
                let _ = ioprio::give_way();
            }
            let dirty = sweep(&shared, &root, None, threads);
            catch_up(&mut Refresher::new(&shared, &root, None), dirty);
        };
        let started = std::thread::Builder::new().name("compare".into()).spawn(work);
        if started.is_err() {
            self.shared.gone();
        }
        started.map(drop).map_err(|_| Errno::AGAIN)
    }
}

/// Every folder was added before those in it: from the last one up, each is whole.
fn add_up(folders: &Folders, parents: &[u32]) {
    for (id, parent) in parents.iter().enumerate().skip(1).rev() {
        let Some(folder) = u32::try_from(id).ok().and_then(|id| folders.get(id)) else { continue };
        let held = folder.held();
        if let Some(above) = folders.get(*parent) {
            above.add(&Added { dirs: held.dirs.saturating_add(1), ..held });
        }
        folder.is_whole();
    }
    if let Some(root) = folders.get(ROOT) {
        root.is_whole();
    }
}
