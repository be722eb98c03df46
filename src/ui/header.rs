//! The first line: which platform, who, where; and what is at risk here.
//!
//! ```text
//!  Docker · alice · lab01                          12 files 2.1G at risk, 3 not read
//!  DS01, VESSL · alice · lab01        engine not answering since 14:02, figures are old
//! ```

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{put, put_right};
use super::words;
use crate::core::finding::Tally;
use crate::core::recognise::platforms;
use crate::model::cells::{self, AtRisk};
use crate::model::{LinkState, Model};
use crate::text;

pub(super) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let right = match &model.endpoint.state {
        LinkState::Connecting { .. } => Vec::new(),
        // Without anything to show, the list says what is wrong.
        LinkState::Lost { .. } if model.rows.is_empty() => Vec::new(),
        LinkState::Lost { since, .. } => {
            let old = if area.width >= 100 { ", what is shown is old" } else { "" };
            vec![Span::styled(format!("engine not answering since {}{old}", text::clock(*since)), theme.danger)]
        }
        LinkState::Live => summary(model, theme, area.width < 60),
    };
    let taken: usize = right.iter().map(|span| text::width(&span.content)).sum();
    let dot = theme.dot();
    let mut left = vec![Span::styled(words::name(theme, &platform(model)), theme.strong)];
    for part in [&model.user, &model.hostname] {
        if !part.is_empty() {
            left.push(Span::styled(format!("{dot}{}", words::name(theme, part)), theme.text));
        }
    }
    // What is at risk matters more than where: the left gives way.
    let room = usize::from(inside.width).saturating_sub(taken + 2);
    let wide = |left: &[Span<'_>]| left.iter().map(|span| text::width(&span.content)).sum::<usize>();
    let least = usize::from(taken == 0);
    while left.len() > least && wide(&left) > room {
        left.pop();
    }
    let width = u16::try_from(room).unwrap_or(u16::MAX).min(inside.width);
    let used = put(buffer, theme, Rect { width, ..inside }, 0, &left);
    if !put_right(buffer, theme, inside, 0, used, &right) {
        put(buffer, theme, inside, 0, &right);
    }
}

/// What is looked at: the platform that was asked for, else those of the workspaces, else what holds
/// where none says otherwise, or this machine itself.
fn platform(model: &Model) -> String {
    let found = match &model.profiles.forced {
        Some(forced) => vec![Arc::clone(forced)],
        None => platforms(model.workspace_rules()),
    };
    match found.as_slice() {
        [] if model.endpoint.endpoint.id == THIS_MACHINE => model.endpoint.endpoint.title.clone(),
        [] => model.rules.profile.title.clone(),
        [one] => one.title.clone(),
        [one, other] => format!("{}, {}", one.title, other.title),
        [one, other, more @ ..] => format!("{}, {}, +{}", one.title, other.title, more.len()),
    }
}

/// The endpoint that is no engine.
const THIS_MACHINE: &str = "machine";

/// Totals of complete looks only, and how many there was no complete look at.
fn summary(model: &Model, theme: &Theme, short: bool) -> Vec<Span<'static>> {
    let mut total = Tally::default();
    let (mut not_read, mut in_part) = (0_usize, 0_usize);
    for row in &model.rows {
        match cells::at_risk(row, model.event) {
            AtRisk::Files { tally, at_least: false } => total += tally,
            AtRisk::Files { .. } => in_part += 1,
            AtRisk::Reading(_) | AtRisk::NotRead => not_read += 1,
            AtRisk::Nothing | AtRisk::Folder => {}
        }
    }
    let others = of_others(model).filter(|_| !short);
    if model.rows.is_empty() {
        return others.map(|words| Span::styled(words, theme.text)).into_iter().collect();
    }
    let mut line = match total.files {
        0 => vec![Span::styled("nothing found at risk", theme.text)],
        count => vec![
            Span::styled(format!("{} {}", words::files(count), text::size(total.bytes)), theme.danger),
            Span::styled(" at risk", theme.text),
        ],
    };
    let missing = if short {
        [(0, ""), (in_part + not_read, "not read")]
    } else {
        [(in_part, "partly read"), (not_read, "not read")]
    };
    for (count, what) in missing {
        if count > 0 {
            line.push(Span::styled(format!(", {count} {what}"), theme.caution));
        }
    }
    line.extend(others.map(|words| Span::styled(format!("; {words}"), theme.text)));
    line
}

/// How many workspaces are not shown because they are somebody else's.
pub(super) fn of_others(model: &Model) -> Option<String> {
    (!model.hidden.is_empty()).then(|| format!("{} of others not shown", model.hidden.len()))
}
