//! The second line: the tabs with their keys, and the event that fates are shown for.
//!
//! ```text
//!  1 Workspaces  2 At risk  3 Disk  5 Backups          if retired  (w: what if)
//!  1 Workspaces  2 At risk  3 Disk  5 Backups   /py: 3 of 12       if rebooted
//!  1 Workspaces  2  3  5        if retired
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{put, put_right};
use super::words;
use crate::model::{List, Model, Tab};

pub(super) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let event = model.event.if_words();
    let (style, way) =
        if model.event_chosen() { (theme.strong, "  (Esc: back)") } else { (theme.text, "  (w: what if)") };
    let all = titles(model, theme, true);
    let wide: usize = all.iter().map(Span::width).sum();
    let fits = wide + 2 + event.len() <= usize::from(inside.width);
    let left = if fits { all } else { titles(model, theme, false) };
    let used = put(buffer, theme, inside, 0, &left);
    let filter = filter(model, theme);
    let long = [filter.clone(), vec![Span::styled(event, style), Span::styled(way, theme.faint)]].concat();
    let short = [filter, vec![Span::styled(event, style)]].concat();
    for line in [long, short, vec![Span::styled(event, style)]] {
        if put_right(buffer, theme, inside, 0, used.saturating_add(2), &line) {
            break;
        }
    }
}

/// The tabs; where there is little room only the one that is open has its name.
fn titles(model: &Model, theme: &Theme, whole: bool) -> Vec<Span<'static>> {
    let mut line = Vec::new();
    for (place, tab) in Tab::ALL.into_iter().enumerate() {
        let open = tab == model.tab;
        if place > 0 {
            line.push(Span::raw("  "));
        }
        line.push(Span::styled(tab.key().to_string(), theme.faint));
        if whole || open {
            line.push(Span::raw(" "));
            line.push(Span::styled(tab.title(), if open { theme.active } else { theme.text }));
        }
    }
    line
}

/// The filter that narrows the list, and what it leaves.
fn filter(model: &Model, theme: &Theme) -> Vec<Span<'static>> {
    let of = |list: &List, all: usize| (list.filter.clone(), list.shown.len(), all);
    let (filter, shown, all) = match (model.tab, &model.disk.tree) {
        (Tab::Workspaces, _) => of(&model.workspaces, model.rows.len()),
        (Tab::AtRisk, _) => of(&model.at_risk, model.files.len()),
        (Tab::Disk, None) => of(&model.disk.list, model.disk.roots.len()),
        (Tab::Backups, _) => of(model.backups.list(), model.backups.count(model.backups.view)),
        (Tab::Disk, Some(tree)) => (tree.filter.clone(), tree.shown.of, 0),
    };
    if filter.is_empty() {
        return Vec::new();
    }
    let of_all = if all > 0 { format!(" of {all}") } else { String::new() };
    let text = format!("/{}: {shown}{of_all}   ", words::name(theme, &filter));
    vec![Span::styled(text, theme.caution)]
}
