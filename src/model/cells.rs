//! What the cells of a workspace say, in words, before anybody thinks of columns.

use std::path::Path;

use super::rows::Row;
use crate::core::event::Event;
use crate::core::fate::{Condition, Verdict};
use crate::core::finding::{Lot, Tally};
use crate::core::places::{Place, tree};
use crate::core::profile::Violation;
use crate::core::storage::StorageKind;
use crate::core::workspace::RunState;

/// What the AT RISK cell says about one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtRisk {
    /// Nothing, after a complete look.
    Nothing,
    /// Files that would be lost.
    Files {
        /// How many, and their bytes.
        tally: Tally,
        /// More than these, perhaps: the look was not complete.
        at_least: bool,
    },
    /// A look is under way; what it found so far.
    Reading(Tally),
    /// Nobody looked.
    NotRead,
    /// There is nothing to look at: a retired folder.
    Folder,
}

/// What would be lost of a workspace in an event.
pub fn at_risk(row: &Row, event: Event) -> AtRisk {
    if row.workspace.state == RunState::Retired {
        return AtRisk::Folder;
    }
    let Some(classifier) = row.classifier() else {
        return row.risk.reading.map_or(AtRisk::NotRead, AtRisk::Reading);
    };
    if let Some(tally) = row.risk.reading
        && row.risk.known.is_none()
    {
        return AtRisk::Reading(tally);
    }
    let Some(risk) = &row.risk.known else { return AtRisk::NotRead };
    let stake = classifier.stake(risk, event);
    if stake.tally.files == 0 && stake.complete {
        AtRisk::Nothing
    } else {
        AtRisk::Files { tally: stake.tally, at_least: !stake.complete }
    }
}

/// The worst that an event does to anything of the workspace; `None` while nothing is known.
///
/// A place that would be lost counts only if there is something in it, or if nobody could look.
pub fn worst(row: &Row, event: Event) -> Option<Verdict> {
    if row.workspace.state == RunState::Retired {
        return Some(folder(event));
    }
    let classifier = row.classifier()?;
    let mut worst = Verdict::Untouched;
    for mount in classifier.detail.mounts.iter().filter(|mount| mount.holds_files()) {
        let verdict = classifier.mount(mount).fates.verdict(event);
        let tallied = row.risk.known.as_ref().and_then(|risk| {
            let of_kind = |lot: &Lot| lot.storage == mount.storage;
            risk.was_read(mount.storage).then(|| risk.tally(of_kind).files)
        });
        let gone = mount.storage == StorageKind::Tmpfs && !classifier.detail.state.is_up();
        let empty = tallied == Some(0) && row.risk.known.as_ref().is_some_and(|risk| risk.complete());
        if !empty && !gone {
            worst = worst.worse(verdict);
        }
    }
    Some(worst)
}

/// What an event does to a folder without a container: only its own end, and the host's, concern it.
const fn folder(event: Event) -> Verdict {
    match event {
        Event::WorkspaceDeletion => Verdict::Lost,
        Event::HostLoss => Verdict::KeptIf(Condition::BackedUp),
        _ => Verdict::Kept,
    }
}

/// The places of a workspace as a tree; none while its mounts are not known.
pub fn places(row: &Row) -> Vec<Place<'_>> {
    row.classifier().map(|classifier| tree(&classifier, row.risk.known.as_deref())).unwrap_or_default()
}

/// The folder that is meant to be kept and is not.
pub fn violation(row: &Row) -> Option<(&Path, Violation)> {
    row.classifier()?.violation()
}

#[cfg(test)]
#[path = "cells_tests.rs"]
mod tests;
