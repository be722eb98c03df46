//! Aligned tables: every cell harmless, numbers to the right, no trailing blanks.

use std::borrow::Cow;

use crate::text::{cut_middle, pad, printable, width};

/// Cells wider than this do not widen their column: one long name must not push all rows apart.
const ALIGNED: usize = 64;
/// Cells are cut to this; `--json` has them whole.
const WIDEST: usize = 200;

/// Blanks between columns.
const GAP: usize = 2;
/// Columns of text are not made narrower than this.
const LEAST: usize = 9;

/// Where a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table that is built row by row.
#[derive(Debug)]
pub(super) struct Table {
    sides: Vec<Side>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Begins with the headings.
    pub(super) fn new(columns: &[(&str, Side)]) -> Self {
        let heading = columns.iter().map(|(title, _)| (*title).to_string()).collect();
        Self { sides: columns.iter().map(|(_, side)| *side).collect(), rows: vec![heading] }
    }

    /// Adds a row; control characters in cells become visible.
    pub(super) fn row<'c>(&mut self, cells: impl IntoIterator<Item = Cow<'c, str>>) {
        let harmless = |cell: Cow<'_, str>| cut_middle(&printable(&cell), WIDEST, "...").into_owned();
        self.rows.push(cells.into_iter().map(harmless).collect());
    }

    /// The lines, headings first, no wider than a terminal where there is one: long cells give way, and
    /// where that is not enough each row becomes a paragraph.
    pub(super) fn lines_within(&self, columns: Option<usize>) -> Vec<String> {
        let Some(columns) = columns else { return self.lines() };
        let gaps = GAP * self.sides.len().saturating_sub(1);
        let mut widths: Vec<usize> = (0..self.sides.len())
            .map(|column| {
                self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0)
            })
            .collect();
        while widths.iter().sum::<usize>() + gaps > columns {
            let texts = widths
                .iter_mut()
                .zip(&self.sides)
                .filter(|(width, side)| **side == Side::Left && **width > LEAST);
            let Some((widest, _)) = texts.max_by_key(|(width, _)| **width) else {
                return self.paragraphs(columns);
            };
            *widest -= 1;
        }
        let cut = |row: &Vec<String>| {
            row.iter().zip(&widths).map(|(cell, width)| cut_middle(cell, *width, "...").into_owned()).collect()
        };
        Self { sides: self.sides.clone(), rows: self.rows.iter().map(cut).collect() }.lines()
    }

    /// Each row with its cells below each other.
    fn paragraphs(&self, columns: usize) -> Vec<String> {
        let Some((heads, rows)) = self.rows.split_first() else { return Vec::new() };
        let names = heads.iter().skip(1).map(|head| width(head)).max().unwrap_or(0);
        let mut lines = Vec::new();
        for row in rows {
            let mut cells = row.iter().zip(heads);
            lines.extend(cells.next().map(|(title, _)| cut_middle(title, columns, "...").into_owned()));
            for (cell, head) in cells {
                let line = format!("  {}  {cell}", pad(head, names));
                lines.push(cut_middle(line.trim_end(), columns, "...").into_owned());
            }
        }
        lines
    }

    /// The lines, headings first.
    pub(super) fn lines(&self) -> Vec<String> {
        let widths: Vec<usize> = (0..self.sides.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell));
                cells.filter(|width| *width <= ALIGNED).max().unwrap_or(0)
            })
            .collect();
        self.rows
            .iter()
            .map(|row| {
                let cells = row.iter().zip(&widths).zip(&self.sides).map(|((cell, width), side)| match side {
                    Side::Left => pad(cell, *width),
                    Side::Right => format!("{}{cell}", " ".repeat(width.saturating_sub(self::width(cell)))),
                });
                cells.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_string()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_width_and_nothing_moves_the_cursor() {
        let mut table = Table::new(&[("NAME", Side::Left), ("SIZE", Side::Right)]);
        table.row(["日本".into(), "2.1G".into()]);
        table.row(["a\x1b[2J\nb".into(), "12M".into()]);
        assert_eq!(table.lines(), ["NAME           SIZE", "日本           2.1G", "a\\u{1b}[2J\\nb   12M"]);
    }

    #[test]
    fn in_a_terminal_long_cells_give_way_and_then_columns_do() {
        let mut table = Table::new(&[("NAME", Side::Left), ("FROM", Side::Left), ("SIZE", Side::Right)]);
        table.row(["p".into(), "/home/alice/workspace/a-project-with-a-long-name".into(), "12M".into()]);
        assert_eq!(table.lines_within(Some(80)), table.lines());
        assert_eq!(table.lines_within(None), table.lines());
        let lines = table.lines_within(Some(30));
        assert!(lines[1].contains("...") && lines.iter().all(|line| width(line) <= 30), "{lines:?}");
        let narrow = table.lines_within(Some(14));
        assert_eq!((narrow[0].as_str(), narrow[2].as_str()), ("p", "  SIZE  12M"));
        assert!(narrow.iter().all(|line| width(line) <= 14), "{narrow:?}");
    }

    #[test]
    fn one_endless_name_does_not_push_the_others_apart() {
        let mut table = Table::new(&[("NAME", Side::Left), ("SIZE", Side::Right)]);
        table.row(["x".repeat(4096).into(), "1".into()]);
        table.row(["p".into(), "2".into()]);
        let lines = table.lines();
        assert!(width(&lines[1]) < 220);
        assert_eq!(lines[2], "p        2");
    }
}
