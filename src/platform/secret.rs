//! Asking for a password on a terminal: what is typed is not shown, and the terminal is as it was afterwards.

use std::io::{IsTerminal as _, Stdin, Write as _};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use crate::core::error::{Error, Kind, Result};

/// The longest password that is taken.
const LONGEST: usize = 1024;

/// Whether somebody is there to type one.
pub fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks on standard error and reads a line that is not shown. Ctrl-C, and an empty answer, mean no.
pub fn ask(question: &str) -> Result<String> {
    let stdin = std::io::stdin();
    let hidden = Hidden::begin(&stdin)?;
    let mut stderr = std::io::stderr().lock();
    // An answer can be given also where the question could not be shown.
    let _ = write!(stderr, "{question}: ").and_then(|()| stderr.flush());
    let typed = read(&mut stdin.lock());
    drop(hidden);
    let _ = writeln!(stderr);
    let none = || Error::new(Kind::Cancelled, "no password was typed, so nothing was done");
    let typed = typed.filter(|typed| !typed.is_empty()).ok_or_else(none)?;
    String::from_utf8(typed).map_err(|_| Error::new(Kind::Usage, "the password that was typed is no text"))
}

/// A line, key by key; `None` where it was called off.
fn read(from: &mut impl std::io::Read) -> Option<Vec<u8>> {
    let mut typed = Vec::new();
    let mut key = [0_u8];
    loop {
        match from.read(&mut key) {
            Ok(0) | Err(_) => return None,
            Ok(_) => {}
        }
        match key[0] {
            b'\r' | b'\n' => return Some(typed),
            // Ctrl-C and Ctrl-D.
            3 | 4 => return None,
            // Backspace takes a whole letter back, however many bytes it has.
            8 | 127 => while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {},
            // Ctrl-U takes all of it back.
            21 => typed.clear(),
            byte if typed.len() < LONGEST => typed.push(byte),
            _ => {}
        }
    }
}

/// A terminal that shows nothing of what is typed, for as long as this lives.
struct Hidden<'s> {
    stdin: &'s Stdin,
    before: Termios,
}

impl<'s> Hidden<'s> {
    fn begin(stdin: &'s Stdin) -> Result<Self> {
        let cannot = |errno| {
            let why = std::io::Error::from(errno);
            Error::new(Kind::NotSupported, format!("this terminal cannot hide what is typed: {why}"))
        };
        let before = tcgetattr(stdin).map_err(cannot)?;
        let mut hidden = before.clone();
        // Keys that would end this program are read as well: it must not end while nothing is shown.
        hidden
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
        hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin, OptionalActions::Flush, &hidden).map_err(cannot)?;
        Ok(Self { stdin, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.stdin, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_take_back_do_so_and_keys_that_end_mean_no() {
        let typed = |keys: &str| read(&mut keys.as_bytes()).map(|typed| String::from_utf8(typed).unwrap());
        assert_eq!(typed("secret\n").as_deref(), Some("secret"));
        assert_eq!(typed("se\u{e4}\u{7f}\u{7f}cx\u{8}ret\r").as_deref(), Some("scret"));
        assert_eq!(typed("wrong\u{15}right\n").as_deref(), Some("right"));
        assert_eq!(typed("\u{7f}a\n").as_deref(), Some("a"));
        assert_eq!((typed("se\u{3}"), typed("\u{4}"), typed("cut")), (None, None, None));
    }
}
