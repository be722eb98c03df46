//! The page Paths: what the workspace is, where its paths come from and what becomes of
//! them, and the most valuable files at risk.
//!
//! ```text
//! state ...                        owner ...
//! image ...      exists  until ...
//!
//!   IN CONTAINER     FROM                    STORAGE         MODE  IF RETIRED
//!   /workspace       ~/workspace/my-project  bind mount      rw    kept
//!   everything else  new and changed files   writable layer  rw    lost
//!
//!   FILES AT RISK                    SIZE  KIND        AGE  IF RETIRED
//!   /tmp/model.pt                    2.1G  checkpoint   4m  lost
//! ```

use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::facts::{self, FACT_ROWS, LAYER_ROWS};
use super::{below, files};
use crate::core::mount::Mount;
use crate::core::report::Layers;
use crate::core::storage::StorageKind;
use crate::core::workspace::Detail;
use crate::model::cells;
use crate::model::{Model, Row};
use crate::ui::theme::Theme;
use crate::ui::widget::{Column, Table, TableRow, put, put_right, widest};
use crate::ui::words;

/// How the rows of the page are shared out.
#[derive(Clone, Copy, Debug)]
pub(in crate::ui) struct Shape {
    facts: bool,
    layers: bool,
    /// Rows of mounts, without their heads.
    pub(in crate::ui) mounts: usize,
    /// Rows of files, without their heads.
    files: usize,
}

impl Shape {
    /// Rows that an open detail scrolls of so many mounts: the last one stands still below them.
    pub(in crate::ui) const fn scrolled(self, all: usize) -> usize {
        if all > self.mounts && self.mounts >= 2 { self.mounts - 1 } else { self.mounts }
    }
}

/// Four mounts and their heads.
const FEW_MOUNTS: u16 = 5;

/// Shares the rows out: mounts first, then what the workspace is, then files.
pub(in crate::ui) fn shape(row: &Row, detail: &Detail, area: Rect) -> Shape {
    let all = cells::visible_mounts(detail).len();
    let found = row.risk.known.as_ref().map_or(0, |risk| risk.findings.len());
    let mut left = area.height;
    let facts = left >= FACT_ROWS + 7;
    left -= if facts { FACT_ROWS } else { 0 };
    // Where nothing of the three has a name, as on this machine, they say nothing.
    let named = |layers: &Layers| {
        [&layers.image, &layers.container, &layers.workspace].iter().any(|layer| layer.name.is_some())
    };
    let layers = row.layers.as_ref().is_some_and(named) && left >= LAYER_ROWS + 8;
    left -= if layers { LAYER_ROWS } else { 0 };
    // An empty row and the heads.
    let rows = usize::from(left.saturating_sub(2));
    // Files take another two, and at least three rows where there are as many.
    let least = if found == 0 || rows < 8 { 0 } else { found.min(3) + 2 };
    // Why a look was not complete comes before how many files it found, and after a few mounts.
    let few = all.min(usize::from(FEW_MOUNTS) - 1);
    let why = if rows < 8 { 0 } else { files::reasons(row).min(rows - few) };
    let mounts = all.min(rows.saturating_sub(least + why).max(few.min(rows)));
    let files = rows.saturating_sub(mounts + 2 + why).min(found);
    // What no file takes, mounts do.
    let mounts = if files == 0 { all.min(rows - why.min(rows)).max(mounts) } else { mounts };
    Shape { facts, layers, mounts, files }
}

pub(super) fn draw(model: &Model, theme: &Theme, row: &Row, detail: &Detail, area: Rect, buffer: &mut Buffer) {
    let shape = shape(row, detail, area);
    let mut rest = area;
    if shape.facts {
        facts::facts(model, theme, row, detail, rest, buffer);
        rest = below(rest, FACT_ROWS);
    }
    if shape.layers {
        facts::layers(theme, row, rest, buffer);
        rest = below(rest, LAYER_ROWS);
    }
    rest = below(rest, 1);
    let used = mounts(model, theme, row, detail, shape.mounts, rest, buffer);
    // Beside the list the files begin in the same row for all who have few mounts.
    let used = if area.width < 70 && rest.height >= 16 { used.max(FEW_MOUNTS) } else { used };
    rest = below(rest, used);
    if let Some(reason) = &detail.mounts_missing {
        let text = format!("Not all mounts are known: {}", words::name(theme, reason));
        put(buffer, theme, rest, 0, &[Span::styled(text, theme.caution)]);
    }
    files::top(model, theme, row, shape.files, below(rest, 1), buffer);
}

