//! Plans that change files: rename, copy, to the trash, back, and erased.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::guard::{beneath_its_trash, counted, git_words, refuse};
use super::{Reach, entry};
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::{Loss, Plan, Step, Verb};
use crate::core::spot::{FileAct, Spot, Trashed, is_a_name};
use crate::core::storage::StorageKind;
use crate::core::workspace::{RunState, WsKey};
use crate::port::{Clock, Entry, Files, Host, Job};
use crate::text::{printable_path, size};
use crate::work::act::files::on_disk;
use crate::work::act::new_id;
use crate::work::explain::quote;
use crate::work::{backup, git};

/// Days that the trash keeps what is in it, unless it is emptied sooner.
pub const KEPT_DAYS: i64 = 14;

/// What plans about files are made with.
pub struct Maker<'a> {
    /// The files.
    pub files: &'a Arc<dyn Files>,
    /// This machine and its viewer.
    pub host: &'a Arc<Host>,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The endpoint that the books say.
    pub endpoint: &'a str,
}

impl Maker<'_> {
    /// Another name in the same folder.
    pub async fn rename(&self, from: &Reach, name: &OsStr) -> Result<Plan> {
        if !is_a_name(name) {
            let name = Path::new(name);
            return Err(Error::new(Kind::Usage, format!("“{}” is no name for a file", printable_path(name))));
        }
        let (spot, found) = self.changeable(from).await?;
        let Some(to) = spot.above().and_then(|above| above.join(name)) else {
            return Err(whole(from));
        };
        self.free(&to).await?;
        let renamed = Reach { path: from.path.with_file_name(name), ..from.clone() };
        let call = call(&["rename", &said(&from.subject()), &said(Path::new(name))]);
        let undo = call_of(&[
            "rename",
            &said(&renamed.subject()),
            &said(Path::new(from.path.file_name().unwrap_or_default())),
        ]);
        let act = FileAct { key: String::new(), from: spot, seen: found.identity, to: Some(to), trashed: None };
        let mut step = self.step(Verb::Rename, from, call, undo, act);
        step.name = format!("{} to {}", step.name, Path::new(name).display());
        Ok(self.plan(vec![step], Vec::new()))
    }

    /// A copy where nothing is.
    pub async fn copy(&self, from: &Reach, to: &Reach) -> Result<Plan> {
        let spot = from.spot().map_err(|error| {
            let typed = said(&from.subject());
            error.hint(format!("`outlast cat {typed} > FILE` reads a single file through the engine"))
        })?;
        let found = entry(self.files, from).await?.ok_or_else(|| gone(from))?;
        let goal = to.spot()?.clone();
        self.changeable_in(to, &goal).await?;
        self.free(&goal).await?;
        let counted = self.counted(spot).await?;
        let (source, goal_said) = (said(&from.subject()), said(&to.subject()));
        let call = call(&["copy", &source, &goal_said]);
        let undo = call_of(&["trash", "put", &goal_said]);
        let act = FileAct {
            key: String::new(),
            from: spot.clone(),
            seen: found.identity,
            to: Some(goal),
            trashed: None,
        };
        let mut step = self.step(Verb::Copy, from, call, undo, act);
        step.bytes = Some(counted.1);
        step.name = format!("{} to {}", step.name, to.subject().display());
        let notes = vec![format!("{}, {}", self::counted(counted.0, "file"), size(counted.1))];
        Ok(self.plan(vec![step], notes))
    }

    /// To the trash. `mounted` are folders of this machine that workspaces have mounted.
    pub async fn trash(&self, from: &Reach, mounted: &[PathBuf]) -> Result<Plan> {
        let retired = from.workspace.as_ref().is_some_and(|workspace| workspace.state == RunState::Retired);
        let spot = from.spot()?.clone();
        let all_of_it = spot.is_root();
        if all_of_it && !retired {
            return Err(whole(from));
        }
        let found = entry(self.files, from).await?.ok_or_else(|| gone(from))?;
        if let Some(reason) = from.at.clone()?.fixed {
            return Err(fixed(from, &reason));
        }
        let full = spot.full();
        refuse(&found, &full, self.host, mounted)?;
        let limit = (from.workspace.is_some() && !all_of_it).then(|| spot.root.clone());
        let (host, here, known) = (Arc::clone(self.host), full.clone(), found.clone());
        let under =
            on_disk(self.files, move |files| beneath_its_trash(files, &here, &known, limit.as_deref(), &host))
                .await?;
        let (files, bytes) = self.counted(&spot).await?;
        let at = self.clock.now();
        let id = format!("{}-{:x}", at.strftime("%Y%m%d-%H%M%S"), found.identity.inode);
        let goal = Path::new(&format!(".Trash-{}", self.host.uid)).join("files").join(&id);
        let to = Spot::new(under.root.clone(), &goal).ok_or_else(|| gone(from))?;
        let record = Trashed {
            id: id.clone(),
            from: under.clone(),
            now: to.clone(),
            seen: found.identity,
            at,
            workspace: from.workspace.as_ref().map(|workspace| workspace.name.clone()).unwrap_or_default(),
            files: Some(files),
            bytes: Some(bytes),
        };
        let trash = to.root.join(format!(".Trash-{}", self.host.uid));
        let mut notes = vec![
            format!("{}, {}; in the trash they take as much", counted(files, "file"), size(bytes)),
            format!("{} keeps it {KEPT_DAYS} days or until it is emptied", printable_path(&trash)),
        ];
        let mut asks_for = None;
        if let Some(workspace) = from.workspace.as_ref().filter(|_| all_of_it) {
            let host = Arc::clone(self.host);
            let folder = full.clone();
            let look = move |_: &dyn Files| {
                let backup = backup::last_words(&host, &folder, at);
                Ok((backup, git::state(&folder, &host)))
            };
            let (backup, state) = on_disk(self.files, look).await?;
            notes.push("this is the whole workspace folder".into());
            notes.push(backup);
            notes.push(git_words(&state));
            asks_for = Some(workspace.name.clone());
        }
        let act = FileAct {
            key: String::new(),
            from: under,
            seen: found.identity,
            to: Some(to),
            trashed: Some(record),
        };
        let call = call(&["trash", "put", &said(&from.subject())]);
        let undo = Some(format!("outlast trash restore {id}"));
        let step = self.step(Verb::Trash, from, call, undo, act);
        Ok(Plan { asks_for, ..self.plan(vec![step], notes) })
    }

    /// From the trash to where it was.
    pub async fn restore(&self, thing: &Trashed) -> Result<Plan> {
        let reach = of_the_trash(thing);
        let found = entry(self.files, &reach).await?.ok_or_else(|| vanished(thing))?;
        self.free(&thing.from).await?;
        let call = format!("outlast trash restore {}", thing.id);
        let undo = call_of(&["trash", "put", &said(&thing.from.full())]);
        let act = FileAct {
            key: String::new(),
            from: thing.now.clone(),
            seen: found.identity,
            to: Some(thing.from.clone()),
            trashed: Some(thing.clone()),
        };
        let mut step = self.step(Verb::Restore, &reach, call, undo, act);
        step.name = thing.from.full().to_string_lossy().into_owned();
        Ok(self.plan(vec![step], Vec::new()))
    }

    /// Out of the trash for good.
    pub async fn erase(&self, things: &[Trashed]) -> Result<Plan> {
        let mut steps = Vec::new();
        for thing in things {
            let reach = of_the_trash(thing);
            let place = thing.from.full();
            // What is gone already is only forgotten.
            let (seen, count) = match entry(self.files, &reach).await {
                Ok(Some(found)) => (found.identity, self.counted(&thing.now).await.ok()),
                _ => (thing.seen, Some((0, 0))),
            };
            let loss = Loss {
                what: place.to_string_lossy().into_owned(),
                storage: StorageKind::HostDisk,
                files: count.map(|(files, _)| files),
                bytes: count.map(|(_, bytes)| bytes),
                at_least: false,
                cache: false,
            };
            let act = FileAct {
                key: String::new(),
                from: thing.now.clone(),
                seen,
                to: None,
                trashed: Some(thing.clone()),
            };
            let call = format!("outlast trash empty {}", thing.id);
            let mut step = self.step(Verb::Erase, &reach, call, None, act);
            step.name = place.to_string_lossy().into_owned();
            step.bytes = count.map(|(_, bytes)| bytes);
            step.loses = vec![loss];
            steps.push(step);
        }
        Ok(self.plan(steps, Vec::new()))
    }

    /// What is there, if it may be changed.
    async fn changeable(&self, reach: &Reach) -> Result<(Spot, Entry)> {
        let spot = reach.spot()?.clone();
        let found = entry(self.files, reach).await?.ok_or_else(|| gone(reach))?;
        if found.mount || spot.is_root() {
            return Err(whole(reach));
        }
        self.changeable_in(reach, &spot).await?;
        Ok((spot, found))
    }

    /// That the folder of an entry may be changed.
    async fn changeable_in(&self, reach: &Reach, spot: &Spot) -> Result<()> {
        let above = spot.above().ok_or_else(|| whole(reach))?;
        let listing = on_disk(self.files, move |files| files.list(&above, 0)).await?;
        match reach.at.clone()?.fixed.or(listing.fixed) {
            Some(reason) => Err(fixed(reach, &reason)),
            None => Ok(()),
        }
    }

    /// That nothing is at a spot yet.
    async fn free(&self, spot: &Spot) -> Result<()> {
        let there = spot.clone();
        match on_disk(self.files, move |files| files.entry(&there)).await? {
            None => Ok(()),
            Some(_) => {
                Err(Error::new(Kind::Conflict, format!("{} is there already", printable_path(&spot.full())))
                    .hint("nothing is overwritten; choose another name"))
            }
        }
    }

    async fn counted(&self, spot: &Spot) -> Result<(u64, u64)> {
        let spot = spot.clone();
        on_disk(self.files, move |files| files.count(&spot, &Job::default())).await
    }

    fn step(&self, verb: Verb, reach: &Reach, call: String, undo: Option<String>, act: FileAct) -> Step {
        let key = reach.key();
        let subject = if key.id.is_empty() { WsKey { endpoint: self.endpoint.into(), ..key } } else { key };
        Step {
            verb,
            subject,
            name: reach.subject().to_string_lossy().into_owned(),
            call,
            bytes: None,
            loses: Vec::new(),
            reversible_by: undo,
            job: None,
            files: Some(Box::new(act)),
            deed: None,
        }
    }

    fn plan(&self, mut steps: Vec<Step>, notes: Vec<String>) -> Plan {
        let made_at = self.clock.now();
        let id = new_id(made_at);
        for (number, step) in steps.iter_mut().enumerate() {
            if let Some(act) = &mut step.files {
                act.key = format!("{id}-{number}");
            }
        }
        let endpoint = self.endpoint.to_owned();
        Plan {
            id,
            endpoint,
            made_at,
            preconditions: Vec::new(),
            steps,
            notes,
            asks_for: None,
            facts: Vec::new(),
        }
    }
}

