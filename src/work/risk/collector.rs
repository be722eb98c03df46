//! Sums a scan up as it arrives: exact totals, the best findings, and environments as one each.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::core::classify::Classifier;
use crate::core::error::{Error, Kind, Result};
use crate::core::finding::{FileAtRisk, LayerCount, Lot, Method, Risk, Tally, Worth};
use crate::core::surroundings::{Surroundings, Whole};
use crate::core::value::Value;
use crate::port::{FileFact, ScanItem};

/// Sums a scan up as it arrives: exact totals, the best findings, bounded memory.
#[derive(Debug)]
pub struct Collector {
    limit: usize,
    method: Option<Method>,
    tallies: Vec<(Lot, Tally)>,
    findings: Vec<FileAtRisk>,
    caches: Vec<(Lot, Tally)>,
    /// Environments and the like: many files that are one finding.
    wholes: Vec<Gathered>,
    around: Option<Around>,
    /// What the least of the findings kept is worth, once they are as many as are kept.
    least: Option<Worth>,
    layer: Option<LayerCount>,
    unsized_files: u64,
    gaps: Vec<String>,
    notes: Vec<String>,
}

impl Collector {
    /// Keeps at most `limit` findings.
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            method: None,
            tallies: Vec::new(),
            findings: Vec::new(),
            caches: Vec::new(),
            wholes: Vec::new(),
            around: None,
            least: None,
            layer: None,
            unsized_files: 0,
            gaps: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Takes in the next item.
    pub fn push(&mut self, item: ScanItem, classifier: &Classifier<'_>) {
        match item {
            ScanItem::By(method) => self.method = Some(method),
            ScanItem::Reading(storage) => {
                self.entry(&storage.into());
            }
            ScanItem::Files(files) => {
                for file in files {
                    if !classifier.rules.ignores(&file.path) {
                        let lot = classifier.lot(&file.path, file.storage);
                        self.add(file, &lot);
                    }
                }
            }
            ScanItem::Layer(count) => self.layer = Some(count),
            ScanItem::Gap(text) => remember(&mut self.gaps, text),
            ScanItem::Note(text) => remember(&mut self.notes, text),
            ScanItem::Looking => {}
        }
    }

    /// Whether nothing was said about how it looks, nor why not.
    pub(super) fn is_silent(&self) -> bool {
        self.method.is_none() && self.gaps.is_empty()
    }

