//! Which places there are: the person's folders, what workspaces have on the disk, this machine's mounts.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::super::rows::Row;
use crate::core::mount::{self, Mount};
use crate::core::storage::StorageKind;
use crate::core::workspace::{RunState, Workspace, WsKey};

/// A place that can be walked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskRoot {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub kind: RootKind,
    /// The workspace it belongs to, and the path there.
    pub of: Option<(WsKey, PathBuf)>,
    /// The workspace's name (untrusted text); empty where it belongs to none.
    pub name: String,
}

/// What a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RootKind {
    /// A folder whose sub-folders are projects.
    Projects,
    /// The person's home.
    Home,
    /// A folder that a workspace mounts.
    Folder,
    /// A workspace's writable layer.
    Layer,
    /// A volume.
    Volume,
    /// A mount of this machine.
    Mount,
}

impl RootKind {
    /// The word shown to people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Projects => "projects",
            Self::Home => "home",
            Self::Folder => "folder",
            Self::Layer => "writable layer",
            Self::Volume => "volume",
            Self::Mount => "mount",
        }
    }

    /// Whether it is walked although nobody asked: it is the person's own, and not a whole machine.
    pub const fn is_own(self) -> bool {
        !matches!(self, Self::Mount)
    }
}

impl DiskRoot {
    /// A path beneath it, as people know it: in a layer, by the path in the container.
    pub fn whereabouts(&self, beneath: &Path) -> PathBuf {
        match &self.of {
            Some((_, inside)) if self.kind == RootKind::Layer => {
                format!("{}:{}", self.name, mount::join(inside, beneath).display()).into()
            }
            _ => mount::join(&self.path, beneath),
        }
    }

    /// What it is called (untrusted text): `my-project:/data`, `my-project layer`, `home`.
    pub fn title(&self) -> String {
        match (self.kind, &self.of) {
            (RootKind::Layer, _) => format!("{} layer", self.name),
            (RootKind::Folder | RootKind::Volume, Some((_, inside))) if !self.name.is_empty() => {
                format!("{}:{}", self.name, inside.display())
            }
            (RootKind::Folder, None) => self.name.clone(),
            (kind, _) => kind.label().into(),
        }
    }
}

/// All places, each once: the person's first, then workspace by workspace, then this machine's mounts.
///
/// `shared` says whether what the workspaces name is on the disk that can be walked.
pub fn collect(
    rows: &[Row],
    projects: &[PathBuf],
    home: Option<&Path>,
    machine: Option<&[Mount]>,
    shared: bool,
) -> Vec<DiskRoot> {
    let mut roots = Vec::new();
    let alone = |path: &Path, kind| DiskRoot { path: path.into(), kind, of: None, name: String::new() };
    roots.extend(projects.iter().map(|path| alone(path, RootKind::Projects)));
    roots.extend(home.map(|path| alone(path, RootKind::Home)));
    for row in rows.iter().filter(|_| shared) {
        of_workspace(row, &mut roots);
    }
    let disks = machine.unwrap_or_default().iter().filter(|mount| is_a_disk(mount));
    roots.extend(disks.map(|mount| alone(&mount.target, RootKind::Mount)));
    let mut seen = HashSet::new();
    roots.retain(|root| seen.insert(root.path.clone()));
    roots
}

fn of_workspace(row: &Row, roots: &mut Vec<DiskRoot>) {
    let Workspace { key, name, .. } = &row.workspace;
    let mut add = |path: &Path, kind, inside: Option<&Path>| {
        let of = inside.map(|inside| (key.clone(), inside.to_path_buf()));
        roots.push(DiskRoot { path: path.into(), kind, of, name: name.clone() });
    };
    if row.workspace.state == RunState::Retired {
        return add(Path::new(&key.id), RootKind::Folder, None);
    }
    let Some(detail) = row.detail.known() else { return };
    let here = row.workspace.container.is_none();
    // What is the workspace's own comes first, its layer last of that.
    let mut mounts: Vec<&Mount> = detail.mounts.iter().filter(|mount| mount.holds_files()).collect();
    let own = |mount: &&Mount| mount.host_path.as_ref().is_some_and(|path| row.disk.paths.contains(path));
    mounts.sort_by_key(|mount| (!own(mount), mount.storage == StorageKind::WritableLayer));
    for mount in mounts {
        // Seen from the machine itself, a mount is where it is mounted.
        let place = if here { Some(mount.target.as_path()) } else { mount.host_path.as_deref() };
        let Some(place) = place else { continue };
        let kind = match mount.storage {
            _ if here => RootKind::Mount,
            StorageKind::WritableLayer => RootKind::Layer,
            StorageKind::NamedVolume | StorageKind::AnonymousVolume | StorageKind::NetworkVolume => {
                RootKind::Volume
            }
            _ => RootKind::Folder,
        };
        add(place, kind, Some(&mount.target));
    }
}

/// Whether a mount of this machine is worth a line: a disk, a share or memory that holds people's files.
fn is_a_disk(mount: &Mount) -> bool {
    let engines_own =
        ["/var/lib/docker", "/var/lib/containerd", "/var/lib/containers", "/run", "/snap", "/boot"];
    mount.holds_files()
        && !matches!(mount.storage, StorageKind::Unknown)
        && !engines_own.iter().any(|folder| mount.target.starts_with(folder))
}
