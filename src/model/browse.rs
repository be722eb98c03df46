//! The page Browse: one folder of a workspace, and a look into one file of it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::core::error::Error;
use crate::core::preview::Preview;
use crate::core::workspace::WsKey;
use crate::port::Entry;

pub use crate::port::EntryKind;

/// One folder, as the page Browse shows it.
#[derive(Clone, Debug)]
pub struct Browse {
    /// Whose.
    pub key: WsKey,
    /// The folder, in the workspace's words; empty until the first answer where it begins.
    pub path: PathBuf,
    /// How far it is read.
    pub state: BrowseState,
    /// What is in it, in order.
    pub entries: Arc<Vec<FileEntry>>,
    /// Why nothing can be changed in it; `None` where it can.
    pub fixed: Option<String>,
    /// Why not everything is listed.
    pub partial: Option<String>,
    /// What comes first.
    pub order: FileOrder,
}

/// How far a folder is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrowseState {
    /// Being read; what was read before is still shown.
    Reading,
    /// Read.
    Known,
    /// It could not be.
    Failed(Error),
}

/// An entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// What it is; without a name for the way up.
    pub entry: Entry,
    /// Whether it was written in the workspace rather than being its image's, where that can be told.
    pub written: Option<bool>,
    /// The owner's name, where it has one here.
    pub owner: Option<String>,
}

impl FileEntry {
    /// Whether it is the way to the folder above.
    pub fn is_up(&self) -> bool {
        self.entry.name == ".."
    }

    /// Whether its name has a part, in any case.
    pub fn matches(&self, part: &str) -> bool {
        part.is_empty() || self.entry.name.to_string_lossy().to_lowercase().contains(&part.to_lowercase())
    }

    /// What comes first by name: the way up, folders, the rest.
    pub fn rank(&self) -> u8 {
        match (self.is_up(), self.entry.kind) {
            (true, _) => 0,
            (false, EntryKind::Folder) => 1,
            (false, _) => 2,
        }
    }
}

/// What comes first in a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileOrder {
    /// Folders, then names.
    #[default]
    Name,
    /// The largest.
    Size,
    /// The newest.
    Age,
}

impl FileOrder {
    /// The next one, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Name => Self::Size,
            Self::Size => Self::Age,
            Self::Age => Self::Name,
        }
    }

    /// The word for it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Size => "size",
            Self::Age => "age",
        }
    }

    /// Puts entries in order; the way up stays first.
    pub fn sort(self, entries: &mut [FileEntry]) {
        use std::cmp::Reverse;
        match self {
            Self::Name => entries
                .sort_by(|one, other| (one.rank(), &one.entry.name).cmp(&(other.rank(), &other.entry.name))),
            Self::Size => entries.sort_by_key(|entry| (!entry.is_up(), Reverse(entry.entry.bytes))),
            Self::Age => entries.sort_by_key(|entry| (!entry.is_up(), Reverse(entry.entry.modified))),
        }
    }
}

/// A look into a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewView {
    /// The file, harmless.
    pub name: String,
    /// What is known of it.
    pub preview: Preview,
    /// The command that prints all of it.
    pub command: Option<String>,
    /// Lines scrolled away.
    pub scroll: usize,
}
