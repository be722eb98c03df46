//! The use cases both faces call: inventory, risk, explain, plans and their runner. No drawing, no printing.

pub mod act;
pub mod explain;
pub mod mounts;
pub mod risk;
pub mod roster;

#[cfg(test)]
mod fake;

/// What the faces need of the layers below, so that they import `work` alone.
pub use crate::platform::config::Config;
pub use crate::platform::folders::roots;
pub use crate::port::{Can, Clock, Endpoint, Engine, Host, Image, Inventory, Right};
pub use crate::store::Store;
