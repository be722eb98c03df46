//! Small builders for what the demo holds, so that the lists of `docker` and `pods` read like tables.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::world::{Place, Reading};
use crate::core::finding::Method;
use crate::core::mount::{self, Backing, Mount, Source};
use crate::core::storage::StorageKind;
use crate::core::workspace::{Detail, Owner, RunState, Workspace, WsKey};
use crate::port::FileFact;

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// A time some seconds before another.
pub(super) fn ago(now: Timestamp, seconds: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(seconds)).unwrap_or(now)
}

/// Makes one workspace, beginning with a running container that has a writable layer and nothing else.
pub(super) struct Make {
    now: Timestamp,
    place: Place,
}

impl Make {
    pub(super) fn new(endpoint: &str, name: &str, image: &str, now: Timestamp) -> Self {
        let id = format!("{:016x}", fingerprint(name));
        let workspace = Workspace {
            key: WsKey { endpoint: endpoint.into(), id: id.clone() },
            container: Some(name.into()),
            name: name.into(),
            owner: Owner::default(),
            project: None,
            image: Some(image.into()),
            image_id: Some(format!("sha256:{:016x}", fingerprint(image))),
            state: RunState::Running,
            created: Some(now),
            labels: BTreeMap::new(),
            managed_by: None,
            protected: false,
            client: crate::core::workspace::CLIENT,
        };
        let layer = format!("/var/lib/docker/overlay2/{id}/diff");
        let root = Mount::new("/".into(), String::new(), Backing::Layer, Some("overlay".into()))
            .held_at(Some(layer.into()));
        let detail = Detail { started: Some(now), mounts: vec![root], ..Detail::new(RunState::Running) };
        let reading = Reading::Whole(Method::Upper);
        Self { now, place: Place { workspace, detail, files: Vec::new(), reading, held: Vec::new() } }
    }

    /// Goes on with one that was made before.
    pub(super) const fn from(place: Place, now: Timestamp) -> Self {
        Self { now, place }
    }

    /// Owner and project as a label says them; the container's name carries both.
    pub(super) fn of(mut self, owner: &str, project: &str) -> Self {
        let workspace = &mut self.place.workspace;
        workspace.owner = Owner { name: Some(owner.into()), from: Some("label ds01.user".into()) };
        workspace.project = Some(project.into());
        workspace.container = Some(format!("{project}._.{owner}"));
        self
    }

    /// Made and started so many seconds ago.
    pub(super) fn since(mut self, made: i64, started: i64) -> Self {
        self.place.workspace.created = Some(ago(self.now, made));
        self.place.detail.started = Some(ago(self.now, started));
        self
    }

    /// Ended so many seconds ago.
    pub(super) fn ended(mut self, seconds: i64, exit_code: i64) -> Self {
        self.place.workspace.state = RunState::Exited;
        self.place.detail.state = RunState::Exited;
        self.place.detail.finished = Some(ago(self.now, seconds));
        self.place.detail.exit_code = Some(exit_code);
        self
    }

    /// Anything else about it.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Workspace, &mut Detail)) -> Self {
        change(&mut self.place.workspace, &mut self.place.detail);
        self
    }

    /// A mount.
    pub(super) fn mount(
        mut self,
        target: &str,
        source: &str,
        backing: Backing,
        filesystem: Option<&str>,
    ) -> Self {
        let mount = Mount::new(target.into(), source.into(), backing, filesystem.map(Into::into));
        self.place.detail.mounts.push(mount);
        self
    }

    /// A directory of the host.
    pub(super) fn bind(self, target: &str, path: &str, filesystem: &str) -> Self {
        let backing = Backing::HostDir { path: path.into(), source: Source::Present };
        self.mount(target, path, backing, Some(filesystem))
    }

    /// A volume.
    pub(super) fn volume(self, target: &str, name: &str, anonymous: bool) -> Self {
        let backing = Backing::Volume { name: name.into(), anonymous };
        self.mount(target, name, backing, Some("ext4"))
    }

    /// Memory.
    pub(super) fn memory(self, target: &str) -> Self {
        self.mount(target, "memory", Backing::Memory, Some("tmpfs"))
    }

    /// The last mount is read-only.
    pub(super) fn read_only(mut self) -> Self {
        if let Some(mount) = self.place.detail.mounts.last_mut() {
            mount.read_only = true;
        }
        self
    }

    /// Bytes that a mount holds.
    pub(super) fn holding(mut self, target: &'static str, bytes: u64) -> Self {
        self.place.held.push((target, bytes));
        self
    }

    /// A file written some seconds ago, on whatever holds its path.
    pub(super) fn file(mut self, path: &str, bytes: u64, seconds: i64) -> Self {
        let holding = mount::holding(&self.place.detail.mounts, path.as_ref());
        let storage = holding.map_or(StorageKind::WritableLayer, |mount| mount.storage);
        self.place.files.push(FileFact {
            path: path.into(),
            bytes: Some(bytes),
            storage,
            modified: Some(ago(self.now, seconds)),
            changed: false,
        });
        self
    }

    /// How a scan goes.
    pub(super) fn reading(mut self, reading: Reading) -> Self {
        self.place.reading = reading;
        self
    }

    pub(super) fn done(self) -> Place {
        self.place
    }
}

/// A number from a name: ids that stay the same from run to run.
fn fingerprint(name: &str) -> u64 {
    name.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
