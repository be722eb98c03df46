//! Tables: columns that are measured, dropped and cut until they fit, and rows below their heads.
//!
//! ```text
//!   NAME        STATE         AT RISK         heads, faint
//! › my-project  running 3h    2 files  2.1G   › and weight: the selected row
//!  •thesis      exited 12m!   1 file    12M   •: marked
//! ```

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::line::put;
use crate::text;
use crate::ui::theme::Theme;

/// Where a text loses what does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// At its end.
    End,
    /// In its middle: paths.
    Middle,
}

/// How a column shares what room there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    /// Gives as the others do.
    Fair,
    /// Shrinks last.
    Firm,
    /// Takes what the others leave.
    Fill,
}

/// A column.
#[derive(Clone, Debug)]
pub(in crate::ui) struct Column {
    title: Cow<'static, str>,
    /// Columns of text it would like.
    wants: usize,
    /// Columns below which it rather drops out or, if it may not, is cut.
    least: usize,
    /// The higher, the earlier it drops out; 0 never does.
    drop: u8,
    absent: bool,
    share: Share,
    right: bool,
    cut: Cut,
}

impl Column {
    /// A column that wants some columns of text, or what its title takes.
    pub(in crate::ui) fn new(title: impl Into<Cow<'static, str>>, wants: usize) -> Self {
        let title = title.into();
        let wants = wants.max(text::width(&title));
        Self {
            title,
            wants,
            least: wants,
            drop: 0,
            absent: false,
            share: Share::Fair,
            right: false,
            cut: Cut::End,
        }
    }

    /// May shrink to this many columns.
    pub(in crate::ui) fn least(mut self, least: usize) -> Self {
        self.least = least.min(self.wants);
        self
    }

    /// Drops out where there is no room; the highest first.
    pub(in crate::ui) fn drop(mut self, order: u8) -> Self {
        self.drop = order;
        self
    }

    /// Shrinks only after all others did.
    pub(in crate::ui) fn firm(mut self) -> Self {
        self.share = Share::Firm;
        self
    }

    /// Takes what the others leave.
    pub(in crate::ui) fn fill(mut self) -> Self {
        self.share = Share::Fill;
        self
    }

    /// Out of place here.
    pub(in crate::ui) fn absent(mut self) -> Self {
        self.absent = true;
        self
    }

    /// Numbers: aligned to the right.
    pub(in crate::ui) fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// Cut in the middle.
    pub(in crate::ui) fn middle(mut self) -> Self {
        self.cut = Cut::Middle;
        self
    }

    /// A mark behind the title.
    pub(in crate::ui) fn marked(mut self, mark: &str) -> Self {
        self.title = format!("{}{mark}", self.title).into();
        self.wants = self.wants.max(text::width(&self.title));
        self
    }
}

/// One row: cells in the order of the columns.
pub(in crate::ui) struct TableRow {
    pub(in crate::ui) cells: Vec<Span<'static>>,
    pub(in crate::ui) selected: bool,
    pub(in crate::ui) marked: bool,
}

/// Columns with their final places.
pub(in crate::ui) struct Table {
    columns: Vec<(usize, Column, usize)>,
    gap: usize,
    gutter: usize,
}

/// Columns before the first cell: the pointer and the mark.
const GUTTER: usize = 2;
const GAP: usize = 2;
const WIDEST_GAP: usize = 4;

impl Table {
    /// Fits columns into a width, with room for pointer and mark.
    pub(in crate::ui) fn fit(columns: Vec<Column>, available: u16) -> Self {
        Self::with_gutter(columns, available, GUTTER)
    }

    /// Fits columns into a width; its rows can be selected, or stand flush left.
    pub(in crate::ui) fn selectable(selectable: bool, columns: Vec<Column>, available: u16) -> Self {
        Self::with_gutter(columns, available, if selectable { GUTTER } else { 0 })
    }

    fn with_gutter(columns: Vec<Column>, available: u16, gutter: usize) -> Self {
        let room = usize::from(available).saturating_sub(gutter);
        let mut columns: Vec<(usize, Column, usize)> =
            columns.into_iter().enumerate().map(|(index, column)| (index, column, 0)).collect();
        columns.retain(|(_, column, _)| !column.absent);
        let needs = |columns: &[(usize, Column, usize)]| {
            columns.iter().map(|(_, column, _)| column.least).sum::<usize>()
                + GAP * columns.len().saturating_sub(1)
        };
        while needs(&columns) > room {
            let Some(place) = (0..columns.len())
                .filter(|place| columns[*place].1.drop > 0)
                .max_by_key(|place| columns[*place].1.drop)
            else {
                break;
            };
            columns.remove(place);
        }
        for (_, column, width) in &mut columns {
            *width = column.wants;
        }
        let gaps = GAP * columns.len().saturating_sub(1);
        let mut used = columns.iter().map(|(_, _, width)| *width).sum::<usize>() + gaps;
        // What is wider than it must be gives way first; then whatever is widest.
        while used > room {
            let slack = |(_, column, width): &&mut (usize, Column, usize)| {
                let slack = width.saturating_sub(column.least);
                (slack > 0, column.share != Share::Firm || slack == 0, slack, *width)
            };
            match columns.iter_mut().max_by_key(slack) {
                Some((_, _, width)) if *width > 1 => *width -= 1,
                _ => break,
            }
            used -= 1;
        }
        if let Some((_, _, width)) = columns.iter_mut().find(|(_, column, _)| column.share == Share::Fill) {
            *width += room.saturating_sub(used);
            used = used.max(room);
        }
        let spread = room.saturating_sub(used) / columns.len().saturating_sub(1).max(1);
        Self { columns, gap: (GAP + spread).min(WIDEST_GAP), gutter }
    }

