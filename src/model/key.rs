//! A key as the key table and the tests write it. Knows no terminal.

use std::fmt;

/// Which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyCode {
    /// A character as typed, shift applied.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
}

/// The keys with a name: as shown to people, and as written in the key table.
const NAMED: [(KeyCode, &str, &str); 15] = [
    (KeyCode::Enter, "Enter", "enter"),
    (KeyCode::Esc, "Esc", "esc"),
    (KeyCode::Tab, "Tab", "tab"),
    (KeyCode::BackTab, "BackTab", "backtab"),
    (KeyCode::Backspace, "Backspace", "backspace"),
    (KeyCode::Delete, "Del", "delete"),
    (KeyCode::Up, "Up", "up"),
    (KeyCode::Down, "Down", "down"),
    (KeyCode::Left, "Left", "left"),
    (KeyCode::Right, "Right", "right"),
    (KeyCode::PageUp, "PgUp", "pageup"),
    (KeyCode::PageDown, "PgDn", "pagedown"),
    (KeyCode::Home, "Home", "home"),
    (KeyCode::End, "End", "end"),
    (KeyCode::Char(' '), "Space", "space"),
];

/// A key with or without Ctrl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// Whether Ctrl was held.
    pub ctrl: bool,
}

impl Key {
    /// The key without Ctrl.
    pub const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false }
    }

    /// Reads one key: `j`, `enter`, `<enter>`, `ctrl-d`, `space`. Nothing where it names no key.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text);
        if let Some(rest) = name.strip_prefix("ctrl-") {
            return Self::parse(rest).map(|key| Self { ctrl: true, ..key });
        }
        let mut characters = name.chars();
        if let (Some(only), None) = (characters.next(), characters.next()) {
            return Some(Self::plain(KeyCode::Char(only)));
        }
        let known = |other: &str| other.eq_ignore_ascii_case(name);
        let named = NAMED.iter().find(|(_, shown, written)| known(shown) || known(written));
        named.map(|(code, ..)| Self::plain(*code))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = NAMED.iter().find(|(code, ..)| *code == self.code).map(|(_, name, _)| *name);
        match (self.code, named) {
            (KeyCode::Char(c), None) if self.ctrl => write!(f, "^{}", c.to_ascii_uppercase()),
            (KeyCode::Char(c), None) => write!(f, "{c}"),
            (_, name) => write!(f, "{}{}", if self.ctrl { "^" } else { "" }, name.unwrap_or_default()),
        }
    }
}

/// Reads keys written one after the other, as a person would: `/web<enter>w<esc>`, `<ctrl-d>`.
/// A `<` that begins no key's name is the key itself.
pub fn parse_keys(text: &str) -> Vec<Key> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let named = rest.starts_with('<').then(|| rest.find('>')).flatten().and_then(|end| {
            let (name, after) = rest.split_at(end + 1);
            (name.len() > 3).then(|| Key::parse(name)).flatten().map(|key| (key, after))
        });
        let (key, after) =
            named.unwrap_or((Key::plain(KeyCode::Char(first)), rest.strip_prefix(first).unwrap_or_default()));
        keys.push(key);
        rest = after;
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_a_person_writes_them() {
        let keys: Vec<String> = parse_keys("/a<enter>w<esc><ctrl-d><").iter().map(Key::to_string).collect();
        assert_eq!(keys, ["/", "a", "Enter", "w", "Esc", "^D", "<"]);
    }

    #[test]
    fn every_named_key_reads_back_what_it_shows() {
        for (code, shown, written) in NAMED {
            assert_eq!(Key::parse(written), Some(Key::plain(code)));
            assert_eq!(Key::parse(shown), Some(Key::plain(code)));
            assert_eq!(Key::plain(code).to_string(), shown);
        }
        assert_eq!(Key::parse("nothing"), None);
        assert_eq!(Key::parse(""), None);
    }
}
