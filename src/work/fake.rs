//! A small engine in memory for the tests of this folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream;
use jiff::Timestamp;

use super::ground;
use crate::core::classify::{Grounds, Origin};
use crate::core::error::{Error, Kind};
use crate::core::mount::{Backing, Measure, Mount, Source};
use crate::core::plan::{Step, Verb};
use crate::core::recognise::Profiles;
use crate::core::workspace::{Detail, Owner, RunState, Workspace, WsKey};
use crate::port::{
    Capabilities, Clock, Endpoint, Engine, Inventory, Look, NamedFile, PathKind, Probe, Reply, ScanItem,
    ScanRequest, ScanStream, Tick, WatchStream,
};

/// One container called `p`, whose state the test sets.
pub(super) struct Fake {
    pub(super) endpoint: Endpoint,
    pub(super) links: BTreeMap<PathBuf, PathBuf>,
    /// Files that can be read.
    pub(super) contents: BTreeMap<PathBuf, String>,
    /// No look is allowed.
    pub(super) blind: bool,
    /// Measuring this target never ends.
    pub(super) hang_on: Option<PathBuf>,
    pub(super) state: Mutex<RunState>,
    pub(super) started: Mutex<Option<Timestamp>>,
    pub(super) scan: Mutex<Vec<ScanItem>>,
    pub(super) ran: Mutex<Vec<String>>,
    pub(super) fail: Option<Error>,
    /// Once stopped it is being removed, and gone at this many further looks.
    pub(super) gone_after: Option<usize>,
    pub(super) looks: AtomicUsize,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            endpoint: Endpoint { id: "docker".into(), title: "Docker".into(), address: String::new() },
            links: BTreeMap::new(),
            contents: BTreeMap::new(),
            blind: false,
            hang_on: None,
            state: Mutex::new(RunState::Running),
            started: Mutex::new(Some(Timestamp::UNIX_EPOCH)),
            scan: Mutex::new(Vec::new()),
            ran: Mutex::new(Vec::new()),
            fail: None,
            gone_after: None,
            looks: AtomicUsize::new(0),
        }
    }
}

impl Engine for Fake {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn probe(&self) -> Reply<'_, Probe> {
        Box::pin(async { Ok(Probe { product: "fake".into(), capabilities: Capabilities::default() }) })
    }

    fn inventory(&self) -> Reply<'_, Inventory> {
        let mut workspace = workspace("p");
        workspace.state = *self.state.lock().unwrap();
        Box::pin(async move {
            Ok(Inventory { workspaces: vec![workspace], images: Ok(Vec::new()), as_of: Timestamp::UNIX_EPOCH })
        })
    }

    fn detail<'a>(&'a self, _key: &'a WsKey) -> Reply<'a, Detail> {
        let mut detail = detail(*self.state.lock().unwrap());
        if let (Some(looks), RunState::Exited) = (self.gone_after, detail.state) {
            detail.state = RunState::Removing;
            if self.looks.fetch_add(1, Ordering::Relaxed) >= looks {
                return Box::pin(async { Err(Error::new(Kind::NotFound, "it is gone")) });
            }
        }
        detail.started = *self.started.lock().unwrap();
        Box::pin(async move { Ok(detail) })
    }

    fn watch(&self) -> WatchStream {
        Box::pin(stream::iter([Tick::Live]))
    }

    fn scan(&self, _request: ScanRequest) -> ScanStream {
        Box::pin(stream::iter(self.scan.lock().unwrap().clone()))
    }

    fn measure<'a>(&'a self, _key: &'a WsKey, mount: &'a Mount, _budget: Duration) -> BoxFuture<'a, Measure> {
        Box::pin(async move {
            if self.hang_on.as_ref() == Some(&mount.target) {
                std::future::pending::<()>().await;
            }
            Measure::Bytes(4096)
        })
    }

    fn look<'a>(&'a self, _key: &'a WsKey, _detail: &'a Detail, path: &'a Path) -> Reply<'a, Look> {
        Box::pin(async move {
            if self.blind {
                return Err(Error::new(Kind::NotPermitted, "only root may look"));
            }
            let kind = self.links.get(path).map_or(PathKind::File, |target| PathKind::Link(target.clone()));
            Ok(Look { kind, origin: Origin::Layer })
        })
    }

    fn read<'a>(
        &'a self,
        _key: &'a WsKey,
        _detail: &'a Detail,
        path: &'a Path,
        most: usize,
    ) -> Reply<'a, Vec<NamedFile>> {
        let here = |file: &&PathBuf| file.as_path() == path || file.parent() == Some(path);
        let files: Vec<NamedFile> = self
            .contents
            .iter()
            .filter(|(file, _)| here(file))
            .map(|(file, text)| (file.file_name().unwrap_or_default().into(), text.clone().into_bytes()))
            .collect();
        let all: usize = files.iter().map(|(_, content)| content.len()).sum();
        Box::pin(
            async move { if all > most { Err(Error::new(Kind::NotPermitted, "too long")) } else { Ok(files) } },
        )
    }

    fn run<'a>(&'a self, step: &'a Step) -> Reply<'a, ()> {
        Box::pin(async move {
            if let Some(error) = &self.fail {
                return Err(error.clone());
            }
            self.ran.lock().unwrap().push(step.call.clone());
            *self.state.lock().unwrap() = match step.verb {
                Verb::Stop => RunState::Exited,
                _ => RunState::Running,
            };
            Ok(())
        })
    }
}

/// A clock that stands still.
pub(super) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }
}

pub(super) fn workspace(name: &str) -> Workspace {
    Workspace {
        key: WsKey { endpoint: "docker".into(), id: format!("{name}-id") },
        container: Some(name.into()),
        name: name.into(),
        owner: Owner::default(),
        project: None,
        image: Some("debian:12".into()),
        image_id: Some("sha256:1".into()),
        state: RunState::Running,
        created: None,
        labels: BTreeMap::new(),
        managed_by: None,
        protected: false,
    }
}

/// The profiles that are part of the program, none asked for.
pub(super) fn profiles() -> Profiles {
    let all = crate::platform::profiles::built_in().unwrap();
    Profiles { all, ..Profiles::default() }
}

/// What answers stand on where the container is a plain one.
pub(super) fn grounds(detail: Detail) -> Grounds {
    block_on(ground::stand(&profiles(), &workspace("p"), detail))
}

pub(super) fn detail(state: RunState) -> Detail {
    let mount = |target: &str, backing: Backing, filesystem: &str| {
        Mount::new(target.into(), target.into(), backing, Some(filesystem.into()))
    };
    let project = Backing::HostDir { path: "/home/u/workspace/p".into(), source: Source::Present };
    Detail {
        started: Some(Timestamp::UNIX_EPOCH),
        mounts: vec![
            mount("/", Backing::Layer, "overlay"),
            mount("/workspace", project, "ext4"),
            mount("/anon", Backing::Volume { name: "0f".into(), anonymous: true }, "ext4"),
            mount("/dev/shm", Backing::Memory, "tmpfs"),
            mount("/proc", Backing::Pseudo, "proc"),
            mount("/etc/hosts", Backing::Injected, "ext4"),
        ],
        ..Detail::new(state)
    }
}

/// Runs a future on a runtime of its own whose time stands still until everything waits.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
