//! What outlast remembers, as plain files under the state directory.
//!
//! `$XDG_STATE_HOME/outlast/<machine-id>/`: files are appended to or removed,
//! never rewritten, so that a home shared between machines is safe.

mod audit;
mod backups;
mod jobs;
mod journal;
mod trash;
mod undo;

use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

pub use crate::core::backup::{JobState, JobView};
pub use audit::Audit;
pub use backups::Memory;
pub use jobs::{Jobs, Running};
pub use journal::{CutOff, Journal};
pub use trash::Trash;
pub use undo::Undos;

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

    /// Jobs that outlive the program that asked for them.
    pub fn jobs(&self) -> Jobs {
        Jobs::at(self.folder.join("jobs"))
    }

    /// What is remembered of backups.
    pub fn backups(&self) -> Memory {
        Memory::at(self.folder.join("backups.jsonl"))
    }

    /// What was retired and can be brought back.
    pub fn undos(&self) -> Undos {
        Undos::at(self.folder.join("undo"))
    }

    /// Where the values of a retired container's variables are, or would be.
    pub fn variables(host: &Host, id: &str) -> Result<PathBuf> {
        Ok(Undos::at(place(host)?.join("undo")).environment(id))
    }

    /// What is in the trash.
    pub fn trash(&self) -> Trash {
        Trash::at(self.folder.join("trash"))
    }

    /// Takes what only one run may do at a time; `None` where another is at it. Held until dropped,
    /// also by the end of a process.
    pub fn alone(&self, what: &str) -> Result<Option<std::fs::File>> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.folder.join(format!("{what}.lock"));
        let mut options = std::fs::OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600).open(&path);
        let file = file.map_err(|error| failed("open", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(error)) => Err(failed("lock", &path, &error)),
        }
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

/// Where this person's backups are kept, unless they name another place: the repository and its key.
pub fn backups_of_their_own() -> Option<(PathBuf, PathBuf)> {
    let dirs = directories::ProjectDirs::from("", "", "outlast")?;
    let folder = dirs.data_dir();
    Some((folder.join("repository"), folder.join("repository.key")))
}

/// Makes a key file with a password that nobody can guess, for its owner's eyes only; one that is
/// there stays as it is.
pub fn make_key(path: &Path) -> Result<()> {
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(folder) = path.parent() {
        make(folder)?;
    }
    let mut random = [0_u8; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .map_err(|error| failed("read", Path::new("/dev/urandom"), &error))?;
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0');
    let word: String = random.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made
        .and_then(|mut file| file.write_all(format!("{word}\n").as_bytes()).and_then(|()| file.sync_all()))
    {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed("write", path, &error)),
        _ => Ok(()),
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
    fn a_key_is_for_its_owners_eyes_only_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/key");
        make_key(&path).unwrap();
        let first = std::fs::read_to_string(&path).unwrap();
        assert_eq!((first.len(), std::fs::metadata(&path).unwrap().permissions().mode() & 0o777), (65, 0o600));
        make_key(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
    }

    #[test]
    fn what_one_run_does_no_other_may_do_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().into()).unwrap();
        let first = store.alone("due").unwrap();
        assert!(first.is_some() && store.alone("due").unwrap().is_none());
        assert!(store.alone("other").unwrap().is_some());
        drop(first);
        assert!(store.alone("due").unwrap().is_some());
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
