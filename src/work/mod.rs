//! The use cases both faces call: inventory, risk, explain, plans and their runner. No drawing, no printing.

pub mod act;
pub mod also;
pub mod archive;
pub mod backup;
pub mod browse;
mod child;
pub mod disk;
mod doomed;
pub mod du;
pub mod explain;
pub mod find;
pub mod gather;
pub mod git;
pub mod git_init;
pub mod ground;
pub mod habits;
pub mod lifecycle;
pub mod mirror;
pub mod mounts;
pub mod packages;
mod recovery;
pub mod refetch;
pub mod rescue;
pub mod retire;
pub mod risk;
pub mod roster;
pub mod space;
pub mod tour;
pub mod twin;
pub mod undo;
mod watched;

#[cfg(test)]
mod fake;

use crate::core::identity::Viewer;
use crate::core::recognise::Profiles;

/// Who looks at an endpoint. The people of the demo are nobody on this machine: everybody sees all of them.
pub fn viewer(host: &Host, profiles: &Profiles, endpoint: &Endpoint) -> Viewer {
    if endpoint.id.starts_with("demo") { Viewer::default() } else { host.viewer(profiles) }
}

/// What the faces need of the layers below, so that they import `work` alone.
pub use crate::platform::config::{Backup as BackupSettings, Color, Config};
pub use crate::platform::profiles::{Collection, load as load_profile, profiles as profiles_of};
pub use crate::platform::secret::{ask as ask_for_a_secret, somebody_is_there};
pub use crate::port::{
    Archives, Backups, By, Can, Clock, Disk, Endpoint, Engine, Entry, EntryKind, FileSystems, Files, Host,
    Image, Inventory, Job, Listing, Matching, PathKind, Progress, Right, Row, Sum, Totals, Trait, Whereabouts,
};
pub use crate::store::{JobState, JobView, Jobs, Store};
