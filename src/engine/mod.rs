//! Engines: one adapter a folder. Foreign types are converted at its edge and never leave it.

mod deadline;
pub mod demo;
pub mod docker;
pub mod machine;
