//! `outlast lifecycle [NAME]`: how long each part lives, what ends it, and what brings it back.

use std::cmp::Reverse;
use std::path::PathBuf;

use super::args::LifecycleArgs;
use super::context::Context;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::error::Result;
use crate::core::event::Event;
use crate::core::lifecycle::{Lifecycle, Lifecycles, Place, Surroundings};
use crate::core::report::{Head, Layers};
use crate::core::situation::Situation;
use crate::core::timing::Timing;
use crate::core::workspace::RunState;
use crate::text::{age, printable, printable_path};
use crate::work::gather::{self, Gathered};
use crate::work::lifecycle::{About, report, surroundings};
use crate::work::roster::{self, Entry};

/// Prints the report of one workspace, or a table of all; 1 where a part is missing.
pub(super) async fn run(args: &LifecycleArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let mut list = context.gather(|_| true).await?;
    let (_, roots) = context.add_retired(&mut list);
    let now = context.clock.now();
    let reports = if let Some(name) = &args.name {
        vec![named(name, &list, context, &roots).await?]
    } else {
        all(&list, context, &roots)
    };
    let complete = list.troubles.is_empty();
    if args.json {
        out.json(&Lifecycles { head: Head::new(now, complete, list.troubles), workspaces: reports })?;
        return Ok(u8::from(!complete));
    }
    context.warn(&list.troubles);
    match (&args.name, reports.first()) {
        (Some(_), Some(report)) => out.lines(lines(report, out.columns()))?,
        _ => out.table(&table(&reports, &list, now))?,
    }
    Ok(u8::from(!complete))
}

/// The report of the workspace that a name means.
async fn named(name: &str, list: &Gathered, context: &Context<'_>, roots: &[PathBuf]) -> Result<Lifecycle> {
    let entry = match (list.find(name), &context.denied) {
        (Ok(entry), _) => entry,
        // It may well be there, behind the engine.
        (Err(_), Some(denied)) => return Err(denied.error.clone()),
        (Err(error), None) => return Err(error),
    };
    if let Some(Err(error)) = &entry.grounds {
        return Err(error.clone());
    }
    let around = around(entry, context, roots).await;
    Ok(of(entry, list, around.as_ref(), context, roots))
}

/// The reports of all: what ends first comes first, then what runs, by name.
fn all(list: &Gathered, context: &Context<'_>, roots: &[PathBuf]) -> Vec<Lifecycle> {
    let mut all: Vec<_> = list.entries.iter().map(|entry| of(entry, list, None, context, roots)).collect();
    all.sort_by_cached_key(|report| {
        let due = report.next_timer().and_then(|timer| timer.due);
        (due.is_none(), due, Reverse(RunState::from_key(report.state).is_up()), report.workspace.clone())
    });
    all
}

async fn around(entry: &Entry, context: &Context<'_>, roots: &[PathBuf]) -> Option<Surroundings> {
    let grounds = entry.stands_on()?;
    Some(surroundings(context.engine.as_ref(), &context.profiles, &entry.workspace, grounds, roots).await)
}

fn of(
    entry: &Entry,
    list: &Gathered,
    around: Option<&Surroundings>,
    context: &Context<'_>,
    roots: &[PathBuf],
) -> Lifecycle {
    let images = list.images.get(&entry.workspace.key.endpoint).map(Vec::as_slice);
    let folder = gather::folder_of(entry, roots);
    let layers: Layers = roster::layers(&entry.workspace, entry.known(), images, folder.as_deref());
    let grounds = entry.stands_on();
    let unread = Timing::default();
    let about = About {
        workspace: &entry.workspace,
        detail: entry.known(),
        rules: grounds.map_or(&context.rules, |grounds| &grounds.rules),
        facts: grounds.map(|grounds| grounds.facts).unwrap_or_default(),
        covers: grounds.map_or(&[], |grounds| &*grounds.covers),
        timing: grounds.map_or(&unread, |grounds| &grounds.timing),
        layers: &layers,
        surroundings: around,
    };
    report(&about, context.clock.now())
}

