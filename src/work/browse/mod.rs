//! Files of a workspace or of this machine: where they are, what is in a folder, what is in a file.
//! Plans that change them are in `plans`, what the trash holds in `trash`.

pub(crate) mod guard;
pub mod plans;
#[cfg(test)]
mod tests;
pub mod trash;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};

use super::act::files::on_disk;
use super::explain;
use super::twin;
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::path::normal;
use crate::core::spot::Spot;
use crate::core::workspace::{RunState, Workspace, WsKey};
use crate::port::{Content, Engine, Entry, EntryKind, Files, Listing, Whereabouts};
use crate::text::printable_path;

/// Bytes of a file that are read at a time.
const PIECE: usize = 256 * 1024;

/// Whether a link in the last component is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It is: what it leads to is meant.
    All,
    /// It is not: the link itself is meant.
    Parents,
}

/// A path, and where its bytes are.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The workspace; `None` for a path of this machine that was named as one.
    pub workspace: Option<Workspace>,
    /// What is known of the workspace.
    pub grounds: Option<Grounds>,
    /// The path, in the workspace's words: inside its container, beneath a retired folder, or here.
    pub path: PathBuf,
    /// Where it is on this machine, or why it cannot be opened here.
    pub at: Result<Whereabouts>,
}

impl Reach {
    /// What a person would type for it.
    pub fn subject(&self) -> PathBuf {
        self.workspace
            .as_ref()
            .map_or_else(|| self.path.clone(), |workspace| twin::subject(workspace, &self.path))
    }

    /// Whose it is in the books.
    pub fn key(&self) -> WsKey {
        match &self.workspace {
            Some(workspace) => workspace.key.clone(),
            None => WsKey { endpoint: "machine".into(), id: String::new() },
        }
    }

    /// The entry here; the reason where it is not to be had.
    pub fn spot(&self) -> Result<&Spot> {
        self.at.as_ref().map(|found| &found.spot).map_err(Clone::clone)
    }
}

/// Finds a path of a workspace, links followed inside its root.
pub async fn reach(
    engine: &dyn Engine,
    workspace: &Workspace,
    grounds: Option<&Grounds>,
    path: &Path,
    follow: Follow,
) -> Result<Reach> {
    let known = |path, at| Reach { workspace: Some(workspace.clone()), grounds: grounds.cloned(), path, at };
    if workspace.state == RunState::Retired {
        let folder = PathBuf::from(&workspace.key.id);
        let inside = path.strip_prefix(&folder).map_or_else(|_| normal(path), |rest| Path::new("/").join(rest));
        let spot = Spot::new(folder, &inside).ok_or_else(|| no_path(path))?;
        let at = Whereabouts { spot, fixed: None, partial: None, written: None };
        return Ok(known(inside, Ok(at)));
    }
    let Some(grounds) = grounds else {
        return Err(Error::new(Kind::Failed, "nothing is known of it yet").hint("try again in a moment"));
    };
    let detail = &grounds.detail;
    let asked = normal(path);
    let resolved = match (follow, asked.parent(), asked.file_name()) {
        (Follow::Parents, Some(above), Some(name)) => {
            explain::resolve(engine, workspace, detail, above).await?.path.join(name)
        }
        _ => explain::resolve(engine, workspace, detail, &asked).await?.path,
    };
    let at = engine.whereabouts(&workspace.key, detail, &resolved).await;
    Ok(known(resolved, at))
}

/// Finds a path of this machine. Waits for the disk.
pub async fn here(path: &Path, follow: Follow) -> Result<Reach> {
    let asked = path.to_path_buf();
    let found = tokio::task::spawn_blocking(move || resolved(&asked, follow))
        .await
        .map_err(|why| Error::new(Kind::Failed, format!("it broke off: {why}")))?;
    let real = found.map_err(|why| {
        let kind = match why.kind() {
            std::io::ErrorKind::NotFound => Kind::NotFound,
            std::io::ErrorKind::PermissionDenied => Kind::NotPermitted,
            _ => Kind::Failed,
        };
        Error::new(kind, format!("{}: {why}", printable_path(path)))
    })?;
    let spot = match (real.parent(), real.file_name()) {
        (Some(above), Some(name)) => Spot::new(above, Path::new(name)),
        _ => Spot::new("/", Path::new("")),
    };
    let at =
        Whereabouts { spot: spot.ok_or_else(|| no_path(path))?, fixed: None, partial: None, written: None };
    Ok(Reach { workspace: None, grounds: None, path: real, at: Ok(at) })
}

fn resolved(path: &Path, follow: Follow) -> std::io::Result<PathBuf> {
    match (follow, path.parent(), path.file_name()) {
        (Follow::Parents, Some(above), Some(name)) => Ok(std::fs::canonicalize(above)?.join(name)),
        _ => std::fs::canonicalize(path),
    }
}

fn no_path(path: &Path) -> Error {
    Error::new(Kind::Usage, format!("{} is no path inside", printable_path(path)))
}

