//! Storage kinds: what a path really lives on, and what each event does to that kind.
//!
//! The table here is what a container engine itself guarantees; a profile adds
//! only differences. Every row that a test can perform on a real container is
//! performed in `tests/engine`.

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::fate::{Condition, Fate};
use super::filesystem::Filesystem;
use super::mount::{Backing, OnRelease, Source};

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
    /// A directory of the host that was deleted under the mount.
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

/// What happens to the container itself in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aftermath {
    /// The same container goes on, with its writable layer.
    Stays,
    /// A new container takes its place with the same mounts and a fresh layer.
    Recreated,
    /// The container goes away together with its anonymous volumes (`--rm`).
    Removed,
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

/// One cell of the table: the fate, its condition, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The fate before its condition is looked at.
    pub fate: Fate,
    /// What a conditional fate depends on.
    pub condition: Option<Condition>,
    /// One clause that says why.
    pub reason: &'static str,
}

impl Rule {
    /// A fate without a condition.
    pub const fn of(fate: Fate, reason: &'static str) -> Self {
        Self { fate, condition: None, reason }
    }

    /// Kept under a condition.
    pub const fn only_if(condition: Condition, reason: &'static str) -> Self {
        Self { fate: Fate::Conditional, condition: Some(condition), reason }
    }
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
            Self::WritableLayer | Self::BindScratch | Self::AnonymousVolume | Self::RuntimeFile => {
                Ceiling::Conditional
            }
            Self::ImageLayer
            | Self::BindMount
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

