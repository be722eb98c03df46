//! Engines: one adapter a folder. Foreign types are converted at its edge and never leave it.

pub mod demo;
pub mod docker;
pub mod machine;
