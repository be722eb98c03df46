//! Tests: support.

pub(crate) mod pty;
