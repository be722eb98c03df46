//! Every verb, and why it is not available here.
//!
//! ```text
//! ┌ All verbs ────────────────────────────────────────────┐
//! │ S      stop what runs, start what does not            │
//! │        not here: the engine refuses writes            │
//! └ j k scroll, Esc closes ───────────────────────────────┘
//! ```

use ratatui::text::Span;

use super::Sheet;
use crate::keys::{self, Action};
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::wrap;
use crate::ui::words;

pub(super) fn sheet(verbs: &[(Action, Option<String>)], scroll: usize, theme: &Theme, columns: u16) -> Sheet {
    let mut lines = Vec::new();
    let label = 8;
    let room = usize::from(columns).saturating_sub(label);
    for (action, missing) in verbs {
        let Some(binding) = keys::of(*action) else { continue };
        let key = text::pad(&keys::written(keys::key(*action)), label);
        let style = if missing.is_some() { theme.faint } else { theme.strong };
        let about = if missing.is_some() { theme.faint } else { theme.text };
        for (place, part) in wrap(binding.help, room).into_iter().enumerate() {
            let key = if place == 0 { key.clone() } else { " ".repeat(label) };
            lines.push(vec![Span::styled(key, style), Span::styled(part, about)]);
        }
        if let Some(reason) = missing {
            for part in wrap(&format!("not now: {}", words::name(theme, reason)), room) {
                lines.push(vec![Span::raw(" ".repeat(label)), Span::styled(part, theme.caution)]);
            }
        }
    }
    Sheet {
        title: "All verbs".into(),
        keys: "j k scroll, Esc closes".into(),
        lines,
        scroll,
        cursor: None,
        columns,
    }
}
