//! The dependency arrows hold.
