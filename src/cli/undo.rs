//! `outlast undo [ID]`: what was retired comes back, with its files. `--list` says what can, until when.

use jiff::Timestamp;
use serde::Serialize;

use super::agree;
use super::args::UndoArgs;
use super::context::Context;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::error::{Error, Kind, Result};
use crate::core::report::Head;
use crate::text::{ago, printable, span};
use crate::work::Store;
use crate::work::undo::{self, Offer, Undoing};

/// `undo --list --json`.
#[derive(Serialize)]
struct List<'r> {
    #[serde(flatten)]
    head: Head,
    undos: Vec<Row<'r>>,
}

/// One that was retired.
#[derive(Serialize)]
struct Row<'r> {
    id: &'r str,
    workspace: &'r str,
    container: &'r str,
    image: &'r str,
    /// The name that keeps its image; `null` where nothing does.
    pin: Option<&'r str>,
    retired: Timestamp,
    until: Timestamp,
    by: &'r str,
    /// Snapshots that hold its files.
    snapshots: Vec<&'r str>,
    /// Places whose files were given up.
    lost: &'r [String],
    /// Why it cannot be brought back now; empty where it can.
    lacks: &'r [String],
}

/// Brings one back, or lists what can be.
pub(super) async fn run(args: &UndoArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    if args.list {
        return list(args, context, out).await;
    }
    let books = agree::books(&args.agree, context).await?;
    let store = match &books {
        Some(store) => store.clone(),
        None => Store::existing(&context.host)?
            .ok_or_else(|| Error::new(Kind::NotFound, "nothing was retired here that could be brought back"))?,
    };
    let record = undo::find(&store, args.id.as_deref())?;
    let plan = undoing(args, context).await.plan(&record).await?;
    agree::carry_out(&plan, &args.agree, None, books, context, out).await
}

async fn undoing<'c>(args: &UndoArgs, context: &'c Context<'_>) -> Undoing<'c> {
    let in_use = context.repository(&args.repository).await.ok().map(|chosen| chosen.repository);
    Undoing {
        engine: context.engine.as_ref(),
        backups: &context.backups,
        clock: context.clock.as_ref(),
        in_use,
    }
}

async fn list(args: &UndoArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let offers = match Store::existing(&context.host)? {
        Some(store) => undoing(args, context).await.offers(&store).await?,
        None => Vec::new(),
    };
    let now = context.clock.now();
    if args.agree.json {
        let undos = offers.iter().map(row).collect();
        out.json(&List { head: Head::new(now, true, Vec::new()), undos })?;
        return Ok(0);
    }
    if offers.is_empty() {
        out.lines(["nothing was retired here that could be brought back"])?;
        return Ok(0);
    }
    let mut table = Table::new(&[
        ("ID", Side::Left),
        ("NAME", Side::Left),
        ("RETIRED", Side::Left),
        ("LEFT", Side::Left),
        ("FILES", Side::Left),
        ("CAN", Side::Left),
    ]);
    for offer in &offers {
        let record = &offer.record;
        let files = match (record.saved.is_empty(), record.lost.is_empty()) {
            (false, true) => "saved",
            (false, false) => "in part",
            (true, _) => "not saved",
        };
        let left = if record.until > now { span(record.until.duration_since(now)) } else { "over".into() };
        table.row([
            record.id.as_str().into(),
            printable(&record.recipe.name).into_owned().into(),
            ago(record.at, now).into(),
            left.into(),
            files.into(),
            if offer.lacks.is_empty() {
                "yes".into()
            } else {
                format!("no: {}", offer.lacks.join("; ")).into()
            },
        ]);
    }
    out.table(&table)?;
    Ok(0)
}

fn row(offer: &Offer) -> Row<'_> {
    let record = &offer.record;
    let mut snapshots: Vec<&str> = record.saved.iter().map(|saved| saved.snapshot.as_str()).collect();
    snapshots.dedup();
    Row {
        id: &record.id,
        workspace: &record.workspace,
        container: &record.recipe.name,
        image: &record.recipe.image,
        pin: record.pin.as_deref(),
        retired: record.at,
        until: record.until,
        by: &record.user,
        snapshots,
        lost: &record.lost,
        lacks: &offer.lacks,
    }
}
