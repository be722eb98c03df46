//! Rules, upright lines and boxes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::line::put;
use crate::text;
use crate::ui::theme::Theme;

/// Draws a rule along the first row of an area, branching off downwards at a column of the screen.
pub(in crate::ui) fn rule(buffer: &mut Buffer, theme: &Theme, area: Rect, branch: Option<u16>) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    let lines = theme.lines();
    for x in area.left()..area.right() {
        let glyph = if branch == Some(x) { lines.branch } else { lines.across };
        buffer.set_stringn(x, area.y, glyph, 1, theme.faint);
    }
}

/// Draws an upright line along the first column of an area.
pub(in crate::ui) fn upright(buffer: &mut Buffer, theme: &Theme, area: Rect) {
    let area = area.intersection(buffer.area);
    for y in area.top()..area.bottom().min(if area.width == 0 { 0 } else { u16::MAX }) {
        buffer.set_stringn(area.x, y, theme.lines().down, 1, theme.faint);
    }
}

/// Draws a box around an area that was emptied, with a title above and keys below; returns its inside.
pub(in crate::ui) fn boxed(buffer: &mut Buffer, theme: &Theme, area: Rect, title: &str, keys: &str) -> Rect {
    let area = area.intersection(buffer.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
    if area.width < 4 || area.height < 3 {
        return area;
    }
    let [top_left, top_right, bottom_left, bottom_right] = theme.lines().corners;
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    rule(buffer, theme, Rect { height: 1, ..area }, None);
    rule(buffer, theme, Rect { y: bottom, height: 1, ..area }, None);
    upright(buffer, theme, area);
    upright(buffer, theme, Rect { x: right, width: 1, ..area });
    for (x, y, corner) in [
        (area.x, area.y, top_left),
        (right, area.y, top_right),
        (area.x, bottom, bottom_left),
        (right, bottom, bottom_right),
    ] {
        buffer.set_stringn(x, y, corner, 1, theme.faint);
    }
    let inside = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
    for (text, row) in [(title, area.y), (keys, bottom)] {
        let end =
            inside.x.saturating_add(u16::try_from(text::width(text)).unwrap_or(u16::MAX)).saturating_add(2);
        for x in inside.x..end.min(if text.is_empty() { 0 } else { inside.right() }) {
            if let Some(cell) = buffer.cell_mut((x, row)) {
                cell.reset();
            }
        }
    }
    if !title.is_empty() {
        put(buffer, theme, inside, 0, &[Span::styled(format!(" {title} "), theme.strong)]);
    }
    if !keys.is_empty() {
        put(buffer, theme, inside, area.height - 1, &[Span::styled(format!(" {keys} "), theme.text)]);
    }
    Rect { y: area.y + 1, height: area.height - 2, ..inside }
}
