//! What is remembered of backups: one JSON line when one is made, verified or removed. Appended to, never rewritten.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use super::failed;
use crate::core::backup::{Line, Records};
use crate::core::error::{Error, Kind, Result};

/// The memory of backups.
#[derive(Clone, Debug)]
pub struct Memory {
    path: PathBuf,
}

impl Memory {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Adds a line; on disk when this returns.
    pub fn append(&self, line: &Line) -> Result<()> {
        let mut bytes = serde_json::to_vec(line)
            .map_err(|error| Error::new(Kind::Failed, format!("the backup cannot be written down: {error}")))?;
        bytes.push(b'\n');
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
            // One write, so that lines of two processes do not mix.
            .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_data()))
            .map_err(|error| failed("write", &self.path, &error))
    }

    /// All that is remembered. Damaged lines say nothing: what they said counts as unknown.
    pub fn read(&self) -> Result<Records> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Records::default()),
            Err(error) => return Err(failed("read", &self.path, &error)),
        };
        let mut lines = Vec::new();
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(|error| failed("read", &self.path, &error))?;
            lines.extend(serde_json::from_slice::<Line>(&line).ok());
        }
        Ok(Records::new(lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::backup::Verified;

    #[test]
    fn a_damaged_line_says_nothing_and_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::at(folder.path().join("backups.jsonl"));
        assert_eq!(memory.read(), Ok(Records::default()));
        let line =
            Line::Verified(Verified { snapshot: "a".into(), at: jiff::Timestamp::UNIX_EPOCH, whole: true });
        memory.append(&line).unwrap();
        let mut text = std::fs::read(&memory.path).unwrap();
        text.extend_from_slice(b"{\"saved\":\xff\n");
        std::fs::write(&memory.path, text).unwrap();
        memory.append(&line).unwrap();
        assert_eq!(memory.read(), Ok(Records::default()), "verified, but never saved here");
    }
}
