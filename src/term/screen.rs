//! The screen: takes the terminal, shows frames with as few bytes as they need, gives it back.
//!
//! Not `ratatui::Terminal`: that one asks the terminal for its cursor, prints on a dead line
//! (which ends in an abort) and writes even when nothing changed.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ratatui::buffer::Buffer;

use super::caps::Caps;
use super::guard;
use super::paint::Painter;

/// Room for a whole repaint of a large window, so that a frame is one write.
const FRAME_BYTES: usize = 64 * 1024;

/// What most terminals accept in one copy sequence, in bytes of text.
const COPY_BYTES: usize = 74_994;

/// A terminal, or in tests anything that takes bytes.
pub struct Screen<W: Write> {
    out: W,
    /// Whether `out` is the process's terminal, whose modes must be set and undone.
    terminal: bool,
    entered: bool,
    painter: Painter,
    frame: Vec<u8>,
    size: (u16, u16),
}

impl Screen<Box<dyn Write>> {
    /// A screen on the terminal this process runs in.
    ///
    /// # Errors
    /// Where standard output is closed.
    pub fn on_terminal(caps: Caps) -> io::Result<Self> {
        let (cols, rows) = terminal_size();
        let out: Box<dyn Write> = Box::new(guard::output()?);
        let mut screen = Self::new(out, caps, cols, rows);
        screen.terminal = true;
        Ok(screen)
    }
}

impl<W: Write> Screen<W> {
    /// A screen on any writer; no terminal modes are touched.
    pub fn new(out: W, caps: Caps, cols: u16, rows: u16) -> Self {
        Self {
            out,
            terminal: false,
            entered: false,
            painter: Painter::new(caps),
            frame: Vec::with_capacity(FRAME_BYTES),
            size: (cols, rows),
        }
    }

    /// Columns and rows, as last told by [`Screen::resize`] or read on entering.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// Takes the terminal: raw mode, alternate screen, no cursor, bracketed paste.
    ///
    /// # Errors
    /// Where the terminal is gone; what was set by then is undone.
    pub fn enter(&mut self) -> io::Result<()> {
        if self.terminal {
            guard::take()?;
            self.size = terminal_size();
        }
        self.entered = true;
        self.painter.forget();
        let entered = self.out.write_all(guard::ENTER).and_then(|()| self.out.flush());
        if entered.is_err() {
            self.leave();
        }
        entered
    }

    /// Gives the terminal back as it was. Any number of times, also on a dead terminal.
    pub fn leave(&mut self) {
        if !std::mem::take(&mut self.entered) {
            return;
        }
        if self.terminal {
            guard::restore();
        } else {
            let _gone = self.out.write_all(guard::LEAVE).and_then(|()| self.out.flush());
        }
    }

    /// Shows a frame and returns the bytes written: none where nothing changed.
    ///
    /// # Errors
    /// Where the terminal is gone, or was given back because of a panic elsewhere.
    pub fn draw(&mut self, next: Buffer) -> io::Result<usize> {
        if self.terminal && self.entered && !guard::is_taken() {
            return Err(io::Error::other("the terminal was given back"));
        }
        self.frame.clear();
        self.painter.paint(next, &mut self.frame);
        if self.frame.is_empty() {
            return Ok(0);
        }
        let written = self.out.write_all(&self.frame).and_then(|()| self.out.flush());
        if written.is_err() {
            self.painter.forget();
        }
        written.map(|()| self.frame.len())
    }

    /// The next frame is sent whole: somebody else may have written here.
    pub fn repaint(&mut self) {
        self.painter.forget();
    }

    /// The window has a new size; the next frame is sent whole.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        self.size = (cols.max(1), rows.max(1));
        self.painter.forget();
    }

    /// Gives the terminal back, stops this process as Ctrl-Z would, and takes it again once
    /// continued. The answer to [`super::Input::Suspended`].
    ///
    /// # Errors
    /// Where the terminal is gone when the process continues.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.leave();
        signal_hook::low_level::raise(signal_hook::consts::SIGSTOP)?;
        self.enter()
    }

    /// Takes the modes again after the process was stopped and continued from outside. The
    /// answer to [`super::Input::Resumed`].
    ///
    /// # Errors
    /// Where the terminal is gone.
    pub fn resume(&mut self) -> io::Result<()> {
        if self.entered { self.enter() } else { Ok(()) }
    }

    /// Puts text into the clipboard of the person's own machine, also through SSH (OSC 52).
    ///
    /// # Errors
    /// `InvalidInput` for more than terminals accept; otherwise where the terminal is gone.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        if text.len() > COPY_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too long for the terminal's clipboard"));
        }
        write!(self.out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
        self.out.flush()
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Columns of the terminal that standard output is; `None` where it is none.
pub fn columns() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}

/// Columns and rows of the terminal; 80 by 24 where it does not say (a serial line says 0 by 0).
fn terminal_size() -> (u16, u16) {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => (80, 24),
    }
}
