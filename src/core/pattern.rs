//! Patterns of paths and names, as profiles write them: `*` within a name, `**` over any number of names.
//!
//! A path pattern means a folder and everything below it. Matching compares bytes and allocates nothing:
//! it runs for every path that is asked about.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Folders, with all below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    /// Bytes before the first wildcard.
    literal: usize,
}

impl Pattern {
    /// A pattern from its text: absolute, `*` and `**` as wildcards. A trailing `/**` is understood anyway.
    pub fn new(text: &str) -> Self {
        let text = text.trim_end_matches("/**");
        let text = text.trim_end_matches('/');
        let literal = text.find(['*', '?']).unwrap_or(text.len());
        Self { text: text.into(), literal }
    }

    /// The pattern as it is written; the root is empty.
    pub fn text(&self) -> &str {
        if self.text.is_empty() { "/" } else { &self.text }
    }

    /// The one folder it means, where it has no wildcard.
    pub fn folder(&self) -> Option<&Path> {
        (self.literal == self.text.len()).then(|| Path::new(self.text()))
    }

    /// How special it is: the bytes before its first wildcard, then those after its last one.
    pub fn rank(&self) -> (usize, usize) {
        let after = self.text.rfind(['*', '?']).map_or(0, |last| self.text.len() - last - 1);
        (self.literal, after)
    }

    /// Whether it covers an absolute, normal path.
    pub fn covers(&self, path: &Path) -> bool {
        let path = path.as_os_str().as_bytes();
        let text = self.text.as_bytes();
        if self.literal == text.len() {
            return is_below(path, text);
        }
        path.get(..self.literal) == text.get(..self.literal) && matches(text, path, false)
    }

    /// Whether it is exactly this path, with nothing below.
    pub fn is(&self, path: &Path) -> bool {
        matches(self.text.as_bytes(), path.as_os_str().as_bytes(), true)
    }
}

/// Whether a path is a folder or lies below it, on a component boundary. The root is written empty.
pub fn is_below(path: &[u8], folder: &[u8]) -> bool {
    path.starts_with(folder) && matches!(path.get(folder.len()), None | Some(b'/')) || folder == b"/"
}

/// Name by name; a path may go on below the pattern unless it must match whole.
fn matches(pattern: &[u8], path: &[u8], whole: bool) -> bool {
    let (Some((name, pattern)), path) = (next(pattern), path) else {
        return !whole || next(path).is_none();
    };
    if name == b"**" {
        let mut rest = path;
        loop {
            if matches(pattern, rest, whole) {
                return true;
            }
            match next(rest) {
                Some((_, below)) => rest = below,
                None => return false,
            }
        }
    }
    next(path).is_some_and(|(first, path)| like(name, first) && matches(pattern, path, whole))
}

/// The next name of a path and what follows it.
fn next(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = path.iter().position(|byte| *byte != b'/')?;
    let path = path.get(start..)?;
    let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
    Some(path.split_at(end))
}

/// Whether a name is like a pattern: `*` any bytes, `?` one byte. Linear in practice, never exponential.
pub fn like(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < name.len() {
        match pattern.get(of) {
            Some(b'*') => {
                star = Some((of, at));
                of += 1;
            }
            Some(byte) if *byte == b'?' || name.get(at) == Some(byte) => {
                at += 1;
                of += 1;
            }
            // The last star takes one byte more.
            _ => match star {
                Some((back, taken)) => {
                    star = Some((back, taken + 1));
                    of = back + 1;
                    at = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(of..).is_none_or(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// Words that a name is to hold, in any case.
#[derive(Clone, Debug)]
pub struct Words(Vec<String>);

impl Words {
    /// The words of a text.
    pub fn new(words: &str) -> Self {
        Self(words.split_whitespace().map(str::to_lowercase).collect())
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a name, or a path, holds every one of them.
    pub fn are_in(&self, name: &[u8]) -> bool {
        self.0.is_empty() || {
            let name = String::from_utf8_lossy(name).to_lowercase();
            self.0.iter().all(|word| name.contains(word))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, path: &str) -> bool {
        Pattern::new(pattern).covers(Path::new(path))
    }

    #[test]
    fn a_pattern_covers_a_folder_and_all_below_it_on_a_component_boundary() {
        assert!(covers("/workspace", "/workspace") && covers("/workspace/**", "/workspace/a/b"));
        assert!(!covers("/workspace", "/workspaces") && !covers("/workspace", "/"));
        assert!(covers("/", "/") && covers("/", "/etc/x") && covers("/**", "/etc"));
    }

    #[test]
    fn one_star_is_within_a_name_and_two_are_any_number_of_names() {
        assert!(covers("/home/work/.*", "/home/work/.local/lib") && !covers("/home/work/.*", "/home/work/a"));
        assert!(covers("/home/*/.ssh", "/home/alice/.ssh/id") && !covers("/home/*/.ssh", "/home/.ssh/id"));
        assert!(covers("/home/vessl/**/.vessl", "/home/vessl/.vessl/x"));
        assert!(covers("/home/vessl/**/.vessl", "/home/vessl/a/b/.vessl"));
        assert!(!covers("/home/vessl/**/.vessl", "/home/vessl/a/.vesslx"));
        assert!(covers("**/scratches/*/work", "/var/lib/x/scratches/77/work"));
        assert!(Pattern::new("/w/*/Dockerfile").is(Path::new("/w/p/Dockerfile")));
        assert!(!Pattern::new("/w/*").is(Path::new("/w/p/Dockerfile")));
    }

    #[test]
    fn names_are_compared_with_stars_and_question_marks() {
        assert!(like(b"*._.*", b"p._.1001") && !like(b"*._.*", b"p.1001"));
        assert!(
            like(b"workspace-????-0", b"workspace-ab3d-0") && !like(b"workspace-????-0", b"workspace-abc-0")
        );
        assert!(like(b"a*b*c", b"a__b_bc") && !like(b"a*b*c", b"acb") && like(b"*", b""));
    }

    #[test]
    fn the_longer_literal_beginning_is_the_more_special() {
        assert!(Pattern::new("/home/work/.ssh").rank() > Pattern::new("/home/work/.*").rank());
        assert!(Pattern::new("/home/vessl/**/.vessl").rank() > Pattern::new("/home/vessl").rank());
    }

    proptest::proptest! {
        #[test]
        fn a_pattern_without_wildcards_agrees_with_the_standard_library(
            folder in "(/[ab]{1,2}){0,3}", path in "(/[ab]{1,2}){1,4}"
        ) {
            let expected = Path::new(&path).starts_with(if folder.is_empty() { "/" } else { &folder });
            proptest::prop_assert_eq!(covers(&folder, &path), expected);
        }
    }

    #[test]
    fn every_word_is_in_the_name_in_any_case() {
        let is_in = |words: &str, name: &[u8]| Words::new(words).are_in(name);
        assert!(is_in("", b"x") && is_in("Pt CHECK", b"checkpoint.pt") && !is_in("pt zip", b"checkpoint.pt"));
        assert!(is_in("a", b"\xffA"), "bytes that are no text stand in nobody's way");
    }
}
