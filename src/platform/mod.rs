//! Profiles: loading and choosing. What this machine is, and how full.

pub mod clock;
pub mod config;
pub mod detach;
pub mod folders;
pub mod host;
pub mod limits;
pub mod process;
pub mod profiles;
pub mod quota;
pub mod secret;
mod toml;
