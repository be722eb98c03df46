//! One line of styled text, put into a row of an area and never beyond it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::text;
use crate::ui::theme::Theme;

/// Spans of one style each, from texts and styles.
pub(in crate::ui) fn spans<const N: usize>(pieces: [(String, Style); N]) -> Vec<Span<'static>> {
    pieces.into_iter().map(|(text, style)| Span::styled(text, style)).collect()
}

/// Puts spans into a row of the area, counted from its top; what does not fit ends in an ellipsis.
///
/// Returns the columns used. Rows outside the area are left out.
pub(in crate::ui) fn put(buffer: &mut Buffer, theme: &Theme, area: Rect, row: u16, line: &[Span<'_>]) -> u16 {
    let area = area.intersection(buffer.area);
    if row >= area.height || area.width == 0 {
        return 0;
    }
    let y = area.y.saturating_add(row);
    let room = usize::from(area.width);
    let whole: usize = line.iter().map(|span| text::width(&span.content)).sum();
    let cut = whole > room;
    let ellipsis = text::cut(theme.ellipsis(), room, "");
    let mut left = if cut { room - text::width(&ellipsis) } else { room };
    let mut x = area.x;
    let mut last = Style::new();
    for span in line {
        if left == 0 && cut {
            break;
        }
        let part = text::cut(&span.content, left, "");
        let width = text::width(&part);
        buffer.set_stringn(x, y, &part, left, span.style);
        x = x.saturating_add(u16::try_from(width).unwrap_or(u16::MAX));
        left -= width;
        last = span.style;
        if width < text::width(&span.content) {
            break;
        }
    }
    if cut {
        let end = usize::from(area.right().saturating_sub(x));
        buffer.set_stringn(x, y, &ellipsis, end, last);
        x = x.saturating_add(u16::try_from(text::width(&ellipsis)).unwrap_or(u16::MAX));
    }
    x.saturating_sub(area.x)
}

/// Puts spans at the right end of a row, leaving the first `taken` columns alone.
///
/// Leaves everything out where not all of it fits.
pub(in crate::ui) fn put_right(
    buffer: &mut Buffer,
    theme: &Theme,
    area: Rect,
    row: u16,
    taken: u16,
    line: &[Span<'_>],
) -> bool {
    let width: usize = line.iter().map(|span| text::width(&span.content)).sum();
    let Ok(width) = u16::try_from(width) else { return false };
    if width.saturating_add(taken) > area.width {
        return false;
    }
    let x = area.right().saturating_sub(width);
    put(buffer, theme, Rect { x, width, ..area }, row, line);
    true
}
