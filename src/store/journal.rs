//! The journal: per plan one file, the plan first, then each step before and after it.
//!
//! A file that is there after its process ended tells of a plan that was cut
//! off. A lock held for life tells a process that is still at it from one that
//! is not. A plan that came to its end leaves no file: the log has it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::failed;
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::Plan;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Plan(Plan),
    Begin { step: usize, at: Timestamp },
    End { step: usize, at: Timestamp, result: String },
}

/// The journal of a plan that is being run or finished.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

/// A plan that was cut off.
#[derive(Debug)]
pub struct CutOff {
    /// The plan.
    pub plan: Plan,
    /// The steps that were begun and not ended, by number.
    pub begun: Vec<usize>,
    /// The steps that ended, by number.
    pub ended: Vec<usize>,
    /// Its journal, locked by us now.
    pub journal: Journal,
}

impl Journal {
    pub(super) fn create(folder: &Path, plan: &Plan) -> Result<Self> {
        let path = folder.join(format!("{}.jsonl", plan.id));
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed("make", &path, &error))?;
        file.try_lock().map_err(|error| failed("lock", &path, &error.into()))?;
        let mut journal = Self { path, file };
        journal.write(&Line::Plan(plan.clone()))?;
        // The file's name must be on disk too before anything is done.
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed("sync", folder, &error))?;
        Ok(journal)
    }

    /// Says that a step begins; on disk when this returns.
    pub fn begin(&mut self, step: usize, at: Timestamp) -> Result<()> {
        self.write(&Line::Begin { step, at })
    }

    /// Says how a step ended; on disk when this returns.
    pub fn end(&mut self, step: usize, result: &str, at: Timestamp) -> Result<()> {
        self.write(&Line::End { step, at, result: result.into() })
    }

    /// The plan is over: nothing is left to finish.
    pub fn close(self) -> Result<()> {
        std::fs::remove_file(&self.path).map_err(|error| failed("remove", &self.path, &error))
    }

    /// The plan is over, and something worse went wrong than that its file stays.
    pub fn forget(&self) {
        let _ = std::fs::remove_file(&self.path);
    }

    fn write(&mut self, line: &Line) -> Result<()> {
        let mut bytes = serde_json::to_vec(line)
            .map_err(|error| Error::new(Kind::Failed, format!("the journal cannot be written: {error}")))?;
        bytes.push(b'\n');
        self.file
            .write_all(&bytes)
            .and_then(|()| self.file.sync_data())
            .map_err(|error| failed("write", &self.path, &error))
    }
}

pub(super) fn unfinished(folder: &Path) -> Result<Vec<CutOff>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read", folder, &error)),
    };
    let mut paths: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    paths.sort();
    Ok(paths.into_iter().filter_map(adopt).collect())
}

/// Takes over a journal that nobody holds; one that cannot be read is left where it is.
fn adopt(path: PathBuf) -> Option<CutOff> {
    let mut file = OpenOptions::new().read(true).append(true).open(&path).ok()?;
    file.try_lock().ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    let mut plan = None;
    let (mut begun, mut ended) = (Vec::new(), Vec::new());
    // The last line may be cut in the middle; it then says nothing.
    for line in bytes.split(|byte| *byte == b'\n') {
        match serde_json::from_slice(line) {
            Ok(Line::Plan(found)) => plan = Some(found),
            Ok(Line::Begin { step, .. }) => begun.push(step),
            Ok(Line::End { step, .. }) => {
                begun.retain(|open| *open != step);
                ended.push(step);
            }
            Err(_) => {}
        }
    }
    let journal = Journal { path, file };
    if let Some(plan) = plan {
        return Some(CutOff { plan, begun, ended, journal });
    }
    // Not even the plan was written, so nothing was done.
    journal.close().ok()?;
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn plan(id: &str) -> Plan {
        Plan {
            notes: Vec::new(),
            asks_for: None,
            facts: Vec::new(),
            id: id.into(),
            endpoint: "docker".into(),
            made_at: Timestamp::UNIX_EPOCH,
            preconditions: Vec::new(),
            steps: Vec::new(),
        }
    }

    fn open_steps(store: &Store) -> Vec<(String, Vec<usize>)> {
        store.unfinished().unwrap().into_iter().map(|cut_off| (cut_off.plan.id, cut_off.begun)).collect()
    }

    #[test]
    fn a_plan_that_came_to_its_end_leaves_nothing_to_finish() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().into()).unwrap();
        let mut journal = store.journal(&plan("a")).unwrap();
        journal.begin(0, Timestamp::UNIX_EPOCH).unwrap();
        assert!(open_steps(&store).is_empty(), "its process is still at it");
        journal.end(0, "done", Timestamp::UNIX_EPOCH).unwrap();
        journal.close().unwrap();
        assert!(open_steps(&store).is_empty());
    }

    #[test]
    fn a_plan_that_was_cut_off_is_found_with_its_open_steps() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().into()).unwrap();
        for id in ["b", "a"] {
            let mut journal = store.journal(&plan(id)).unwrap();
            journal.begin(0, Timestamp::UNIX_EPOCH).unwrap();
            journal.end(0, "done", Timestamp::UNIX_EPOCH).unwrap();
            journal.begin(1, Timestamp::UNIX_EPOCH).unwrap();
        }
        let path = folder.path().join("journal/a.jsonl");
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(b"{\"end\":{\"step\":1,");
        std::fs::write(&path, text).unwrap();
        assert_eq!(open_steps(&store), [("a".into(), vec![1]), ("b".into(), vec![1])]);
    }

    #[test]
    fn one_that_was_cut_off_before_its_plan_was_written_did_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().into()).unwrap();
        let path = folder.path().join("journal/x.jsonl");
        std::fs::write(&path, b"{\"plan\":{\"id\"").unwrap();
        assert!(open_steps(&store).is_empty());
        assert!(!path.exists());
    }
}
