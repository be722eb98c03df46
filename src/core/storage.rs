//! Storage kinds: what a path really lives on. What each event does to a kind is in `aftermath`.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::filesystem::Filesystem;
use super::mount::{Backing, Source};
use super::pattern::is_below;

/// What a path really lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageKind {
    /// An unchanged file of the image.
    ImageLayer,
    /// The container's own writable layer.
    WritableLayer,
    /// A directory of the host on a local disk.
    BindMount,
    /// A directory of the host on a network file system.
    BindNetwork,
    /// A directory of the host that the host keeps in memory.
    BindMemory,
    /// A directory of the host under /tmp or /var/tmp.
    BindTemp,
    /// A directory that a platform makes for one session and erases after it.
    BindScratch,
    /// A directory of the host that was deleted, moved or replaced under the mount.
    BindDeleted,
    /// A volume with a name.
    NamedVolume,
    /// A volume without a name, made for one container.
    AnonymousVolume,
    /// A volume whose content is on the network.
    NetworkVolume,
    /// Memory: `--tmpfs`, `/dev/shm`, a volume of type tmpfs.
    Tmpfs,
    /// Scratch space of a pod on its node's disk.
    EmptyDir,
    /// Scratch space of a pod in memory.
    EmptyDirMemory,
    /// A persistent volume claim.
    Claim,
    /// A block device of its own.
    BlockVolume,
    /// A disk of this machine, which is not a container.
    HostDisk,
    /// Memory of this machine, which is not a container.
    HostMemory,
    /// A file that the runtime writes: `/etc/hosts`, secrets, configuration.
    RuntimeFile,
    /// Not stored data: proc, sysfs, device nodes.
    Pseudo,
    /// Not known.
    Unknown,
}

/// How much better a profile's rule may make a fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// Not at all.
    AsItIs,
    /// Kept under a condition, or rebuilt.
    Conditional,
    /// Kept.
    Kept,
}

impl StorageKind {
    /// Every kind, for tests that must be total.
    pub const ALL: [Self; 21] = [
        Self::ImageLayer,
        Self::WritableLayer,
        Self::BindMount,
        Self::BindNetwork,
        Self::BindMemory,
        Self::BindTemp,
        Self::BindScratch,
        Self::BindDeleted,
        Self::NamedVolume,
        Self::AnonymousVolume,
        Self::NetworkVolume,
        Self::Tmpfs,
        Self::EmptyDir,
        Self::EmptyDirMemory,
        Self::Claim,
        Self::BlockVolume,
        Self::HostDisk,
        Self::HostMemory,
        Self::RuntimeFile,
        Self::Pseudo,
        Self::Unknown,
    ];

