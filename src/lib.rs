//! outlast: see what outlasts your container.

pub mod app;
pub mod cli;
pub mod core;
pub mod engine;
pub mod files;
pub mod keys;
pub mod model;
pub mod platform;
pub mod port;
pub mod scan;
pub mod store;
pub mod sys;
pub mod term;
pub mod text;
pub mod ui;
pub mod work;
