//! `outlast ls`: workspaces, their state and what each would lose if it were retired.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::args::LsArgs;
use super::context::Context;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::finding::Risk;
use crate::core::ondisk::OnDisk;
use crate::core::profile::Violation;
use crate::core::report::{AtRisk, DiskUse, Head, Ls, LsRow, PathText, Trouble, Wrong};
use crate::core::rules::Rules;
use crate::core::workspace::{RunState, WsKey};
use crate::text::{age, size, size_at_least};
use crate::work::backup::Covers;
use crate::work::disk::measure as measure_own;
use crate::work::gather::{self, Gathered};
use crate::work::roster::{self, Entry};
use crate::work::{Can, Right, risk};

/// Lists workspaces; 1 where a part of the list is missing.
pub(super) async fn run(args: &LsArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let mut list = context.gather(|workspace| args.all || workspace.state.is_up()).await?;
    let standing = context.profiles.standing(list.rules());
    let roots = context.profiles.roots(&standing.profile);
    let more = list.entries.iter().filter(|entry| !entry.workspace.state.is_up()).count();
    if args.all {
        // Without an engine nobody can say which folders have no container.
        if list.entries.iter().any(|entry| entry.workspace.container.is_some()) || list.entries.is_empty() {
            let endpoint = context.engine.endpoint();
            gather::add_retired(&mut list, &context.profiles, &standing, endpoint, &context.host);
            context.add_this_machine(&mut list).await;
        }
    } else {
        list.entries.retain(|entry| entry.workspace.state.is_up());
    }
    let covers = context.covers().await;
    let risks = if args.no_risk { BTreeMap::new() } else { read_risks(context, &list).await };
    let uses = if args.disk { measure(context, &list, &roots).await } else { BTreeMap::new() };
    let of = |entry: &Entry| LsRow {
        disk: uses.get(&entry.workspace.key).copied(),
        ..row(entry, &list, &risks, context, covers, &standing, &roots)
    };
    let rows: Vec<_> = list.entries.iter().map(of).collect();
    if !args.json {
        context.warn(&list.troubles);
    }
    // The table has them in its cells.
    let gaps = gaps(&list, &risks);
    list.troubles.extend(gaps);
    let complete = list.troubles.is_empty();
    if args.json {
        let head = Head::new(context.clock.now(), complete, list.troubles);
        out.json(&Ls { head, workspaces: rows, of_others: list.hidden.len() })?;
    } else {
        out.table(&table(&rows, args.disk, context))?;
        if !args.all && more > 0 {
            out.lines([format!("{more} more not running: outlast ls --all")])?;
        }
        out.lines(of_others(list.hidden.len()))?;
    }
    Ok(u8::from(!complete))
}

/// Says how many workspaces of others are not shown.
pub(super) fn of_others(count: usize) -> Option<String> {
    (count > 0).then(|| format!("{count} of others not shown"))
}

/// What the looks at files missed. A look that is not allowed at all is in its row alone.
fn gaps(list: &Gathered, risks: &BTreeMap<WsKey, Result<Risk>>) -> Vec<Trouble> {
    let looks =
        list.entries.iter().filter_map(|entry| Some((&entry.workspace, risks.get(&entry.workspace.key)?)));
    looks.flat_map(|(workspace, risk)| missed(&workspace.key.endpoint, &workspace.name, risk)).collect()
}

/// What one look at files missed, as parts of the answer.
pub(super) fn missed(endpoint: &str, section: &str, risk: &Result<Risk>) -> Vec<Trouble> {
    let gap = |gap: &String| Trouble::new(endpoint, section, &Error::new(Kind::Incomplete, gap.clone()));
    match risk {
        Ok(risk) => risk.gaps.iter().map(gap).collect(),
        Err(error) if error.kind == Kind::NotPermitted => Vec::new(),
        Err(error) => vec![Trouble::new(endpoint, section, error)],
    }
}

/// Reads files at risk where that is cheap; elsewhere the cells say that nobody looked.
async fn read_risks(context: &Context<'_>, list: &Gathered) -> BTreeMap<WsKey, Result<Risk>> {
    let cheap = match context.engine.probe().await {
        Ok(probe) => probe.capabilities.can(Right::ScanAll),
        Err(error) => Can::No(error.message),
    };
    let mut risks = BTreeMap::new();
    for entry in &list.entries {
        let (key, Some(grounds)) = (&entry.workspace.key, entry.stands_on()) else { continue };
        if key.endpoint != context.endpoint() {
            continue;
        }
        let risk = match &cheap {
            Can::No(reason) => Err(Error::new(Kind::NotPermitted, format!("not read: {reason}"))),
            Can::Yes => {
                let (engine, clock) = (context.engine.as_ref(), context.clock.as_ref());
                risk::read(engine, key, grounds, false, 0, clock, &mut |_| {}).await
            }
        };
        risks.insert(key.clone(), risk);
    }
    risks
}

