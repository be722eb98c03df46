//! What is in the trash, wherever that is: one file a thing, so that it is found again. The things
//! themselves lie on their own file systems.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use super::{failed, make};
use crate::core::error::{Error, Kind, Result};
use crate::core::spot::Trashed;

/// What is known of the trash.
#[derive(Clone, Debug)]
pub struct Trash {
    folder: PathBuf,
}

impl Trash {
    pub(super) const fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Remembers a thing; on disk when this returns.
    pub fn add(&self, thing: &Trashed) -> Result<()> {
        make(&self.folder)?;
        let path = self.file(&thing.id)?;
        let bytes = serde_json::to_vec(thing)
            .map_err(|error| Error::new(Kind::Failed, format!("the trash cannot be written: {error}")))?;
        // Written whole under another name first: what is read is never half of it.
        let part = path.with_extension("part");
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)
            .and_then(|mut file| {
                file.write_all(&bytes)?;
                file.sync_data()
            })
            .and_then(|()| std::fs::rename(&part, &path))
            .and_then(|()| File::open(&self.folder)?.sync_all())
            .map_err(|error| failed("write", &path, &error))
    }

    /// Forgets a thing; one that is not known is no failure.
    pub fn remove(&self, id: &str) -> Result<()> {
        let path = self.file(id)?;
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", &path, &error)),
            _ => Ok(()),
        }
    }

    /// All things, the oldest first. What cannot be read is left out.
    pub fn list(&self) -> Result<Vec<Trashed>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("read", &self.folder, &error)),
        };
        let mut things: Vec<Trashed> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .filter_map(|path| serde_json::from_slice(&std::fs::read(path).ok()?).ok())
            .collect();
        things.sort_by(|one: &Trashed, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
        Ok(things)
    }

    /// The file of a thing; an id comes from a file too and leads nowhere else.
    fn file(&self, id: &str) -> Result<PathBuf> {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(Error::new(Kind::Usage, "that is nothing that the trash calls its things"));
        }
        Ok(self.folder.join(format!("{id}.json")))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::core::spot::{Identity, Spot};
    use crate::store::Store;

    fn thing(id: &str) -> Trashed {
        let spot = |path| Spot::new("/srv", Path::new(path)).unwrap();
        Trashed {
            id: id.into(),
            from: spot("a"),
            now: spot(".Trash-0/files/a"),
            seen: Identity::default(),
            at: jiff::Timestamp::UNIX_EPOCH,
            workspace: "w".into(),
            files: Some(1),
            bytes: None,
        }
    }

    #[test]
    fn a_thing_is_known_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let trash = Store::at(folder.path().into()).unwrap().trash();
        assert!(trash.list().unwrap().is_empty());
        for id in ["b", "a"] {
            trash.add(&thing(id)).unwrap();
        }
        std::fs::write(folder.path().join("trash/c.json"), "{\"id\"").unwrap();
        assert_eq!(trash.list().unwrap(), [thing("a"), thing("b")]);
        trash.remove("a").unwrap();
        trash.remove("a").unwrap();
        assert_eq!(trash.list().unwrap(), [thing("b")]);
        assert!(trash.remove("../audit").is_err());
    }
}
