//! The folder that a verb is about: a workspace's by its name, or one that is named itself.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::context::Context;
use crate::core::error::{Error, Kind, Result};
use crate::core::rules::Rules;
use crate::text::printable;
use crate::work::gather;

/// A folder of this host, and the rules of whom it belongs to.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) rules: Arc<Rules>,
}

/// Finds the folder: a path has a slash or is a folder here, anything else names a workspace. Without
/// either it is the folder where the person stands.
pub(super) async fn find(asked: Option<&OsStr>, context: &Context<'_>) -> Result<Folder> {
    let asked = asked.unwrap_or(OsStr::new("."));
    let text = asked.to_string_lossy();
    let typed = Path::new(asked);
    let is_path = text.contains('/') || text.starts_with('~') || text == "." || text == "..";
    let mut list = match context.gather(|_| true).await {
        Ok(list) => list,
        // A folder is one without an engine too.
        Err(_) if is_path => return at(&context.host_path(typed)?, Arc::new(context.rules.clone())),
        Err(error) => return Err(error),
    };
    let (standing, roots) = context.add_retired(&mut list);
    if !is_path {
        let found = list.find(&text);
        match found {
            Ok(entry) => {
                let rules =
                    entry.stands_on().map_or_else(|| Arc::new(standing), |grounds| Arc::clone(&grounds.rules));
                // Seen from inside, the folder is where it is mounted.
                let inside = || entry.workspace.container.is_none().then(|| rules.workspace.clone()).flatten();
                let path = gather::folder_of(entry, &roots).or_else(inside).ok_or_else(|| {
                    let name = printable(&entry.workspace.name);
                    Error::new(Kind::NotFound, format!("{name} has no folder on this host"))
                        .hint("`outlast mounts NAME` shows where its paths are; name a folder instead")
                })?;
                return Ok(Folder { path, rules });
            }
            Err(error) if error.kind != Kind::NotFound || !typed.is_dir() => return Err(error),
            Err(_) => {}
        }
    }
    let path = context.host_path(typed)?;
    let holds = list
        .entries
        .iter()
        .find(|entry| gather::folder_of(entry, &roots).is_some_and(|folder| path.starts_with(folder)));
    let rules = holds.and_then(|entry| entry.stands_on()).map(|grounds| Arc::clone(&grounds.rules));
    // Inside a container the one workspace is this machine.
    let only = match &list.entries[..] {
        [entry] => entry.stands_on().map(|grounds| Arc::clone(&grounds.rules)),
        _ => None,
    };
    at(&path, rules.or(only).unwrap_or_else(|| Arc::new(standing)))
}

fn at(path: &Path, rules: Arc<Rules>) -> Result<Folder> {
    let real = path.canonicalize().map_err(|why| {
        let kind = if why.kind() == std::io::ErrorKind::PermissionDenied {
            Kind::NotPermitted
        } else {
            Kind::NotFound
        };
        Error::new(kind, format!("{} could not be read: {why}", crate::text::printable_path(path)))
            .hint("`outlast ls --all` lists workspaces")
    })?;
    Ok(Folder { path: real, rules })
}
