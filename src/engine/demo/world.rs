//! What the demo holds, and what starting and stopping does to it.

use std::path::Path;

use jiff::Timestamp;

use super::sandbox::Trial;
use crate::core::aftermath::Aftermath;
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::fate::Fate;
use crate::core::finding::Method;
use crate::core::mount::{self, Measure, Mount};
use crate::core::plan::{Step, Verb};
use crate::core::storage::StorageKind;
use crate::core::workspace::{Detail, RunState, Workspace, WsKey};
use crate::port::{FileFact, Image, PathKind, ScanItem, ScanRequest};

/// Everything there is.
pub(super) struct World {
    pub(super) places: Vec<Place>,
    /// What the tour made.
    pub(super) trial: Trial,
}

/// One workspace with its files.
pub(super) struct Place {
    pub(super) workspace: Workspace,
    pub(super) detail: Detail,
    /// Files written since it was made, anywhere that does not last.
    pub(super) files: Vec<FileFact>,
    /// How a scan goes.
    pub(super) reading: Reading,
    /// Bytes held by mounts, by target.
    pub(super) held: Vec<(&'static str, u64)>,
}

/// How a scan of a workspace goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Everything is read.
    Whole(Method),
    /// Something cannot be read.
    InPart(Method, &'static str),
    /// Too costly unless somebody asks.
    OnRequest(Method, &'static str),
}

impl World {
    pub(super) fn place(&self, key: &WsKey) -> Option<&Place> {
        self.places.iter().find(|place| place.workspace.key == *key)
    }

    /// The images the workspaces came from, each once.
    pub(super) fn images(&self) -> Vec<Image> {
        let mut images: Vec<Image> = Vec::new();
        for workspace in self.places.iter().map(|place| &place.workspace) {
            if let (Some(id), Some(tag)) = (&workspace.image_id, &workspace.image)
                && !images.iter().any(|image| image.id == *id)
            {
                images.push(Image { id: id.clone(), tags: vec![tag.clone()] });
            }
        }
        images
    }

    /// Starts or stops, with all that follows from the rules.
    pub(super) fn run(&mut self, step: &Step, now: Timestamp) -> Result<()> {
        let Some(place) = self.places.iter_mut().find(|place| place.workspace.key == step.subject) else {
            return Err(Error::new(Kind::NotFound, format!("there is no container {}", step.name)));
        };
        if place.workspace.managed_by.as_deref() == Some("pod") {
            return Err(Error::new(Kind::NotSupported, POD));
        }
        let up = place.detail.state.is_up();
        match (step.verb, up) {
            (Verb::Start, true) => return Err(conflict(step, "runs already")),
            (Verb::Stop, false) => return Err(conflict(step, "is not running")),
            (Verb::Start, false) => place.start(now),
            (Verb::Stop, true) => place.stop(now),
            (Verb::Rename | Verb::Copy | Verb::Trash | Verb::Restore | Verb::Erase, _) => {
                return Err(Error::new(Kind::NotSupported, "files are not the engine's to change"));
            }
        }
        if place.detail.on_stop == Aftermath::Removed && step.verb == Verb::Stop {
            self.places.retain(|place| place.workspace.key != step.subject);
        }
        Ok(())
    }
}

/// Why pods are neither started nor stopped.
pub(super) const POD: &str = "a pod cannot be stopped and started again: its controller makes a new one";

fn conflict(step: &Step, why: &str) -> Error {
    Error::new(Kind::Conflict, format!("container {} {why}", step.name))
}

impl Place {
    fn start(&mut self, now: Timestamp) {
        self.workspace.state = RunState::Running;
        self.detail.state = RunState::Running;
        self.detail.started = Some(now);
        self.detail.finished = None;
        self.detail.exit_code = None;
        self.detail.oom = false;
    }

    fn stop(&mut self, now: Timestamp) {
        // A shell ends when asked; what ignores the signal is killed.
        let killed = self.workspace.labels.get("demo.ignores-term").is_some_and(|value| value == "true");
        self.workspace.state = RunState::Exited;
        self.detail.state = RunState::Exited;
        self.detail.finished = Some(now);
        self.detail.exit_code = Some(if killed { 137 } else { 143 });
        let (mounts, after) = (&self.detail.mounts, self.detail.on_stop);
        self.files.retain(|file| {
            let backing = mount::holding(mounts, &file.path).map(|mount| &mount.backing);
            file.storage.rule(Event::Stop, after, backing).fate != Fate::Lost
        });
    }

    /// What a scan says, in the order of the port.
    pub(super) fn scan(&self, request: &ScanRequest) -> Vec<ScanItem> {
        let (method, gap) = match self.reading {
            Reading::OnRequest(_, why) if !request.asked => return vec![ScanItem::Gap(why.into())],
            Reading::Whole(method) | Reading::OnRequest(method, _) => (method, None),
            Reading::InPart(method, why) => (method, Some(why)),
        };
        let mut items = vec![ScanItem::By(method)];
        let mut seen: Vec<StorageKind> = Vec::new();
        let targets = self.detail.mounts.iter().filter(|mount| request.targets.contains(&mount.target));
        for storage in targets.map(|mount| mount.storage) {
            if seen.contains(&storage) {
                continue;
            }
            seen.push(storage);
            if storage == StorageKind::Tmpfs && !self.detail.state.is_up() {
                items.push(ScanItem::Reading(storage));
                items.push(ScanItem::Note("it is not running, so its memory file systems are gone".into()));
                continue;
            }
            items.push(ScanItem::Reading(storage));
            let files: Vec<_> = self.files.iter().filter(|file| file.storage == storage).cloned().collect();
            items.push(ScanItem::Files(files));
        }
        items.extend(gap.map(|why| ScanItem::Gap(why.into())));
        items
    }

    /// How much a mount holds, as far as the demo pretends to know.
    pub(super) fn measure(&self, mount: &Mount) -> Measure {
        let held = self.held.iter().find(|(target, _)| mount.target == Path::new(target));
        match (held, mount.storage) {
            (Some((_, bytes)), _) => Measure::Bytes(*bytes),
            (None, StorageKind::Claim) => Measure::WholeFilesystem { used: 41 << 30, size: 100 << 30 },
            (None, StorageKind::BindNetwork | StorageKind::NetworkVolume) => Measure::NotPermitted,
            (None, storage) => {
                let on_it = self.files.iter().filter(|file| file.storage == storage);
                Measure::Bytes(on_it.filter_map(|file| file.bytes).sum())
            }
        }
    }

    /// Whether a path is among the files written since it was made.
    pub(super) fn holds(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// What is at a path: written files, their folders, mounts, and a little of an image.
    pub(super) fn kind_of(&self, path: &Path) -> PathKind {
        const IMAGE: [&str; 6] = [
            "/etc/passwd",
            "/etc/os-release",
            "/bin/sh",
            "/usr/bin/python3",
            "/opt/conda/bin/python",
            "/usr/bin/env",
        ];
        let below = |file: &Path| file.starts_with(path);
        if self.holds(path) || IMAGE.iter().any(|file| Path::new(file) == path) {
            PathKind::File
        } else if self.files.iter().any(|file| below(&file.path))
            || self.detail.mounts.iter().any(|mount| below(&mount.target))
            || IMAGE.iter().any(|file| below(Path::new(file)))
        {
            PathKind::Directory
        } else {
            PathKind::Absent
        }
    }
}
