//! Limits on space: of a user, a group, a project, a btrfs qgroup, and of a file system itself.
//!
//! Pure rules over what was read. Three answers are never taken for one another: quotas are not
//! enabled, they cannot be read from here, there is no limit.

mod breach;
mod space;

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use super::check::Severity;
use super::error::Error;
use crate::text::span;

pub use breach::{ENGINE_ROOT_NEEDS, engine_root, of_disk, of_quota};
pub use space::{Counts, Inodes, Space};

/// From this share of a limit on it is worth a notice, in percent.
const NOTICE: u128 = 80;
/// From here on a warning.
const WARNING: u128 = 90;
/// From here on the limit is reached.
const OVER: u128 = 100;

/// What a limit is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaKind {
    /// On all files of one user.
    User,
    /// On all files of one group.
    Group,
    /// On folders that carry a project's number.
    Project,
    /// On a btrfs subvolume.
    Qgroup,
    /// On everything: the file system's own size.
    Volume,
}

impl QuotaKind {
    /// The word shown to people and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Project => "project",
            Self::Qgroup => "qgroup",
            Self::Volume => "volume",
        }
    }
}

/// How a limit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The file system keeps no such quotas.
    NotEnabled,
    /// It may keep them, but nobody here can read them.
    NotReadable,
    /// Far from the limit, or without one.
    Ok,
    /// 80 % and more.
    Notice,
    /// 90 % and more.
    Warning,
    /// At the limit, or beyond.
    Over,
}

impl Status {
    /// How bad it is; `None` while it is not.
    pub const fn severity(self) -> Option<Severity> {
        match self {
            Self::NotEnabled | Self::NotReadable | Self::Ok => None,
            Self::Notice => Some(Severity::Notice),
            Self::Warning => Some(Severity::Warning),
            Self::Over => Some(Severity::Critical),
        }
    }

    /// The status of a share: so much of so much. Nothing of nothing is no share.
    fn of(used: u64, limit: u64) -> Self {
        match u128::from(used) * 100 {
            _ if limit == 0 => Self::Ok,
            share if share >= OVER * u128::from(limit) => Self::Over,
            share if share >= WARNING * u128::from(limit) => Self::Warning,
            share if share >= NOTICE * u128::from(limit) => Self::Notice,
            _ => Self::Ok,
        }
    }
}

/// How much of something is used, and how much may be: bytes, or inodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// What is used; `None` is unknown.
    pub used: Option<u64>,
    /// What may be used for ever; more is allowed for a while. `None` is no such limit.
    pub soft: Option<u64>,
    /// What can never be exceeded. `None` is no such limit.
    pub hard: Option<u64>,
    /// When the soft limit becomes a hard one, while it is exceeded.
    pub grace_ends: Option<Timestamp>,
}

impl Amount {
    /// The limit that counts: the soft one, which people are meant to stay below, else the hard one.
    pub fn limit(self) -> Option<u64> {
        self.soft.or(self.hard)
    }

    /// How it stands; without a limit, well.
    pub fn status(self) -> Status {
        match (self.used, self.limit()) {
            (Some(used), Some(limit)) => Status::of(used, limit),
            _ => Status::Ok,
        }
    }

    /// How much of the limit is used, in percent, rounded up as `df` does.
    pub fn percent(self) -> Option<u64> {
        let (used, limit) = (u128::from(self.used?), u128::from(self.limit()?));
        (limit > 0).then(|| u64::try_from((used * 100).div_ceil(limit)).unwrap_or(u64::MAX))
    }

    /// Beyond a limit: which, and how long that is allowed. `what` is `space` or `files`.
    fn beyond(self, what: &str, now: Timestamp) -> Option<String> {
        let used = self.used?;
        if self.hard.is_some_and(|hard| used >= hard) {
            return Some(format!("at the hard limit of {what}: nothing more can be written"));
        }
        let over = self.soft.is_some_and(|soft| used > soft);
        over.then(|| match self.grace_ends {
            None => format!("over the soft limit of {what}"),
            Some(ends) if ends <= now => {
                format!("over the soft limit of {what} for too long: nothing more can be written")
            }
            Some(ends) => {
                format!("over the soft limit of {what}: {} left to delete some", span(ends.duration_since(now)))
            }
        })
    }
}