    /// The engine's own guarantee for this kind in one event.
    ///
    /// `after` is what the event does to the container; it matters only for
    /// what lives and dies with it. `backing` refines claims.
    pub fn rule(self, event: Event, after: Aftermath, backing: Option<&Backing>) -> Rule {
        match self {
            Self::WritableLayer => layer(event, after),
            Self::ImageLayer => image(event, after),
            Self::AnonymousVolume => anonymous(event, after),
            Self::EmptyDir | Self::EmptyDirMemory => pod_scratch(event, self == Self::EmptyDirMemory),
            Self::Claim => claim(event, backing),
            Self::RuntimeFile => match event {
                Event::Crash => Rule::of(Fate::Kept, "the container keeps it until its next start"),
                Event::ImageRemoval | Event::WorkspaceDeletion => UNTOUCHED,
                _ => Rule::of(Fate::Rebuilt, "the runtime writes it anew at each start"),
            },
            Self::Tmpfs => match event {
                Event::ImageRemoval | Event::WorkspaceDeletion => UNTOUCHED,
                _ => Rule::of(Fate::Lost, "it is memory, emptied whenever the container stops"),
            },
            Self::BindMount | Self::NamedVolume => on_one_disk(
                event,
                if self == Self::BindMount {
                    "the bytes are on the host's disk, outside the container"
                } else {
                    "a named volume does not belong to the container"
                },
            ),
            Self::BindNetwork | Self::NetworkVolume => match event {
                Event::WorkspaceDeletion => DELETED,
                _ => Rule::of(Fate::Kept, "the bytes are on the network, outside this host"),
            },
            Self::BindMemory => match event {
                Event::WorkspaceDeletion => DELETED,
                Event::Reboot | Event::HostLoss => {
                    Rule::of(Fate::Lost, "the host keeps this directory in memory")
                }
                _ => Rule::of(Fate::Kept, "the host keeps it in memory while it runs"),
            },
            Self::BindTemp => match event {
                Event::WorkspaceDeletion => DELETED,
                Event::HostLoss => {
                    Rule::of(Fate::Lost, "it exists on this host only, and hosts clean such directories")
                }
                Event::Reboot => Rule::only_if(
                    Condition::HostTempNotCleaned,
                    "the host may clean this directory at boot or by age",
                ),
                _ => Rule::of(Fate::Kept, "the bytes are on the host's disk, outside the container"),
            },
            Self::BindScratch => scratch(event),
            Self::BindDeleted => match event {
                Event::ImageRemoval | Event::WorkspaceDeletion => UNTOUCHED,
                _ => Rule::of(Fate::Lost, "the host directory behind the mount was deleted"),
            },
            Self::BlockVolume => match event {
                Event::Retire => {
                    Rule::only_if(Condition::ClaimRetained, "the volume may be erased with its claim")
                }
                _ => on_one_disk(event, "the volume is a disk of its own"),
            },
            Self::HostDisk => match event {
                Event::Reboot | Event::HostLoss | Event::WorkspaceDeletion => {
                    on_one_disk(event, "it is on a disk of this machine")
                }
                _ => UNTOUCHED,
            },
            Self::HostMemory => match event {
                Event::Reboot | Event::HostLoss => Rule::of(Fate::Lost, "it is in this machine's memory"),
                Event::WorkspaceDeletion => DELETED,
                _ => UNTOUCHED,
            },
            Self::Pseudo => UNTOUCHED,
            Self::Unknown => match event {
                Event::WorkspaceDeletion => DELETED,
                _ => Rule::only_if(Condition::BackedUp, "what is behind this mount is not known"),
            },
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
            Backing::HostDir { source: Source::Deleted, .. } => Self::BindDeleted,
            Backing::HostDir { source: Source::Scratch, .. } => Self::BindScratch,
            // A path on another machine, of which nothing was seen, proves nothing.
            Backing::HostDir { source: Source::Unseen, .. } if filesystem.is_none() => Self::Unknown,
            Backing::HostDir { path, .. } => match filesystem.map(Filesystem::of) {
                Some(Filesystem::Memory) => Self::BindMemory,
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

const UNTOUCHED: Rule = Rule::of(Fate::Untouched, "the event does not concern it");
const DELETED: Rule = Rule::of(Fate::Lost, "this is what the event deletes");

fn layer(event: Event, after: Aftermath) -> Rule {
    match (event, after) {
        (Event::Retire, _) => Rule::of(Fate::Lost, "the writable layer is removed together with the container"),
        (Event::HostLoss, _) => Rule::of(Fate::Lost, "the writable layer exists on this host only"),
        (Event::WorkspaceDeletion, _) => UNTOUCHED,
        (Event::ImageRemoval, _) => Rule::of(Fate::Kept, "the container holds its own layer"),
        (_, Aftermath::Stays) => Rule::of(Fate::Kept, "the same container goes on with its writable layer"),
        (_, Aftermath::Recreated) => {
            Rule::of(Fate::Lost, "a new container takes its place with a fresh writable layer")
        }
        (_, Aftermath::Removed) => Rule::of(Fate::Lost, "the container is removed as soon as it stops (--rm)"),
    }
}

fn image(event: Event, after: Aftermath) -> Rule {
    match (event, after) {
        (Event::WorkspaceDeletion, _) => UNTOUCHED,
        (Event::ImageRemoval, _) => {
            Rule::only_if(Condition::ContainerExists, "an existing container holds the layers of its image")
        }
        (Event::Retire | Event::HostLoss, _) | (_, Aftermath::Recreated | Aftermath::Removed) => {
            Rule::of(Fate::Rebuilt, "a new container from the image has the same file")
        }
        (_, Aftermath::Stays) => Rule::of(Fate::Kept, "it is an unchanged file of the image"),
    }
}

fn anonymous(event: Event, after: Aftermath) -> Rule {
    match (event, after) {
        (Event::HostLoss, _) => Rule::of(Fate::Lost, "the volume exists on this host only"),
        (Event::WorkspaceDeletion, _) => DELETED,
        (Event::ImageRemoval, _) => Rule::of(Fate::Kept, "a volume does not belong to the image"),
        (_, Aftermath::Removed) => Rule::of(Fate::Lost, "--rm removes anonymous volumes with the container"),
        (Event::Retire, _) | (_, Aftermath::Recreated) => Rule::only_if(
            Condition::OrphanVolumeKept,
            "it stays behind as a volume without a name; a new container gets an empty one",
        ),
        (_, Aftermath::Stays) => Rule::of(Fate::Kept, "the same container goes on with its volumes"),
    }
}

fn scratch(event: Event) -> Rule {
    match event {
        Event::Crash => Rule::only_if(Condition::SessionNotEnded, "it lives as long as its session"),
        Event::Stop => {
            Rule::only_if(Condition::SameSession, "the platform erases this directory with the session")
        }
        Event::Retire => Rule::of(Fate::Lost, "the platform erases this directory with the session"),
        Event::ImageRemoval => Rule::of(Fate::Kept, "the session's directory does not belong to the image"),
        Event::Reboot => Rule::only_if(Condition::SessionResumed, "it lives as long as its session"),
        Event::HostLoss => Rule::of(Fate::Lost, "the session's directory exists on this host only"),
        Event::WorkspaceDeletion => UNTOUCHED,
    }
}

fn pod_scratch(event: Event, memory: bool) -> Rule {
    match event {
        Event::Crash => Rule::of(Fate::Kept, "the pod's scratch space outlives its containers"),
        Event::ImageRemoval => UNTOUCHED,
        Event::Reboot if !memory => {
            Rule::only_if(Condition::SameNode, "it is kept only if the pod returns to this node")
        }
        _ => Rule::of(Fate::Lost, "scratch space is erased with the pod"),
    }
}

fn claim(event: Event, backing: Option<&Backing>) -> Rule {
    let (on_release, pinned) = match backing {
        Some(Backing::Claim { on_release, pinned }) => (*on_release, *pinned),
        _ => (OnRelease::Unknown, None),
    };
    match event {
        Event::HostLoss if pinned == Some(false) => Rule::of(Fate::Kept, "the volume is not tied to one node"),
        Event::HostLoss => Rule::only_if(Condition::BackedUp, "the volume is tied to one node's disk"),
        Event::WorkspaceDeletion if on_release == OnRelease::Erase => DELETED,
        Event::WorkspaceDeletion => {
            Rule::only_if(Condition::ClaimRetained, "what is left depends on the reclaim policy")
        }
        _ => Rule::of(Fate::Kept, "the claim does not belong to the pod"),
    }
}

fn on_one_disk(event: Event, kept: &'static str) -> Rule {
    match event {
        Event::WorkspaceDeletion => DELETED,
        Event::HostLoss => Rule::only_if(Condition::BackedUp, "the host's disk goes with the host"),
        _ => Rule::of(Fate::Kept, kept),
    }
}

/// Host directories that boot or age cleaners own.
fn is_host_temp(path: &std::path::Path) -> bool {
    ["/tmp", "/var/tmp", "/run"].iter().any(|temp| path.starts_with(temp))
}

#[cfg(test)]
#[path = "storage_tests.rs"]
mod tests;
