//! What would be lost: which mounts to read, and the sum of what was found there.

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::Timestamp;

use crate::core::classify::{Classifier, Grounds};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::finding::{FileAtRisk, Lot, Method, Risk, Tally};
use crate::core::report::AtRisk;

use crate::core::value::Value;
use crate::core::workspace::WsKey;
use crate::port::{Clock, Engine, FileFact, ScanItem, ScanRequest, StirStream};

/// The events that happen to running hosts; what none of them loses is not read: it may be a whole share.
const LIKELY: [Event; 4] = [Event::Crash, Event::Stop, Event::Retire, Event::Reboot];

/// The mounts worth reading: those that a crash, a stop, a retire or a reboot loses, by target.
pub fn targets(classifier: &Classifier<'_>) -> Vec<PathBuf> {
    classifier
        .detail
        .mounts
        .iter()
        .filter(|mount| mount.holds_files())
        .filter(|mount| {
            let fates = classifier.mount(mount).fates;
            LIKELY.iter().any(|event| fates.verdict(*event) == Verdict::Lost)
        })
        .map(|mount| mount.target.clone())
        .collect()
}

/// Sums a scan up as it arrives: exact totals, the best findings, bounded memory.
#[derive(Debug)]
pub struct Collector {
    limit: usize,
    method: Option<Method>,
    tallies: Vec<(Lot, Tally)>,
    findings: Vec<FileAtRisk>,
    caches: Vec<(Lot, Tally)>,
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
            ScanItem::Gap(text) => remember(&mut self.gaps, text),
            ScanItem::Note(text) => remember(&mut self.notes, text),
            ScanItem::Looking => {}
        }
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
        self.trim();
        Ok(Risk {
            method,
            tallies: self.tallies,
            caches: self.caches,
            findings: self.findings,
            gaps: self.gaps,
            notes: self.notes,
            as_of,
        })
    }

    fn add(&mut self, file: FileFact, lot: &Lot) {
        let value = Value::of(&file.path);
        let bytes = file.bytes.unwrap_or(0);
        if value == Value::Cache {
            self.entry(lot);
            entry(&mut self.caches, lot).add(bytes);
            return;
        }
        self.entry(lot).add(bytes);
        self.unsized_files += u64::from(file.bytes.is_none());
        self.findings.push(FileAtRisk {
            path: file.path,
            bytes: file.bytes,
            storage: file.storage,
            rule: lot.rule.clone(),
            value,
            modified: file.modified,
            changed: file.changed,
        });
        // Sorting now and then keeps memory bounded at little cost.
        if self.findings.len() >= self.limit.saturating_mul(2).max(64) {
            self.trim();
        }
    }

    fn trim(&mut self) {
        self.findings.sort_by_cached_key(FileAtRisk::rank);
        self.findings.truncate(self.limit);
    }

    fn entry(&mut self, lot: &Lot) -> &mut Tally {
        entry(&mut self.tallies, lot)
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

/// Reads one workspace's files at risk to the end.
///
/// `asked` says that a person asked for this one, so it may be costly; at most
/// `limit` findings are kept; `on_progress` hears the totals so far.
pub async fn read(
    engine: &dyn Engine,
    key: &WsKey,
    grounds: &Grounds,
    asked: bool,
    limit: usize,
    clock: &dyn Clock,
    on_progress: &mut (dyn FnMut(Tally) + Send),
) -> Result<Risk> {
    let (detail, classifier) = (&grounds.detail, &grounds.classifier());
    let targets = targets(classifier);
    let nothing_to_read = targets.is_empty();
    let mut collector = Collector::new(limit);
    let mut items = engine.scan(ScanRequest { key: key.clone(), detail: Arc::clone(detail), targets, asked });
    while let Some(item) = items.next().await {
        // A scan that looks and finds nothing is alive all the same.
        let found_files = matches!(item, ScanItem::Files(_) | ScanItem::Looking);
        collector.push(item, classifier);
        if found_files {
            on_progress(collector.tally());
        }
    }
    if let Some(reason) = &detail.mounts_missing {
        collector.push(ScanItem::Gap(format!("its mounts are not all known: {reason}")), classifier);
    } else if nothing_to_read && collector.method.is_none() && collector.gaps.is_empty() {
        collector.push(ScanItem::By(Method::Inside), classifier);
        let note = ScanItem::Note("no place here is lost in a crash, stop, retire or reboot".into());
        collector.push(note, classifier);
    }
    collector.finish(clock.now())
}

/// Says whenever reading a workspace again may find something else than at a moment.
pub fn follow(engine: &dyn Engine, key: &WsKey, grounds: &Grounds, since: Timestamp) -> StirStream {
    let targets = targets(&grounds.classifier());
    let detail = Arc::clone(&grounds.detail);
    engine.follow(ScanRequest { key: key.clone(), detail, targets, asked: false }, since)
}

/// What one event loses of the findings listed, best first.
pub fn findings<'r>(
    risk: &'r Risk,
    classifier: Classifier<'r>,
    event: Event,
) -> impl Iterator<Item = &'r FileAtRisk> {
    risk.findings.iter().filter(move |finding| classifier.verdict(&finding.lot(), event) == Verdict::Lost)
}

