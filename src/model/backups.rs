//! The tab Backups: snapshots of the repository, jobs, and the log of what was changed.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::list::List;
use super::rows::all_words_in;
use crate::core::backup::{JobState, JobView, Records, Snapshot};
use crate::core::error::Error;
use crate::core::report::Change;

/// What the tab shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BackupView {
    /// The snapshots of the repository.
    #[default]
    Snapshots,
    /// Jobs that go on or are over.
    Jobs,
    /// What was changed, and how it is undone.
    Log,
}

impl BackupView {
    /// All of them in order.
    pub const ALL: [Self; 3] = [Self::Snapshots, Self::Jobs, Self::Log];

    /// The word on the screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Snapshots => "Snapshots",
            Self::Jobs => "Jobs",
            Self::Log => "Log",
        }
    }

    /// The next one, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Snapshots => Self::Jobs,
            Self::Jobs => Self::Log,
            Self::Log => Self::Snapshots,
        }
    }

    const fn place(self) -> usize {
        match self {
            Self::Snapshots => 0,
            Self::Jobs => 1,
            Self::Log => 2,
        }
    }
}

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BackupOrder {
    /// The newest.
    #[default]
    Age,
    /// By name.
    Name,
    /// The largest.
    Size,
    /// What needs somebody's eyes.
    State,
}

impl BackupOrder {
    /// The next one, round and round.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Age => Self::Name,
            Self::Name => Self::Size,
            Self::Size => Self::State,
            Self::State => Self::Age,
        }
    }

    /// The word for it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Name => "name",
            Self::Size => "size",
            Self::State => "state",
        }
    }
}

/// How far the repository is read. What was read before is still shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// Nobody asked.
    #[default]
    Waiting,
    /// It is being read.
    Reading,
    /// It is read.
    Known,
    /// There is none yet.
    Absent,
    /// It could not be read, or not in time.
    Failed(Error),
}

/// How a snapshot is, as far as this machine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// Its data was read back, and some of it is damaged.
    Damaged,
    /// Something was missing when it was made.
    Incomplete,
    /// Nobody read it back from here.
    NotVerified,
    /// Its data was read back and found whole, then.
    Verified(Timestamp),
}

/// Everything about the tab.
#[derive(Clone, Debug, Default)]
pub struct Backups {
    /// What it shows.
    pub view: BackupView,
    /// Where the repository is, without a password; empty until that is known.
    pub url: String,
    /// What it is good for, as a clause, where that is not everything.
    pub good_for: Option<String>,
    /// How far it is read.
    pub listing: Listing,
    /// When it was read.
    pub as_of: Option<Timestamp>,
    /// Its snapshots.
    pub snapshots: Vec<Snapshot>,
    /// What this machine remembers of the backups it made; `None` where that cannot be read.
    pub records: Option<Records>,
    /// Jobs, the oldest first.
    pub jobs: Vec<JobView>,
    /// What was changed, the oldest first.
    pub changes: Vec<Change>,
    /// Lines of the log that are damaged.
    pub damaged: usize,
    /// Why what is remembered could not be read; `None` where it was.
    pub forgotten: Option<Error>,
    lists: [List; 3],
    orders: [BackupOrder; 3],
}

impl Backups {
    /// The list that is shown.
    pub fn list(&self) -> &List {
        let [snapshots, jobs, log] = &self.lists;
        [snapshots, jobs, log][self.view.place()]
    }

    /// The list that is shown, to change.
    pub fn list_mut(&mut self) -> &mut List {
        let [snapshots, jobs, log] = &mut self.lists;
        match self.view {
            BackupView::Snapshots => snapshots,
            BackupView::Jobs => jobs,
            BackupView::Log => log,
        }
    }

    /// What comes first in the list that is shown.
    pub const fn order(&self) -> BackupOrder {
        self.orders[self.view.place()]
    }

    /// Another order of the list that is shown.
    pub fn sort(&mut self) -> BackupOrder {
        let [snapshots, jobs, log] = &mut self.orders;
        let order = match self.view {
            BackupView::Snapshots => snapshots,
            BackupView::Jobs => jobs,
            BackupView::Log => log,
        };
        *order = order.next();
        *order
    }

    /// How many there are in a view, filtered or not.
    pub const fn count(&self, view: BackupView) -> usize {
        match view {
            BackupView::Snapshots => self.snapshots.len(),
            BackupView::Jobs => self.jobs.len(),
            BackupView::Log => self.changes.len(),
        }
    }

