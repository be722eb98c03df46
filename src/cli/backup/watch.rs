//! One line on standard error that tells how far a job is, where somebody watches.

use std::io::{IsTerminal as _, Write as _};

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
            write_over(&progress.words(began));
            self.shown = true;
        }
    }

    pub(super) fn clear(&self) {
        if self.shown {
            write_over("");
        }
    }
}

fn write_over(text: &str) {
    // The answer does not depend on it.
    let _ = write!(std::io::stderr().lock(), "\r{text}\x1b[K");
}
