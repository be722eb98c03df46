//! Project folders without a container: asked for once all containers are known, and listed among them.

use std::path::Path;
use std::sync::Arc;

use super::State;
use crate::app::msg::Cmd;
use crate::core::workspace::{RunState, Workspace};
use crate::model::{Fact, LastBackup, Row};
use crate::work;

impl State {
    pub(super) fn ask_for_folders(&mut self) -> Option<Cmd> {
        // A folder that a container unknown to us mounts would falsely be called retired.
        let unknown = self.model.all_rows().any(|row| matches!(row.detail, Fact::Failed(_)));
        if unknown || std::mem::replace(&mut self.folders_asked, true) {
            return None;
        }
        let details = self.model.all_rows().filter_map(|row| row.detail.known());
        let mounted =
            details.flat_map(|detail| detail.mounts.iter().filter_map(|mount| mount.host_path.clone()));
        Some(Cmd::Folders { roots: self.model.folder_roots.clone(), mounted: mounted.collect() })
    }

    /// The folders that were found.
    pub(super) fn folders(&mut self, folders: Vec<(Workspace, LastBackup)>) -> Vec<Cmd> {
        let selected = self.model.selected().map(|row| row.workspace.key.clone());
        self.model.workspaces.shown.clear();
        for rows in [&mut self.model.rows, &mut self.model.hidden] {
            rows.retain(|row| row.workspace.state != RunState::Retired);
        }
        for (folder, last_backup) in folders {
            let mut row = Row::new(folder, Arc::clone(&self.model.rules));
            row.last_backup = last_backup;
            let folder = Path::new(&row.workspace.key.id).to_path_buf();
            let images = self.model.images.as_deref();
            row.layers = Some(work::roster::layers(&row.workspace, None, images, Some(&folder)));
            self.model.rows.push(row);
        }
        self.hide();
        self.reselect(selected.as_ref());
        self.take_places();
        Vec::new()
    }
}
