//! The `--json` contract: what scripts may rely on. Fields are added, never renamed, within a schema.
//!
//! Bytes are integers, times RFC 3339, unknown is `null` and never 0. Every
//! object says whether it is complete and as of when.

mod change;

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use change::{Act, Change, Log};

use super::also::Also;
use super::error::Error;
use super::event::Event;
use super::fate::{Answer, Fate, Fates};
use super::finding::LayerCount;
use super::storage::StorageKind;
use super::value::Value;
use super::workspace::Gpu;

/// The version of this contract.
pub const SCHEMA: u32 = 1;

/// What every answer begins with.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Whether every part of the answer was there.
    pub complete: bool,
    /// When it was put together.
    pub as_of: Timestamp,
    /// What is missing and why; a partial answer is never a smaller number.
    pub errors: Vec<Trouble>,
}

impl Head {
    /// The head of an answer with these troubles.
    pub const fn new(as_of: Timestamp, complete: bool, errors: Vec<Trouble>) -> Self {
        Self { schema: SCHEMA, complete, as_of, errors }
    }
}

/// One part of an answer that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// Where it was asked; empty where no engine was asked yet.
    pub endpoint: String,
    /// Which part of the answer: `workspaces`, `images`, a workspace's name; the command's name where all of it is missing.
    pub section: String,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Trouble {
    /// The trouble an error makes for one section.
    pub fn new(endpoint: &str, section: &str, error: &Error) -> Self {
        Self {
            endpoint: endpoint.into(),
            section: section.into(),
            message: error.message.clone(),
            hint: (!error.hints.is_empty()).then(|| error.hints.join("; ")),
        }
    }
}

/// What a command that failed prints with `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// Schema, completeness, and the one error.
    #[serde(flatten)]
    pub head: Head,
}

/// `ls --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Ls {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// One object a workspace.
    pub workspaces: Vec<LsRow>,
    /// How many workspaces of others are not shown, because the platform keeps people's apart.
    pub of_others: usize,
}

/// A folder of `ls --json` that is meant to be kept and is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// What is wrong, by name.
    pub id: &'static str,
    /// The same in two words that follow the path.
    #[serde(skip)]
    pub short: &'static str,
    /// The folder inside the container.
    #[serde(flatten)]
    pub path: PathText,
}

/// One workspace of `ls --json`.
#[derive(Clone, Debug, Serialize)]
pub struct LsRow {
    /// The engine's id.
    pub id: String,
    /// The endpoint it is on.
    pub endpoint: String,
    /// The name shown.
    pub name: String,
    /// The container's name; `null` for a retired folder or this machine.
    pub container: Option<String>,
    /// The state's word.
    pub state: &'static str,
    /// How the main process ended.
    pub exit_code: Option<i64>,
    /// How it ended, in words.
    pub exit_cause: Option<String>,
    /// Whether the kernel killed it for want of memory.
    pub oom: Option<bool>,
    /// How often the engine started it again.
    pub restarts: Option<u64>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When its main process started.
    pub started: Option<Timestamp>,
    /// When its main process ended.
    pub finished: Option<Timestamp>,
    /// The image it was asked for.
    pub image: Option<String>,
    /// Its owner; `null` is unknown.
    pub owner: Option<String>,
    /// Its project.
    pub project: Option<String>,
    /// The platform's id.
    pub profile: String,
    /// Why that platform.
    pub profile_why: String,
    /// Folders that are meant to be kept and are not.
    pub violations: Vec<Wrong>,
    /// What controls it.
    pub managed_by: Option<String>,
    /// Marked as not to be touched.
    pub protected: bool,
    /// Graphics processors it holds or asked for.
    pub gpus: Option<Vec<Gpu>>,
    /// What would be lost if it were retired.
    pub at_risk: AtRisk,
    /// What its folder and its layer take; `null` where nobody asked, or there is nothing to measure.
    pub disk: Option<DiskUse>,
    /// When its folder was last backed up, as far as this machine remembers.
    pub last_backup: Option<Timestamp>,
    /// Image, container and folder, and whether each exists.
    pub layers: Layers,
    /// Whether this row is complete.
    pub complete: bool,
    /// When this row's facts were read.
    pub as_of: Timestamp,
}

/// What a workspace's own folders take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DiskUse {
    /// Allocated bytes as `du` counts them; `null` where nothing of it could be read.
    pub bytes: Option<u64>,
    /// Whether that is all.
    pub complete: bool,
    /// When it was read.
    pub as_of: Timestamp,
}

/// Files in places that do not last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AtRisk {
    /// How many; `null` where nobody could look.
    pub files: Option<u64>,
    /// Their allocated bytes.
    pub bytes: Option<u64>,
    /// Whether every such place was read to its end.
    pub complete: bool,
    /// When it was read.
    pub as_of: Option<Timestamp>,
    /// How it was read, or why it was not.
    pub method: Option<&'static str>,
    /// Why it is not complete.
    pub gaps: Vec<String>,
}

/// The three things a workspace is made of, which end at different times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layers {
    /// The image.
    pub image: Layer,
    /// The container.
    pub container: Layer,
    /// The folder on the host.
    pub workspace: Layer,
}

/// One of the three, with its lifetime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// What it is called, or where it is.
    pub name: Option<String>,
    /// Whether it exists; `null` where that is not known.
    pub exists: Option<bool>,
    /// How long it lives.
    pub lifetime: &'static str,
}

/// `mounts --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Mounts {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// The workspace.
    pub workspace: String,
    /// The endpoint it is on.
    pub endpoint: String,
    /// One object a mount, the root first.
    pub mounts: Vec<MountRow>,
}

