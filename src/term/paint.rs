//! Frames to bytes: what changed since the last frame, in as few bytes as it takes.
//!
//! A frame is brought into one form first (a wide glyph owns its cells, a blank carries no
//! weight, nothing but printable text), so that equal pictures compare equal. Then only the cells
//! that differ are sent, only the attributes that change, with the shortest cursor move.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::caps::{Caps, Colors};

/// Marks of a synchronized frame: the terminal shows it at once or not yet.
const SYNC: (&[u8], &[u8]) = (b"\x1b[?2026h", b"\x1b[?2026l");

/// From this many blank cells on, erasing the rest of the line is shorter than writing it.
const ERASE_FROM: usize = 8;

/// Attributes that show on a blank.
const ON_BLANK: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// Sets and unsets each attribute; bold and dim share the code that unsets them.
const ATTRIBUTES: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// Colours and attributes the next character is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, modifier: cell.modifier }
    }
}

/// Knows what the terminal shows and writes what is missing.
pub(super) struct Painter {
    caps: Caps,
    /// The picture on the terminal in its one form; nothing where it is unknown.
    shown: Option<Buffer>,
    pen: Pen,
    /// Where the cursor is within this frame; nothing where it is unknown.
    cursor: Option<(u16, u16)>,
}

impl Painter {
    pub(super) fn new(caps: Caps) -> Self {
        Self { caps, shown: None, pen: Pen::PLAIN, cursor: None }
    }

    /// Nothing is known of the terminal's picture any more.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }

    /// Appends the bytes that turn the picture shown into `next`: none where it is the same.
    pub(super) fn paint(&mut self, mut next: Buffer, out: &mut Vec<u8>) {
        next.area = Rect::new(0, 0, next.area.width, next.area.height);
        normalise(&mut next, self.caps.colors);
        let start = out.len();
        if self.caps.sync {
            out.extend_from_slice(SYNC.0);
        }
        let body = out.len();
        let shown = match self.shown.take() {
            Some(shown) if shown.area == next.area => shown,
            _ => {
                out.extend_from_slice(b"\x1b[m\x1b[2J");
                self.pen = Pen::PLAIN;
                let mut blank = Buffer::empty(next.area);
                normalise(&mut blank, self.caps.colors);
                blank
            }
        };
        // The first move of a frame is absolute: others may have moved the cursor in between.
        self.cursor = None;
        for y in 0..next.area.height {
            self.line(y, row(&shown, y), row(&next, y), out);
        }
        if out.len() == body {
            out.truncate(start);
        } else if self.caps.sync {
            out.extend_from_slice(SYNC.1);
        }
        self.shown = Some(next);
    }

    fn line(&mut self, y: u16, old: &[Cell], new: &[Cell], out: &mut Vec<u8>) {
        let blank_tail = new.iter().rev().take_while(|cell| is_plain_blank(cell)).count();
        let mut tail = new.len() - blank_tail;
        let first = (tail..new.len()).find(|&x| !same(old, new, x));
        match first {
            Some(first) if new.len() - first >= ERASE_FROM => tail = first,
            _ => tail = new.len(),
        }
        // A glyph that terminals measure differently may cover its neighbours: send them again.
        let mut again = 0;
        for (x, cell) in new.iter().enumerate().take(tail) {
            if is_covered(cell) || (same(old, new, x) && x >= again) {
                continue;
            }
            self.go_to(x, y, new, out);
            self.set_pen(Pen::of(cell), out);
            out.extend_from_slice(cell.symbol().as_bytes());
            let width = cell.symbol().width();
            let column = x + width;
            let most = most_columns(cell.symbol());
            again = again.max(x + most);
            // At the right edge terminals differ on where the cursor waits.
            let known = column < new.len() && most == width;
            self.cursor = known.then(|| (clamp(column), y));
        }
        if tail < new.len() {
            self.go_to(tail, y, new, out);
            self.set_pen(Pen::PLAIN, out);
            out.extend_from_slice(b"\x1b[K");
        }
    }

    /// Moves the cursor to a cell, over what is already there where that is shortest.
    fn go_to(&mut self, x: usize, y: u16, new: &[Cell], out: &mut Vec<u8>) {
        let target = clamp(x);
        match self.cursor {
            Some(at) if at == (target, y) => {}
            Some((from, line)) if line == y && from < target => {
                let gap = new.get(usize::from(from)..x).unwrap_or_default();
                if gap.len() <= 4 && gap.iter().all(|cell| is_ascii(cell) && Pen::of(cell) == self.pen) {
                    out.extend(gap.iter().flat_map(|cell| cell.symbol().bytes()));
                } else {
                    csi(out, &[u32::from(target - from)], b'C');
                }
            }
            Some((_, line)) if x == 0 && line + 1 == y => out.extend_from_slice(b"\r\n"),
            _ => csi(out, &[u32::from(y) + 1, u32::from(target) + 1], b'H'),
        }
        self.cursor = Some((target, y));
    }

