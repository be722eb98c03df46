//! This machine, read from inside: no daemon, its own mount table.
