//! The demo: an engine in memory, with a Docker-shaped and a pod-shaped endpoint.
//!
//! What it holds is in `docker` and `pods`, what happens to it in `world`;
//! here stands the port. It opens no file and no socket.

mod build;
mod clock;
mod disk;
mod docker;
mod pods;
mod sandbox;
mod world;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::mpsc;

use crate::core::classify::Origin;
use crate::core::error::{Error, Kind, Result};
use crate::core::mount::{self, Measure, Mount};
use crate::core::plan::Step;
use crate::core::storage::StorageKind;
use crate::core::workspace::{Detail, WsKey};
use crate::port::{
    Can, Capabilities, Clock, Content, Endpoint, Engine, Inventory, Look, NamedFile, PathKind, Probe, Reply,
    Right, Sandbox, ScanItem, ScanRequest, ScanStream, Tick, WatchStream, Whereabouts,
};

pub use clock::Fixed;
pub use disk::DemoDisk;
use sandbox::Trial;
use world::{Place, World};

/// Why nothing is read in the demo.
const NO_CONTENT: &str = "files of the demo have no content";

/// An engine in memory.
pub struct Demo {
    endpoint: Endpoint,
    product: &'static str,
    capabilities: Capabilities,
    clock: Arc<dyn Clock>,
    world: Mutex<World>,
    listeners: Mutex<Vec<mpsc::UnboundedSender<Tick>>>,
    failing: Option<Error>,
    delay: Duration,
}

impl Demo {
    /// The playground of `outlast demo`: both shapes behind one endpoint.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::both(clock)
    }

    /// Containers as Docker describes them; endpoint `demo`.
    pub fn docker_shaped(clock: Arc<dyn Clock>) -> Self {
        let places = docker::places("demo", clock.now());
        Self::holding("demo", "the demo", "Demo, as Docker", places, clock)
    }

    /// Pods as a cluster describes them; endpoint `demo-pods`. Nothing can be started or stopped.
    pub fn pod_shaped(clock: Arc<dyn Clock>) -> Self {
        let places = pods::places("demo-pods", clock.now());
        let mut demo = Self::holding("demo-pods", "the demo's pods", "Demo, as a cluster", places, clock);

        for (right, can) in &mut demo.capabilities.0 {
            if *right == Right::Run {
                *can = Can::No(world::POD.into());
            }
        }
        demo
    }

    /// Both shapes behind the endpoint `demo`, so that one screen shows all of it.
    pub fn both(clock: Arc<dyn Clock>) -> Self {
        let mut places = docker::places("demo", clock.now());
        places.extend(pods::places("demo", clock.now()));
        Self::holding("demo", "the demo", "Demo", places, clock)
    }

    /// No workspaces.
    pub fn empty(clock: Arc<dyn Clock>) -> Self {
        Self::holding("demo", "the demo", "Demo", Vec::new(), clock)
    }

    /// This many workspaces more, each with one file at risk: for lists that must stay fast.
    #[must_use]
    pub fn with_workspaces(self, count: usize) -> Self {
        let now = self.clock.now();
        let places = (0..count).map(|number| docker::numbered(&self.endpoint.id, number, now));
        self.world().places.extend(places);
        self
    }

    /// Answers everything with this error.
    #[must_use]
    pub fn failing(mut self, error: Error) -> Self {
        self.failing = Some(error);
        self
    }

    /// Answers everything this much later.
    #[must_use]
    pub const fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    fn holding(
        id: &str,
        title: &str,
        product: &'static str,
        places: Vec<Place>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let rights = [Right::Watch, Right::ScanAll, Right::Scan, Right::Run];
        Self {
            endpoint: Endpoint { id: id.into(), title: title.into(), address: String::new() },
            product,
            capabilities: Capabilities(rights.map(|right| (right, Can::Yes)).to_vec()),
            clock,
            world: Mutex::new(World { places, trial: Trial::default() }),
            listeners: Mutex::default(),
            failing: None,
            delay: Duration::ZERO,
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as asked, then fails if asked.
    async fn answer(&self) -> Result<()> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        self.failing.clone().map_or(Ok(()), Err)
    }

    fn tell(&self, tick: &Tick) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| listener.send(tick.clone()).is_ok());
    }
}

fn gone(key: &WsKey) -> Error {
    Error::new(Kind::NotFound, format!("workspace {} is not there any more", key.id))
        .hint("outlast ls lists what is there")
}

