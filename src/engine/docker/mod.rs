//! Docker and Podman through their common API (bollard). No bollard type leaves this folder.
//!
//! Here stands what all calls share: the connection, its deadlines, and which
//! file answers which question of the port.

mod act;
mod activity;
mod again;
mod below;
mod changes;
mod command;
mod connect;
mod detail;
mod disk_usage;
mod failure;
mod fetch;
mod http;
mod inventory;
mod look;
mod mounts;
mod process;
mod read;
mod sandbox;
mod scan;
mod tar;
mod watch;
mod whereabouts;

pub use connect::{Address, find};

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::core::error::Result;
use crate::core::mount::{Measure, Mount};
use crate::core::plan::Step;
use crate::core::recipe::Recipe;
use crate::core::workspace::{self, Detail, WsKey};
use crate::engine::deadline;
use crate::port::{
    Activity, Can, Capabilities, Clock, Content, Endpoint, Engine, Host, Inventory, Look, NamedFile, Probe,
    Reply, Right, Sandbox, ScanRequest, ScanStream, StirStream, WatchStream, Whereabouts,
};

use http::Socket;

/// How long a list, a look or a first contact may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a container is given to stop by itself before it is killed.
const STOP_GRACE: Duration = Duration::from_secs(10);
/// How long starting or stopping may take, the grace included.
const RUN_LIMIT: Duration = Duration::from_secs(40);
/// The library's own limit, larger than any of ours: ours name what was asked.
const LIBRARY_LIMIT_S: u64 = 600;
/// The newest API version that the library speaks.
const NEWEST_API: (usize, usize) =
    (bollard::API_DEFAULT_VERSION.major_version, bollard::API_DEFAULT_VERSION.minor_version);

/// Docker or Podman behind one socket. Nothing is connected to before the first call.
pub struct Docker {
    endpoint: Endpoint,
    link: Arc<Link>,
    clock: Arc<dyn Clock>,
}

/// What calls and their streams share.
struct Link {
    id: String,
    socket: Socket,
    host: Arc<Host>,
    session: Mutex<Option<Session>>,
    /// Listing changes is costly: one at a time.
    changes: Semaphore,
    /// Files that give a platform away, to look for in containers.
    landmarks: Arc<[PathBuf]>,
}

