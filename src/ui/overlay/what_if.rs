//! The seven events, what they mean, and the worst that each does to the selection.
//!
//! ```text
//! ┌ What if ──────────────────────────────────────────────────────────────┐
//! │ my-project                                                            │
//! │   crash             the main process ends, the container stays   kept │
//! │ › retire            the container is removed, the folder stays   lost │
//! └ Enter chooses, Esc closes ────────────────────────────────────────────┘
//! ```

use ratatui::text::Span;

use super::{Sheet, empty};
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::model::{Model, Tab};
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::{spans, widest};
use crate::ui::words;

pub(super) fn sheet(
    model: &Model,
    subject: &str,
    worst: &[(Event, Option<Verdict>)],
    cursor: usize,
    theme: &Theme,
    columns: u16,
) -> Sheet {
    let nothing = nothing_selected(model);
    let head = if nothing {
        "Nothing is selected; choose the event to show:".into()
    } else {
        format!("The worst that happens to {}:", words::name(theme, subject))
    };
    let mut lines = vec![vec![Span::styled(head, theme.text)], empty()];
    let head = lines.len();
    let name =
        |event: &Event| model.rules.profile.word(*event).unwrap_or_else(|| event.key()).replace('_', " ");
    let names = widest(worst.iter().map(|(event, _)| name(event))) + 2;
    let meanings = widest(worst.iter().map(|(event, _)| event.meaning())) + 2;
    let fate = |verdict: &Option<Verdict>| match verdict {
        None if nothing => Span::raw(""),
        Some(verdict) => words::fate(*verdict, theme),
        None => Span::styled("not known yet", theme.caution),
    };
    let fates = widest(worst.iter().map(|(_, verdict)| fate(verdict).content));
    // Where the meanings do not fit beside the fates, they give way.
    let meant = names + meanings + fates + 2 <= usize::from(columns);
    for (place, (event, verdict)) in worst.iter().enumerate() {
        let here = place == cursor;
        let pointer = if here { theme.pointer() } else { " " };
        let style = if here { theme.strong } else { theme.text };
        let mut line = spans([
            (format!("{pointer} "), theme.strong),
            (text::pad(&words::name(theme, &name(event)), names), style),
        ]);
        if meant {
            line.push(Span::styled(text::pad(event.meaning(), meanings), theme.faint));
        }
        line.push(fate(verdict));
        lines.push(line);
    }
    if !meant && let Some((event, _)) = worst.get(cursor) {
        lines.push(empty());
        lines.push(vec![Span::styled(event.meaning(), theme.faint)]);
    }
    Sheet {
        title: "What if".into(),
        keys: "Enter chooses, Esc closes".into(),
        lines,
        scroll: 0,
        cursor: Some(cursor + head),
        columns,
    }
}

/// Whether there is nothing whose fates could be told.
fn nothing_selected(model: &Model) -> bool {
    let selected = match model.tab {
        Tab::Workspaces => model.selected().is_some() || model.open,
        Tab::AtRisk => model.at_risk.selected_item().is_some(),
        Tab::Disk => model.disk.tree.is_some() || model.disk.selected().is_some(),
        Tab::Backups => false,
    };
    !selected && !model.rows.iter().any(|row| row.marked)
}
