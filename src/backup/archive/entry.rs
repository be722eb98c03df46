//! One entry of an archive, whatever it is packed in, and the names that archives may use.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Folder,
    /// A file of so many bytes.
    File(u64),
    /// A file of so many bytes of which only these pieces, offset and length, are there.
    Sparse(u64, Vec<(u64, u64)>),
    /// A symbolic link and where it points, as bytes.
    Link(Vec<u8>),
    /// One more name of a file that came earlier, by its name in the archive.
    Hard(Vec<u8>),
    Fifo,
    /// A device: whether of characters, its numbers.
    Device(bool, u32, u32),
    /// What nobody here knows.
    Other(u8),
}

/// What is kept of a file besides its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Seconds and nanoseconds of the last change.
    pub(super) modified: (i64, u32),
    /// Extended attributes, by their full names; access lists are among them as the kernel has them.
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its name, as the archive has it.
    pub(super) name: Vec<u8>,
    pub(super) what: What,
    pub(super) meta: Meta,
}

impl Entry {
    /// Bytes of the file that the archive holds.
    pub(super) fn stored(&self) -> u64 {
        match &self.what {
            What::File(size) => *size,
            What::Sparse(_, pieces) => pieces.iter().map(|(_, length)| *length).sum(),
            _ => 0,
        }
    }

    pub(super) const fn is_file(&self) -> bool {
        matches!(self.what, What::File(_) | What::Sparse(..))
    }
}

/// Where a name leads beneath the folder that an archive is put into; the folder itself is empty.
/// `None` where it leads out of it.
pub(super) fn beneath(name: &[u8]) -> Option<PathBuf> {
    if name.contains(&0) {
        return None;
    }
    let mut path = PathBuf::new();
    for component in Path::new(OsStr::from_bytes(name)).components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_beneath_the_folder_or_are_none() {
        assert_eq!(beneath(b"./a/./b/"), Some("a/b".into()));
        assert_eq!(beneath(b"./"), Some("".into()));
        for name in [&b"/etc/passwd"[..], b"../x", b"a/../../x", b"a/..", b"a\0b"] {
            assert_eq!(beneath(name), None, "{}", String::from_utf8_lossy(name));
        }
    }
}
