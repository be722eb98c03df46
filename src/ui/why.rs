//! The lines below a list: what becomes of the selected row and why, and what to do.
//!
//! ```text
//! ──────────────────────────────────────────────────────────────────────────────
//!  lost: the writable layer is removed together with the container
//!  To do: copy it to a path that is kept, or bake it into the image
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{put, rule};
use super::words;
use crate::core::fate::Answer;

/// The rule, and two lines.
pub(super) const ROWS: u16 = 3;

/// Draws an answer below a rule. Says the same for neighbours of one kind, so that moving changes little.
pub(super) fn draw(answer: &Answer, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let fate = words::fate(answer.verdict(), theme);
    let why = Span::styled(format!(": {}", words::name(theme, &answer.reason)), theme.text);
    let todo = (!answer.advice.is_empty()).then(|| format!("To do: {}", words::name(theme, &answer.advice)));
    lines(&[fate, why], todo.map(|todo| Span::styled(todo, theme.text)), theme, area, buffer);
}

/// Draws two lines below a rule.
pub(super) fn lines(
    first: &[Span<'_>],
    second: Option<Span<'_>>,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    rule(buffer, theme, area, None);
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    put(buffer, theme, inside, 1, first);
    if let Some(second) = second {
        put(buffer, theme, inside, 2, &[second]);
    }
}
