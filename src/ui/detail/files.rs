//! The page Files: the files at risk of one workspace, most valuable first, and how far the look reached.
//!
//! ```text
//! read from the layer, 2m ago
//! Gap: /var/lib/x could not be read: permission denied
//!
//!   PATH                       SIZE  KIND        AGE  STORAGE         IF RETIRED
//! › /tmp/model.pt              2.1G  checkpoint   4m  writable layer  lost
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::{below, paragraphs};
use crate::core::classify::{Classifier, Origin};
use crate::core::finding::{FileAtRisk, Risk};
use crate::model::{Model, Row};
use crate::text;
use crate::ui::theme::Theme;
use crate::ui::widget::{Column, Table, TableRow, put, widest};
use crate::ui::words;

/// At most so many gaps and notes are listed above the files.
const REMARKS: usize = 4;

/// Rows of the list, below the remarks and the heads.
pub(super) fn list_rows(row: &Row, area: Rect) -> usize {
    usize::from(below(area, remark_rows(row)).height.saturating_sub(1))
}

/// How it was read, why there is nothing newer, the remarks, an empty row.
fn remark_rows(row: &Row) -> u16 {
    let remarks = row.risk.known.as_ref().map_or(0, |risk| (risk.gaps.len() + risk.notes.len()).min(REMARKS));
    u16::try_from(remarks).unwrap_or(0).saturating_add(2 + u16::from(row.risk.not_read.is_some()))
}

/// Rows below the files that say why a look was not complete or not made; none where all is well.
pub(super) fn reasons(row: &Row) -> usize {
    let known = row.risk.known.as_ref();
    let gaps = known.map_or(0, |risk| risk.gaps.len().min(2));
    let reasons = gaps + usize::from(row.risk.not_read.is_some());
    if reasons == 0 { 0 } else { reasons + 2 * usize::from(known.is_some()) }
}

pub(super) fn draw(model: &Model, theme: &Theme, row: &Row, area: Rect, buffer: &mut Buffer) {
    let Some(risk) = &row.risk.known else { return };
    for (remark, line) in remarks(model, theme, row, risk).into_iter().zip(0..) {
        put(buffer, theme, area, line, &[remark]);
    }
    let list = below(area, remark_rows(row));
    if risk.findings.is_empty() {
        return;
    }
    // The same width whatever is in sight, so that scrolling moves no column.
    let fate = if area.width >= 100 { 32 } else { 10 };
    let table = columns(model, area, "PATH", true, fate);
    table.heads(buffer, theme, list, 0);
    let offset = if model.open { model.detail_list.offset } else { 0 };
    let rows = usize::from(list.height.saturating_sub(1));
    for ((place, finding), line) in risk.findings.iter().enumerate().skip(offset).take(rows).zip(1..) {
        let selected = model.open && model.detail_list.selected == place;
        let file = (row.workspace.key.clone(), finding.path.clone());
        let marked = model.marked_files.contains(&file);
        let cells = TableRow { cells: cells(model, theme, row, finding), selected, marked };
        table.row(buffer, theme, list, line, &cells);
    }
}

/// How it was read and when, why there is nothing newer, what was not read, and what else to know.
fn remarks(model: &Model, theme: &Theme, row: &Row, risk: &Risk) -> Vec<Span<'static>> {
    let layer = risk.layer.map(|count| format!("; {}", count.words())).unwrap_or_default();
    let how = format!("{}, {}{layer}", risk.method.words(), text::ago(risk.as_of, model.now));
    let mut lines = vec![Span::styled(how, theme.faint)];
    if let Some(reason) = &row.risk.not_read {
        lines.push(Span::styled(format!("Last try: {}", words::name(theme, reason)), theme.caution));
    }
    let gaps = risk.gaps.iter().map(|gap| (format!("Not read: {}", words::name(theme, gap)), theme.caution));
    let notes = risk.notes.iter().map(|note| (words::name(theme, note), theme.text));
    let all: Vec<_> = gaps.chain(notes).collect();
    for ((text, style), line) in all.iter().take(REMARKS).zip(1..) {
        let more = if line == REMARKS { all.len() - REMARKS } else { 0 };
        let text = if more > 0 { format!("(and {more} more) {text}") } else { text.clone() };
        lines.push(Span::styled(text, *style));
    }
    lines
}

