//! What a person sees of a tree: some entries of one folder, or the first files of all, in order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use jiff::Timestamp;

use super::folders::{Folder, Folders};
use super::node::{Leaf, Node, Nodes};
use crate::port::{EntryKind, FolderId, Matching, Order, Page, Row, Totals};

/// Entries of one folder, in order, from one on.
pub(super) fn page(folders: &Folders, id: FolderId, order: Order, from: usize, limit: usize) -> Page {
    let Some(folder) = u32::try_from(id.0).ok().and_then(|id| folders.get(id)) else { return Page::default() };
    let entries = folder.entries();
    let mut keys: Vec<(Reverse<i128>, usize)> =
        Nodes::from(&entries, 0).map(|(at, node)| (Reverse(rank(folders, order, node)), at)).collect();
    let of = keys.len();
    let end = from.saturating_add(limit).min(of);
    // Only what is shown is sorted; entries that are alike stay as they were met.
    if end < of {
        keys.select_nth_unstable(end);
        keys.truncate(end);
    }
    keys.sort_unstable();
    let shown = keys.get(from..).unwrap_or_default();
    let rows = shown
        .iter()
        .filter_map(|(_, at)| Nodes::from(&entries, *at).next())
        .map(|(_, node)| match node {
            Node::Folder(id) => folder_row(folders, id),
            Node::Leaf(leaf) => leaf_row(&leaf, OsStr::from_bytes(leaf.name).into()),
        })
        .collect();
    Page { rows, of, totals: folder.totals(), growing: folder.grows() }
}

/// The first files of all folders that match, in order; their names are paths beneath the root.
pub(super) fn files(folders: &Folders, matching: &Matching, order: Order, limit: usize) -> Vec<Row> {
    let newer = matching.newer.map(Timestamp::as_second);
    let larger = matching.larger.unwrap_or(0);
    let mut best: BinaryHeap<(Reverse<i128>, u32, usize)> = BinaryHeap::new();
    for id in 0..folders.count() {
        let Some(folder) = folders.get(id) else { continue };
        for (at, node) in Nodes::from(&folder.entries(), 0) {
            let Node::Leaf(leaf) = node else { continue };
            let wanted = leaf.kind == EntryKind::File
                && !leaf.again
                && leaf.apparent.max(leaf.allocated()) >= larger
                && newer.is_none_or(|newer| leaf.modified >= newer);
            if wanted {
                // The least of those kept is on top, and the first to go.
                best.push((Reverse(rank(folders, order, node)), id, at));
                if best.len() > limit {
                    best.pop();
                }
            }
        }
    }
    let mut path = Vec::new();
    let row = |(_, id, at): (Reverse<i128>, u32, usize)| {
        let entries = folders.get(id)?.entries();
        let (_, Node::Leaf(leaf)) = Nodes::from(&entries, at).next()? else { return None };
        folders.path(id, &mut path);
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(leaf.name);
        Some(leaf_row(&leaf, OsString::from_vec(path.clone())))
    };
    best.into_sorted_vec().into_iter().filter_map(row).collect()
}

/// What an entry is sorted by: the greater, the earlier it comes.
fn rank(folders: &Folders, order: Order, node: Node<'_>) -> i128 {
    match (node, order) {
        (Node::Folder(id), Order::Size) => totals(folders, id).allocated.into(),
        (Node::Folder(id), Order::Count) => totals(folders, id).files.into(),
        (Node::Folder(id), Order::Age) => folders.get(id).map_or(i64::MIN, Folder::newest).into(),
        (Node::Leaf(leaf), Order::Age) => leaf.modified.into(),
        (Node::Leaf(leaf), _) if leaf.again => -1,
        (Node::Leaf(leaf), Order::Size) => leaf.allocated().into(),
        (Node::Leaf(_), Order::Count) => 1,
    }
}

fn totals(folders: &Folders, id: u32) -> Totals {
    folders.get(id).map(Folder::totals).unwrap_or_default()
}

fn folder_row(folders: &Folders, id: u32) -> Row {
    let folder = folders.get(id);
    Row {
        name: folder.map(|folder| OsStr::from_bytes(folder.name()).into()).unwrap_or_default(),
        kind: EntryKind::Folder,
        totals: totals(folders, id),
        modified: folder.and_then(|folder| instant(folder.newest())),
        owner: None,
        folder: Some(FolderId(id.into())),
        growing: folder.is_some_and(Folder::grows),
        again: false,
        changed: totals(folders, id).changed > 0,
    }
}

fn leaf_row(leaf: &Leaf<'_>, name: OsString) -> Row {
    let totals = if leaf.again {
        Totals::default()
    } else {
        let changed = leaf.changed.into();
        Totals { allocated: leaf.allocated(), apparent: leaf.apparent, files: 1, changed, ..Totals::default() }
    };
    Row {
        name,
        kind: leaf.kind,
        totals,
        modified: instant(leaf.modified),
        owner: Some(leaf.owner),
        folder: None,
        growing: false,
        again: leaf.again,
        changed: leaf.changed,
    }
}

fn instant(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}
