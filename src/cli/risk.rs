//! `outlast risk [NAME]`: files that an event would lose, the most valuable first.

use std::path::Path;

use super::args::RiskArgs;
use super::context::Context;
use super::ls::{at_risk_words, missed, of_others};
use super::out::Out;
use super::table::{Side, Table};
use crate::core::classify::{Grounds, Origin};
use crate::core::error::{Kind, Result};
use crate::core::event::Event;
use crate::core::finding::{FileAtRisk, Risk};
use crate::core::report::{FindingRow, Head, RiskReport, RiskRow, Trouble, maps};
use crate::core::workspace::Workspace;
use crate::text::{age, printable, printable_path, size};
use crate::work::explain::command;
use crate::work::risk;

/// One workspace with what was found.
struct Read {
    workspace: Workspace,
    grounds: Grounds,
    risk: Result<Risk>,
}

/// Lists files at risk; 1 where some could not be read.
pub(super) async fn run(args: &RiskArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let (reads, mut troubles, hidden) = match &args.name {
        Some(name) => {
            let (workspace, grounds, list) = context.named(name).await?;
            let read = read(context, workspace, grounds, args.limit).await;
            if let Err(error) = &read.risk {
                return Err(error.clone());
            }
            (vec![read], list.troubles, 0)
        }
        None => read_all(context, args.limit).await?,
    };
    // One that was asked for by name decides although it does not run.
    let decides = |read: &&Read| args.name.is_some() || read.workspace.state.is_up();
    let event = context.event_of(args.event, reads.iter().filter(decides).map(|read| &*read.grounds.rules));
    if !args.json {
        context.warn(&troubles);
    }
    for read in &reads {
        let (endpoint, name) = (&read.workspace.key.endpoint, name(&read.workspace));
        match &read.risk {
            Ok(_) => troubles.extend(missed(endpoint, name, &read.risk)),
            Err(error) => troubles.push(Trouble::new(endpoint, name, error)),
        }
    }
    let whole = |read: &Read| risk::at_risk(Some(&read.risk), Some(&read.grounds), event).complete;
    let complete = troubles.is_empty() && reads.iter().all(whole);
    if args.json {
        out.json(&report(&reads, troubles, complete, event, context))?;
    } else {
        print(&reads, event, context, out)?;
        out.lines(of_others(hidden))?;
    }
    Ok(u8::from(!complete))
}

async fn read_all(context: &Context<'_>, limit: usize) -> Result<(Vec<Read>, Vec<Trouble>, usize)> {
    let list = context.gather(|_| true).await?;
    let mut reads = Vec::new();
    for entry in list.entries {
        if let Some(Ok(grounds)) = entry.grounds {
            let read = read(context, entry.workspace, grounds, limit).await;
            // One that vanished while it was looked at has nothing left to lose.
            if !matches!(&read.risk, Err(error) if error.kind == Kind::NotFound) {
                reads.push(read);
            }
        }
    }
    Ok((reads, list.troubles, list.hidden.len()))
}

async fn read(context: &Context<'_>, workspace: Workspace, grounds: Grounds, limit: usize) -> Read {
    let (engine, clock) = (context.engine.as_ref(), context.clock.as_ref());
    let risk = risk::read(engine, &workspace.key, &grounds, true, limit, clock, &mut |_| {}).await;
    Read { workspace, grounds, risk }
}

/// The container's name, which is what other programs call it.
fn name(workspace: &Workspace) -> &str {
    workspace.container.as_deref().unwrap_or(&workspace.name)
}

fn report(
    reads: &[Read],
    troubles: Vec<Trouble>,
    complete: bool,
    event: Event,
    context: &Context<'_>,
) -> RiskReport {
    let workspaces = reads
        .iter()
        .map(|read| RiskRow {
            workspace: name(&read.workspace).into(),
            endpoint: read.workspace.key.endpoint.clone(),
            at_risk: risk::at_risk(Some(&read.risk), Some(&read.grounds), event),
            layer: read.risk.as_ref().ok().and_then(|risk| risk.layer),
            notes: read.risk.as_ref().map(|risk| risk.notes.clone()).unwrap_or_default(),
        })
        .collect();
    let mut found: Vec<(&Read, &FileAtRisk)> = reads.iter().flat_map(|read| of(read, event)).collect();
    found.sort_by_cached_key(|(_, finding)| finding.rank());
    let findings = found.into_iter().map(|(read, finding)| row(read, finding)).collect();
    RiskReport { head: Head::new(context.clock.now(), complete, troubles), workspaces, findings }
}

