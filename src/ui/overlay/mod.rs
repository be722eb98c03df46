//! What lies on top of a view: a box in the middle, emptied beneath, with its keys below.
//!
//! ```text
//! ┌ What if ────────────────────────────────┐
//! │                                         │
//! └ Enter chooses, Esc closes ──────────────┘
//! ```

mod explain;
mod find;
mod habits;
mod help;
mod plan;
mod preview;
mod record;
mod verbs;
mod what_if;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{boxed, put};
use crate::core::event::Event;
use crate::keys::Action;
use crate::model::backups::RecordView;
use crate::model::{ExplainView, HelpView, Model, Overlay, PreviewView};

/// Lines of an explanation that can be scrolled away on a screen of this size.
pub fn explain_scroll(view: &ExplainView, event: Event, (columns, rows): (u16, u16)) -> usize {
    // Neither colours nor the alphabet change how many lines there are.
    let (columns, rows) = room(Rect::new(0, 0, columns, rows));
    explain::sheet(view, event, &Theme::dark(), columns).lines.len().saturating_sub(usize::from(rows))
}

/// Lines of a look into a file that can be scrolled away on a screen of this size.
pub fn preview_scroll(view: &PreviewView, (columns, rows): (u16, u16)) -> usize {
    let (columns, rows) = room(Rect::new(0, 0, columns, rows));
    preview::sheet(view, &Theme::dark(), columns).lines.len().saturating_sub(usize::from(rows))
}

/// Lines of the verbs that can be scrolled away on a screen of this size.
pub fn verbs_scroll(verbs: &[(Action, Option<String>)], (columns, rows): (u16, u16)) -> usize {
    let (columns, rows) = room(Rect::new(0, 0, columns, rows));
    verbs::sheet(verbs, 0, &Theme::dark(), columns).lines.len().saturating_sub(usize::from(rows))
}

/// Lines of a record that can be scrolled away on a screen of this size.
pub fn record_scroll(view: &RecordView, (columns, rows): (u16, u16)) -> usize {
    let (columns, rows) = room(Rect::new(0, 0, columns, rows));
    record::sheet(view, &Theme::dark(), columns).lines.len().saturating_sub(usize::from(rows))
}

/// Rows that a page key moves in the list of found files.
pub fn find_page(model: &Model) -> usize {
    usize::from(model.size.1).saturating_sub(5).max(1)
}

/// Draws it in the middle of a part of the screen.
pub(super) fn draw(overlay: &Overlay, model: &Model, theme: &Theme, screen: Rect, buffer: &mut Buffer) {
    let (columns, rows) = room(screen);
    let sheet = match overlay {
        Overlay::Help(view) => help::sheet(view, theme, columns, rows),
        Overlay::Habits(view) => habits::sheet(view, theme, columns, rows),
        Overlay::Verbs(verbs, scroll) => verbs::sheet(verbs, *scroll, theme, columns),
        Overlay::WhatIf { subject, worst, cursor } => {
            what_if::sheet(model, subject, worst, *cursor, theme, columns)
        }
        Overlay::Explain(view) => explain::sheet(view, model.event, theme, columns),
        Overlay::Find(view) => find::sheet(view, model, theme, columns),
        Overlay::Preview(view) => preview::sheet(view, theme, columns),
        Overlay::Plan(view) => plan::sheet(view, theme, columns, rows),
        Overlay::Jobs(plan) => plan::of_jobs(plan, theme, columns, rows),
        Overlay::Record(view) => record::sheet(view, theme, columns),
    };
    sheet.draw(theme, screen, buffer);
}

/// Columns and rows of text in a box: text is measured for the width it will have.
fn room(screen: Rect) -> (u16, u16) {
    (screen.width.saturating_sub(MARGIN).min(WIDEST).saturating_sub(4), screen.height.saturating_sub(2))
}

/// How far help can be scrolled in a part of the screen, and how many of its rows are seen.
pub(super) fn help_rows(view: &HelpView, theme: &Theme, screen: Rect) -> (usize, usize) {
    let (columns, rows) = room(screen);
    help::rows(view, theme, columns, rows)
}

/// Columns left free on both sides together.
const MARGIN: u16 = 4;
/// Lines longer than this are hard to read.
const WIDEST: u16 = 92;

/// What an overlay shows.
struct Sheet {
    title: String,
    keys: String,
    lines: Vec<Vec<Span<'static>>>,
    /// Lines scrolled away.
    scroll: usize,
    /// A line that must be in sight.
    cursor: Option<usize>,
    /// Columns that the lines were made for.
    columns: u16,
}

impl Sheet {
    /// Draws the box in the middle, as small as its lines allow.
    fn draw(&self, theme: &Theme, screen: Rect, buffer: &mut Buffer) {
        let text = self.lines.iter().map(|line| line.iter().map(Span::width).sum::<usize>()).max().unwrap_or(0);
        let keys = crate::text::width(&self.keys) + 4;
        let inside = u16::try_from(text.max(keys)).unwrap_or(u16::MAX).min(self.columns);
        let width = inside.saturating_add(4).min(screen.width);
        let rows = u16::try_from(self.lines.len()).unwrap_or(u16::MAX);
        let height = rows.saturating_add(2).min(screen.height);
        let area = Rect {
            x: screen.x + (screen.width - width) / 2,
            y: screen.y + (screen.height - height) / 2,
            width,
            height,
        };
        let inside = boxed(buffer, theme, area, &self.title, &self.keys);
        let visible = usize::from(inside.height);
        let most = self.lines.len().saturating_sub(visible);
        let follow = self.cursor.map_or(0, |cursor| (cursor + 1).saturating_sub(visible));
        let first = self.scroll.max(follow).min(most);
        for (line, row) in self.lines.iter().skip(first).take(visible).zip(0..) {
            put(buffer, theme, inside, row, line);
        }
    }
}

/// An empty line.
fn empty() -> Vec<Span<'static>> {
    Vec::new()
}
