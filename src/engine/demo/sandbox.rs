//! The demo's throw-away workspaces: like those of an engine, but in memory.

use std::path::Path;

use super::build::Make;
use super::world::World;
use super::{Demo, Reply};
use crate::core::error::{Error, Kind, Result};
use crate::core::workspace::RunState;
use crate::port::{Blueprint, Part, PartKind, Sandbox, Tick};

/// What the tour made here: its parts, and what was saved on the folder of the host.
#[derive(Default)]
pub(super) struct Trial {
    parts: Vec<Part>,
    /// Path in the workspace and bytes. The folder keeps them while workspaces come and go.
    saved: Vec<(String, u64)>,
}

impl Sandbox for Demo {
    fn make<'a>(&'a self, part: PartKind, wanted: &'a Blueprint) -> Reply<'a, ()> {
        Box::pin(async move {
            self.answer().await?;
            let now = self.clock.now();
            let name = match part {
                PartKind::Image => wanted.image(),
                PartKind::Folder => wanted.folder().to_string_lossy().into_owned(),
                PartKind::Workspace => wanted.name(),
            };
            let mut world = self.world();
            if part == PartKind::Workspace {
                let folder = wanted.folder();
                let mut make = Make::new(&self.endpoint.id, &name, &wanted.image(), now)
                    .bind(&wanted.target.to_string_lossy(), &folder.to_string_lossy(), "ext4")
                    .with(|workspace, detail| {
                        workspace.state = RunState::Created;
                        detail.state = RunState::Created;
                        detail.started = None;
                    });
                for (path, bytes) in &world.trial.saved {
                    make = make.file(path, *bytes, 0);
                }
                world.places.push(make.done());
            }
            let owner = wanted.owner.clone();
            world.trial.parts.push(Part { kind: part, id: name.clone(), name, owner, made: Some(now) });
            drop(world);
            self.tell(&Tick::Changed(None));
            Ok(())
        })
    }

    fn save<'a>(&'a self, wanted: &'a Blueprint, path: &'a Path, text: &'a str) -> Reply<'a, ()> {
        Box::pin(async move {
            self.answer().await?;
            self.world().save(wanted, path, text.len() as u64)
        })
    }

    fn parts<'a>(&'a self, _folders: &'a Path) -> Reply<'a, Vec<Part>> {
        Box::pin(async move {
            self.answer().await?;
            Ok(self.world().trial.parts.clone())
        })
    }

    fn discard<'a>(&'a self, _folders: &'a Path, part: &'a Part) -> Reply<'a, ()> {
        Box::pin(async move {
            self.answer().await?;
            let mut world = self.world();
            world.trial.parts.retain(|known| known != part);
            match part.kind {
                PartKind::Image => {}
                PartKind::Folder => world.trial.saved.clear(),
                PartKind::Workspace => world.places.retain(|place| place.workspace.name != part.name),
            }
            drop(world);
            self.tell(&Tick::Changed(None));
            Ok(())
        })
    }
}

impl World {
    fn save(&mut self, wanted: &Blueprint, path: &Path, bytes: u64) -> Result<()> {
        let name = wanted.name();
        let Some(at) = self.places.iter().position(|place| place.workspace.name == name) else {
            return Err(Error::new(Kind::NotFound, format!("there is no container {name}")));
        };
        let path = path.to_string_lossy().into_owned();
        let now = self.places[at].workspace.created.unwrap_or_default();
        let place = self.places.remove(at);
        self.places.insert(at, Make::from(place, now).file(&path, bytes, 0).done());
        if Path::new(&path).starts_with(&wanted.target) {
            self.trial.saved.push((path, bytes));
        }
        Ok(())
    }
}
