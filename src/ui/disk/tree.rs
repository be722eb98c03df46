//! The tree of a place: where it stands, its entries with their bars, and what becomes of each.
//!
//! ```text
//!  ~/workspace/thesis/data      12G (20G apparent) in 12034 files and 310 folders · read 4m ago
//!   NAME           SIZE              APPARENT  FILES  DIRS  AGE  KIND        IF RETIRED
//! › checkpoints/    11G  █████████             120     3   4m  folder      kept
//!   train.parquet  1.1G  ▉              20G           2d  data        kept
//! ```

use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::{answer, found, outcome};
use crate::model::Model;
use crate::model::disk::{
    Answerer, By, DiskTree, EntryKind, Line, Order, Progress, Show, Trait, Walked, answerer,
};
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::{Column, Table, TableRow, put, put_right, widest};
use crate::ui::{layout, why, words};

/// Columns of a bar.
const BAR: usize = 10;

pub(super) fn draw(
    model: &Model,
    tree: &DiskTree,
    theme: &Theme,
    (head, list, below): (Rect, Rect, Option<Rect>),
    buffer: &mut Buffer,
) {
    let walked = model.disk.walked(&tree.root.path).cloned().unwrap_or_default();
    title(model, tree, &walked, theme, head, buffer);
    let area = Rect { width: list.width.saturating_sub(1), ..list };
    let rows = layout::list_rows(area);
    let visible: Vec<(usize, Option<&Line>)> =
        (tree.offset..tree.shown.of).take(rows).map(|place| (place, tree.line(place))).collect();
    if visible.is_empty() {
        nothing(tree, &walked, theme, area, buffer);
    } else {
        let table = Table::fit(columns(model, tree, theme, area, &visible), area.width);
        let head = layout::head_rows(area);
        if head > 0 {
            table.heads(buffer, theme, area, 0);
        }
        for ((place, line), row) in visible.iter().zip(head..) {
            // What is not here yet comes in a moment.
            let cells = line.map_or_else(Vec::new, |line| cells_of(model, tree, theme, line));
            let marked =
                line.and_then(|line| tree.path_of(line)).is_some_and(|path| tree.marks.contains_key(&path));
            table.row(buffer, theme, area, row, &TableRow { cells, selected: *place == tree.selected, marked });
        }
    }
    if let Some(area) = below {
        match tree.current().and_then(|line| who(model, tree, line)) {
            Some(answerer) => why::draw(&answer(&answerer, model), theme, area, buffer),
            None => why::lines(&[], None, theme, area, buffer),
        }
    }
}

fn who<'m>(model: &'m Model, tree: &DiskTree, line: &Line) -> Option<Answerer<'m>> {
    answerer(&model.disk, &model.rows, &tree.root, &tree.path_of(line)?)
}

/// Where the tree stands, what it holds, and how old that is.
fn title(model: &Model, tree: &DiskTree, walked: &Walked, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let place = tree.root.whereabouts(&tree.at);
    let view = match (tree.view(), tree.show) {
        ("", _) => String::new(),
        (_, Show::Files(Some(Trait::Value(_)))) => {
            format!("{}{}", theme.dot(), words::name(theme, &tree.common))
        }
        (_, Show::Files(Some(Trait::Owner(_)))) => {
            format!("{}files of {}", theme.dot(), words::name(theme, &tree.common))
        }
        (view, _) => format!("{}{view}", theme.dot()),
    };
    let total = Progress { total: tree.shown.totals, ..Progress::default() };
    let lower = walked.known.as_ref().is_none_or(|known| !known.complete());
    let age = match (&walked.reading, &walked.known) {
        (Some(_), None) => Span::styled("reading", theme.caution),
        (Some(_), Some(_)) => Span::styled("reading again", theme.caution),
        (None, Some(known)) if known.stopped => {
            Span::styled(format!("stopped {}", text::ago(known.as_of, model.now)), theme.caution)
        }
        (None, Some(known)) => Span::styled(format!("read {}", text::ago(known.as_of, model.now)), theme.faint),
        (None, None) => Span::styled("not read", theme.caution),
    };
    let least = if lower { ">= " } else { "" };
    let size = Span::styled(format!("{least}{}", text::size(tree.shown.totals.allocated)), theme.text);
    let long = Span::styled(format!("{least}{}", found(&total)), theme.text);
    let dot = Span::styled(theme.dot(), theme.faint);
    let path = format!("{}{view}", words::path(theme, &place));
    let mut right = vec![long, dot.clone(), age.clone()];
    for shorter in [vec![size.clone(), dot, age.clone()], vec![size]] {
        let wide: usize = right.iter().map(Span::width).sum();
        if wide + text::width(&path).min(24) + 2 <= usize::from(inside.width) {
            break;
        }
        right = shorter;
    }
    let wide: usize = right.iter().map(Span::width).sum();
    let room = usize::from(inside.width).saturating_sub(wide + 2);
    let path = text::cut_middle(&path, room, theme.ellipsis());
    let used = put(buffer, theme, inside, 0, &[Span::styled(path, theme.strong)]);
    put_right(buffer, theme, inside, 0, used, &right);
}

