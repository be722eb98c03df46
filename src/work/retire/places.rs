//! The places of a container that go with it, and where their files can be read here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::finding::Risk;
use crate::core::mount::{Backing, Mount};
use crate::core::spot::Spot;
use crate::core::undo::Place;
use crate::core::workspace::{Workspace, WsKey};
use crate::port::{Engine, EntryKind, Files};
use crate::text::printable_path;
use crate::work::act::files::on_disk;

/// One place.
#[derive(Clone, Debug)]
pub(super) struct Spared {
    /// What its part of the snapshot is called.
    pub(super) part: String,
    /// What it is.
    pub(super) place: Place,
    /// Where its files are read.
    pub(super) from: Spot,
}

/// Every place that goes with the container; the reason where one of them cannot be read here.
pub(super) async fn places(
    engine: &dyn Engine,
    files: &Arc<dyn Files>,
    workspace: &Workspace,
    grounds: &Grounds,
    risk: Option<&Risk>,
) -> Result<Vec<Spared>> {
    if !engine.shares_our_disk() {
        return Err(Error::new(Kind::NotSupported, "its files are on another machine"));
    }
    let classifier = grounds.classifier();
    let up = grounds.detail.state.is_up();
    let mut found: Vec<Spared> = Vec::new();
    for mount in grounds.detail.mounts.iter().filter(|mount| mount.holds_files()) {
        let in_memory = mount.backing == Backing::Memory;
        // Memory of what does not run is empty.
        let gone = in_memory && !up;
        if gone || mount.read_only && mount.backing != Backing::Layer {
            continue;
        }
        if classifier.mount(mount).fates.verdict(Event::Retire) != Verdict::Lost {
            continue;
        }
        let number = found.len();
        found.push(spared(engine, files, &workspace.key, grounds, mount, number).await?);
    }
    // Between devices a file may be written by mistake.
    let written = |file: &crate::core::finding::FileAtRisk| {
        file.path.starts_with("/dev") && !file.path.starts_with("/dev/shm")
    };
    if up && risk.is_some_and(|risk| risk.findings.iter().any(written)) {
        let devices = Path::new("/dev");
        let from = memory(engine, files, &workspace.key, grounds, devices).await?;
        found.push(Spared { part: "devices".into(), place: Place::Memory(devices.into()), from });
    }
    Ok(found)
}

async fn spared(
    engine: &dyn Engine,
    files: &Arc<dyn Files>,
    key: &WsKey,
    grounds: &Grounds,
    mount: &Mount,
    number: usize,
) -> Result<Spared> {
    let target = &mount.target;
    if mount.backing == Backing::Memory {
        let from = memory(engine, files, key, grounds, target).await?;
        return Ok(Spared { part: format!("memory-{number}"), place: Place::Memory(target.clone()), from });
    }
    let folder = mount.host_path.as_ref().and_then(|folder| Spot::new(folder.clone(), Path::new("")));
    let from = folder.ok_or_else(|| unreadable(target, "its folder on this machine is not known"))?;
    let there = from.clone();
    on_disk(files, move |files| files.list(&there, 0))
        .await
        .map_err(|error| unreadable(target, &error.message))?;
    let (part, place) = if mount.backing == Backing::Layer {
        (crate::core::backup::LAYER.to_owned(), Place::Layer)
    } else {
        (format!("folder-{number}"), Place::Folder(target.clone()))
    };
    Ok(Spared { part, place, from })
}

/// Where memory is read: through the container's own process.
async fn memory(
    engine: &dyn Engine,
    files: &Arc<dyn Files>,
    key: &WsKey,
    grounds: &Grounds,
    target: &Path,
) -> Result<Spot> {
    let found = engine
        .whereabouts(key, &grounds.detail, target)
        .await
        .map_err(|error| unreadable(target, &error.message))?;
    let there = found.spot.clone();
    let entry = on_disk(files, move |files| files.entry(&there)).await;
    match entry.map_err(|error| unreadable(target, &error.message))? {
        Some(entry) if entry.kind == EntryKind::Folder && entry.mount => Ok(found.spot),
        _ => Err(unreadable(target, "it is no mount that can be seen here")),
    }
}

fn unreadable(target: &Path, why: &str) -> Error {
    let place = if target == Path::new("/") {
        "its writable layer".into()
    } else {
        printable_path(target).into_owned()
    };
    Error::new(Kind::NotPermitted, format!("{place} cannot be read from here: {why}"))
        .hint("run outlast as root")
}

/// Where the layer is, to be looked at once more before it goes.
pub(super) fn layer(places: &[Spared]) -> Option<Spot> {
    places.iter().find(|spared| spared.place == Place::Layer).map(|spared| spared.from.clone())
}

/// The places that are still there when the container is stopped.
pub(super) fn lasting(places: &[Spared]) -> Vec<Spared> {
    places.iter().filter(|spared| !matches!(spared.place, Place::Memory(_))).cloned().collect()
}

/// The files at risk, by the places they lie in, for a rescue.
pub(super) fn lots(places: &[Spared], risk: &Risk) -> Vec<crate::core::rescue::Lot> {
    let mut lots: Vec<crate::core::rescue::Lot> = places
        .iter()
        .map(|spared| crate::core::rescue::Lot {
            from: spared.from.clone(),
            below: spared.place.target(),
            only: Vec::new(),
        })
        .collect();
    for finding in &risk.findings {
        let best = lots
            .iter_mut()
            .filter(|lot| finding.path.starts_with(&lot.below))
            .max_by_key(|lot| lot.below.components().count());
        if let Some(lot) = best
            && let Ok(path) = finding.path.strip_prefix(&lot.below)
        {
            let path: PathBuf = path.into();
            lot.only.push(path);
        }
    }
    lots.retain(|lot| !lot.only.is_empty());
    lots
}