/// What the event loses of one workspace's findings.
fn of(read: &Read, event: Event) -> impl Iterator<Item = (&Read, &FileAtRisk)> {
    let risk = read.risk.as_ref().ok();
    risk.into_iter()
        .flat_map(move |risk| risk::findings(risk, read.grounds.classifier(), event))
        .map(move |finding| (read, finding))
}

fn row(read: &Read, finding: &FileAtRisk) -> FindingRow {
    let (fates, why) = maps(&read.grounds.classifier().explain(&finding.path, Origin::Layer).fates);
    FindingRow {
        workspace: name(&read.workspace).into(),
        path: finding.path.as_path().into(),
        bytes: finding.bytes,
        storage: finding.storage,
        value: finding.value,
        label: finding.value.label(),
        modified: finding.modified,
        changed: finding.changed,
        files: finding.files,
        again: finding.again.clone(),
        fates,
        why,
    }
}

fn print(reads: &[Read], event: Event, context: &Context<'_>, out: &mut Out) -> Result<()> {
    let now = context.clock.now();
    let mut first = true;
    for read in reads {
        if !std::mem::take(&mut first) {
            out.lines([""])?;
        }
        let at_risk = risk::at_risk(Some(&read.risk), Some(&read.grounds), event);
        let shown = printable(name(&read.workspace));
        let risk = match &read.risk {
            Ok(risk) => risk,
            Err(error) => {
                out.lines([format!("{shown}: not read: {}", printable(&error.message))])?;
                out.lines(error.hints.iter().map(|hint| format!("  hint: {}", printable(hint))))?;
                continue;
            }
        };
        out.lines([format!("{shown}: {} lost {}", at_risk_words(&at_risk), event.if_words())])?;
        out.lines(at_risk.gaps.iter().map(|gap| format!("  missing: {}", printable(gap))))?;
        out.lines(risk.notes.iter().map(|note| format!("  note: {}", printable(note))))?;
        out.lines(risk.layer.map(|count| format!("  writable layer: {}", count.words())))?;
        let found: Vec<&FileAtRisk> = of(read, event).map(|(_, finding)| finding).collect();
        if found.is_empty() {
            continue;
        }
        out.table(&table(&found, now))?;
        let unlisted =
            at_risk.files.unwrap_or(0).saturating_sub(found.iter().map(|finding| finding.files).sum());
        if unlisted > 0 {
            out.lines([format!("and {unlisted} more: --limit N lists more")])?;
        }
        if let Some(best) = found.first()
            && let Some(todo) = rescue(read, &best.path, event)
        {
            out.lines([format!("copy out the first: {}", printable(&todo))])?;
        }
    }
    Ok(())
}

fn rescue(read: &Read, path: &Path, event: Event) -> Option<String> {
    let lost = crate::core::fate::Verdict::Lost;
    command(&read.workspace, &read.grounds.classifier(), path, lost, event)
}

fn table(found: &[&FileAtRisk], now: jiff::Timestamp) -> Table {
    let mut table = Table::new(&[
        ("PATH", Side::Left),
        ("SIZE", Side::Right),
        ("KIND", Side::Left),
        ("CHANGED", Side::Right),
        ("LIVES ON", Side::Left),
    ]);
    for finding in found {
        table.row([
            printable_path(&finding.shown()).into_owned().into(),
            finding.bytes.map_or_else(|| "?".into(), |bytes| size(bytes).into()),
            printable(&finding.words()).into_owned().into(),
            finding.modified.map_or_else(|| "?".into(), |at| age(at, now).into()),
            finding.storage.label().into(),
        ]);
    }
    table
}
