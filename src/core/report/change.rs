//! What changing verbs print, and the lines of the activity log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Head;
use crate::core::plan::{Plan, Verb};
use crate::core::workspace::WsKey;

/// What a changing verb prints.
#[derive(Clone, Debug, Serialize)]
pub struct Act {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// The plan.
    pub plan: Plan,
    /// `planned`, `done`, `refused`, `failed`.
    pub result: &'static str,
}

/// `log --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Log {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// One object a change, the oldest first.
    pub changes: Vec<Change>,
}

/// One change that was made: one line of the activity log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When it was over.
    pub at: Timestamp,
    /// Who made it: a user's name, else the number.
    pub user: String,
    /// Where.
    pub endpoint: String,
    /// What was done.
    pub verb: Verb,
    /// To which workspace.
    pub subject: WsKey,
    /// The container's name (untrusted text).
    pub container: String,
    /// The state's word before.
    pub before: String,
    /// The state's word after; `absent` where the workspace is gone.
    pub after: String,
    /// The plan it was a step of.
    pub plan: String,
    /// `done`, or `failed: ` and why.
    pub result: String,
    /// The command that does the same.
    pub command: String,
    /// The command that undoes it; `null` where nothing does.
    pub recreate: Option<String>,
}
