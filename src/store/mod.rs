//! What outlast remembers, as plain files under the state directory.
//!
//! `$XDG_STATE_HOME/outlast/<machine-id>/`: files are appended to or removed,
//! never rewritten, so that a home shared between machines is safe.

mod audit;
mod journal;
mod trash;

use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

pub use audit::Audit;
pub use journal::{CutOff, Journal};
pub use trash::Trash;

use crate::core::error::{Error, Kind, Result};
use crate::core::plan::Plan;
use crate::port::Host;

/// The state directory of one machine.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens this machine's state directory and makes it where it is missing, for its owner's eyes only.
    pub fn open(host: &Host) -> Result<Self> {
        Self::at(place(host)?)
    }

    /// This machine's state directory to read from; `None` where there is none yet.
    pub fn existing(host: &Host) -> Result<Option<Self>> {
        let folder = place(host)?;
        match std::fs::metadata(&folder) {
            Ok(_) => Ok(Some(Self { folder })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &folder, &error)),
        }
    }

    /// Opens a given directory.
    pub fn at(folder: PathBuf) -> Result<Self> {
        make(&folder)?;
        make(&folder.join("journal"))?;
        Ok(Self { folder })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The activity log.
    pub fn audit(&self) -> Audit {
        Audit::at(self.folder.join("audit.jsonl"))
    }

    /// What is in the trash.
    pub fn trash(&self) -> Trash {
        Trash::at(self.folder.join("trash"))
    }

    /// Begins the journal of a plan: the plan is on disk when this returns.
    pub fn journal(&self, plan: &Plan) -> Result<Journal> {
        Journal::create(&self.folder.join("journal"), plan)
    }

    /// Plans that were cut off, the oldest first. One that another process is still at is not.
    pub fn unfinished(&self) -> Result<Vec<CutOff>> {
        journal::unfinished(&self.folder.join("journal"))
    }
}

/// Where tours keep the folders that they mount. Not among the files of one machine, whose
/// name is too long to be read in a command.
pub fn tours() -> Result<PathBuf> {
    Ok(base()?.join("tour"))
}

/// Where this machine's state directory is, or would be.
fn place(host: &Host) -> Result<PathBuf> {
    Ok(base()?.join(folder_name(&host.machine_id)))
}

fn base() -> Result<PathBuf> {
    let dirs = directories::ProjectDirs::from("", "", "outlast");
    let state = dirs.as_ref().and_then(|dirs| dirs.state_dir()).ok_or_else(|| {
        Error::new(Kind::Config, "there is no place to keep the journal: this user has no home")
            .hint("set XDG_STATE_HOME to a directory that you may write to")
    })?;
    Ok(state.into())
}

/// A folder's name from an identifier that comes from a file: nothing in it leads elsewhere.
fn folder_name(machine_id: &str) -> String {
    let name: String = machine_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
    if name.is_empty() { "unknown-machine".into() } else { name }
}

fn make(folder: &Path) -> Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| failed("make", folder, &error))
}

/// An input or output error of one of our own files.
fn failed(doing: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(Kind::Failed, format!("could not {doing} {}: {error}", path.display()))
        .hint("set XDG_STATE_HOME to a directory that you may write to")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_directory_is_for_its_owners_eyes_only() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("a/b")).unwrap();
        let mode = std::fs::metadata(store.folder()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_machine_identifier_leads_nowhere_else() {
        assert_eq!(folder_name("../../etc"), "etc");
        assert_eq!(folder_name("\n"), "unknown-machine");
        assert_eq!(folder_name("0f-1"), "0f-1");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_an_error_with_a_hint() {
        let error = Store::at("/proc/nowhere".into()).unwrap_err();
        assert!(error.hints[0].contains("XDG_STATE_HOME"), "{error:?}");
    }
}
