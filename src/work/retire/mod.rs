//! Retiring a workspace: what would go with its container is found out, saved, read back, and only then
//! is the container removed. Its folder stays.

mod places;
mod plan;
mod preflight;
mod python;

pub use plan::{LIMIT, Retiring, Wish};

/// What the fact is called that says why nothing can be saved.
pub(crate) const UNSAVED: &str = "unsaved";
