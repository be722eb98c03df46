//! What is told of jobs: one sentence when one ends, all of it where somebody asks.

use jiff::{SignedDuration, Timestamp};

use super::plan::lines;
use crate::core::backup::{End, JobState, JobView, Outcome, Skips, Snapshot, Task};
use crate::store::Jobs;
use crate::text::{ago, printable, size};

/// For how long after it was planned a job is told of at the next start.
const RECENT: SignedDuration = SignedDuration::from_hours(24 * 7);
/// Jobs that are told of at a start, the newest first.
const TOLD: usize = 3;
/// Files that one sentence names.
const NAMED: usize = 2;

/// How a job ended, in one sentence, and whether that is bad; `None` while it goes on.
pub fn ended(view: &JobView) -> Option<(String, bool)> {
    let what = printable(&view.name()).into_owned();
    let outcome = match &view.state {
        JobState::Waiting | JobState::Running => return None,
        JobState::CutOff => {
            return Some((format!("{what} was cut off, so it is not done; run it again"), true));
        }
        JobState::Over(outcome) => outcome,
    };
    let told = match (outcome.end, &outcome.error) {
        (End::Cancelled, _) => format!("{what} was called off"),
        (_, Some(fault)) => {
            let hint = fault.hints.first().map_or_else(String::new, |hint| format!("; {}", printable(hint)));
            format!("{what} failed: {}{hint}", printable(&fault.message))
        }
        (End::Done, None) => format!("{what} is done{}", figures(view, outcome)),
        (End::Incomplete | End::Failed, None) => {
            let skipped = missing("not there", &outcome.skipped);
            let damaged = missing("damaged", &outcome.damaged);
            let files: Vec<_> = skipped.into_iter().chain(damaged).collect();
            let files = if files.is_empty() { "something is damaged".into() } else { files.join("; ") };
            format!("{what} is incomplete: {files}")
        }
    };
    Some((told, !matches!(outcome.end, End::Done | End::Cancelled)))
}

/// What was done, in figures.
fn figures(view: &JobView, outcome: &Outcome) -> String {
    let counted = |many: u64, what: &str| format!("{many} {what}{}", if many == 1 { "" } else { "s" });
    match &view.job.task {
        Task::Backup(_) => {
            let id = outcome.snapshot.as_ref().map_or("", Snapshot::short);
            format!(": {id}, {}, {}", counted(outcome.files, "file"), size(outcome.bytes))
        }
        Task::Restore(_) => format!(": {}, {}", counted(outcome.files, "file"), size(outcome.bytes)),
        Task::Verify(_) => ": whole, every byte was read".into(),
        Task::Forget(_) => format!(": {} removed", counted(outcome.removed.len() as u64, "snapshot")),
    }
}