    /// Draws the heads into a row.
    pub(in crate::ui) fn heads(&self, buffer: &mut Buffer, theme: &Theme, area: Rect, row: u16) {
        let mut line = vec![Span::raw(" ".repeat(self.gutter))];
        for (place, (_, column, width)) in self.columns.iter().enumerate() {
            let title = fitted(&column.title, *width, column, theme, self.last(place));
            line.push(Span::styled(title, theme.faint));
            line.push(Span::raw(self.gap_after(place)));
        }
        put(buffer, theme, area, row, &line);
    }

    /// Draws one row of cells into a row of the area.
    pub(in crate::ui) fn row(
        &self,
        buffer: &mut Buffer,
        theme: &Theme,
        area: Rect,
        row: u16,
        cells: &TableRow,
    ) {
        let pointer = if cells.selected { theme.pointer() } else { " " };
        let mark = if cells.marked { theme.mark() } else { " " };
        let mut line = vec![Span::styled(pointer, theme.strong), Span::styled(mark, theme.strong)];
        line.truncate(self.gutter);
        for (place, (index, column, width)) in self.columns.iter().enumerate() {
            let Some(cell) = cells.cells.get(*index) else { continue };
            let text = fitted(&cell.content, *width, column, theme, self.last(place));
            if cells.selected && place == 0 {
                // Only the name itself gets its weight: moving the selection changes few cells.
                let name = text.trim_end();
                line.push(Span::styled(name.to_string(), cell.style.patch(theme.strong)));
                line.push(Span::raw(" ".repeat(text.len() - name.len())));
            } else {
                line.push(Span::styled(text, cell.style));
            }
            line.push(Span::raw(self.gap_after(place)));
        }
        put(buffer, theme, area, row, &line);
    }

    fn last(&self, place: usize) -> bool {
        place + 1 == self.columns.len()
    }

    fn gap_after(&self, place: usize) -> String {
        if self.last(place) { String::new() } else { " ".repeat(self.gap) }
    }
}

/// A text cut and padded to the width of its column.
fn fitted(content: &str, width: usize, column: &Column, theme: &Theme, last: bool) -> String {
    let cut = match column.cut {
        Cut::End => text::cut(content, width, theme.ellipsis()),
        Cut::Middle => text::cut_middle(content, width, theme.ellipsis()),
    };
    if column.right {
        let missing = width.saturating_sub(text::width(&cut));
        format!("{}{cut}", " ".repeat(missing))
    } else if last {
        cut.into_owned()
    } else {
        text::pad(&cut, width)
    }
}

/// The width of the widest text.
pub(in crate::ui) fn widest<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> usize {
    texts.into_iter().map(|text| text::width(text.as_ref())).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(table: &Table) -> Vec<(usize, usize)> {
        table.columns.iter().map(|(index, _, width)| (*index, *width)).collect()
    }

    fn columns() -> Vec<Column> {
        vec![
            Column::new("NAME", 20).least(10),
            Column::new("STATE", 10),
            Column::new("IMAGE", 30).least(12).drop(2),
            Column::new("AGE", 4).drop(1),
        ]
    }

    #[test]
    fn a_firm_column_shrinks_last() {
        let both = || vec![Column::new("NAME", 20).least(10).firm(), Column::new("OWNER", 30).least(7)];
        assert_eq!(places(&Table::fit(both(), 40)), [(0, 20), (1, 16)]);
        assert_eq!(places(&Table::fit(both(), 26)), [(0, 15), (1, 7)]);
    }

    #[test]
    fn columns_drop_out_in_their_order_and_shrink_before_they_are_cut() {
        assert_eq!(places(&Table::fit(columns(), 80)), [(0, 20), (1, 10), (2, 30), (3, 4)]);
        assert_eq!(places(&Table::fit(columns(), 60)), [(0, 18), (1, 10), (2, 20), (3, 4)]);
        assert_eq!(places(&Table::fit(columns(), 40)), [(0, 20), (1, 10), (3, 4)]);
        assert_eq!(places(&Table::fit(columns(), 30)), [(0, 10), (1, 10), (3, 4)]);
        assert_eq!(places(&Table::fit(columns(), 8)), [(0, 2), (1, 2)]);
    }
}