/// The totals as scripts see them; a look that failed has no numbers, only its reason.
pub fn at_risk(risk: Option<&Result<Risk>>, grounds: Option<&Grounds>, event: Event) -> AtRisk {
    match (risk, grounds) {
        (Some(Ok(risk)), Some(grounds)) => {
            let stake = grounds.classifier().stake(risk, event);
            let unread = stake.unread.iter().map(|mount| format!("{} was not read", mount.target.display()));
            AtRisk {
                files: Some(stake.tally.files),
                bytes: Some(stake.tally.bytes),
                complete: stake.complete,
                as_of: Some(risk.as_of),
                method: Some(risk.method.key()),
                gaps: risk.gaps.iter().cloned().chain(unread).collect(),
            }
        }
        (risk, _) => AtRisk {
            files: None,
            bytes: None,
            complete: false,
            as_of: None,
            method: None,
            gaps: vec![match risk {
                Some(Err(error)) => error.message.clone(),
                _ => "not read".into(),
            }],
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::core::storage::StorageKind;
    use crate::core::workspace::RunState;
    use crate::work::fake;

    fn file(path: &str, bytes: Option<u64>) -> FileFact {
        FileFact {
            path: path.into(),
            bytes,
            storage: StorageKind::WritableLayer,
            modified: None,
            changed: false,
        }
    }

    #[test]
    fn only_places_that_daily_events_lose_are_read() {
        let targets = targets(&fake::grounds(fake::detail(RunState::Running)).classifier());
        let targets: Vec<_> = targets.iter().map(|path| path.display().to_string()).collect();
        assert_eq!(targets, ["/", "/dev/shm"]);
    }

    #[test]
    fn totals_are_exact_although_only_the_best_findings_are_kept() {
        let grounds = fake::grounds(fake::detail(RunState::Running));
        let classifier = grounds.classifier();
        let mut collector = Collector::new(2);
        collector.push(ScanItem::By(Method::Upper), &classifier);
        let mut files: Vec<_> = (0..500).map(|n| file(&format!("/tmp/{n}.log"), Some(10))).collect();
        files.push(file("/tmp/model.pt", Some(1)));
        files.push(file("/var/lib/apt/lists/x", Some(1 << 30)));
        collector.push(ScanItem::Files(files), &classifier);
        assert_eq!(collector.tally(), Tally { files: 501, bytes: 5001 });
        let risk = collector.finish(Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(risk.findings.len(), 2);
        assert_eq!(risk.findings[0].path, Path::new("/tmp/model.pt"), "value comes before size");
        assert!(risk.complete());
    }

    #[test]
    fn a_file_of_unknown_size_makes_the_sum_a_lower_bound() {
        let grounds = fake::grounds(fake::detail(RunState::Running));
        let classifier = grounds.classifier();
        let mut collector = Collector::new(10);
        collector.push(ScanItem::By(Method::Api), &classifier);
        collector.push(ScanItem::Files(vec![file("/tmp/x", None)]), &classifier);
        let risk = collector.finish(Timestamp::UNIX_EPOCH).unwrap();
        assert!(!risk.complete());
        assert_eq!(risk.tallies, [(StorageKind::WritableLayer.into(), Tally { files: 1, bytes: 0 })]);
    }

    #[test]
    fn a_scan_that_never_says_how_it_looks_is_an_error_and_not_zero_files() {
        let grounds = fake::grounds(fake::detail(RunState::Running));
        let classifier = grounds.classifier();
        let mut collector = Collector::new(10);
        collector.push(ScanItem::Gap("the layer belongs to root".into()), &classifier);
        let error = collector.finish(Timestamp::UNIX_EPOCH).unwrap_err();
        assert_eq!(error.kind, Kind::NotPermitted);
        assert!(error.message.contains("belongs to root"), "{error}");
    }

    #[test]
    fn caches_are_no_findings_but_are_mentioned() {
        let grounds = fake::grounds(fake::detail(RunState::Running));
        let classifier = grounds.classifier();
        let mut collector = Collector::new(10);
        collector.push(ScanItem::By(Method::Upper), &classifier);
        collector.push(ScanItem::Files(vec![file("/root/.cache/pip/x", Some(7))]), &classifier);
        let risk = collector.finish(Timestamp::UNIX_EPOCH).unwrap();
        assert!(risk.findings.is_empty() && risk.tally(|_| true).files == 0);
        assert_eq!(risk.notes, ["1 cache file (7) not counted: made again by itself"]);
    }
}