/// The first files, below the mounts.
pub(super) fn top(model: &Model, theme: &Theme, row: &Row, rows: usize, area: Rect, buffer: &mut Buffer) {
    let Some(risk) = &row.risk.known else {
        if let Some(reason) = &row.risk.not_read {
            let text = format!("Not read: {}", words::name(theme, reason));
            // The sentence above says it where it fits.
            if text::width(&text) >= usize::from(area.width) {
                paragraphs(theme, indented(model, area), buffer, &[Span::styled(text, theme.caution)]);
            }
        }
        return;
    };
    let all = risk.findings.len();
    if rows == 0 || all == 0 {
        paragraphs(theme, indented(model, area), buffer, &remarks(model, theme, row, risk));
        return;
    }
    let files: Vec<_> =
        risk.findings.iter().take(rows).map(|finding| cells(model, theme, row, finding)).collect();
    let fate = widest(files.iter().filter_map(|cells| cells.last()).map(|cell| &cell.content));
    let fate = if area.width < 70 { 10 } else { fate };
    let table = columns(model, area, "FILES AT RISK", false, fate);
    table.heads(buffer, theme, area, 0);
    let shown = if all > rows && rows > 1 { rows - 1 } else { rows };
    let mut line = 1;
    for cells in files.into_iter().take(shown) {
        let cells = TableRow { cells, selected: false, marked: false };
        table.row(buffer, theme, area, line, &cells);
        line += 1;
    }
    if all > shown && rows > 1 {
        let text = format!("{} and {} more on page Files", theme.ellipsis(), all - shown);
        put(buffer, theme, indented(model, area), line, &[Span::styled(text, theme.faint)]);
        line += 1;
    }
    let rest = below(indented(model, area), line + 1);
    paragraphs(theme, rest, buffer, &remarks(model, theme, row, risk));
}

/// Below the first column of a table whose rows can be selected.
fn indented(model: &Model, area: Rect) -> Rect {
    let by = if model.open { 2 } else { 0 };
    Rect { x: area.x.saturating_add(by), width: area.width.saturating_sub(by), ..area }
}

fn columns(model: &Model, area: Rect, title: &'static str, storage: bool, fate: usize) -> Table {
    let storage = storage && area.width >= 80;

    let unless = |out: bool, column: Column| if out { column.absent() } else { column };
    Table::selectable(
        model.open,
        vec![
            Column::new(title, 40).least(16).middle().fill(),
            Column::new("SIZE", 5).right(),
            Column::new("KIND", 10).drop(1),
            Column::new("AGE", 4).right().drop(2),
            unless(!storage, Column::new("STORAGE", 16)),
            Column::new(model.event.if_words().to_uppercase(), fate).least(8).drop(3),
        ],
        area.width,
    )
}

fn cells(model: &Model, theme: &Theme, row: &Row, finding: &FileAtRisk) -> Vec<Span<'static>> {
    let verdict = |classifier: Classifier<'_>| {
        classifier.explain(&finding.path, Origin::Layer).fates.verdict(model.event)
    };
    let fate = row.classifier().map_or_else(
        || Span::styled("unknown", theme.caution),
        |classifier| words::fate(verdict(classifier), theme),
    );
    vec![
        Span::styled(words::path(theme, &finding.shown()), theme.text),
        Span::styled(finding.bytes.map_or_else(|| "?".into(), text::size), theme.text),
        Span::styled(finding.value.short(), theme.text),
        Span::styled(words::age(finding.modified, model.now), theme.text),
        Span::styled(finding.storage.label(), theme.faint),
        fate,
    ]
}