    /// Changes colours and attributes, by difference or from plain, whichever is shorter.
    fn set_pen(&mut self, pen: Pen, out: &mut Vec<u8>) {
        if pen == self.pen {
            return;
        }
        let mut fresh = vec![0];
        attributes(Pen::PLAIN, pen, &mut fresh);
        let mut change = Vec::new();
        attributes(self.pen, pen, &mut change);
        let shorter = if digits(&change) <= digits(&fresh) { &change } else { &fresh };
        csi(out, shorter, b'm');
        self.pen = pen;
    }
}

/// Brings a frame into its one form: symbols that are one printable glyph and fit their line, an
/// empty symbol under a wide glyph, blanks with only what shows on a blank, no colours where
/// there are none.
fn normalise(frame: &mut Buffer, colors: Colors) {
    let width = usize::from(frame.area.width).max(1);
    for line in frame.content.chunks_mut(width) {
        let mut covered = 0;
        for x in 0..width.min(line.len()) {
            let room = line.len() - x;
            let Some(cell) = line.get_mut(x) else { continue };
            if covered > 0 {
                covered -= 1;
                *cell = Cell::EMPTY;
                cell.set_symbol("");
                continue;
            }
            let columns = cell.symbol().width();
            if columns == 0 || columns > room || cell.symbol().chars().any(char::is_control) {
                cell.set_symbol(" ");
            } else {
                covered = columns - 1;
            }
            if colors == Colors::None {
                (cell.fg, cell.bg) = (Color::Reset, Color::Reset);
            }
            if cell.symbol() == " " {
                cell.modifier &= ON_BLANK;
                if cell.modifier.is_empty() {
                    cell.fg = Color::Reset;
                }
            }
        }
    }
}

fn row(frame: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(frame.area.width);
    let start = usize::from(y) * width;
    frame.content.get(start..start + width).unwrap_or_default()
}

fn same(old: &[Cell], new: &[Cell], x: usize) -> bool {
    match (old.get(x), new.get(x)) {
        (Some(old), Some(new)) => old.symbol() == new.symbol() && Pen::of(old) == Pen::of(new),
        _ => false,
    }
}

/// Whether the cell lies under the wide glyph to its left.
fn is_covered(cell: &Cell) -> bool {
    cell.symbol().is_empty()
}

fn is_ascii(cell: &Cell) -> bool {
    cell.symbol().len() == 1
}

fn is_plain_blank(cell: &Cell) -> bool {
    cell.symbol() == " " && Pen::of(cell) == Pen::PLAIN
}

/// The columns a terminal takes that does not join characters into one glyph.
fn most_columns(symbol: &str) -> usize {
    symbol.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>().max(symbol.width())
}

fn clamp(column: usize) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}

/// Appends the codes that lead from one pen to another.
fn attributes(from: Pen, to: Pen, codes: &mut Vec<u32>) {
    let mut kept = from.modifier;
    for (attribute, _, unset) in ATTRIBUTES {
        if kept.contains(attribute) && !to.modifier.contains(attribute) {
            codes.push(u32::from(unset));
            // One code may unset two attributes; the other is set again below.
            for (other, _, code) in ATTRIBUTES {
                if code == unset {
                    kept.remove(other);
                }
            }
        }
    }
    for (attribute, set, _) in ATTRIBUTES {
        if to.modifier.contains(attribute) && !kept.contains(attribute) {
            codes.push(u32::from(set));
        }
    }
    if from.fg != to.fg {
        color(to.fg, 30, codes);
    }
    if from.bg != to.bg {
        color(to.bg, 40, codes);
    }
}

/// Appends the codes of a colour; `base` is 30 for text and 40 for what lies behind it.
fn color(color: Color, base: u32, codes: &mut Vec<u32>) {
    let bright = base + 60;
    let last = match color {
        Color::Reset => base + 9,
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => bright,
        Color::LightRed => bright + 1,
        Color::LightGreen => bright + 2,
        Color::LightYellow => bright + 3,
        Color::LightBlue => bright + 4,
        Color::LightMagenta => bright + 5,
        Color::LightCyan => bright + 6,
        Color::White => bright + 7,
        Color::Indexed(index) => {
            codes.extend([base + 8, 5]);
            u32::from(index)
        }
        Color::Rgb(red, green, blue) => {
            codes.extend([base + 8, 2, u32::from(red), u32::from(green)]);
            u32::from(blue)
        }
    };
    codes.push(last);
}

/// A length to compare code lists by.
fn digits(codes: &[u32]) -> usize {
    codes
        .iter()
        .map(|code| match code {
            0..=9 => 2,
            10..=99 => 3,
            _ => 4,
        })
        .sum()
}

/// Appends a control sequence; a single 0 or 1 and a final 1 are what terminals assume anyway.
fn csi(out: &mut Vec<u8>, parameters: &[u32], end: u8) {
    out.extend_from_slice(b"\x1b[");
    let assumed = u32::from(end != b'm');
    let shown = if parameters.last() == Some(&assumed) && (assumed == 1 || parameters.len() == 1) {
        parameters.get(..parameters.len() - 1).unwrap_or_default()
    } else {
        parameters
    };
    for (index, parameter) in shown.iter().enumerate() {
        if index > 0 {
            out.push(b';');
        }
        out.extend_from_slice(parameter.to_string().as_bytes());
    }
    out.push(end);
}

#[cfg(test)]
#[path = "paint_tests.rs"]
mod tests;
