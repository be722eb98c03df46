//! Files at risk: what was found in places that do not last, and how far the look reached.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::storage::StorageKind;
use super::value::Value;

/// How files at risk were found, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The writable layer's own directory was walked.
    Upper,
    /// The container's root was walked through its process.
    Proc,
    /// The engine was asked for changed paths.
    Api,
    /// From inside: files born after the container, without an engine.
    Inside,
}

impl Method {
    /// The name used in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Upper => "upper",
            Self::Proc => "proc",
            Self::Api => "api",
            Self::Inside => "inside",
        }
    }

    /// How the screen says it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Upper => "read from the layer",
            Self::Proc => "read through the process",
            Self::Api => "asked from the engine",
            Self::Inside => "inferred from inside",
        }
    }
}

/// One file in a place that does not last, or many that are one thing to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileAtRisk {
    /// Absolute path inside the container; bytes, not necessarily UTF-8 (untrusted).
    pub path: PathBuf,
    /// Allocated bytes; `None` where only the name is known.
    pub bytes: Option<u64>,
    /// What it lies on.
    pub storage: StorageKind,
    /// The profile's rule for it, by name.
    pub rule: Option<String>,
    /// What kind of file it is.
    pub value: Value,
    /// When its content last changed.
    pub modified: Option<Timestamp>,
    /// A file of the image that was changed, rather than a new one.
    pub changed: bool,
    /// How many files it stands for: 1, or all of the folder that the path then is.
    pub files: u64,
    /// Where it can be had again, in words (untrusted text); without it this may be the only copy.
    pub again: Option<String>,
}

/// What an entry of a list is worth: value, then size, then the newest; what can be had again costs
/// no more than packages do.
pub type Worth = (Value, std::cmp::Reverse<u64>, std::cmp::Reverse<Option<Timestamp>>);

impl FileAtRisk {
    /// The path as it is shown: a folder ends in a slash.
    pub fn shown(&self) -> PathBuf {
        if self.files == 1 { self.path.clone() } else { self.path.join("") }
    }

    /// The kind in words, with how many files it stands for and where it can be had again.
    pub fn words(&self) -> String {
        let files = if self.files == 1 { String::new() } else { format!(", {} files", self.files) };
        let again = self.again.as_ref().map(|from| format!(", can be fetched again ({from})"));
        format!("{}{files}{}", self.value.label(), again.unwrap_or_default())
    }

    /// What it is worth in a list, the most first.
    pub fn worth(&self) -> Worth {
        let value = if self.again.is_some() { self.value.max(Value::Package) } else { self.value };
        (value, std::cmp::Reverse(self.bytes.unwrap_or(0)), std::cmp::Reverse(self.modified))
    }

    /// The lot it belongs to.
    pub fn lot(&self) -> Lot {
        Lot { storage: self.storage, rule: self.rule.clone() }
    }

    /// The order of lists.
    pub fn rank(&self) -> impl Ord + use<> {
        (self.worth(), self.path.clone())
    }
}

/// Files that share their fates: the storage kind, and the profile's rule by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lot {
    /// What they lie on.
    pub storage: StorageKind,
    /// The profile's rule for them.
    pub rule: Option<String>,
}

impl From<StorageKind> for Lot {
    fn from(storage: StorageKind) -> Self {
        Self { storage, rule: None }
    }
}

/// Files and bytes of one lot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many files.
    pub files: u64,
    /// Their allocated bytes, hard links counted once.
    pub bytes: u64,
}

impl Tally {
    /// Adds one file.
    pub const fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
    }
}

/// What a writable layer holds against its image, caches and all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LayerCount {
    /// Files that the image does not have.
    pub new: u64,
    /// Files of the image whose content was changed.
    pub changed: u64,
    /// Files of the image of which only owner, mode or times were changed: their data is the image's.
    pub attributes: u64,
    /// Files and folders of the image that were deleted.
    pub deleted: u64,
}

