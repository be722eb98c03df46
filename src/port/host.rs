//! What is known of this machine and of the person in front of it. Facts only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::core::backup::Excludes;
use crate::core::habits::FolderFacts;

/// Bytes in use and bytes that can be, on the disk that holds a folder; `None` where nobody could ask.
pub type AskDisk = fn(&Path) -> Option<(u64, u64)>;

use super::ScanStream;
use crate::core::identity::Viewer;
use crate::core::recognise::Profiles;

/// How a folder of this machine is read.
pub type ReadFolder = fn(&Path, &[PathBuf]) -> ScanStream;

/// When anything in a folder last changed, without what is left out; `None` where that could not all be
/// seen in this time.
pub type AskNewest = fn(&Path, &Excludes, std::time::Duration) -> Option<Timestamp>;

/// This machine and its viewer.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// The viewer's user id.
    pub uid: u32,
    /// The viewer's name, where the number has one.
    pub user: Option<String>,
    /// The viewer's home.
    pub home: Option<PathBuf>,
    /// The machine's name.
    pub hostname: String,
    /// Identifies the machine in the state directory; a shared home holds several.
    pub machine_id: String,
    /// Names that were looked up, by user id.
    pub users: BTreeMap<u32, String>,
    /// Looks a name up that is not among `users`.
    pub lookup: Option<fn(u32) -> Option<String>>,
    /// Looks at a project folder as of a moment. May wait, but not for ever.
    pub project: Option<fn(&Path, Timestamp) -> FolderFacts>,
    /// Asks how full a disk is. May wait for ever.
    pub disk: Option<AskDisk>,
    /// The numbers of the groups that the viewer is in.
    pub groups: Vec<u32>,
    /// Looks up the number of a group.
    pub group_lookup: Option<fn(&str) -> Option<u32>>,
    /// Looks up the name of a group.
    pub group_name_lookup: Option<fn(u32) -> Option<String>>,
    /// Reads a folder of this machine with all below it, without the paths that are given too;
    /// `None` where nothing of it may be read.
    pub walk: Option<ReadFolder>,
    /// Asks when a folder last changed. May wait for the disk.
    pub newest: Option<AskNewest>,
}

impl Host {
    /// The user's name for a number, where this machine knows one.
    pub fn user_name(&self, uid: u32) -> Option<String> {
        self.users.get(&uid).cloned().or_else(|| self.lookup.and_then(|lookup| lookup(uid)))
    }

    /// The group's name for a number, where this machine knows one. May ask a directory server.
    pub fn group_name(&self, gid: u32) -> Option<String> {
        self.group_name_lookup.and_then(|lookup| lookup(gid))
    }

    /// The viewer, with those of the profiles' administrator groups that they are in. May ask a
    /// directory server, so never on the way to a frame.
    pub fn viewer(&self, profiles: &Profiles) -> Viewer {
        let all = profiles.all.iter().flat_map(|profile| &profile.admin_groups);
        let is_in = |group: &&String| {
            let number = self.group_lookup.and_then(|lookup| lookup(group));
            number.is_some_and(|number| self.groups.contains(&number))
        };
        // Root needs no group, and a lookup may be slow.
        let admin_of = all.filter(|group| self.uid != 0 && is_in(group)).cloned().collect();
        Viewer { uid: self.uid, name: self.user.clone(), admin_of }
    }
}
