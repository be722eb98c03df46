//! `outlast trash`: what is in it; put something there, bring it back, erase it for good.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::agree;
use super::args::AgreeArgs;
use super::context::Context;
use super::file_args::{TrashArgs, TrashCommand};
use super::out::Out;
use super::table::{Side, Table};
use crate::core::classify::Origin;
use crate::core::error::Result;
use crate::core::event::Event;
use crate::core::fate::Fates;
use crate::core::listing::{TrashReport, TrashRow};
use crate::core::mount::paths_inside;
use crate::core::report::{Head, maps};
use crate::core::subject::Subject;
use crate::text::{age, printable, printable_path, size};
use crate::work::Store;
use crate::work::browse::Follow;
use crate::work::browse::trash::{self, Thing};
use crate::work::gather::Gathered;

pub(super) async fn run(args: &TrashArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    match &args.what {
        None => list(args.json, context, out).await,
        Some(TrashCommand::Put { subject, confirm, agree }) => {
            put(subject, confirm.as_deref(), agree, context, out).await
        }
        Some(TrashCommand::Restore { id, agree }) => restore(id, agree, context, out).await,
        Some(TrashCommand::Empty { id, older, agree }) => {
            let things = things(context).await?;
            let wanted = match id {
                Some(id) => vec![trash::find(&things, id)?.clone()],
                None => trash::older(things, older.length(), context.clock.now()),
            };
            if wanted.is_empty() && !agree.json {
                out.lines(["nothing in the trash is that old"])?;
                return Ok(0);
            }
            let store = agree::books(agree, context).await?;
            let records: Vec<_> = wanted.into_iter().map(|thing| thing.record).collect();
            let plan = context.maker().erase(&records).await?;
            agree::carry_out(&plan, agree, None, store, context, out).await
        }
    }
}

async fn put(
    subject: &OsStr,
    typed: Option<&str>,
    agree: &AgreeArgs,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<u8> {
    let store = agree::books(agree, context).await?;
    let is_name = Subject::parse(subject).path.is_none() && !PathBuf::from(subject).exists();
    let from = context.reach(subject, is_name, Follow::Parents).await?;
    let mounted = match context.gather(|_| true).await {
        Ok(list) => mounted(&list),
        Err(error) => {
            super::warn(&format!("which folders workspaces have mounted is not known: {}", error.message));
            Vec::new()
        }
    };
    let plan = context.maker().trash(&from, &mounted).await?;
    agree::carry_out(&plan, agree, typed, store, context, out).await
}

/// Folders of this machine that containers mount. This machine's own mounts are none of them.
fn mounted(list: &Gathered) -> Vec<PathBuf> {
    let containers = list.known().filter(|(workspace, _)| workspace.container.is_some());
    containers
        .flat_map(|(_, detail)| detail.mounts.iter().filter_map(|mount| mount.host_path.clone()))
        .collect()
}

async fn restore(id: &str, agree: &AgreeArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let store = agree::books(agree, context).await?;
    let things = things(context).await?;
    let plan = context.maker().restore(&trash::find(&things, id)?.record).await?;
    agree::carry_out(&plan, agree, None, store, context, out).await
}

/// All things. Looking makes no directories: none is an empty trash.
async fn things(context: &Context<'_>) -> Result<Vec<Thing>> {
    match Store::existing(&context.host)? {
        Some(store) => trash::list(&context.files, &store).await,
        None => Ok(Vec::new()),
    }
}

async fn list(json: bool, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let things = things(context).await?;
    let now = context.clock.now();
    if things.is_empty() && !json {
        out.lines(["the trash is empty"])?;
        return Ok(0);
    }
    // Without an engine nobody knows who mounts the places; the trash is listed all the same.
    let known = context.gather(|_| true).await.ok();
    if json {
        let row = |thing: &Thing| TrashRow {
            id: thing.record.id.clone(),
            path: thing.record.from.full().as_path().into(),
            trash_path: thing.record.now.full().to_string_lossy().into_owned(),
            workspace: (!thing.record.workspace.is_empty()).then(|| thing.record.workspace.clone()),
            trashed: thing.record.at,
            files: thing.record.files,
            bytes: thing.record.bytes,
            exists: thing.there,
            fates: fates(thing, known.as_ref()).map(|fates| maps(&fates).0),
        };
        out.json(&TrashReport {
            head: Head::new(now, true, Vec::new()),
            things: things.iter().map(row).collect(),
        })?;
        return Ok(0);
    }
    let event = context.event(None, None);
    let heading = format!("PLACE {}", event.if_words().to_uppercase());
    let mut table = Table::new(&[
        ("ID", Side::Left),
        ("AGE", Side::Right),
        ("SIZE", Side::Right),
        (&heading, Side::Left),
        ("FROM", Side::Left),
    ]);
    for thing in &things {
        let record = &thing.record;
        let gone = if thing.there == Some(false) { " (gone)" } else { "" };
        table.row([
            printable(&record.id),
            age(record.at, now).into(),
            record.bytes.map_or_else(|| "?".into(), size).into(),
            place_words(thing, known.as_ref(), event).into(),
            format!("{}{gone}", printable_path(&record.from.full())).into(),
        ]);
    }
    out.table(&table)?;
    Ok(0)
}

/// What becomes of the place of a trash, in the eyes of a workspace that has it mounted.
fn fates(thing: &Thing, known: Option<&Gathered>) -> Option<Fates> {
    let place = thing.record.now.full();
    let entries = known?.entries.iter().filter(|entry| entry.workspace.container.is_some());
    entries.filter_map(|entry| entry.stands_on()).find_map(|grounds| {
        let inside = paths_inside(&grounds.detail.mounts, &place).into_iter().next()?;
        Some(grounds.classifier().explain(&inside, Origin::Layer).fates)
    })
}

fn place_words(thing: &Thing, known: Option<&Gathered>, event: Event) -> String {
    fates(thing, known)
        .map_or_else(|| "no workspace's".into(), |fates| fates.verdict(event).words().into_owned())
}
