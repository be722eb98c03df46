//! The endpoint `machine`: one workspace, this machine itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use jiff::Timestamp;

use super::inside::{Clues, Container, Runtime, recognise};
use super::memory::memory;
use super::mounts::mounts;
use crate::core::aftermath::Aftermath;
use crate::core::classify::Origin;
use crate::core::error::{Error, Kind, Result};
use crate::core::filesystem::Filesystem;
use crate::core::finding::Method;
use crate::core::mount::{self, Measure, Mount};
use crate::core::plan::Step;
use crate::core::storage::StorageKind;
use crate::core::workspace::{Detail, Owner, RunState, Workspace, WsKey};
use crate::engine::deadline::{AT_ONCE, within};
use crate::port::{
    Can, Capabilities, Clock, Endpoint, Engine, Host, Inventory, Look, NamedFile, Probe, Reply, Right,
    ScanItem, ScanRequest, ScanStream, StirStream, Tick, WatchStream,
};
use crate::scan::{self, Below, Job, Rule, mountinfo};
use crate::text;

/// This machine, without a daemon.
pub struct Machine {
    endpoint: Endpoint,
    host: Arc<Host>,
    clock: Arc<dyn Clock>,
    place: Place,
    /// Files that give a platform away, to look for.
    landmarks: Arc<[PathBuf]>,
}

/// Where the machine is read: `/` and its own mount table, or a test's.
#[derive(Clone)]
struct Place {
    root: PathBuf,
    table: PathBuf,
    /// What a test says instead of the real signs.
    clues: Option<Clues>,
}

/// What one look at the machine tells.
struct Seen {
    env_names: BTreeSet<String>,
    container: Option<Container>,
    mounts: Vec<Mount>,
}

impl Machine {
    /// The machine that this program runs on. `landmarks` are files that give a platform away.
    pub fn new(host: Arc<Host>, clock: Arc<dyn Clock>, landmarks: Vec<PathBuf>) -> Self {
        let place = Place { root: "/".into(), table: "/proc/self/mountinfo".into(), clues: None };
        Self::reading(host, clock, place).looking_for(landmarks)
    }

    /// The same machine, looking for these files that give a platform away.
    #[must_use]
    pub fn looking_for(mut self, landmarks: Vec<PathBuf>) -> Self {
        self.landmarks = landmarks.into();
        self
    }

    /// A machine made up of a root, a mount table and signs.
    pub fn of(host: Arc<Host>, clock: Arc<dyn Clock>, root: PathBuf, table: PathBuf, clues: Clues) -> Self {
        Self::reading(host, clock, Place { root, table, clues: Some(clues) })
    }

    fn reading(host: Arc<Host>, clock: Arc<dyn Clock>, place: Place) -> Self {
        let endpoint = Endpoint { id: "machine".into(), title: "this machine".into(), address: String::new() };
        Self { endpoint, host, clock, place, landmarks: Arc::new([]) }
    }

    async fn see(&self) -> Result<Seen> {
        let place = self.place.clone();
        within(AT_ONCE, "this machine's mounts", move || place.see()).await?
    }
}

impl Place {
    fn see(&self) -> Result<Seen> {
        let table = std::fs::read(&self.table).map_err(|error| {
            Error::new(Kind::Failed, format!("{} could not be read: {error}", self.table.display()))
                .hint("is /proc mounted here?")
        })?;
        let lines = mountinfo::parse(&table);
        let clues = self.clues.clone().unwrap_or_else(|| Clues::read(&self.root));
        let container = recognise(&lines, &clues);
        let mounts = mounts(&lines, container.as_ref());
        Ok(Seen { env_names: clues.env_names, container, mounts })
    }

    /// How one mount is read: a container's own layer by birth, anything else in full.
    fn job(&self, mount: &Mount, mounts: &[Mount]) -> Job {
        let below = |other: &&Mount| other.target != mount.target && other.target.starts_with(&mount.target);
        let layer = mount.storage == StorageKind::WritableLayer;
        Job {
            root: self.root.join(mount.target.strip_prefix("/").unwrap_or(&mount.target)),
            shown_at: mount.target.clone(),
            storage: mount.storage,
            rule: if layer { Rule::BornAfterRoot } else { Rule::Everything },
            skip: mounts.iter().filter(below).map(|other| other.target.clone()).collect(),
            below: Below::default(),
        }
    }
}

