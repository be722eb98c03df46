//! Traits toward the world, and the plain data they speak in. No implementations.

pub mod archive;
mod backup;
mod clock;
mod disk;
mod engine;
mod files;
mod host;
mod sandbox;
mod shown;
mod space;

pub use archive::Archives;
pub use backup::{Backups, Checked, Meter, Restored, Saved, Vault};
pub use clock::Clock;
pub use disk::{
    By, Disk, EntryKind, FolderId, Follows, Matching, Order, Pace, Page, Progress, Row, Sum, Totals, Trait,
    Walk,
};
pub use engine::{
    Activity, Can, Capabilities, Content, Endpoint, Engine, FileFact, Image, Inventory, Look, NamedFile,
    PathKind, Probe, Reply, Right, ScanItem, ScanRequest, ScanStream, StirStream, Tick, WatchStream,
    Whereabouts,
};
pub use files::{Entry, Files, Job, Listing};
pub use host::{AskDisk, AskNewest, Host, ReadFolder};
pub use sandbox::{Blueprint, Part, PartKind, Sandbox};
pub use shown::{Asked, Line, Show, Shown};
pub use space::{FileSystems, SpaceQuestion, Whose};
