//! Tests: pty.