/// The table of mounts; returns the rows used.
fn mounts(
    model: &Model,
    theme: &Theme,
    row: &Row,
    detail: &Detail,
    rows: usize,
    area: Rect,
    buffer: &mut Buffer,
) -> u16 {
    let Some(classifier) = row.classifier() else { return 0 };
    let shown = cells::visible_mounts(detail);
    let narrow = area.width < 70;
    let all: Vec<Vec<Span<'static>>> = shown
        .iter()
        .filter_map(|index| detail.mounts.get(*index))
        .map(|mount| {
            let verdict = classifier.mount(mount).fates.verdict(model.event);
            vec![
                Span::styled(target(theme, mount, narrow), theme.text),
                Span::styled(source(theme, mount), theme.text),
                Span::styled(mount.storage.label(), theme.text),
                Span::styled(if mount.read_only { "ro" } else { "rw" }, theme.text),
                Span::styled(
                    mount.filesystem.as_ref().map_or_else(|| "-".into(), |fs| words::name(theme, fs)),
                    theme.faint,
                ),
                words::fate(verdict, theme),
            ]
        })
        .collect();
    // Beside the list the columns stand still from one detail to the next.
    let most = if narrow { 16 } else { 48 };
    let unless = |out: bool, column: Column| if out { column.absent() } else { column };
    let wide =
        |column: usize| widest(all.iter().filter_map(|cells| cells.get(column)).map(|cell| &cell.content));
    let columns = vec![
        Column::new("IN CONTAINER", wide(0).clamp(16, most)).least(16).middle().fill(),
        Column::new("FROM", wide(1).clamp(24, 48)).least(8).middle().drop(2),
        Column::new("STORAGE", wide(2).max(19)).drop(1),
        // `rw` and `ro` need no head; without a column of its own, the target says what is read-only.
        unless(narrow, Column::new("", 2)),
        unless(area.width < 84, Column::new("FILE SYSTEM", wide(4).min(16)).drop(3)),
        Column::new(model.event.if_words().to_uppercase(), wide(5).min(if narrow { 10 } else { 32 })).least(10),
    ];
    let table = Table::selectable(model.open, columns, area.width);
    table.heads(buffer, theme, area, 0);
    let seen = Seen::of(all.len(), rows, model.open.then_some(model.detail_list.offset));
    let mut line = 1;
    let mut draw = |place: usize, line: u16| {
        let Some(cells) = all.get(place) else { return };
        let selected = model.open && model.detail_list.selected == place;
        let row = TableRow { cells: cells.clone(), selected, marked: false };
        table.row(buffer, theme, area, line, &row);
    };
    for place in seen.from..seen.to {
        draw(place, line);
        line += 1;
    }
    if seen.root {
        draw(all.len().saturating_sub(1), line + u16::from(seen.more));
    }
    if seen.more {
        let text = format!("{} and {} more (Enter)", theme.ellipsis(), all.len().saturating_sub(seen.to + 1));
        put(buffer, theme, area, line, &[Span::styled(text, theme.faint)]);
    }
    if model.open && seen.root {
        let above = Rect { y: area.y.saturating_sub(1), height: 1, ..area };
        let text = match (seen.from + 1, seen.to) {
            (first, last) if first < last => format!("{first}-{last} of {}", all.len()),
            (only, _) => format!("{only} of {}", all.len()),
        };
        put_right(buffer, theme, above, 0, 0, &[Span::styled(text, theme.faint)]);
    }
    line += u16::from(seen.root) + u16::from(seen.more);
    line
}

/// Which mounts are seen. The last, what holds everything else and is lost first, always is.
struct Seen {
    from: usize,
    to: usize,
    /// There is a line that counts those left out.
    more: bool,
    /// The last one follows by itself.
    root: bool,
}

impl Seen {
    /// Picks from `all` mounts for some rows; `offset` is how far an open detail is scrolled.
    fn of(all: usize, rows: usize, offset: Option<usize>) -> Self {
        match offset {
            _ if all <= rows => Self { from: 0, to: all, more: false, root: false },
            Some(offset) if rows >= 2 => {
                let from = offset.min(all - rows);
                Self { from, to: from + rows - 1, more: false, root: true }
            }
            Some(offset) => Self { from: offset, to: offset + rows, more: false, root: false },
            None => Self { from: 0, to: rows.saturating_sub(2), more: rows >= 2, root: rows >= 1 },
        }
    }
}

fn target(theme: &Theme, mount: &Mount, narrow: bool) -> String {
    let read_only = if narrow && mount.read_only { " (ro)" } else { "" };
    if mount.target == Path::new("/") {
        return format!("everything else{read_only}");
    }
    format!("{}{read_only}", words::path(theme, &mount.target))
}

fn source(theme: &Theme, mount: &Mount) -> String {
    match mount.storage {
        StorageKind::WritableLayer => "container".into(),
        StorageKind::Tmpfs | StorageKind::EmptyDirMemory if mount.source.is_empty() => "memory".into(),
        _ if mount.source.is_empty() => "-".into(),
        _ => words::name(theme, &mount.source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_everything_else_is_always_in_sight() {
        let seen = |rows, offset| {
            let seen = Seen::of(12, rows, offset);
            (seen.from..seen.to, seen.more, seen.root)
        };
        assert_eq!(seen(12, None), (0..12, false, false));
        assert_eq!(seen(5, None), (0..3, true, true));
        assert_eq!(seen(2, None), (0..0, true, true));
        assert_eq!(seen(5, Some(3)), (3..7, false, true));
        assert_eq!(seen(5, Some(8)), (7..11, false, true));
    }
}