/// One mount of `mounts --json`.
#[derive(Clone, Debug, Serialize)]
pub struct MountRow {
    /// Where in the container.
    pub target: String,
    /// Where it comes from.
    pub source: String,
    /// What it lives on.
    pub storage: StorageKind,
    /// Whether the container may write there.
    pub read_only: bool,
    /// The file system type.
    pub filesystem: Option<String>,
    /// Allocated bytes, where they are known exactly.
    pub bytes: Option<u64>,
    /// How far `bytes` goes: `bytes`, `at_least`, `not_permitted`, ...
    pub measure: Option<&'static str>,
    /// What becomes of it.
    pub fates: FateMap,
    /// Why.
    pub why: WhyMap,
}

/// `explain --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Explain {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// The workspace the answer is about; `null` for a path of this machine that no workspace mounts.
    pub workspace: Option<String>,
    /// The endpoint.
    pub endpoint: String,
    /// The path that was asked for.
    #[serde(flatten)]
    pub path: PathText,
    /// The path with links followed, inside the container.
    pub resolved: String,
    /// The same place on the host.
    pub host_path: Option<String>,
    /// The same place in every workspace that mounts it.
    pub seen_in: Vec<SeenIn>,
    /// Which others that see it answer worse for it.
    pub also: Vec<Also>,
    /// What it lives on.
    pub storage: StorageKind,
    /// Whether the container may write there.
    pub read_only: Option<bool>,
    /// The platform's id.
    pub profile: String,
    /// Why that platform.
    pub profile_why: String,
    /// The profile's rule that applied.
    pub rule: Option<String>,
    /// Where that rule comes from.
    pub source: Option<String>,
    /// What is wrong with it, by name.
    pub violation: Option<&'static str>,
    /// What is wrong with it, in words.
    pub violation_words: Option<&'static str>,
    /// Whether anything is there; `null` where nobody could look.
    pub exists: Option<bool>,
    /// What becomes of it.
    pub fates: FateMap,
    /// Why.
    pub why: WhyMap,
    /// The one command that brings it out of harm's way.
    pub command: Option<String>,
    /// Where a file of this machine can be had again: `dvc`, `lfs`, `shared_data`, or `only_copy`; `null`
    /// where nobody could say.
    pub copies: Option<&'static str>,
}

/// A place as one workspace sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeenIn {
    /// The workspace.
    pub workspace: String,
    /// The path inside it.
    pub path: String,
}

/// `risk --json`.
#[derive(Clone, Debug, Serialize)]
pub struct RiskReport {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// One object a workspace that was looked at.
    pub workspaces: Vec<RiskRow>,
    /// Files at risk, the most valuable first.
    pub findings: Vec<FindingRow>,
}

/// How the look at one workspace went.
#[derive(Clone, Debug, Serialize)]
pub struct RiskRow {
    /// The workspace.
    pub workspace: String,
    /// The endpoint.
    pub endpoint: String,
    /// Totals, also of files not listed.
    #[serde(flatten)]
    pub at_risk: AtRisk,
    /// Files of the writable layer against the image, all of them; `null` where they cannot be told apart.
    pub layer: Option<LayerCount>,
    /// What is worth knowing although nothing is missing.
    pub notes: Vec<String>,
}

/// One file of `risk --json`.
#[derive(Clone, Debug, Serialize)]
pub struct FindingRow {
    /// The workspace.
    pub workspace: String,
    /// The path inside it.
    #[serde(flatten)]
    pub path: PathText,
    /// Allocated bytes.
    pub bytes: Option<u64>,
    /// What it lies on.
    pub storage: StorageKind,
    /// What kind of file it is.
    pub value: Value,
    /// The kind, in words.
    pub label: &'static str,
    /// When it last changed.
    pub modified: Option<Timestamp>,
    /// A changed file of the image, rather than a new one.
    pub changed: bool,
    /// How many files it stands for: 1, or all of an environment whose folder the path is.
    pub files: u64,
    /// Where it can be fetched again; `null` where this may be the only copy.
    pub again: Option<String>,
    /// What becomes of it.
    pub fates: FateMap,
    /// Why.
    pub why: WhyMap,
}

/// Fates by event.
pub type FateMap = BTreeMap<Event, Fate>;
/// Reasons by event.
pub type WhyMap = BTreeMap<Event, Answer>;

/// The two maps of an explanation.
pub fn maps(fates: &Fates) -> (FateMap, WhyMap) {
    let fate = Event::ALL.into_iter().map(|event| (event, fates.of(event).fate)).collect();
    let why = Event::ALL.into_iter().map(|event| (event, fates.of(event).clone())).collect();
    (fate, why)
}

/// A path as text, and as base64 of its bytes where it is not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathText {
    /// The path; bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The path's bytes in base64, only where `path` had to replace some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_b64: Option<String>,
}

impl From<&Path> for PathText {
    fn from(path: &Path) -> Self {
        use std::os::unix::ffi::OsStrExt;
        let path_b64 = path
            .to_str()
            .is_none()
            .then(|| base64::engine::general_purpose::STANDARD.encode(path.as_os_str().as_bytes()));
        Self { path: path.to_string_lossy().into_owned(), path_b64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_path_that_is_not_text_can_still_be_named_exactly() {
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/tmp/\xff"));
        let text = PathText::from(path);
        assert_eq!(text.path_b64.as_deref(), Some("L3RtcC//"));
        assert_eq!(PathText::from(Path::new("/tmp/ü")).path_b64, None);
    }
}
