//! The archives of a folder: newest first, each read through as far as the time allows.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;

use super::{Flaw, Pace, check, failed};
use crate::core::archive::read_name;
use crate::core::error::Result;
use crate::port::archive::{ArchiveFile, Condition, Meter};

/// Lists a folder's archives.
pub(super) fn list(folder: &Path, until: Option<Instant>, meter: &Meter) -> Result<Vec<ArchiveFile>> {
    let entries = std::fs::read_dir(folder).map_err(|error| failed("read", folder, error))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed("read", folder, error))?;
        let Some(named) = read_name(&entry.file_name()) else { continue };
        // One that vanished is none.
        let Ok(metadata) = entry.metadata() else { continue };
        if !metadata.is_file() {
            continue;
        }
        let written = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        found.push(ArchiveFile {
            file: entry.path(),
            packing: named.packing,
            made: named.made.or(written),
            bytes: metadata.len(),
            from: None,
            condition: Condition::NotRead,
        });
    }
    found.sort_by(|a, b| (b.made, &b.file).cmp(&(a.made, &a.file)));
    for archive in &mut found {
        look(archive, Pace { meter, counts: true, until })?;
    }
    Ok(found)
}

fn look(archive: &mut ArchiveFile, pace: Pace<'_>) -> Result<()> {
    let file = match check::open(&archive.file) {
        Ok(file) => file,
        Err(error) => {
            archive.condition = Condition::Damaged(error.message);
            return Ok(());
        }
    };
    archive.from = check::from(&file);
    archive.condition = match check::through(&file, &archive.file, pace) {
        Ok(_) => Condition::Whole,
        Err(Flaw::Late) => Condition::NotRead,
        Err(flaw @ Flaw::Stopped) => return Err(flaw.about(&archive.file)),
        Err(Flaw::Damaged(why)) => Condition::Damaged(why),
        Err(flaw) => Condition::Damaged(flaw.about(&archive.file).message),
    };
    Ok(())
}
