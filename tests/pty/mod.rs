//! The real binary and the terminal layer on a real pseudo-terminal.

mod dashboard;
mod program;
mod refused;
mod terminal;
