//! Profiles: loading and choosing. What this machine is.

pub mod config;
pub mod folders;
pub mod profiles;
mod toml;
