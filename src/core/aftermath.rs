//! What each event does to each storage kind.
//!
//! The table here is what a container engine itself guarantees; a profile adds
//! only differences. Every row that a test can perform on a real container is
//! performed in `tests/engine`.

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::fate::{Condition, Fate};
use super::mount::{Backing, OnRelease, Source};
use super::storage::StorageKind;

/// What happens to the container itself in an event, from the mildest to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aftermath {
    /// The same container goes on, with its writable layer.
    Stays,
    /// A new container takes its place with the same mounts and a fresh layer.
    Recreated,
    /// The container goes away together with its anonymous volumes (`--rm`).
    Removed,
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
                _ => Rule::of(
                    Fate::Lost,
                    match backing {
                        Some(Backing::HostDir { source: Source::Replaced, .. }) => {
                            "something else lies in its place on the host by now, and the next start shows that"
                        }
                        _ => "the host directory behind the mount was deleted",
                    },
                ),
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
