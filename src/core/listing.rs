//! `files --json` and `trash --json`: part of the contract in `report`.

use jiff::Timestamp;
use serde::Serialize;

use super::report::{FateMap, Head, PathText};
use super::value::Value;

/// `files --json`.
#[derive(Clone, Debug, Serialize)]
pub struct FilesReport {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// The workspace; `null` for a folder of this machine.
    pub workspace: Option<String>,
    /// The endpoint; `machine` for a folder of this machine.
    pub endpoint: String,
    /// The folder, inside the workspace or on this machine.
    #[serde(flatten)]
    pub path: PathText,
    /// The same folder on this machine.
    pub host_path: Option<String>,
    /// Whether anything can be changed in it from here.
    pub writable: bool,
    /// Why not.
    pub why_not: Option<String>,
    /// Entries that were read; `entries` may hold fewer.
    pub count: usize,
    /// The entries.
    pub entries: Vec<FileRow>,
}

/// One entry of `files --json`.
#[derive(Clone, Debug, Serialize)]
pub struct FileRow {
    /// Its name, in the words of a path.
    #[serde(flatten)]
    pub path: PathText,
    /// `file`, `folder`, `link` or `special`.
    pub kind: &'static str,
    /// Its length.
    pub bytes: u64,
    /// What the file system gave away for it.
    pub allocated: u64,
    /// When its content was changed.
    pub modified: Option<Timestamp>,
    /// The owner's name, or number where it has none.
    pub owner: String,
    /// Who may do what, in octal.
    pub mode: String,
    /// Where a link leads.
    pub target: Option<String>,
    /// What kind of thing a file is.
    pub value: Option<Value>,
    /// Whether it was written in the workspace rather than being its image's; `null` where that is not known.
    pub written: Option<bool>,
    /// What becomes of it; `null` for a retired workspace and for what is no workspace's.
    pub fates: Option<FateMap>,
}

/// `trash --json`.
#[derive(Clone, Debug, Serialize)]
pub struct TrashReport {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// The things, the oldest first.
    pub things: Vec<TrashRow>,
}

/// One thing of `trash --json`.
#[derive(Clone, Debug, Serialize)]
pub struct TrashRow {
    /// What it is called in commands.
    pub id: String,
    /// Where it was.
    #[serde(flatten)]
    pub path: PathText,
    /// Where it is now.
    pub trash_path: String,
    /// The workspace it belonged to.
    pub workspace: Option<String>,
    /// When it was moved to the trash.
    pub trashed: Timestamp,
    /// Files in it.
    pub files: Option<u64>,
    /// Their allocated bytes.
    pub bytes: Option<u64>,
    /// Whether it is still there; `null` where nobody could look.
    pub exists: Option<bool>,
    /// What becomes of the place that the trash is in, seen from the workspace that has it mounted;
    /// `null` where none has.
    pub fates: Option<FateMap>,
}
