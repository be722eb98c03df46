//! All integration tests, in one binary: linking is the slow part.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    missing_docs,
    reason = "tests fail by panicking and say why they skipped"
)]

mod architecture;
mod backup;
mod cli;
mod engine;
mod fates;
mod files;
mod inside;
mod journeys;
mod project;
mod pty;
mod retire;
mod screens;
mod support;
