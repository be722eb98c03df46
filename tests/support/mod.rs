//! Tests: support.

pub(crate) mod model;
pub(crate) mod screen;
pub(crate) mod svg;
