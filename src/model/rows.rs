//! Workspaces and files as the lists hold them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::core::backup::Cover;
use crate::core::classify::{Classifier, Grounds};
use crate::core::due::{Due, due};
use crate::core::error::{Error, Kind, Result};
use crate::core::facts::Facts;
use crate::core::finding::{FileAtRisk, Method, Risk, Tally};
use crate::core::lifecycle::Surroundings;
use crate::core::ondisk::OnDisk;
use crate::core::report::Layers;
use crate::core::rules::Rules;
use crate::core::span::Span;
use crate::core::timer::Timer;
use crate::core::timing::{self, Timing};
use crate::core::workspace::{Detail, Workspace, WsKey};

/// Something that is asked for and comes later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<T> {
    /// Not answered yet.
    Waiting,
    /// The answer.
    Known(T),
    /// It went wrong.
    Failed(Error),
}

impl<T> Fact<T> {
    /// The answer, if it is there.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Waiting | Self::Failed(_) => None,
        }
    }
}

/// What is known of the files at risk of one workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RiskState {
    /// The last look that came to its end.
    pub known: Option<Arc<Risk>>,
    /// A look that is under way, with what it found so far.
    pub reading: Option<Tally>,
    /// Why there was no look, in words that a person can act on.
    pub not_read: Option<String>,
    /// When the look under way began.
    pub began: Option<Timestamp>,
    /// The engine took long to answer, or did not: it is asked again only where somebody says so.
    pub slow: bool,
}

/// An engine that takes as long as this to tell what is in a layer is not asked for it unprompted.
const SLOW: SignedDuration = SignedDuration::from_secs(5);

impl RiskState {
    /// A look begins.
    pub fn begin(&mut self, now: Timestamp) {
        self.reading = Some(Tally::default());
        self.began = Some(now);
    }

    /// A look came to its end. An older one is still better than none.
    pub fn end(&mut self, look: Result<Arc<Risk>>, now: Timestamp) {
        let took = self.began.take().map(|began| now.duration_since(began));
        let long = took.is_some_and(|took| took >= SLOW);
        self.reading = None;
        match look {
            Ok(risk) => {
                self.slow = long && risk.method == Method::Api;
                self.known = Some(risk);
                self.not_read = None;
            }
            Err(error) => {
                self.slow = error.kind == Kind::TimedOut || long;
                self.not_read = Some(error.message);
            }
        }
    }
}

/// When the folder of a workspace was last backed up, as far as this machine remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastBackup {
    /// Nobody knows: it was not looked at, it has no folder of its own, or the memory cannot be read.
    #[default]
    Unknown,
    /// Never, from here.
    Never,
    /// Then.
    At(Timestamp),
}

impl LastBackup {
    /// What is remembered of a folder that is known.
    pub fn of(last: Option<Timestamp>) -> Self {
        last.map_or(Self::Never, Self::At)
    }

    /// How it stands; `None` where nobody knows.
    pub fn due(self, now: Timestamp, after: Option<Span>) -> Option<Due> {
        match self {
            Self::Unknown => None,
            Self::Never => Some(due(None, now, after)),
            Self::At(last) => Some(due(Some(last), now, after)),
        }
    }
}

/// One workspace.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The engine's cheap facts.
    pub workspace: Workspace,
    /// The closer look.
    pub detail: Fact<Arc<Detail>>,
    /// The platform's rules, made ready for it.
    pub rules: Arc<Rules>,
    /// Its files at risk.
    pub risk: RiskState,
    /// Image, container and folder, and whether each exists.
    pub layers: Option<Layers>,
    /// What is known about conditions.
    pub facts: Facts,
    /// Which of its folders are backed up, and what that is good for.
    pub covers: Arc<[Cover]>,
    /// When its folder was last backed up.
    pub last_backup: LastBackup,
    /// What its timers stand on.
    pub timing: Arc<Timing>,
    /// Its timers as of the last minute, the most urgent first.
    pub timers: Vec<Timer>,
    /// What takes a while to measure; there once its page Lifecycle was opened.
    pub surroundings: Option<Surroundings>,
    /// What of the disk is its own.
    pub disk: OnDisk,
    /// Marked by the person.
    pub marked: bool,
}

impl Row {
    /// A workspace of which only the list is known.
    pub fn new(workspace: Workspace, rules: Arc<Rules>) -> Self {
        Self {
            workspace,
            detail: Fact::Waiting,
            rules,
            risk: RiskState::default(),
            layers: None,
            facts: Facts::default(),
            covers: Arc::default(),
            last_backup: LastBackup::default(),
            timing: Arc::default(),
            timers: Vec::new(),
            surroundings: None,
            disk: OnDisk::default(),
            marked: false,
        }
    }