/// Measures what each takes on the disk, where its folders are on this machine.
async fn measure(
    context: &Context<'_>,
    list: &Gathered,
    roots: &[std::path::PathBuf],
) -> BTreeMap<WsKey, DiskUse> {
    let address = &context.engine.endpoint().address;
    let here = address.is_empty() || address.starts_with("unix:");
    let mut uses = BTreeMap::new();
    for entry in list.entries.iter().filter(|_| here && !context.is_playground()) {
        let folder = gather::folder_of(entry, roots);
        let own = OnDisk::of(&entry.workspace, entry.known(), folder.as_deref());
        let measured = measure_own(&context.disk, &own, context.clock.as_ref()).await;
        uses.extend(measured.map(|measured| (entry.workspace.key.clone(), measured)));
    }
    uses
}

fn row(
    entry: &Entry,
    list: &Gathered,
    risks: &BTreeMap<WsKey, Result<Risk>>,
    context: &Context<'_>,
    covers: &Covers,
    standing: &Rules,
    roots: &[std::path::PathBuf],
) -> LsRow {
    let (workspace, detail) = (&entry.workspace, entry.known());
    let images = list.images.get(&workspace.key.endpoint).map(Vec::as_slice);
    let folder = gather::folder_of(entry, roots);
    let risk = risks.get(&workspace.key);
    let from_the_list;
    let rules = match (entry.stands_on(), workspace.state) {
        (Some(grounds), _) => &*grounds.rules,
        (None, RunState::Retired) => standing,
        (None, _) => {
            from_the_list = context.profiles.rules(workspace, None);
            &from_the_list
        }
    };
    LsRow {
        id: workspace.key.id.clone(),
        endpoint: workspace.key.endpoint.clone(),
        name: workspace.name.clone(),
        container: workspace.container.clone(),
        state: detail.map_or(workspace.state, |detail| detail.state).key(),
        exit_code: detail.filter(|detail| !detail.state.is_up()).and_then(|detail| detail.exit_code),
        exit_cause: detail.and_then(crate::core::workspace::Detail::exit_cause),
        oom: detail.map(|detail| detail.oom),
        restarts: detail.map(|detail| detail.restarts),
        created: workspace.created,
        started: detail.and_then(|detail| detail.started),
        finished: detail.and_then(|detail| detail.finished),
        image: workspace.image.clone(),
        owner: workspace.owner.name.clone(),
        project: workspace.project.clone(),
        profile: rules.profile.id.clone(),
        profile_why: rules.recognised.words(),
        violations: entry.stands_on().map(violations).unwrap_or_default(),
        managed_by: workspace.managed_by.clone(),
        protected: workspace.protected,
        gpus: detail.map(|detail| detail.gpus.clone()),
        at_risk: risk::at_risk(risk, entry.stands_on(), Event::Retire),
        disk: None,
        last_backup: last_backup(entry, folder.as_deref(), covers, roots),
        layers: roster::layers(workspace, detail, images, folder.as_deref()),
        complete: detail.is_some() || workspace.state == RunState::Retired,
        as_of: context.clock.now(),
    }
}

/// When the folder of a workspace was last backed up, as far as this machine remembers.
fn last_backup(
    entry: &Entry,
    folder: Option<&std::path::Path>,
    covers: &Covers,
    roots: &[std::path::PathBuf],
) -> Option<jiff::Timestamp> {
    match (folder, entry.stands_on()) {
        (Some(folder), _) => covers.last_of(folder),
        (None, Some(grounds)) => covers.last(grounds, roots),
        (None, None) => None,
    }
}

/// What is wrong with a workspace as a whole.
fn violations(grounds: &Grounds) -> Vec<Wrong> {
    let violation = grounds.classifier().violation();
    let wrong = |(path, violation): (&std::path::Path, Violation)| Wrong {
        id: violation.key(),
        short: violation.short(),
        path: PathText::from(path),
    };
    violation.into_iter().map(wrong).collect()
}

