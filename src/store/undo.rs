//! Undo records: a file each. While its container is being retired a record is `pending`; it counts
//! once the container is gone.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{failed, make};
use crate::core::error::{Error, Kind, Result};
use crate::core::undo::Undo;

/// The ending of records that count.
const RECORD: &str = "json";
/// The ending of those that do not yet.
const PENDING: &str = "pending";
/// The ending of files with the values of variables.
const ENVIRONMENT: &str = "env";

/// The undo records of one machine.
#[derive(Clone, Debug)]
pub struct Undos {
    folder: PathBuf,
}

impl Undos {
    pub(super) const fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The file with the values of the variables of one container.
    pub fn environment(&self, id: &str) -> PathBuf {
        self.path(id, ENVIRONMENT)
    }

    /// Writes a record down that does not count yet; on disk when this returns. Takes the place of an
    /// earlier one of the same plan.
    pub fn write(&self, record: &Undo) -> Result<()> {
        make(&self.folder)?;
        let text = serde_json::to_vec(record)
            .map_err(|error| Error::new(Kind::Failed, format!("the undo record cannot be written: {error}")))?;
        let mut lines = record.recipe.environment.join("\n");
        lines.push('\n');
        self.put(&self.environment(&record.id), lines.as_bytes())?;
        self.put(&self.path(&record.id, PENDING), &text)
    }

    /// The record counts from now on.
    pub fn keep(&self, id: &str) -> Result<()> {
        let (pending, kept) = (self.path(id, PENDING), self.path(id, RECORD));
        match fs::rename(&pending, &kept) {
            Err(error) if error.kind() == ErrorKind::NotFound && kept.exists() => Ok(()),
            moved => moved.and_then(|()| self.sync()).map_err(|error| failed("write", &kept, &error)),
        }
    }

    /// The record of a plan that is under way or was cut off.
    pub fn pending(&self, id: &str) -> Option<Undo> {
        read(&self.path(id, PENDING))
    }

    /// The records that count, the newest first; those that cannot be read are left out.
    pub fn all(&self) -> Result<Vec<Undo>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("read", &self.folder, &error)),
        };
        let paths = entries.flatten().map(|entry| entry.path());
        let records = paths.filter(|path| path.extension().is_some_and(|ending| ending == RECORD));
        let mut all: Vec<Undo> = records.filter_map(|path| read(&path)).collect();
        all.sort_by(|one, other| other.id.cmp(&one.id));
        Ok(all)
    }

    /// Forgets a record, whether it counted or not.
    pub fn remove(&self, id: &str) -> Result<()> {
        for ending in [PENDING, RECORD, ENVIRONMENT] {
            let path = self.path(id, ending);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(failed("remove", &path, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Written beside its place first, so that a record is whole or not there.
    fn put(&self, path: &Path, content: &[u8]) -> Result<()> {
        let part = path.with_extension("part");
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)
            .and_then(|mut file| {
                file.write_all(content)?;
                file.sync_all()
            })
            .and_then(|()| fs::rename(&part, path))
            .and_then(|()| self.sync());
        written.map_err(|error| failed("write", path, &error))
    }

    fn sync(&self) -> std::io::Result<()> {
        File::open(&self.folder).and_then(|folder| folder.sync_all())
    }

    /// Ids hold dots, so an ending is added and never put in another's place.
    fn path(&self, id: &str, ending: &str) -> PathBuf {
        let name: String = id.chars().map(|c| if c == '/' || c == '\0' { '_' } else { c }).collect();
        self.folder.join(format!("{name}.{ending}"))
    }
}

fn read(path: &Path) -> Option<Undo> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::recipe::Recipe;
    use crate::core::workspace::{RunState, WsKey};
    use jiff::Timestamp;
    use std::os::unix::fs::PermissionsExt as _;

    fn record(id: &str) -> Undo {
        Undo {
            id: id.into(),
            at: Timestamp::UNIX_EPOCH,
            until: Undo::until(Timestamp::UNIX_EPOCH),
            user: "alice".into(),
            workspace: "p".into(),
            subject: WsKey { endpoint: "docker".into(), id: "1".into() },
            was: RunState::Running,
            recipe: Recipe {
                name: "p._.1001".into(),
                image: "i".into(),
                image_id: None,
                spec: "{}".into(),
                command: "docker create i".into(),
                environment: vec!["TOKEN=secret".into()],
                notes: Vec::new(),
            },
            pin: None,
            saved: Vec::new(),
            volumes: Vec::new(),
            lost: Vec::new(),
        }
    }

    #[test]
    fn a_record_counts_once_its_container_is_gone_and_its_variables_are_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let undos = Undos::at(folder.path().join("undo"));
        assert!(undos.all().unwrap().is_empty());
        let (one, two) = (record("20260101T000000.000Z-1-0"), record("20260102T000000.000Z-1-0"));
        undos.write(&one).unwrap();
        undos.write(&two).unwrap();
        assert!(undos.all().unwrap().is_empty());
        assert_eq!(undos.pending(&one.id), Some(one.clone()));
        for record in [&one, &two] {
            undos.keep(&record.id).unwrap();
            undos.keep(&record.id).unwrap();
        }
        assert_eq!(undos.all().unwrap(), [two.clone(), one.clone()]);
        let secrets = undos.environment(&one.id);
        assert_eq!(fs::read_to_string(&secrets).unwrap(), "TOKEN=secret\n");
        assert_eq!(fs::metadata(&secrets).unwrap().permissions().mode() & 0o777, 0o600);
        undos.remove(&one.id).unwrap();
        undos.remove(&one.id).unwrap();
        assert!(!secrets.exists());
        assert_eq!(undos.all().unwrap(), [two]);
    }
}
