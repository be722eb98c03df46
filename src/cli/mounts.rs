//! `outlast mounts NAME`: where a workspace's paths come from and what becomes of each.

use std::borrow::Cow;

use super::args::MountsArgs;
use super::context::Context;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::classify::Classifier;
use crate::core::error::{Error, Kind, Result};
use crate::core::mount::{Measure, Mount};
use crate::core::report::{Head, MountRow, Mounts, Trouble, maps};
use crate::text::{size, size_at_least};
use crate::work::ground;
use crate::work::mounts::measure;

/// Lists mounts; 1 where not all are known.
pub(super) async fn run(args: &MountsArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let (workspace, mut grounds, list) = context.named(&args.name).await?;
    let images = list.images.get(&workspace.key.endpoint).map(Vec::as_slice);
    grounds.facts = ground::with_images(grounds.facts, &workspace, images);
    let (detail, classifier) = (&grounds.detail, grounds.classifier());
    let measured = measure(context.engine.as_ref(), &workspace.key, detail, args.all).await;
    let mut troubles = list.troubles;
    if let Some(reason) = &detail.mounts_missing {
        let error = Error::new(Kind::Incomplete, format!("not all mounts are known: {reason}"));
        troubles.push(Trouble::new(&workspace.key.endpoint, "mounts", &error));
    }
    let complete = troubles.is_empty();
    if args.json {
        out.json(&Mounts {
            head: Head::new(context.clock.now(), complete, troubles),
            workspace: args.name.clone(),
            endpoint: workspace.key.endpoint.clone(),
            mounts: measured.iter().map(|(mount, measure)| row(mount, measure, &classifier)).collect(),
        })?;
        return Ok(u8::from(!complete));
    }
    context.warn(&troubles);
    let event = context.event(None, Some(&grounds.rules));
    let heading = event.if_words().to_uppercase();
    let mut table = Table::new(&[
        ("IN CONTAINER", Side::Left),
        ("FROM", Side::Left),
        ("STORAGE", Side::Left),
        ("MODE", Side::Left),
        ("FILE SYSTEM", Side::Left),
        ("SIZE", Side::Right),
        (&heading, Side::Left),
    ]);
    for (mount, measure) in &measured {
        table.row([
            mount.target.to_string_lossy(),
            Cow::from(&mount.source),
            mount.storage.label().into(),
            (if mount.read_only { "ro" } else { "rw" }).into(),
            mount.filesystem.as_deref().unwrap_or("-").into(),
            words(measure).into(),
            classifier.mount(mount).fates.verdict(event).words(),
        ]);
    }
    out.table(&table)?;
    Ok(u8::from(!complete))
}

fn row(mount: &Mount, measure: &Measure, classifier: &Classifier<'_>) -> MountRow {
    let answer = classifier.mount(mount);
    let (fates, why) = maps(&answer.fates);
    MountRow {
        target: mount.target.to_string_lossy().into_owned(),
        source: mount.source.clone(),
        storage: mount.storage,
        read_only: mount.read_only,
        filesystem: mount.filesystem.clone(),
        bytes: measure.exact(),
        measure: Some(measure.key()),
        fates,
        why,
    }
}

fn words(measure: &Measure) -> String {
    match measure {
        Measure::Bytes(bytes) => size(*bytes),
        Measure::AtLeast(bytes) => size_at_least(*bytes),
        Measure::WholeFilesystem { used, size: all } => format!("{} of {}", size(*used), size(*all)),
        Measure::NotPermitted => "not permitted".into(),
        Measure::NotSupported => "-".into(),
        Measure::Failed(_) => "failed".into(),
    }
}
