//! How a project stands with git, in one word: what would be lost with its folder comes first.

use serde::Serialize;

use super::{Git, GitState, Remotes};
use crate::core::check::Severity;

/// How a project stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The folder is in no repository.
    NoRepository,
    /// There are commits, and none of them is anywhere else.
    NeverPushed,
    /// Some commits are nowhere else.
    Unpushed,
    /// Changes or new code that no commit has.
    Uncommitted,
    /// All of it is elsewhere.
    Pushed,
    /// Nobody could look.
    NotKnown,
}

impl Standing {
    /// What git's answer amounts to.
    pub fn of(git: &Git) -> Self {
        let state = match git {
            Git::NotARepository => return Self::NoRepository,
            Git::NotInstalled | Git::NotRead(_) => return Self::NotKnown,
            Git::Read(state) => state,
        };
        let never = state.remotes == Remotes::None || (!state.upstream && state.unpushed > 0);
        if state.commits && never {
            return Self::NeverPushed;
        }
        if state.unpushed > 0 || state.stashes > 0 {
            return Self::Unpushed;
        }
        match state {
            GitState { commits: false, .. } => Self::NeverPushed,
            GitState { uncommitted: 1.., .. } => Self::Uncommitted,
            GitState { untracked: Some(new), .. } if new.code > 0 => Self::Uncommitted,
            GitState { untracked: None, .. } => Self::NotKnown,
            _ => Self::Pushed,
        }
    }

    /// The words for it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoRepository => "no repository",
            Self::NeverPushed => "never pushed",
            Self::Unpushed => "not all pushed",
            Self::Uncommitted => "not all committed",
            Self::Pushed => "pushed",
            Self::NotKnown => "not known",
        }
    }

    /// How bad it is; `None` where nothing is to be done.
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::NeverPushed => Some(Severity::Critical),
            Self::NoRepository | Self::Unpushed => Some(Severity::Warning),
            Self::Uncommitted => Some(Severity::Notice),
            Self::Pushed | Self::NotKnown => None,
        }
    }
}
