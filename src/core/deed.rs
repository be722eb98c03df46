//! What a step needs beyond its verb, where it is a part of retiring, bringing back or rescuing.

use serde::{Deserialize, Serialize};

use super::backup::Job;
use super::recipe::Recipe;
use super::rescue::Rescue;
use super::spot::Spot;
use super::undo::{Place, Saved, Undo};

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// What its verb says, to the container, as a part of something larger.
    Plain,
    /// Saves files to a repository and reads them back.
    Save(Box<Saving>),
    /// Gives an image another name, or takes it away.
    Image {
        /// The image.
        image: String,
        /// The other name; empty where the image itself is meant.
        tag: String,
    },
    /// Removes the container, and writes down how it comes back.
    Remove {
        /// The record, but for what is known only then.
        record: Box<Undo>,
        /// Where its writable layer is, to be looked at once more.
        layer: Option<Spot>,
    },
    /// Makes a container under a name that only this plan uses.
    Make {
        /// How.
        recipe: Box<Recipe>,
    },
    /// Writes saved files where they were.
    PutBack(Box<Saved>),
    /// Gives a container its name.
    Name {
        /// The name.
        to: String,
    },
    /// Forgets the record of what was brought back.
    Forget {
        /// The record.
        record: String,
        /// The name that kept the image.
        pin: Option<String>,
    },
    /// Copies files to where they are kept.
    Rescue(Box<Rescue>),
}

/// Files that are saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saving {
    /// The job that saves them.
    pub job: Job,
    /// Where each of its parts was, in their order.
    pub places: Vec<Place>,
    /// Memory that is saved: each must still be a mount of its own, or another folder would be saved.
    pub memory: Vec<Spot>,
    /// The record that is written down meanwhile.
    pub record: Undo,
}