/// Use and limits, as they were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Bytes.
    pub bytes: Amount,
    /// Inodes.
    pub inodes: Amount,
    /// Use is counted, but no limit is enforced.
    pub unenforced: bool,
    /// Why the numbers are not to be trusted.
    pub doubt: Option<Doubt>,
    /// How long writes go on above the soft limit, in seconds.
    pub grace_seconds: Option<u64>,
}

/// Why numbers are not to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The file system counts less than nothing.
    Negative,
    /// The file system itself says that its counters are out of date.
    Stale,
}

impl Doubt {
    const fn words(self) -> &'static str {
        match self {
            Self::Negative => "the file system counts less than nothing: its counters are wrong",
            Self::Stale => "the counters are out of date: `btrfs quota rescan` counts anew",
        }
    }
}

/// What a question for a limit led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Use and limits; a limit that is `None` is none.
    Counted(Counted),
    /// Quotas of this kind are not enabled on this file system.
    NotEnabled,
    /// They cannot be read from here, and why not.
    NotReadable(String),
}

/// One limit on one file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What it is on.
    pub kind: QuotaKind,
    /// The number of the user, group, project or subvolume; of a volume, none.
    pub id: Option<u64>,
    /// Whose, in words: a name where there is one (untrusted text).
    pub subject: String,
    /// Where the file system is mounted, or the folder that the limit is on.
    pub place: PathBuf,
    /// What was read.
    pub reading: Reading,
    /// Worth knowing about it.
    pub note: Option<String>,
}

impl Quota {
    /// What was counted, where anything was.
    pub const fn counted(&self) -> Option<&Counted> {
        match &self.reading {
            Reading::Counted(counted) => Some(counted),
            Reading::NotEnabled | Reading::NotReadable(_) => None,
        }
    }

    /// How it stands: the worse of bytes and inodes.
    pub fn status(&self) -> Status {
        match &self.reading {
            Reading::NotEnabled => Status::NotEnabled,
            Reading::NotReadable(_) => Status::NotReadable,
            Reading::Counted(counted) if counted.unenforced => Status::Ok,
            Reading::Counted(counted) => counted.bytes.status().max(counted.inodes.status()),
        }
    }

    /// Whether there is a limit; `None` where nobody knows.
    pub fn limited(&self) -> Option<bool> {
        match &self.reading {
            Reading::NotEnabled => Some(false),
            Reading::NotReadable(_) => None,
            Reading::Counted(counted) => Some(
                !counted.unenforced && (counted.bytes.limit().is_some() || counted.inodes.limit().is_some()),
            ),
        }
    }

    /// The answer in words, beside the numbers; empty where they say it all.
    pub fn words(&self, now: Timestamp) -> String {
        let mut said: Vec<String> = match &self.reading {
            Reading::NotEnabled => vec![format!("no {} quotas on this file system", self.kind.word())],
            Reading::NotReadable(why) => vec![why.clone()],
            Reading::Counted(counted) => {
                let mut said: Vec<String> = Vec::new();
                if counted.unenforced {
                    said.push("counted, but no limit is enforced".into());
                } else if self.limited() == Some(false) && self.note.is_none() {
                    said.push("no limit".into());
                } else if self.kind != QuotaKind::Volume {
                    said.extend(counted.bytes.beyond("space", now));
                    said.extend(counted.inodes.beyond("files", now));
                }
                said.extend(counted.doubt.map(|doubt| doubt.words().to_owned()));
                said
            }
        };
        said.extend(self.note.clone());
        said.join("; ")
    }
}

/// One file system that people's files lie on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// Where it is mounted; where it is mounted several times, the nearest to its root.
    pub target: PathBuf,
    /// The other places where the same is mounted.
    pub also: Vec<PathBuf>,
    /// What is mounted: a device, a server's folder (untrusted text).
    pub source: String,
    /// The type as the kernel names it.
    pub kind: String,
    /// Whether nothing can be written there.
    pub read_only: bool,
    /// Those of the places asked about that lie on it.
    pub places: Vec<PathBuf>,
    /// What it said.
    pub answer: Answer,
}

/// What a file system said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its space, and the limits that were asked for.
    Told(Told),
    /// Nothing, in the time it was given: its server is away.
    Silent,
    /// That it cannot be asked.
    Failed(Error),
}

/// What a file system tells of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// How full it is.
    pub space: Space,
    /// The limits that were asked for; whose they are is not named yet.
    pub quotas: Vec<Quota>,
    /// What of the question could not be answered.
    pub gap: Option<Error>,
}

#[cfg(test)]
mod tests;