/// What a first contact told; made again after every loss.
#[derive(Clone)]
struct Session {
    client: bollard::Docker,
    product: String,
    /// Whether the engine's paths and processes are this machine's own.
    local: bool,
    data_root: PathBuf,
    /// The engine's own command line.
    client_name: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    #[serde(rename = "Version")]
    product: Option<String>,
    #[serde(rename = "ApiVersion")]
    api: Option<String>,
    components: Option<Vec<Component>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Component {
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Info {
    name: Option<String>,
    kernel_version: Option<String>,
    docker_root_dir: Option<PathBuf>,
}

impl Docker {
    /// An engine at a socket; does no I/O. `landmarks` are files that give a platform away.
    pub fn new(address: Address, host: Arc<Host>, clock: Arc<dyn Clock>, landmarks: Vec<PathBuf>) -> Self {
        let title = address.title();
        let id = "docker".to_string();
        let endpoint = Endpoint { id: id.clone(), title: title.into(), address: address.url() };
        let socket = Socket { path: address.socket, title, user: host.user.clone() };
        let session = Mutex::new(None);
        let link = Link { id, socket, host, session, changes: Semaphore::new(1), landmarks: landmarks.into() };
        Self { endpoint, link: Arc::new(link), clock }
    }
}

impl Link {
    /// The session, made by the first call that needs one.
    /// What the first contact told; `None` before it.
    fn known(&self) -> Option<Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn session(&self) -> Result<Session> {
        match self.known() {
            Some(session) => Ok(session),
            None => self.connect().await,
        }
    }

    async fn connect(&self) -> Result<Session> {
        let socket = &self.socket;
        let (version, info) = futures_util::join!(
            socket.json::<Version>("a question for its version", "/version", LIMIT),
            socket.json::<Info>("a question about itself", "/info", LIMIT),
        );
        let (version, info) = (version?, info?);
        let api = api_version(version.api.as_deref()).ok_or_else(|| {
            let said = version.api.as_deref().unwrap_or("nothing");
            failure::garbled(socket, "a question for its version", &format!("the API version is “{said}”"))
        })?;
        let (major_version, minor_version) = api.min(NEWEST_API);
        let client = bollard::Docker::connect_with_unix(
            &socket.path.to_string_lossy(),
            LIBRARY_LIMIT_S,
            &bollard::ClientVersion { major_version, minor_version },
        )
        .map_err(|why| failure::from_client(socket, "a first contact", &why))?;
        let named = is_this_machine(&info);
        let data_root = info.docker_root_dir.unwrap_or_default();
        let place = data_root.clone();
        // In a container with the host's name the engine's own directory is missing.
        let is_there = move || place.as_os_str().is_empty() || place.try_exists().unwrap_or(true);
        let local = named && blocking(is_there).await.unwrap_or(false);
        let podman = version.components.iter().flatten().any(|c| c.name.as_deref() == Some("Podman Engine"));
        let session = Session {
            client,
            product: format!(
                "{} {}",
                if podman { "Podman" } else { "Docker" },
                version.product.as_deref().unwrap_or("of unknown version")
            ),
            local,
            data_root,
            client_name: if podman { "podman" } else { workspace::CLIENT },
        };
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
        Ok(session)
    }

    fn key(&self, id: &str) -> WsKey {
        WsKey { endpoint: self.id.clone(), id: id.into() }
    }

    /// Waits for a call of the library, within a time limit that names the call.
    async fn within<T>(
        &self,
        what: &str,
        limit: Duration,
        call: impl Future<Output = std::result::Result<T, bollard::errors::Error>>,
    ) -> Result<T> {
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(failure::from_client(&self.socket, what, &why)),
            Err(_) => Err(failure::timed_out(&self.socket, what, limit)),
        }
    }

    /// What the engine says of one container.
    async fn inspect(&self, session: &Session, id: &str) -> Result<bollard::models::ContainerInspectResponse> {
        self.within("a look at the container", LIMIT, session.client.inspect_container(id, None)).await
    }
}

impl Engine for Docker {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn probe(&self) -> Reply<'_, Probe> {
        Box::pin(async {
            let session = self.link.connect().await?;
            let product = session.product.clone();
            let uid = self.link.host.uid;
            let scan_all = blocking(move || scan_all(&session, uid)).await?;
            let capabilities = Capabilities(vec![
                (Right::Watch, Can::Yes),
                (Right::ScanAll, scan_all),
                (Right::Scan, Can::Yes),
                (Right::Run, Can::Yes),
            ]);
            Ok(Probe { product, capabilities })
        })
    }

