//! `outlast habits`: good habits, and how a workspace stands to each.

use std::path::PathBuf;

use std::sync::Arc;

use serde::Serialize;

use super::args::HabitsArgs;
use super::context::Context;
use super::out::Out;
use crate::core::error::{Error, Kind, Result};
use crate::core::habits::{Habit, HabitKind, Tick};
use crate::core::report::{Head, Trouble};
use crate::text::{pad, printable, wrap};
use crate::work::gather::{self, Gathered};
use crate::work::habits::{Whose, look};
use crate::work::{risk, roster::Entry};

/// Columns that text is broken at.
const COLUMNS: usize = 80;
/// Files that are listed to tell which were written lately.
const FILES: usize = 5_000;

#[derive(Serialize)]
struct Listed<'h> {
    #[serde(flatten)]
    head: Head,
    workspace: &'h str,
    endpoint: &'h str,
    habits: Vec<Row<'h>>,
}

#[derive(Serialize)]
struct Row<'h> {
    id: &'h str,
    kind: &'static str,
    title: &'h str,
    /// `null` where it cannot be known.
    done: Option<bool>,
    evidence: &'h str,
    how: &'h str,
    command: Option<&'h str>,
}

/// Prints the habits of the workspace that is named, else of the one whose folder this is; 1 where its
/// files could not be read.
pub(super) async fn run(args: &HabitsArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let mut list = context.gather(|_| true).await?;
    let (_, roots) = context.add_retired(&mut list);
    let entry = match (&args.name, &context.denied) {
        (Some(name), None) => list.find(name)?,
        // It may well be there, behind the engine.
        (Some(name), Some(denied)) => list.find(name).map_err(|_| denied.error.clone())?,
        (None, _) => here(&list, context, &roots)?,
    };
    let (engine, clock) = (context.engine.as_ref(), context.clock.as_ref());
    let mut troubles = Vec::new();
    let grounds = match &entry.grounds {
        Some(Err(error)) => return Err(error.clone()),
        Some(Ok(grounds)) => Some(grounds.clone()),
        None => None,
    };
    let read = match &grounds {
        Some(grounds) => {
            let key = &entry.workspace.key;
            Some(risk::read(engine, key, grounds, true, FILES, clock, &mut |_| {}).await)
        }
        None => None,
    };
    if let Some(Err(error)) = &read {
        troubles.push(Trouble::new(context.endpoint(), &entry.workspace.name, error));
    }
    let whose = Whose {
        workspace: entry.workspace.clone(),
        grounds,
        risk: read.and_then(Result::ok).map(Arc::new),
        roots,
    };
    let habits = look(engine, &context.host, &whose, clock.now()).await;
    let code = u8::from(!troubles.is_empty());
    context.warn(&troubles);
    show(args, &whose, &habits, troubles, context, out)?;
    Ok(code)
}

/// The workspace whose folder the person stands in, else the only one.
pub(super) fn here<'l>(list: &'l Gathered, context: &Context<'_>, roots: &[PathBuf]) -> Result<&'l Entry> {
    let at = context.host_path(std::path::Path::new("."))?;
    let holds = |entry: &&Entry| gather::folder_of(entry, roots).is_some_and(|folder| at.starts_with(folder));
    let mut all = list.entries.iter();
    match (list.entries.iter().find(holds), all.next(), all.next()) {
        (Some(entry), ..) | (None, Some(entry), None) => Ok(entry),
        (None, None, _) => Err(Error::new(Kind::NotFound, "there is no workspace here")
            .hint("`outlast ls --all` lists what there is")),
        (None, Some(_), Some(_)) => Err(Error::new(
            Kind::Usage,
            "there are several workspaces, and this folder belongs to none of them",
        )
        .hint("name one: `outlast ls --all` lists them")
        .hint("or go into its folder")),
    }
}

fn show(
    args: &HabitsArgs,
    whose: &Whose,
    habits: &[Habit],
    troubles: Vec<Trouble>,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<()> {
    let workspace = &whose.workspace;
    if args.json {
        let rows = habits.iter().map(|habit| Row {
            id: habit.id,
            kind: kind(habit),
            title: &habit.title,
            done: match habit.tick {
                Tick::Yes => Some(true),
                Tick::No => Some(false),
                Tick::NotKnown => None,
            },
            evidence: &habit.evidence,
            how: &habit.how,
            command: habit.command.as_deref(),
        });
        let head = Head::new(context.clock.now(), troubles.is_empty(), troubles);
        let (name, endpoint) = (&workspace.name, &workspace.key.endpoint);
        return out.json(&Listed { head, workspace: name, endpoint, habits: rows.collect() });
    }
    out.lines([format!("Habits of {}", printable(&workspace.name))])?;
    for (of, head) in [(HabitKind::Do, "Do"), (HabitKind::Avoid, "Avoid")] {
        out.lines([String::new(), head.into()])?;
        for habit in habits.iter().filter(|habit| habit.kind == of) {
            out.lines(lines(habit))?;
        }
    }
    Ok(())
}

/// The tick and the habit; below it what was seen, and where it is not kept what to do.
fn lines(habit: &Habit) -> Vec<String> {
    const TICK: usize = 11;
    let indent = " ".repeat(TICK + 2);
    let mut lines = vec![format!("  {}{}", pad(habit.tick.words(), TICK), printable(&habit.title))];
    let mut say = |text: &str| {
        let parts = wrap(&printable(text), COLUMNS - TICK - 2);
        lines.extend(parts.into_iter().map(|part| format!("{indent}{part}")));
    };
    say(&habit.evidence);
    if habit.tick == Tick::No {
        say(&format!("to do: {}", habit.how));
        lines.extend(habit.command.iter().map(|command| format!("{indent}  {}", printable(command))));
    }
    lines
}

const fn kind(habit: &Habit) -> &'static str {
    match habit.kind {
        HabitKind::Do => "do",
        HabitKind::Avoid => "avoid",
    }
}
