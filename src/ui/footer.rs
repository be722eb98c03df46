//! The last lines: the hint that stays, and below it the keys that apply, the line being
//! edited, or what just happened.
//!
//! ```text
//!  S stop or start  Enter open  w what if  / filter  s sort  ! all verbs  ? help
//!  /thes_                                                 Enter keeps, Esc ends
//!  Stopped my-project.
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{put, put_right, wrap};
use super::{backups, words};
use crate::keys::{self, Action, Binding};
use crate::model::backups::BackupView;
use crate::model::{Editing, Model, Page, Tab};
use crate::text;

/// Rows that a message takes at most: the list is what people came for.
const MOST_ROWS: usize = 4;

/// Rows of the hint.
pub(super) fn hint_rows(model: &Model, screen: Rect) -> u16 {
    model.hint.as_ref().map_or(0, |hint| rows_of(hint, screen))
}

/// Rows of the footer: one, but what just happened takes as many as it needs.
pub(super) fn rows(model: &Model, screen: Rect) -> u16 {
    match &model.notice {
        Some(notice) if model.editing.is_none() => rows_of(&notice.text, screen).max(1),
        _ => 1,
    }
}

fn rows_of(message: &str, screen: Rect) -> u16 {
    let inside = usize::from(screen.width.saturating_sub(2));
    let lines = wrap(&text::printable(message), inside).len();
    u16::try_from(lines.min(MOST_ROWS).min(usize::from(screen.height / 4).max(1))).unwrap_or(1)
}

/// The lines that stay, such as how to reach an engine.
pub(super) fn hint(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if let Some(hint) = &model.hint {
        message(&words::name(theme, hint), theme.caution, theme, area, buffer);
    }
}

/// A message over the rows of an area, without its margins.
fn message(says: &str, style: Style, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let lines = told(says, usize::from(inside.width), usize::from(area.height), theme.ellipsis());
    for (line, row) in lines.into_iter().zip(0..) {
        put(buffer, theme, inside, row, &[Span::styled(line, style)]);
    }
}

/// A message in at most `most` lines. What happened gives way; what to do about it, behind the
/// first `; `, does not while it fits at all.
fn told(says: &str, columns: usize, most: usize, ellipsis: &str) -> Vec<String> {
    let lines = wrap(says, columns);
    if lines.len() <= most {
        return lines;
    }
    let (happened, todo) = says.split_once("; ").unwrap_or((says, ""));
    let todo = wrap(todo, columns);
    let left = most.saturating_sub(todo.len());
    let mut told = wrap(happened, columns);
    if told.len() > left {
        told.truncate(left);
        if let Some(last) = told.last_mut() {
            let room = columns.saturating_sub(text::width(ellipsis));
            *last = format!("{}{ellipsis}", text::cut(last, room, ""));
        }
    }
    told.extend(todo);
    told.truncate(most);
    told
}

pub(super) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if let Some(editing) = &model.editing {
        return edited(editing, theme, inside, buffer);
    }
    if let Some(notice) = &model.notice {
        let style = if notice.bad { theme.danger } else { theme.text };
        return message(&words::name(theme, &notice.text), style, theme, area, buffer);
    }
    let mut line = Vec::new();
    let help = keys::of(Action::Help).map(|binding| entry(binding, theme)).unwrap_or_default();
    let mut room = usize::from(inside.width).saturating_sub(width(&help));
    let shown =
        keys::TABLE.iter().filter(|binding| applies(model, binding)).map(|binding| entry(binding, theme));
    for entry in marked(model, theme).into_iter().chain(back(model, theme)).chain(shown) {
        let Some(left) = room.checked_sub(width(&entry) + GAP.len()) else { break };
        room = left;
        line.extend(entry);
        line.push(Span::raw(GAP));
    }
    line.extend(help);
    put(buffer, theme, inside, 0, &line);
}

const GAP: &str = "  ";