    /// The snapshot under the cursor.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshots.get(self.list().selected_item()?).filter(|_| self.view == BackupView::Snapshots)
    }

    /// The job under the cursor.
    pub fn job(&self) -> Option<&JobView> {
        self.jobs.get(self.list().selected_item()?).filter(|_| self.view == BackupView::Jobs)
    }

    /// The change under the cursor.
    pub fn change(&self) -> Option<&Change> {
        self.changes.get(self.list().selected_item()?).filter(|_| self.view == BackupView::Log)
    }

    /// Jobs that go on, the newest first.
    pub fn live(&self) -> impl Iterator<Item = &JobView> {
        self.jobs.iter().rev().filter(|view| view.is_live())
    }

    /// How a snapshot is.
    pub fn health(&self, snapshot: &Snapshot) -> Health {
        let known = self.records.iter().flat_map(Records::iter);
        let verified =
            known.filter(|known| known.record.snapshot.id == snapshot.id).find_map(|known| known.verified);
        match (verified, snapshot.incomplete) {
            (Some((_, false)), _) => Health::Damaged,
            (_, true) => Health::Incomplete,
            (Some((at, true)), false) => Health::Verified(at),
            (None, false) => Health::NotVerified,
        }
    }

    /// Filters and sorts the list that is shown anew; what is selected stays so, by its id.
    pub fn show(&mut self, keep: Option<String>) {
        let keep = keep.or_else(|| self.selected_id());
        let filter = self.list().filter.clone();
        let count = self.count(self.view);
        let mut shown: Vec<usize> = (0..count).filter(|index| self.matches(*index, &filter)).collect();
        shown.sort_by_cached_key(|index| self.key(*index));
        let keep = keep.and_then(|id| (0..count).find(|index| self.id(*index).as_deref() == Some(id.as_str())));
        self.list_mut().show(shown, keep);
    }

    /// The id of what is selected.
    pub fn selected_id(&self) -> Option<String> {
        self.id(self.list().selected_item()?)
    }

    fn id(&self, index: usize) -> Option<String> {
        match self.view {
            BackupView::Snapshots => self.snapshots.get(index).map(|snapshot| snapshot.id.clone()),
            BackupView::Jobs => self.jobs.get(index).map(|view| view.job.id.clone()),
            BackupView::Log => self.changes.get(index).map(|change| format!("{} {}", change.plan, change.at)),
        }
    }

    fn matches(&self, index: usize, filter: &str) -> bool {
        let texts: Vec<String> = match self.view {
            BackupView::Snapshots => {
                let Some(snapshot) = self.snapshots.get(index) else { return false };
                let state = self.health(snapshot).word().to_owned();
                let own = [snapshot.id.clone(), snapshot.workspace.clone(), snapshot.host.clone(), state];
                own.into_iter().chain(snapshot.folders.iter().cloned()).collect()
            }
            BackupView::Jobs => {
                let Some(view) = self.jobs.get(index) else { return false };
                vec![view.name(), view.words(), view.job.id.clone(), view.job.user.clone()]
            }
            BackupView::Log => {
                let Some(change) = self.changes.get(index) else { return false };
                let verb = change.verb.key().to_owned();
                vec![verb, change.container.clone(), change.user.clone(), change.result.clone()]
            }
        };
        let texts: Vec<_> = texts.iter().map(|text| Some(text.as_str())).collect();
        all_words_in(filter, &texts)
    }

    /// What a row is sorted by: a rank, then words, then the newest first.
    fn key(&self, index: usize) -> (Reverse<u64>, String, Reverse<Timestamp>) {
        let order = self.order();
        let (size, name, trouble, at) = match self.view {
            BackupView::Snapshots => match self.snapshots.get(index) {
                Some(snapshot) => {
                    let trouble = match self.health(snapshot) {
                        Health::Damaged => 3,
                        Health::Incomplete => 2,
                        Health::NotVerified => 1,
                        Health::Verified(_) => 0,
                    };
                    (
                        snapshot.bytes.map_or(0, |bytes| bytes.saturating_add(1)),
                        of(snapshot),
                        trouble,
                        snapshot.at,
                    )
                }
                None => return (Reverse(0), String::new(), Reverse(Timestamp::MIN)),
            },
            BackupView::Jobs => match self.jobs.get(index) {
                Some(view) => {
                    let trouble = match &view.state {
                        JobState::Waiting | JobState::Running => 3,
                        JobState::CutOff => 2,
                        JobState::Over(outcome) => u64::from(outcome.exit_code() != 0),
                    };
                    let bytes = view.progress.map_or(0, |progress| progress.bytes);
                    (bytes, view.job.task.subject(), trouble, view.job.made_at)
                }
                None => return (Reverse(0), String::new(), Reverse(Timestamp::MIN)),
            },
            BackupView::Log => match self.changes.get(index) {
                Some(change) => (0, change.container.clone(), u64::from(change.result != "done"), change.at),
                None => return (Reverse(0), String::new(), Reverse(Timestamp::MIN)),
            },
        };
        let newest = Reverse(at);
        match order {
            BackupOrder::Age => (Reverse(0), String::new(), newest),
            BackupOrder::Name => (Reverse(0), name.to_lowercase(), newest),
            BackupOrder::Size => (Reverse(size), String::new(), newest),
            BackupOrder::State => (Reverse(trouble), String::new(), newest),
        }
    }
}

impl Health {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Incomplete => "incomplete",
            Self::NotVerified => "not verified",
            Self::Verified(_) => "verified",
        }
    }
}

/// What a snapshot is of: a workspace, or the folders that another program saved (untrusted text).
pub fn of(snapshot: &Snapshot) -> String {
    if snapshot.workspace.is_empty() { snapshot.folders.join(", ") } else { snapshot.workspace.clone() }
}

/// All that is known of one row of the tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView {
    /// What it is, harmless.
    pub title: String,
    /// What is known, one line each, and whether it is bad news.
    pub lines: Vec<(String, bool)>,
    /// The command that does the same in a shell.
    pub command: Option<String>,
    /// Lines scrolled away.
    pub scroll: usize,
}
