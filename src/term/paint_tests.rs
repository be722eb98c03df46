//! The bytes of a frame, replayed on a terminal emulator, give exactly the frame.

use proptest::prelude::*;
use ratatui::style::Style;
use vt100::Parser;

use super::*;

const CAPS: Caps = Caps { unicode: true, colors: Colors::Rgb, sync: true };

fn terminal(cols: u16, rows: u16) -> Parser {
    Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0)
}

fn expected_color(color: Color) -> vt100::Color {
    let names = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match color {
        Color::Reset => vt100::Color::Default,
        Color::Indexed(index) => vt100::Color::Idx(index),
        Color::Rgb(red, green, blue) => vt100::Color::Rgb(red, green, blue),
        other => vt100::Color::Idx(u8::try_from(names.iter().position(|n| *n == other).unwrap()).unwrap()),
    }
}

/// Compares what the emulator shows with the frame, cell by cell.
fn check(screen: &vt100::Screen, frame: &Buffer) {
    let mut frame = frame.clone();
    normalise(&mut frame, CAPS.colors);
    for y in 0..frame.area.height {
        for x in 0..frame.area.width {
            let (want, got) = (&frame[(x, y)], screen.cell(y, x).unwrap());
            if is_covered(want) {
                assert!(got.is_wide_continuation(), "({x},{y}) lies under a wide glyph");
                continue;
            }
            let contents = if got.has_contents() { got.contents() } else { " " };
            assert_eq!(contents, want.symbol(), "symbol at ({x},{y})");
            assert_eq!(got.bgcolor(), expected_color(want.bg), "background at ({x},{y})");
            assert_eq!(got.underline(), want.modifier.contains(Modifier::UNDERLINED), "underline ({x},{y})");
            assert_eq!(got.inverse(), want.modifier.contains(Modifier::REVERSED), "reverse ({x},{y})");
            if want.symbol() != " " {
                assert_eq!(got.fgcolor(), expected_color(want.fg), "colour at ({x},{y})");
                assert_eq!(got.bold(), want.modifier.contains(Modifier::BOLD), "bold at ({x},{y})");
                assert_eq!(got.dim(), want.modifier.contains(Modifier::DIM), "dim at ({x},{y})");
                assert_eq!(got.italic(), want.modifier.contains(Modifier::ITALIC), "italic at ({x},{y})");
            }
        }
    }
}

fn any_color() -> impl Strategy<Value = Color> {
    prop_oneof![
        4 => Just(Color::Reset),
        1 => Just(Color::Red),
        1 => Just(Color::DarkGray),
        1 => Just(Color::White),
        1 => any::<u8>().prop_map(Color::Indexed),
        1 => any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
    ]
}

fn any_cell() -> impl Strategy<Value = Cell> {
    let symbol = prop_oneof![
        5 => Just(" ".to_owned()),
        5 => "[a-e]",
        2 => Just("漢".to_owned()),
        1 => Just("é".to_owned()),
        1 => Just("e\u{301}".to_owned()),
        1 => Just("│".to_owned()),
        1 => Just("😀".to_owned()),
        1 => Just("\u{7}".to_owned()),
        1 => Just("\u{202e}".to_owned()),
    ];
    // The emulator knows one weight at a time, and neither hidden, crossed out nor blinking text.
    let modifier = (0_u16..64).prop_map(|bits| {
        let weight = if bits & 1 == 0 { Modifier::BOLD } else { Modifier::DIM };
        let known = weight | Modifier::ITALIC | Modifier::UNDERLINED | Modifier::REVERSED;
        if bits & 32 == 0 { Modifier::empty() } else { Modifier::from_bits_truncate(bits) & known }
    });
    (symbol, any_color(), any_color(), modifier).prop_map(|(symbol, fg, bg, modifier)| {
        let mut cell = Cell::default();
        cell.set_symbol(&symbol).set_style(Style::new().fg(fg).bg(bg).add_modifier(modifier));
        cell
    })
}

