//! What cells say: texts and styles of states, verdicts and files at risk. Every panel says it alike.

use std::path::Path;

use jiff::Timestamp;
use ratatui::style::Style;
use ratatui::text::Span;

use super::theme::Theme;
use crate::core::due::Due;
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::finding::Tally;
use crate::core::workspace::{Detail, RunState};
use crate::model::cells::{self, AtRisk};
use crate::model::disk::Size;
use crate::model::{LastBackup, Model, Row};
use crate::text;

/// A name from outside, harmless; in ASCII also without letters beyond it.
pub(super) fn name(theme: &Theme, name: &str) -> String {
    ascii_only(theme, text::printable(name).into_owned())
}

/// A path from outside, harmless.
pub(super) fn path(theme: &Theme, path: &Path) -> String {
    ascii_only(theme, text::printable_path(path).into_owned())
}

fn ascii_only(theme: &Theme, name: String) -> String {
    if theme.unicode || name.is_ascii() {
        return name;
    }
    let escaped =
        name.chars().map(|c| if c.is_ascii() { c.to_string() } else { c.escape_unicode().to_string() });
    escaped.collect()
}

/// `1 file`, `2 files`.
pub(super) fn files(count: u64) -> String {
    if count == 1 { "1 file".into() } else { format!("{count} files") }
}

/// What a workspace is doing, and for how long: `running 3h`, `exited 12m!`, `out of memory 12m`.
///
/// In brief, for narrow lists, the last is `oom 12m!`.
pub(super) fn state(row: &Row, now: Timestamp, brief: bool) -> String {
    let state = row.workspace.state;
    let detail = row.detail.known().filter(|detail| detail.state == state);
    let since = |at: Option<Timestamp>| at.map_or_else(String::new, |at| format!(" {}", text::age(at, now)));
    match (state, detail) {
        (RunState::Running | RunState::Paused | RunState::Restarting, Some(detail)) => {
            format!("{}{}", state.key(), since(detail.started))
        }
        (RunState::Exited | RunState::Dead, Some(detail)) => {
            ended(state, detail, &since(detail.finished), brief)
        }
        (RunState::Created, _) => format!("{}{}", state.key(), since(row.workspace.created)),
        _ => state.key().into(),
    }
}

/// The same without how long: `exited!`, `oom!`.
pub(super) fn state_alone(row: &Row) -> String {
    let state = row.workspace.state;
    match row.detail.known().filter(|detail| detail.state == state) {
        Some(detail) if matches!(state, RunState::Exited | RunState::Dead) => ended(state, detail, "", true),
        _ => state.key().into(),
    }
}

fn ended(state: RunState, detail: &Detail, since: &str, brief: bool) -> String {
    if detail.oom {
        return if brief { format!("oom{since}!") } else { format!("out of memory{since}") };
    }
    let failed = if detail.exit_code.is_some_and(|code| code != 0) { "!" } else { "" };
    format!("{}{since}{failed}", state.key())
}

/// Whether a state needs somebody's eyes.
pub(super) fn state_style(row: &Row, theme: &Theme) -> Style {
    let failed = row.detail.known().is_some_and(|detail| {
        detail.state == row.workspace.state
            && !detail.state.is_up()
            && (detail.oom || detail.exit_code.is_some_and(|code| code != 0))
    });
    match row.workspace.state {
        RunState::Dead => theme.danger,
        _ if failed => theme.caution,
        RunState::Running | RunState::Paused | RunState::Restarting => theme.text,
        _ => theme.faint,
    }
}

/// The AT RISK cell before it is aligned: how many files, and how large they are.
pub(super) struct Risky {
    /// `2`, `>= 2`; empty where `rest` says everything.
    pub(super) count: String,
    /// ` files`, or words such as `none`.
    pub(super) rest: &'static str,
    /// `2.1G`; empty where there are no files.
    pub(super) size: String,
    /// How it looks.
    pub(super) style: Style,
}

/// What the AT RISK cell says.
pub(super) fn risky(at_risk: &AtRisk, theme: &Theme) -> Risky {
    let words = |rest, style| Risky { count: String::new(), rest, size: String::new(), style };
    match at_risk {
        AtRisk::Nothing => words("none", theme.text),
        AtRisk::NotRead => words("not read", theme.caution),
        AtRisk::Folder => words("no container", theme.faint),
        AtRisk::Reading(tally) if tally.files == 0 => words("reading", theme.caution),
        AtRisk::Reading(tally) => counted(*tally, true, theme.caution),
        AtRisk::Files { tally, at_least: true } if tally.files == 0 => words("not all read", theme.caution),
        AtRisk::Files { tally, at_least } => counted(*tally, *at_least, theme.danger),
    }
}

fn counted(tally: Tally, at_least: bool, style: Style) -> Risky {
    let sign = if at_least { ">= " } else { "" };
    Risky {
        count: format!("{sign}{}", tally.files),
        rest: if tally.files == 1 { " file " } else { " files" },
        size: text::size(tally.bytes),
        style,
    }
}

