//! What survives: the places of a workspace as a tree, each with what becomes of what is saved there.
//!
//! Mounts, the folders that the platform speaks of, the usual ones that everybody writes to, and
//! folders that hold files at risk. The screen and `survives` show the same tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::classify::{Classifier, Explanation, Origin};
use super::event::Event;
use super::fate::{Fate, Verdict};
use super::finding::Risk;
use super::mount::Mount;
use super::report::{FateMap, Head, PathText, maps};
use super::storage::StorageKind;

/// Folders with files at risk that are listed at most, those with the most bytes.
const MOST_FOLDERS: usize = 6;

/// Folders that people write to in every container.
const USUAL: [&str; 2] = ["/tmp", "/root"];

/// One place of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Absolute path inside the container (untrusted).
    pub path: PathBuf,
    /// How many places of the tree lie above it.
    pub depth: usize,
    /// Its path below the place above it; below the root the whole path.
    pub name: PathBuf,
    /// The mount that begins here.
    pub mount: Option<&'a Mount>,
    /// What becomes of what is saved here.
    pub answer: Explanation<'a>,
}

impl Place<'_> {
    /// What an event does to what is saved here.
    pub fn verdict(&self, event: Event) -> Verdict {
        self.answer.fates.verdict(event)
    }

    /// Whether nothing can be saved here.
    pub fn read_only(&self) -> bool {
        self.answer.mount.is_some_and(|mount| mount.read_only)
    }
}

/// The places of a workspace in the order of a tree, the root first; `risk` is what a look found.
pub fn tree<'a>(classifier: &Classifier<'a>, risk: Option<&Risk>) -> Vec<Place<'a>> {
    let mounts = classifier.detail.mounts.iter().filter(|mount| mount.holds_files());
    let mounts: BTreeMap<&Path, &Mount> = mounts.map(|mount| (mount.target.as_path(), mount)).collect();
    let mut paths: BTreeSet<PathBuf> = mounts.keys().map(|path| path.to_path_buf()).collect();
    // Where no mount is known nothing can be said of any place.
    if paths.is_empty() {
        return Vec::new();
    }
    paths.insert("/".into());
    paths.extend(USUAL.map(PathBuf::from));
    paths.extend(classifier.rules.places());
    let user = classifier.detail.user.as_deref().filter(|user| user.bytes().all(|b| b.is_ascii_alphanumeric()));
    let named = user.filter(|user| *user != "root" && user.parse::<u32>().is_err() && !user.is_empty());
    paths.extend(named.map(|user| Path::new("/home").join(user)));
    for folder in risk.map(folders).unwrap_or_default() {
        // Below a place that is listed the answer is that place's.
        let above = folder.ancestors().find(|above| paths.contains(*above));
        if above.is_none_or(|above| above == Path::new("/")) {
            paths.insert(folder);
        }
    }
    let paths = in_order(&paths, classifier.rules.workspace.as_deref(), &mounts);
    let mut above: Vec<PathBuf> = Vec::new();
    let place = |path: PathBuf| {
        while above.last().is_some_and(|last| !path.starts_with(last)) {
            above.pop();
        }
        let depth = above.len();
        let below = above.last().filter(|last| last.as_path() != Path::new("/"));
        let name = below.and_then(|last| path.strip_prefix(last).ok()).unwrap_or(&path).to_path_buf();
        above.push(path.clone());
        let answer = classifier.explain(&path, Origin::Layer);
        Place { depth, name, mount: mounts.get(path.as_path()).copied(), answer, path }
    };
    paths.into_iter().map(place).collect()
}

/// The order of the tree: below each place the workspace first, then what leads to mounts, then the rest by name.
fn in_order(
    paths: &BTreeSet<PathBuf>,
    workspace: Option<&Path>,
    mounts: &BTreeMap<&Path, &Mount>,
) -> Vec<PathBuf> {
    let rank = |path: &Path| {
        if workspace.is_some_and(|workspace| workspace.starts_with(path)) {
            0
        } else {
            u8::from(!mounts.keys().any(|mount| mount.starts_with(path))) + 1
        }
    };
    let key = |path: &PathBuf| {
        let mut way: Vec<(u8, PathBuf)> = path
            .ancestors()
            .filter(|above| paths.contains(*above))
            .map(|above| (rank(above), above.to_path_buf()))
            .collect();
        way.reverse();
        way
    };
    let mut all: Vec<PathBuf> = paths.iter().cloned().collect();
    all.sort_by_cached_key(key);
    all
}

/// The folders that files at risk lie in, the shallowest first.
fn folders(risk: &Risk) -> Vec<PathBuf> {
    let mut bytes: BTreeMap<&Path, u64> = BTreeMap::new();
    for finding in &risk.findings {
        if let Some(folder) = finding.path.parent() {
            *bytes.entry(folder).or_default() += finding.bytes.unwrap_or(0);
        }
    }
    let mut folders: Vec<(&Path, u64)> = bytes.into_iter().collect();
    folders.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    folders.truncate(MOST_FOLDERS);
    let mut folders: Vec<PathBuf> = folders.into_iter().map(|(folder, _)| folder.to_path_buf()).collect();
    folders.sort_by_key(|folder| folder.components().count());
    folders
}

/// `survives --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Survives {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// The workspace.
    pub workspace: String,
    /// The endpoint it is on.
    pub endpoint: String,
    /// The platform's id.
    pub profile: String,
    /// The event that `fate` is for.
    pub event: Event,
    /// One object a place, the root first.
    pub places: Vec<PlaceRow>,
}

/// One place of `survives --json`.
#[derive(Clone, Debug, Serialize)]
pub struct PlaceRow {
    /// Where inside the container.
    #[serde(flatten)]
    pub path: PathText,
    /// How many places of the tree lie above it.
    pub depth: usize,
    /// What it lives on.
    pub storage: StorageKind,
    /// Whether a mount begins here.
    pub mount: bool,
    /// Whether nothing can be saved here.
    pub read_only: bool,
    /// What the event does to it.
    pub fate: Fate,
    /// What becomes of it in all events.
    pub fates: FateMap,
    /// What is wrong with it, by name.
    pub violation: Option<&'static str>,
}

impl PlaceRow {
    /// One place as scripts see it.
    pub fn of(place: &Place<'_>, event: Event) -> Self {
        Self {
            path: place.path.as_path().into(),
            depth: place.depth,
            storage: place.answer.storage,
            mount: place.mount.is_some(),
            read_only: place.read_only(),
            fate: place.answer.fates.of(event).fate,
            fates: maps(&place.answer.fates).0,
            violation: place.answer.violation.map(super::profile::Violation::key),
        }
    }
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
