//! What a workspace is made of besides its files, and what each event does to it:
//! the image, the container, the folder, its processes, its graphics processors.

use serde::{Deserialize, Serialize};

use super::aftermath::{Aftermath, Rule};
use super::event::Event;
use super::fate::{Condition, Fate};
use super::storage::StorageKind;

/// A thing that a workspace is made of, or that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// The image that containers are made from.
    Image,
    /// The container with its writable layer.
    Container,
    /// The folder on the host, or the volume.
    Workspace,
    /// Running programs and what they hold in memory.
    Processes,
    /// The graphics processors it was given.
    Gpu,
    /// What a start script installs.
    StartScript,
    /// Archives that the platform makes.
    Backups,
}

impl ObjectKind {
    /// What every workspace has, in the order in which it is listed.
    pub const COMMON: [Self; 5] = [Self::Image, Self::Container, Self::Workspace, Self::Processes, Self::Gpu];

    /// The name used in JSON and in profiles.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Container => "container",
            Self::Workspace => "workspace",
            Self::Processes => "processes",
            Self::Gpu => "gpu",
            Self::StartScript => "start_script",
            Self::Backups => "backups",
        }
    }

    /// The words shown to people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Container => "container",
            Self::Workspace => "workspace",
            Self::Processes => "processes, RAM",
            Self::Gpu => "GPU allocation",
            Self::StartScript => "start script",
            Self::Backups => "backups",
        }
    }

    /// What the engine does to it. `after` is what the event does to the container, `folder`
    /// what the workspace folder lives on.
    pub fn rule(self, event: Event, after: Aftermath, folder: Option<StorageKind>) -> Rule {
        match self {
            Self::Image => match event {
                Event::ImageRemoval => Rule::of(Fate::Lost, "this is what the event deletes"),
                Event::HostLoss => Rule::of(Fate::Rebuilt, "another host builds or pulls it again"),
                _ => Rule::of(Fate::Kept, "the engine stores it apart from its containers"),
            },
            Self::Container => match (event, after) {
                (Event::Retire | Event::HostLoss, _) => {
                    Rule::of(Fate::Lost, "the container is gone with its writable layer")
                }
                (Event::ImageRemoval, _) => Rule::of(Fate::Kept, "the container holds its own layers"),
                (Event::WorkspaceDeletion, _) => Rule::of(Fate::Kept, "the container is apart from its folder"),
                (_, Aftermath::Stays) => Rule::of(Fate::Kept, "the same container goes on"),
                (_, Aftermath::Recreated) => Rule::of(Fate::Lost, "a new container takes its place"),
                (_, Aftermath::Removed) => Rule::of(Fate::Lost, "it removes itself when it stops (--rm)"),
            },
            Self::Workspace => match folder {
                Some(kind) => kind.rule(event, after, None),
                None => Rule::of(Fate::Untouched, "no folder is mounted as its workspace"),
            },
            Self::Processes => match event {
                Event::ImageRemoval | Event::WorkspaceDeletion => {
                    Rule::of(Fate::Untouched, "the event does not concern it")
                }
                _ => Rule::of(Fate::Lost, "memory is not stored anywhere"),
            },
            Self::Gpu => match event {
                Event::ImageRemoval | Event::WorkspaceDeletion => {
                    Rule::of(Fate::Untouched, "the event does not concern it")
                }
                Event::Stop if after == Aftermath::Stays => {
                    Rule::only_if(Condition::GpuHeld, "a stopped container holds no processor")
                }
                _ => Rule::of(Fate::Lost, "the allocation goes back to the pool"),
            },
            Self::StartScript => match event {
                Event::ImageRemoval => Rule::of(Fate::Kept, "the script does not belong to the image"),
                Event::Crash => Rule::of(Fate::Kept, "the container still has what was installed"),
                Event::WorkspaceDeletion => Rule::of(Fate::Lost, "this is what the event deletes"),
                _ => Rule::of(Fate::Rebuilt, "the script runs at every start"),
            },
            Self::Backups => match event {
                Event::WorkspaceDeletion => {
                    Rule::only_if(Condition::BackupVolumeKept, "nobody says how long backups stay")
                }
                _ => Rule::of(Fate::Kept, "backups are on a volume of their own"),
            },
        }
    }
}
