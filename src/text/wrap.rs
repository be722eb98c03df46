//! Text over several lines, broken between words.

use super::{cut, width};

/// Breaks a text between words into lines of at most `columns`; longer words are broken where they must.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let gap = usize::from(!line.is_empty());
        if width(&line) + gap + width(word) <= columns {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        line = break_word(word, columns, &mut lines);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Breaks a word that is wider than a line; returns what is left for the last line.
fn break_word(word: &str, columns: usize, lines: &mut Vec<String>) -> String {
    let mut rest = word;
    while width(rest) > columns {
        let part = cut(rest, columns, "").into_owned();
        if part.is_empty() {
            // One character is wider than the whole line.
            return String::new();
        }
        rest = rest.get(part.len()..).unwrap_or_default();
        lines.push(part);
    }
    rest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_long_words_where_they_must() {
        assert_eq!(wrap("copy it to a path", 8), ["copy it", "to a", "path"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("日本語", 1), Vec::<String>::new());
        assert!(wrap("", 10).is_empty());
    }
}