/// A path of this machine that a person typed: `~` is their home, a relative one counts from where
/// they are.
pub fn host_path(typed: &Path, home: Option<&Path>) -> Result<PathBuf> {
    let absolute = match (typed.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => std::path::absolute(typed)
            .map_err(|error| Error::new(Kind::Usage, format!("{}: {error}", typed.display())))?,
    };
    Ok(normal(&absolute))
}

/// An entry of a folder.
pub fn below(folder: &Reach, name: &OsStr) -> Result<Reach> {
    let found = folder.at.clone()?;
    let spot = found.spot.join(name).ok_or_else(|| {
        Error::new(Kind::Usage, format!("“{}” is no name for a file", printable_path(Path::new(name))))
    })?;
    Ok(Reach { path: folder.path.join(name), at: Ok(Whereabouts { spot, ..found }), ..folder.clone() })
}

/// Where on this machine something new goes: into the folder that is there, under the name it has,
/// else to where nothing is yet.
pub async fn goal_here(files: &Arc<dyn Files>, path: &Path, name: Option<&OsStr>) -> Result<Reach> {
    if let Ok(folder) = here(path, Follow::All).await
        && let Some(found) = entry(files, &folder).await?
        && is_folder(&found)
    {
        return below(&folder, name.unwrap_or_default());
    }
    here(path, Follow::Parents).await
}

/// What is at a path; `None` where nothing is.
pub async fn entry(files: &Arc<dyn Files>, reach: &Reach) -> Result<Option<Entry>> {
    let spot = reach.spot()?.clone();
    on_disk(files, move |files| files.entry(&spot)).await
}

/// What is in a folder, and which of it was written in the workspace itself, where that can be told.
pub async fn list(files: &Arc<dyn Files>, reach: &Reach, most: usize) -> Result<(Listing, Option<Written>)> {
    let found = reach.at.clone()?;
    on_disk(files, move |files| {
        let mut listing = files.list(&found.spot, most)?;
        listing.fixed = found.fixed.or(listing.fixed);
        let written = found.written.and_then(|written| match files.list(&written, most) {
            Ok(listing) if !listing.more => Some(listing.entries.into_iter().map(|entry| entry.name).collect()),
            // A folder of the image in which nothing was written is not in the layer.
            Err(error) if error.kind == Kind::NotFound => Some(Written::new()),
            _ => None,
        });
        Ok((listing, written))
    })
    .await
}

/// Names that were written in a workspace, rather than being its image's.
pub type Written = std::collections::BTreeSet<std::ffi::OsString>;

/// The content of a regular file: from this machine where it can be opened, else from the engine.
pub async fn content(engine: &dyn Engine, files: &Arc<dyn Files>, reach: &Reach) -> Result<Content> {
    let error = match &reach.at {
        Ok(found) => {
            let spot = found.spot.clone();
            match on_disk(files, move |files| files.open(&spot)).await {
                Ok(file) => return Ok(pieces(file, &reach.path)),
                // What a stopped container's layer lacks is its image's.
                Err(error) if error.kind == Kind::NotFound && found.partial.is_none() => return Err(error),
                Err(error) if matches!(error.kind, Kind::NotFound | Kind::NotPermitted) => error,
                Err(error) => return Err(error),
            }
        }
        Err(error) => error.clone(),
    };
    match &reach.workspace {
        Some(workspace) if workspace.container.is_some() => Ok(engine.content(&workspace.key, &reach.path)),
        _ => Err(error),
    }
}

/// An open file as pieces, each read where waiting is no harm.
fn pieces(file: Box<dyn std::io::Read + Send>, path: &Path) -> Content {
    let path = path.to_path_buf();
    stream::try_unfold((file, path), |(mut file, path)| async move {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE];
            loop {
                match file.read(&mut piece) {
                    Err(why) if why.kind() == std::io::ErrorKind::Interrupted => {}
                    Ok(got) => {
                        piece.truncate(got);
                        return (Ok(piece), file);
                    }
                    Err(why) => return (Err(why), file),
                }
            }
        });
        let (piece, file) =
            read.await.map_err(|why| Error::new(Kind::Failed, format!("it broke off: {why}")))?;
        let piece = piece.map_err(|why| {
            Error::new(Kind::Failed, format!("could not read {}: {why}", printable_path(&path)))
        })?;
        Ok((!piece.is_empty()).then_some((piece, (file, path))))
    })
    .boxed()
}

/// The beginning of a file, at most so many bytes.
pub async fn beginning(
    engine: &dyn Engine,
    files: &Arc<dyn Files>,
    reach: &Reach,
    most: usize,
) -> Result<Vec<u8>> {
    let mut pieces = content(engine, files, reach).await?;
    let mut bytes = Vec::new();
    while bytes.len() < most
        && let Some(piece) = pieces.next().await
    {
        bytes.extend_from_slice(&piece?);
    }
    bytes.truncate(most);
    Ok(bytes)
}

/// Whether it is a folder that can be opened.
pub const fn is_folder(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Folder)
}
