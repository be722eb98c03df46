//! Project folders: the sub-folders of folder roots. Reads directories, follows no link in them.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// How many sub-folders of one root count as projects; a root with more is not one.
const MOST: usize = 2_000;

/// One project folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The folder's name (untrusted text).
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The number of the user it belongs to.
    pub uid: u32,
    /// When it was made, where the file system says so.
    pub created: Option<Timestamp>,
}

/// The projects below one root by name; a root that cannot be read has none.
pub fn projects(root: &Path) -> Vec<Project> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    let mut found: Vec<_> = entries.flatten().take(MOST).filter_map(|entry| project(&entry)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

fn project(entry: &std::fs::DirEntry) -> Option<Project> {
    let name = entry.file_name().to_string_lossy().into_owned();
    // DirEntry::metadata does not follow links.
    let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_dir)?;
    if name.starts_with('.') {
        return None;
    }
    let created = metadata.created().ok().and_then(|time| Timestamp::try_from(time).ok());
    Some(Project { name, path: entry.path(), uid: metadata.uid(), created })
}
