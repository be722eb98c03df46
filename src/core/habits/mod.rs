//! Good habits, each bound to a check: six things to do, five to avoid.
//!
//! A tick is a fact. What cannot be known is not ticked, and says why.

mod facts;
mod folder;
pub mod names;
mod repository;
mod standing;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::core::finding::Tally;
use crate::text;

pub use facts::{
    Dated, FolderFacts, Git, GitState, HabitFacts, LARGE, LargeFile, OLD_DAYS, Remotes, Untracked,
};

pub use standing::Standing;

/// A disk is filling from this share on, in percent.
const FILLING: u128 = 80;

/// Whether a habit is something to do or something to avoid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HabitKind {
    /// To do.
    Do,
    /// To avoid.
    Avoid,
}

/// Whether a habit is kept: what is to be done is done, what is to be avoided is avoided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It cannot be known; the evidence says why.
    NotKnown,
}

impl Tick {
    /// The word on the screen: for what is to be done and for what is to be avoided alike.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Yes => "kept",
            Self::No => "not kept",
            Self::NotKnown => "not known",
        }
    }
}

/// One habit and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Habit {
    /// Short and stable, for scripts.
    pub id: &'static str,
    /// To do or to avoid.
    pub kind: HabitKind,
    /// The habit in one line, with the platform's own folder.
    pub title: String,
    /// How it stands.
    pub tick: Tick,
    /// What the tick rests on, harmless to print.
    pub evidence: String,
    /// What to do, in one sentence.
    pub how: String,
    /// A command that does it or shows where to begin, to be run in the project folder.
    pub command: Option<String>,
}

/// The eleven habits, in the order of the list.
pub fn habits(facts: &HabitFacts) -> [Habit; 11] {
    [
        save_in_the_folder(facts),
        repository::push(facts),
        folder::organise(facts),
        folder::save_checkpoints(facts),
        folder::clean_up(facts),
        folder::track(facts),
        save_nowhere_else(facts),
        repository::keep_large_files_out_of_git(facts),
        leave_nothing_unsaved(facts),
        folder::back_up_before_deleting(facts),
        leave_room(facts),
    ]
}

/// A tick and what it rests on.
type Found = (Tick, String);

fn habit(id: &'static str, kind: HabitKind, title: String, found: Found, how: impl Into<String>) -> Habit {
    let (tick, evidence) = found;
    Habit { id, kind, title, tick, evidence, how: how.into(), command: None }
}

impl Habit {
    fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }
}

fn save_in_the_folder(facts: &HabitFacts) -> Habit {
    let found =
        at_risk(facts).unwrap_or_else(|| (Tick::Yes, "no file lies in a place that does not last".into()));
    let folder = folder(facts);
    let how =
        format!("write models, results and caches below {folder}, and copy out what already lies elsewhere");
    habit("save-in-folder", HabitKind::Do, format!("Save everything to {folder}"), found, how)
}

fn save_nowhere_else(facts: &HabitFacts) -> Habit {
    let found = match facts.recent_at_risk {
        Some(0) if facts.at_risk.is_some() && facts.at_risk_complete => {
            (Tick::Yes, "nothing was written lately to a place that does not last".into())
        }
        Some(0) => (Tick::NotKnown, "not every place that does not last was read".into()),
        Some(files) => {
            (Tick::No, format!("{} changed lately in a place that does not last", count(files, "file")))
        }
        None => not_looked(),
    };
    let folder = folder(facts);
    let outside = if facts.inside.as_deref().is_some_and(is_a_home) {
        format!("Don't save outside {folder}, such as to /tmp")
    } else {
        format!("Don't save to /tmp or ~ (outside {folder})")
    };
    habit("nowhere-else", HabitKind::Avoid, outside, found, format!("give programs a path below {folder}"))
}

fn leave_nothing_unsaved(facts: &HabitFacts) -> Habit {
    let found = if facts.running {
        at_risk(facts).unwrap_or_else(|| (Tick::Yes, "it runs and no file is at risk".into()))
    } else {
        (Tick::Yes, "the container does not run".into())
    };
    let title = "Don't leave containers running with unsaved work".into();
    let how = "copy out what is at risk, then stop the container when nothing works in it";
    habit("nothing-unsaved", HabitKind::Avoid, title, found, how)
}

fn leave_room(facts: &HabitFacts) -> Habit {
    let found = match facts.disk {
        None | Some((_, 0)) => (Tick::NotKnown, "how full the disk is was not read".into()),
        Some((used, size)) => {
            let percent = u128::from(used) * 100 / u128::from(size);
            let tick = if percent < FILLING { Tick::Yes } else { Tick::No };
            (tick, format!("{percent}% of {} in use", text::size(size)))
        }
    };
    let title = "Don't fill disk - clean up regularly".into();
    habit(
        "room-left",
        HabitKind::Avoid,
        title,
        found,
        "see what takes the most, and delete or move what is not needed",
    )
    .command("du -xh --max-depth=1 . | sort -hr | head -20")
}

/// What speaks against "nothing is at risk"; `None` where a complete look found nothing.
fn at_risk(facts: &HabitFacts) -> Option<Found> {
    match facts.at_risk {
        None => Some(not_looked()),
        Some(Tally { files: 0, .. }) if facts.at_risk_complete => None,
        Some(Tally { files: 0, .. }) => {
            Some((Tick::NotKnown, "nothing was found, but not every place that does not last was read".into()))
        }
        Some(tally) => {
            let size =
                if facts.at_risk_complete { text::size(tally.bytes) } else { text::size_at_least(tally.bytes) };
            Some((Tick::No, format!("{} ({size}) in a place that does not last", count(tally.files, "file"))))
        }
    }
}

fn not_looked() -> Found {
    (Tick::NotKnown, "the places that do not last were not read".into())
}

/// The folder that is kept, for a title.
fn folder(facts: &HabitFacts) -> String {
    let known = facts.inside.as_deref().or(facts.on_host.as_deref());
    known.map_or_else(|| "a folder that is kept".into(), |folder| text::printable_path(folder).into_owned())
}

/// Whether a folder is somebody's home, by its name.
fn is_a_home(folder: &Path) -> bool {
    folder == Path::new("/root") || folder.parent() == Some(Path::new("/home"))
}

/// `1 file`, `2 files`.
fn count(many: u64, one: &str) -> String {
    if many == 1 { format!("1 {one}") } else { format!("{many} {one}s") }
}

/// `1 file is`, `2 files are`.
fn count_is(many: u64, one: &str) -> String {
    format!("{} {}", count(many, one), if many == 1 { "is" } else { "are" })
}
