//! Editing one line of text: the filter, a typed name. The keys people know from their shell work.

use tui_textarea::{CursorMove, Input, Key as Code, TextArea};

use crate::model::Editing;
use crate::model::key::{Key, KeyCode};

/// A line being edited.
#[derive(Debug)]
pub(super) struct Editor(TextArea<'static>);

impl Editor {
    /// Starts with a text, the cursor behind it.
    pub(super) fn new(text: &str) -> Self {
        let mut area = TextArea::new(vec![text.to_string()]);
        area.move_cursor(CursorMove::End);
        Self(area)
    }

    /// Takes a key that edits; Enter, Esc and Tab are the caller's.
    pub(super) fn press(&mut self, key: Key) {
        let code = match key.code {
            KeyCode::Char(c) => Code::Char(c),
            KeyCode::Backspace => Code::Backspace,
            KeyCode::Delete => Code::Delete,
            KeyCode::Left => Code::Left,
            KeyCode::Right => Code::Right,
            KeyCode::Home => Code::Home,
            KeyCode::End => Code::End,
            _ => return,
        };
        // Ctrl-M is Enter on some terminals; a second line is never wanted.
        if key.ctrl && matches!(key.code, KeyCode::Char('m' | 'j')) {
            return;
        }
        self.0.input(Input { key: code, ctrl: key.ctrl, alt: false, shift: false });
    }

    /// Takes pasted text; line ends become spaces.
    pub(super) fn paste(&mut self, text: &str) {
        let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        self.0.insert_str(line);
    }

    /// The text and the cursor, for the screen.
    pub(super) fn line(&self) -> Editing {
        let text = self.0.lines().first().cloned().unwrap_or_default();
        Editing { text, cursor: self.0.cursor().1, find: false, prompt: None }
    }
}
