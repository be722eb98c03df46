//! The page Browse: one folder of the workspace, what each entry is, and what becomes of it.
//!
//! ```text
//! /workspace/runs  12 entries, by name
//! Nothing can be changed here: its file system is mounted read-only
//!
//!   NAME                       SIZE  KIND        AGE  OWNER  IF RETIRED
//!   ../
//! › model.pt                   2.1G  checkpoint   4m  alice  kept
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::{below, paragraphs};
use crate::core::value::Value;
use crate::model::{Browse, BrowseState, EntryKind, FileEntry, Model, Row};
use crate::text;
use crate::ui::empty;
use crate::ui::theme::Theme;
use crate::ui::widget::{Column, Table, TableRow, put};
use crate::ui::words;

/// Rows of the list, below the head.
pub(super) fn list_rows(model: &Model, area: Rect) -> usize {
    usize::from(below(area, head_rows(model)).height.saturating_sub(1))
}

/// The folder, why it is not whole, why it cannot be changed, and an empty row where there is room.
fn head_rows(model: &Model) -> u16 {
    let said = model.browse.as_ref().map_or(0, |browse| remarks(browse).len());
    u16::try_from(said).unwrap_or(0) + 2
}

fn remarks(browse: &Browse) -> Vec<String> {
    let fixed = browse.fixed.as_ref().map(|why| format!("Nothing can be changed here: {why}"));
    browse.partial.iter().cloned().chain(fixed).collect()
}

pub(super) fn draw(model: &Model, theme: &Theme, row: &Row, area: Rect, buffer: &mut Buffer) {
    let ours = model.browse.as_ref().filter(|browse| browse.key == row.workspace.key);
    let Some(browse) = ours else {
        let says = if model.open { "Looking at it ..." } else { "Enter opens it: its folders are read then." };
        put(buffer, theme, area, 1, &[Span::styled(says, theme.faint)]);
        return;
    };
    put(buffer, theme, area, 0, &title(model, theme, browse));
    for (says, line) in remarks(browse).into_iter().zip(1..) {
        put(buffer, theme, area, line, &[Span::styled(words::name(theme, &says), theme.caution)]);
    }
    let list = below(area, head_rows(model));
    if let BrowseState::Failed(error) = &browse.state {
        let mut lines = vec![Span::styled(empty::sentence(theme, &error.message), theme.danger)];
        lines.extend(error.hints.iter().map(|hint| Span::styled(words::name(theme, hint), theme.strong)));
        paragraphs(theme, list, buffer, &lines);
        return;
    }
    if model.detail_list.shown.is_empty() {
        let says = match (&browse.state, model.detail_list.filter.is_empty()) {
            (BrowseState::Reading, _) => "Reading ...",
            (_, true) => "Nothing is in it.",
            (_, false) => "No name matches.",
        };
        put(buffer, theme, list, 0, &[Span::styled(says, theme.faint)]);
        return;
    }
    let table = columns(model, row, area);
    table.heads(buffer, theme, list, 0);
    let rows = usize::from(list.height.saturating_sub(1));
    let (offset, selected) = (model.detail_list.offset, model.detail_list.selected);
    let shown = model.detail_list.shown.iter().enumerate().skip(offset).take(rows);
    for ((place, index), line) in shown.zip(1..) {
        let Some(entry) = browse.entries.get(*index) else { continue };
        let cells = cells(model, theme, row, browse, entry);
        let cells = TableRow { cells, selected: model.open && selected == place, marked: false };
        table.row(buffer, theme, list, line, &cells);
    }
}

/// The folder, how much is in it, and what comes first.
fn title(model: &Model, theme: &Theme, browse: &Browse) -> [Span<'static>; 2] {
    let count = browse.entries.iter().filter(|entry| !entry.is_up()).count();
    let many = if count == 1 { "1 entry".into() } else { format!("{count} entries") };
    let filter = &model.detail_list.filter;
    let about = match (&browse.state, filter.is_empty()) {
        (BrowseState::Failed(_), _) => String::new(),
        (BrowseState::Reading, _) => "  reading ...".into(),
        (_, true) => format!("  {many}, by {}", browse.order.title()),
        (_, false) => {
            format!("  {} of {many} with {}", model.detail_list.shown.len(), words::name(theme, filter))
        }
    };
    [Span::styled(words::path(theme, &browse.path), theme.strong), Span::styled(about, theme.faint)]
}

fn columns(model: &Model, row: &Row, area: Rect) -> Table {
    let fate = if area.width >= 100 { 24 } else { 10 };
    let fates = Column::new(model.event.if_words().to_uppercase(), fate).least(8).drop(3);
    Table::selectable(
        model.open,
        vec![
            Column::new("NAME", 40).least(14).middle().fill(),
            Column::new("SIZE", 5).right(),
            Column::new("KIND", 10).drop(1),
            Column::new("AGE", 4).right().drop(2),
            Column::new("OWNER", 8).drop(4),
            if row.classifier().is_some() { fates } else { fates.absent() },
        ],
        area.width,
    )
}

fn cells(model: &Model, theme: &Theme, row: &Row, browse: &Browse, file: &FileEntry) -> Vec<Span<'static>> {
    let entry = &file.entry;
    let name = words::path(theme, std::path::Path::new(&entry.name));
    if file.is_up() {
        let nothing = || Span::raw("");
        return vec![Span::styled("../", theme.faint), nothing(), nothing(), nothing(), nothing(), nothing()];
    }
    let path = browse.path.join(&entry.name);
    let (shown, kind) = match entry.kind {
        EntryKind::Folder => (format!("{name}/"), "folder"),
        EntryKind::Link => {
            let target = entry.target.as_deref().map(|target| words::path(theme, target)).unwrap_or_default();
            (format!("{name} -> {target}"), "link")
        }
        EntryKind::File => (name, Value::of(&path).short()),
        EntryKind::Special => (name, "special"),
    };
    let fate = row.classifier().map_or_else(
        || Span::raw(""),
        |classifier| words::fate(classifier.entry(&path, file.written).verdict(model.event), theme),
    );
    let size = if entry.kind == EntryKind::Folder { "-".into() } else { text::size(entry.bytes) };
    let owner = file.owner.clone().unwrap_or_else(|| entry.owner.to_string());
    vec![
        Span::styled(shown, theme.text),
        Span::styled(size, theme.text),
        Span::styled(kind, theme.text),
        Span::styled(words::age(entry.modified, model.now), theme.text),
        Span::styled(words::name(theme, &owner), theme.faint),
        fate,
    ]
}