fn any_frames() -> impl Strategy<Value = Vec<Buffer>> {
    (1_u16..24, 1_u16..5).prop_flat_map(|(cols, rows)| {
        let cells = proptest::collection::vec(any_cell(), usize::from(cols * rows));
        let frame = cells.prop_map(move |content| Buffer { area: Rect::new(0, 0, cols, rows), content });
        (proptest::collection::vec(frame, 2..5), proptest::collection::vec(any::<u8>(), 64)).prop_map(
            |(mut frames, keep)| {
                // Most of a frame stays as it was, as it does in life.
                for index in 1..frames.len() {
                    let before = frames[index - 1].content.clone();
                    for (at, cell) in frames[index].content.iter_mut().enumerate() {
                        if keep[at % keep.len()] > 60 {
                            *cell = before[at].clone();
                        }
                    }
                }
                frames
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replaying_the_bytes_gives_exactly_the_frame(frames in any_frames()) {
        let area = frames[0].area;
        let mut terminal = terminal(area.width, area.height);
        let mut painter = Painter::new(CAPS);
        for frame in frames {
            let mut bytes = Vec::new();
            painter.paint(frame.clone(), &mut bytes);
            terminal.process(&bytes);
            check(terminal.screen(), &frame);
            bytes.clear();
            painter.paint(frame, &mut bytes);
            prop_assert!(bytes.is_empty(), "an unchanged frame is no bytes");
        }
    }
}

/// A list as the dashboard draws it: a mark before the selected row, its name in bold.
fn list(selected: u16) -> Buffer {
    let mut frame = Buffer::empty(Rect::new(0, 0, 120, 40));
    for y in 0..40 {
        let bold = if y == selected { Modifier::BOLD } else { Modifier::empty() };
        frame.set_string(0, y, if y == selected { "› " } else { "  " }, Style::new());
        frame.set_string(2, y, format!("workspace-number-{y:02}"), Style::new().add_modifier(bold));
        frame.set_string(24, y, "running 3h   2 files  2.1G   3d ago", Style::new().fg(Color::Yellow));
    }
    frame
}

#[test]
fn moving_the_selection_one_row_costs_at_most_120_bytes() {
    let mut painter = Painter::new(CAPS);
    let mut bytes = Vec::new();
    painter.paint(list(5), &mut bytes);
    bytes.clear();
    painter.paint(list(6), &mut bytes);
    assert!(bytes.len() <= 120, "{} bytes: {:?}", bytes.len(), String::from_utf8_lossy(&bytes));
    assert!(bytes.starts_with(SYNC.0) && bytes.ends_with(SYNC.1));
}

#[test]
fn a_shortened_line_is_erased_and_not_overwritten_with_blanks() {
    let text = |text: &str| Buffer::with_lines([format!("{text:<100}")]);
    let mut painter = Painter::new(Caps { sync: false, ..CAPS });
    let mut bytes = Vec::new();
    painter.paint(text(&"x".repeat(90)), &mut bytes);
    bytes.clear();
    painter.paint(text("xxx"), &mut bytes);
    assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[1;4H\x1b[K");
}

#[test]
fn without_colours_the_weight_stays() {
    let mut frame = Buffer::empty(Rect::new(0, 0, 20, 1));
    frame.set_string(0, 0, "title", Style::new().fg(Color::Red).bg(Color::Blue).add_modifier(Modifier::BOLD));
    let mut bytes = Vec::new();
    Painter::new(Caps { colors: Colors::None, sync: false, ..CAPS }).paint(frame, &mut bytes);
    assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[m\x1b[2J\x1b[1H\x1b[1mtitle");
}

#[test]
fn control_characters_never_reach_the_terminal() {
    let mut frame = Buffer::empty(Rect::new(0, 0, 4, 1));
    frame[(0, 0)].set_symbol("\x1b[31m");
    frame[(1, 0)].set_symbol("\u{9b}2J");
    frame[(2, 0)].set_symbol("a");
    let mut bytes = Vec::new();
    Painter::new(Caps { sync: false, ..CAPS }).paint(frame, &mut bytes);
    assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[m\x1b[2J\x1b[1;3Ha");
}

#[test]
fn the_neighbours_of_a_glyph_that_terminals_measure_differently_are_sent_again() {
    let line = |symbol: &str| {
        let mut frame = Buffer::empty(Rect::new(0, 0, 8, 1));
        frame.set_string(0, 0, "ab", Style::new());
        frame.set_string(2, 0, symbol, Style::new());
        frame.set_string(4, 0, "cdef", Style::new());
        frame
    };
    let mut painter = Painter::new(Caps { sync: false, ..CAPS });
    let mut bytes = Vec::new();
    painter.paint(line("漢"), &mut bytes);
    bytes.clear();
    painter.paint(line("👩\u{200d}🔬"), &mut bytes);
    assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[1;3H👩\u{200d}🔬\x1b[1;5Hcd");
}

#[test]
fn a_new_size_is_a_whole_frame() {
    let mut painter = Painter::new(CAPS);
    let mut bytes = Vec::new();
    for (cols, rows) in [(80, 24), (40, 12), (1, 1), (0, 0), (120, 40)] {
        let frame = Buffer::empty(Rect::new(0, 0, cols, rows));
        bytes.clear();
        painter.paint(frame, &mut bytes);
        assert!(bytes.windows(4).any(|four| four == b"\x1b[2J"), "{cols}x{rows}");
    }
}