fn table(reports: &[Lifecycle], list: &Gathered, now: jiff::Timestamp) -> Table {
    let mut table = Table::new(&[
        ("NAME", Side::Left),
        ("STATE", Side::Left),
        ("NEXT", Side::Left),
        ("AFTER REBOOT", Side::Left),
        ("PLATFORM", Side::Left),
    ]);
    for report in reports {
        let unique = reports.iter().filter(|other| other.workspace == report.workspace).count() == 1;
        let name = report.container.as_ref().filter(|_| !unique).unwrap_or(&report.workspace);
        let next = report.next_timer();
        let entry = list.entries.iter().find(|entry| {
            entry.workspace.container == report.container && entry.workspace.name == report.workspace
        });
        table.row([
            name.into(),
            state(report, entry, now).into(),
            next.map_or("-", |timer| &timer.sentence).into(),
            report.after_reboot_words.into(),
            (&report.profile).into(),
        ]);
    }
    table
}

fn state(report: &Lifecycle, entry: Option<&Entry>, now: jiff::Timestamp) -> String {
    let detail = entry.and_then(Entry::known);
    let since = detail.and_then(|detail| match detail.state {
        RunState::Running | RunState::Paused => detail.started,
        RunState::Exited | RunState::Dead => detail.finished,
        _ => None,
    });
    let words = since.map_or_else(|| report.state.into(), |at| format!("{} {}", report.state, age(at, now)));
    match &report.exit_cause {
        Some(cause) if detail.and_then(|detail| detail.exit_code) != Some(0) => format!("{words}, {cause}"),
        _ => words,
    }
}

fn lines(report: &Lifecycle, columns: Option<usize>) -> Vec<String> {
    let mut lines = Vec::new();
    for situation in &report.situations {
        lines.extend([printable(&situation.title).into_owned()]);
        lines.extend(of_situation(situation));
        lines.push(String::new());
    }
    lines.extend(objects(report).lines_within(columns));
    lines.push(String::new());
    let mut fact = |name: &str, text: &str| lines.push(format!("{name:<14}  {}", printable(text)));
    for timer in &report.timers {
        let mut says = format!("{}: {}", timer.title, timer.sentence);
        if let Some(by) = &timer.by {
            says = format!("{says} ({by})");
        }
        fact("timer", &says);
        for note in &timer.notes {
            fact("", note);
        }
    }
    fact("after reboot", &format!("{}: {}", report.after_reboot_words, report.after_reboot.reason()));
    if report.gpu_released {
        fact("GPU", "released: somebody else may hold it now");
    }
    if let Some(node) = &report.node {
        fact("node", &node.words());
    }
    if let Some(folder) = &report.folder {
        let path = printable_path(&folder.path);
        match folder.place {
            Place::Project => fact("folder", &path),
            Place::WholeRoot => {
                fact("folder", &format!("{path}, with all projects: {}", folder.projects.join(", ")));
            }
            Place::NotDefault => fact("folder", &format!("{path}, which is not the usual place")),
        }
    }
    fact("platform", &report.profile);
    lines
}

fn of_situation(situation: &Situation) -> Vec<String> {
    let mut lines = Vec::new();
    for (word, things) in [("kept", &situation.kept), ("lost", &situation.lost)] {
        if !things.is_empty() {
            lines.push(format!("  {word}: {}", printable(&things.join(", "))));
        }
    }
    for step in &situation.steps {
        match &step.command {
            Some(command) => {
                lines.push(format!("  {}:", printable(&step.says)));
                lines.push(format!("    {}", printable(command)));
            }
            None => lines.push(format!("  {}", printable(&step.says))),
        }
    }
    lines
}

/// Things by events.
fn objects(report: &Lifecycle) -> Table {
    let heads: Vec<String> =
        Event::ALL.iter().map(|event| event.key().to_uppercase().replace('_', " ")).collect();
    let mut columns = vec![("PART", Side::Left), ("NAME", Side::Left), ("LIFETIME", Side::Left)];
    columns.extend(heads.iter().map(|head| (head.as_str(), Side::Left)));
    let mut table = Table::new(&columns);
    for object in &report.objects {
        let lifetime = if object.is_absent() { "absent" } else { &object.lifetime };
        let mut cells =
            vec![object.title.as_str().into(), object.name.as_deref().unwrap_or("-").into(), lifetime.into()];
        cells.extend(Event::ALL.map(|event| match object.answers.verdict(event) {
            crate::core::fate::Verdict::Untouched => "-".into(),
            verdict => verdict.words(),
        }));
        table.row(cells);
    }
    table
}
