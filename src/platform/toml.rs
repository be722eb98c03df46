//! Reads TOML files and says where one is wrong: file, line, reason.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::core::error::{Error, Kind, Result};

/// How many bytes a file may have: people write these by hand.
const MOST: u64 = 1 << 20;

/// The text of a file; `None` where there is none. Only regular files of a
/// sensible size are read: a pipe or a device might never end.
pub(super) fn text(path: &Path) -> Result<Option<String>> {
    let name = path.to_string_lossy();
    let wrong = |what: &str| Error::new(Kind::Config, format!("{name}: {what}"));
    let mut bytes = Vec::new();
    // Opening a pipe that nobody writes to would wait for ever.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let read = OpenOptions::new().read(true).custom_flags(nonblocking).open(path).and_then(|file| {
        if file.metadata()?.is_file() {
            return file.take(MOST + 1).read_to_end(&mut bytes).map(|_| true);
        }
        Ok(false)
    });
    match read {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(&error.to_string())),
        Ok(false) => return Err(wrong("not a regular file")),
        Ok(true) if bytes.len() as u64 > MOST => return Err(wrong("larger than 1 MiB")),
        Ok(true) => {}
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        wrong(&format!("line {line}: not UTF-8 text"))
    })
}

/// Reads a text; `name` is what the file is called in the message.
pub(super) fn read<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let reason = error.message().lines().next().unwrap_or("it makes no sense").to_string();
        let place = error.span().map_or_else(String::new, |span| {
            let before = text.get(..span.start).unwrap_or_default();
            format!(" line {}:", before.matches('\n').count() + 1)
        });
        Error::new(Kind::Config, format!("{name}:{place} {reason}"))
            .hint("correct that line, or move the file away to go on without it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_a_sensible_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let message = |path: &Path| text(path).unwrap_err().message;
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        assert!(message(&pipe).ends_with("pipe: not a regular file"));
        assert!(message(Path::new("/dev/zero")).ends_with("not a regular file"));
        assert!(message(folder.path()).ends_with("not a regular file"));
        let big = folder.path().join("big");
        std::fs::write(&big, vec![b'#'; (1 << 20) + 1]).unwrap();
        assert!(message(&big).ends_with("big: larger than 1 MiB"));
        assert_eq!(text(&folder.path().join("nothing")), Ok(None));
    }

    #[test]
    fn text_that_is_not_utf8_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(&path, b"ascii = true\n# \xff\n").unwrap();
        let error = text(&path).unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        assert!(error.message.ends_with("c.toml: line 2: not UTF-8 text"), "{error}");
    }
}
