//! The sandbox port: a throw-away workspace to learn with, and the parts it leaves until it is cleared away.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::engine::Reply;

/// What sandboxes are called, and what their parts are marked with.
const NAME: &str = "outlast-tour";

/// What a sandbox consists of, in the order in which the parts are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// Empty folders, and nothing else, that the workspace starts from.
    Image,
    /// A folder of the host, mounted into the workspace.
    Folder,
    /// The workspace itself. No process ever runs in it.
    Workspace,
}

/// A part of a sandbox that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub kind: PartKind,
    /// The engine's id for it; a folder's name.
    pub id: String,
    /// For people (untrusted text).
    pub name: String,
    /// Who made it, as its mark says (untrusted text).
    pub owner: String,
    /// When it was made, where that is known.
    pub made: Option<Timestamp>,
}

/// What a sandbox is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blueprint {
    /// Who makes it: one word that no other sandbox has.
    pub owner: String,
    /// Where sandboxes have their folders on the host.
    pub folders: PathBuf,
    /// Where the folder is mounted.
    pub target: PathBuf,
}

impl Blueprint {
    /// The mark of every part.
    pub const LABEL: &str = "outlast.tour";
    /// The label that names who made a part.
    pub const OWNER_LABEL: &str = "outlast.tour.owner";
    /// What images of sandboxes are called, without the owner.
    pub const IMAGE: &str = NAME;

    /// What a workspace of an owner is called.
    pub fn name_of(owner: &str) -> String {
        format!("{NAME}-{owner}")
    }

    /// What its workspace is called.
    pub fn name(&self) -> String {
        Self::name_of(&self.owner)
    }

    /// What its image is called.
    pub fn image(&self) -> String {
        format!("{NAME}:{}", self.owner)
    }

    /// Its folder on the host.
    pub fn folder(&self) -> PathBuf {
        self.folders.join(&self.owner)
    }
}

/// Makes throw-away workspaces. What it makes is marked, so that it is found again after a crash.
pub trait Sandbox: Send + Sync {
    /// Makes one part; the parts before it must be there.
    fn make<'a>(&'a self, part: PartKind, wanted: &'a Blueprint) -> Reply<'a, ()>;

    /// Writes a file into the workspace: its folder must be there.
    fn save<'a>(&'a self, wanted: &'a Blueprint, path: &'a Path, text: &'a str) -> Reply<'a, ()>;

    /// All parts of all sandboxes, also of those that were left behind.
    fn parts<'a>(&'a self, folders: &'a Path) -> Reply<'a, Vec<Part>>;

    /// Removes one part. One that is gone already is no failure.
    fn discard<'a>(&'a self, folders: &'a Path, part: &'a Part) -> Reply<'a, ()>;
}
