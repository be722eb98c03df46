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
use crate::model::{Confirm, JobPlan, PlanState, PlanView};
use crate::ui::theme::Theme;
use crate::ui::widget::wrap;
use crate::ui::words;

/// The sheet for a screen with room for this many columns and rows of text. Where it is too low,
/// how to undo it and how it is done give way, then the last of what it says: never the question.
pub(super) fn sheet(view: &PlanView, theme: &Theme, columns: u16, rows: u16) -> Sheet {
    made(&view.lines, question(view, theme, usize::from(columns)), theme, columns, rows)
}

/// The same for a plan that jobs carry out.
pub(super) fn of_jobs(plan: &JobPlan, theme: &Theme, columns: u16, rows: u16) -> Sheet {
    made(&plan.lines, (vec![yes_or_no(theme)], YES), theme, columns, rows)
}

type Question = (Vec<Vec<Span<'static>>>, &'static str);

fn made(says: &[String], (asked, keys): Question, theme: &Theme, columns: u16, rows: u16) -> Sheet {
    let left = usize::from(rows).saturating_sub(asked.len());
    let mut told = said(says, theme, columns, &[]);
    for without in [&["undo"][..], &["undo", "does"]] {
        if told.len() < left {
            break;
        }
        told = said(says, theme, columns, without);
    }
    if told.len() > left && left > 0 {
        let more = told.len() + 1 - left;
        told.truncate(left - 1);
        let text = format!("{} and {more} more lines", theme.ellipsis());
        told.push(vec![Span::styled(text, theme.caution)]);
    }
    let mut lines = told;
    if lines.len() < left {
        lines.push(empty());
    }
    lines.extend(asked);
    let cursor = Some(lines.len().saturating_sub(1));
    Sheet { title: "Plan".into(), keys: keys.into(), lines, scroll: 0, cursor, columns }
}

/// What the plan does and loses, without the lines that begin with one of these words.
fn said(says: &[String], theme: &Theme, columns: u16, without: &[&str]) -> Vec<Vec<Span<'static>>> {
    let mut lines = Vec::new();
    for line in says {
        let line = words::name(theme, line);
        if line.split_whitespace().next().is_some_and(|first| without.contains(&first)) {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        for part in wrap(&line, usize::from(columns).saturating_sub(indent)) {
            lines.push(vec![Span::styled(format!("{}{part}", " ".repeat(indent)), theme.text)]);
        }
    }
    lines
}

/// The keys where yes is one letter.
const YES: &str = "y runs it, any other key: no";

fn yes_or_no(theme: &Theme) -> Vec<Span<'static>> {
    vec![
        Span::styled("Do this? ", theme.text),
        Span::styled("y", theme.strong),
        Span::styled("es or ", theme.text),
        Span::styled("N", theme.active),
        Span::styled("o", theme.text),
    ]
}

/// What is asked, and the keys that answer it.
fn question(view: &PlanView, theme: &Theme, room: usize) -> Question {
    let mut lines = Vec::new();
    let mut say = |text: &str, style| {
        lines.extend(wrap(text, room).into_iter().map(|part| vec![Span::styled(part, style)]));
    };
    let keys = match (&view.state, &view.confirm) {
        (PlanState::Running, _) => {
            say("Running ...", theme.caution);
            "Esc closes, the plan goes on"
        }
        (PlanState::Asking, Confirm::Yes) => {
            lines.push(yes_or_no(theme));
            YES
        }
        (PlanState::Asking, Confirm::Name { name, typed }) => {
            let all = "This is the whole workspace folder.";
            let lost = "This loses data, and nothing brings it back.";
            say(if view.plan.loses_data() { lost } else { all }, theme.danger);
            say(&format!("Type {} to go on:", words::name(theme, name)), theme.text);
            lines.push(vec![
                Span::styled(format!("  {}", words::name(theme, typed)), theme.strong),
                Span::styled(" ", theme.cursor),
            ]);
            if typed == name { "Enter runs it, Esc: no" } else { "Esc: no" }
        }
    };
    (lines, keys)
}
