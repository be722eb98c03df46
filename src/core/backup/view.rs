//! A job as it is seen from outside, and how far it is in words: the same in lists, on the screen and
//! beside the prompt.

use jiff::{SignedDuration, Timestamp};

use super::{Job, Outcome, Progress};
use crate::text::{size, span};

/// How a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Its process is about to begin.
    Waiting,
    /// Somebody is at it.
    Running,
    /// Its process ended without a word: killed, or the machine went down.
    CutOff,
    /// It is over.
    Over(Box<Outcome>),
}

/// A job as it is seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    /// What it does.
    pub job: Job,
    /// How it is.
    pub state: JobState,
    /// How far it is, or was.
    pub progress: Option<Progress>,
    /// When it first told how far it is.
    pub began: Option<Timestamp>,
    /// Whether a person was told how it ended.
    pub seen: bool,
}

impl JobView {
    /// Whether it goes on.
    pub const fn is_live(&self) -> bool {
        matches!(self.state, JobState::Waiting | JobState::Running)
    }

    /// What it does, and with what: `backup of my-project` (untrusted text).
    pub fn name(&self) -> String {
        format!("{} of {}", self.job.task.key(), self.job.task.subject())
    }

    /// How far it is, or how it ended (may hold untrusted text).
    pub fn words(&self) -> String {
        match &self.state {
            JobState::Waiting => "waiting".into(),
            JobState::Running => match (&self.progress, self.began) {
                (Some(progress), Some(began)) => progress.words(began),
                _ => "running".into(),
            },
            JobState::CutOff => "cut off".into(),
            JobState::Over(outcome) => match &outcome.error {
                Some(fault) => format!("{}: {}", outcome.end.word(), fault.message),
                None => outcome.end.word().into(),
            },
        }
    }
}

impl Progress {
    /// How far it is: what it does, files, bytes, rate, and how long it still takes.
    pub fn words(&self, began: Timestamp) -> String {
        let mut words = vec![self.stage.word().to_owned()];
        if let Some(percent) = self.percent() {
            words.push(format!("{percent}%"));
        }
        if self.files > 0 {
            words.push(match self.of_files {
                Some(of) => format!("{} of {} files", self.files, of.max(self.files)),
                None => format!("{} files", self.files),
            });
        }
        if self.bytes > 0 {
            words.push(size(self.bytes));
        }
        if let Some(rate) = self.rate(began).filter(|rate| *rate > 0) {
            words.push(format!("{}/s", size(rate)));
        }
        if let Some(left) = self.left(began).and_then(|left| i64::try_from(left).ok()) {
            words.push(format!("{} left", left_words(left)));
        }
        if self.skipped > 0 {
            words.push(format!("{} not read", self.skipped));
        }
        words.join("  ")
    }
}

/// How long it still takes: the last minute counts in seconds.
fn left_words(seconds: i64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { span(SignedDuration::from_secs(seconds)) }
}

#[cfg(test)]
mod tests {
    use super::super::Stage;
    use super::*;

    #[test]
    fn it_says_files_bytes_rate_and_time_left() {
        let progress = Progress {
            at: Timestamp::from_second(10).unwrap(),
            stage: Stage::Saving,
            files: 5,
            bytes: 10 << 20,
            of_files: Some(20),
            of_bytes: Some(40 << 20),
            written: 0,
            skipped: 1,
        };
        let words = progress.words(Timestamp::UNIX_EPOCH);
        assert_eq!(words, "saving  25%  5 of 20 files  10M  1.0M/s  30s left  1 not read");
    }
}
