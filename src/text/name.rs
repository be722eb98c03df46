//! Names from outside, made harmless and cut to a width.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Makes a name harmless: control characters, direction marks and other
/// invisible characters become visible escapes, such as `\u{1b}` or `\n`.
pub fn printable(name: &str) -> Cow<'_, str> {
    if name.chars().all(is_harmless) {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 8);
    for c in name.chars() {
        if is_harmless(c) {
            out.push(c);
        } else {
            match c {
                '\n' | '\r' | '\t' => out.extend(c.escape_default()),
                _ => {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
                }
            }
        }
    }
    Cow::Owned(out)
}

/// Makes a path harmless; bytes that are not UTF-8 become `\xff`.
pub fn printable_path(path: &Path) -> Cow<'_, str> {
    if let Some(text) = path.to_str() {
        return printable(text);
    }
    let mut out = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        out.push_str(&printable(chunk.valid()));
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    Cow::Owned(out)
}

fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Cuts a text to a width, at the end, with an ellipsis where something is missing.
pub fn cut<'t>(text: &'t str, columns: usize, ellipsis: &str) -> Cow<'t, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut out = take(text.graphemes(true), room);
    out.push_str(take(ellipsis.graphemes(true), columns - width(&out)).as_str());
    Cow::Owned(out)
}

/// Cuts a text to a width, in the middle: both ends of a path say something.
pub fn cut_middle<'t>(text: &'t str, columns: usize, ellipsis: &str) -> Cow<'t, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(width(ellipsis));
    let tail: String = take(text.graphemes(true).rev(), room - room / 3).graphemes(true).rev().collect();
    let mut out = take(text.graphemes(true), room - width(&tail));
    out.push_str(take(ellipsis.graphemes(true), columns - width(&out) - width(&tail)).as_str());
    out.push_str(&tail);
    Cow::Owned(out)
}

fn take<'g>(graphemes: impl Iterator<Item = &'g str>, columns: usize) -> String {
    let mut used = 0;
    graphemes
        .take_while(|grapheme| {
            used += width(grapheme);
            used <= columns
        })
        .collect()
}

/// Pads a text with spaces to a width; longer text stays as it is.
pub fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(width(text));
    format!("{text}{}", " ".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_direction_marks_become_visible() {
        assert_eq!(printable("a\x1b[31mb"), "a\\u{1b}[31mb");
        assert_eq!(printable("a\nb\tc"), "a\\nb\\tc");
        assert_eq!(printable("safe\u{202e}txt.exe"), "safe\\u{202e}txt.exe");
        assert_eq!(printable("\u{9b}31m"), "\\u{9b}31m");
        assert!(matches!(printable("plain ünïcode 日本"), Cow::Borrowed(_)));
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_bytes() {
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/tmp/\xffx\x1b"));
        assert_eq!(printable_path(path), "/tmp/\\xffx\\u{1b}");
    }

    #[test]
    fn texts_are_cut_by_columns_and_not_by_characters() {
        assert_eq!(cut("model.pt", 8, "…"), "model.pt");
        assert_eq!(cut("checkpoint.pt", 8, "…"), "checkpo…");
        assert_eq!(cut("日本語", 5, "…"), "日本…");
        assert_eq!(cut("日本語", 4, "…"), "日…");
        assert_eq!(cut_middle("/home/user/deep/model.pt", 14, "…"), "/hom…/model.pt");
    }

    proptest::proptest! {
        #[test]
        fn no_cut_is_wider_than_asked_for(text in "\\PC{0,40}", columns in 0usize..30) {
            for ellipsis in ["…", "..."] {
                proptest::prop_assert!(width(&cut(&text, columns, ellipsis)) <= columns);
                proptest::prop_assert!(width(&cut_middle(&text, columns, ellipsis)) <= columns);
            }
        }

        #[test]
        fn nothing_printable_moves_the_cursor(text in any_text()) {
            proptest::prop_assert!(!printable(&text).chars().any(char::is_control));
        }
    }

    fn any_text() -> impl proptest::strategy::Strategy<Value = String> {
        proptest::collection::vec(proptest::char::any(), 0..40).prop_map(String::from_iter)
    }

    use proptest::strategy::Strategy as _;
}
