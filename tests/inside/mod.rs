//! Tests: inside.
