//! A platform's facts, as data: how its workspaces differ from plain containers.
//!
//! Only what differs from the storage kind is written down. Files are read and
//! checked in `platform`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::event::Event;
use super::fate::{Condition, Fate};
use super::storage::{Aftermath, StorageKind};

/// One platform.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The word for it on the command line and in JSON.
    pub id: String,
    /// Its name in the header.
    pub title: String,
    /// The platform's own words for events, where it has any.
    #[serde(default)]
    pub words: BTreeMap<Event, String>,
    /// What a crash and a stop do to a container, where not what the engine does.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// Folders whose sub-folders are projects; `~` is the viewer's home.
    #[serde(default)]
    pub folder_roots: Vec<String>,
    /// The folder that is meant to be kept, inside the container.
    #[serde(default)]
    pub workspace: Option<String>,
    /// Paths whose fate differs from that of their storage kind.
    #[serde(default, rename = "rule")]
    pub rules: Vec<PathRule>,
    /// Paths that never are findings.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Where to get help.
    #[serde(default)]
    pub contacts: Vec<String>,
}

/// What the platform does to a container in an event.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    /// In a crash; `None` is what the engine does.
    pub crash: Option<Aftermath>,
    /// In a stop.
    pub stop: Option<Aftermath>,
    /// In a reboot of the host.
    pub reboot: Option<Aftermath>,
}

/// Paths whose fate differs from that of their storage kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathRule {
    /// The rule's name, shown by `explain`.
    pub id: String,
    /// Folders it covers, with all below them.
    pub paths: Vec<String>,
    /// The storage kinds it needs; on any other kind it does not apply.
    pub storage: Vec<StorageKind>,
    /// What differs.
    #[serde(default)]
    pub fates: BTreeMap<Event, Fate>,
    /// What conditional fates depend on.
    #[serde(default)]
    pub conditions: BTreeMap<Event, Condition>,
    /// Why.
    pub reason: String,
    /// What to do.
    #[serde(default)]
    pub advice: Option<String>,
    /// What is wrong when the path matches and the storage kind does not.
    #[serde(default)]
    pub violation: Option<String>,
    /// Where the rule comes from.
    #[serde(default)]
    pub source: Option<String>,
}

impl PathRule {
    /// How many components of the path the rule names, if it covers the path at all.
    pub fn covers(&self, path: &Path) -> Option<usize> {
        self.paths
            .iter()
            .filter(|folder| path.starts_with(folder))
            .map(|folder| Path::new(folder).components().count())
            .max()
    }
}

impl Profile {
    /// Whether a path is one that never is a finding.
    ///
    /// A pattern is a folder, covering all below it, or a file.
    pub fn ignores(&self, path: &Path) -> bool {
        self.ignore.iter().any(|pattern| path.starts_with(pattern))
    }

    /// The event that fates are shown for when nobody chose one: retire, or stop
    /// where a stop already discards the writable layer.
    pub fn default_event(&self) -> Event {
        match self.lifecycle.stop {
            Some(Aftermath::Recreated | Aftermath::Removed) => Event::Stop,
            Some(Aftermath::Stays) | None => Event::Retire,
        }
    }

    /// The platform's own word for an event, else the general one.
    pub fn word(&self, event: Event) -> &str {
        self.words.get(&event).map_or_else(|| event.key(), String::as_str)
    }
}
