//! What a job is to do: written down before it begins, shown first, the same text in `--dry-run`.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{FOLDER, Keep, Repository};

/// One job: what it does, for whom, and the repository it does it with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Unique; sorts by time.
    pub id: String,
    /// When it was planned.
    pub made_at: Timestamp,
    /// Who asked for it: a user's name, else the number.
    pub user: String,
    /// The repository.
    pub repository: Repository,
    /// What to do.
    pub task: Task,
    /// What people should know before they say yes (may hold untrusted text).
    #[serde(default)]
    pub notes: Vec<String>,
}

/// What a job does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Save a workspace.
    Backup(Save),
    /// Write a snapshot's files to a new folder.
    Restore(Restore),
    /// Read saved data back.
    Verify(Check),
    /// Remove snapshots.
    Forget(Forget),
}

/// What is saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Save {
    /// The workspace's name (untrusted text).
    pub workspace: String,
    /// The folder that the snapshot is of: by it later ones are found.
    #[serde(with = "bytes")]
    pub folder: PathBuf,
    /// The folders and files that go into it.
    pub parts: Vec<Part>,
    /// What the workspace is, as a file in the snapshot.
    pub definition: Option<String>,
    /// Makes the repository where there is none yet.
    pub create: bool,
    /// Reads what was saved back afterwards.
    pub verify: bool,
    /// More than these bytes are refused.
    pub most: Option<u64>,
    /// The machine's name.
    pub host: String,
}

/// A folder that is saved under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name in the snapshot.
    pub name: String,
    /// Where it is read.
    #[serde(with = "bytes")]
    pub from: PathBuf,
    /// Only these files of it, by their paths from its top; all of it where `None`.
    #[serde(default, with = "bytes::list")]
    pub only: Option<Vec<PathBuf>>,
    /// What is left out.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// What is restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// The snapshot's id.
    pub snapshot: String,
    /// The part of it; the whole snapshot where `None`.
    pub part: Option<String>,
    /// Only this path of it and what lies below.
    #[serde(with = "bytes::option")]
    pub include: Option<PathBuf>,
    /// The folder that is to hold it: new or empty.
    #[serde(with = "bytes")]
    pub to: PathBuf,
    /// The user and group that what was the owner's is given to, as numbers.
    #[serde(default)]
    pub remap: Option<(u32, u32)>,
    /// The workspace that it becomes, where it becomes one (untrusted text).
    #[serde(default)]
    pub becomes: Option<String>,
}

/// What is read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The snapshots' ids; all where empty.
    pub snapshots: Vec<String>,
}

/// What is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forget {
    /// The rule that chose them.
    pub keep: Keep,
    /// The snapshots' ids.
    pub snapshots: Vec<String>,
}

impl Task {
    /// The word for it on the command line, in JSON and in lists.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Backup(_) => "backup",
            Self::Restore(_) => "restore",
            Self::Verify(_) => "verify",
            Self::Forget(_) => "forget",
        }
    }

    /// What it is about, in few words (untrusted text).
    pub fn subject(&self) -> String {
        match self {
            Self::Backup(save) => save.workspace.clone(),
            Self::Restore(restore) => {
                let short = restore.snapshot.get(..8).unwrap_or(&restore.snapshot);
                format!("{short} to {}", restore.to.display())
            }
            Self::Verify(check) => match check.snapshots.as_slice() {
                [] => "all snapshots".into(),
                [one] => one.get(..8).unwrap_or(one).into(),
                several => format!("{} snapshots", several.len()),
            },
            Self::Forget(forget) => match forget.snapshots.len() {
                1 => "1 snapshot".into(),
                many => format!("{many} snapshots"),
            },
        }
    }
}

impl Save {
    /// The part that is the workspace's folder.
    pub fn folder_part(&self) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == FOLDER)
    }
}

/// Paths by their bytes, so that any name is read back as it was written.
#[allow(clippy::ref_option, reason = "serde hands over the field as it is")]
pub(super) mod bytes {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Text where it is text, a list of bytes where not.
    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Bytes(Vec<u8>),
    }

    fn either(path: &Path) -> Either {
        path.to_str()
            .map_or_else(|| Either::Bytes(path.as_os_str().as_bytes().to_vec()), |t| Either::Text(t.into()))
    }

    fn path(either: Either) -> PathBuf {
        match either {
            Either::Text(text) => text.into(),
            Either::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }

    pub(in super::super) fn serialize<S: Serializer>(value: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        either(value).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<PathBuf, D::Error> {
        Either::deserialize(deserializer).map(path)
    }

    pub(super) mod list {
        use super::{Deserialize, Deserializer, Either, PathBuf, Serialize, Serializer, either, path};

        pub(in super::super::super) fn serialize<S: Serializer>(
            value: &Option<Vec<PathBuf>>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            let list = value.as_ref().map(|list| list.iter().map(|path| either(path)).collect::<Vec<_>>());
            list.serialize(serializer)
        }

        pub(in super::super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Vec<PathBuf>>, D::Error> {
            let list = Option::<Vec<Either>>::deserialize(deserializer)?;
            Ok(list.map(|list| list.into_iter().map(path).collect()))
        }
    }

    pub(super) mod option {
        use super::{Deserialize, Deserializer, Either, PathBuf, Serialize, Serializer, either, path};

        pub(in super::super::super) fn serialize<S: Serializer>(
            value: &Option<PathBuf>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            value.as_deref().map(either).serialize(serializer)
        }

        pub(in super::super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<PathBuf>, D::Error> {
            Ok(Option::<Either>::deserialize(deserializer)?.map(path))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn a_job_is_read_back_as_it_was_written_whatever_its_paths_are() {
        let odd = PathBuf::from(std::ffi::OsStr::from_bytes(b"/a\xff\n"));
        let job = Job {
            id: "j".into(),
            made_at: Timestamp::UNIX_EPOCH,
            user: "u".into(),
            repository: Repository::new("/r", "/k".into()).unwrap(),
            task: Task::Restore(Restore {
                snapshot: "0123456789".into(),
                part: None,
                include: Some(odd.clone()),
                to: odd,
                remap: Some((1, 2)),
                becomes: None,
            }),
            notes: Vec::new(),
        };
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
        assert!(job.task.subject().starts_with("01234567 to "));
    }
}
