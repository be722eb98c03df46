//! The Docker adapter against a real engine, judged by the engine's own command line.

mod changes;
mod ended;
pub(crate) mod far;
mod list;
mod look;
mod mounts;
mod overlay;
mod performed;
mod platforms;
mod platforms_rows;
mod refusals;
mod scan;
pub(crate) mod stand_in;
mod vfs;
mod watch;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use outlast::core::mount::Mount;
use outlast::core::rules::Rules;
use outlast::core::workspace::{Detail, RunState, Workspace, WsKey};
use outlast::engine::docker::{Address, Docker, find};
use outlast::port::{Clock, Engine, Host};

use crate::support::docker::{Cli, Container, engine, missing};

/// A clock that stands still: nothing here depends on the time of day.
struct Still;

impl Clock for Still {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_second(1_795_000_000).unwrap()
    }
}

/// The adapter at a socket, as user alice (1001) among others sees it.
fn adapter_at(socket: &Path) -> Docker {
    let users = BTreeMap::from([(1001, "alice".to_string()), (1002, "ben".to_string())]);
    let uid = rustix::process::getuid().as_raw();
    let host = Host { uid, user: Some("viewer".into()), users, ..Host::default() };
    Docker::new(Address::new(socket, "the test"), Arc::new(host), Arc::new(Still), Vec::new())
}

/// The machine's engine and our adapter to it, if there is one.
fn real() -> Option<(Cli, Docker)> {
    let cli = engine()?;
    let address = find(&|name| std::env::var(name).ok()).unwrap().unwrap();
    Some((cli, adapter_at(&address.socket)))
}

/// The same for tests that read or write what only root may: layers, volumes, mount tables.
fn real_as_root() -> Option<(Cli, Docker)> {
    if rustix::process::getuid().is_root() {
        return real();
    }
    missing("reading layers and volumes needs root")
}

/// Runs what is asynchronous to its end, on one thread as the product does.
fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn key(container: &Container) -> WsKey {
    WsKey { endpoint: "docker".into(), id: container.id.clone() }
}

fn detail(docker: &Docker, container: &Container) -> Detail {
    wait(docker.detail(&key(container))).unwrap()
}

/// A container as the list shows it.
fn listed(docker: &Docker, container: &Container) -> Workspace {
    let inventory = wait(docker.inventory()).unwrap();
    inventory.workspaces.into_iter().find(|workspace| workspace.key.id == container.id).unwrap()
}

/// A container that ended, without mounts.
fn stopped() -> Detail {
    Detail::new(RunState::Exited)
}

fn mount<'d>(detail: &'d Detail, target: &str) -> &'d Mount {
    let found = detail.mounts.iter().find(|mount| mount.target == Path::new(target));
    found.unwrap_or_else(|| panic!("no mount at {target}: {:#?}", detail.mounts))
}

/// A directory of the host, on whatever that place is on.
fn in_folder(place: &str) -> tempfile::TempDir {
    tempfile::Builder::new().prefix("outlast-test-").tempdir_in(place).unwrap()
}

/// The rules of plain Docker.
fn plain() -> Rules {
    crate::support::model::profiles().without_workspace()
}
