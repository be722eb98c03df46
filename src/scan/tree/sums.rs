//! What all files of a tree come to, by what they are or by whose they are.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::folders::Folders;
use super::node::{Node, Nodes};
use super::page::{begin, instant};
use crate::core::value::Value;
use crate::port::{By, EntryKind, Sum, Totals, Trait};

/// One sum for each kind of thing, or each owner; files with several names once.
pub(super) fn sums(folders: &Folders, by: By) -> Vec<Sum> {
    let mut all: BTreeMap<Trait, (Totals, i64)> = BTreeMap::new();
    let mut path = Vec::new();
    for id in 0..folders.count() {
        let Some(folder) = folders.get(id) else { continue };
        let start = if by == By::Value { begin(folders, id, &mut path) } else { 0 };
        for (_, node) in Nodes::from(&folder.entries(), 0) {
            let Node::Leaf(leaf) = node else { continue };
            if leaf.again || (by == By::Value && leaf.kind != EntryKind::File) {
                continue;
            }
            let of = match by {
                By::Owner => Trait::Owner(leaf.owner),
                By::Value => {
                    path.truncate(start);
                    path.extend_from_slice(leaf.name);
                    Trait::Value(Value::of(Path::new(OsStr::from_bytes(&path))))
                }
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
