//! A drawn screen as a picture. Every run of text says how long it is, so any fixed-width font fits the grid.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

const COLUMN: f64 = 9.03;
/// At 15 px of type: more leaves gaps in upright lines.
const ROW: f64 = 17.5;
const EDGE: f64 = 14.0;

const PAPER: &str = "#1b1f27";
const INK: &str = "#d7dae0";

/// The screen as an SVG document on dark paper.
pub(crate) fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (buffer.area.width, buffer.area.height);
    let width = f64::from(columns) * COLUMN + 2.0 * EDGE;
    let height = f64::from(rows) * ROW + 2.0 * EDGE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.1} {height:.1}\" width=\"{width:.0}\" \
         height=\"{height:.0}\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{PAPER}\"/>\n\
         <g font-family=\"'DejaVu Sans Mono','JetBrains Mono',Menlo,Consolas,monospace\" font-size=\"15\" \
         fill=\"{INK}\" xml:space=\"preserve\">\n"
    );
    for y in 0..rows {
        let mut x = 0;
        while x < columns {
            x = run(buffer, x, y, &mut out);
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Writes the run of equal style that begins here; returns where the next one begins.
fn run(buffer: &Buffer, x: u16, y: u16, out: &mut String) -> u16 {
    let first = &buffer[(x, y)];
    let (mut text, mut end) = (String::new(), x);
    while end < buffer.area.width && alike(first, &buffer[(end, y)]) {
        let symbol = buffer[(end, y)].symbol();
        // A gap of two columns ends a run, so that what stands below each other lines up in any font.
        if symbol == " " && text.ends_with(' ') && !text.trim().is_empty() {
            break;
        }
        text.push_str(symbol);
        end += u16::try_from(outlast::text::width(symbol)).unwrap().max(1);
    }
    let end = end.max(x + 1);
    let reversed = first.modifier.contains(Modifier::REVERSED);
    let wide = f64::from(end - x) * COLUMN;
    let (left, top) = (EDGE + f64::from(x) * COLUMN, EDGE + f64::from(y) * ROW);
    if reversed {
        writeln!(
            out,
            "<rect x=\"{left:.2}\" y=\"{top:.2}\" width=\"{wide:.2}\" height=\"{ROW}\" fill=\"{INK}\"/>"
        )
        .unwrap();
    }
    let shown = text.trim_end();
    let blank = shown.len() - shown.trim_start().len();
    let shown = shown.trim_start();
    if shown.is_empty() {
        return end;
    }
    let left = left + COLUMN * blank as f64;
    let length = COLUMN * outlast::text::width(shown) as f64;
    let fill = if reversed { PAPER } else { ink(first.fg) };
    let mut attributes = format!("x=\"{left:.2}\" y=\"{:.2}\" textLength=\"{length:.2}\"", top + 13.6);
    if fill != INK {
        write!(attributes, " fill=\"{fill}\"").unwrap();
    }
    if first.modifier.contains(Modifier::BOLD) {
        attributes.push_str(" font-weight=\"bold\"");
    }
    if first.modifier.contains(Modifier::UNDERLINED) {
        attributes.push_str(" text-decoration=\"underline\"");
    }
    let shown = shown.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    writeln!(out, "<text {attributes}>{shown}</text>").unwrap();
    end
}

fn alike(one: &Cell, other: &Cell) -> bool {
    one.fg == other.fg && one.modifier == other.modifier
}

fn ink(color: Color) -> &'static str {
    match color {
        Color::DarkGray => "#7f8896",
        Color::LightRed | Color::Red => "#ff7b72",
        Color::Yellow => "#e3b341",
        Color::Magenta => "#bc8cff",
        _ => INK,
    }
}
