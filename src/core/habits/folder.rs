//! The habits that the project folder tells of: order, checkpoints, cleaning, tracking, backups.

use std::fmt::Write as _;

use super::{Found, Habit, HabitFacts, HabitKind, OLD_DAYS, Tick, count, folder, habit, names};
use crate::core::finding::Tally;
use crate::text;

/// A running container's newest checkpoint may be this old.
const FREQUENT_HOURS: i64 = 24;

pub(super) fn organise(facts: &HabitFacts) -> Habit {
    let project = &facts.project;
    let found = match (project.usual.len(), project.gaps.first()) {
        (2.., _) => (Tick::Yes, format!("it has {}", list(&project.usual))),
        (_, Some(gap)) => unread(gap),
        (1, None) => (Tick::No, format!("of the usual folders it has only {}", list(&project.usual))),
        (_, None) => (Tick::No, "it has none of the usual folders".into()),
    };
    let title = "Organise projects (data/, src/, models/, etc.)".into();
    let how = "keep input, code, weights and analysis apart, a folder each";
    habit("organise", HabitKind::Do, title, found, how)
        .command("mkdir -p data notebooks src models results tests")
}

pub(super) fn save_checkpoints(facts: &HabitFacts) -> Habit {
    let project = &facts.project;
    let found = match (&project.newest_checkpoint, project.gaps.first()) {
        (Some(newest), gap) => {
            let hours = (facts.now.as_second() - newest.modified.as_second()) / 3600;
            let evidence = format!(
                "{}, the newest {} from {}",
                count(project.checkpoints, "checkpoint"),
                text::printable_path(&newest.path),
                text::ago(newest.modified, facts.now)
            );
            match gap {
                _ if !facts.running || hours < FREQUENT_HOURS => (Tick::Yes, evidence),
                // What was not read may hold a newer one.
                Some(gap) => (Tick::NotKnown, format!("{evidence}; {}", unread(gap).1)),
                None => (Tick::No, format!("{evidence}, and the container runs")),
            }
        }
        (None, Some(gap)) => unread(gap),
        (None, None) => (Tick::No, "no checkpoint lies in the folder".into()),
    };
    let folder = folder(facts);
    let how = format!("let training write its state below {folder} every few epochs");
    habit("checkpoints", HabitKind::Do, "Save checkpoints frequently".into(), found, how)
}

pub(super) fn clean_up(facts: &HabitFacts) -> Habit {
    let project = &facts.project;
    let mut found = match (project.old_temporary, project.gaps.first()) {
        (Tally { files: 0, .. }, Some(gap)) => unread(gap),
        (Tally { files: 0, .. }, None) => {
            (Tick::Yes, format!("no temporary file is older than {OLD_DAYS} days"))
        }
        (old, _) => (
            Tick::No,
            format!(
                "{} ({}) older than {OLD_DAYS} days",
                count(old.files, "temporary file"),
                text::size(old.bytes)
            ),
        ),
    };
    let old = project.old_checkpoints;
    if old.files > 0 {
        let _ = write!(
            found.1,
            "; {} ({}) too, keep the best",
            count(old.files, "checkpoint"),
            text::size(old.bytes)
        );
    }
    let title = "Clean up old data periodically".into();
    habit("clean-up", HabitKind::Do, title, found, "list the old temporary files, then delete those not needed")
        .command(names::list_old_temporary())
}

pub(super) fn track(facts: &HabitFacts) -> Habit {
    let project = &facts.project;
    let found = match (project.trackers.is_empty(), project.gaps.first()) {
        (false, _) => (Tick::Yes, format!("it has records of {}", list(&project.trackers))),
        (true, Some(gap)) => unread(gap),
        (true, None) => (Tick::No, "no tracker left a record in the folder".into()),
    };
    let how = "log metrics with a tracker whose server keeps them when the workspace is gone";
    habit("tracking", HabitKind::Do, "Use experiment tracking (W&B, MLflow)".into(), found, how)
}

pub(super) fn back_up_before_deleting(facts: &HabitFacts) -> Habit {
    let found = match (facts.last_backup, &facts.project.newest, facts.project.gaps.first()) {
        (None, ..) => (Tick::No, "no backup of it is known".into()),
        (Some(backup), Some(newest), _) if newest.modified > backup => {
            let path = text::printable_path(&newest.path);
            (Tick::No, format!("{path} was changed after the backup of {}", text::ago(backup, facts.now)))
        }
        (Some(backup), _, Some(gap)) => {
            (Tick::NotKnown, format!("backed up {}; {}", text::ago(backup, facts.now), unread(gap).1))
        }
        (Some(backup), _, None) => {
            (Tick::Yes, format!("backed up {}, and no file changed since", text::ago(backup, facts.now)))
        }
    };
    let title = "Don't delete workspace without backups".into();
    habit("backed-up", HabitKind::Avoid, title, found, "back the folder up to another disk or machine first")
}

fn unread(gap: &str) -> Found {
    (Tick::NotKnown, format!("the folder was not read to its end: {}", text::printable(gap)))
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).into(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
