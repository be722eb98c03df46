//! Backups as values: what is saved and restored, how far a job is, and how it ended.
//!
//! No repository is opened here and no file read: that is `backup`'s and `work::backup`'s.

mod cover;
mod exclude;
mod keep;
mod record;
mod repository;
mod task;
mod view;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use cover::Cover;
pub use exclude::Excludes;
pub use keep::{Keep, Retention, retain};
pub use record::{Known, Line, Record, Records, Verified};
pub use repository::{Place, Repository};
pub use task::{Check, Forget, Job, Part, Restore, Save, Task};
pub use view::{JobState, JobView};

use super::error::{Error, Kind};
use super::report::PathText;

/// The name of the part that holds the workspace's folder.
pub const FOLDER: &str = "workspace";
/// The name of the part that holds the user's files of the writable layer.
pub const LAYER: &str = "layer";
/// The file of a snapshot that says what the workspace was.
pub const DEFINITION: &str = "definition.json";
/// The mark of every snapshot that this program makes.
pub const TAG: &str = "outlast";
/// What a repository on the host itself is good for, in one sentence.
pub const LOCAL: &str = "protects against retire and deletion, not against losing this host";
/// The mark of a snapshot in which something is missing.
pub const INCOMPLETE: &str = "incomplete";

/// A snapshot of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The repository's id for it, in full.
    pub id: String,
    /// When it was begun: nothing that changed later is sure to be in it.
    pub at: Timestamp,
    /// The machine it was made on (untrusted text).
    pub host: String,
    /// The workspace it is of; empty where another program made it (untrusted text).
    pub workspace: String,
    /// The folders it is of, as they were called (untrusted text).
    pub folders: Vec<String>,
    /// Files in it; `None` where nobody counted.
    pub files: Option<u64>,
    /// Their bytes; `None` where nobody counted.
    pub bytes: Option<u64>,
    /// Bytes that it added to the repository; `None` where nobody counted.
    pub added: Option<u64>,
    /// Whether it was made by this program, so that its parts are known.
    pub own: bool,
    /// Whether something is missing in it that should be there.
    pub incomplete: bool,
}

impl Snapshot {
    /// The part of its id that people read and type.
    pub fn short(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }
}

/// What a job is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It opens the repository.
    #[default]
    Opening,
    /// It reads and stores files.
    Saving,
    /// It reads the stored data back.
    Verifying,
    /// It writes files.
    Restoring,
    /// It removes snapshots.
    Forgetting,
    /// It brings what it did to its end.
    Finishing,
}

impl Stage {
    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Saving => "saving",
            Self::Verifying => "verifying",
            Self::Restoring => "restoring",
            Self::Forgetting => "forgetting",
            Self::Finishing => "finishing",
        }
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// When this was true.
    pub at: Timestamp,
    /// What it is doing.
    pub stage: Stage,
    /// Files done.
    pub files: u64,
    /// Bytes done.
    pub bytes: u64,
    /// Files in all; `None` while nobody knows.
    pub of_files: Option<u64>,
    /// Bytes in all; `None` while nobody knows.
    pub of_bytes: Option<u64>,
    /// Bytes written to the repository.
    pub written: u64,
    /// Files that are missing in the result.
    pub skipped: u64,
}

impl Progress {
    /// Bytes a second since a moment; `None` where that is too short ago to say.
    pub fn rate(&self, began: Timestamp) -> Option<u64> {
        let took = u64::try_from(self.at.duration_since(began).as_millis()).ok()?;
        if took < 500 {
            return None;
        }
        self.bytes.checked_mul(1000)?.checked_div(took)
    }

    /// Seconds that it still takes at this rate; `None` where that is not known.
    pub fn left(&self, began: Timestamp) -> Option<u64> {
        let rest = self.of_bytes?.checked_sub(self.bytes)?;
        let rate = self.rate(began).filter(|rate| *rate > 0)?;
        Some(rest / rate)
    }

    /// How much of it is done, of a hundred; `None` while nobody knows how much there is.
    pub fn percent(&self) -> Option<u64> {
        let of = self.of_bytes.filter(|of| *of > 0)?;
        Some((u128::from(self.bytes.min(of)) * 100 / u128::from(of)).try_into().unwrap_or(100))
    }
}

/// A file that is not in the result, or not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// The file (untrusted text).
    #[serde(flatten)]
    pub path: PathText,
    /// Why.
    pub why: String,
}

/// Files that are missing, the first of them by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skips {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Skip>,
}

impl Skips {
    /// How many are named.
    const NAMED: usize = 200;

    /// Adds one.
    pub fn add(&mut self, path: &std::path::Path, why: impl Into<String>) {
        self.count += 1;
        if self.first.len() < Self::NAMED {
            self.first.push(Skip { path: path.into(), why: why.into() });
        }
    }
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// All of it was done.
    Done,
    /// It was done, but files are missing or damaged.
    Incomplete,
    /// Nothing was changed, or what was begun was taken back.
    Failed,
    /// Somebody called it off.
    Cancelled,
}

