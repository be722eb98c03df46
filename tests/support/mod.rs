//! Tests: support.

pub mod pty;