impl Engine for Demo {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn probe(&self) -> Reply<'_, Probe> {
        Box::pin(async {
            self.answer().await?;
            Ok(Probe { product: self.product.into(), capabilities: self.capabilities.clone() })
        })
    }

    fn inventory(&self) -> Reply<'_, Inventory> {
        Box::pin(async {
            self.answer().await?;
            let world = self.world();
            Ok(Inventory {
                workspaces: world.places.iter().map(|place| place.workspace.clone()).collect(),
                images: Ok(world.images()),
                as_of: self.clock.now(),
            })
        })
    }

    fn detail<'a>(&'a self, key: &'a WsKey) -> Reply<'a, Detail> {
        Box::pin(async move {
            self.answer().await?;
            self.world().place(key).map(|place| place.detail.clone()).ok_or_else(|| gone(key))
        })
    }

    fn watch(&self) -> WatchStream {
        if let Some(error) = &self.failing {
            return stream::iter([Tick::Lost(error.clone())]).boxed();
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        let changes = stream::unfold(receiver, |mut receiver| async move {
            let tick = receiver.recv().await?;
            Some((tick, receiver))
        });
        stream::iter([Tick::Live]).chain(changes).boxed()
    }

    fn scan(&self, request: ScanRequest) -> ScanStream {
        let items = match (&self.failing, self.world().place(&request.key)) {
            (Some(error), _) => vec![ScanItem::Gap(error.message.clone())],
            (None, None) => vec![ScanItem::Gap(gone(&request.key).message)],
            (None, Some(place)) => place.scan(&request),
        };
        let delay = self.delay;
        let start = stream::once(async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
        });
        start.flat_map(move |()| stream::iter(items.clone())).boxed()
    }

    fn measure<'a>(&'a self, key: &'a WsKey, mount: &'a Mount, budget: Duration) -> BoxFuture<'a, Measure> {
        Box::pin(async move {
            if self.delay > budget {
                return Measure::Failed("no answer in time".into());
            }
            if let Err(error) = self.answer().await {
                return Measure::Failed(error.message);
            }
            self.world().place(key).map_or(Measure::NotSupported, |place| place.measure(mount))
        })
    }

    fn look<'a>(&'a self, key: &'a WsKey, detail: &'a Detail, path: &'a Path) -> Reply<'a, Look> {
        Box::pin(async move {
            self.answer().await?;
            let kind = self.world().place(key).map(|place| place.kind_of(path)).ok_or_else(|| gone(key))?;
            let on_root = mount::holding(&detail.mounts, path)
                .is_some_and(|mount| mount.storage == StorageKind::WritableLayer);
            let origin = match &kind {
                PathKind::Absent => Origin::Absent,
                PathKind::File if on_root => {
                    let world = self.world();
                    let written = world.place(key).is_some_and(|place| place.holds(path));
                    if written { Origin::Layer } else { Origin::Image }
                }
                _ => Origin::Unknown,
            };
            Ok(Look { kind, origin })
        })
    }

    /// Files of the demo have names and sizes alone.
    fn read<'a>(
        &'a self,
        key: &'a WsKey,
        _detail: &'a Detail,
        path: &'a Path,
        _most: usize,
    ) -> Reply<'a, Vec<NamedFile>> {
        Box::pin(async move {
            self.answer().await?;
            match self.world().place(key).map(|place| place.kind_of(path)) {
                Some(PathKind::Absent) => Ok(Vec::new()),
                Some(_) => Err(Error::new(Kind::NotSupported, NO_CONTENT)),
                None => Err(gone(key)),
            }
        })
    }

    fn whereabouts<'a>(
        &'a self,
        _key: &'a WsKey,
        _detail: &'a Detail,
        _path: &'a Path,
    ) -> Reply<'a, Whereabouts> {
        Box::pin(async { Err(Error::new(Kind::NotSupported, NO_CONTENT)) })
    }

    fn content(&self, _key: &WsKey, _path: &Path) -> Content {
        stream::iter([Err(Error::new(Kind::NotSupported, NO_CONTENT))]).boxed()
    }

    fn run<'a>(&'a self, step: &'a Step) -> Reply<'a, ()> {
        Box::pin(async move {
            self.answer().await?;
            if let Can::No(reason) = self.capabilities.can(Right::Run) {
                return Err(Error::new(Kind::NotSupported, reason));
            }
            self.world().run(step, self.clock.now())?;
            self.tell(&Tick::Changed(Some(step.subject.clone())));
            Ok(())
        })
    }

    fn shares_our_disk(&self) -> bool {
        false
    }

    fn sandbox(&self) -> Option<&dyn Sandbox> {
        Some(self)
    }
}

#[cfg(test)]
#[path = "demo_tests.rs"]
mod tests;