/// Why there is no line.
fn nothing(tree: &DiskTree, walked: &Walked, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let says = match (&walked.not_read, walked.reading.is_some() || tree.answered.is_none()) {
        (Some(why), false) => Span::styled(format!("Not read: {}", words::name(theme, why)), theme.caution),
        (Some(why), true) if walked.reading.is_none() => {
            Span::styled(format!("Not read: {}", words::name(theme, why)), theme.caution)
        }
        (_, true) => Span::styled("Reading ...", theme.caution),
        _ if !tree.filter.is_empty() => {
            Span::styled(format!("Nothing matches /{}.", words::name(theme, &tree.filter)), theme.text)
        }
        _ => Span::styled("Nothing in it.", theme.text),
    };
    let inside = Rect { x: area.x + 2, width: area.width.saturating_sub(2), ..area };
    put(buffer, theme, inside, 1, &[says]);
}

fn columns(
    model: &Model,
    tree: &DiskTree,
    theme: &Theme,
    area: Rect,
    visible: &[(usize, Option<&Line>)],
) -> Vec<Column> {
    let lines = || visible.iter().filter_map(|(_, line)| *line);
    let narrow = area.width <= 40;
    let entries = tree.show == Show::Entries;
    let sums = matches!(tree.show, Show::Sums(_));
    let both = lines().any(|line| !line.row.totals.alike());
    let unless = |out: bool, column: Column| if out { column.absent() } else { column };
    let sorted =
        |column: Column, order: Order| if tree.order == order { column.marked(theme.sorted()) } else { column };
    let name = match tree.show {
        Show::Entries => "NAME",
        Show::Files(_) => "PATH",
        Show::Sums(By::Value) => "KIND",
        Show::Sums(By::Owner) => "OWNER",
    };
    let sizes = widest(lines().map(size));
    let files = widest(lines().map(|line| line.row.totals.files.to_string()));
    let fates =
        widest(lines().filter_map(|line| Some(outcome(Some(&who(model, tree, line)?), model, theme).content)));
    let dirs = widest(lines().map(|line| line.row.totals.dirs.to_string()));
    vec![
        sorted(
            Column::new(name, 60)
                .least(if narrow {
                    12
                } else if entries {
                    18
                } else {
                    28
                })
                .middle()
                .fill(),
            Order::Name,
        ),
        sorted(Column::new("SIZE", sizes.max(5)).right(), Order::Size),
        // Where paths need the room, a bar says least.
        unless(narrow, Column::new("", BAR).drop(if entries || sums { 4 } else { 8 })),
        unless(!both, Column::new("APPARENT", 8).right().drop(6)),
        unless(narrow || !(entries || sums), sorted(Column::new("FILES", files).right().drop(3), Order::Count)),
        unless(narrow || !entries, Column::new("DIRS", dirs).right().drop(7)),
        unless(narrow, sorted(Column::new("AGE", 4).right().drop(2), Order::Age)),
        unless(narrow || sums, Column::new("KIND", 10).drop(5)),
        unless(sums, Column::new(model.event.if_words().to_uppercase(), fates.clamp(10, 24)).least(10).drop(1)),
    ]
}

fn cells_of(model: &Model, tree: &DiskTree, theme: &Theme, line: &Line) -> Vec<Span<'static>> {
    let row = &line.row;
    let folder = row.kind == EntryKind::Folder && line.sum.is_none();
    let count = |many: u64| if row.kind == EntryKind::Folder { many.to_string() } else { String::new() };
    let name = words::path(theme, Path::new(&row.name));
    let apparent = if row.totals.alike() { String::new() } else { text::size(row.totals.apparent) };
    vec![
        Span::styled(if folder { format!("{name}/") } else { name }, theme.text),
        Span::styled(size(line), theme.text),
        Span::styled(theme.bar(share(tree, line), BAR), theme.faint),
        Span::styled(apparent, theme.text),
        Span::styled(count(row.totals.files), theme.text),
        Span::styled(count(row.totals.dirs), theme.faint),
        Span::styled(words::age(row.modified, model.now), theme.text),
        Span::styled(kind(line), theme.faint),
        if line.sum.is_some() { Span::raw("") } else { outcome(who(model, tree, line).as_ref(), model, theme) },
    ]
}

fn size(line: &Line) -> String {
    let bytes = line.row.totals.allocated;
    let lower = line.row.growing || line.row.totals.errors > 0;
    if lower { text::size_at_least(bytes) } else { text::size(bytes) }
}

/// How much of what the folder holds is in this entry.
#[allow(clippy::cast_precision_loss, reason = "a share of a bar of ten columns")]
fn share(tree: &DiskTree, line: &Line) -> f64 {
    let whole = tree.shown.totals.allocated;
    if whole == 0 { 0.0 } else { line.row.totals.allocated as f64 / whole as f64 }
}

/// What kind of entry it is.
fn kind(line: &Line) -> String {
    match (line.row.kind, line.value) {
        _ if line.row.again => "hard link".into(),
        (EntryKind::Folder, _) => "folder".into(),
        (EntryKind::Link, _) => "link".into(),
        (EntryKind::Special, _) => "special".into(),
        (EntryKind::File, Some(value)) => value.short().into(),
        (EntryKind::File, None) => "file".into(),
    }
}
