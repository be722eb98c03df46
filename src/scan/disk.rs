//! The disk of this machine, as the port wants it.

use std::path::Path;

use rustix::io::Errno;

use super::tree::Tree;
use super::troubles;
use crate::core::error::{Error, Kind, Result};
use crate::core::spot::Spot;
use crate::port::{Disk, Pace, Walk};
use crate::text::printable_path;

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalDisk;

impl Disk for LocalDisk {
    fn walk(&self, root: &Path, pace: Pace) -> Result<Box<dyn Walk>> {
        begun(root, Tree::start(root, pace))
    }

    fn walk_beneath(&self, spot: &Spot, pace: Pace) -> Result<Box<dyn Walk>> {
        begun(&spot.full(), Tree::at(spot, pace))
    }
}

fn begun(root: &Path, tree: std::result::Result<Tree, Errno>) -> Result<Box<dyn Walk>> {
    match tree {
        Ok(tree) => Ok(Box::new(tree)),
        Err(reason) => {
            let kind = match reason {
                Errno::NOENT | Errno::NOTDIR => Kind::NotFound,
                Errno::ACCESS | Errno::PERM => Kind::NotPermitted,
                _ => Kind::Failed,
            };
            let (path, why) = (printable_path(root), troubles::words(reason));
            Err(Error::new(kind, format!("{path} could not be read: {why}")))
        }
    }
}
