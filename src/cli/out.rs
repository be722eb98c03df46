//! The one writer of standard output. A reader that went away is not an error.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use serde::Serialize;

use super::args::{Global, When};
use crate::core::error::{Error, Kind, Result};

/// Standard output.
#[derive(Debug)]
pub(super) struct Out {
    bold: bool,
    /// Columns of the terminal that is written to, if it is one.
    columns: Option<usize>,
    closed: bool,
    answered: bool,
}

impl Out {
    pub(super) fn new(global: &Global, columns: Option<u16>) -> Self {
        let bold = match global.color {
            Some(When::Always) => true,
            Some(When::Never) => false,
            _ => {
                let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                std::io::stdout().is_terminal() && !no_color
            }
        };
        Self { bold, columns: columns.map(usize::from), closed: false, answered: false }
    }

    /// Columns of the terminal; `None` where lines may be as long as they are.
    pub(super) const fn columns(&self) -> Option<usize> {
        self.columns
    }

    /// Without any colour.
    pub(super) const fn plain() -> Self {
        Self { bold: false, columns: None, closed: false, answered: false }
    }

    /// Prints lines that are harmless already.
    pub(super) fn lines<L: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = L>) -> Result<()> {
        let mut text = String::new();
        for line in lines {
            text.push_str(line.as_ref());
            text.push('\n');
        }
        self.bytes(text.as_bytes())
    }

    /// Prints a heading and lines below it.
    pub(super) fn table(&mut self, table: &super::table::Table) -> Result<()> {
        let mut lines = table.lines_within(self.columns);
        if self.bold
            && let Some(heading) = lines.first_mut()
        {
            *heading = format!("\x1b[1m{heading}\x1b[0m");
        }
        self.lines(lines)
    }

    /// Prints one JSON object; names are as they are, JSON's own escapes keep control characters harmless.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(value)
            .map_err(|error| Error::new(Kind::Failed, format!("the answer cannot be written: {error}")))?;
        text.push(b'\n');
        self.answered = true;
        self.bytes(&text)
    }

    /// Whether a JSON object was printed; there is never a second one.
    pub(super) const fn answered(&self) -> bool {
        self.answered
    }

    /// Whether the reader went away: nothing more needs to be read for it.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Prints bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        if self.closed {
            return Ok(());
        }
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => Err(Error::new(Kind::Failed, format!("could not write the answer: {error}"))),
        }
    }
}
