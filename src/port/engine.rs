//! The engine port: where workspaces run and how they are looked at.
//!
//! No engine's own nouns: a container of Docker, a pod and this very machine
//! are described alike. What an engine cannot do it says with a reason.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use jiff::Timestamp;

use crate::core::classify::Origin;
use crate::core::error::{Error, Kind, Result};
use crate::core::finding::{LayerCount, Method};
use crate::core::mount::{Measure, Mount};
use crate::core::plan::Step;
use crate::core::recipe::Recipe;
use crate::core::spot::Spot;
use crate::core::storage::StorageKind;
use crate::core::workspace::{Detail, Workspace, WsKey};

use super::sandbox::Sandbox;

/// An answer that comes later.
pub type Reply<'a, T> = BoxFuture<'a, Result<T>>;
/// What changes, as it changes.
pub type WatchStream = BoxStream<'static, Tick>;
/// What a scan finds, as it finds it. Dropping the stream cancels the scan.
pub type ScanStream = BoxStream<'static, ScanItem>;

/// Says that something may be different now. Dropping the stream ends the watching.
pub type StirStream = BoxStream<'static, ()>;

/// Where workspaces run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Short and stable: `docker`, `machine`, `demo`. Part of every workspace's key.
    pub id: String,
    /// For people: `Docker`, `this machine`.
    pub title: String,
    /// Where it is reached: `unix:///var/run/docker.sock`; empty where nothing is connected to.
    pub address: String,
}

/// Something an engine may be asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Right {
    /// Tell of changes as they happen.
    Watch,
    /// Find files at risk unasked, cheaply enough for every workspace.
    ScanAll,
    /// Find files at risk of one workspace, on request.
    Scan,
    /// Start and stop.
    Run,
}

/// Whether an engine can, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Can {
    /// It can.
    Yes,
    /// It cannot, for this reason, in words that a person can act on.
    No(String),
}

/// What an engine can do, right by right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(pub Vec<(Right, Can)>);

impl Capabilities {
    /// Whether the engine can; a right it says nothing about is one it lacks.
    pub fn can(&self, right: Right) -> Can {
        self.0
            .iter()
            .find(|(known, _)| *known == right)
            .map_or_else(|| Can::No("this engine does not offer it".into()), |(_, can)| can.clone())
    }
}

/// What a first contact tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Product and version: `Docker 20.10.24`.
    pub product: String,
    /// What can be done here.
    pub capabilities: Capabilities,
}

/// An image, as far as the list of workspaces needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The engine's id.
    pub id: String,
    /// Its names (untrusted text).
    pub tags: Vec<String>,
}

/// Everything an endpoint lists. Each section fails on its own.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The workspaces, cheap facts only.
    pub workspaces: Vec<Workspace>,
    /// The images.
    pub images: Result<Vec<Image>>,
    /// When it was read.
    pub as_of: Timestamp,
}

/// Something changed. A hint only: the inventory is the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tick {
    /// The engine listens from now on; read the inventory once more.
    Live,
    /// A workspace came, went or changed state; `None` where it is not known which.
    Changed(Option<WsKey>),
    /// The engine went away; the stream ends after this.
    Lost(Error),
}

/// Which files to look for.
#[derive(Clone, Debug)]
pub struct ScanRequest {
    /// The workspace.
    pub key: WsKey,
    /// What the engine said about it.
    pub detail: Arc<Detail>,
    /// The mounts to read, by target: those that do not last.
    pub targets: Vec<PathBuf>,
    /// Somebody asked for this one, so it may be costly; unasked scans must be cheap.
    pub asked: bool,
}

/// One file of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFact {
    /// Absolute path inside the container, bytes as they are.
    pub path: PathBuf,
    /// Allocated bytes, counted once for hard links; `None` where only the name is known.
    pub bytes: Option<u64>,
    /// What it lies on.
    pub storage: StorageKind,
    /// When its content last changed.
    pub modified: Option<Timestamp>,
    /// A file of the image that was changed, rather than a new one.
    pub changed: bool,
}

/// What a scan says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanItem {
    /// How it looks, said once and before everything it finds. A scan that ends without it could
    /// not look at all, and its gaps say why.
    By(Method),
    /// A storage kind that is being read, also where nothing is found there.
    Reading(StorageKind),
    /// Files.
    Files(Vec<FileFact>),
    /// What the writable layer holds against its image, where the look tells it; said after its files.
    Layer(LayerCount),
    /// Something could not be read: the result is a lower bound.
    Gap(String),
    /// Worth knowing, nothing is missing.
    Note(String),
    /// Nothing new, but the look goes on: said every few seconds, at any place, by one that lives.
    Looking,
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// Nothing.
    Absent,
    /// A link to this path.
    Link(PathBuf),
    /// A directory.
    Directory,
    /// A file or anything else.
    File,
    /// It could not be looked at.
    Unknown,
}

/// A look at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What is there.
    pub kind: PathKind,
    /// Where it comes from, for paths on the root file system.
    pub origin: Origin,
}

