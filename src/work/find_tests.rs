//! Searches over an engine in memory.
