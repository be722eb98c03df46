//! Rescue: files at risk copied to where they are kept. What is copied from where to where, and what came of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::backup::Skips;
use super::spot::Spot;

/// What is rescued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescue {
    /// One word that no other act has: what it needs for itself is called by it.
    pub key: String,
    /// The files, by the places they lie in.
    pub lots: Vec<Lot>,
    /// The folder that they go to. It and those above it are made where they are missing.
    pub to: Spot,
    /// Who owns the folders that are made for it: the user's and the group's number.
    pub owner: Option<(u32, u32)>,
}

/// Files of one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lot {
    /// The place's folder on this machine.
    pub from: Spot,
    /// Its path inside, which the copies have beneath the goal.
    pub below: PathBuf,
    /// The files and folders, by their paths from the place's folder.
    #[serde(with = "paths")]
    pub only: Vec<PathBuf>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rescued {
    /// Files that were copied and read back.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that were there already, the same in every byte.
    pub there: u64,
    /// Files that were not copied, and why.
    pub missing: Skips,
}

/// Paths whatever their bytes are.
mod paths {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        let written = paths.iter().map(|path| match path.to_str() {
            Some(text) => Written::Text(text.into()),
            None => Written::Bytes(path.as_os_str().as_bytes().to_vec()),
        });
        written.collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        let written = Vec::<Written>::deserialize(deserializer)?;
        Ok(written
            .into_iter()
            .map(|path| match path {
                Written::Text(text) => text.into(),
                Written::Bytes(bytes) => OsString::from_vec(bytes).into(),
            })
            .collect())
    }
}
