//! The use cases both faces call: inventory, risk, explain, plans and their runner. No drawing, no printing.

pub mod act;
pub mod du;
pub mod explain;
pub mod gather;
pub mod git;
pub mod ground;
pub mod mounts;
pub mod risk;
pub mod roster;
pub mod tour;

#[cfg(test)]
mod fake;

use crate::core::event::Event;
use crate::core::rules::Rules;

/// The event that views begin with: the person's choice, else the mildest one
/// in which the platform discards the writable layer.
pub fn first_event(rules: &Rules, config: &Config) -> Event {
    config.event.unwrap_or_else(|| rules.profile.default_event())
}

/// What the faces need of the layers below, so that they import `work` alone.
pub use crate::platform::config::{Color, Config};
pub use crate::platform::folders::roots;
pub use crate::platform::profiles::{Collection, load as load_profile, profiles as profiles_of};
pub use crate::port::{
    Can, Clock, Disk, Endpoint, Engine, EntryKind, Host, Image, Inventory, Matching, PathKind, Progress, Right,
    Row, Totals,
};
pub use crate::store::Store;