/// What an event does to a workspace, in words: `loses 2 files`, `kept`, `untouched`, `unknown`, `reading`.
///
/// Without the colour of loss, which AT RISK beside it has.
pub(super) fn outcome(row: &Row, event: Event, theme: &Theme) -> Span<'static> {
    match cells::at_risk(row, event) {
        AtRisk::Files { tally, .. } if tally.files == 0 => Span::styled("unknown", theme.text),
        AtRisk::Files { tally, at_least } => {
            let sign = if at_least { ">= " } else { "" };
            Span::styled(format!("loses {sign}{}", files(tally.files)), theme.text)
        }
        AtRisk::Reading(_) => Span::styled("reading", theme.text),
        AtRisk::NotRead => Span::styled("unknown", theme.text),
        AtRisk::Folder | AtRisk::Nothing => match cells::worst(row, event) {
            Some(verdict @ (Verdict::Lost | Verdict::KeptIf(_))) => fate(verdict, theme),
            Some(verdict) => Span::styled(verdict.words().into_owned(), theme.text),
            None => Span::styled("unknown", theme.text),
        },
    }
}

/// A fate as the columns say it.
pub(super) fn fate(verdict: Verdict, theme: &Theme) -> Span<'static> {
    let style = match verdict {
        Verdict::Lost => theme.danger,
        Verdict::KeptIf(_) => theme.caution,
        Verdict::Kept | Verdict::Rebuilt => theme.text,
        Verdict::Untouched => theme.faint,
    };
    Span::styled(verdict.words().into_owned(), style)
}

/// What would be lost of a workspace, as one sentence, short where it must fit into these columns.
pub(super) fn sentence(row: &Row, model: &Model, theme: &Theme, columns: u16) -> Span<'static> {
    let long = said(row, model, theme, "would be lost");
    if long.width() <= usize::from(columns) { long } else { said(row, model, theme, "lost") }
}

fn said(row: &Row, model: &Model, theme: &Theme, lost: &str) -> Span<'static> {
    let when = model.event.if_words();
    let counted = |tally: Tally| format!("{} ({})", files(tally.files), text::size(tally.bytes));
    match cells::at_risk(row, model.event) {
        AtRisk::Nothing => Span::styled(format!("No file {lost} {when}."), theme.text),
        AtRisk::Files { tally, at_least: false } => {
            Span::styled(format!("{} {lost} {when}.", counted(tally)), theme.danger)
        }
        AtRisk::Files { tally, .. } if tally.files == 0 => {
            Span::styled("Not all read; nothing was found so far.".to_string(), theme.caution)
        }
        AtRisk::Files { tally, .. } => {
            Span::styled(format!("At least {} {lost} {when}: not all read.", counted(tally)), theme.danger)
        }
        AtRisk::Reading(tally) if tally.files == 0 => Span::styled("Reading its files ...", theme.caution),
        AtRisk::Reading(tally) => {
            Span::styled(format!("Reading its files: {} so far.", counted(tally)), theme.caution)
        }
        AtRisk::NotRead => Span::styled(not_read(row, theme), theme.caution),
        AtRisk::Folder => Span::styled("A folder without a container.", theme.text),
    }
}

fn not_read(row: &Row, theme: &Theme) -> String {
    match &row.risk.not_read {
        Some(reason) => format!("Not read: {}.", name(theme, reason).trim_end_matches('.')),
        None => "Not read yet. r reads it.".into(),
    }
}

/// What a column says of what something takes on the disk.
pub(super) fn disk(size: Size, theme: &Theme) -> Span<'static> {
    match size {
        Size::Known { bytes, at_least: true, .. } => Span::styled(text::size_at_least(bytes), theme.text),
        Size::Known { bytes, .. } => Span::styled(text::size(bytes), theme.text),
        Size::Reading(_) => Span::styled("reading", theme.caution),
        Size::Waiting => Span::styled("", theme.text),
        Size::NotRead => Span::styled("not read", theme.caution),
        Size::Nothing => Span::styled("-", theme.faint),
    }
}

/// When something was last backed up: `3d`, `never`, `?`; what is overdue stands out.
pub(super) fn last_backup(row: &Row, model: &Model, theme: &Theme) -> Span<'static> {
    let text = match row.last_backup {
        LastBackup::Unknown => "?".into(),
        LastBackup::Never => "never".into(),
        LastBackup::At(last) => text::age(last, model.now),
    };
    let overdue = row.last_backup.due(model.now, model.overdue_after).is_some_and(Due::is_due);
    let plain = if row.last_backup == LastBackup::Unknown { theme.faint } else { theme.text };
    Span::styled(text, if overdue { theme.caution } else { plain })
}

/// An age with its unit; `-` where the time is not known.
pub(super) fn age(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(|| "-".into(), |at| text::age(at, now))
}
