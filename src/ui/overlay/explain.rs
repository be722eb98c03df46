//! What happens to one path, why, and the one command to do.
//!
//! ```text
//! ┌ /tmp/model.pt ────────────────────────────────────────────────────────┐
//! │ my-project · writable layer · 2.1G checkpoint, 4m ago                 │
//! │ Lost if retired: the writable layer is removed with the container.    │
//! │ To do: copy it to a path that is kept, or bake it into the image.     │
//! │                                                                       │
//! │   docker cp my-project:/tmp/model.pt ~/workspace/my-project/          │
//! │                                                                       │
//! │ Platform: DS01 (label ds01.user)                                      │
//! │                                                                       │
//! │ crash           kept     the same container goes on ...               │
//! └ j k scroll, y copies the command, Esc closes ─────────────────────────┘
//! ```

use ratatui::text::Span;

use super::{Sheet, empty};
use crate::core::event::Event;
use crate::core::fate::Basis;
use crate::model::ExplainView;
use crate::text;
use crate::text::wrap;
use crate::ui::empty::sentence;
use crate::ui::theme::Theme;
use crate::ui::widget::widest;
use crate::ui::words;

/// Below so many columns the keys are told in brief,
const ROOMY: usize = 48;
/// and a reason stands on lines of its own.
const NARROW: usize = 24;

pub(super) fn sheet(view: &ExplainView, event: Event, theme: &Theme, columns: u16) -> Sheet {
    let room = usize::from(columns);
    let mut lines = Vec::new();
    let say = |lines: &mut Vec<Vec<Span<'static>>>, text: &str, style| {
        lines.extend(wrap(text, room).into_iter().map(|part| vec![Span::styled(part, style)]));
    };
    let dot = theme.dot();
    let mut about = format!("{}{dot}{}", words::name(theme, &view.workspace), view.storage);
    if !view.facts.is_empty() {
        about.push_str(dot);
        about.push_str(&words::name(theme, &view.facts));
    }
    say(&mut lines, &about, theme.faint);
    if let Some(violation) = &view.violation {
        say(&mut lines, &sentence(theme, violation), theme.danger);
    }
    lines.push(empty());
    if let Some((event, verdict, reason, basis)) = view.events.iter().find(|(known, ..)| *known == event) {
        let fate = words::fate(*verdict, theme);
        let guess = if *basis == Basis::Inferred { " (a best guess from inside)" } else { "" };
        let text = format!("{} {}: {}{guess}", fate.content, event.if_words(), words::name(theme, reason));
        say(&mut lines, &sentence(theme, &text), fate.style.patch(theme.strong));
    }
    if !view.advice.is_empty() {
        say(&mut lines, &format!("To do: {}.", words::name(theme, &view.advice)), theme.text);
    }
    if let Some(condition) = &view.condition {
        say(&mut lines, &format!("Condition: {condition}."), theme.text);
    }
    for also in &view.also {
        say(&mut lines, &format!("But {}.", words::name(theme, also)), theme.caution);
    }
    if let Some(command) = &view.command {
        lines.push(empty());
        for part in wrap(&words::name(theme, command), room.saturating_sub(2)) {
            lines.push(vec![Span::styled(format!("  {part}"), theme.strong)]);
        }
    }
    lines.push(empty());
    if let Some(rule) = &view.rule {
        say(&mut lines, &format!("Rule: {}", words::name(theme, rule)), theme.faint);
    }
    say(&mut lines, &format!("Platform: {}", words::name(theme, &view.platform)), theme.faint);
    lines.push(empty());
    let names = widest(view.events.iter().map(|(event, ..)| event.if_words())) + 2;
    let fates = widest(view.events.iter().map(|(_, verdict, ..)| verdict.words())) + 2;
    for (event, verdict, reason, _) in &view.events {
        let fate = words::fate(*verdict, theme);
        let before = [
            Span::styled(text::pad(event.if_words(), names), theme.text),
            Span::styled(text::pad(&fate.content, fates), fate.style),
        ];
        lines.extend(beside(&before, names + fates, &words::name(theme, reason), room, theme));
    }
    let keys = match (view.command.is_some() || view.says.is_some(), room >= ROOMY) {
        (true, true) => "j k scroll, y copies the command, Esc closes",
        (true, false) => "j k, y copies, Esc closes",
        (false, _) => "j k scroll, Esc closes",
    };
    let title = text::cut_middle(&words::name(theme, &view.path), room.saturating_sub(4), theme.ellipsis())
        .into_owned();
    Sheet { title, keys: keys.into(), lines, scroll: view.scroll, cursor: None, columns }
}

/// A reason beside an event and its fate, on further lines below itself; below both where it is too narrow.
fn beside(
    before: &[Span<'static>],
    taken: usize,
    reason: &str,
    room: usize,
    theme: &Theme,
) -> Vec<Vec<Span<'static>>> {
    let (from, mut lines) = match room.saturating_sub(taken) {
        left if left < NARROW => (2, vec![before.to_vec()]),
        _ => (taken, Vec::new()),
    };
    for part in wrap(reason, room.saturating_sub(from)) {
        let mut line = if lines.is_empty() { before.to_vec() } else { vec![Span::raw(" ".repeat(from))] };
        line.push(Span::styled(part, theme.faint));
        lines.push(line);
    }
    lines
}