/// Files that are not as they should be: how many, and the first of them.
fn missing(what: &str, skips: &Skips) -> Option<String> {
    if skips.count == 0 {
        return None;
    }
    let named = skips.first.iter().take(NAMED);
    let named = named.map(|skip| format!("{}: {}", printable(&skip.path.path), printable(&skip.why)));
    let more = skips.count.saturating_sub(NAMED as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let noun = if skips.count == 1 { "1 file is".into() } else { format!("{} files are", skips.count) };
    Some(format!("{noun} {what}: {}{more}", named.collect::<Vec<_>>().join(", ")))
}

/// Sentences about jobs that go on, and about those of which nobody heard how they ended; with whether
/// that is bad. Each end is told once.
pub fn news(jobs: &Jobs, all: &[JobView], now: Timestamp) -> Vec<(String, bool)> {
    let mut told = Vec::new();
    let mut more = 0;
    let recent = |view: &&JobView| now.duration_since(view.job.made_at) < RECENT;
    for view in all.iter().rev().filter(recent) {
        match ended(view) {
            None => told.push((format!("{} goes on", printable(&view.name())), false)),
            Some(_) if view.seen => {}
            Some(end) => {
                // Told again at the next start where that cannot be written down.
                let _ = jobs.seen(&view.job.id);
                if told.len() < TOLD { told.push(end) } else { more += 1 }
            }
        }
    }
    if more > 0 {
        told.push((format!("{more} more ended: `outlast jobs` lists them"), false));
    }
    told
}

/// All that is known of a job: what it was to do, how it ended, and each file that is missing or damaged;
/// with whether a line is bad news. `known` are the snapshots that are listed.
pub fn record(view: &JobView, known: &[Snapshot], now: Timestamp) -> Vec<(String, bool)> {
    let mut all: Vec<(String, bool)> =
        lines(&view.job, known, now).into_iter().map(|line| (line, false)).collect();
    all.push((format!("  job     {}", view.job.id), false));
    all.push((format!("  by      {}, {}", printable(&view.job.user), ago(view.job.made_at, now)), false));
    all.push((format!("  state   {}", printable(&view.words())), ended(view).is_some_and(|(_, bad)| bad)));
    let JobState::Over(outcome) = &view.state else { return all };
    let hints = outcome.error.iter().flat_map(|fault| &fault.hints);
    all.extend(hints.map(|hint| (format!("  to do   {}", printable(hint)), false)));
    if outcome.error.is_none() {
        let figures = figures(view, outcome);
        all.push((format!("  result  {}", figures.trim_start_matches(": ")), false));
    }
    if let Some(whole) = outcome.verified {
        all.push((format!("  read    {}", if whole { "back: whole" } else { "back: damaged" }), !whole));
    }
    for (what, skips, bad) in [
        ("not there", &outcome.skipped, true),
        ("damaged", &outcome.damaged, true),
        ("secret", &outcome.secrets, false),
    ] {
        let file = |path: &str, why: &str| format!("{what}: {}: {}", printable(path), printable(why));
        all.extend(skips.first.iter().map(|skip| (file(&skip.path.path, &skip.why), bad)));
        let more = skips.count.saturating_sub(skips.first.len() as u64);
        all.extend((more > 0).then(|| (format!("{what}: {more} more"), bad)));
    }
    all.extend(outcome.notes.iter().map(|note| (format!("note: {}", printable(note)), false)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::backup::{Check, Job, Repository};
    use crate::core::error::{Error, Kind};

    fn view(state: JobState) -> JobView {
        let task = Task::Verify(Check { snapshots: vec!["0123456789".into()] });
        let repository = Repository::new("/r", "/k".into()).unwrap();
        let made_at = Timestamp::UNIX_EPOCH;
        let job = Job { id: "j".into(), made_at, user: "u".into(), repository, task, notes: Vec::new() };
        JobView { job, state, progress: None, began: None, seen: false }
    }

    fn over(outcome: Outcome) -> JobView {
        view(JobState::Over(Box::new(outcome)))
    }

    #[test]
    fn the_end_of_a_job_is_one_sentence_that_names_files() {
        let at = Timestamp::UNIX_EPOCH;
        assert_eq!(ended(&view(JobState::Running)), None);
        let done = over(Outcome::new(at, End::Done));
        assert_eq!(
            ended(&done),
            Some(("verify of 01234567 is done: whole, every byte was read".into(), false))
        );
        let mut outcome = Outcome::new(at, End::Incomplete);
        for name in ["/a\u{1b}", "/b", "/c"] {
            outcome.damaged.add(name.as_ref(), "no such data");
        }
        let (told, bad) = ended(&over(outcome.clone())).unwrap();
        assert!(
            bad && told.contains("3 files are damaged: /a\\u{1b}: no such data, /b: no such data and 1 more"),
            "{told}"
        );
        let lines = record(&over(outcome), &[], at);
        assert!(lines.contains(&("damaged: /c: no such data".into(), true)), "{lines:?}");
        let failed = over(Outcome::failed(at, &Error::new(Kind::Refused, "it is full").hint("make room")));
        assert_eq!(ended(&failed), Some(("verify of 01234567 failed: it is full; make room".into(), true)));
    }
}
