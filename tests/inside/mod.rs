//! This machine, read from inside: mount tables of many platforms, and the endpoint on this very machine.

mod endpoint;
mod platforms;
mod real;
mod tables;
