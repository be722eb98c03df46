//! What could not be read, counted: one sentence a reason and not one a file.

use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::text;

/// Paths that are named.
const FEW: usize = 8;

/// What went wrong while a place was read.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    unread: Vec<Unread>,
    vanished: u64,
    too_deep: Option<PathBuf>,
    first: Vec<PathBuf>,
}

#[derive(Debug)]
struct Unread {
    reason: Errno,
    folders: u64,
    files: u64,
    first: PathBuf,
}

impl Troubles {
    /// A folder could not be opened or read.
    pub(super) fn folder(&mut self, path: &Path, reason: Errno) {
        if let Some(unread) = self.count(path, reason) {
            unread.folders += 1;
        }
    }

    /// An entry could not be looked at.
    pub(super) fn file(&mut self, path: &Path, reason: Errno) {
        if let Some(unread) = self.count(path, reason) {
            unread.files += 1;
        }
    }

    /// What stood in the way of a folder, or of another entry, does so no more.
    pub(super) fn forget(&mut self, reason: Errno, folder: bool) {
        let Some(at) = self.unread.iter().position(|unread| unread.reason == reason) else { return };
        let Some(unread) = self.unread.get_mut(at) else { return };
        let count = if folder { &mut unread.folders } else { &mut unread.files };
        *count = count.saturating_sub(1);
        if unread.folders + unread.files == 0 {
            self.unread.remove(at);
        }
        if self.unread.is_empty() {
            self.first.clear();
        }
    }

    /// A folder lies deeper than is read.
    pub(super) fn too_deep(&mut self, path: &Path) {
        self.too_deep.get_or_insert_with(|| path.to_path_buf());
    }

    /// Why the result is a lower bound, a sentence each; empty where nothing is missing.
    pub(super) fn gaps(&self) -> Vec<String> {
        let mut gaps: Vec<String> = self.unread.iter().map(Unread::sentence).collect();
        if let Some(first) = &self.too_deep {
            let start: PathBuf = first.components().take(8).collect();
            gaps.push(format!(
                "folders nested too deep were not read, beneath {}",
                text::printable_path(&start)
            ));
        }
        gaps
    }

    /// The first paths that could not be read.
    pub(super) fn first_few(&self) -> Vec<PathBuf> {
        self.first.clone()
    }

    /// What is worth knowing although nothing is missing.
    pub(super) fn note(&self) -> Option<String> {
        match self.vanished {
            0 => None,
            1 => Some("1 entry vanished while it was read".into()),
            many => Some(format!("{many} entries vanished while they were read")),
        }
    }

    /// Files come and go while a container works: what is gone is not missing.
    fn count(&mut self, path: &Path, reason: Errno) -> Option<&mut Unread> {
        if vanished(reason) {
            self.vanished += 1;
            return None;
        }
        if self.first.len() < FEW {
            self.first.push(path.to_path_buf());
        }
        let known = self.unread.iter().position(|unread| unread.reason == reason);
        let at = known.unwrap_or_else(|| {
            self.unread.push(Unread { reason, folders: 0, files: 0, first: path.to_path_buf() });
            self.unread.len() - 1
        });
        self.unread.get_mut(at)
    }
}

impl Unread {
    fn sentence(&self) -> String {
        let what = match (self.folders, self.files) {
            (1, 0) => "1 folder".to_owned(),
            (folders, 0) => format!("{folders} folders"),
            (0, 1) => "1 file".to_owned(),
            (0, files) => format!("{files} files"),
            (folders, files) => format!("{} entries", folders + files),
        };
        let first = if self.folders + self.files == 1 { "" } else { "first " };
        format!(
            "{what} could not be read: {}, {first}{}",
            words(self.reason),
            text::printable_path(&self.first)
        )
    }
}

/// Whether the entry was gone when it was looked at, or another took its place.
pub(super) fn vanished(reason: Errno) -> bool {
    matches!(reason, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

/// The reason in words, without the number.
pub fn words(reason: Errno) -> String {
    match reason {
        Errno::ACCESS | Errno::PERM => "permission denied".into(),
        Errno::NOENT => "it is not there".into(),
        _ => {
            let text = std::io::Error::from(reason).to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_unreadable_folders_are_one_sentence() {
        let mut troubles = Troubles::default();
        for name in ["/root/x", "/root/y", "/root/z"] {
            troubles.folder(Path::new(name), Errno::ACCESS);
        }
        assert_eq!(troubles.gaps(), ["3 folders could not be read: permission denied, first /root/x"]);
        troubles.file(Path::new("/a"), Errno::IO);
        assert_eq!(
            troubles.gaps().get(1).map(String::as_str),
            Some("1 file could not be read: input/output error, /a")
        );
    }

    #[test]
    fn what_vanished_is_a_note_and_no_gap() {
        let mut troubles = Troubles::default();
        troubles.file(Path::new("/a"), Errno::NOENT);
        assert!(troubles.gaps().is_empty());
        assert_eq!(troubles.note().as_deref(), Some("1 entry vanished while it was read"));
    }
}