    /// The name used in JSON and in profiles.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ImageLayer => "image_layer",
            Self::WritableLayer => "writable_layer",
            Self::BindMount => "bind_mount",
            Self::BindNetwork => "bind_network",
            Self::BindMemory => "bind_memory",
            Self::BindTemp => "bind_temp",
            Self::BindScratch => "bind_scratch",
            Self::BindDeleted => "bind_deleted",
            Self::NamedVolume => "named_volume",
            Self::AnonymousVolume => "anonymous_volume",
            Self::NetworkVolume => "network_volume",
            Self::Tmpfs => "tmpfs",
            Self::EmptyDir => "empty_dir",
            Self::EmptyDirMemory => "empty_dir_memory",
            Self::Claim => "claim",
            Self::BlockVolume => "block_volume",
            Self::HostDisk => "host_disk",
            Self::HostMemory => "host_memory",
            Self::RuntimeFile => "runtime_file",
            Self::Pseudo => "pseudo",
            Self::Unknown => "unknown",
        }
    }

    /// The words shown to people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::ImageLayer => "image",
            Self::WritableLayer => "writable layer",
            Self::BindMount => "bind mount",
            Self::BindNetwork => "bind mount, network",
            Self::BindMemory => "bind mount, host memory",
            Self::BindTemp => "bind mount, host /tmp",
            Self::BindScratch => "bind mount, scratch",
            Self::BindDeleted => "bind mount, deleted",
            Self::NamedVolume => "named volume",
            Self::AnonymousVolume => "anonymous volume",
            Self::NetworkVolume => "network volume",
            Self::Tmpfs => "tmpfs (memory)",
            Self::EmptyDir => "emptyDir",
            Self::EmptyDirMemory => "emptyDir (memory)",
            Self::Claim => "volume claim",
            Self::BlockVolume => "block volume",
            Self::HostDisk => "disk of this machine",
            Self::HostMemory => "memory of this machine",
            Self::RuntimeFile => "written by the runtime",
            Self::Pseudo => "not stored data",
            Self::Unknown => "unknown",
        }
    }

    /// Finds a kind by its [`StorageKind::key`].
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// Kinds whose bytes lie outside the container, on a disk or a share: profiles call them `mounted`.
    pub const MOUNTED: [Self; 6] = [
        Self::BindMount,
        Self::BindNetwork,
        Self::NamedVolume,
        Self::NetworkVolume,
        Self::Claim,
        Self::BlockVolume,
    ];

    /// The best that a profile's rule may make of this kind where the engine alone loses it.
    ///
    /// Memory, temporary and deleted directories never get better by decree. What a
    /// platform gives back under a condition, or makes anew, may be said of layers and of
    /// scratch directories, but never that it is simply kept.
    pub const fn ceiling(self) -> Ceiling {
        match self {
            Self::BindMemory
            | Self::BindTemp
            | Self::BindDeleted
            | Self::Tmpfs
            | Self::EmptyDir
            | Self::EmptyDirMemory
            | Self::HostMemory
            | Self::Pseudo
            | Self::Unknown => Ceiling::AsItIs,
            Self::ImageLayer
            | Self::WritableLayer
            | Self::BindScratch
            | Self::AnonymousVolume
            | Self::RuntimeFile => Ceiling::Conditional,
            Self::BindMount
            | Self::BindNetwork
            | Self::NamedVolume
            | Self::NetworkVolume
            | Self::Claim
            | Self::BlockVolume
            | Self::HostDisk => Ceiling::Kept,
        }
    }

    /// What to do about a path of this kind that would be lost; empty where nothing helps.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::WritableLayer => "copy it to a path that is kept, or bake it into the image",
            Self::ImageLayer => "keep the Dockerfile: without the image it needs a rebuild",
            Self::BindMount | Self::NamedVolume | Self::Claim | Self::BlockVolume | Self::HostDisk => {
                "back it up: this disk holds the only copy"
            }
            Self::BindNetwork | Self::NetworkVolume => "watch the quota of the share",
            Self::BindMemory | Self::BindTemp => "use a directory on disk that no cleaner owns",
            Self::BindScratch | Self::EmptyDir => "copy it to a path that is kept before the session ends",
            Self::BindDeleted => "copy what is still readable out now, then recreate the container",
            Self::AnonymousVolume => "copy it out, or give the volume a name when you recreate the container",
            Self::Tmpfs | Self::EmptyDirMemory | Self::HostMemory => "write it to disk first",
            Self::RuntimeFile => "set it where the container is created",
            Self::Pseudo => "",
            Self::Unknown => "treat it as lost until you know what it is",
        }
    }

    /// The storage kind that a mount's backing and file system amount to.
    ///
    /// A bind mount is not proof of persistence: its source may be memory,
    /// deleted, temporary or on the network.
    pub fn of(backing: &Backing, filesystem: Option<&str>) -> Self {
        match backing {
            Backing::Layer => Self::WritableLayer,
            Backing::Memory => Self::Tmpfs,
            Backing::PodScratch { memory: false } => Self::EmptyDir,
            Backing::PodScratch { memory: true } => Self::EmptyDirMemory,
            Backing::HostDir { source: Source::Deleted | Source::Replaced, .. } => Self::BindDeleted,
            Backing::HostDir { source: Source::Scratch, .. } => Self::BindScratch,
            // A path on another machine, of which nothing was seen, proves nothing.
            Backing::HostDir { source: Source::Unseen, .. } if filesystem.is_none() => Self::Unknown,
            Backing::HostDir { path, .. } => match filesystem.map(Filesystem::of) {
                // What is written among the host's devices and the like is in its memory, too.
                Some(Filesystem::Memory | Filesystem::Pseudo) => Self::BindMemory,
                Some(Filesystem::Network) => Self::BindNetwork,
                Some(Filesystem::Unclear) => Self::Unknown,
                _ if is_host_temp(path) => Self::BindTemp,
                _ => Self::BindMount,
            },
            Backing::Volume { anonymous, .. } => match filesystem.map(Filesystem::of) {
                Some(Filesystem::Memory) => Self::Tmpfs,
                Some(Filesystem::Network) => Self::NetworkVolume,
                Some(Filesystem::Unclear) => Self::Unknown,
                _ if *anonymous => Self::AnonymousVolume,
                _ => Self::NamedVolume,
            },
            Backing::Claim { .. } => Self::Claim,
            Backing::Block => Self::BlockVolume,
            Backing::Disk => Self::HostDisk,
            Backing::HostMemory => Self::HostMemory,
            Backing::Injected => Self::RuntimeFile,
            Backing::Pseudo => Self::Pseudo,
            Backing::Unknown => Self::Unknown,
        }
    }
}

/// Host directories that boot or age cleaners own.
const HOST_TEMP: [&str; 3] = ["/tmp", "/var/tmp", "/run"];

/// Whether a path of the host is where boot or age cleaners work.
pub(super) fn is_host_temp(path: &Path) -> bool {
    HOST_TEMP.iter().any(|temp| is_below(path.as_os_str().as_bytes(), temp.as_bytes()))
}

/// Whether a folder of the host has such a directory in it.
pub(super) fn holds_host_temp(folder: &Path) -> bool {
    HOST_TEMP.iter().any(|temp| is_below(temp.as_bytes(), folder.as_os_str().as_bytes()))
}

#[cfg(test)]
#[path = "storage_tests.rs"]
mod tests;
