//! A drawn screen as text, and its styles one letter a cell.

use outlast::model::Model;
use outlast::ui::{self, Theme};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

/// The model drawn.
pub(crate) fn buffer(model: &Model, theme: &Theme) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, model.size.0, model.size.1));
    ui::draw(model, theme, &mut buffer);
    buffer
}

/// Its text, between bars so that the right edge is seen.
pub(crate) fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        out.extend([line(buffer, y).as_str(), "|\n"]);
    }
    out
}

fn line(buffer: &Buffer, y: u16) -> String {
    let mut line = String::new();
    let mut skip = 0;
    for x in 0..buffer.area.width {
        let symbol = buffer[(x, y)].symbol();
        if skip == 0 {
            line.push_str(symbol);
        }
        skip = outlast::text::width(symbol).max(skip).saturating_sub(1);
    }
    line
}

/// Its styles, one letter a cell, rows without any left out.
pub(crate) fn styles(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in 0..buffer.area.height {
        let letters: String = (0..buffer.area.width).map(|x| letter(buffer, x, y)).collect();
        let letters = letters.trim_end();
        if !letters.is_empty() {
            out.extend([format!("{y:>2} ").as_str(), letters, "\n"]);
        }
    }
    out
}

/// Lower case a colour, upper case the same in bold; `b` bold, `u` underlined, `x` reversed.
fn letter(buffer: &Buffer, x: u16, y: u16) -> char {
    let cell = &buffer[(x, y)];
    let bold = cell.modifier.contains(Modifier::BOLD);
    if cell.modifier.contains(Modifier::REVERSED) {
        return 'x';
    }
    if cell.modifier.contains(Modifier::UNDERLINED) {
        return 'u';
    }
    let letter = match cell.fg {
        Color::Reset if bold => return 'b',
        Color::Reset => return ' ',
        Color::DarkGray => 'g',
        Color::LightRed | Color::Red => 'r',
        Color::Yellow => 'y',
        Color::Magenta => 'm',
        other => panic!("{other:?} is no colour of ours"),
    };
    if bold { letter.to_ascii_uppercase() } else { letter }
}