    /// Files and bytes so far.
    pub fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        for (_, tally) in &self.tallies {
            sum += *tally;
        }
        sum
    }

    /// The sum; an error where the scan never said how it looks: nobody could.
    pub fn finish(mut self, as_of: Timestamp) -> Result<Risk> {
        let Some(method) = self.method else {
            let why = self.gaps.first().map_or("no way to look is open", String::as_str);
            return Err(Error::new(Kind::NotPermitted, why)
                .hint("treat what is on its writable layer and in its memory as lost"));
        };
        if self.unsized_files > 0 {
            self.gaps.push(format!("the size of {} files is not known", self.unsized_files));
        }
        let mut caches = Tally::default();
        for (_, tally) in &self.caches {
            caches += *tally;
        }
        if caches.files > 0 {
            let files =
                if caches.files == 1 { "1 cache file".into() } else { format!("{} cache files", caches.files) };
            let size = crate::text::size(caches.bytes);
            self.notes.push(format!("{files} ({size}) not counted: made again by itself"));
        }
        self.settle();
        self.trim();
        Ok(Risk {
            method,
            tallies: self.tallies,
            caches: self.caches,
            layer: self.layer,
            findings: self.findings,
            gaps: self.gaps,
            notes: self.notes,
            as_of,
        })
    }

    fn add(&mut self, file: FileFact, lot: &Lot) {
        let (folder, name) = (file.path.parent().unwrap_or(Path::new("")), file.path.file_name());
        let known = self.around.take().filter(|around| around.folder == folder);
        let mut around = known.unwrap_or_else(|| Around {
            says: Surroundings::of(folder),
            folder: folder.into(),
            whole: None,
        });
        let value = around.says.value(name.unwrap_or_default());
        self.entry(lot);
        if value == Value::Cache {
            entry(&mut self.caches, lot).add(file.bytes.unwrap_or(0));
        } else {
            self.entry(lot).add(file.bytes.unwrap_or(0));
            self.unsized_files += u64::from(file.bytes.is_none());
            self.find(file, lot, value, &mut around);
        }
        self.around = Some(around);
    }

    /// A file that is counted: a finding of its own, or a part of a whole.
    fn find(&mut self, file: FileFact, lot: &Lot, value: Value, around: &mut Around) {
        let finding = FileAtRisk {
            path: file.path,
            bytes: file.bytes,
            storage: file.storage,
            rule: lot.rule.clone(),
            value,
            modified: file.modified,
            changed: file.changed,
            files: 1,
            again: around.says.again.clone(),
        };
        // A file of the image that was changed is somebody's work, wherever it is.
        if let Some(whole) = &around.says.whole
            && around.says.is_part(value)
            && !file.changed
        {
            let is_it = |known: &Gathered| known.root == whole.root && known.is_of(lot);
            let last = around.whole.filter(|at| self.wholes.get(*at).is_some_and(is_it));
            let at = last.or_else(|| self.wholes.iter().position(is_it));
            match at.and_then(|at| self.wholes.get_mut(at)) {
                Some(known) => known.take_in(&finding),
                None => self.wholes.push(Gathered::new(whole, finding)),
            }
            around.whole = at.or(self.wholes.len().checked_sub(1));
            return;
        }
        if self.least.is_some_and(|least| finding.worth() > least) {
            return;
        }
        self.findings.push(finding);
        // Sorting now and then keeps memory bounded at little cost.
        if self.findings.len() >= self.limit.saturating_mul(2).max(64) {
            self.trim();
        }
    }

    /// Files beside the packages of an environment belong to it, such as its programs.
    fn settle(&mut self) {
        let wholes = &mut self.wholes;
        self.findings.retain(|file| {
            let home = wholes.iter_mut().find(|whole| {
                let part = file.path.strip_prefix(&whole.root).ok().and_then(|path| path.components().next());
                let part = part.and_then(|part| part.as_os_str().to_str());
                let of_it = part.is_some_and(Surroundings::is_a_part);
                of_it && !file.changed && !file.value.is_precious() && whole.first.lot() == file.lot()
            });
            home.is_none_or(|whole| {
                whole.take_in(file);
                false
            })
        });
        self.findings.extend(self.wholes.drain(..).map(Gathered::finding));
    }

    fn trim(&mut self) {
        self.findings.sort_by_cached_key(FileAtRisk::rank);
        self.findings.truncate(self.limit);
        if self.findings.len() == self.limit {
            self.least = self.findings.last().map(FileAtRisk::worth);
        }
    }

    fn entry(&mut self, lot: &Lot) -> &mut Tally {
        entry(&mut self.tallies, lot)
    }
}

/// The folder of the last file.
#[derive(Debug)]
struct Around {
    folder: PathBuf,
    says: Surroundings,
    /// Where the whole that its files belong to stands.
    whole: Option<usize>,
}

/// Files of one whole and one lot.
#[derive(Debug)]
struct Gathered {
    root: PathBuf,
    value: Value,
    first: FileAtRisk,
    files: u64,
    bytes: Option<u64>,
    modified: Option<Timestamp>,
}

impl Gathered {
    fn new(whole: &Whole, first: FileAtRisk) -> Self {
        let (bytes, modified) = (first.bytes, first.modified);
        Self { root: whole.root.clone(), value: whole.value, first, files: 1, bytes, modified }
    }

    fn is_of(&self, lot: &Lot) -> bool {
        self.first.storage == lot.storage && self.first.rule == lot.rule
    }

    fn take_in(&mut self, file: &FileAtRisk) {
        self.files += 1;
        self.bytes = self.bytes.zip(file.bytes).map(|(all, more)| all + more);
        self.modified = self.modified.max(file.modified);
    }

    /// A single file is shown as such.
    fn finding(self) -> FileAtRisk {
        if self.files == 1 {
            return self.first;
        }
        let Self { root: path, value, first, files, bytes, modified } = self;
        FileAtRisk { path, bytes, value, modified, files, ..first }
    }
}

fn entry<'t>(tallies: &'t mut Vec<(Lot, Tally)>, lot: &Lot) -> &'t mut Tally {
    let at = tallies.iter().position(|(known, _)| known == lot).unwrap_or_else(|| {
        tallies.push((lot.clone(), Tally::default()));
        tallies.len() - 1
    });
    &mut tallies[at].1
}

/// At most this many different gaps or notes are kept.
const REMEMBERED: usize = 20;

fn remember(texts: &mut Vec<String>, text: String) {
    if texts.len() < REMEMBERED && !texts.contains(&text) {
        texts.push(text);
    }
}
