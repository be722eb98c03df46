//! A snapshot's tree, read folder by folder: no more in memory than one folder for each level.

use std::path::{Path, PathBuf};

use rustic_core::repofile::Node;
use rustic_core::{IndexedFullStatus, Repository, TreeId};

use super::failure::failed;
use crate::core::error::Result;

/// An opened repository that data can be read from.
pub(super) type Readable = Repository<IndexedFullStatus>;

/// What a visitor wants after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Go on, into a folder too.
    GoOn,
    /// Go on, but not into this folder.
    Skip,
}

/// Somebody who is shown the entries of a tree.
pub(super) trait Visitor {
    /// An entry, before what is in it. The path is from the tree's top.
    fn entry(&mut self, path: &Path, node: &Node) -> Result<Then>;
    /// A folder, after all that is in it.
    fn leave(&mut self, path: &Path, node: &Node) -> Result<()>;
    /// A folder whose list is damaged.
    fn damaged(&mut self, path: &Path, why: &str);
}

/// A folder that is being shown.
struct Level {
    path: PathBuf,
    node: Option<Node>,
    nodes: std::vec::IntoIter<Node>,
}

/// Shows a tree from its top.
pub(super) fn visit(repository: &Readable, root: TreeId, visitor: &mut dyn Visitor) -> Result<()> {
    let mut levels = Vec::new();
    let top = repository.get_tree(&root).map_err(|error| failed("read the snapshot", &error))?;
    levels.push(Level { path: PathBuf::new(), node: None, nodes: top.nodes.into_iter() });
    while let Some(level) = levels.last_mut() {
        let Some(node) = level.nodes.next() else {
            if let Some(Level { path, node: Some(node), .. }) = levels.pop() {
                visitor.leave(&path, &node)?;
            }
            continue;
        };
        let name = node.name().into_owned();
        // A name that leads elsewhere is in no honest tree.
        let plain = Path::new(&name).components().count() == 1
            && matches!(Path::new(&name).components().next(), Some(std::path::Component::Normal(n)) if n == name);
        let path = level.path.join(&name);
        if !plain {
            visitor.damaged(&path, "its name is no name of a file");
            continue;
        }
        if visitor.entry(&path, &node)? == Then::Skip || !node.is_dir() {
            continue;
        }
        if let Some(Ok(tree)) = node.subtree.map(|subtree| repository.get_tree(&subtree)) {
            levels.push(Level { path, node: Some(node), nodes: tree.nodes.into_iter() });
        } else {
            visitor.damaged(&path, "the list of its files is damaged, so all in it is missing");
            visitor.leave(&path, &node)?;
        }
    }
    Ok(())
}
