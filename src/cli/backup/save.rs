//! `outlast backup [NAME|PATH]`: saves a workspace or a folder.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::args::BackupArgs;
use super::super::context::Context;
use super::super::out::Out;
use super::{Asked, perform};
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::storage::StorageKind;
use crate::core::workspace::{RunState, Workspace};
use crate::work::backup::{self, Chosen, Layer, Subject};
use crate::work::risk;

/// Files of a layer that are saved at most: more is no work of a person.
const MOST_FILES: usize = 2_000_000;

/// Saves; 1 where files are missing in the snapshot.
pub(in crate::cli) async fn save(args: &BackupArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    if context.is_playground() {
        return Err(Error::new(Kind::NotSupported, "the playground has no files that could be saved"));
    }
    if args.due {
        return super::due::due(args, context, out).await;
    }
    let asked = Asked { dry_run: args.dry_run, yes: args.yes, json: args.json };
    if let Some(folder) = folder(args, context)? {
        return of_folder(&folder, args, asked, context, out).await;
    }
    let (workspace, grounds) = match workspace(args, context).await {
        Ok(found) => found,
        Err(error) => {
            // A retired workspace is a folder, which has a name all the same.
            let folder = retired(args, context).await.ok_or(error)?;
            return of_folder(&folder, args, asked, context, out).await;
        }
    };
    if !context.engine.shares_our_disk() {
        return Err(
            Error::new(Kind::NotSupported, "its files are on another machine").hint("run outlast there")
        );
    }
    let chosen = context.repository_in(&args.repository, &grounds.rules).await?;
    let exists = exists(context, &chosen).await?;
    let layer = if args.layer { Some(layer(&workspace, &grounds, context).await?) } else { None };
    let roots = context.profiles.roots(&grounds.rules.profile);
    let subject = Subject::Workspace { workspace: &workspace, grounds: &grounds, roots: &roots, layer };
    let (host, now) = (&context.host, context.clock.now());
    let job = backup::backup(&subject, &chosen, exists, args.verify, args.limit, host, now)?;
    perform(&job, &[], asked, context, out).await
}

/// Saves a folder.
async fn of_folder(
    folder: &Path,
    args: &BackupArgs,
    asked: Asked,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<u8> {
    if args.layer {
        return Err(
            Error::new(Kind::Usage, "a folder has no writable layer").hint("name the workspace instead")
        );
    }
    let chosen = context.repository(&args.repository).await?;
    let exists = exists(context, &chosen).await?;
    let (host, now) = (&context.host, context.clock.now());
    let job = backup::backup(&Subject::Folder(folder), &chosen, exists, args.verify, args.limit, host, now)?;
    perform(&job, &[], asked, context, out).await
}

/// Whether the repository is there already.
pub(in crate::cli) async fn exists(context: &Context<'_>, chosen: &Chosen) -> Result<bool> {
    let (backups, repository) = (Arc::clone(&context.backups), chosen.repository.clone());
    let asked = tokio::task::spawn_blocking(move || backups.exists(&repository)).await;
    asked.map_err(|_| Error::new(Kind::Failed, "looking at the repository ended badly"))?
}

/// The folder of this host that was named; `None` where it is a workspace's name.
pub(super) fn folder(args: &BackupArgs, context: &Context<'_>) -> Result<Option<PathBuf>> {
    let Some(what) = &args.what else { return Ok(None) };
    let typed = Path::new(what);
    let is_path = what.as_bytes().contains(&b'/') || what == "." || what == ".." || what == "~";
    if !is_path {
        return Ok(None);
    }
    let folder = context.host_path(typed)?;
    let real = std::fs::canonicalize(&folder).map_err(|error| {
        Error::new(Kind::NotFound, format!("{}: {error}", crate::text::printable_path(&folder)))
    })?;
    if !real.is_dir() {
        return Err(Error::new(Kind::Usage, "only folders can be backed up")
            .hint("name the folder that holds the file"));
    }
    Ok(Some(real))
}

/// The workspace that is meant.
async fn workspace(args: &BackupArgs, context: &Context<'_>) -> Result<(Workspace, Grounds)> {
    if let Some(name) = &args.what {
        let (workspace, grounds, _) = context.named(&name.to_string_lossy()).await?;
        return Ok((workspace, grounds));
    }
    let list = context.gather(|_| true).await?;
    let standing = context.profiles.standing(list.rules());
    let roots = context.profiles.roots(&standing.profile);
    let entry = super::super::habits::here(&list, context, &roots)?;
    match &entry.grounds {
        Some(Ok(grounds)) => Ok((entry.workspace.clone(), grounds.clone())),
        Some(Err(error)) => Err(error.clone()),
        None => Err(Error::new(Kind::Failed, "the workspace could not be looked at")),
    }
}

/// The folder of the retired workspace that is meant.
async fn retired(args: &BackupArgs, context: &Context<'_>) -> Option<PathBuf> {
    let name = args.what.as_ref()?.to_string_lossy();
    let mut list = context.gather(|_| true).await.ok()?;
    let (_, roots) = context.add_retired(&mut list);
    let entry = list.find(&name).ok().filter(|entry| entry.workspace.state == RunState::Retired)?;
    backup::folder(entry, &roots)
}

/// The user's files of the writable layer, and where they can be read.
async fn layer(workspace: &Workspace, grounds: &Grounds, context: &Context<'_>) -> Result<Layer> {
    let cannot = |why: &str| {
        Error::new(Kind::NotPermitted, format!("the writable layer cannot be saved: {why}"))
            .hint("run outlast as root, or inside the container")
    };
    let mount = grounds.detail.mounts.iter().find(|mount| mount.storage == StorageKind::WritableLayer);
    let mount = mount.ok_or_else(|| cannot("it is not known"))?;
    let root = match &mount.host_path {
        Some(upper) => upper.clone(),
        None if workspace.container.is_none() => mount.target.clone(),
        None => return Err(cannot("its folder on this machine is not known")),
    };
    let (engine, clock) = (context.engine.as_ref(), context.clock.as_ref());
    let read = risk::read(engine, &workspace.key, grounds, true, MOST_FILES, clock, &mut |_| {}).await?;
    let own = read.findings.iter().filter(|file| file.storage == StorageKind::WritableLayer);
    let (mut files, mut bytes) = (Vec::new(), 0);
    for file in own {
        files.push(file.path.clone());
        bytes += file.bytes.unwrap_or(0);
    }
    Ok(Layer { root, files, bytes, gaps: read.gaps.clone() })
}