impl End {
    /// The word in lists.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What a job left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// When it was over.
    pub at: Timestamp,
    /// How.
    pub end: End,
    /// What went wrong (may hold untrusted text).
    #[serde(default)]
    pub error: Option<Fault>,
    /// The snapshot it made or read.
    #[serde(default)]
    pub snapshot: Option<Snapshot>,
    /// Files that are not in the result.
    #[serde(default)]
    pub skipped: Skips,
    /// Files whose saved data is damaged.
    #[serde(default)]
    pub damaged: Skips,
    /// Files that hold secrets, by name.
    #[serde(default)]
    pub secrets: Skips,
    /// What is worth knowing although nothing is missing.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What the workspace was, as it is written in the snapshot (untrusted text).
    #[serde(default)]
    pub definition: Option<String>,
    /// Files done.
    #[serde(default)]
    pub files: u64,
    /// Bytes done.
    #[serde(default)]
    pub bytes: u64,
    /// Whether the data was read back and found whole; `None` where nobody looked.
    #[serde(default)]
    pub verified: Option<bool>,
    /// The snapshots that were read back, by id, and whether each is whole.
    #[serde(default)]
    pub checked: Vec<(String, bool)>,
    /// Snapshots that were removed, by id.
    #[serde(default)]
    pub removed: Vec<String>,
}

/// An error that was written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hints: Vec<String>,
    /// The exit code it leads to.
    pub code: u8,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Self { message: error.message.clone(), hints: error.hints.clone(), code: error.kind.exit_code() }
    }
}

impl From<&Fault> for Error {
    fn from(fault: &Fault) -> Self {
        let kind = match fault.code {
            2 => Kind::Usage,
            3 => Kind::Unreachable,
            4 => Kind::Refused,
            130 => Kind::Cancelled,
            _ => Kind::Failed,
        };
        Self { kind, message: fault.message.clone(), hints: fault.hints.clone() }
    }
}

impl Outcome {
    /// One that left nothing yet.
    pub fn new(at: Timestamp, end: End) -> Self {
        Self {
            at,
            end,
            error: None,
            snapshot: None,
            skipped: Skips::default(),
            damaged: Skips::default(),
            secrets: Skips::default(),
            notes: Vec::new(),
            definition: None,
            files: 0,
            bytes: 0,
            verified: None,
            checked: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// One that failed, or was called off.
    pub fn failed(at: Timestamp, error: &Error) -> Self {
        let end = if error.kind == Kind::Cancelled { End::Cancelled } else { End::Failed };
        Self { error: Some(error.into()), ..Self::new(at, end) }
    }

    /// The exit code it leads to.
    pub fn exit_code(&self) -> u8 {
        match (self.end, &self.error) {
            (End::Done, _) => 0,
            (End::Cancelled, _) => 130,
            (End::Incomplete, _) | (End::Failed, None) => 1,
            (End::Failed, Some(fault)) => fault.code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(bytes: u64, of: Option<u64>, seconds: i64) -> Progress {
        let at = Timestamp::from_second(seconds).unwrap();
        Progress {
            at,
            stage: Stage::Saving,
            files: 0,
            bytes,
            of_files: None,
            of_bytes: of,
            written: 0,
            skipped: 0,
        }
    }

    #[test]
    fn rate_time_left_and_share_are_said_only_where_they_are_known() {
        let began = Timestamp::UNIX_EPOCH;
        let half = progress(500, Some(1000), 10);
        assert_eq!((half.rate(began), half.left(began), half.percent()), (Some(50), Some(10), Some(50)));
        let unknown = progress(500, None, 10);
        assert_eq!((unknown.left(began), unknown.percent()), (None, None));
        assert_eq!(progress(500, Some(1000), 0).rate(began), None, "too short ago");
        assert_eq!(progress(1500, Some(1000), 10).percent(), Some(100), "files may grow meanwhile");
    }

    #[test]
    fn an_end_leads_to_the_documented_exit_code() {
        let at = Timestamp::UNIX_EPOCH;
        let code = |end| Outcome::new(at, end).exit_code();
        assert_eq!((code(End::Done), code(End::Incomplete), code(End::Cancelled)), (0, 1, 130));
        let refused = Error::new(Kind::Refused, "no");
        assert_eq!(Outcome::failed(at, &refused).exit_code(), 4);
        let fault = Fault::from(&refused);
        assert_eq!(Error::from(&fault).kind, Kind::Refused);
    }

    #[test]
    fn all_that_is_missing_is_counted_and_the_first_are_named() {
        let mut skips = Skips::default();
        for number in 0..500 {
            skips.add(std::path::Path::new(&format!("/f{number}")), "gone");
        }
        assert_eq!((skips.count, skips.first.len()), (500, Skips::NAMED));
    }
}
