//! This machine as a place for repositories and keys: which events what lies here survives.

use std::net::{IpAddr, ToSocketAddrs as _, UdpSocket};
use std::path::{Path, PathBuf};

use crate::core::backup::{LOCAL, Place, Repository};
use crate::core::classify::{Grounds, Origin};
use crate::core::error::Result;
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::recognise::Profiles;
use crate::port::Engine;
use crate::work::{explain, ground};

/// What the answers about this machine's own paths stand on.
#[derive(Clone, Debug)]
pub struct Here {
    grounds: Option<Grounds>,
}

impl Here {
    /// Looks at this machine.
    pub async fn look(machine: &dyn Engine, profiles: &Profiles) -> Result<Self> {
        let inventory = machine.inventory().await?;
        let Some(workspace) = inventory.workspaces.into_iter().next() else {
            return Ok(Self { grounds: None });
        };
        let detail = machine.detail(&workspace.key).await?;
        let grounds = ground::stand(profiles, &workspace, detail).await;
        Ok(Self { grounds: Some(explain::of_the_host(grounds)) })
    }

    /// A machine that nothing is known of.
    pub const fn unknown() -> Self {
        Self { grounds: None }
    }

    /// Whether a path of this machine is still there after an event, by the same rules as any path.
    /// `None` where that depends on something, or is not known: the same disk never counts as
    /// surviving the loss of its host.
    pub fn survives(&self, path: &Path, event: Event) -> Option<bool> {
        let path = real(path);
        let answer = self.grounds.as_ref()?.classifier().explain(&path, Origin::Layer);
        match answer.fates.verdict(event) {
            Verdict::Kept | Verdict::Untouched => Some(true),
            Verdict::Lost => Some(false),
            Verdict::Rebuilt | Verdict::KeptIf(_) => None,
        }
    }

    /// The first event of daily life that a folder of this machine does not outlive for certain.
    pub fn first_lost(&self, folder: &Path) -> Option<Event> {
        let daily = [Event::Crash, Event::Stop, Event::Retire, Event::Reboot];
        daily.into_iter().find(|event| self.survives(folder, *event) != Some(true))
    }

    /// What a repository on this machine is good for, as the clause behind its name; `None` where it
    /// outlives this host, or lies elsewhere.
    pub fn good_for(&self, repository: &Repository) -> Option<String> {
        let folder = repository.folder()?;
        if let Some(event) = self.first_lost(folder) {
            return Some(self.does_not_last(folder, event));
        }
        (self.survives(folder, Event::HostLoss) != Some(true)).then(|| LOCAL.to_owned())
    }

    /// Why a folder is no place for backups, as a clause.
    pub(super) fn does_not_last(&self, folder: &Path, event: Event) -> String {
        self.storage(folder).map_or_else(
            || "could not be looked at, so whether it lasts is not known".to_owned(),
            |on| format!("is on {on} and does not last {}", event.if_words()),
        )
    }

    /// In words, what a path lives on.
    pub fn storage(&self, path: &Path) -> Option<&'static str> {
        let answer = self.grounds.as_ref()?.classifier().explain(&real(path), Origin::Layer);
        Some(answer.storage.label())
    }

    /// Whether a repository is still there after an event that concerns a workspace. May ask the
    /// resolver where a server is.
    pub fn keeps(&self, repository: &Repository, workspace: &Grounds, event: Event) -> Option<bool> {
        match repository.place().ok()? {
            Place::Folder(folder) => self.keeps_path(&folder, workspace, event),
            Place::Rest(url) => elsewhere(&host_of(&url)?),
            Place::Rclone(remote) => elsewhere(&server_of(&remote)?),
        }
    }

    /// Whether a path of this machine is still there after an event that concerns a workspace.
    pub fn keeps_path(&self, path: &Path, workspace: &Grounds, event: Event) -> Option<bool> {
        let path = real(path);
        let inside_a_container = self.is_inside_a_container();
        for mount in workspace.detail.mounts.iter().filter(|mount| mount.holds_files()) {
            let Some(place) = &mount.host_path else { continue };
            // What the workspace itself mounts goes the way of that mount. The whole disk of a
            // machine that is no container is no such mount.
            let is_its_own = mount.target != *place || inside_a_container;
            if is_its_own && let Ok(below) = path.strip_prefix(real(place)) {
                let seen = workspace.classifier().explain(&mount.target.join(below), Origin::Layer);
                match seen.fates.verdict(event) {
                    Verdict::Kept | Verdict::Untouched => {}
                    Verdict::Lost => return Some(false),
                    Verdict::Rebuilt | Verdict::KeptIf(_) => return None,
                }
            }
        }
        // What lies beside all that the workspace mounts is not deleted with it.
        if event == Event::WorkspaceDeletion && !inside_a_container {
            return workspace.detail.mounts_missing.is_none().then_some(true);
        }
        self.survives(&path, event)
    }

    /// Whether this program runs in a container, whose own layer goes with it.
    pub fn is_inside_a_container(&self) -> bool {
        use crate::core::storage::StorageKind;
        let grounds = self.grounds.as_ref();
        grounds.is_some_and(|grounds| {
            grounds.detail.mounts.iter().any(|mount| mount.storage == StorageKind::WritableLayer)
        })
    }
}

