//! What is needed to make a container again: the same image, mounts, user, environment, limits.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A recipe. Its words are the engine's own; nobody else reads them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// The container's name (untrusted text).
    pub name: String,
    /// The image, as it was asked for (untrusted text).
    pub image: String,
    /// The image's own id.
    pub image_id: Option<String>,
    /// Everything else, in the engine's own words. Holds values of variables, which may be secrets.
    pub spec: String,
    /// The command that makes it in a shell, the values of its variables in a file.
    pub command: String,
    /// That file's lines.
    pub environment: Vec<String>,
    /// What the command cannot say.
    pub notes: Vec<String>,
}

impl fmt::Debug for Recipe {
    /// Without what may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recipe").field("name", &self.name).field("image", &self.image).finish_non_exhaustive()
    }
}
