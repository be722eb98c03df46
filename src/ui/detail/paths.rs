//! The page Paths: what the workspace is, its places as a tree with what becomes of each, and
//! the most valuable files at risk.
//!
//! ```text
//! state ...                        owner ...
//! image ...      exists  until ...
//!
//!   IN CONTAINER     FROM                    STORAGE         MODE  IF RETIRED
//!   /                the rest                writable layer  rw    lost
//!     /workspace     ~/workspace/my-project  bind mount      rw    kept
//!     /tmp                                   writable layer  rw    lost
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
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::mount::READ_ONLY;
use crate::core::places::Place;
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
    /// Rows of places, without their heads.
    pub(in crate::ui) places: usize,
    /// A row that says what can only be read.
    read_only: bool,
    /// Rows of files, without their heads.
    files: usize,
}

/// Four places and their heads.
const FEW_PLACES: u16 = 5;
/// So many places come before what the workspace is made of.
const MORE_PLACES: usize = 8;

/// Shares the rows out: what the workspace is, a few places, files, more places.
pub(in crate::ui) fn shape(row: &Row, places: &[Place<'_>], open: bool, area: Rect) -> Shape {
    let all = if open {
        places.len()
    } else {
        let seen = seen(places, usize::MAX, None).len();
        seen + usize::from(seen < places.len())
    };
    let found = row.risk.known.as_ref().map_or(0, |risk| risk.findings.len());
    let mut left = area.height;
    let facts = left >= FACT_ROWS + 7;
    left -= if facts { FACT_ROWS } else { 0 };
    // Where nothing of the three has a name, as on this machine, they say nothing.
    let named = |layers: &Layers| {
        [&layers.image, &layers.container, &layers.workspace].iter().any(|layer| layer.name.is_some())
    };
    let wanted = 2 + all.min(MORE_PLACES) + if found == 0 { 0 } else { found.min(3) + 2 };
    let room = usize::from(left.saturating_sub(LAYER_ROWS));
    let layers = row.layers.as_ref().is_some_and(named) && room >= wanted.max(8);
    left -= if layers { LAYER_ROWS } else { 0 };
    // An empty row and the heads.
    let rows = usize::from(left.saturating_sub(2));
    let read_only = open && rows >= 6 && places.iter().any(|place| place.mount.is_some() && place.read_only());
    let rows = rows - usize::from(read_only);
    // Files take another two, and at least three rows where there are as many.
    let least = if found == 0 || rows < 8 { 0 } else { found.min(3) + 2 };
    // Why a look was not complete comes before how many files it found, and after a few places.
    let few = all.min(usize::from(FEW_PLACES) - 1);
    let why = if rows < 8 { 0 } else { files::reasons(row).min(rows - few) };
    let shown = all.min(rows.saturating_sub(least + why).max(few.min(rows)));
    let files = rows.saturating_sub(shown + 2 + why).min(found);
    // What no file takes, places do.
    let shown = if files == 0 { all.min(rows - why.min(rows)).max(shown) } else { shown };
    Shape { facts, layers, places: shown, read_only, files }
}

pub(super) fn draw(model: &Model, theme: &Theme, row: &Row, detail: &Detail, area: Rect, buffer: &mut Buffer) {
    let places = cells::places(row);
    let shape = shape(row, &places, model.open, area);
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
    let mut used = table(model, theme, &places, shape.places, rest, buffer);
    if shape.read_only {
        put(buffer, theme, rest, used, &[Span::styled(read_only(theme, &places), theme.faint)]);
        used += 1;
    }
    // Beside the list the files begin in the same row for all who have few places.
    let used = if area.width < 70 && rest.height >= 16 { used.max(FEW_PLACES) } else { used };
    rest = below(rest, used);
    if let Some(reason) = &detail.mounts_missing {
        let text = format!("Not all mounts are known: {}", words::name(theme, reason));
        put(buffer, theme, rest, 0, &[Span::styled(text, theme.caution)]);
    }
    files::top(model, theme, row, shape.files, below(rest, 1), buffer);
}

/// Which mounts can only be read from.
fn read_only(theme: &Theme, places: &[Place<'_>]) -> String {
    let mounts = places.iter().filter(|place| place.mount.is_some() && place.read_only());
    let names: Vec<_> = mounts.map(|place| words::path(theme, &place.path)).collect();
    format!("{}: {READ_ONLY}", names.join(", "))
}

/// The tree of places; returns the rows used.
fn table(
    model: &Model,
    theme: &Theme,
    places: &[Place<'_>],
    rows: usize,
    area: Rect,
    buffer: &mut Buffer,
) -> u16 {
    let narrow = area.width < 70;
    let all: Vec<Vec<Span<'static>>> =
        places.iter().map(|place| cells_of(model, theme, place, narrow)).collect();
    // Beside the list the columns stand still from one detail to the next.
    let most = if narrow { 18 } else { 48 };
    let unless = |out: bool, column: Column| if out { column.absent() } else { column };
    let wide =
        |column: usize| widest(all.iter().filter_map(|cells| cells.get(column)).map(|cell| &cell.content));
    let columns = vec![
        Column::new("IN CONTAINER", wide(0).clamp(18, most)).least(16).middle().fill(),
        Column::new("FROM", wide(1).clamp(24, 48)).least(8).middle().drop(2),
        Column::new("STORAGE", wide(2).max(19)).drop(1),
        // `rw` and `ro` need no head; without a column of its own, the name says what is read-only.
        unless(narrow, Column::new("", 2)),
        unless(area.width < 84, Column::new("FILE SYSTEM", wide(4).min(16)).drop(3)),
        Column::new(model.event.if_words().to_uppercase(), wide(5).min(if narrow { 10 } else { 32 })).least(10),
    ];
    let table = Table::selectable(model.open, columns, area.width);
    table.heads(buffer, theme, area, 0);
    let seen = seen(places, rows, model.open.then_some(model.detail_list.offset));
    let mut line = 1;
    for place in &seen {
        let Some(cells) = all.get(*place) else { continue };
        let selected = model.open && model.detail_list.selected == *place;
        let row = TableRow { cells: cells.clone(), selected, marked: false };
        table.row(buffer, theme, area, line, &row);
        line += 1;
    }
    let left = all.len() - seen.len();
    if left > 0 && model.open {
        let above = Rect { y: area.y.saturating_sub(1), height: 1, ..area };
        let first = seen.first().map_or(0, |first| first + 1);
        let text = format!("{first}-{} of {}", first + seen.len().saturating_sub(1), all.len());
        put_right(buffer, theme, above, 0, 0, &[Span::styled(text, theme.faint)]);
    } else if left > 0 && rows > seen.len() {
        let text = format!("{} and {left} more (Enter)", theme.ellipsis());
        put(buffer, theme, area, line, &[Span::styled(text, theme.faint)]);
        line += 1;
    }
    line
}

/// Which places are seen: in an open detail a window; beside the list the root, the mounts, and
/// what says something else than the place above it.
fn seen(places: &[Place<'_>], rows: usize, offset: Option<usize>) -> Vec<usize> {
    let all = places.len();
    if let Some(offset) = offset {
        let from = offset.min(all.saturating_sub(rows));
        return (from..all.min(from + rows)).collect();
    }
    let mut seen: Vec<usize> = (0..all).filter(|place| says_more(places, *place)).collect();
    if seen.len() > rows || (seen.len() == rows && rows < all) {
        // The last row counts those left out.
        seen.truncate(rows.saturating_sub(1));
    }
    seen
}

/// Whether a place is a mount, or its answer is another one than that of the place above it.
fn says_more(places: &[Place<'_>], at: usize) -> bool {
    let Some(place) = places.get(at) else { return false };
    let above = places.get(..at).unwrap_or_default().iter().rfind(|above| above.depth < place.depth);
    place.mount.is_some()
        || above
            .is_none_or(|above| Event::ALL.iter().any(|event| above.verdict(*event) != place.verdict(*event)))
}

/// What a place's row says. What is lost is dim besides being called so.
fn cells_of(model: &Model, theme: &Theme, place: &Place<'_>, narrow: bool) -> Vec<Span<'static>> {
    let verdict = place.verdict(model.event);
    let name = if verdict == Verdict::Lost { theme.faint } else { theme.text };
    let filesystem = place.mount.and_then(|mount| mount.filesystem.as_ref());
    vec![
        Span::styled(target(theme, place, narrow), name),
        source(theme, place),
        Span::styled(place.answer.storage.label(), theme.text),
        Span::styled(if place.read_only() { "ro" } else { "rw" }, theme.text),
        Span::styled(filesystem.map_or_else(String::new, |fs| words::name(theme, fs)), theme.faint),
        words::fate(verdict, theme),
    ]
}

fn target(theme: &Theme, place: &Place<'_>, narrow: bool) -> String {
    let read_only = if narrow && place.mount.is_some() && place.read_only() { " (ro)" } else { "" };
    format!("{}{}{read_only}", "  ".repeat(place.depth), words::path(theme, &place.name))
}

fn source(theme: &Theme, place: &Place<'_>) -> Span<'static> {
    if place.answer.violation.is_some() {
        let mounted = place.mount.is_some();
        return Span::styled(if mounted { "does not last" } else { "not mounted" }, theme.caution);
    }
    let source = place.mount.map_or("", |mount| &mount.source);
    let text = match place.answer.storage {
        StorageKind::WritableLayer | StorageKind::HostDisk if place.path == Path::new("/") => "the rest".into(),
        StorageKind::Tmpfs | StorageKind::EmptyDirMemory if place.mount.is_some() && source.is_empty() => {
            "memory".into()
        }
        _ => words::name(theme, source),
    };
    Span::styled(text, theme.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::classify::Explanation;
    use crate::core::fate::{Answer, Basis, Fate, Fates};
    use crate::core::mount::{Backing, Mount};

    #[test]
    fn beside_the_list_only_what_says_more_is_seen() {
        let mount = Mount::new("/".into(), String::new(), Backing::Layer, None);
        let answer = Answer {
            fate: Fate::Lost,
            reason: "".into(),
            advice: "".into(),
            condition: None,
            holds: None,
            basis: Basis::Derived,
        };
        let place = |depth: usize, is_mount: bool, fate: Fate| Place {
            path: "/x".into(),
            depth,
            name: "/x".into(),
            mount: is_mount.then_some(&mount),
            answer: Explanation {
                mount: None,
                storage: mount.storage,
                fates: Fates(std::array::from_fn(|_| Answer { fate, ..answer.clone() })),
                rule: None,
                violation: None,
            },
        };
        let places = [
            place(0, true, Fate::Lost),
            place(1, true, Fate::Kept),
            place(2, false, Fate::Kept),
            place(1, false, Fate::Rebuilt),
            place(1, false, Fate::Lost),
        ];
        assert_eq!(seen(&places, 9, None), [0, 1, 3]);
        assert_eq!(seen(&places, 3, None), [0, 1], "the third row counts the rest");
        assert_eq!(seen(&places, 9, Some(0)), [0, 1, 2, 3, 4], "an open detail shows all");
        assert_eq!(seen(&places, 2, Some(1)), [1, 2], "and scrolls through them");
        assert_eq!(seen(&places, 2, Some(9)), [3, 4]);
        assert_eq!(seen(&[], 4, None), Vec::<usize>::new());
    }
}