/// A path with links followed, as far as it is there.
pub(super) fn real(path: &Path) -> PathBuf {
    let mut missing = PathBuf::new();
    for above in path.ancestors() {
        if let Ok(there) = std::fs::canonicalize(above) {
            return if missing.as_os_str().is_empty() { there } else { there.join(missing) };
        }
        let Some(name) = above.file_name() else { break };
        missing = if missing.as_os_str().is_empty() { name.into() } else { Path::new(name).join(missing) };
    }
    path.to_path_buf()
}

/// The server in a URL.
fn host_of(url: &str) -> Option<String> {
    let after = url.split_once("://")?.1;
    let login = after.split('/').next()?;
    let host = login.rsplit('@').next()?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_owned())
}

/// The server that rclone is told to use; a remote of the person's own settings may be anywhere.
fn server_of(remote: &str) -> Option<String> {
    let value = |key: &str| {
        let after = remote.split_once(&format!("{key}=\""))?.1;
        after.split('"').next().map(str::to_owned)
    };
    if remote.starts_with(":sftp,") {
        return value("host");
    }
    remote.starts_with(":s3,").then(|| value("endpoint")).flatten().and_then(|url| host_of(&url))
}

/// Whether a server is another machine: `Some(true)`; `None` where it is this one, or nobody knows.
fn elsewhere(host: &str) -> Option<bool> {
    let addresses = (host, 0).to_socket_addrs().ok()?;
    let mut any = false;
    for address in addresses {
        // Only an address of this machine can be bound to.
        if is_local(address.ip()) {
            return None;
        }
        any = true;
    }
    any.then_some(true)
}

fn is_local(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::core::facts::Facts;
    use crate::core::mount::{Backing, Mount, Source};
    use crate::core::recognise::Recognised;
    use crate::core::rules::Rules;
    use crate::core::workspace::{Detail, RunState};

    #[test]
    fn a_server_is_read_from_its_address() {
        assert_eq!(host_of("http://u:p@h.example:8000/r").as_deref(), Some("h.example"));
        assert_eq!(host_of("https://[2001:db8::1]:8000/r").as_deref(), Some("2001:db8::1"));
        assert_eq!(server_of(":sftp,host=\"h\",user=\"u\":/r").as_deref(), Some("h"));
        assert_eq!(server_of(":s3,provider=Other,endpoint=\"https://h\":b").as_deref(), Some("h"));
        assert_eq!(server_of("box:r"), None, "it may be anywhere");
    }

    #[test]
    fn this_machine_under_another_name_is_not_elsewhere() {
        assert_eq!(elsewhere("127.0.0.1"), None);
        assert_eq!(elsewhere("localhost"), None);
        assert_eq!(elsewhere("0.0.0.0"), None);
        assert_eq!(elsewhere("192.0.2.1"), Some(true));
        assert_eq!(elsewhere("no such host"), None);
    }

    /// A machine that is a container, with one folder of its host.
    fn in_a_container() -> Here {
        let layer = Mount::new("/".into(), "layer".into(), Backing::Layer, None);
        let disk = Backing::HostDir { path: "/srv/me".into(), source: Source::Present };
        let bind = Mount::new("/data".into(), "/srv/me".into(), disk, None);
        let detail = Detail { mounts: vec![layer, bind], ..Detail::new(RunState::Running) };
        let none = std::collections::BTreeMap::new();
        let rules = Rules::new(Arc::default(), Recognised::default(), &none, Some(&detail), None);
        let grounds = Grounds {
            detail: Arc::new(detail),
            rules: Arc::new(rules),
            facts: Facts::default(),
            timing: Arc::default(),
            covers: Arc::default(),
        };
        Here { grounds: Some(grounds) }
    }

    #[test]
    fn nothing_is_promised_of_a_repository_that_goes_with_its_container() {
        let good_for = |url: &str| in_a_container().good_for(&Repository::new(url, "/key".into()).unwrap());
        let lost = "is on writable layer and does not last if retired";
        assert_eq!(good_for("/root/.local/share/outlast/repository").as_deref(), Some(lost));
        assert_eq!(good_for("/data/repository").as_deref(), Some(LOCAL));
        assert_eq!(good_for("rest:https://host.example/r"), None);
    }

    #[test]
    fn links_are_followed_as_far_as_a_path_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let folder = std::fs::canonicalize(folder.path()).unwrap();
        std::fs::create_dir(folder.join("real")).unwrap();
        std::os::unix::fs::symlink("real", folder.join("link")).unwrap();
        assert_eq!(real(&folder.join("link/new/x")), folder.join("real/new/x"));
        assert_eq!(real(&folder.join("link")), folder.join("real"));
    }
}
