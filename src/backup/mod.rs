//! Backups: the platforms' own archives. No UI words, no engine.

mod archive;

pub use archive::LocalArchives;
