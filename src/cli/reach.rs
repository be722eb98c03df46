//! Paths that a person names: of a workspace, running, stopped or retired, or of this host.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::context::Context;
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::subject::Subject;
use crate::core::workspace::{RunState, Workspace};
use crate::work::browse::{Follow, Reach, below, entry, here, is_folder, reach};
use crate::work::ground;

impl Context<'_> {
    /// What a subject means. A bare name means the workspace's own folder, where `or_workspace` says
    /// that it may be one; else it is a path of this host.
    pub(super) async fn reach(&self, subject: &OsStr, or_workspace: bool, follow: Follow) -> Result<Reach> {
        match Subject::parse(subject) {
            Subject { name: Some(name), path: None } if or_workspace => {
                let (workspace, grounds) = match self.workspace(&name).await {
                    Err(error) if error.kind == Kind::NotFound => {
                        // Somebody who stands beside a folder of that name means the folder.
                        let path = self.host_path(Path::new(subject))?;
                        return here(&path, follow).await.map_err(|_| error);
                    }
                    found => found?,
                };
                let folder = grounds.as_ref().map_or_else(|| "/".into(), own_folder);
                self.inside(&workspace, grounds.as_ref(), &folder, follow).await
            }
            Subject { name: Some(name), path: Some(path) } => {
                let (workspace, grounds) = self.workspace(&name).await?;
                self.inside(&workspace, grounds.as_ref(), &path, follow).await
            }
            _ => here(&self.host_path(Path::new(subject))?, follow).await,
        }
    }

    async fn inside(
        &self,
        workspace: &Workspace,
        grounds: Option<&Grounds>,
        path: &Path,
        follow: Follow,
    ) -> Result<Reach> {
        reach(self.engine.as_ref(), workspace, grounds, path, follow).await
    }

    /// The workspace that a name means, also a retired one, which nothing more is known of.
    async fn workspace(&self, name: &str) -> Result<(Workspace, Option<Grounds>)> {
        let error = match self.named(name).await {
            Ok((workspace, grounds, _)) => return Ok((workspace, Some(grounds))),
            Err(error) if error.kind != Kind::NotFound => return Err(error),
            Err(error) => error,
        };
        let mut list = self.gather(|_| true).await?;
        self.add_retired(&mut list);
        match list.find(name) {
            Ok(entry) if entry.workspace.state == RunState::Retired => Ok((entry.workspace.clone(), None)),
            Ok(entry) => {
                let workspace = entry.workspace.clone();
                let grounds = ground::look(self.engine.as_ref(), &self.profiles, &workspace).await?;
                Ok((workspace, Some(grounds)))
            }
            Err(_) => Err(error),
        }
    }

    /// Where something new goes: into the folder that is there, under the name it has, else to where
    /// nothing is yet.
    pub(super) async fn goal(&self, subject: &OsStr, name: Option<&OsStr>) -> Result<Reach> {
        if let Ok(folder) = self.reach(subject, false, Follow::All).await
            && let Some(found) = entry(&self.files, &folder).await?
            && is_folder(&found)
        {
            let name = name.ok_or_else(|| Error::new(Kind::Usage, "say under which name it is to go there"))?;
            return below(&folder, name);
        }
        self.reach(subject, false, Follow::Parents).await
    }
}

/// Where a look at a workspace begins: its own folder, else where its processes start.
fn own_folder(grounds: &Grounds) -> PathBuf {
    let folder = grounds.classifier().folder().map(|mount| mount.target.clone());
    folder.or_else(|| grounds.detail.workdir.clone()).unwrap_or_else(|| "/".into())
}
