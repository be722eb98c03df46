//! What a person sees of a tree: some entries of one folder, or the first files of all, in order.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use jiff::Timestamp;

use super::folders::{Folder, Folders};
use super::node::{Leaf, Node, Nodes};
use crate::core::pattern::Words;
use crate::core::surroundings::Surroundings;
use crate::port::{EntryKind, FolderId, Matching, Order, Page, Row, Totals, Trait};

/// Entries of one folder whose names hold some words, in order, from one on.
pub(super) fn page(
    folders: &Folders,
    id: FolderId,
    words: &str,
    order: Order,
    from: usize,
    limit: usize,
) -> Page {
    let Some(folder) = folders.inside(id).and_then(|id| folders.get(id)) else { return Page::default() };
    let entries = folder.entries();
    let words = Words::new(words);
    let fits = |node: Node<'_>| words.is_empty() || words.are_in(&name(folders, node));
    let wanted = Nodes::from(&entries, 0).filter(|(_, node)| fits(*node));
    let (of, places) = match order {
        Order::Name => part(wanted.map(|(at, node)| (name(folders, node), at)).collect(), from, limit),
        _ => part(wanted.map(|(at, node)| (Reverse(rank(folders, order, node)), at)).collect(), from, limit),
    };
    let rows = places
        .into_iter()
        .filter_map(|at| Nodes::from(&entries, at).next())
        .map(|(_, node)| match node {
            Node::Folder(id) => folder_row(folders, id),
            Node::Leaf(leaf) => leaf_row(&leaf, OsStr::from_bytes(leaf.name).into()),
        })
        .collect();
    Page { rows, of, totals: folder.totals(), growing: folder.grows() }
}

/// How many there are, and those from one on in the order of their keys.
fn part<K: Ord>(mut keys: Vec<(K, usize)>, from: usize, limit: usize) -> (usize, Vec<usize>) {
    let of = keys.len();
    let end = from.saturating_add(limit).min(of);
    // Only what is shown is sorted; entries that are alike stay as they were met.
    if end < of {
        keys.select_nth_unstable(end);
        keys.truncate(end);
    }
    keys.sort_unstable();
    (of, keys.into_iter().skip(from).map(|(_, at)| at).collect())
}

/// The name of an entry.
fn name<'e>(folders: &Folders, node: Node<'e>) -> Cow<'e, [u8]> {
    match node {
        Node::Folder(id) => folders.get(id).map(|folder| folder.name().to_vec()).unwrap_or_default().into(),
        Node::Leaf(leaf) => leaf.name.into(),
    }
}

/// The folder at a path beneath the root.
pub(super) fn find(folders: &Folders, path: &Path) -> Option<FolderId> {
    let mut id = 0;
    for wanted in path {
        let entries = folders.get(id)?.entries();
        id = Nodes::from(&entries, 0).find_map(|(_, node)| match node {
            Node::Folder(id) => (**folders.get(id)?.name() == *wanted.as_bytes()).then_some(id),
            Node::Leaf(_) => None,
        })?;
    }
    Some(folders.outside(id))
}

/// The first files of all folders that match, in order; their names are paths beneath the root.
pub(super) fn files(folders: &Folders, matching: &Matching, order: Order, limit: usize) -> Vec<Row> {
    let newer = matching.newer.map(Timestamp::as_second);
    let larger = matching.larger.unwrap_or(0);
    let words = Words::new(&matching.named);
    let by_path = !words.is_empty();
    let by_value = matches!(matching.having, Some(Trait::Value(_)));
    let mut best: BinaryHeap<(Reverse<i128>, u32, usize)> = BinaryHeap::new();
    let mut path = Vec::new();
    for id in 0..folders.count() {
        let Some(folder) = folders.get(id) else { continue };
        let mut at_folder = 0;
        let mut says = None;
        if by_path || by_value {
            at_folder = begin(folders, id, &mut path);
            says = by_value.then(|| Surroundings::of(Path::new(OsStr::from_bytes(&path))));
        }
        for (at, node) in Nodes::from(&folder.entries(), 0) {
            let Node::Leaf(leaf) = node else { continue };
            let wanted = leaf.kind == EntryKind::File
                && !leaf.again
                && leaf.apparent.max(leaf.allocated()) >= larger
                && newer.is_none_or(|newer| leaf.modified >= newer);
            if !wanted {
                continue;
            }
            if by_path {
                path.truncate(at_folder);
                path.extend_from_slice(leaf.name);
            }
            let has = match matching.having {
                Some(Trait::Owner(owner)) => leaf.owner == owner,
                Some(Trait::Value(value)) => {
                    says.as_ref().is_some_and(|says| says.value(OsStr::from_bytes(leaf.name)) == value)
                }
                None => true,
            };
            if has && words.are_in(&path) {
                // The least of those kept is on top, and the first to go.
                best.push((Reverse(rank(folders, order, node)), id, at));
                if best.len() > limit {
                    best.pop();
                }
            }
        }
    }
    let row = |(_, id, at): (Reverse<i128>, u32, usize)| {
        let entries = folders.get(id)?.entries();
        let (_, Node::Leaf(leaf)) = Nodes::from(&entries, at).next()? else { return None };
        begin(folders, id, &mut path);
        path.extend_from_slice(leaf.name);
        Some(leaf_row(&leaf, OsStr::from_bytes(path.strip_prefix(b"/").unwrap_or(&path)).into()))
    };
    best.into_sorted_vec().into_iter().filter_map(row).collect()
}

/// Writes how the paths of a folder's entries begin, from the root on: `/` or `/a/b/`. Returns its length.
pub(super) fn begin(folders: &Folders, id: u32, path: &mut Vec<u8>) -> usize {
    folders.path(id, path);
    if !path.is_empty() {
        path.push(b'/');
    }
    path.insert(0, b'/');
    path.len()
}

/// What an entry is sorted by: the greater, the earlier it comes.
fn rank(folders: &Folders, order: Order, node: Node<'_>) -> i128 {
    match (node, order) {
        (Node::Folder(id), Order::Size) => totals(folders, id).allocated.into(),
        (Node::Folder(id), Order::Count) => totals(folders, id).files.into(),
        // Names have an order of their own.
        (_, Order::Name) => 0,
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
        name: folder.map(|folder| OsStr::from_bytes(&folder.name()).into()).unwrap_or_default(),
        kind: EntryKind::Folder,
        totals: totals(folders, id),
        modified: folder.and_then(|folder| instant(folder.newest())),
        owner: None,
        folder: Some(folders.outside(id)),
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

pub(super) fn instant(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}
