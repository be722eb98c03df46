//! What a person sees of a walk: a bounded part of it, asked for by path.
//!
//! Paths and not numbers of folders, since those change when it is walked again.

use std::path::PathBuf;

use super::disk::{By, Order, Row, Totals, Trait};
use crate::core::value::Value;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The folder beneath the root.
    pub at: PathBuf,
    /// What of it.
    pub show: Show,
    /// What comes first.
    pub order: Order,
    /// Words that names hold.
    pub named: String,
    /// The first line.
    pub from: usize,
    /// Lines at most.
    pub limit: usize,
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// The entries of one folder.
    Entries,
    /// Files anywhere beneath the root, all or those that have something in common.
    Files(Option<Trait>),
    /// What all files come to, by something they have in common.
    Sums(By),
}

/// A part of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The lines asked for, in order.
    pub lines: Vec<Line>,
    /// How many lines there are in all.
    pub of: usize,
    /// What the folder holds, or all that the walk has met.
    pub totals: Totals,
    /// Whether that may still grow.
    pub growing: bool,
    /// Whether the folder asked for is there.
    pub there: bool,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The entry; of a sum, its words for people in place of a name.
    pub row: Row,
    /// What kind of thing it is; of a file.
    pub value: Option<Value>,
    /// What the files of a sum have in common.
    pub sum: Option<Trait>,
}