/// A file's name, bytes as they are, and its content.
pub type NamedFile = (OsString, Vec<u8>);

/// The content of a file, piece by piece. Dropping it ends the reading.
pub type Content = BoxStream<'static, Result<Vec<u8>>>;

/// Where the bytes at a path of a workspace are on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The entry, whether there is one or not.
    pub spot: Spot,
    /// Why nothing may be changed there from here; `None` where it may, as far as the engine knows.
    pub fixed: Option<String>,
    /// Why not everything is there that the workspace itself sees.
    pub partial: Option<String>,
    /// The same path in what was written in the workspace alone, where that can be told.
    pub written: Option<Spot>,
}

/// What goes on in a workspace. What could not be seen is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Its processes: the number on this machine and the command (untrusted text).
    pub processes: Option<Vec<(i64, String)>>,
    /// Files that its processes have open for writing, by the process (untrusted).
    pub writers: Option<Vec<(i64, PathBuf)>>,
}

/// An engine: one endpoint that workspaces run on.
///
/// Every call may be dropped at any time. No call but [`Engine::scan`] and
/// [`Engine::measure`] may cost more than a list.
pub trait Engine: Send + Sync {
    /// Where it is.
    fn endpoint(&self) -> &Endpoint;

    /// First contact; again after every loss.
    fn probe(&self) -> Reply<'_, Probe>;

    /// Lists workspaces and images.
    fn inventory(&self) -> Reply<'_, Inventory>;

    /// A closer look at one workspace.
    fn detail<'a>(&'a self, key: &'a WsKey) -> Reply<'a, Detail>;

    /// Tells of changes. The first item is [`Tick::Live`], the last [`Tick::Lost`].
    fn watch(&self) -> WatchStream;

    /// Finds files in places that do not last.
    fn scan(&self, request: ScanRequest) -> ScanStream;

    /// Says whenever a scan may find something else than it did at a moment, without asking the engine
    /// while nothing changes. Ends where nobody can tell cheaply.
    fn follow(&self, request: ScanRequest, since: Timestamp) -> StirStream {
        let _ = (request, since);
        Box::pin(futures_util::stream::empty())
    }

    /// How much a mount holds, within a time budget.
    fn measure<'a>(&'a self, key: &'a WsKey, mount: &'a Mount, budget: Duration) -> BoxFuture<'a, Measure>;

    /// Looks at one path inside a workspace, following no link in its last component.
    fn look<'a>(&'a self, key: &'a WsKey, detail: &'a Detail, path: &'a Path) -> Reply<'a, Look>;

    /// Reads the file at a path inside a workspace, or the files directly in the folder there, by name
    /// and at most `most` bytes in all: more is an error, never a part. Nothing there gives nothing;
    /// a link in the last component is not followed.
    fn read<'a>(
        &'a self,
        key: &'a WsKey,
        detail: &'a Detail,
        path: &'a Path,
        most: usize,
    ) -> Reply<'a, Vec<NamedFile>>;

    /// Where the bytes at a path can be opened on this machine, if they can. Links on the way were
    /// followed by the caller.
    fn whereabouts<'a>(&'a self, key: &'a WsKey, detail: &'a Detail, path: &'a Path) -> Reply<'a, Whereabouts>;

    /// The content of a regular file, for what cannot be opened on this machine.
    fn content(&self, key: &WsKey, path: &Path) -> Content;

    /// Runs one step of a plan.
    fn run<'a>(&'a self, step: &'a Step) -> Reply<'a, ()>;

    /// What is needed to make a workspace again. `environment` is the file that the command reads the
    /// values of variables from.
    fn recipe<'a>(&'a self, key: &'a WsKey, environment: &'a Path) -> Reply<'a, Recipe> {
        let _ = (key, environment);
        Box::pin(async {
            Err(Error::new(Kind::NotSupported, "this engine does not tell how to make it again"))
        })
    }

    /// What is missing here to make a workspace again, in words: its image, a folder it mounts.
    fn lacks<'a>(&'a self, recipe: &'a Recipe) -> Reply<'a, Vec<String>> {
        let _ = recipe;
        Box::pin(async { Err(Error::new(Kind::NotSupported, "this engine makes no workspaces")) })
    }

    /// What goes on in a workspace.
    fn activity<'a>(&'a self, key: &'a WsKey) -> Reply<'a, Activity> {
        let _ = key;
        Box::pin(async { Ok(Activity::default()) })
    }

    /// Whether the folders it names are of this machine, so that they can be looked at here.
    fn shares_our_disk(&self) -> bool {
        true
    }

    /// The folder of this machine where it keeps its images and containers; `None` where it has none here.
    fn root(&self) -> Reply<'_, Option<PathBuf>> {
        Box::pin(async { Ok(None) })
    }

    /// Where throw-away workspaces can be made; `None` where they cannot.
    fn sandbox(&self) -> Option<&dyn Sandbox> {
        None
    }
}