fn table(rows: &[LsRow], disk: bool, context: &Context<'_>) -> Table {
    let mut columns = vec![("NAME", Side::Left), ("STATE", Side::Left), ("AT RISK", Side::Left)];
    columns.extend(disk.then_some(("DISK", Side::Right)));
    columns.extend([
        ("OWNER", Side::Left),
        ("PROJECT", Side::Left),
        ("IMAGE", Side::Left),
        ("MADE", Side::Right),
        ("BACKUP", Side::Right),
    ]);
    let mut table = Table::new(&columns);
    let now = context.clock.now();
    for row in rows {
        let made = row.created.map_or_else(|| "-".to_string(), |at| age(at, now));
        // Two owners may have a project of the same name; the container's own name is unique.
        let unique = rows.iter().filter(|other| other.name == row.name).count() == 1;
        let mut cells = vec![
            Cow::from(row.container.as_ref().filter(|_| !unique).unwrap_or(&row.name)),
            state_words(row, now).into(),
            risk_words(row).into(),
        ];
        cells.extend(disk.then(|| Cow::from(disk_words(row))));
        cells.extend([
            Cow::from(row.owner.as_deref().unwrap_or("unknown")),
            Cow::from(row.project.as_deref().unwrap_or("-")),
            Cow::from(row.image.as_deref().unwrap_or("-")),
            Cow::from(made),
            Cow::from(row.last_backup.map_or_else(|| "-".to_string(), |at| age(at, now))),
        ]);
        table.row(cells);
    }
    table
}

fn state_words(row: &LsRow, now: jiff::Timestamp) -> String {
    let since = match row.state {
        "running" | "paused" => row.started,
        "exited" | "dead" => row.finished,
        _ => None,
    };
    let mut words = row.state.to_string();
    if let Some(since) = since {
        words = format!("{words} {}", age(since, now));
    }
    if let (Some(code), Some(cause)) = (row.exit_code, &row.exit_cause)
        && code != 0
    {
        words = format!("{words}, {cause}");
    }
    if row.protected {
        words.push_str(", protected");
    }
    for wrong in &row.violations {
        words = format!("{words}, {} {}", wrong.path.path, wrong.short);
    }
    words
}

fn disk_words(row: &LsRow) -> String {
    match row.disk {
        None => "-".into(),
        Some(DiskUse { bytes: None, .. }) => "not read".into(),
        Some(DiskUse { bytes: Some(bytes), complete: true, .. }) => size(bytes),
        Some(DiskUse { bytes: Some(bytes), .. }) => size_at_least(bytes),
    }
}

fn risk_words(row: &LsRow) -> String {
    if row.state == RunState::Retired.key() { "-".into() } else { at_risk_words(&row.at_risk) }
}

/// What the column says: `none` only after a complete look.
pub(super) fn at_risk_words(at_risk: &AtRisk) -> String {
    let (Some(files), Some(bytes)) = (at_risk.files, at_risk.bytes) else { return "not read".into() };
    let noun = if files == 1 { "file" } else { "files" };
    match (files, at_risk.complete) {
        (0, true) => "none".into(),
        (_, true) => format!("{files} {noun} {}", size(bytes)),
        (_, false) => format!(">= {files} {noun} {}", size(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_look_missed_is_a_part_of_the_answer_and_a_missing_right_is_not() {
        let failed = |kind| missed("docker", "p", &Err(Error::new(kind, "why")));
        assert_eq!(failed(Kind::NotPermitted), []);
        let why = Trouble::new("docker", "p", &Error::new(Kind::TimedOut, "why"));
        assert_eq!(failed(Kind::TimedOut), std::slice::from_ref(&why));
        let risk = Risk {
            as_of: jiff::Timestamp::UNIX_EPOCH,
            method: crate::core::finding::Method::Upper,
            caches: Vec::new(),
            tallies: Vec::new(),
            layer: None,
            findings: Vec::new(),
            gaps: vec!["why".into()],
            notes: Vec::new(),
        };
        assert_eq!(missed("docker", "p", &Ok(risk)), [why]);
    }

    #[test]
    fn none_is_said_only_after_a_complete_look() {
        let words = |files: Option<u64>, complete| {
            let bytes = files.map(|files| files * 4096);
            let gaps = Vec::new();
            at_risk_words(&AtRisk { files, bytes, complete, as_of: None, method: None, gaps })
        };
        assert_eq!(words(Some(0), true), "none");
        assert_eq!(words(Some(0), false), ">= 0 files 0");
        assert_eq!(words(Some(1), true), "1 file 4.0K");
        assert_eq!(words(Some(2), false), ">= 2 files 8.0K");
        assert_eq!(words(None, false), "not read");
    }
}
