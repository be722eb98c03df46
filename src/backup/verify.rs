//! Reading saved data back: every byte, since the library's plain check misses a flipped one. What
//! is damaged is named by its file.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rustic_core::repofile::{BlobType, Node, PackId};
use rustic_core::{BlobId, CheckOptions, CheckResults, Id};

use super::failure::failed;
use super::tree::{Readable, Then, Visitor, visit};
use super::vault::{Open, described};
use crate::core::backup::{Check, Skips, Stage};
use crate::core::error::Result;
use crate::port::{Checked, Meter};

/// Faults that are named; one broken disk makes thousands.
const NAMED: usize = 20;

/// Reads the data of snapshots back.
pub(super) fn verify(open: Open, what: &Check) -> Result<Checked> {
    let files = match what.snapshots.as_slice() {
        [] => open.files()?,
        ids => ids.iter().map(|id| open.find(id)).collect::<Result<_>>()?,
    };
    let Open { repository, meter, .. } = open;
    meter.begin(Stage::Verifying);
    let trees = files.iter().map(|file| file.tree).collect();
    let results = repository.check_with_trees(CheckOptions::default().read_data(true), trees);
    meter.go_on()?;
    let results = results.map_err(|error| failed("read the data back", &error))?;
    let (bad, faults) = judged(&results);
    if bad.is_empty() && faults.is_empty() {
        let snapshots = files.iter().map(|file| (described(file), true)).collect();
        return Ok(Checked { snapshots, ..Checked::default() });
    }
    let repository =
        repository.to_indexed().map_err(|error| failed("read the index of the repository", &error))?;
    let mut checked = Checked { faults, ..Checked::default() };
    for file in &files {
        let mut look = Look { repository: &repository, bad: &bad, meter: &meter, damaged: Skips::default() };
        let read = visit(&repository, file.tree, &mut look);
        meter.go_on()?;
        if read.is_err() {
            look.damaged.add(Path::new("/"), "the snapshot's own list of files is damaged");
        }
        let whole = look.damaged.count == 0;
        checked.snapshots.push((described(file), whole));
        checked.damaged.count += look.damaged.count;
        checked.damaged.first.extend(look.damaged.first);
    }
    Ok(checked)
}

/// The packs that are damaged, and all that is wrong in words. The library keeps the types of its
/// findings to itself, so they are read as it prints them.
fn judged(results: &CheckResults) -> (BTreeSet<PackId>, Vec<String>) {
    let mut bad = BTreeSet::new();
    let mut faults = Vec::new();
    for (level, error) in &results.0 {
        if format!("{level:?}") != "Error" {
            continue;
        }
        // Only its other form has ids in full.
        bad.extend(packs(&format!("{error:?}")));
        let text = error.to_string();
        if faults.len() < NAMED {
            let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("damaged");
            faults.push(line.to_owned());
        }
    }
    (bad, faults)
}

/// The packs that a finding names.
fn packs(text: &str) -> impl Iterator<Item = PackId> + '_ {
    let words = text.split(|character: char| !character.is_ascii_hexdigit());
    words.filter(|word| word.len() == 64).filter_map(|word| word.parse::<Id>().ok()).map(PackId::from)
}

/// Finds the files whose data is damaged.
struct Look<'a> {
    repository: &'a Readable,
    bad: &'a BTreeSet<PackId>,
    meter: &'a Arc<Meter>,
    damaged: Skips,
}

impl Visitor for Look<'_> {
    fn entry(&mut self, path: &Path, node: &Node) -> Result<Then> {
        self.meter.go_on()?;
        for id in node.content.iter().flatten() {
            let lies_well =
                self.repository.get_index_entry(id).is_ok_and(|entry| !self.bad.contains(&entry.pack));
            let blob = BlobId::from(*id);
            if !lies_well && self.repository.get_blob_cached(&blob, BlobType::Data).is_err() {
                self.damaged.add(&Path::new("/").join(path), "its saved data is damaged");
                break;
            }
        }
        Ok(Then::GoOn)
    }

    fn leave(&mut self, _path: &Path, _node: &Node) -> Result<()> {
        Ok(())
    }

    fn damaged(&mut self, path: &Path, why: &str) {
        self.damaged.add(&Path::new("/").join(path), why);
    }
}
