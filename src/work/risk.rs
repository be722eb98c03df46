//! What would be lost: which mounts to read, and the sum of what was found there.

mod collector;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::Timestamp;

use crate::core::classify::{Classifier, Grounds};
use crate::core::error::Result;
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::finding::{FileAtRisk, Method, Risk, Tally};
use crate::core::report::AtRisk;
use crate::core::workspace::WsKey;
use crate::port::{Clock, Engine, ScanItem, ScanRequest, StirStream};

pub use collector::Collector;

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
    } else if nothing_to_read && collector.is_silent() {
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