/// What can be done here, whatever is selected: the footer stands still while the selection moves.
fn applies(model: &Model, binding: &Binding) -> bool {
    let something = match model.tab {
        Tab::Workspaces => !model.rows.is_empty(),
        Tab::AtRisk => !model.files.is_empty(),
        Tab::Disk => !model.disk.roots.is_empty(),
        Tab::Backups => model.backups.count(model.backups.view) > 0,
    };
    let on_disk = model.tab == Tab::Disk;
    let in_backups = model.tab == Tab::Backups;
    let is_demo = model.endpoint.endpoint.id.starts_with("demo");
    let in_tree = on_disk && model.disk.tree.is_some();
    let opened = model.open && model.tab == Tab::Workspaces;
    let browses = opened && model.page == Page::Browse;
    let fixed = model.browse.as_ref().is_none_or(|browse| browse.fixed.is_some());
    !binding.short.is_empty()
        && match binding.action {
            // What was retired is in no list: `!` and `?` have the key that brings it back.
            Action::Help | Action::Undo => false,
            // Where nothing can ever be stopped, `!` says why.
            Action::StopOrStart => {
                something && model.tab == Tab::Workspaces && !browses && model.endpoint.can_run()
            }
            Action::Backup => something && !in_backups && !browses && !on_disk && !is_demo,
            Action::Restore | Action::Verify | Action::Forget => {
                something && in_backups && model.backups.view == BackupView::Snapshots
            }
            Action::CallOff => in_backups && model.backups.view == BackupView::Jobs && backups::any_job(model),
            Action::View => in_tree || in_backups,
            // Its keys are those of snapshots and jobs.
            Action::WhatIf | Action::Habits | Action::Find | Action::Mark if in_backups => false,
            Action::Sort if in_backups => something,
            Action::Whose => something && on_disk,
            Action::Mark if on_disk => in_tree,
            Action::Sort if on_disk => something,
            // Its keys are those of places and folders.
            Action::Habits | Action::Find if on_disk => false,
            Action::Sort => something && model.tab == Tab::Workspaces && (!opened || browses),
            Action::Mark => something && (!opened || model.page == Page::Files),
            Action::Filter => something && (!opened || browses),
            Action::Retire => something && model.tab == Tab::Workspaces && !browses && model.endpoint.can_run(),
            Action::CopyOut => {
                let files = model.tab == Tab::AtRisk || (opened && model.page == Page::Files);
                browses || (something && files && model.endpoint.can_run())
            }
            // Where nothing can be changed, `!` says why.
            Action::Trash | Action::Rename | Action::CopyIn => browses && !fixed,
            Action::Open | Action::WhatIf | Action::Copy | Action::Habits => something,
            _ => true,
        }
}

/// Esc, where there is something to go back from.
fn back(model: &Model, theme: &Theme) -> Option<Vec<Span<'static>>> {
    (model.has_a_way_back() || model.walk_goes_on()).then(|| {
        vec![
            Span::styled(keys::written(keys::key(Action::Back)), theme.strong),
            Span::styled(if model.walk_goes_on() { " stop" } else { " back" }, theme.text),
        ]
    })
}

/// What is marked on the disk, and what it takes.
fn marked(model: &Model, theme: &Theme) -> Option<Vec<Span<'static>>> {
    let mark = model.disk.tree.as_ref().filter(|_| model.tab == Tab::Disk)?.marked();
    let words = format!("{} marked, {}", mark.count, text::size(mark.bytes));
    (mark.count > 0).then(|| vec![Span::styled(words, theme.caution)])
}

fn entry(binding: &Binding, theme: &Theme) -> Vec<Span<'static>> {
    let key = binding.on.first().map(|on| keys::written(on)).unwrap_or_default();
    vec![Span::styled(key, theme.strong), Span::styled(format!(" {}", binding.short), theme.text)]
}

fn width(entry: &[Span<'_>]) -> usize {
    entry.iter().map(|span| text::width(&span.content)).sum()
}

/// The filter or a name while it is typed; its end stays in sight.
fn edited(editing: &Editing, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut letters: Vec<char> = editing.text.chars().collect();
    letters.push(' ');
    let cursor = editing.cursor.min(letters.len().saturating_sub(1));
    let (prompt, keys) = match editing.prompt {
        Some(prompt) => (prompt, "Enter goes on, Esc ends it"),
        None if editing.find => ("find a file: ", "Enter finds, Esc ends it"),
        None => ("/", "Enter keeps it, Esc ends it"),
    };
    let room = usize::from(area.width).saturating_sub(text::width(prompt) + 1).max(1);
    let first = cursor.saturating_sub(room.saturating_sub(1));
    let part = |from: usize, to: usize| {
        let text: String = letters.get(from..to).unwrap_or_default().iter().collect();
        words::name(theme, &text)
    };
    let line = [
        Span::styled(prompt, theme.strong),
        Span::styled(part(first, cursor), theme.text),
        Span::styled(part(cursor, cursor + 1), theme.cursor),
        Span::styled(part(cursor + 1, letters.len()), theme.text),
    ];
    let used = put(buffer, theme, area, 0, &line);
    put_right(buffer, theme, area, 0, used.saturating_add(2), &[Span::styled(keys, theme.faint)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_is_never_cut_while_it_fits() {
        let says = "alice may not use the socket /run/docker.sock: that takes the group docker; sudo usermod -aG docker alice; then log in again";
        assert_eq!(
            told(says, 78, 3, "..."),
            [
                "alice may not use the socket /run/docker.sock: that takes the group docker;",
                "sudo usermod -aG docker alice; then log in again"
            ]
        );
        assert_eq!(
            told(says, 38, 3, "..."),
            ["alice may not use the socket...", "sudo usermod -aG docker alice; then", "log in again"]
        );
        assert_eq!(told(says, 38, 1, "..."), ["sudo usermod -aG docker alice; then"]);
        assert_eq!(told("all is well", 38, 3, "..."), ["all is well"]);
    }
}
