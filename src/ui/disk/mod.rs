//! What takes the space: the places that can be walked, and the tree of one of them.
//!
//! ```text
//!   PLACE                      WHERE                       SIZE  FILES  READ  IF RETIRED
//! › projects                   /home/alice/workspace        18G  12034    4m  kept
//!   home                       /home/alice              reading    310        kept
//!   thesis layer               /var/lib/docker/...     not read               lost
//! ──────────────────────────────────────────────────────────────────────────────────────
//!  /home/alice/workspace: 18G in 12034 files and 310 folders, read 4m ago
//! ```

mod tree;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{Column, Table, TableRow, widest};
use super::{empty, layout, why, words};
use crate::core::fate::Answer;
use crate::model::Model;
use crate::model::disk::{self, Answerer, DiskRoot, Progress, Walked, answerer};
use crate::text;

pub(super) fn draw(
    model: &Model,
    theme: &Theme,
    (head, list, below): (Rect, Rect, Option<Rect>),
    buffer: &mut Buffer,
) {
    match &model.disk.tree {
        Some(open) => tree::draw(model, open, theme, (head, list, below), buffer),
        None => places(model, theme, list, below, buffer),
    }
}

fn places(model: &Model, theme: &Theme, area: Rect, below: Option<Rect>, buffer: &mut Buffer) {
    let list = &model.disk.list;
    if list.shown.is_empty() {
        return empty::disk(model, theme, area, buffer);
    }
    let area = Rect { width: area.width.saturating_sub(1), ..area };
    let visible: Vec<(usize, &DiskRoot)> = (list.offset..list.shown.len())
        .take(layout::list_rows(area))
        .filter_map(|place| Some((place, model.disk.roots.get(*list.shown.get(place)?)?)))
        .collect();
    let narrow = area.width <= 40;
    let unless = |out: bool, column: Column| if out { column.absent() } else { column };
    let titles = widest(model.disk.roots.iter().map(|root| words::name(theme, &root.title())));
    let sizes = widest(visible.iter().map(|(_, root)| words::disk(model.disk.size(&root.path), theme).content));
    let fate =
        |root| outcome(answerer(&model.disk, &model.rows, root, "".as_ref()).as_ref(), model, theme).content;
    let fates = widest(visible.iter().map(|(_, root)| fate(root)));
    let table = Table::fit(
        vec![
            Column::new("PLACE", titles.clamp(12, 36)).least(if narrow { 12 } else { 20 }).middle(),
            unless(narrow, Column::new("WHERE", 60).least(16).middle().fill().drop(4)),
            Column::new("SIZE", sizes).right(),
            unless(narrow, Column::new("FILES", 8).right().drop(3)),
            unless(narrow, Column::new("READ", 4).right().drop(2)),
            Column::new(model.event.if_words().to_uppercase(), fates.clamp(10, 24)).least(10).drop(1),
        ],
        area.width,
    );
    let head = layout::head_rows(area);
    if head > 0 {
        table.heads(buffer, theme, area, 0);
    }
    for ((place, root), line) in visible.iter().zip(head..) {
        let cells = cells_of(model, theme, root);
        table.row(
            buffer,
            theme,
            area,
            line,
            &TableRow { cells, selected: *place == list.selected, marked: false },
        );
    }
    if let (Some(area), Some(root)) = (below, model.disk.selected()) {
        let (first, second) = said(model, theme, root);
        why::lines(&first, second, theme, area, buffer);
    }
}

fn cells_of(model: &Model, theme: &Theme, root: &DiskRoot) -> Vec<Span<'static>> {
    let walked = model.disk.walked(&root.path);
    let files = walked.and_then(so_far).map_or_else(String::new, |progress| progress.total.files.to_string());
    let read = walked.and_then(|walked| walked.known.as_ref()).map(|found| found.as_of);
    let read = read.map_or_else(String::new, |at| text::age(at, model.now));
    vec![
        Span::styled(words::name(theme, &root.title()), theme.text),
        Span::styled(words::path(theme, &root.path), theme.faint),
        words::disk(model.disk.size(&root.path), theme),
        Span::styled(files, theme.text),
        Span::styled(read, theme.faint),
        outcome(answerer(&model.disk, &model.rows, root, "".as_ref()).as_ref(), model, theme),
    ]
}

/// What was found so far, or at the last time.
fn so_far(walked: &Walked) -> Option<&Progress> {
    walked.known.as_ref().map(|found| &found.progress).or(walked.reading.as_ref())
}

/// What becomes of a place or an entry, in the words of a column.
fn outcome(answerer: Option<&Answerer<'_>>, model: &Model, theme: &Theme) -> Span<'static> {
    let Some(answerer) = answerer else { return Span::styled("unknown", theme.caution) };
    let (verdict, merged) = disk::fate(answerer, model.event);
    let words = words::fate(verdict, theme);
    // Beside them lie files of the image, which come back.
    if merged && words.content == "lost" { Span::styled("lost if new", words.style) } else { words }
}

fn answer(answerer: &Answerer<'_>, model: &Model) -> Answer {
    answerer.explanation().fates.of(model.event).clone()
}

/// What is known of a place, in two lines.
fn said(model: &Model, theme: &Theme, root: &DiskRoot) -> (Vec<Span<'static>>, Option<Span<'static>>) {
    let walked = model.disk.walked(&root.path).cloned().unwrap_or_default();
    let first = match (&walked.reading, &walked.known, &walked.not_read) {
        (Some(progress), None, _) => {
            Span::styled(format!("reading, {} so far", found(progress)), theme.caution)
        }
        (_, Some(known), _) => {
            let again = if walked.reading.is_some() { ", reading it again" } else { "" };
            let stopped = if known.stopped { ", stopped before the end" } else { "" };
            let least = if known.complete() { "" } else { ">= " };
            let when = text::ago(known.as_of, model.now);
            Span::styled(format!("{least}{}, read {when}{stopped}{again}", found(&known.progress)), theme.text)
        }
        (None, None, Some(why)) => {
            Span::styled(format!("not read: {}", words::name(theme, why)), theme.caution)
        }
        (None, None, None) => Span::styled("not read yet, Enter reads it", theme.text),
    };
    let gap = so_far(&walked).and_then(|progress| progress.gaps.first());
    let mounts = so_far(&walked).map_or(0, |progress| progress.mounts);
    let second = match gap {
        Some(gap) => Some(Span::styled(format!("Missing: {}", words::name(theme, gap)), theme.caution)),
        None if mounts > 0 => {
            let (noun, are) = if mounts == 1 { ("mount", "is") } else { ("mounts", "are") };
            Some(Span::styled(format!("{mounts} other {noun} beneath it {are} not counted here."), theme.text))
        }
        None => None,
    };
    let path = format!("{}: ", words::path(theme, &root.path));
    (vec![Span::styled(path, theme.faint), first], second)
}

/// `18G in 12034 files and 310 folders`, both sizes where they differ.
fn found(progress: &Progress) -> String {
    let total = progress.total;
    let apparent =
        if total.alike() { String::new() } else { format!(" ({} apparent)", text::size(total.apparent)) };
    let folders = if total.dirs == 1 { "1 folder".into() } else { format!("{} folders", total.dirs) };
    format!("{}{apparent} in {} and {folders}", text::size(total.allocated), words::files(total.files))
}
