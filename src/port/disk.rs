//! What lies on a disk, as a port: a walk that is looked at while it goes on.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use crate::core::error::Result;
use crate::core::spot::Spot;
use crate::core::value::Value;

/// Walks folders.
pub trait Disk: Send + Sync {
    /// Begins to walk a folder, or a single file. Opening it may wait for the disk.
    ///
    /// # Errors
    /// Where it cannot be opened.
    fn walk(&self, root: &Path, pace: Pace) -> Result<Box<dyn Walk>>;

    /// The same of an entry beneath a root that belongs to somebody else: no link below the root is
    /// followed.
    ///
    /// # Errors
    /// Where it cannot be opened.
    fn walk_beneath(&self, spot: &Spot, pace: Pace) -> Result<Box<dyn Walk>>;

    /// What is remembered of a folder from the last time, and compared with the disk at once; its
    /// [`Progress::as_of`] says how old it is until that is done. Where nothing is remembered, a walk.
    ///
    /// # Errors
    /// Where it cannot be opened.
    fn recall(&self, root: &Path, pace: Pace) -> Result<Box<dyn Walk>> {
        self.walk(root, pace)
    }
}

/// One walk, from its beginning until it is dropped; dropping it ends it.
pub trait Walk: Send + Sync {
    /// How far it is.
    fn progress(&self) -> Progress;
    /// Some of the entries of one folder; of one that is not known, none.
    fn page(&self, folder: FolderId, order: Order, from: usize, limit: usize) -> Page {
        self.named(folder, "", order, from, limit)
    }
    /// The same of those entries alone whose names hold every one of these words, in any case.
    fn named(&self, folder: FolderId, words: &str, order: Order, from: usize, limit: usize) -> Page;
    /// The files anywhere beneath the root that match, the first ones in an order.
    fn files(&self, matching: &Matching, order: Order, limit: usize) -> Vec<Row>;
    /// What all files beneath the root come to, by what they are or by whose they are.
    fn sums(&self, by: By) -> Vec<Sum>;
    /// The path of a folder beneath the root.
    fn path(&self, folder: FolderId) -> PathBuf;
    /// The folder at a path beneath the root, if it was met.
    fn find(&self, path: &Path) -> Option<FolderId>;
    /// Ends it; what was found stays.
    fn stop(&self);
    /// Waits until it has ended, so long at most; whether it has.
    fn ended(&self, within: Duration) -> bool;
    /// Keeps up with the disk from now on, also after its end, until it is stopped or dropped.
    fn follow(&self);
    /// Compares what was found with the disk once more, by its folders and the files that are likely to
    /// have grown; it has ended again once that is done.
    fn refresh(&self);
    /// Moves when a page may look different from before: whoever shows one reads it again.
    fn generation(&self) -> u64;
    /// Waits until the generation is another than this one, so long at most; which it is then.
    fn moved(&self, from: u64, within: Duration) -> u64;
}

/// How much of the machine a walk may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it goes: somebody waits.
    Full,
    /// Giving way to everybody else, on the disk and on the processor.
    Background,
}

/// A folder of one walk; of one that is gone since, nothing is known any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderId(pub u64);

impl FolderId {
    /// The folder where the walk began.
    pub const ROOT: Self = Self(0);
}

/// What a folder holds, with everything beneath it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Bytes that the file system gave away, hard links once; as in `du`.
    pub allocated: u64,
    /// Bytes that reading would give, hard links once; as in `du --apparent-size`.
    pub apparent: u64,
    /// Files, links, sockets and the like; one with several names once.
    pub files: u64,
    /// Folders beneath.
    pub dirs: u64,
    /// Entries that could not be read.
    pub errors: u64,
    /// Entries that changed while the walk went on: each is counted with a size that it had.
    pub changed: u64,
}

impl Totals {
    /// Whether the two sizes say about the same.
    pub const fn alike(&self) -> bool {
        let (allocated, apparent) = (self.allocated, self.apparent);
        let differ = allocated.abs_diff(apparent);
        differ <= ALIKE || differ <= if allocated > apparent { allocated } else { apparent } / 10
    }
}

/// What the two sizes may differ by before both are shown.
const ALIKE: u64 = 1 << 20;

/// How far a walk is.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// What was found so far.
    pub total: Totals,
    /// Whether the walk has met everything it could.
    pub finished: bool,
    /// Why the total is a lower bound, a sentence each.
    pub gaps: Vec<String>,
    /// The first paths that could not be read.
    pub unread: Vec<PathBuf>,
    /// Entries beneath the root on which something else is mounted: not walked.
    pub mounts: u64,
    /// When it was last compared with the disk as a whole; `None` until the first walk has ended.
    pub as_of: Option<Timestamp>,
    /// When every single file was last looked at, and not the folders alone: what has grown in place
    /// since may not be known yet.
    pub read: Option<Timestamp>,
    /// How it keeps up with the disk.
    pub follows: Follows,
}

/// How a walk keeps up with the disk after its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follows {
    /// Not at all.
    #[default]
    Not,
    /// Its folders are looked at every now and then, more rarely where nothing changes.
    Swept,
    /// The kernel tells of every change.
    Watched,
}

/// What comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The largest, by allocated bytes.
    Size,
    /// What holds most files.
    Count,
    /// The newest.
    Age,
    /// By name, byte by byte.
    Name,
}

/// What files are put together by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The kind of thing they are.
    Value,
    /// The user they belong to.
    Owner,
}

/// What a file has in common with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trait {
    /// The kind of thing it is.
    Value(Value),
    /// The number of the user it belongs to.
    Owner(u32),
}

/// Files that have something in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// What they have in common.
    pub of: Trait,
    /// What they come to.
    pub totals: Totals,
    /// The newest change among them.
    pub newest: Option<Timestamp>,
}

/// Which files are looked for.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// Words that the path beneath the root holds, in any case.
    pub named: String,
    /// What they have in common.
    pub having: Option<Trait>,
    /// At least so many bytes, apparent ones.
    pub larger: Option<u64>,
    /// Changed then or later.
    pub newer: Option<Timestamp>,
}

/// What kind of entry it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A socket, pipe or device.
    Special,
}

/// One entry of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name, or its path beneath the root where entries of several folders stand together.
    pub name: OsString,
    /// What it is.
    pub kind: EntryKind,
    /// What it holds; nothing where it is one more name of a file counted elsewhere.
    pub totals: Totals,
    /// When it was changed; of a folder, the newest change beneath.
    pub modified: Option<Timestamp>,
    /// The owner's number; of a file.
    pub owner: Option<u32>,
    /// The folder, to go on with.
    pub folder: Option<FolderId>,
    /// Whether its totals may still grow.
    pub growing: bool,
    /// One more name of a file that is counted elsewhere.
    pub again: bool,
    /// It changed, or something in it did, while the walk went on.
    pub changed: bool,
}

/// Some of the entries of a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The entries asked for, in order.
    pub rows: Vec<Row>,
    /// How many entries the folder has, as far as it was read.
    pub of: usize,
    /// What the folder holds.
    pub totals: Totals,
    /// Whether it may still grow.
    pub growing: bool,
}
