//! Backups: repositories in restic's format, and the platforms' own archives. What is saved and why
//! is `work`'s.
//!
//! The library behind the repositories panics on damaged data, forgets to say what it skipped and restores
//! without bounds. So it is used behind a fence: in a process of its own, with our own reader of
//! files and our own restore, and never with a deletion that another backup could lose data by.

mod archive;
mod entry;
mod failure;
mod fence;
mod read;
mod restore;
mod save;
mod sweep;
mod tree;
mod vault;
mod verify;
mod walk;

pub use archive::LocalArchives;
pub use vault::Restic;

#[cfg(test)]
mod tests;
