//! What the list of habits is judged by: the state of git, of the project folder, of the container.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::core::finding::Tally;

/// Files in git above this many bytes are large: the best known host refuses them.
pub const LARGE: u64 = 100 * 1024 * 1024;
/// What nobody touched for more than this many days is old.
pub const OLD_DAYS: i64 = 30;

/// What git says about a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Git {
    /// The folder is in no repository.
    NotARepository,
    /// There is no `git` to ask.
    NotInstalled,
    /// It could not be read, for this reason (may hold untrusted text).
    NotRead(String),
    /// It was read.
    Read(GitState),
}

/// The state of a repository, as far as its folder tells: no server is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitState {
    /// The branch, where one is checked out (untrusted text).
    pub branch: Option<String>,
    /// Whether there is any commit.
    pub commits: bool,
    /// Where it can be pushed to.
    pub remotes: Remotes,
    /// The remote to push to, one elsewhere first; `None` where its name cannot be typed as it is.
    pub push_to: Option<String>,
    /// Whether the branch has a counterpart that it is pushed to.
    pub upstream: bool,
    /// Commits of all branches that no remote has; only remotes elsewhere count, where there is one.
    pub unpushed: u64,
    /// Tracked files that differ from the last commit.
    pub uncommitted: u64,
    /// Files that git neither tracks nor ignores; `None` where they could not be counted in time.
    pub untracked: Option<Untracked>,
    /// Changes put aside with `git stash`, which no push sends.
    pub stashes: u64,
    /// Files of the last commit above [`LARGE`], largest first; `None` where they could not be listed.
    pub large: Option<Vec<LargeFile>>,
}

/// Where a repository can be pushed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remotes {
    /// Nowhere: it knows no remote.
    #[default]
    None,
    /// Only to folders of this machine, or to `localhost`.
    Here,
    /// To another machine.
    Away,
}

/// Files that git neither tracks nor ignores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untracked {
    /// How many; at least, where there are very many.
    pub files: u64,
    /// How many of them are source code or notebooks.
    pub code: u64,
}

/// A large file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LargeFile {
    /// Its path in the project folder (untrusted).
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

/// A file and when its content last changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// Its path in the project folder (untrusted).
    pub path: PathBuf,
    /// When.
    pub modified: Timestamp,
}

/// What one look at a project folder found. Installed packages and `.git` do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderFacts {
    /// Model checkpoints, caches of downloaded ones aside.
    pub checkpoints: u64,
    /// The newest of them.
    pub newest_checkpoint: Option<Dated>,
    /// Those that nobody touched for [`OLD_DAYS`].
    pub old_checkpoints: Tally,
    /// Experiment trackers that left something, by name.
    pub trackers: Vec<&'static str>,
    /// The usual folders that are there, by name.
    pub usual: Vec<&'static str>,
    /// The largest files above [`LARGE`] that lie where git would take them in, not under `data` or `models`.
    pub large: Vec<LargeFile>,
    /// Temporary files that nobody touched for [`OLD_DAYS`].
    pub old_temporary: Tally,
    /// The file that changed last.
    pub newest: Option<Dated>,
    /// Why the look was not complete; empty when it was.
    pub gaps: Vec<String>,
}

impl FolderFacts {
    /// A folder that was not read.
    pub fn not_read(why: impl Into<String>) -> Self {
        Self { gaps: vec![why.into()], ..Self::default() }
    }

    /// Whether the folder was read to its end.
    pub const fn complete(&self) -> bool {
        self.gaps.is_empty()
    }
}

/// Everything that the habits of one workspace are judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HabitFacts {
    /// The folder that is kept, as it is called inside the container (untrusted).
    pub inside: Option<PathBuf>,
    /// The same folder on the host (untrusted).
    pub on_host: Option<PathBuf>,
    /// What git says about it.
    pub git: Git,
    /// What lies in it.
    pub project: FolderFacts,
    /// Files at risk; `None` where nobody looked.
    pub at_risk: Option<Tally>,
    /// Whether every place that does not last was read to its end.
    pub at_risk_complete: bool,
    /// Whether the container runs.
    pub running: bool,
    /// Files at risk that were changed recently; `None` where nobody looked.
    pub recent_at_risk: Option<u64>,
    /// Bytes used and size of the disk or quota that holds the folder.
    pub disk: Option<(u64, u64)>,
    /// When the folder was last backed up; `None` where no backup is known.
    pub last_backup: Option<Timestamp>,
    /// The moment that ages count from.
    pub now: Timestamp,
}

impl HabitFacts {
    /// Of a workspace that nobody has looked at yet.
    pub fn not_read(now: Timestamp) -> Self {
        Self {
            inside: None,
            on_host: None,
            git: Git::NotRead("not read yet".into()),
            project: FolderFacts::not_read("not read yet"),
            at_risk: None,
            at_risk_complete: false,
            running: true,
            recent_at_risk: None,
            disk: None,
            last_backup: None,
            now,
        }
    }
}
