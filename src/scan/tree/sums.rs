//! What all files of a tree come to, by what they are or by whose they are.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::folders::Folders;
use super::node::{Node, Nodes};
use super::page::{begin, instant};
use crate::core::surroundings::Surroundings;
use crate::port::{By, EntryKind, Sum, Totals, Trait};

/// One sum for each kind of thing, or each owner; files with several names once.
pub(super) fn sums(folders: &Folders, by: By) -> Vec<Sum> {
    let mut all: BTreeMap<Trait, (Totals, i64)> = BTreeMap::new();
    let mut path = Vec::new();
    for id in 0..folders.count() {
        let Some(folder) = folders.get(id) else { continue };
        let says = (by == By::Value).then(|| {
            begin(folders, id, &mut path);
            Surroundings::of(Path::new(OsStr::from_bytes(&path)))
        });
        for (_, node) in Nodes::from(&folder.entries(), 0) {
            let Node::Leaf(leaf) = node else { continue };
            if leaf.again || (says.is_some() && leaf.kind != EntryKind::File) {
                continue;
            }
            let of = match &says {
                None => Trait::Owner(leaf.owner),
                Some(says) => Trait::Value(says.value(OsStr::from_bytes(leaf.name))),
            };
            let (totals, newest) = all.entry(of).or_insert((Totals::default(), i64::MIN));
            totals.allocated = totals.allocated.saturating_add(leaf.allocated());
            totals.apparent = totals.apparent.saturating_add(leaf.apparent);
            totals.files += 1;
            *newest = leaf.modified.max(*newest);
        }
    }
    all.into_iter().map(|(of, (totals, newest))| Sum { of, totals, newest: instant(newest) }).collect()
}
