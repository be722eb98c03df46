//! All that is known of a snapshot, a job or a change.
//!
//! ```text
//! ┌ backup of my-project ─────────────────────────────┐
//! │ backup my-project                                 │
//! │   state   incomplete                              │
//! │ not there: /data/secret: permission denied        │
//! └ j k scroll, y copies the command, Esc closes ─────┘
//! ```

use ratatui::text::Span;

use super::Sheet;
use crate::model::backups::RecordView;
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::wrap;
use crate::ui::words;

pub(super) fn sheet(view: &RecordView, theme: &Theme, columns: u16) -> Sheet {
    let room = usize::from(columns);
    let mut lines = Vec::new();
    for (line, bad) in &view.lines {
        let line = words::name(theme, line);
        let style = if *bad { theme.caution } else { theme.text };
        let indent = line.len() - line.trim_start().len();
        let parts = wrap(&line, room.saturating_sub(indent));
        if parts.is_empty() {
            lines.push(super::empty());
        }
        for part in parts {
            lines.push(vec![Span::styled(format!("{}{part}", " ".repeat(indent)), style)]);
        }
    }
    let title = words::name(theme, &view.title);
    let title = text::cut_middle(&title, room.saturating_sub(4), theme.ellipsis()).into_owned();
    let copies =
        if view.command.is_some() { "j k scroll, y copies the command, Esc closes" } else { "Esc closes" };
    Sheet { title, keys: copies.into(), lines, scroll: view.scroll, cursor: None, columns }
}
