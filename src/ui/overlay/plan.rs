//! A plan, waiting for an answer: the same lines as `--dry-run` prints. No is the default.
//!
//! ```text
//! ┌ Plan ─────────────────────────────────────────────┐
//! │ stop my-project                                   │
//! │   loses 3 files (1.2G) in /dev/shm                │
//! │                                                   │
//! │ Files will be lost. Type my-project to go on: my_ │
//! └ Enter runs it, Esc: no ───────────────────────────┘
//! ```

use ratatui::text::Span;

use super::{Sheet, empty};
use crate::model::{Confirm, PlanState, PlanView};
use crate::ui::theme::Theme;
use crate::ui::widget::wrap;
use crate::ui::words;

pub(super) fn sheet(view: &PlanView, theme: &Theme, columns: u16) -> Sheet {
    let room = usize::from(columns);
    let mut lines: Vec<Vec<Span<'static>>> = Vec::new();
    for line in &view.lines {
        let line = words::name(theme, line);
        let indent = line.len() - line.trim_start().len();
        for part in wrap(&line, room.saturating_sub(indent)) {
            lines.push(vec![Span::styled(format!("{}{part}", " ".repeat(indent)), theme.text)]);
        }
    }
    lines.push(empty());
    let keys = match (&view.state, &view.confirm) {
        (PlanState::Running, _) => {
            lines.push(vec![Span::styled("Running ...", theme.caution)]);
            "Esc closes, the plan goes on"
        }
        (PlanState::Asking, Confirm::Yes) => {
            lines.push(vec![
                Span::styled("Do this? ", theme.text),
                Span::styled("y", theme.strong),
                Span::styled("es or ", theme.text),
                Span::styled("N", theme.active),
                Span::styled("o", theme.text),
            ]);
            "y runs it, any other key: no"
        }
        (PlanState::Asking, Confirm::Name { name, typed }) => {
            lines.push(vec![Span::styled("This loses data, and nothing brings it back.", theme.danger)]);
            let ask = format!("Type {} to go on: ", words::name(theme, name));
            lines.push(vec![Span::styled(ask, theme.text)]);
            lines.push(vec![
                Span::styled(format!("  {}", words::name(theme, typed)), theme.strong),
                Span::styled(" ", theme.cursor),
            ]);
            if typed == name { "Enter runs it, Esc: no" } else { "Esc: no" }
        }
    };
    let cursor = Some(lines.len().saturating_sub(1));
    Sheet { title: "Plan".into(), keys: keys.into(), lines, scroll: 0, cursor, columns }
}
