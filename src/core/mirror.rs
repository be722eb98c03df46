//! What rsync says it would do, read: lines of `--itemize-changes` in the form that outlast asks for.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

/// The form that lines are asked for in: what changes, how many bytes it has, its name.
pub const FORM: &str = "%i %l %n";

/// What becomes of one entry of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It comes anew.
    New,
    /// A file gets other content.
    Content,
    /// Only what is kept beside the content changes: its mode, owner or time.
    Beside,
    /// It is deleted.
    Deleted,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What becomes of it.
    pub change: Change,
    /// Whether it is a regular file.
    pub file: bool,
    /// Its bytes.
    pub bytes: u64,
    /// Its path beneath the folder (untrusted).
    pub path: PathBuf,
}

/// Reads one line; `None` for anything else that rsync says.
pub fn item(line: &[u8]) -> Option<Item> {
    let (code, rest) = line.split_at_checked(11)?;
    let rest = rest.strip_prefix(b" ")?;
    let space = rest.iter().position(|byte| *byte == b' ')?;
    let (bytes, name) = (rest.get(..space)?, rest.get(space + 1..)?);
    let bytes = std::str::from_utf8(bytes).ok()?.replace(',', "").parse().ok()?;
    let path = PathBuf::from(OsString::from_vec(unescape(name)));
    if code == b"*deleting  " {
        let file = !name.ends_with(b"/");
        return Some(Item { change: Change::Deleted, file, bytes, path });
    }
    let [how, kind, marks @ ..] = code else { return None };
    if !b"<>ch.".contains(how) || !b"fdLDS".contains(kind) {
        return None;
    }
    let change = match (how, marks) {
        (_, [b'+', ..]) => Change::New,
        (b'<' | b'>' | b'c', _) => Change::Content,
        _ => Change::Beside,
    };
    Some(Item { change, file: *kind == b'f', bytes, path })
}

/// rsync writes bytes that would harm a terminal as `\#ooo`.
fn unescape(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, tail @ ..] = rest {
        let byte = rest.strip_prefix(b"\\#").and_then(|digits| digits.get(..3)).and_then(octal);
        if let Some(byte) = byte {
            out.push(byte);
            rest = rest.get(5..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

fn octal(digits: &[u8]) -> Option<u8> {
    let text =
        std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    u8::from_str_radix(text, 8).ok()
}

/// What a preview amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Files that come anew.
    pub new: u64,
    /// Files that get other content.
    pub content: u64,
    /// Entries of which only what is beside the content changes.
    pub beside: u64,
    /// Folders, links and the like that come anew.
    pub others: u64,
    /// Bytes of files that are sent, at most.
    pub bytes: u64,
    /// What is deleted at the target (untrusted).
    pub deleted: Vec<PathBuf>,
}

impl Preview {
    /// Adds one line.
    pub fn add(&mut self, item: Item) {
        match (item.change, item.file) {
            (Change::Deleted, _) => self.deleted.push(item.path),
            (Change::New, true) => {
                self.new += 1;
                self.bytes += item.bytes;
            }
            (Change::Content, true) => {
                self.content += 1;
                self.bytes += item.bytes;
            }
            (Change::New, false) => self.others += 1,
            (Change::Content | Change::Beside, _) => self.beside += 1,
        }
    }

    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where something is mirrored to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder of this machine.
    Here(PathBuf),
    /// Anywhere that rsync finds its way to: `HOST:PATH`, `rsync://HOST/PATH`.
    Away(String),
}

impl Place {
    /// Reads a target as rsync does: a colon before the first slash names a machine. `None` for what
    /// would be taken for an option, or holds control characters.
    pub fn read(text: &str) -> Option<Self> {
        let colon = text.find(':');
        let away = colon.is_some_and(|colon| text.find('/').is_none_or(|slash| colon < slash));
        if !away {
            return (!text.is_empty()).then(|| Self::Here(Path::new(text).to_path_buf()));
        }
        let fits = !text.starts_with(['-', ':']) && !text.chars().any(char::is_control);
        fits.then(|| Self::Away(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<(Change, bool, u64, String)> {
        item(line.as_bytes()).map(|item| (item.change, item.file, item.bytes, item.path.display().to_string()))
    }

    #[test]
    fn lines_are_read_and_other_words_are_not() {
        assert_eq!(read(">f+++++++++ 12 src/a b.py"), Some((Change::New, true, 12, "src/a b.py".into())));
        assert_eq!(read("<f.st...... 7 x"), Some((Change::Content, true, 7, "x".into())));
        assert_eq!(read(".f..t...... 7 x"), Some((Change::Beside, true, 7, "x".into())));
        assert_eq!(read("cd+++++++++ 4,096 src/"), Some((Change::New, false, 4096, "src/".into())));
        assert_eq!(read("cL+++++++++ 4 link -> x"), Some((Change::New, false, 4, "link -> x".into())));
        assert_eq!(read("*deleting   0 old/x"), Some((Change::Deleted, true, 0, "old/x".into())));
        for line in
            ["", "sending incremental file list", "total size is 5  speedup is 2", "rsync: x", ">f+++++++++"]
        {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn names_are_bytes_whatever_they_hold() {
        let read = item(b">f+++++++++ 1 a\\#012b\\#377\\c").unwrap();
        assert_eq!(read.path.as_os_str().as_encoded_bytes(), b"a\nb\xff\\c");
    }

    #[test]
    fn a_colon_before_a_slash_is_another_machine() {
        assert_eq!(Place::read("/a:b"), Some(Place::Here("/a:b".into())));
        assert_eq!(Place::read("./a:b"), Some(Place::Here("./a:b".into())));
        assert_eq!(Place::read("me@host:backup"), Some(Place::Away("me@host:backup".into())));
        assert_eq!(Place::read("rsync://host/x"), Some(Place::Away("rsync://host/x".into())));
        for text in ["", "-e sh:x", ":x", "host:a\nb"] {
            assert_eq!(Place::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_preview_counts_and_names_what_goes() {
        let mut preview = Preview::default();
        assert!(preview.is_empty());
        for line in
            [">f+++++++++ 10 a", ">f.st...... 5 b", ".d..t...... 0 ./", "cd+++++++++ 0 c/", "*deleting   0 d"]
        {
            preview.add(item(line.as_bytes()).unwrap());
        }
        assert_eq!(
            (preview.new, preview.content, preview.beside, preview.others, preview.bytes),
            (1, 1, 1, 1, 15)
        );
        assert_eq!(preview.deleted, [PathBuf::from("d")]);
    }
}
