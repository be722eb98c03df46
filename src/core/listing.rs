//! What becomes of an entry of a folder, and `files --json` and `trash --json`: part of the contract in
//! `report`.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::classify::{Classifier, Origin};
use super::fate::Fates;
use super::mount::Mount;
use super::report::{FateMap, Head, PathText};
use super::storage::StorageKind;
use super::value::Value;

impl Classifier<'_> {
    /// What becomes of an entry of a folder; of a folder the worst of what becomes of it and of what is
    /// mounted beneath it. `written` is whether it was written in the workspace rather than being its
    /// image's, where that can be told: a folder in which nothing was written is its image's as a whole.
    pub fn entry(&self, path: &Path, written: Option<bool>) -> Fates {
        let origin = match written {
            Some(true) => Origin::Layer,
            Some(false) => Origin::Image,
            None => Origin::Unknown,
        };
        let found = self.explain(path, origin);
        let mut fates = found.fates;
        // Nobody loses a file in what the kernel shows.
        if found.storage == StorageKind::Pseudo {
            return fates;
        }
        let beneath = |mount: &&Mount| mount.target != path && mount.target.starts_with(path);
        for mount in self.detail.mounts.iter().filter(beneath) {
            for (answer, other) in fates.0.iter_mut().zip(self.mount(mount).fates.0) {
                if other.verdict().severity() > answer.verdict().severity() {
                    *answer = other;
                }
            }
        }
        fates
    }
}

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::core::backup::Cover;
    use crate::core::event::Event;
    use crate::core::facts::Facts;
    use crate::core::fate::Verdict;
    use crate::core::mount::{Backing, Source};
    use crate::core::profile::Profile;
    use crate::core::recognise::Recognised;
    use crate::core::rules::Rules;
    use crate::core::workspace::{Detail, RunState};

    #[test]
    fn a_folder_is_as_lost_as_the_worst_that_is_mounted_beneath_it() {
        let mount = |target: &str, backing| Mount::new(target.into(), target.into(), backing, None);
        let disk = || Backing::HostDir { path: "/srv/w".into(), source: Source::Present };
        let mounts =
            vec![mount("/", Backing::Layer), mount("/w", disk()), mount("/w/node_modules", Backing::Memory)];
        let detail = Detail { mounts, ..Detail::new(RunState::Running) };
        let rules = Rules::new(
            Arc::new(Profile::default()),
            Recognised::default(),
            &BTreeMap::new(),
            Some(&detail),
            None,
        );
        let covers: [Cover; 0] = [];
        let classifier =
            Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &covers };
        let retired = |path: &str, written| classifier.entry(Path::new(path), written).verdict(Event::Retire);
        assert_eq!(retired("/w", None), Verdict::Lost);
        assert_eq!(retired("/w/data", None), Verdict::Kept);
        assert_eq!(retired("/w/node_modules", None), Verdict::Lost);
        assert_eq!(retired("/bin", Some(false)), Verdict::Rebuilt, "nothing was written in it");
        assert_eq!(retired("/root", Some(true)), Verdict::Lost);
    }
}
