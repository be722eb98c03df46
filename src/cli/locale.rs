//! Messages for terminals and logs that read nothing but ASCII: typographic signs are written plainly.
//!
//! Names of files and workspaces stay as they are told everywhere else: in escapes.

use std::borrow::Cow;

/// A text as the person's locale can read it.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    let env = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(env).unwrap_or_default();
    if reads_unicode(&locale) { text.into() } else { plain(text) }
}

fn reads_unicode(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// The same text in ASCII.
fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '“' | '”' | '„' => out.push('"'),
            '‘' | '’' => out.push('\''),
            '–' | '—' | '·' => out.push('-'),
            '…' => out.push_str("..."),
            sign if sign.is_ascii() => out.push(sign),
            sign => out.extend(sign.escape_unicode()),
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typographic_signs_are_written_plainly_and_everything_else_stays_readable() {
        assert_eq!(
            plain("no workspace is called “日” – it’s…"),
            "no workspace is called \"\\u{65e5}\" - it's..."
        );
        assert!(
            reads_unicode("de_DE.UTF-8")
                && reads_unicode("C.utf8")
                && !reads_unicode("C")
                && !reads_unicode("")
        );
    }
}
