//! What lies on top of a view: help, habits, what-if, an explanation, a plan.

use jiff::Timestamp;

use super::backups::RecordView;
use super::browse::PreviewView;
use crate::core::backup::Job;
use crate::core::event::Event;
use crate::core::fate::{Basis, Verdict};
use crate::core::habits::Habit;
use crate::core::lessons::Lessons;
use crate::core::plan::Plan;
use crate::core::workspace::WsKey;
use crate::keys::Action;

/// What lies on top. One at a time; Esc closes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// All keys, and what there is to learn.
    Help(Box<HelpView>),
    /// Good habits, and how a workspace stands to each.
    Habits(Box<HabitsView>),
    /// Every verb, and why it is not available: `None` where it is; and lines scrolled away.
    Verbs(Vec<(Action, Option<String>)>, usize),
    /// The seven events, and the worst that each does to the selection.
    WhatIf {
        /// What the selection is, in words.
        subject: String,
        /// The worst verdict by event; `None` where nothing is known yet.
        worst: Vec<(Event, Option<Verdict>)>,
        /// The event under the cursor.
        cursor: usize,
    },
    /// What happens to one path, why, and what to do.
    Explain(Box<ExplainView>),
    /// Files of a name, as they are found.
    Find(Box<FindView>),
    /// A look into a file.
    Preview(Box<PreviewView>),
    /// A plan, waiting for yes.
    Plan(Box<PlanView>),
    /// A plan that jobs carry out, waiting for yes.
    Jobs(Box<JobPlan>),
    /// All that is known of a snapshot, a job or a change.
    Record(Box<RecordView>),
}

/// Help, open on one of its pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpView {
    /// The page.
    pub page: HelpPage,
    /// Rows scrolled away.
    pub scroll: usize,
    /// What is taught, for the selected workspace where there is one.
    pub lessons: Lessons,
}

/// The pages of help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HelpPage {
    /// All keys.
    Keys,
    /// The rule, and what becomes of each place.
    WhatLasts,
    /// Words and what they mean here.
    Words,
    /// Lines of code that save well, and badly.
    Examples,
    /// Who helps.
    Contacts,
}

impl HelpPage {
    /// All pages in order.
    pub const ALL: [Self; 5] = [Self::Keys, Self::WhatLasts, Self::Words, Self::Examples, Self::Contacts];

    /// The word on the screen.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Keys => "Keys",
            Self::WhatLasts => "What lasts",
            Self::Words => "Words",
            Self::Examples => "Examples",
            Self::Contacts => "Help",
        }
    }

    /// The page some places further, round and round.
    #[must_use]
    pub fn turned(self, forward: bool) -> Self {
        let all = Self::ALL.len();
        let at = Self::ALL.iter().position(|page| *page == self).unwrap_or(0);
        let next = if forward { at + 1 } else { at + all - 1 };
        Self::ALL.get(next % all).copied().unwrap_or(Self::Keys)
    }
}

/// Good habits on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HabitsView {
    /// Whose.
    pub key: WsKey,
    /// Its name, harmless.
    pub name: String,
    /// The habits; `None` while they are looked at.
    pub habits: Option<Vec<Habit>>,
    /// The habit under the cursor.
    pub cursor: usize,
}

/// What happens to one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainView {
    /// The path, harmless.
    pub path: String,
    /// Its workspace, harmless.
    pub workspace: String,
    /// What it lives on.
    pub storage: &'static str,
    /// What stands out: size, kind and age of a file; source and file system of a mount.
    pub facts: String,
    /// By event: what happens and why.
    pub events: Vec<(Event, Verdict, String, Basis)>,
    /// What to do.
    pub advice: String,
    /// The one command that does it.
    pub command: Option<String>,
    /// The command that says the same in a shell.
    pub says: Option<String>,
    /// What is wrong with it.
    pub violation: Option<String>,
    /// What the answer depends on, and whether that holds.
    pub condition: Option<String>,
    /// What other workspaces that see it answer, where that is worse, harmless.
    pub also: Vec<String>,
    /// The profile's rule that applied, and where it comes from.
    pub rule: Option<String>,
    /// The platform, and why it was recognised.
    pub platform: String,
    /// Lines scrolled away.
    pub scroll: usize,
}

/// Files of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindView {
    /// The part of the name that was typed.
    pub part: String,
    /// The files, hidden ones last.
    pub rows: Vec<FoundRow>,
    /// The row under the cursor.
    pub cursor: usize,
    /// Whether the search goes on.
    pub looking: bool,
    /// What was not read, and why (may hold untrusted text).
    pub missing: Vec<String>,
    /// Files that were found and are not listed.
    pub more: u64,
}

/// One file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRow {
    /// Where it is, on the host or in its container, harmless.
    pub place: String,
    /// What becomes of it in the event that fates are shown for.
    pub verdict: Verdict,
    /// Allocated bytes.
    pub bytes: Option<u64>,
    /// When it last changed.
    pub modified: Option<Timestamp>,
    /// A cache, or in a hidden folder.
    pub hidden: bool,
}

/// A plan on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanView {
    /// The plan.
    pub plan: Plan,
    /// Plans that the same answer runs after it.
    pub more: Vec<Plan>,
    /// The plan in words, the same as `--dry-run` prints.
    pub lines: Vec<String>,
    /// What is asked for.
    pub confirm: Confirm,
    /// How far it is.
    pub state: PlanState,
}

/// A plan that jobs carry out: they outlive the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPlan {
    /// What is done after yes.
    pub act: JobAct,
    /// The plan in words, the same as `--dry-run` prints.
    pub lines: Vec<String>,
}

/// What is done with jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobAct {
    /// They are begun.
    Begin(Vec<Job>),
    /// One is called off, by its id.
    CallOff(String),
}

/// What a plan asks for before it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// `y`; anything else is No.
    Yes,
    /// The name, typed: the plan loses data.
    Name {
        /// What must be typed.
        name: String,
        /// What was typed so far.
        typed: String,
    },
}

/// How far a plan is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanState {
    /// Waiting for an answer.
    Asking,
    /// Running.
    Running,
}
