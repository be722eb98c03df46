//! One workspace: beside the list, or full width with the keys.
//!
//! ```text
//!  my-project  my-project._.1001                                    Paths  Files
//!  2 files (2.1G) would be lost if retired.
//!  ... the page
//! ```

mod browse;
mod facts;
mod files;
mod lifecycle;
mod paths;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{put, put_right, wrap};
use super::{empty, words};
use crate::core::check;
use crate::core::workspace::RunState;
use crate::model::{Fact, Model, Page, Row, cells};

pub(super) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let area = margin(area);
    let Some(row) = model.detailed() else {
        // The detail follows the selection after a moment.
        return;
    };
    title(model, theme, row, area, buffer);
    put(buffer, theme, area, 1, &[words::sentence(row, model, theme, area.width)]);
    for (line, at) in warning(model, theme, row, area).into_iter().zip(TITLE_ROWS..) {
        put(buffer, theme, area, at, &[Span::styled(line, theme.danger)]);
    }
    let page = page(model, theme, row, area);
    if model.page == Page::Lifecycle
        && let Some(report) = &model.lifecycle
    {
        return lifecycle::draw(model, theme, report, below(page, u16::from(page.height >= 24)), buffer);
    }
    if model.page == Page::Browse {
        return browse::draw(model, theme, row, page, buffer);
    }
    if row.workspace.state == RunState::Retired {
        return folder(theme, row, page, buffer);
    }
    match (&row.detail, model.page) {
        (Fact::Failed(error), _) => {
            let mut lines = vec![Span::styled(empty::sentence(theme, &error.message), theme.danger)];
            lines.extend(error.hints.iter().map(|hint| Span::styled(words::name(theme, hint), theme.strong)));
            paragraphs(theme, below(page, 1), buffer, &lines);
        }
        (Fact::Waiting, _) => {
            put(buffer, theme, page, 1, &[Span::styled("Looking at it ...", theme.faint)]);
        }
        (Fact::Known(detail), Page::Paths) => paths::draw(model, theme, row, detail, page, buffer),
        // Its report comes with the detail; a folder was drawn above.
        (Fact::Known(_), Page::Lifecycle | Page::Browse) => {}
        (Fact::Known(_), Page::Files) => files::draw(model, theme, row, page, buffer),
    }
}

/// A project folder without a container: all there is to know of it is there at once.
fn folder(theme: &Theme, row: &Row, area: Rect, buffer: &mut Buffer) {
    facts::layers(theme, row, area, buffer);
    let area = below(area, facts::LAYER_ROWS + 1);
    let owner = [Span::styled("owner      ", theme.faint), Span::styled(facts::owner(theme, row), theme.text)];
    put(buffer, theme, area, 0, &owner);
    let says = "No container: nothing in it can be lost by retiring; the folder stays.";
    paragraphs(theme, below(area, 2), buffer, &[Span::styled(says, theme.text)]);
}

/// Title and sentence.
const TITLE_ROWS: u16 = 2;

/// What is left to the page below the title and what is wrong with the workspace. Beside the list the
/// empty row that a page begins with is enough for that, and the rest stands still.
fn page(model: &Model, theme: &Theme, row: &Row, area: Rect) -> Rect {
    let wrong = if model.open { warning(model, theme, row, area).len() } else { 0 };
    below(area, TITLE_ROWS + u16::try_from(wrong).unwrap_or(0))
}

/// What is wrong with the folder that is meant to be kept, and what to do; beside the list in one line.
fn warning(model: &Model, theme: &Theme, row: &Row, area: Rect) -> Vec<String> {
    let Some(classifier) = row.classifier() else { return Vec::new() };
    let Some(finding) = check::folder(&row.workspace.name, classifier) else { return Vec::new() };
    let most = match (model.open, area.height) {
        (false, _) => 1,
        (true, ..16) => 2,
        (true, _) => 3,
    };
    // In few columns only what is wrong and what to do.
    let text = match (model.open && area.width >= 60, cells::violation(row)) {
        (false, Some((folder, violation))) => {
            let folder = words::path(theme, folder);
            format!("{folder} {}: recreate it with a folder mounted there", violation.short())
        }
        _ => format!("{}; {}", finding.evidence, finding.fix),
    };
    let mut lines = wrap(&empty::sentence(theme, &text), usize::from(area.width));
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            last.push_str(theme.ellipsis());
        }
    }
    lines
}

/// Rows of the list on the page, where the detail has this area.
pub(super) fn list_height(model: &Model, theme: &Theme, area: Rect) -> usize {
    let Some(row) = model.detailed() else { return 0 };
    let page = page(model, theme, row, margin(area));
    match model.page {
        Page::Paths => paths::shape(row, &cells::places(row), true, page).places,
        // It scrolls by itself: one item may take several lines.
        Page::Lifecycle => usize::from(page.height),
        Page::Files => files::list_rows(row, page),
        Page::Browse => browse::list_rows(model, page),
    }
}

fn margin(area: Rect) -> Rect {
    Rect { x: area.x.saturating_add(1), width: area.width.saturating_sub(2), ..area }
}

/// The area without its first rows.
fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

fn title(model: &Model, theme: &Theme, row: &Row, area: Rect, buffer: &mut Buffer) {
    let workspace = &row.workspace;
    let mut line = vec![Span::styled(words::name(theme, &workspace.name), theme.strong)];
    if let Some(container) = workspace.container.as_ref().filter(|container| **container != workspace.name) {
        line.push(Span::styled(format!("  {}", words::name(theme, container)), theme.faint));
    }
    let mut pages = Vec::new();
    for page in Page::ALL {
        let style = if page == model.page { theme.active } else { theme.text };
        pages.push(Span::raw("  "));
        pages.push(Span::styled(page.title(), style));
    }
    let room = if put_right(buffer, theme, area, 0, 12, &pages) {
        area.width.saturating_sub(u16::try_from(pages.iter().map(Span::width).sum::<usize>()).unwrap_or(0))
    } else {
        area.width
    };
    put(buffer, theme, Rect { width: room, ..area }, 0, &line);
}

/// Wrapped paragraphs, one below the other; returns the rows used.
fn paragraphs(theme: &Theme, area: Rect, buffer: &mut Buffer, says: &[Span<'_>]) -> u16 {
    let mut row = 0_u16;
    for say in says {
        for line in wrap(&say.content, usize::from(area.width)) {
            put(buffer, theme, area, row, &[Span::styled(line, say.style)]);
            row = row.saturating_add(1);
        }
    }
    row
}
