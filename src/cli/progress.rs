//! One line on standard error that tells how far something is, where somebody watches.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use crate::text::size;

/// The line.
pub(super) struct Line {
    watched: bool,
    shown: bool,
    since: Instant,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { watched: std::io::stderr().is_terminal(), shown: false, since: Instant::now() }
    }

    /// Shows a text in place of the one before.
    pub(super) fn tell(&mut self, text: &str) {
        if self.watched {
            write_over(text);
            self.shown = true;
        }
    }

    /// Shows files, bytes and how fast they go.
    pub(super) fn amount(&mut self, files: u64, bytes: u64) {
        let milliseconds = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = size(bytes.saturating_mul(1000) / milliseconds);
        self.tell(&format!("{files} files, {}, {rate}/s; Ctrl-C stops and leaves nothing", size(bytes)));
    }

    /// Shows bytes, how fast they go, and how long the rest takes where that is known.
    pub(super) fn progress(&mut self, bytes: u64, of: u64) {
        if bytes == 0 {
            return;
        }
        let milliseconds = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = bytes.saturating_mul(1000) / milliseconds;
        let left = of.checked_sub(bytes).filter(|left| *left > 0 && rate > 0).map(|left| left / rate);
        let left = left.map_or_else(String::new, |seconds| format!("  {seconds}s left"));
        let of = if of > bytes { format!(" of {}", size(of)) } else { String::new() };
        self.tell(&format!("{}{of}  {}/s{left}; Ctrl-C stops", size(bytes), size(rate)));
    }

    /// Takes it away: the answer follows.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            write_over("");
        }
    }
}

fn write_over(text: &str) {
    // The answer does not depend on it.
    let _ = write!(std::io::stderr().lock(), "\r{text}\x1b[K");
}
