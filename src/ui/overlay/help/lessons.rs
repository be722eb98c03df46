//! The pages that teach: what lasts, words, examples, who helps.

use ratatui::style::Style;
use ratatui::text::Span;

use super::super::empty;
use crate::core::lessons::{Lessons, Place};
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::{widest, wrap};
use crate::ui::words;

type Lines = Vec<Vec<Span<'static>>>;

/// The narrowest column of paths that is still legible beside the fates.
const PATHS: usize = 20;

/// The rule, and what becomes of each place.
pub(super) fn what_lasts(lessons: &Lessons, theme: &Theme, columns: u16) -> Lines {
    let mut lines = said(&lessons.rule, theme.strong, theme, columns);
    if let Some(warning) = &lessons.warning {
        lines.extend(said(warning, theme.danger, theme, columns));
    }
    lines.push(empty());
    let about = match &lessons.workspace {
        Some(name) => format!("In {} ({}):", text::printable(name), lessons.title),
        None => format!("As {} means it to be:", lessons.title),
    };
    lines.extend(said(&about, theme.faint, theme, columns));
    lines.extend(
        table(&lessons.places, theme, columns).unwrap_or_else(|| stacked(&lessons.places, theme, columns)),
    );
    lines.push(empty());
    let more = "Enter on a path or a file of a workspace says why, and what to do.";
    lines.extend(said(more, theme.faint, theme, columns));
    lines
}

/// A row for each kind of place and a column for each event; `None` where that does not fit.
fn table(places: &[Place], theme: &Theme, columns: u16) -> Option<Lines> {
    let events: Vec<_> = places.first()?.verdicts.iter().map(|(event, _)| *event).collect();
    let widths: Vec<usize> = events
        .iter()
        .enumerate()
        .map(|(at, event)| {
            let fates = places.iter().filter_map(|place| place.verdicts.get(at));
            let fates = widest(fates.map(|(_, verdict)| verdict.words()));
            fates.max(text::width(event.if_words())) + 2
        })
        .collect();
    let room = usize::from(columns).checked_sub(widths.iter().sum()).filter(|room| *room >= PATHS)?;
    let mut lines = Lines::new();
    let mut head = vec![Span::styled(text::pad("IN CONTAINER", room), theme.faint)];
    for (event, width) in events.iter().zip(&widths) {
        head.push(Span::styled(text::pad(&event.if_words().to_uppercase(), *width), theme.faint));
    }
    lines.push(head);
    for place in places {
        for (row, part) in wrap(&paths(place, theme), room.saturating_sub(2)).into_iter().enumerate() {
            let mut line = vec![Span::styled(text::pad(&part, room), theme.text)];
            if row == 0 {
                for ((_, verdict), width) in place.verdicts.iter().zip(&widths) {
                    let fate = words::fate(*verdict, theme);
                    line.push(Span::styled(text::pad(&fate.content, *width), fate.style));
                }
            }
            lines.push(line);
        }
        lines.push(vec![Span::styled(format!("  {}", place.storage), theme.faint)]);
    }
    Some(lines)
}

/// Each place with its fates below it, an event a line.
fn stacked(places: &[Place], theme: &Theme, columns: u16) -> Lines {
    let mut lines = Lines::new();
    for place in places {
        lines.extend(said(&paths(place, theme), theme.strong, theme, columns));
        lines.push(vec![Span::styled(format!("  {}", place.storage), theme.faint)]);
        let label = widest(place.verdicts.iter().map(|(event, _)| event.if_words())) + 2;
        for (event, verdict) in &place.verdicts {
            let fate = words::fate(*verdict, theme);
            let room = usize::from(columns).saturating_sub(label + 2);
            for (row, part) in wrap(&fate.content, room).into_iter().enumerate() {
                let head = if row == 0 { event.if_words() } else { "" };
                lines.push(vec![
                    Span::styled(format!("  {}", text::pad(head, label)), theme.text),
                    Span::styled(part, fate.style),
                ]);
            }
        }
    }
    lines
}

fn paths(place: &Place, theme: &Theme) -> String {
    let paths: Vec<_> = place.paths.iter().map(|path| words::name(theme, path)).collect();
    paths.join(", ")
}