impl LayerCount {
    /// What it says to people: `12 new files, 1 changed, 3 deleted`.
    pub fn words(&self) -> String {
        let new = if self.new == 1 { "1 new file".into() } else { format!("{} new files", self.new) };
        let more =
            [(self.changed, "changed"), (self.attributes, "with other attributes"), (self.deleted, "deleted")];
        let more =
            more.into_iter().filter(|(many, _)| *many > 0).map(|(many, what)| format!(", {many} {what}"));
        new + &more.collect::<String>()
    }
}

/// What one look at one workspace found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// How it was found.
    pub method: Method,
    /// Totals by lot; every storage kind that was looked at has an entry.
    pub tallies: Vec<(Lot, Tally)>,
    /// Files that are made again by themselves, by lot; not among the totals.
    pub caches: Vec<(Lot, Tally)>,
    /// New, changed and deleted files of the writable layer; `None` where they cannot be told apart.
    pub layer: Option<LayerCount>,
    /// The most valuable files, best first; the totals count also those not listed.
    pub findings: Vec<FileAtRisk>,
    /// Why the look was not complete; empty when it was.
    pub gaps: Vec<String>,
    /// What is worth knowing although nothing is missing, such as that a stopped container has no tmpfs.
    pub notes: Vec<String>,
    /// When the look ended.
    pub as_of: Timestamp,
}

impl Risk {
    /// Whether every place that does not last was read to its end.
    pub const fn complete(&self) -> bool {
        self.gaps.is_empty()
    }

    /// Whether places of a storage kind were looked at.
    pub fn was_read(&self, storage: StorageKind) -> bool {
        self.tallies.iter().any(|(lot, _)| lot.storage == storage)
    }

    /// Files and bytes over all lots that `at_risk` picks.
    pub fn tally(&self, mut at_risk: impl FnMut(&Lot) -> bool) -> Tally {
        let mut sum = Tally::default();
        for (lot, tally) in &self.tallies {
            if at_risk(lot) {
                sum += *tally;
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(path: &str, bytes: u64) -> FileAtRisk {
        FileAtRisk {
            path: path.into(),
            bytes: Some(bytes),
            storage: StorageKind::WritableLayer,
            rule: None,
            value: Value::of(path.as_ref()),
            modified: None,
            changed: false,
            files: 1,
            again: None,
        }
    }

    #[test]
    fn what_can_be_fetched_again_comes_after_what_may_be_the_only_copy() {
        let hub =
            FileAtRisk { again: Some("torch hub".into()), ..finding("/opt/torch/hub/checkpoints/x.pth", 9) };
        let mut found = [hub, finding("/tmp/table.csv", 1), finding("/tmp/x", 1)];
        found.sort_by_key(FileAtRisk::rank);
        assert_eq!(found[2].words(), "model checkpoint, can be fetched again (torch hub)");
        let env = FileAtRisk { files: 8_000, value: Value::Environment, ..finding("/root/venv", 9) };
        assert_eq!((env.words(), env.shown()), ("environment, 8000 files".into(), "/root/venv/".into()));
    }

    #[test]
    fn what_a_layer_holds_is_said_without_what_is_none() {
        let words =
            |new, changed, attributes, deleted| LayerCount { new, changed, attributes, deleted }.words();
        assert_eq!(words(0, 0, 0, 0), "0 new files");
        assert_eq!(words(1, 2, 3, 4), "1 new file, 2 changed, 3 with other attributes, 4 deleted");
    }

    #[test]
    fn a_checkpoint_ranks_above_a_larger_log() {
        let mut found =
            [finding("/tmp/a.log", 1 << 30), finding("/tmp/model.pt", 10), finding("/tmp/big.pt", 20)];
        found.sort_by_key(FileAtRisk::rank);
        let order: Vec<_> = found.iter().map(|f| f.path.display().to_string()).collect();
        assert_eq!(order, ["/tmp/big.pt", "/tmp/model.pt", "/tmp/a.log"]);
    }
}
