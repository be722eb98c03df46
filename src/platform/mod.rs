//! Profiles: loading and choosing. What this machine is.

pub mod host;
