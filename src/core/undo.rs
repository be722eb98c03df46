//! Undo records: what is needed to bring a retired container and its files back.

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::backup::Repository;
use super::recipe::Recipe;
use super::workspace::{RunState, WsKey};

/// The repository of names that keep images for undo. Whatever removes images leaves these alone.
pub const PIN: &str = "outlast-undo";
/// Days for which a retired container can be brought back.
pub const KEPT_DAYS: i64 = 14;

/// What is remembered of one retired container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// The plan that retired it.
    pub id: String,
    /// When it was retired.
    pub at: Timestamp,
    /// Until when it can be brought back.
    pub until: Timestamp,
    /// Who retired it: a user's name, else the number.
    pub user: String,
    /// The name people know it by (untrusted text).
    pub workspace: String,
    /// Which container it was.
    pub subject: WsKey,
    /// What it was doing.
    pub was: RunState,
    /// How it is made again.
    pub recipe: Recipe,
    /// The name that keeps its image; `None` where nothing does.
    pub pin: Option<String>,
    /// Its files, by the places they were at.
    pub saved: Vec<Saved>,
    /// Anonymous volumes that stayed when it went, by the engine's names.
    #[serde(default)]
    pub volumes: Vec<String>,
    /// Places whose files were given up.
    #[serde(default)]
    pub lost: Vec<String>,
}

impl Undo {
    /// Until when something that was retired at a moment can be brought back.
    pub fn until(at: Timestamp) -> Timestamp {
        at.checked_add(SignedDuration::from_hours(24 * KEPT_DAYS)).unwrap_or(at)
    }

    /// The name that keeps the image of a plan's container.
    pub fn pin(id: &str) -> String {
        format!("{PIN}:{}", id.to_lowercase())
    }

    /// The name that a container has while it is made again.
    pub fn working_name(id: &str) -> String {
        format!("{PIN}-{id}")
    }
}

/// Files of one place in a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The repository.
    pub repository: Repository,
    /// The snapshot's id.
    pub snapshot: String,
    /// The part of it.
    pub part: String,
    /// Where they were.
    pub place: Place,
}

/// A place of a container whose files go with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Its writable layer.
    Layer,
    /// Memory that is mounted there.
    Memory(PathBuf),
    /// A folder of this machine that is mounted there.
    Folder(PathBuf),
}

impl Place {
    /// Its path inside.
    pub fn target(&self) -> PathBuf {
        match self {
            Self::Layer => "/".into(),
            Self::Memory(target) | Self::Folder(target) => target.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_keeps_an_image_is_one_that_engines_take() {
        let pin = Undo::pin("20261126T053330.123Z-1f-0");
        assert_eq!(pin, "outlast-undo:20261126t053330.123z-1f-0");
        let tag = pin.strip_prefix("outlast-undo:").unwrap();
        assert!(tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) && tag.len() <= 128);
    }

    #[test]
    fn what_was_retired_is_kept_for_two_weeks() {
        let kept = Undo::until(Timestamp::UNIX_EPOCH).as_second();
        assert_eq!(kept, 14 * 86_400);
    }
}
