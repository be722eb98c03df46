//! Backups: snapshots of the repository, jobs, and the log of what was changed; one of the three at a time.
//!
//! ```text
//!  Snapshots 3  Jobs 1  Log 12                                            v: next
//!  /home/alice/.local/share/outlast/repository, read 2m ago
//!  protects against retire and deletion, not against losing this host
//!   OF           AGE   SIZE  FILES  STATE            FROM
//! › my-project    3d   2.1G    120  verified 3d ago  /home/alice/workspace/my-project
//!   thesis        1h      ?      ?  not verified     /home/alice/workspace/thesis
//! ──────────────────────────────────────────────────────────────────────────────────
//!  1a2b3c4d of my-project, made on lab01, 120 files, 2.1G
//! ```

mod rows;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{Table, TableRow, put, put_right};
use super::{empty, layout, why, words};
use crate::model::backups::{BackupView, Listing};
use crate::model::{Model, Tab};
use crate::text;

/// Rows above the list: the views, and of the snapshots where they are and what that is good for.
pub(super) fn head_rows(model: &Model, area: Rect) -> u16 {
    let backups = &model.backups;
    match (backups.view, area.height) {
        (_, ..4) => 0,
        (BackupView::Snapshots, 8..) if backups.listing != Listing::Absent => {
            2 + u16::from(backups.good_for.is_some() && area.height >= 12)
        }
        _ => 1,
    }
}

pub(super) fn draw(
    model: &Model,
    theme: &Theme,
    (head, area, below): (Rect, Rect, Option<Rect>),
    buffer: &mut Buffer,
) {
    heads(model, theme, head, buffer);
    let list = model.backups.list();
    if list.shown.is_empty() {
        return empty::backups(model, theme, area, buffer);
    }
    let area = Rect { width: area.width.saturating_sub(1), ..area };
    let visible: Vec<(usize, usize)> = (list.offset..list.shown.len())
        .take(layout::list_rows(area))
        .filter_map(|place| Some((place, *list.shown.get(place)?)))
        .collect();
    let table = Table::fit(rows::columns(model, theme, area), area.width);
    let top = layout::head_rows(area);
    if top > 0 {
        table.heads(buffer, theme, area, 0);
    }
    for ((place, index), line) in visible.iter().zip(top..) {
        let cells = rows::cells(model, theme, *index);
        let row = TableRow { cells, selected: *place == list.selected, marked: false };
        table.row(buffer, theme, area, line, &row);
    }
    if let Some(area) = below {
        let (first, second) = rows::said(model, theme);
        why::lines(&first, second, theme, area, buffer);
    }
}

fn heads(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let backups = &model.backups;
    if area.height > 0 {
        let mut line = Vec::new();
        for view in BackupView::ALL {
            let style = if view == backups.view { theme.active } else { theme.text };
            line.push(Span::styled(view.title(), style));
            line.push(Span::styled(format!(" {}  ", backups.count(view)), theme.faint));
        }
        let used = put(buffer, theme, inside, 0, &line);
        put_right(buffer, theme, inside, 0, used, &[Span::styled("v: next view", theme.faint)]);
    }
    if area.height > 1 {
        put(buffer, theme, inside, 1, &[repository(model, theme, usize::from(inside.width))]);
    }
    if let Some(good_for) = backups.good_for.as_deref().filter(|_| area.height > 2) {
        put(buffer, theme, inside, 2, &[Span::styled(words::name(theme, good_for), theme.faint)]);
    }
}

/// Where the snapshots are, and how old what is shown is.
fn repository(model: &Model, theme: &Theme, room: usize) -> Span<'static> {
    let backups = &model.backups;
    let read = backups.as_of.map(|at| format!("read {}", text::ago(at, model.now)));
    let (says, style) = match (&backups.listing, read) {
        (Listing::Reading | Listing::Waiting, None) => ("reading ...".into(), theme.caution),
        (Listing::Reading | Listing::Waiting, Some(read)) => {
            (format!("{read}, reading it again"), theme.caution)
        }
        (Listing::Failed(error), Some(read)) => {
            (format!("{read}; {}", words::name(theme, &error.message)), theme.danger)
        }
        (Listing::Failed(error), None) => (words::name(theme, &error.message), theme.danger),
        (Listing::Known | Listing::Absent, read) => (read.unwrap_or_default(), theme.text),
    };
    if backups.url.is_empty() {
        return Span::styled(says, style);
    }
    let url = words::name(theme, &backups.url);
    let room = room.saturating_sub(text::width(&says) + 2).max(12);
    Span::styled(format!("{}, {says}", text::cut_middle(&url, room, theme.ellipsis())), style)
}

/// How far jobs are, above the keys: seen wherever the person is.
pub(super) fn job_line(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let mut live = model.backups.live();
    let Some(view) = live.next() else { return };
    let more = live.count();
    let name = words::name(theme, &view.name());
    let more = if more > 0 { format!("  +{more} more") } else { String::new() };
    let line = [
        Span::styled(text::cut_middle(&name, 26, theme.ellipsis()).into_owned(), theme.strong),
        Span::styled(format!("  {}{more}", words::name(theme, &view.words())), theme.text),
    ];
    let used = put(buffer, theme, inside, 0, &line);
    put_right(buffer, theme, inside, 0, used.saturating_add(2), &[Span::styled("5: backups", theme.faint)]);
}

/// Whether that line is there: not beside the list that says the same.
pub(super) fn has_job_line(model: &Model) -> bool {
    let listed = model.tab == Tab::Backups && model.backups.view == BackupView::Jobs;
    !listed && any_job(model)
}

/// Whether a job goes on.
pub(super) fn any_job(model: &Model) -> bool {
    model.backups.live().next().is_some()
}
