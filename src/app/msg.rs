//! What happened, and what to do outside. The two vocabularies of the loop.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::core::classify::Grounds;
use crate::core::error::Result;
use crate::core::finding::{Risk, Tally};
use crate::core::habits::Habit;
use crate::core::lifecycle::Surroundings;
use crate::core::plan::Plan;
use crate::core::workspace::{Workspace, WsKey};
use crate::model::key::Key;
use crate::port::{Inventory, Probe, Tick};
use crate::work::find::News;

/// What happened.
#[derive(Debug)]
pub enum Msg {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size, in columns and rows.
    Resized(u16, u16),
    /// Time has passed.
    Now(Timestamp),
    /// Still no first answer, after so many seconds.
    Waiting(u64),
    /// The selection has rested for a moment.
    Settled,
    /// First contact, or its failure.
    Connected(Result<Probe>),
    /// The list.
    Listed(Result<Inventory>),
    /// Something changed at the engine.
    Ticked(Tick),
    /// A closer look at one workspace.
    Detailed(WsKey, Result<Grounds>),
    /// What a scan, by its number, found so far.
    Scanning(WsKey, u64, Tally),
    /// A scan, by its number, came to its end.
    Scanned(WsKey, u64, Result<Arc<Risk>>),
    /// The files at risk of a workspace may have changed.
    Stirred(WsKey),
    /// How a workspace stands to good habits.
    Habits(WsKey, Vec<Habit>),
    /// What was measured for the page Lifecycle.
    Surroundings(WsKey, Surroundings),
    /// Project folders without a container.
    Folders(Vec<Workspace>),
    /// What a search by name, by its number, says; `None` at its end.
    Found(u64, Option<News>),
    /// A plan was run.
    Ran(Box<Plan>, Result<()>),
    /// Sentences about plans that were cut off the last time.
    Recovered(Vec<String>),
}

/// What to do outside.
#[derive(Debug, PartialEq, Eq)]
pub enum Cmd {
    /// Read the list. At most one runs and one waits.
    List,
    /// Look closer at these.
    Detail(Vec<WsKey>),
    /// Look for files at risk.
    Scan {
        /// Whose.
        key: WsKey,
        /// Somebody asked for it: it may be costly and goes before all others.
        asked: bool,
    },
    /// Keep up with its files at risk, where that is cheap.
    Follow(WsKey),
    /// Look once more, quietly: nobody asked, and something shown stays until the look ends.
    Rescan(WsKey),
    /// Look how a workspace stands to good habits.
    Habits(WsKey),
    /// Measure what the page Lifecycle says of this one.
    Surroundings(WsKey),
    /// Look for project folders without a container.
    Folders {
        /// Folders whose sub-folders are projects.
        roots: Vec<PathBuf>,
        /// Host paths that containers mount.
        mounted: Vec<PathBuf>,
    },
    /// Look for files by name; an earlier search ends.
    Find {
        /// The number of the search.
        number: u64,
        /// The part of the name.
        part: String,
        /// The workspaces.
        places: Vec<WsKey>,
        /// Folders whose sub-folders are projects.
        roots: Vec<PathBuf>,
    },
    /// End the search by name.
    EndFind,
    /// Tell when the selection has rested for a moment.
    Settle,
    /// Run a plan.
    Run {
        /// The plan.
        plan: Box<Plan>,
        /// The person agreed to lose what the plan loses.
        lose_data: bool,
    },
    /// Put text on the clipboard of the person's own terminal.
    Copy(String),
    /// Leave.
    Quit,
}