    fn inventory(&self) -> Reply<'_, Inventory> {
        Box::pin(inventory::read(&self.link, self.clock.as_ref()))
    }

    fn detail<'a>(&'a self, key: &'a WsKey) -> Reply<'a, Detail> {
        Box::pin(detail::read(&self.link, &key.id))
    }

    fn watch(&self) -> WatchStream {
        watch::stream(Arc::clone(&self.link))
    }

    fn scan(&self, request: ScanRequest) -> ScanStream {
        scan::stream(Arc::clone(&self.link), request)
    }

    fn follow(&self, request: ScanRequest, since: Timestamp) -> StirStream {
        scan::follow(Arc::clone(&self.link), request, since)
    }

    fn measure<'a>(
        &'a self,
        key: &'a WsKey,
        mount: &'a Mount,
        budget: Duration,
    ) -> futures_util::future::BoxFuture<'a, Measure> {
        Box::pin(disk_usage::measure(&self.link, &key.id, mount, budget))
    }

    fn look<'a>(&'a self, key: &'a WsKey, detail: &'a Detail, path: &'a Path) -> Reply<'a, Look> {
        Box::pin(look::look(&self.link, &key.id, detail, path))
    }

    fn read<'a>(
        &'a self,
        key: &'a WsKey,
        detail: &'a Detail,
        path: &'a Path,
        most: usize,
    ) -> Reply<'a, Vec<NamedFile>> {
        Box::pin(read::read(&self.link, &key.id, detail, path, most))
    }

    fn whereabouts<'a>(&'a self, key: &'a WsKey, detail: &'a Detail, path: &'a Path) -> Reply<'a, Whereabouts> {
        Box::pin(whereabouts::find(&self.link, &key.id, detail, path))
    }

    fn content(&self, key: &WsKey, path: &Path) -> Content {
        fetch::content(Arc::clone(&self.link), key.id.clone(), path)
    }

    fn run<'a>(&'a self, step: &'a Step) -> Reply<'a, ()> {
        Box::pin(act::run(&self.link, step))
    }

    fn recipe<'a>(&'a self, key: &'a WsKey, environment: &'a Path) -> Reply<'a, Recipe> {
        Box::pin(again::recipe(&self.link, &key.id, environment))
    }

    fn lacks<'a>(&'a self, recipe: &'a Recipe) -> Reply<'a, Vec<String>> {
        Box::pin(again::lacks(&self.link, recipe))
    }

    fn activity<'a>(&'a self, key: &'a WsKey) -> Reply<'a, Activity> {
        Box::pin(activity::look(&self.link, &key.id))
    }

    fn shares_our_disk(&self) -> bool {
        // Before the first contact nothing it says is known.
        self.link.known().is_none_or(|session| session.local)
    }

    fn root(&self) -> Reply<'_, Option<PathBuf>> {
        Box::pin(async {
            let session = self.link.session().await?;
            let is_here = session.local && session.data_root.is_absolute();
            Ok(is_here.then_some(session.data_root))
        })
    }

    fn sandbox(&self) -> Option<&dyn Sandbox> {
        Some(self)
    }
}

/// Reading layers unasked takes their directories; without them only the engine
/// could tell, at a cost that nobody should pay for every container.
fn scan_all(session: &Session, uid: u32) -> Can {
    if !session.local {
        return Can::No("the engine's disks are not this machine's; r asks it about the selected one".into());
    }
    if failure::readable(&session.data_root) {
        return Can::Yes;
    }
    let who = if uid == 0 { "this container's root" } else { "your user" };
    Can::No(format!("{who} may not read the layers; r asks the engine about the selected one, or use sudo"))
}

/// A forwarded socket leads to another machine, whose paths and process numbers
/// mean nothing here; a socket mounted into a container likewise.
fn is_this_machine(info: &Info) -> bool {
    let here = rustix::system::uname();
    let same = |theirs: &Option<String>, ours: &std::ffi::CStr| {
        theirs.as_deref().is_some_and(|theirs| theirs.as_bytes() == ours.to_bytes())
    };
    same(&info.name, here.nodename()) && same(&info.kernel_version, here.release())
}

/// Reads `1.41`.
fn api_version(text: Option<&str>) -> Option<(usize, usize)> {
    let (major, minor) = text?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Runs what touches the disk away from the thread that draws, and never waits for it for ever.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    deadline::within(LIMIT, "a look at this machine's disks", work).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_of_both_api_versions_is_spoken() {
        assert_eq!(api_version(Some("1.41")), Some((1, 41)));
        assert_eq!(api_version(Some("1.41")).map(|api| api.min((1, 53))), Some((1, 41)));
        assert_eq!(api_version(Some("2.0")).map(|api| api.min((1, 53))), Some((1, 53)));
        assert_eq!(api_version(Some("new")), None);
        assert_eq!(api_version(None), None);
    }

    #[test]
    fn an_engine_with_another_name_or_kernel_is_another_machine() {
        let here = rustix::system::uname();
        let info = |name: &str, kernel: &str| Info {
            name: Some(name.into()),
            kernel_version: Some(kernel.into()),
            docker_root_dir: None,
        };
        let (name, kernel) = (here.nodename().to_string_lossy(), here.release().to_string_lossy());
        assert!(is_this_machine(&info(&name, &kernel)));
        assert!(!is_this_machine(&info("elsewhere", &kernel)));
        assert!(!is_this_machine(&info(&name, "0.1")));
    }
}