/// Something in the trash, to be looked at.
fn of_the_trash(thing: &Trashed) -> Reach {
    let at = crate::port::Whereabouts { spot: thing.now.clone(), fixed: None, partial: None, written: None };
    Reach { workspace: None, grounds: None, path: thing.now.full(), at: Ok(at) }
}

/// A command of ours whose words are quoted already.
fn call(words: &[&str]) -> String {
    format!("outlast {}", words.join(" "))
}

/// The same, where every word could be typed.
fn call_of(words: &[&str]) -> Option<String> {
    words.iter().all(|word| !word.is_empty()).then(|| call(words))
}

/// A path as a word for a shell; empty where nobody could type it.
fn said(path: &Path) -> String {
    quote(path).unwrap_or_default()
}

fn gone(reach: &Reach) -> Error {
    Error::new(Kind::NotFound, format!("{} is not there", printable_path(&reach.subject())))
}

fn whole(reach: &Reach) -> Error {
    let place = reach.subject();
    Error::new(Kind::Refused, format!("{} is the folder itself, not something in it", printable_path(&place)))
}

fn fixed(reach: &Reach, reason: &str) -> Error {
    Error::new(Kind::NotPermitted, format!("{} cannot be changed: {reason}", printable_path(&reach.subject())))
}

fn vanished(thing: &Trashed) -> Error {
    Error::new(Kind::NotFound, format!("{} is not in the trash any more", printable_path(&thing.from.full())))
        .hint("its trash was emptied by another program, or its file system is not mounted")
}