/// The platform's words for events, then words and what they mean here.
pub(super) fn words(lessons: &Lessons, theme: &Theme, columns: u16) -> Lines {
    let mut lines = vec![vec![Span::styled(format!("What may happen, on {}", lessons.title), theme.faint)]];
    let label = label(columns);
    for word in &lessons.events {
        let own = word.word.as_ref().map(|own| format!("; here: {own}")).unwrap_or_default();
        let says = format!("{}{own}", word.meaning);
        lines.extend(entry(&word.event.key().replace('_', " "), &says, label, theme, columns));
    }
    lines.push(empty());
    lines.push(vec![Span::styled("Words", theme.faint)]);
    for (word, meaning) in &lessons.words {
        lines.extend(entry(word, meaning, label, theme, columns));
    }
    lines
}

const fn label(columns: u16) -> usize {
    if columns < 46 { 12 } else { 20 }
}

/// Lines of code that save well, and badly.
pub(super) fn examples(lessons: &Lessons, theme: &Theme, columns: u16) -> Lines {
    let mut lines = Lines::new();
    if let Some(warning) = &lessons.warning {
        lines.extend(said(warning, theme.danger, theme, columns));
        lines.push(empty());
    }
    let lists =
        [("Good: saved where it is kept", &lessons.good), ("Bad: saved where it is lost", &lessons.bad)];
    for (title, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        lines.push(vec![Span::styled(title, theme.strong)]);
        for line in list {
            lines.extend(code(line, theme, columns));
        }
        lines.push(empty());
    }
    let more = "The same rule holds for every program: give it a path below the folder that is kept.";
    lines.extend(said(more, theme.faint, theme, columns));
    lines
}

/// One line of code; its comment goes below it where both do not fit beside each other.
fn code(line: &str, theme: &Theme, columns: u16) -> Lines {
    let (code, comment) = match line.split_once("  #") {
        Some((code, comment)) => (code.trim_end(), format!("# {}", comment.trim())),
        None => (line, String::new()),
    };
    let (code, comment) = (words::name(theme, code), words::name(theme, &comment));
    let room = usize::from(columns).saturating_sub(2);
    let mut lines: Lines =
        wrap(&code, room).into_iter().map(|part| vec![Span::styled(format!("  {part}"), theme.text)]).collect();
    if comment.is_empty() {
        return lines;
    }
    let used: usize = lines.last().map_or(0, |line| line.iter().map(Span::width).sum());
    if used + 2 + text::width(&comment) <= usize::from(columns) {
        if let Some(last) = lines.last_mut() {
            last.push(Span::styled(format!("  {comment}"), theme.faint));
        }
    } else {
        let parts = wrap(&comment, room.saturating_sub(2));
        lines.extend(parts.into_iter().map(|part| vec![Span::styled(format!("    {part}"), theme.faint)]));
    }
    lines
}

/// Who helps, and what to tell them.
pub(super) fn contacts(lessons: &Lessons, theme: &Theme, columns: u16) -> Lines {
    let mut lines = vec![vec![Span::styled(format!("Who helps with {}", lessons.title), theme.faint)]];
    for contact in &lessons.contacts {
        let parts = wrap(&words::name(theme, contact), usize::from(columns).saturating_sub(4));
        for (row, part) in parts.into_iter().enumerate() {
            let mark = if row == 0 { "- " } else { "  " };
            lines.push(vec![Span::styled(format!("  {mark}{part}"), theme.strong)]);
        }
    }
    lines.push(empty());
    for says in [
        "Tell them the name of the workspace, the path, and what `outlast explain NAME:PATH` says.",
        "Without a screen, `outlast guide` says all that stands here, and `outlast --help` lists every command.",
    ] {
        lines.extend(said(says, theme.text, theme, columns));
    }
    lines
}

/// A word and what it means, broken into lines beside it.
pub(super) fn entry(word: &str, says: &str, label: usize, theme: &Theme, columns: u16) -> Lines {
    let room = usize::from(columns).saturating_sub(label + 2);
    let heads = wrap(&words::name(theme, word), label.saturating_sub(2));
    let parts = wrap(&words::name(theme, says), room);
    let rows = heads.len().max(parts.len());
    let at = |list: &[String], row: usize| list.get(row).cloned().unwrap_or_default();
    let line = |row| {
        let head = Span::styled(format!("  {}", text::pad(&at(&heads, row), label)), theme.strong);
        vec![head, Span::styled(at(&parts, row), theme.text)]
    };
    (0..rows).map(line).collect()
}

/// A paragraph.
fn said(text: &str, style: Style, theme: &Theme, columns: u16) -> Lines {
    let parts = wrap(&words::name(theme, text), usize::from(columns));
    parts.into_iter().map(|part| vec![Span::styled(part, style)]).collect()
}