    /// Classifies paths of this workspace, once the closer look is there.
    pub fn classifier(&self) -> Option<Classifier<'_>> {
        let Self { rules, facts, covers, .. } = self;
        self.detail.known().map(|detail| Classifier { detail, rules, facts: *facts, covers })
    }

    /// All that its answers stand on, once the closer look is there.
    pub fn grounds(&self) -> Option<Grounds> {
        let detail = Arc::clone(self.detail.known()?);
        let timing = Arc::clone(&self.timing);
        let (rules, covers) = (Arc::clone(&self.rules), Arc::clone(&self.covers));
        Some(Grounds { detail, rules, facts: self.facts, timing, covers })
    }

    /// Lets the clock go on: timers, and the conditions that time alone decides.
    pub fn tick(&mut self, now: Timestamp) {
        let Some(grounds) = self.grounds() else { return };
        self.timers = grounds.timers(&self.workspace, now);
        self.facts = timing::at(self.facts, &self.rules, &self.timers);
    }

    /// The timer that ends first, where it is near enough to be seen in the list.
    pub fn pressing(&self) -> Option<&Timer> {
        let current = self.detail.known().is_some_and(|detail| detail.state == self.workspace.state);
        timing::pressing(&self.timers).filter(|_| current)
    }

    /// Whether the row matches a filter: every word in its name, container, image, owner, project or state.
    pub fn matches(&self, filter: &str) -> bool {
        let workspace = &self.workspace;
        let texts = [
            Some(workspace.name.as_str()),
            workspace.container.as_deref(),
            workspace.image.as_deref(),
            workspace.owner.name.as_deref(),
            workspace.project.as_deref(),
            Some(workspace.state.key()),
        ];
        all_words_in(filter, &texts)
    }
}

/// A file at risk, by its place in the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    /// Its workspace.
    pub key: WsKey,
    /// Its place among that workspace's findings.
    pub index: usize,
}

impl FileRef {
    /// The file and its workspace.
    pub fn find<'m>(&self, rows: &'m [Row]) -> Option<(&'m Row, &'m FileAtRisk)> {
        let row = rows.iter().find(|row| row.workspace.key == self.key)?;
        let finding = row.risk.known.as_ref()?.findings.get(self.index)?;
        Some((row, finding))
    }
}

/// Whether a file matches a filter: every word in its path, kind, storage or workspace.
pub fn file_matches(row: &Row, finding: &FileAtRisk, filter: &str) -> bool {
    let path = finding.path.to_string_lossy();
    let texts = [
        Some(path.as_ref()),
        Some(finding.value.label()),
        Some(finding.storage.label()),
        Some(row.workspace.name.as_str()),
    ];
    all_words_in(filter, &texts)
}

/// Whether every word of a filter stands in one of the texts. Case does not count.
pub(super) fn all_words_in(filter: &str, texts: &[Option<&str>]) -> bool {
    filter.split_whitespace().all(|word| {
        let word = word.to_lowercase();
        texts.iter().flatten().any(|text| text.to_lowercase().contains(&word))
    })
}

/// How workspaces are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// What runs first, then by name.
    #[default]
    State,
    /// By name.
    Name,
    /// The most bytes at risk first.
    AtRisk,
    /// The youngest first.
    Age,
    /// By owner, then name.
    Owner,
    /// What the platform ends first.
    Ending,
    /// What takes most on the disk.
    Disk,
}

impl Sort {
    /// The next way to sort.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::State => Self::Name,
            Self::Name => Self::AtRisk,
            Self::AtRisk => Self::Age,
            Self::Age => Self::Owner,
            Self::Owner => Self::Ending,
            Self::Ending => Self::Disk,
            Self::Disk => Self::State,
        }
    }

    /// The word on the screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Name => "name",
            Self::AtRisk => "at risk",
            Self::Age => "age",
            Self::Owner => "owner",
            Self::Ending => "what ends first",
            Self::Disk => "disk",
        }
    }
}

/// How many owners the rows have: more than one shows the owner column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// All belong to one, or nobody is known.
    One,
    /// Several owners.
    Several,
}

impl Group {
    /// Looks at the rows' owners.
    pub fn of(rows: &[Row]) -> Self {
        let mut owners = rows.iter().map(|row| row.workspace.owner.name.as_deref());
        let first = owners.next();
        if owners.all(|owner| Some(owner) == first) { Self::One } else { Self::Several }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_took_long_or_did_not_answer_is_slow_until_it_answers_soon() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let risk = |method| {
            Arc::new(Risk {
                method,
                tallies: Vec::new(),
                caches: Vec::new(),
                layer: None,
                findings: Vec::new(),
                gaps: Vec::new(),
                notes: Vec::new(),
                as_of: at(0),
            })
        };
        let after = |state: &mut RiskState, seconds: i64, look| {
            state.begin(at(100));
            state.end(look, at(100 + seconds));
            state.slow
        };
        let mut state = RiskState::default();
        assert!(!after(&mut state, 4, Ok(risk(Method::Api))));
        assert!(after(&mut state, 6, Ok(risk(Method::Api))));
        assert!(!after(&mut state, 60, Ok(risk(Method::Upper))), "a walk costs the engine nothing");
        assert!(after(&mut state, 20, Err(Error::new(Kind::TimedOut, "no answer"))));
        assert!(state.known.is_some() && state.reading.is_none(), "an older look is better than none");
        assert!(!after(&mut state, 1, Ok(risk(Method::Api))) && state.not_read.is_none());
    }
}
