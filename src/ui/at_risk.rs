//! Files at risk of all workspaces, and why the selected one is.
//!
//! ```text
//!   WORKSPACE    PATH                       SIZE  KIND        AGE  STORAGE         IF RETIRED
//! › my-project   /tmp/model.pt              2.1G  checkpoint   4m  writable layer  lost
//!   my-project   /root/notes.ipynb           14K  notebook     2d  writable layer  lost
//! ──────────────────────────────────────────────────────────────────────────────────────────
//!  lost: the writable layer is removed together with the container
//!  To do: copy it to a path that is kept, or bake it into the image
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::theme::Theme;
use super::widget::{Column, Table, TableRow, widest};
use super::{empty, layout, why, words};
use crate::core::classify::Origin;
use crate::core::fate::Answer;
use crate::core::finding::FileAtRisk;
use crate::model::{Model, Row};
use crate::text;

pub(super) fn draw(model: &Model, theme: &Theme, area: Rect, below: Option<Rect>, buffer: &mut Buffer) {
    let list = &model.at_risk;
    if list.shown.is_empty() {
        return empty::at_risk(model, theme, area, buffer);
    }
    let area = Rect { width: area.width.saturating_sub(1), ..area };
    let table = Table::fit(columns(model, theme, area), area.width);
    let head = layout::head_rows(area);
    if head > 0 {
        table.heads(buffer, theme, area, 0);
    }
    for (line, place) in (list.offset..list.shown.len()).take(layout::list_rows(area)).enumerate() {
        let Some((row, finding)) = file(model, place) else { continue };
        let row = TableRow {
            cells: cells_of(model, theme, row, finding),
            selected: place == list.selected,
            marked: model.marked_files.contains(&(row.workspace.key.clone(), finding.path.clone())),
        };
        table.row(buffer, theme, area, head + u16::try_from(line).unwrap_or(u16::MAX - head), &row);
    }
    let answer = file(model, list.selected).and_then(|(row, finding)| answer(model, row, finding));
    if let (Some(area), Some(answer)) = (below, answer) {
        why::draw(&answer, theme, area, buffer);
    }
}

fn file(model: &Model, place: usize) -> Option<(&Row, &FileAtRisk)> {
    let index = *model.at_risk.shown.get(place)?;
    model.files.get(index)?.find(&model.rows)
}

/// Widths that do not depend on which rows are in sight.
fn columns(model: &Model, theme: &Theme, area: Rect) -> Vec<Column> {
    let name = widest(model.rows.iter().map(|row| words::name(theme, &row.workspace.name)));
    let narrow = area.width <= 40;

    let unless = |out: bool, column: Column| if out { column.absent() } else { column };
    vec![
        unless(narrow, Column::new("WORKSPACE", name.min(24)).least(12).middle()),
        Column::new("PATH", 60).least(24).middle().fill(),
        Column::new("SIZE", 5).right(),
        unless(narrow, Column::new("KIND", 10).drop(2)),
        unless(narrow, Column::new("AGE", 4).right().drop(3)),
        unless(narrow, Column::new("STORAGE", 16).drop(4)),
        unless(narrow, Column::new(model.event.if_words().to_uppercase(), 14).least(10).drop(1)),
    ]
}

fn cells_of(model: &Model, theme: &Theme, row: &Row, finding: &FileAtRisk) -> Vec<Span<'static>> {
    let fate = answer(model, row, finding)
        .map_or_else(|| Span::styled("unknown", theme.caution), |answer| words::fate(answer.verdict(), theme));
    vec![
        Span::styled(words::name(theme, &row.workspace.name), theme.text),
        Span::styled(words::path(theme, &finding.shown()), theme.text),
        Span::styled(finding.bytes.map_or_else(|| "?".into(), text::size), theme.text),
        Span::styled(finding.value.short(), theme.text),
        Span::styled(words::age(finding.modified, model.now), theme.text),
        Span::styled(finding.storage.label(), theme.faint),
        fate,
    ]
}

fn answer(model: &Model, row: &Row, finding: &FileAtRisk) -> Option<Answer> {
    let classifier = row.classifier()?;
    Some(classifier.explain(&finding.path, Origin::Layer).fates.of(model.event).clone())
}
