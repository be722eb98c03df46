//! A plan: the exact steps a verb will take. Shown first, run after yes, printed
//! by `--dry-run`, written to the log. Making and running plans is `work`'s.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::backup::Job;
use super::deed::Deed;
use super::spot::FileAct;
use super::storage::StorageKind;
use super::workspace::{RunState, WsKey};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Start a stopped container.
    Start,
    /// Stop a running container.
    Stop,
    /// Save a workspace or folder to a repository.
    Backup,
    /// Remove snapshots from a repository.
    Forget,
    /// Stop a running container and start it again.
    Restart,
    /// Freeze the processes of a container.
    Pause,
    /// Let them go on.
    Unpause,
    /// Save what a container holds and remove it; what stays is its folder.
    Retire,
    /// Bring back what was retired.
    Undo,
    /// Save files to a repository.
    Snapshot,
    /// Give an image a name that keeps it.
    Pin,
    /// Take that name away again.
    Unpin,
    /// Make an image of a container.
    Commit,
    /// Remove a container.
    Remove,
    /// Remove an image.
    RemoveImage,
    /// Make a container again.
    Make,
    /// Write saved files where they were.
    PutBack,
    /// Give a container its name.
    Name,
    /// Copy files to where they are kept.
    Rescue,
    /// Say that a workspace is in use, or take that back.
    KeepAlive,
    /// Write an archive of a folder.
    Archive,
    /// Put the files of an archive into a folder.
    Unpack,
    /// Put a folder under git.
    GitInit,
    /// Make one folder like another.
    Mirror,
    /// Give a file or folder another name, in the same folder.
    Rename,
    /// Copy a file or folder to where nothing is.
    Copy,
    /// Move a file or folder to the trash of its file system.
    Trash,
    /// Move something in the trash back to where it was, or write the files of a snapshot.
    Restore,
    /// Erase something in the trash.
    Erase,
}

impl Verb {
    /// The word for it on the command line, in JSON and in the log.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Backup => "backup",
            Self::Forget => "forget",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Unpause => "unpause",
            Self::Retire => "retire",
            Self::Undo => "undo",
            Self::Snapshot => "snapshot",
            Self::Pin => "pin",
            Self::Unpin => "unpin",
            Self::Commit => "commit",
            Self::Remove => "remove",
            Self::RemoveImage => "image rm",
            Self::Make => "make",
            Self::PutBack => "put back",
            Self::Name => "name",
            Self::Rescue => "rescue",
            Self::KeepAlive => "keep-alive",
            Self::Archive => "archive",
            Self::Unpack => "archive restore",
            Self::GitInit => "git-init",
            Self::Mirror => "mirror",
            Self::Rename => "rename",
            Self::Copy => "copy",
            Self::Trash => "trash",
            Self::Restore => "restore",
            Self::Erase => "erase",
        }
    }

    /// The word for it when it is over.
    pub const fn past(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Backup => "backed up",
            Self::Restart => "restarted",
            Self::Pause => "paused",
            Self::Unpause => "let go on",
            Self::Retire => "retired",
            Self::Undo => "brought back",
            Self::Snapshot => "saved",
            Self::Pin => "pinned",
            Self::Unpin => "unpinned",
            Self::Commit => "made into an image",
            Self::Forget | Self::Remove | Self::RemoveImage => "removed",
            Self::Make => "made",
            Self::PutBack => "put back",
            Self::Name => "named",
            Self::Rescue => "rescued",
            Self::KeepAlive => "kept alive",
            Self::Archive => "archived",
            Self::Unpack => "unpacked",
            Self::GitInit => "put under git",
            Self::Mirror => "mirrored",
            Self::Rename => "renamed",
            Self::Copy => "copied",
            Self::Trash => "moved to the trash",
            Self::Restore => "restored",
            Self::Erase => "erased",
        }
    }
}

/// The steps of one act and what must still be true when they run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Unique; sorts by time.
    pub id: String,
    /// The endpoint it runs on.
    pub endpoint: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// What must still be true just before a step that cannot be undone.
    pub preconditions: Vec<Precondition>,
    /// What will be done, in order.
    pub steps: Vec<Step>,
    /// What people should know before they say yes (may hold untrusted text).
    #[serde(default)]
    pub notes: Vec<String>,
    /// What was found out beforehand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// A name that must be typed first, because it is about all of it (untrusted text).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks_for: Option<String>,
}

/// Something that was found out before a plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about, in one word.
    pub about: String,
    /// What is so (may hold untrusted text).
    pub says: String,
    /// How many there are; `None` where nobody could look, or where nothing is counted.
    pub count: Option<u64>,
    /// Their bytes; `None` where nobody could look, or where nothing is measured.
    pub bytes: Option<u64>,
}

impl Fact {
    /// A fact that is neither counted nor measured.
    pub fn plain(about: &str, says: impl Into<String>) -> Self {
        Self { about: about.into(), says: says.into(), count: None, bytes: None }
    }
}

/// What was true of a workspace when the plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precondition {
    /// Which workspace.
    pub subject: WsKey,
    /// The state it was in.
    pub state: RunState,
    /// When it had last started.
    pub started: Option<Timestamp>,
    /// The image it was made from.
    pub image_id: Option<String>,
    /// A digest of what would be lost; another digest means other losses.
    pub at_risk: String,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it does.
    pub verb: Verb,
    /// To which workspace.
    pub subject: WsKey,
    /// The container's name (untrusted text).
    pub name: String,
    /// The command a person would type for the same effect.
    pub call: String,
    /// How many bytes it moves or frees, where it does.
    pub bytes: Option<u64>,
    /// What is gone afterwards.
    pub loses: Vec<Loss>,
    /// The command that undoes it; `None` where nothing does.
    pub reversible_by: Option<String>,
    /// What it does to files of this machine; `None` where the engine does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<Box<FileAct>>,
    /// The job that does it, in a process of its own; `None` where it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Box<Job>>,
    /// What it needs beyond its verb, where it is a part of something larger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<Box<Deed>>,
}

/// Something a step loses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// What: a mount's target, a storage kind's words.
    pub what: String,
    /// What it lives on.
    pub storage: StorageKind,
    /// How many files; `None` where nobody could look.
    pub files: Option<u64>,
    /// Their bytes; `None` where nobody could look.
    pub bytes: Option<u64>,
    /// More than these, perhaps: the look was not complete.
    #[serde(default)]
    pub at_least: bool,
    /// Only what is made again by itself: worth naming, not worth asking twice.
    #[serde(default)]
    pub cache: bool,
}

impl Plan {
    /// Everything the plan loses.
    pub fn losses(&self) -> impl Iterator<Item = &Loss> {
        self.steps.iter().flat_map(|step| &step.loses)
    }

    /// Whether it needs no engine: all it does is to files of this machine.
    pub fn is_about_files(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| step.files.is_some())
    }

    /// What its steps amount to, where that is more than each of them.
    pub fn whole(&self) -> Option<Verb> {
        let has = |verb: Verb| self.steps.iter().any(|step| step.verb == verb && step.deed.is_some());
        if has(Verb::Remove) {
            Some(Verb::Retire)
        } else if has(Verb::Make) {
            Some(Verb::Undo)
        } else {
            None
        }
    }

    /// Whether running it may lose something: files were found, or nobody could look.
    pub fn loses_data(&self) -> bool {
        self.losses().any(|loss| !loss.cache && (loss.files != Some(0) || loss.at_least))
    }
}
