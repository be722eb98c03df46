//! The activity log: one JSON line for every change that was made.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use super::failed;
use crate::core::error::{Error, Kind, Result};
use crate::core::report::Change;

/// The activity log's file.
#[derive(Clone, Debug)]
pub struct Audit {
    path: PathBuf,
}

impl Audit {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Adds one line, in one write: lines of several processes never mix.
    pub fn append(&self, change: &Change) -> Result<()> {
        let mut line = serde_json::to_vec(change)
            .map_err(|error| Error::new(Kind::Failed, format!("the log line cannot be written: {error}")))?;
        line.push(b'\n');
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&self.path)
            .and_then(|mut file| {
                file.write_all(&line)?;
                file.sync_data()
            })
            .map_err(|error| failed("write", &self.path, &error))
    }

    /// All changes, the oldest first, and how many lines made no sense. No file is an empty log.
    pub fn read(&self) -> Result<(Vec<Change>, usize)> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
            Err(error) => return Err(failed("read", &self.path, &error)),
        };
        let (mut changes, mut damaged) = (Vec::new(), 0);
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(|error| failed("read", &self.path, &error))?;
            match serde_json::from_slice(&line) {
                Ok(change) => changes.push(change),
                Err(_) if line.is_empty() => {}
                Err(_) => damaged += 1,
            }
        }
        Ok((changes, damaged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::plan::Verb;
    use crate::core::workspace::WsKey;

    fn change(container: &str) -> Change {
        Change {
            at: jiff::Timestamp::UNIX_EPOCH,
            user: "alice".into(),
            endpoint: "docker".into(),
            verb: Verb::Stop,
            subject: WsKey { endpoint: "docker".into(), id: "1".into() },
            container: container.into(),
            before: "running".into(),
            after: "exited".into(),
            plan: "p1".into(),
            result: "done".into(),
            command: "docker stop x".into(),
            recreate: Some("docker start x".into()),
        }
    }

    #[test]
    fn every_change_is_one_line_and_is_read_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::at(folder.path().join("audit.jsonl"));
        assert_eq!(audit.read(), Ok((Vec::new(), 0)));
        let all = [change("web"), change("a\nb\x1b[2J")];
        for change in &all {
            audit.append(change).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&audit.path).unwrap().lines().count(), 2);
        assert_eq!(audit.read(), Ok((all.to_vec(), 0)));
    }

    #[test]
    fn a_damaged_line_hides_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let audit = Audit::at(folder.path().join("audit.jsonl"));
        audit.append(&change("a")).unwrap();
        let mut text = std::fs::read(&audit.path).unwrap();
        text.extend_from_slice(b"{\"at\":\xff\n");
        std::fs::write(&audit.path, text).unwrap();
        audit.append(&change("b")).unwrap();
        let (changes, damaged) = audit.read().unwrap();
        assert_eq!((changes.len(), damaged), (2, 1));
    }
}
