//! The model drawn: one file a panel. No async, no I/O, no engine, no state.
//!
//! ```text
//! header      Docker · alice · lab01                12 files 2.1G at risk, 3 not read
//! tabs        1 Workspaces  2 At risk                      if retired  (w: what if)
//! body       list │ detail, list alone, or detail alone
//! tour        up to three lines, in the demo only
//! jobs        one line while a job goes on
//! hint        up to four lines that stay
//! footer      S stop or start  Enter open  w what if  ? help
//! ```
//!
//! Moving the selection changes the two rows of the list and nothing else: what
//! stands beside the list follows the detail, which follows after a moment.

mod at_risk;
mod backups;
mod detail;
mod disk;
mod empty;
mod footer;
mod header;
mod layout;
mod overlay;
mod tabs;
mod theme;
mod tour;
mod why;
mod widget;
mod words;
mod workspaces;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::{Model, Overlay};
use layout::{Areas, Body};

pub use theme::{Lines, Theme};

/// The whole screen as a fresh frame.
pub fn frame(model: &Model, theme: &Theme) -> Buffer {
    let (columns, rows) = model.size;
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    draw(model, theme, &mut buffer);
    buffer
}

/// Draws the whole screen on an empty buffer of the model's size.
pub fn draw(model: &Model, theme: &Theme, buffer: &mut Buffer) {
    let areas = Areas::of(model, buffer.area);
    header::draw(model, theme, areas.header, buffer);
    tabs::draw(model, theme, areas.tabs, buffer);
    match areas.body {
        Body::Workspaces { list, detail } => {
            if let Some(detail) = detail {
                let branch = detail.x.saturating_sub(1);
                widget::rule(buffer, theme, areas.rule, Some(branch));
                widget::upright(buffer, theme, Rect { x: branch, width: 1, ..detail });
                detail::draw(model, theme, detail, buffer);
            }
            workspaces::draw(model, theme, list, buffer);
        }
        Body::Detail(area) => detail::draw(model, theme, area, buffer),
        Body::AtRisk { list, why } => at_risk::draw(model, theme, list, why, buffer),
        Body::Disk { head, list, why } => disk::draw(model, theme, (head, list, why), buffer),
        Body::Backups { head, list, why } => backups::draw(model, theme, (head, list, why), buffer),
    }
    backups::job_line(model, theme, areas.jobs, buffer);
    footer::hint(model, theme, areas.hint, buffer);
    footer::draw(model, theme, areas.footer, buffer);
    if let Some(overlay) = &model.overlay {
        overlay::draw(overlay, model, theme, clear_of(&areas, model, buffer.area), buffer);
    }
    tour::draw(model, theme, areas.tour, buffer);
}

/// Where things may lie on top: the tour and what just happened stay in sight.
fn clear_of(areas: &Areas, model: &Model, screen: Rect) -> Rect {
    let told = model.notice.as_ref().map(|_| areas.footer);
    let lowest = [Some(areas.tour), told].into_iter().flatten().filter(|area| !area.is_empty());
    Rect { height: lowest.map(|area| area.y).min().unwrap_or(screen.height), ..screen }
}

/// How far the open help can be scrolled, and how many of its rows are seen.
pub fn help_rows(model: &Model) -> (usize, usize) {
    let (columns, rows) = model.size;
    let screen = Rect::new(0, 0, columns, rows);
    match &model.overlay {
        // How lines are broken does not depend on colours.
        Some(Overlay::Help(view)) => {
            overlay::help_rows(view, &Theme::mono(), clear_of(&Areas::of(model, screen), model, screen))
        }
        _ => (0, 0),
    }
}

pub use overlay::{explain_scroll, find_page, preview_scroll, record_scroll, verbs_scroll};

/// Rows that are visible of the list that has the keys.
pub fn page_height(model: &Model) -> usize {
    let (columns, rows) = model.size;
    let areas = Areas::of(model, Rect::new(0, 0, columns, rows));
    match areas.body {
        Body::Workspaces { list, .. }
        | Body::AtRisk { list, .. }
        | Body::Disk { list, .. }
        | Body::Backups { list, .. } => layout::list_rows(list),
        Body::Detail(area) => detail::list_height(model, &Theme::mono(), area),
    }
}
