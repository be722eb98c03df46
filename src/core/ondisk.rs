//! What of the disk is a workspace's own: its project folder and its writable layer, nothing else.
//! Both are measured as `du` does, hard links once in each.

use std::path::{Path, PathBuf};

use super::storage::StorageKind;
use super::workspace::{Detail, RunState, Workspace};

/// Where a workspace's own bytes are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnDisk {
    /// Folders of the host, the project folder first.
    pub paths: Vec<PathBuf>,
    /// Its layer is somewhere that cannot be seen from here: what the folders hold is a lower bound.
    pub unseen: bool,
}

impl OnDisk {
    /// Of a workspace with its project folder on the host, where it has one. A machine has nothing
    /// of its own: it is more than a workspace.
    pub fn of(workspace: &Workspace, detail: Option<&Detail>, folder: Option<&Path>) -> Self {
        let folder = folder.map(Path::to_path_buf);
        if workspace.state == RunState::Retired {
            return Self { paths: folder.into_iter().collect(), unseen: false };
        }
        let Some(detail) = detail.filter(|_| workspace.container.is_some()) else { return Self::default() };
        let layer = detail.mounts.iter().find(|mount| mount.storage == StorageKind::WritableLayer);
        Self {
            paths: folder.into_iter().chain(layer.and_then(|layer| layer.host_path.clone())).collect(),
            unseen: layer.is_some_and(|layer| layer.host_path.is_none()),
        }
    }

    /// Whether there is nothing to measure.
    pub const fn is_nothing(&self) -> bool {
        self.paths.is_empty() && !self.unseen
    }
}
