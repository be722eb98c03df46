//! How full file systems are and what limits there are on them, as a port.

use std::path::PathBuf;

use crate::core::error::Result;
use crate::core::quota::FileSystem;

/// Asks the file systems of this machine.
pub trait FileSystems: Send + Sync {
    /// Asks all of them at once. May wait, but not for ever: one that gives no answer in time is
    /// told as silent and holds up none of the others.
    ///
    /// # Errors
    /// Where it is not known what is mounted, or the one path that was asked for is not there.
    fn look(&self, question: &SpaceQuestion) -> Result<Vec<FileSystem>>;
}

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct SpaceQuestion {
    /// Only the file system that this path lies on.
    pub only: Option<PathBuf>,
    /// Places that matter: folders may have limits of their own.
    pub places: Vec<PathBuf>,
    /// Whose limits; `None` asks for space alone.
    pub whose: Option<Whose>,
}

/// Whose limits are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whose {
    /// The number of the user who asks.
    pub user: u32,
    /// The numbers of their groups.
    pub groups: Vec<u32>,
    /// Those of every user that has any, as far as that is allowed.
    pub everybody: bool,
}
