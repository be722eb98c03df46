//! A look into a file: what it is, and how it begins; text as text, anything else as bytes.
//!
//! ```text
//! ┌ /workspace/notes.ipynb ───────────────────────────┐
//! │ notebook: 12 cells, 8 of code, 4 of text          │
//! │                                                   │
//! │ {"cells": [                                       │
//! └ j k scroll, y copies the command, Esc closes ─────┘
//! ```

use ratatui::text::Span;

use super::{Sheet, empty};
use crate::model::PreviewView;
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::words;

pub(super) fn sheet(view: &PreviewView, theme: &Theme, columns: u16) -> Sheet {
    let room = usize::from(columns);
    let mut lines: Vec<_> = view
        .preview
        .facts
        .iter()
        .flat_map(|fact| crate::ui::widget::wrap(&words::name(theme, fact), room))
        .map(|line| vec![Span::styled(line, theme.strong)])
        .collect();
    if !lines.is_empty() {
        lines.push(empty());
    }
    let style = if view.preview.hex { theme.faint } else { theme.text };
    for line in &view.preview.lines {
        let line = words::name(theme, line);
        lines.push(vec![Span::styled(text::cut(&line, room, theme.ellipsis()).into_owned(), style)]);
    }
    if view.preview.lines.is_empty() {
        lines.push(vec![Span::styled("It is empty.", theme.faint)]);
    }
    if view.preview.more {
        lines.push(empty());
        lines.push(vec![Span::styled(
            "This is its beginning; y copies the command that prints all.",
            theme.faint,
        )]);
    }
    let title = words::name(theme, &view.name);
    let title = text::cut_middle(&title, room.saturating_sub(4), theme.ellipsis()).into_owned();
    let keys = "j k scroll, y copies the command, Esc closes".into();
    Sheet { title, keys, lines, scroll: view.scroll, cursor: None, columns }
}
