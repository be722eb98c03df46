//! Saving: what is refused before, and what is said after.

use std::path::Path;
use std::sync::Arc;

use rustic_core::repofile::SnapshotFile;
use rustic_core::{BackupOptions, SnapshotOptions, StringList};

use super::entry::free_bytes;
use super::failure::failed;
use super::read::Told;
use super::vault::{Open, described};
use super::walk::Source;
use crate::core::backup::{INCOMPLETE, Save, Stage, TAG};
use crate::core::error::{Error, Kind, Result};
use crate::port::Saved;
use crate::text::{printable_path, size};

/// What stays free on the disk of a repository, however little a backup adds.
const RESERVE: u64 = 64 << 20;

/// Saves a workspace.
pub(super) fn save(open: Open, what: &Save) -> Result<Saved> {
    let Open { repository, at, meter, swept } = open;
    for part in &what.parts {
        readable(&part.from)?;
    }
    let folders = [what.folder.to_string_lossy().into_owned()];
    let is_earlier = |file: &SnapshotFile| {
        let paths: Vec<&String> = file.paths.iter().collect();
        file.tags.contains(TAG) && file.hostname == what.host && paths == folders.iter().collect::<Vec<_>>()
    };
    let earlier = repository
        .get_matching_snapshots(is_earlier)
        .map_err(|error| failed("read the list of snapshots", &error))?
        .into_iter()
        .max_by(|one, other| one.time.timestamp().cmp(&other.time.timestamp()));

    let told = Arc::new(Told::new(Arc::clone(&meter)));
    if swept.files > 0 {
        told.note(format!(
            "{} that killed backups had left was removed from the repository",
            size(swept.bytes)
        ));
    }
    let measured = (what.most.is_some() || earlier.is_none()).then(|| Source::measure(&what.parts, &told));
    meter.go_on()?;
    if let (Some(most), Some((_, bytes))) = (what.most, measured)
        && bytes > most
    {
        return Err(Error::new(
            Kind::Refused,
            format!(
                "{} holds {}, {} more than the limit of {}",
                what.workspace,
                size(bytes),
                size(bytes - most),
                size(most)
            ),
        )
        .hint("leave something out: one pattern a line in .outlastignore"));
    }
    if let Some(folder) = at.folder() {
        room(folder, measured.filter(|_| earlier.is_none()).map(|(_, bytes)| bytes))?;
    }

    let repository =
        repository.to_indexed_ids().map_err(|error| failed("read the index of the repository", &error))?;
    meter.begin(Stage::Saving);
    let estimate = earlier.as_ref().and_then(|file| file.summary.as_ref());
    let totals = measured
        .or_else(|| estimate.map(|before| (before.total_files_processed, before.total_bytes_processed)));
    if let Some((files, bytes)) = totals {
        meter.of(files, bytes);
    }
    let source = Source::new(&what.parts, what.definition.as_deref(), Arc::clone(&told), totals.is_none());
    let wrong = |error: Box<rustic_core::RusticError>| failed("save", &error);
    let mut options = BackupOptions::default();
    if let Some(earlier) = &earlier {
        options.parent_opts = options.parent_opts.parents(vec![earlier.id.to_hex().to_string()]);
    }
    let mut snapshot = SnapshotOptions::default()
        .host(what.host.clone())
        .label(what.workspace.clone())
        .add_tags(TAG)
        .and_then(|options| options.to_snapshot())
        .map_err(wrong)?;
    snapshot.program_version = format!("outlast {}", env!("CARGO_PKG_VERSION"));
    let saved = repository.archive(&options, &source, snapshot, std::slice::from_ref(&what.folder));
    meter.go_on()?;
    let mut saved = saved.map_err(wrong)?;

    meter.begin(Stage::Finishing);
    let skipped = told.skipped();
    if skipped.count > 0 {
        // Only now it is known that something is missing; the snapshot must say so everywhere.
        let first = saved.id;
        saved.tags.add_list(INCOMPLETE.parse::<StringList>().unwrap_or_default());
        saved.original = None;
        repository.save_snapshots(vec![saved.clone()]).map_err(wrong)?;
        let newest = repository.get_matching_snapshots(|file: &SnapshotFile| {
            file.tree == saved.tree && file.time == saved.time && file.tags.contains(INCOMPLETE)
        });
        if let Some(marked) = newest.map_err(wrong)?.pop() {
            saved = marked;
            repository.delete_snapshots(&[first]).map_err(wrong)?;
        }
    }
    Ok(Saved { snapshot: described(&saved), skipped, secrets: told.secrets(), notes: told.notes() })
}

/// A folder that cannot be read at all is no backup with one file missing.
fn readable(folder: &Path) -> Result<()> {
    let shown = printable_path(folder);
    std::fs::read_dir(folder).map(drop).map_err(|error| {
        Error::new(Kind::NotFound, format!("{shown} cannot be saved: {error}"))
            .hint("is it there, and may you read it?")
    })
}

/// Whether the disk of a repository has room: for everything at first, later for a little.
fn room(repository: &Path, first: Option<u64>) -> Result<()> {
    let Some(free) = free_bytes(repository) else { return Ok(()) };
    let needed = first.unwrap_or(0).saturating_add(RESERVE);
    if free >= needed {
        return Ok(());
    }
    let shown = printable_path(repository);
    let message = match first {
        Some(bytes) => {
            format!(
                "a first backup of {} needs as much room as that at {shown}, where {} is free",
                size(bytes),
                size(free)
            )
        }
        None => format!("only {} is free at {shown}", size(free)),
    };
    Err(Error::new(Kind::Refused, message).hint("make room, or name another place: `--repository`"))
}
