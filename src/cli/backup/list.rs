//! `outlast backups`: the snapshots of a repository.

use std::borrow::Cow;

use serde::Serialize;

use super::super::args::BackupsArgs;
use super::super::context::Context;
use super::super::out::Out;
use super::super::table::{Side, Table};
use crate::core::backup::Snapshot;
use crate::core::error::Result;
use crate::core::report::Head;
use crate::text::{age, size};
use crate::work::{Store, backup};

#[derive(Serialize)]
struct Listed<'l> {
    #[serde(flatten)]
    head: Head,
    repository: &'l str,
    snapshots: Vec<Row<'l>>,
}

#[derive(Serialize)]
struct Row<'l> {
    #[serde(flatten)]
    snapshot: &'l Snapshot,
    /// When its data was last read back here; `null` where it never was.
    verified_at: Option<jiff::Timestamp>,
    /// Whether it was whole then.
    whole: Option<bool>,
}

/// Lists snapshots, the oldest first.
pub(in crate::cli) async fn list(args: &BackupsArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let chosen = context.repository(&args.repository).await?;
    let mut all = backup::snapshots(&context.backups, &chosen.repository).await?;
    if let Some(name) = &args.name {
        all.retain(|snapshot| snapshot.workspace == *name);
    }
    let store = Store::existing(&context.host).ok().flatten();
    let records = store.and_then(|store| store.backups().read().ok()).unwrap_or_default();
    let verified = |id: &str| {
        let known = records.iter().find(|known| known.record.snapshot.id == id)?;
        known.verified
    };
    let now = context.clock.now();
    if args.json {
        let row = |snapshot| {
            let snapshot: &Snapshot = snapshot;
            let verified = verified(&snapshot.id);
            Row { snapshot, verified_at: verified.map(|(at, _)| at), whole: verified.map(|(_, whole)| whole) }
        };
        let snapshots = all.iter().map(row).collect();
        let head = Head::new(now, true, Vec::new());
        out.json(&Listed { head, repository: &chosen.repository.url, snapshots })?;
        return Ok(0);
    }
    if all.is_empty() {
        out.lines(["no snapshot yet"])?;
        return Ok(0);
    }
    let mut table = Table::new(&[
        ("ID", Side::Left),
        ("AGE", Side::Right),
        ("OF", Side::Left),
        ("FILES", Side::Right),
        ("SIZE", Side::Right),
        ("HOST", Side::Left),
        ("STATE", Side::Left),
    ]);
    for snapshot in &all {
        let state = match (snapshot.incomplete, verified(&snapshot.id)) {
            (_, Some((_, false))) => "damaged".to_owned(),
            (true, _) => "incomplete".to_owned(),
            (false, Some((at, true))) => format!("verified {} ago", age(at, now)),
            (false, None) => "not verified".to_owned(),
        };
        let of = if snapshot.workspace.is_empty() {
            snapshot.folders.join(", ")
        } else {
            snapshot.workspace.clone()
        };
        let number = |known: Option<u64>| known.map_or_else(|| "?".to_owned(), |known| known.to_string());
        table.row([
            Cow::from(snapshot.short()),
            age(snapshot.at, now).into(),
            of.into(),
            number(snapshot.files).into(),
            snapshot.bytes.map_or_else(|| "?".to_owned(), size).into(),
            snapshot.host.as_str().into(),
            state.into(),
        ]);
    }
    out.table(&table)?;
    Ok(0)
}
