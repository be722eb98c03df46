//! What this machine remembers of the backups it made: one line when saved, verified, removed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::task::bytes;
use super::{Repository, Snapshot};

/// A backup that was made here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The repository it is in.
    pub repository: Repository,
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The folder that was saved, as it is called where this program runs.
    #[serde(with = "bytes")]
    pub folder: PathBuf,
    /// What was left out.
    pub exclude: Vec<String>,
    /// Files that could not be saved.
    pub skipped: u64,
}

/// One line of the memory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A backup was made.
    Saved(Box<Record>),
    /// Data was read back.
    Verified(Verified),
    /// A snapshot was removed.
    Removed {
        /// Its id.
        snapshot: String,
        /// When.
        at: Timestamp,
    },
}

/// That the data of a snapshot was read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// The snapshot's id.
    pub snapshot: String,
    /// When.
    pub at: Timestamp,
    /// Whether all of it was whole.
    pub whole: bool,
}

/// A backup that was made here, and whether its data was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The backup.
    pub record: Record,
    /// When its data was last read back, and whether it was whole.
    pub verified: Option<(Timestamp, bool)>,
}

impl Known {
    /// Whether its data was read back and found whole, and nothing was left out against its will.
    pub fn is_whole(&self) -> bool {
        self.record.skipped == 0
            && !self.record.snapshot.incomplete
            && self.verified.is_some_and(|(_, whole)| whole)
    }
}

/// All backups that were made here and not removed since, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records(Vec<Known>);

impl Records {
    /// Puts the lines of the memory together.
    pub fn new(lines: impl IntoIterator<Item = Line>) -> Self {
        let mut all: Vec<Known> = Vec::new();
        for line in lines {
            match line {
                Line::Saved(record) => all.push(Known { record: *record, verified: None }),
                Line::Verified(verified) => {
                    for known in all.iter_mut().filter(|known| known.record.snapshot.id == verified.snapshot) {
                        known.verified = Some((verified.at, verified.whole));
                    }
                }
                Line::Removed { snapshot, .. } => all.retain(|known| known.record.snapshot.id != snapshot),
            }
        }
        all.sort_by_key(|known| known.record.snapshot.at);
        Self(all)
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Known> {
        self.0.iter()
    }

    /// The newest backup of a folder.
    pub fn newest(&self, folder: &Path) -> Option<&Known> {
        self.0.iter().rev().find(|known| known.record.folder == folder)
    }

    /// The snapshots whose data was read back and found whole.
    pub fn verified(&self) -> BTreeSet<String> {
        let whole = self.0.iter().filter(|known| known.verified.is_some_and(|(_, whole)| whole));
        whole.map(|known| known.record.snapshot.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saved(id: &str, second: i64, skipped: u64) -> Line {
        Line::Saved(Box::new(Record {
            repository: Repository::new("/r", "/k".into()).unwrap(),
            snapshot: Snapshot {
                id: id.into(),
                at: Timestamp::from_second(second).unwrap(),
                host: "h".into(),
                workspace: "p".into(),
                folders: Vec::new(),
                files: None,
                bytes: None,
                added: None,
                own: true,
                incomplete: false,
            },
            folder: "/p".into(),
            exclude: Vec::new(),
            skipped,
        }))
    }

    fn verified(id: &str, whole: bool) -> Line {
        Line::Verified(Verified { snapshot: id.into(), at: Timestamp::UNIX_EPOCH, whole })
    }

    #[test]
    fn a_backup_counts_only_where_it_is_whole_and_was_read_back() {
        let newest = |lines: Vec<Line>| Records::new(lines).newest(Path::new("/p")).map(Known::is_whole);
        assert_eq!(newest(vec![saved("a", 1, 0)]), Some(false), "not read back");
        assert_eq!(newest(vec![saved("a", 1, 0), verified("a", true)]), Some(true));
        assert_eq!(newest(vec![saved("a", 1, 0), verified("a", true), verified("a", false)]), Some(false));
        assert_eq!(newest(vec![saved("a", 1, 2), verified("a", true)]), Some(false), "two files are missing");
        let newer = vec![saved("a", 1, 0), verified("a", true), saved("b", 2, 0)];
        assert_eq!(newest(newer), Some(false), "the newest one was not read back");
        let removed = Line::Removed { snapshot: "a".into(), at: Timestamp::UNIX_EPOCH };
        assert_eq!(newest(vec![saved("a", 1, 0), removed]), None);
    }

    #[test]
    fn lines_are_read_back_as_they_were_written() {
        for line in [saved("a", 1, 0), verified("a", true)] {
            let text = serde_json::to_string(&line).unwrap();
            assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
        }
    }
}
