//! Traits toward the world, and the plain data they speak in. No implementations.

mod clock;
mod disk;
mod engine;
mod files;
mod host;
mod sandbox;
mod shown;

pub use clock::Clock;
pub use disk::{
    By, Disk, EntryKind, FolderId, Follows, Matching, Order, Pace, Page, Progress, Row, Sum, Totals, Trait,
    Walk,
};
pub use engine::{
    Can, Capabilities, Endpoint, Engine, FileFact, Image, Inventory, Look, NamedFile, PathKind, Probe, Reply,
    Right, ScanItem, ScanRequest, ScanStream, Tick, WatchStream,
};
pub use files::{Entry, Files, Job, Listing};
pub use host::{AskDisk, Host, ReadFolder};
pub use sandbox::{Blueprint, Part, PartKind, Sandbox};
pub use shown::{Asked, Line, Show, Shown};
