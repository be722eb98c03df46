//! What happened, and what to do outside. The two vocabularies of the loop.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::backup::{Job, JobView, Records, Snapshot};
use crate::core::classify::Grounds;
use crate::core::error::{Error, Result};
use crate::core::finding::{Risk, Tally};
use crate::core::habits::Habit;
use crate::core::lifecycle::Surroundings;
use crate::core::plan::Plan;
use crate::core::preview::Preview;
use crate::core::report::Change;
use crate::core::workspace::{Workspace, WsKey};
use crate::model::key::Key;
use crate::model::{FileEntry, FileOrder, JobPlan, LastBackup};
use crate::port::{Asked, Inventory, Probe, Progress, Shown, Tick};
use crate::work::find::News;

/// A folder that was read.
#[derive(Debug)]
pub struct Browsed {
    /// Where it is, links followed.
    pub path: PathBuf,
    /// What is in it, in order.
    pub entries: Vec<FileEntry>,
    /// Why nothing can be changed in it.
    pub fixed: Option<String>,
    /// Why not everything is listed.
    pub partial: Option<String>,
}

/// What somebody wants done to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To the trash.
    Trash {
        /// Folders of this machine that containers have mounted.
        mounted: Vec<PathBuf>,
    },
    /// Another name.
    Rename(OsString),
    /// A copy at a path of this machine, as it was typed.
    Out(PathBuf),
    /// A copy of a path of this machine, as it was typed, in the folder.
    In(PathBuf),
}

/// What somebody wants that is more than one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whole {
    /// Save what is in containers and remove them.
    Retire,
    /// Bring back what was retired: by its name, or the newest.
    Undo(Option<String>),
    /// Copy files to where they are kept; all that are at risk where none is named.
    Rescue(Vec<(WsKey, PathBuf)>),
}

/// What a repository holds.
#[derive(Debug)]
pub struct Listed {
    /// Where it is, without a password.
    pub url: String,
    /// What it is good for, as a clause, where that is not everything.
    pub good_for: Option<String>,
    /// Whether it is there at all.
    pub exists: bool,
    /// Its snapshots, the oldest first.
    pub snapshots: Vec<Snapshot>,
    /// When it was read.
    pub as_of: Timestamp,
}

/// What this machine remembers of backups, jobs and changes.
#[derive(Debug, Default)]
pub struct Remembered {
    /// Backups that were made here; `None` where that cannot be read.
    pub records: Option<Records>,
    /// Jobs, the oldest first.
    pub jobs: Vec<JobView>,
    /// Changes, the oldest first.
    pub changes: Vec<Change>,
    /// Lines of the log that are damaged.
    pub damaged: usize,
    /// What could not be read.
    pub error: Option<Error>,
    /// Jobs of earlier sessions that go on or ended, in sentences, and whether each is bad.
    pub news: Vec<(String, bool)>,
}

/// What jobs somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobWish {
    /// These workspaces backed up.
    Backup(Vec<WsKey>),
    /// A snapshot written to a folder, as it was typed.
    Restore(Box<Snapshot>, PathBuf),
    /// A snapshot read back.
    Verify(Box<Snapshot>),
    /// A snapshot removed.
    Forget(Box<Snapshot>),
}

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
    /// A closer look at one workspace, and when its folder was last backed up.
    Detailed(WsKey, Result<Grounds>, LastBackup),
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
    /// Project folders without a container, and when each was last backed up.
    Folders(Vec<(Workspace, LastBackup)>),
    /// What a search by name, by its number, says; `None` at its end.
    Found(u64, Option<News>),
    /// A folder was read, by the number it was asked for with.
    Browsed(u64, Result<Browsed>),
    /// A file was looked into, likewise.
    Previewed(u64, PathBuf, Result<Preview>),
    /// A plan about a file was made, likewise.
    FilePlanned(u64, Box<Result<Plan>>),
    /// How far a walk, by its number, is.
    Walk(PathBuf, u64, Box<Walking>),
    /// What is open was changed on the disk, and the tree has caught up.
    Grew(PathBuf, Box<Progress>),
    /// A part of a walk that was asked for, and how long it took.
    Shown(PathBuf, Box<(Asked, Shown)>, Duration),
    /// This machine, which answers for what no container mounts; `None` where it cannot be looked at.
    Machine(Option<Box<(Workspace, Grounds)>>),
    /// Plans of more than one step were made; the number is that of the question.
    WholePlanned(u64, Result<Vec<Plan>>),
    /// Several plans were run.
    RanAll(Vec<(Plan, Result<()>)>),
    /// What the repository holds, or why that is not known.
    Snapshots(Box<Result<Listed>>),
    /// What is remembered was read.
    Remembered(Box<Remembered>),
    /// How jobs are that go on, or went on a moment ago.
    Jobs(Vec<JobView>),
    /// A plan for jobs was made, by the number it was asked for with.
    JobsPlanned(u64, Box<Result<JobPlan>>),
    /// Jobs were begun, or called off: what to say, and which.
    JobsBegun(Result<(String, Vec<String>)>),
    /// A plan was run.
    Ran(Box<Plan>, Result<()>),
    /// Sentences about plans that were cut off the last time.
    Recovered(Vec<String>),
}

/// How far a walk is.
#[derive(Debug)]
pub enum Walking {
    /// It goes on; so much was found.
    So(Progress),
    /// It came to its end: what was found, whether somebody stopped it, and when.
    Ended(Result<(Progress, bool, Timestamp)>),
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
    /// Read a folder of a workspace.
    Browse {
        /// The number of the question; only the answer to the last one counts.
        number: u64,
        /// Whose.
        key: WsKey,
        /// The folder.
        path: PathBuf,
        /// What comes first.
        order: FileOrder,
    },
    /// Look into a file.
    Preview {
        /// The number of the question.
        number: u64,
        /// Whose.
        key: WsKey,
        /// The file.
        path: PathBuf,
    },
    /// Make the plan for what somebody wants done to a file.
    PlanFile {
        /// The number of the question.
        number: u64,
        /// Whose.
        key: WsKey,
        /// The file, or the folder that something is copied into.
        path: PathBuf,
        /// What is wanted.
        wish: Wish,
    },
    /// Make plans of more than one step.
    PlanWhole {
        /// The number of the question.
        number: u64,
        /// Whose; nobody's where what is meant is gone.
        keys: Vec<WsKey>,
        /// What is wanted.
        wish: Whole,
    },
    /// Run plans, one after the other.
    RunAll(Vec<Plan>),
    /// Walk these places one after the other, giving way; those that waited before wait no more.
    Queue(Vec<PathBuf>),
    /// Walk this place now: somebody waits.
    Walk {
        /// The place.
        path: PathBuf,
        /// Every file is looked at, whatever is remembered.
        fresh: bool,
    },
    /// End the walk of a place; what was found stays.
    StopWalk(PathBuf),
    /// Look at a part of the walk of a place.
    Look(PathBuf, Asked),
    /// Read which snapshots the repository holds.
    Snapshots,
    /// Read what is remembered of backups, jobs and changes.
    Remember,
    /// Keep up with jobs, by their ids, until they are over.
    Watch(Vec<String>),
    /// What is known of backups is old: look closer at these once more.
    BackedUp(Vec<WsKey>),
    /// Make the plan for jobs.
    PlanJobs {
        /// The number of the question.
        number: u64,
        /// What is wanted.
        wish: JobWish,
    },
    /// Begin jobs: each has a process of its own.
    BeginJobs(Vec<Job>),
    /// Call a job off, by its id.
    CallOff(String),
    /// Look at this machine, which answers for what no container mounts.
    Machine,
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
