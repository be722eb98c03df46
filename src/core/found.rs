//! `find --json`: part of the contract in `report`.

use jiff::Timestamp;
use serde::Serialize;

use super::report::{FateMap, Head, PathText, SeenIn, WhyMap};
use super::storage::StorageKind;

/// `find --json`.
#[derive(Clone, Debug, Serialize)]
pub struct FindReport {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// One object a file.
    pub matches: Vec<MatchRow>,
}

/// One file of `find --json`.
#[derive(Clone, Debug, Serialize)]
pub struct MatchRow {
    /// The workspace it was found in; `null` for a file of this machine that no workspace mounts.
    pub workspace: Option<String>,
    /// The endpoint.
    pub endpoint: String,
    /// The path inside the workspace, else on this machine.
    #[serde(flatten)]
    pub path: PathText,
    /// The same file on the host, where it has a place of its own there.
    pub host_path: Option<String>,
    /// What it lies on.
    pub storage: StorageKind,
    /// Allocated bytes.
    pub bytes: Option<u64>,
    /// When it last changed.
    pub modified: Option<Timestamp>,
    /// What becomes of it.
    pub fates: FateMap,
    /// Why.
    pub why: WhyMap,
    /// The same file in every workspace that mounts it.
    pub seen_in: Vec<SeenIn>,
}
