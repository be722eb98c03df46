//! Who took the terminal gives it back: once, from wherever the program ends.
//!
//! The state is the process's, not a value's, because a panic hook and the signal thread must
//! give the terminal back without reaching the screen. Nothing here can fail or panic: the
//! terminal may be gone already.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the terminal is ours at the moment.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Alternate screen, no cursor, bracketed paste. Mouse and focus stay off: with them the person
/// could not select text.
pub(super) const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[?2004h";

/// Undoes all of [`ENTER`], a frame cut in the middle, and the colours left on.
pub(super) const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// Puts the terminal into raw mode and remembers that it must be given back.
pub(super) fn take() -> io::Result<()> {
    crossterm::terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    Ok(())
}

/// Whether the terminal is still ours (a panic elsewhere gives it back).
pub(super) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Gives the terminal back if it is ours: best effort, any number of times, from any thread.
///
/// Writes to the descriptor itself: no lock that the interrupted thread may hold.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _gone = rustix::io::write(io::stdout(), LEAVE);
        let _gone = crossterm::terminal::disable_raw_mode();
    }
}

/// Makes a panic give the terminal back before its message is printed by the previous hook.
pub fn install_panic_hook() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        restore();
        previous(info);
    }));
}

/// Standard output without the line buffer of the standard library: one write a frame.
pub(super) fn output() -> io::Result<impl Write> {
    Ok(std::fs::File::from(rustix::io::dup(io::stdout())?))
}
