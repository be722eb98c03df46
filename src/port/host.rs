//! What is known of this machine and of the person in front of it. Facts only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ScanStream;

/// How a folder of this machine is read.
pub type Walk = fn(&Path, &[PathBuf]) -> ScanStream;

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
    /// Reads a folder of this machine with all below it, without the paths that are given too;
    /// `None` where nothing of it may be read.
    pub walk: Option<Walk>,
}

impl Host {
    /// The user's name for a number, where this machine knows one.
    pub fn user_name(&self, uid: u32) -> Option<String> {
        self.users.get(&uid).cloned().or_else(|| self.lookup.and_then(|lookup| lookup(uid)))
    }
}
