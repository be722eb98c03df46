//! The second line: the tabs with their keys, and the event that fates are shown for.
//!
//! ```text
//!  1 Workspaces  2 At risk                             if retired  (w: what if)
//!  1 Workspaces  2 At risk          /py: 3 of 12       if rebooted  (Esc: back)
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{put, put_right};
use super::words;
use crate::model::{Model, Tab};

pub(super) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let mut left = Vec::new();
    for (place, tab) in Tab::ALL.into_iter().enumerate() {
        let style = if tab == model.tab { theme.active } else { theme.text };
        if place > 0 {
            left.push(Span::raw("  "));
        }
        left.push(Span::styled(format!("{} ", place + 1), theme.faint));
        left.push(Span::styled(tab.title(), style));
    }
    let used = put(buffer, theme, inside, 0, &left);
    let event = model.event.if_words();
    let (style, way) =
        if model.event_chosen() { (theme.strong, "  (Esc: back)") } else { (theme.text, "  (w: what if)") };
    let filter = filter(model, theme);
    let long = [filter.clone(), vec![Span::styled(event, style), Span::styled(way, theme.faint)]].concat();
    let short = [filter, vec![Span::styled(event, style)]].concat();
    for line in [long, short, vec![Span::styled(event, style)]] {
        if put_right(buffer, theme, inside, 0, used.saturating_add(2), &line) {
            break;
        }
    }
}

/// The filter that narrows the list, and what it leaves.
fn filter(model: &Model, theme: &Theme) -> Vec<Span<'static>> {
    let (list, all) = match model.tab {
        Tab::Workspaces => (&model.workspaces, model.rows.len()),
        Tab::AtRisk => (&model.at_risk, model.files.len()),
    };
    if list.filter.is_empty() {
        return Vec::new();
    }
    let text = format!("/{}: {} of {all}   ", words::name(theme, &list.filter), list.shown.len());
    vec![Span::styled(text, theme.caution)]
}