impl Seen {
    fn workspace(&self, host: &Host, root: &Path) -> Workspace {
        let inside = self.container.as_ref();
        let id = inside.and_then(|container| container.id.clone()).unwrap_or_else(|| host.hostname.clone());
        let short = match inside {
            // A container is named by its id unless somebody chose a name.
            Some(_) => host.hostname.split('.').next().unwrap_or_default().to_owned(),
            None => host.hostname.clone(),
        };
        Workspace {
            key: WsKey { endpoint: "machine".into(), id },
            container: None,
            name: short,
            owner: Owner::default(),
            project: None,
            image: None,
            image_id: None,
            state: RunState::Running,
            created: inside.and_then(|_| scan::made(root)),
            labels: std::collections::BTreeMap::new(),
            managed_by: None,
            protected: false,
        }
    }

    fn detail(self, host: &Host) -> Detail {
        // A pod's containers never start twice with the same layer.
        let fresh = self.container.is_some_and(|container| container.runtime == Runtime::Kubernetes);
        let after = if fresh { Aftermath::Recreated } else { Aftermath::Stays };
        Detail {
            mounts: self.mounts,
            on_crash: after,
            on_stop: after,
            on_reboot: after,
            user: host.user.clone(),
            env_names: self.env_names,
            ..Detail::new(RunState::Running)
        }
    }

    fn probe(&self) -> Probe {
        let product = match &self.container {
            Some(Container { runtime: Runtime::Other, evidence, .. }) => {
                format!("a container, read from inside ({})", evidence.join(", "))
            }
            Some(Container { runtime, evidence, .. }) => {
                format!("a {} container, read from inside ({})", runtime.label(), evidence.join(", "))
            }
            None => "this machine, which is not a container".into(),
        };
        let no_engine = "no engine answers here; set DOCKER_HOST or ask to be added to the docker group";
        let capabilities = Capabilities(vec![
            (Right::Watch, Can::No("this machine sends no events; r reads again".into())),
            // One workspace; outside a container only its memory does not last, and is soon read.
            (Right::ScanAll, Can::Yes),
            (Right::Scan, Can::Yes),
            (Right::Run, Can::No(no_engine.into())),
        ]);
        Probe { product, capabilities }
    }
}

impl Engine for Machine {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn probe(&self) -> Reply<'_, Probe> {
        async { Ok(self.see().await?.probe()) }.boxed()
    }

    fn inventory(&self) -> Reply<'_, Inventory> {
        async {
            let seen = self.see().await?;
            let (host, root) = (self.host.clone(), self.place.root.clone());
            let read = within(AT_ONCE, "this machine", move || seen.workspace(&host, &root)).await?;
            Ok(Inventory { workspaces: vec![read], images: Ok(Vec::new()), as_of: self.clock.now() })
        }
        .boxed()
    }

    fn detail<'a>(&'a self, _key: &'a WsKey) -> Reply<'a, Detail> {
        async {
            let mut detail = self.see().await?.detail(&self.host);
            let (root, landmarks) = (self.place.root.clone(), Arc::clone(&self.landmarks));
            let look = within(AT_ONCE, "this machine", move || scan::landmarks(&root, &landmarks));
            // A disk that does not answer gives nothing away.
            detail.landmarks = look.await.unwrap_or_default();
            Ok(detail)
        }
        .boxed()
    }

    fn watch(&self) -> WatchStream {
        stream::once(async { Tick::Live }).chain(stream::pending()).boxed()
    }

    fn scan(&self, request: ScanRequest) -> ScanStream {
        let mounts = &request.detail.mounts;
        let (mut first, mut jobs) = (Vec::new(), Vec::new());
        for target in &request.targets {
            match mounts.iter().rev().find(|mount| mount.target == *target) {
                Some(mount) if is_untold(mount) => first.push(ScanItem::Gap(UNTOLD.into())),
                Some(mount) => jobs.push(self.place.job(mount, mounts)),
                None => first.push(ScanItem::Gap(format!(
                    "{} could not be read: nothing is mounted there any more",
                    text::printable_path(target)
                ))),
            }
        }
        if jobs.iter().any(|job| is_memory(job.storage)) {
            first.extend(memory_note().map(ScanItem::Note));
        }
        // Where nothing is left to look at, this is no look.
        if !jobs.is_empty() {
            first.insert(0, ScanItem::By(Method::Inside));
        }
        stream::iter(first).chain(scan::stream(jobs, !request.asked)).boxed()
    }

    fn follow(&self, request: ScanRequest, since: Timestamp) -> StirStream {
        let mounts = &request.detail.mounts;
        let mount = |target: &PathBuf| mounts.iter().rev().find(|mount| mount.target == *target);
        let told = request.targets.iter().filter_map(mount).filter(|mount| !is_untold(mount));
        scan::follow(told.map(|mount| self.place.job(mount, mounts)).collect(), since)
    }

    fn measure<'a>(&'a self, _key: &'a WsKey, mount: &'a Mount, budget: Duration) -> BoxFuture<'a, Measure> {
        let (place, mount) = (self.place.clone(), mount.clone());
        async move {
            let shown = text::printable_path(&mount.target).into_owned();
            let work = move || measure(&place, &mount, budget);
            match within(budget.saturating_add(AT_ONCE), &shown, work).await {
                Ok(measure) => measure,
                Err(error) => Measure::Failed(error.message),
            }
        }
        .boxed()
    }

    fn look<'a>(&'a self, _key: &'a WsKey, detail: &'a Detail, path: &'a Path) -> Reply<'a, Look> {
        let holding = mount::holding(&detail.mounts, path);
        let layer =
            holding.is_some_and(|mount| mount.storage == StorageKind::WritableLayer && !is_untold(mount));
        let (root, path) = (self.place.root.clone(), path.to_path_buf());
        async move {
            let shown = text::printable_path(&path).into_owned();
            within(AT_ONCE, &shown, move || Look {
                kind: scan::look(&root, &path),
                origin: if layer { scan::origin(&root, &path) } else { Origin::Unknown },
            })
            .await
        }
        .boxed()
    }

    fn read<'a>(
        &'a self,
        _key: &'a WsKey,
        _detail: &'a Detail,
        path: &'a Path,
        most: usize,
    ) -> Reply<'a, Vec<NamedFile>> {
        let (root, path) = (self.place.root.clone(), path.to_path_buf());
        async move {
            let shown = text::printable_path(&path).into_owned();
            let read = within(AT_ONCE, &shown, move || scan::read(&root, &path, most)).await?;
            read.ok_or_else(|| Error::new(Kind::NotPermitted, format!("{shown} could not be read whole")))
        }
        .boxed()
    }

    fn run<'a>(&'a self, step: &'a Step) -> Reply<'a, ()> {
        async move {
            let message = format!("this machine cannot {} itself", step.verb.key());
            Err(Error::new(Kind::NotSupported, message)
                .hint("set DOCKER_HOST to the engine that runs it, or ask to be added to the docker group"))
        }
        .boxed()
    }
}

