//! The last backup of a folder in one line, for whoever is about to part with the folder.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::here::real;
use crate::core::backup::{Excludes, Known};
use crate::port::Host;
use crate::store::Store;
use crate::text::{ago, printable};

/// How long the folder is looked through for something newer.
const LOOKED_WITHIN: Duration = Duration::from_millis(700);

/// What is remembered of the last backup of a folder: when, whether it was read back, where it is, and what is
/// not in it. Waits for the disk.
pub fn last_words(host: &Host, folder: &Path, now: Timestamp) -> String {
    let records = Store::existing(host).ok().flatten().and_then(|store| store.backups().read().ok());
    let records = records.unwrap_or_default();
    let names = [folder.to_path_buf(), real(folder)];
    let last =
        names.iter().filter_map(|name| records.newest(name)).max_by_key(|known| known.record.snapshot.at);
    match last {
        None => "last backup: none is known".into(),
        Some(known) => format!("last backup: {}", words(known, host, folder, now)),
    }
}

fn words(known: &Known, host: &Host, folder: &Path, now: Timestamp) -> String {
    let record = &known.record;
    let mut words = vec![ago(record.snapshot.at, now)];
    words.push(match known.verified {
        Some((_, true)) => "read back and whole".into(),
        Some((_, false)) => "found damaged".into(),
        None => "never read back".into(),
    });
    if record.skipped > 0 {
        words.push(format!("files not in it: {}", record.skipped));
    }
    let newest = host.newest.and_then(|newest| newest(folder, &Excludes::new(&record.exclude), LOOKED_WITHIN));
    words.push(match newest {
        Some(newest) if newest <= record.snapshot.at => "nothing is newer".into(),
        Some(newest) => format!("files are newer, the last of {}", ago(newest, now)),
        None => "whether files are newer is not known".into(),
    });
    let inside = record.repository.folder().is_some_and(|place| real(place).starts_with(real(folder)));
    words.push(if inside {
        "it lies in this very folder".into()
    } else {
        format!("in {}", printable(&record.repository.url))
    });
    words.join(", ")
}
