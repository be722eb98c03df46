//! One line on standard error that tells how far a job is, where somebody watches.

use std::io::{IsTerminal as _, Write as _};

use jiff::{SignedDuration, Timestamp};

use crate::core::backup::Progress;
use crate::text::{size, span};
use crate::work::JobView;

/// The line.
pub(super) struct Line {
    watched: bool,
    shown: bool,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { watched: std::io::stderr().is_terminal(), shown: false }
    }

    pub(super) fn tell(&mut self, view: &JobView) {
        if let (true, Some(progress), Some(began)) = (self.watched, &view.progress, view.began) {
            write_over(&progress_words(progress, began));
            self.shown = true;
        }
    }

    pub(super) fn clear(&self) {
        if self.shown {
            write_over("");
        }
    }
}

/// How far it is: what it does, files, bytes, rate, and how long it still takes.
pub(super) fn progress_words(progress: &Progress, began: Timestamp) -> String {
    let mut words = vec![progress.stage.word().to_owned()];
    if let Some(percent) = progress.percent() {
        words.push(format!("{percent}%"));
    }
    if progress.files > 0 {
        words.push(match progress.of_files {
            Some(of) => {
                format!("{} of {} files", progress.files.min(of.max(progress.files)), of.max(progress.files))
            }
            None => format!("{} files", progress.files),
        });
    }
    if progress.bytes > 0 {
        words.push(size(progress.bytes));
    }
    if let Some(rate) = progress.rate(began).filter(|rate| *rate > 0) {
        words.push(format!("{}/s", size(rate)));
    }
    if let Some(left) = progress.left(began).and_then(|left| i64::try_from(left).ok()) {
        words.push(format!("{} left", left_words(left)));
    }
    if progress.skipped > 0 {
        words.push(format!("{} not read", progress.skipped));
    }
    words.join("  ")
}

/// How long it still takes: the last minute counts in seconds.
fn left_words(seconds: i64) -> String {
    if seconds < 60 { format!("{seconds}s") } else { span(SignedDuration::from_secs(seconds)) }
}

fn write_over(text: &str) {
    // The answer does not depend on it.
    let _ = write!(std::io::stderr().lock(), "\r{text}\x1b[K");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::backup::Stage;

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
        let words = progress_words(&progress, Timestamp::UNIX_EPOCH);
        assert_eq!(words, "saving  25%  5 of 20 files  10M  1.0M/s  30s left  1 not read");
    }
}