/// A disk of its own or a share is too large to walk: the figures of the whole file system stand in.
fn measure(place: &Place, mount: &Mount, budget: Duration) -> Measure {
    match mount.storage {
        StorageKind::Pseudo => Measure::NotSupported,
        _ if is_untold(mount) => Measure::NotSupported,
        StorageKind::HostDisk | StorageKind::BlockVolume | StorageKind::BindNetwork => {
            whole_filesystem(place, mount)
        }
        _ if mount.filesystem.as_deref().map(Filesystem::of) == Some(Filesystem::Network) => {
            whole_filesystem(place, mount)
        }
        _ => {
            // Mounts that came since are still not entered: the walk stays on its mount.
            let mounts = place.see().map(|seen| seen.mounts).unwrap_or_default();
            scan::measure_job(&place.job(mount, &mounts), budget)
        }
    }
}

fn whole_filesystem(place: &Place, mount: &Mount) -> Measure {
    let path = place.root.join(mount.target.strip_prefix("/").unwrap_or(&mount.target));
    match rustix::fs::statvfs(&path) {
        // Multiplied by the fragment size: the block size is only what reads should ask for.
        Ok(figures) => Measure::WholeFilesystem {
            used: figures.f_blocks.saturating_sub(figures.f_bfree).saturating_mul(figures.f_frsize),
            size: figures.f_blocks.saturating_mul(figures.f_frsize),
        },
        Err(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => Measure::NotPermitted,
        Err(reason) => Measure::Failed(std::io::Error::from(reason).to_string()),
    }
}

const UNTOLD: &str =
    "your files cannot be told from those of the image from inside: its root is no overlay; ask its engine";

/// A container's root whose own files are not told from the image's by their birth.
fn is_untold(mount: &Mount) -> bool {
    mount.storage == StorageKind::WritableLayer && !scan::tells_births(mount.filesystem.as_deref())
}

const fn is_memory(storage: StorageKind) -> bool {
    matches!(storage, StorageKind::Tmpfs | StorageKind::EmptyDirMemory | StorageKind::HostMemory)
}

/// Files in memory have a ceiling that no file system shows.
fn memory_note() -> Option<String> {
    let memory = memory().filter(|memory| memory.limited)?;
    let (used, total) = (text::size(memory.used), text::size(memory.total));
    Some(format!("files in memory count against a limit of {total}, of which {used} are in use"))
}
