//! `outlast files NAME:PATH` and `outlast cat NAME:PATH`: what is in a folder, and what is in a file.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::path::Path;

use futures_util::StreamExt as _;
use jiff::Timestamp;

use super::context::Context;
use super::file_args::{CatArgs, FilesArgs, SortBy};
use super::out::Out;
use super::table::{Side, Table};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::fate::Fates;
use crate::core::listing::{FileRow, FilesReport};
use crate::core::report::{Head, PathText, Trouble, maps};
use crate::core::value::Value;
use crate::text::{age, printable_path, size};
use crate::work::browse::{Follow, Reach, Written, content, entry, list};
use crate::work::{Entry, EntryKind, Listing};

/// Entries of a folder that are read at most.
const MOST: usize = 500_000;

/// Lists a folder; 1 where not all of it could be told.
pub(super) async fn run(args: &FilesArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let reach = context.reach(&args.subject, true, Follow::All).await?;
    let (mut listing, written) = match entry(&context.files, &reach).await? {
        Some(found) if found.kind != EntryKind::Folder => {
            let name = reach.path.file_name().unwrap_or_default().to_os_string();
            (Listing { entries: vec![Entry { name, ..found }], ..Listing::default() }, None)
        }
        _ => list(&context.files, &reach, MOST).await?,
    };
    sort(&mut listing.entries, args.sort);
    let mut missing = Vec::new();
    let partial = reach.at.as_ref().ok().and_then(|found| found.partial.clone());
    missing.extend(partial);
    if listing.more {
        missing.push(format!("there are more than {MOST} entries"));
    }
    let now = context.clock.now();
    if args.json {
        out.json(&report(&reach, &listing, written.as_ref(), &missing, args, context))?;
    } else {
        for missing in &missing {
            super::warn(missing);
        }
        print(&reach, &listing, written.as_ref(), args, context, now, out)?;
    }
    Ok(u8::from(!missing.is_empty()))
}

/// Prints a file as it is, and nothing else.
pub(super) async fn cat(args: &CatArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let reach = context.reach(&args.subject, false, Follow::All).await?;
    let mut pieces = content(context.engine.as_ref(), &context.files, &reach).await?;
    while let Some(piece) = pieces.next().await
        && !out.is_closed()
    {
        out.bytes(&piece?)?;
    }
    Ok(0)
}

fn sort(entries: &mut [Entry], by: SortBy) {
    match by {
        SortBy::Name => entries.sort_by(|one, other| {
            let order = |entry: &Entry| (entry.kind != EntryKind::Folder, entry.name.clone());
            order(one).cmp(&order(other))
        }),
        SortBy::Size => entries.sort_by_key(|entry| Reverse(entry.bytes)),
        SortBy::Age => entries.sort_by_key(|entry| Reverse(entry.modified)),
    }
}

/// What becomes of an entry, where that is a question.
fn fates(reach: &Reach, entry: &Entry, written: Option<bool>) -> Option<Fates> {
    let grounds = reach.grounds.as_ref()?;
    Some(grounds.classifier().entry(&reach.path.join(&entry.name), written))
}

fn report(
    reach: &Reach,
    listing: &Listing,
    written: Option<&Written>,
    missing: &[String],
    args: &FilesArgs,
    context: &Context<'_>,
) -> FilesReport {
    let section = reach.workspace.as_ref().map_or("files", |workspace| &workspace.name);
    let trouble =
        |gap: &String| Trouble::new(context.endpoint(), section, &Error::new(Kind::Incomplete, gap.clone()));
    let row = |entry: &Entry| {
        let written = written.map(|names| names.contains(&entry.name));
        FileRow {
            path: Path::new(&entry.name).into(),
            kind: kind(entry.kind),
            bytes: entry.bytes,
            allocated: entry.allocated,
            modified: entry.modified,
            owner: owner(entry, context),
            mode: format!("{:o}", entry.mode),
            target: entry.target.as_ref().map(|target| target.to_string_lossy().into_owned()),
            value: (entry.kind == EntryKind::File).then(|| Value::of(&reach.path.join(&entry.name))),
            written,
            fates: fates(reach, entry, written).map(|fates| maps(&fates).0),
        }
    };
    FilesReport {
        head: Head::new(context.clock.now(), missing.is_empty(), missing.iter().map(trouble).collect()),
        workspace: reach.workspace.as_ref().map(|workspace| workspace.name.clone()),
        endpoint: reach.key().endpoint,
        path: PathText::from(reach.path.as_path()),
        host_path: reach.spot().ok().map(|spot| spot.full().to_string_lossy().into_owned()),
        writable: listing.fixed.is_none(),
        why_not: listing.fixed.clone(),
        count: listing.entries.len(),
        entries: listing.entries.iter().take(args.limit).map(row).collect(),
    }
}

fn print(
    reach: &Reach,
    listing: &Listing,
    written: Option<&Written>,
    args: &FilesArgs,
    context: &Context<'_>,
    now: Timestamp,
    out: &mut Out,
) -> Result<()> {
    let event = context.event(args.event, reach.grounds.as_ref().map(|grounds| &*grounds.rules));
    if listing.entries.is_empty() {
        return out.lines([format!("{}: nothing in it", printable_path(&reach.subject()))]);
    }
    let heading = event.if_words().to_uppercase();
    let mut columns =
        vec![("SIZE", Side::Right), ("CHANGED", Side::Right), ("OWNER", Side::Left), ("KIND", Side::Left)];
    if reach.grounds.is_some() {
        columns.push((&heading, Side::Left));
    }
    columns.push(("NAME", Side::Left));
    let mut table = Table::new(&columns);
    for entry in listing.entries.iter().take(args.limit) {
        table.row(cells(reach, entry, written, event, context, now));
    }
    out.table(&table)?;
    let left = listing.entries.len().saturating_sub(args.limit);
    if left > 0 {
        out.lines([format!("... and {left} more; `--limit` lists more")])?;
    }
    Ok(())
}

fn cells<'c>(
    reach: &Reach,
    entry: &Entry,
    written: Option<&Written>,
    event: Event,
    context: &Context<'_>,
    now: Timestamp,
) -> Vec<Cow<'c, str>> {
    let name = Path::new(&entry.name);
    let shown = printable_path(name);
    let folder = entry.kind == EntryKind::Folder;
    let mut cells: Vec<Cow<'c, str>> = vec![
        if folder { Cow::from("-") } else { size(entry.bytes).into() },
        entry.modified.map_or_else(|| "?".into(), |at| age(at, now)).into(),
        owner(entry, context).into(),
        match entry.kind {
            EntryKind::File => Value::of(&reach.path.join(name)).short(),
            other => kind(other),
        }
        .into(),
    ];
    let written = written.map(|names| names.contains(&entry.name));
    cells.extend(fates(reach, entry, written).map(|fates| fates.verdict(event).words()));
    cells.push(match &entry.target {
        _ if folder => format!("{shown}/").into(),
        Some(target) => format!("{shown} -> {}", printable_path(target)).into(),
        None => shown.into_owned().into(),
    });
    cells
}

const fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::File => "file",
        EntryKind::Folder => "folder",
        EntryKind::Link => "link",
        EntryKind::Special => "special",
    }
}

fn owner(entry: &Entry, context: &Context<'_>) -> String {
    context.host.user_name(entry.owner).unwrap_or_else(|| entry.owner.to_string())
}
