//! Spots: entries beneath folders of this machine, what was there when a plan was made, and what a step does to them.
//! Values only: `port::Files` acts on them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An entry beneath a folder. The folder stands open while something is done beneath it; no link
/// below it is followed, so that nothing outside is ever reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Spot {
    /// The folder on this machine, absolute.
    #[serde(with = "as_text")]
    pub root: PathBuf,
    /// The entry beneath it: relative, without `.` and `..`; empty for the folder itself.
    #[serde(with = "as_text")]
    pub path: PathBuf,
}

impl Spot {
    /// A spot, if the path beneath the folder leads nowhere else. A leading slash counts from the folder.
    pub fn new(root: impl Into<PathBuf>, path: &Path) -> Option<Self> {
        let root = root.into();
        let mut inside = PathBuf::new();
        for component in path.components() {
            match component {
                Component::Normal(name) => inside.push(name),
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => return None,
            }
        }
        root.is_absolute().then_some(Self { root, path: inside })
    }

    /// The path on this machine, for people.
    pub fn full(&self) -> PathBuf {
        if self.path.as_os_str().is_empty() { self.root.clone() } else { self.root.join(&self.path) }
    }

    /// Whether it is the folder itself.
    pub fn is_root(&self) -> bool {
        self.path.as_os_str().is_empty()
    }

    /// The folder that it lies in; `None` for the folder itself.
    pub fn above(&self) -> Option<Self> {
        let above = self.path.parent()?;
        Some(Self { root: self.root.clone(), path: above.to_path_buf() })
    }

    /// An entry in it; `None` where the name is not one name.
    pub fn join(&self, name: &OsStr) -> Option<Self> {
        is_a_name(name).then(|| Self { root: self.root.clone(), path: self.path.join(name) })
    }

    /// Its own name; `None` for the folder itself.
    pub fn name(&self) -> Option<&OsStr> {
        self.path.file_name()
    }

    /// Whether it is the other one or lies in it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.full().starts_with(other.full())
    }
}

/// Whether a name is one that a file can have: no path, not `.` or `..`.
pub fn is_a_name(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    !bytes.is_empty()
        && bytes.len() <= 255
        && !bytes.contains(&b'/')
        && !bytes.contains(&0)
        && bytes != b"."
        && bytes != b".."
}

/// What tells an entry from all others, and one that was changed from what it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The device.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its length.
    pub bytes: u64,
    /// When its content was changed: seconds.
    pub seconds: i64,
    /// The same: nanoseconds.
    pub nanos: u32,
}

impl Identity {
    /// Whether it is the same entry, changed or not.
    pub const fn is_same(&self, other: &Self) -> bool {
        self.device == other.device && self.inode == other.inode
    }
}

/// What a step does to files of this machine. Which of these it does, its verb says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileAct {
    /// One word that no other act has: what it needs for itself is called by it.
    pub key: String,
    /// What is acted on.
    pub from: Spot,
    /// What was there when the plan was made.
    pub seen: Identity,
    /// Where it goes: nothing may be there. `None` where it goes nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Spot>,
    /// What the trash remembers of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed: Option<Trashed>,
}

/// What the trash remembers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trashed {
    /// What it is called in commands.
    pub id: String,
    /// Where it was.
    pub from: Spot,
    /// Where it is now.
    pub now: Spot,
    /// What it is, whatever it is called.
    pub seen: Identity,
    /// When it was moved to the trash.
    pub at: Timestamp,
    /// The workspace it belonged to (untrusted text); empty where it was none's.
    #[serde(default)]
    pub workspace: String,
    /// Files in it, itself included; `None` where nobody counted.
    pub files: Option<u64>,
    /// Their allocated bytes.
    pub bytes: Option<u64>,
}

/// Paths in text: as they are where they are text, else their bytes in base64.
mod as_text {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::{Path, PathBuf};

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Bytes { b64: String },
    }

    pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match path.to_str() {
            Some(text) => Written::Text(text.into()),
            None => Written::Bytes { b64: STANDARD.encode(path.as_os_str().as_bytes()) },
        };
        written.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Text(text) => text.into(),
            Written::Bytes { b64 } => {
                let bytes = STANDARD.decode(b64).map_err(D::Error::custom)?;
                OsStr::from_bytes(&bytes).into()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spot_never_leads_out_of_its_folder() {
        let at = |path: &str| Spot::new("/srv", Path::new(path)).map(|spot| spot.full());
        assert_eq!(at("/a/./b"), Some("/srv/a/b".into()));
        assert_eq!(at(""), Some("/srv".into()));
        assert_eq!(at("a/../../etc"), None);
        assert_eq!(Spot::new("srv", Path::new("a")), None, "the folder is absolute");
        let folder = Spot::new("/srv", Path::new("a")).unwrap();
        for name in ["", ".", "..", "x/y", "x\0"] {
            assert_eq!(folder.join(OsStr::new(name)), None, "{name:?}");
        }
    }

    #[test]
    fn a_spot_is_read_back_as_it_was_whatever_its_bytes_are() {
        let odd = Spot::new("/srv", Path::new(OsStr::from_bytes(b"a\xff\n\x1b[2J"))).unwrap();
        let text = serde_json::to_string(&odd).unwrap();
        assert_eq!(serde_json::from_str::<Spot>(&text).unwrap(), odd, "{text}");
        assert!(text.contains("b64") && text.contains("\"/srv\""), "{text}");
    }
}
