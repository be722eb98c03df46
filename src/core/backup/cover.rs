//! What a backup is good for: a folder, and the events that its repository and key survive.

use std::path::{Path, PathBuf};

use super::Excludes;
use crate::core::event::Event;

/// A folder of which a backup is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The folder that was saved.
    pub folder: PathBuf,
    /// Whether that is a path inside the container, and not one of the host.
    pub inside: bool,
    /// What was left out.
    pub excludes: Excludes,
    /// Whether all of it can be had back after an event; `None` where that is not known.
    pub holds: [Option<bool>; Event::ALL.len()],
}

impl Cover {
    /// Whether a path can be had back after an event. `None` for what was not saved, too: another
    /// program may have saved it.
    pub fn holds(&self, path: &Path, event: Event) -> Option<bool> {
        let below = path.strip_prefix(&self.folder).ok()?;
        let saved = below.as_os_str().is_empty() || !self.excludes.hides(below);
        self.holds.get(event.index()).copied().flatten().filter(|_| saved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_saved_is_covered() {
        let mut holds = [None; 7];
        holds[Event::HostLoss.index()] = Some(true);
        let cover =
            Cover { folder: "/home/u/p".into(), inside: false, excludes: Excludes::new([".vessl"]), holds };
        let of = |path: &str, event| cover.holds(Path::new(path), event);
        assert_eq!(of("/home/u/p", Event::HostLoss), Some(true));
        assert_eq!(of("/home/u/p/a/b", Event::HostLoss), Some(true));
        assert_eq!(of("/home/u/p/a/.vessl/b", Event::HostLoss), None, "left out");
        assert_eq!(of("/home/u/pp", Event::HostLoss), None, "another folder");
        assert_eq!(of("/home/u/p", Event::WorkspaceDeletion), None);
    }
}
