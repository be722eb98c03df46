//! Help: all keys from the one table, and what there is to learn, a page each.
//!
//! ```text
//! ┌ What lasts ─────────────────────────────────────────┐
//! │ Keys  What lasts  Words  Examples  Help             │
//! │                                                     │
//! │ Everything in /workspace (inside the container) ... │
//! └ Tab next page, j k scroll, Esc closes ──────────────┘
//! ```

mod keys;
mod lessons;

use ratatui::text::Span;

use super::{Sheet, empty};
use crate::model::{HelpPage, HelpView};
use crate::text;
use crate::ui::theme::Theme;

/// Names of the pages, and an empty line.
const HEAD_ROWS: usize = 2;

/// The sheet for a screen with room for this many columns and rows of text. It fills its room,
/// so that it stands still while pages are turned.
pub(super) fn sheet(view: &HelpView, theme: &Theme, columns: u16, rows: u16) -> Sheet {
    let visible = visible(rows);
    let mut body = body(view, theme, columns);
    let hidden = body.len().saturating_sub(visible);
    let scroll = view.scroll.min(hidden);
    let below = hidden - scroll;
    let mut lines = vec![names(view.page, theme, columns), empty()];
    lines.extend(body.drain(..).skip(scroll).take(visible));
    lines.resize(visible + HEAD_ROWS, empty());
    let keys = match (usize::from(columns), hidden, below) {
        (..46, 0, _) => "Tab page, Esc closes".into(),
        (..46, _, 0) => "Tab page, k up, Esc".into(),
        (..46, ..) => format!("Tab page, j: {below} more, Esc"),
        (_, 0, _) => "Tab next page, Esc closes".into(),
        (_, _, 0) => "Tab next page, j k scroll, Esc closes".into(),
        _ => format!("Tab next page, j k scroll ({below} more), Esc closes"),
    };
    Sheet { title: view.page.title().into(), keys, lines, scroll: 0, cursor: None, columns }
}

/// How far the page can be scrolled, and how many of its rows are seen.
pub(super) fn rows(view: &HelpView, theme: &Theme, columns: u16, rows: u16) -> (usize, usize) {
    let visible = visible(rows);
    (body(view, theme, columns).len().saturating_sub(visible), visible)
}

fn visible(rows: u16) -> usize {
    usize::from(rows).saturating_sub(HEAD_ROWS).max(1)
}

fn body(view: &HelpView, theme: &Theme, columns: u16) -> Vec<Vec<Span<'static>>> {
    match view.page {
        HelpPage::Keys => keys::lines(theme, columns),
        HelpPage::WhatLasts => lessons::what_lasts(&view.lessons, theme, columns),
        HelpPage::Words => lessons::words(&view.lessons, theme, columns),
        HelpPage::Examples => lessons::examples(&view.lessons, theme, columns),
        HelpPage::Contacts => lessons::contacts(&view.lessons, theme, columns),
    }
}

/// The names of all pages in one line, as wide as the box; where they do not fit, which one it is.
fn names(page: HelpPage, theme: &Theme, columns: u16) -> Vec<Span<'static>> {
    let columns = usize::from(columns);
    let all: Vec<&str> = HelpPage::ALL.iter().map(|page| page.title()).collect();
    let at = HelpPage::ALL.iter().position(|other| *other == page).unwrap_or(0);
    if text::width(&all.join("  ")) > columns {
        let says = format!("page {} of {}", at + 1, all.len());
        return vec![Span::styled(text::pad(&says, columns), theme.faint)];
    }
    let mut line: Vec<Span<'static>> = Vec::new();
    for other in HelpPage::ALL {
        let style = if other == page { theme.active } else { theme.text };
        line.push(Span::styled(other.title(), style));
        line.push(Span::raw("  "));
    }
    line.pop();
    let used: usize = line.iter().map(Span::width).sum();
    line.push(Span::raw(" ".repeat(columns - used)));
    line
}
