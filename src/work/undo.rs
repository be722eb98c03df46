//! Bringing back what was retired: the container is made under another name, its files are put back, and
//! only then it gets its own name. Also: what can be brought back, until when, and why not.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::act::new_id;
use crate::core::backup::Repository;
use crate::core::deed::Deed;
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::{Fact, Plan, Step, Verb};
use crate::core::undo::{Place, Saved, Undo};
use crate::core::workspace::{CLIENT, RunState, WsKey};
use crate::port::{Backups, Clock, Engine};
use crate::store::Store;
use crate::text::{printable, printable_path};

/// What plans are made with.
pub struct Undoing<'a> {
    /// Where it ran.
    pub engine: &'a dyn Engine,
    /// Opens repositories.
    pub backups: &'a Arc<dyn Backups>,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The repository in use, whose address may hold a password.
    pub in_use: Option<Repository>,
}

/// One record, and whether it can be brought back now.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The record.
    pub record: Undo,
    /// Why not; empty where it can.
    pub lacks: Vec<String>,
}

/// The record that an id or a name means; the newest where neither is given.
pub fn find(store: &Store, wanted: Option<&str>) -> Result<Undo> {
    let all = store.undos().all()?;
    let Some(wanted) = wanted else {
        return all.into_iter().next().ok_or_else(|| {
            Error::new(Kind::NotFound, "nothing was retired here that could be brought back")
                .hint("`outlast log` shows what was done")
        });
    };
    let is_meant =
        |record: &Undo| record.id == wanted || record.recipe.name == wanted || record.workspace == wanted;
    if let Some(record) = all.iter().find(|record| is_meant(record)) {
        return Ok(record.clone());
    }
    let mut begin = all.into_iter().filter(|record| record.id.starts_with(wanted));
    match (begin.next(), begin.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(Error::new(Kind::Usage, format!("more than one begins with {wanted}"))
            .hint("`outlast undo --list` lists them")),
        (None, _) => {
            Err(Error::new(Kind::NotFound, format!("“{wanted}” is nothing that could be brought back"))
                .hint("`outlast undo --list` lists what can"))
        }
    }
}

impl Undoing<'_> {
    /// What can be brought back, the newest first, and why not where it cannot.
    pub async fn offers(&self, store: &Store) -> Result<Vec<Offer>> {
        let ours = &self.engine.endpoint().id;
        let mut offers = Vec::new();
        for record in store.undos().all()?.into_iter().filter(|record| record.subject.endpoint == *ours) {
            let lacks = self.lacks(&record).await.unwrap_or_else(|error| vec![error.message]);
            offers.push(Offer { record, lacks });
        }
        Ok(offers)
    }

    /// Why something cannot be brought back now.
    async fn lacks(&self, record: &Undo) -> Result<Vec<String>> {
        let mut lacks = Vec::new();
        if record.until < self.clock.now() {
            lacks.push("its time is over".into());
        }
        let name = &record.recipe.name;
        let key = WsKey { endpoint: record.subject.endpoint.clone(), id: name.clone() };
        match self.engine.detail(&key).await {
            Ok(_) => lacks.push(format!("a container is called {} already", printable(name))),
            Err(error) if error.kind == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
        lacks.extend(self.engine.lacks(&record.recipe).await?);
        let mut asked: Vec<(&str, Result<BTreeSet<String>>)> = Vec::new();
        for saved in &record.saved {
            let url = saved.repository.url.as_str();
            if !asked.iter().any(|(known, _)| *known == url) {
                let (backups, repository) = (Arc::clone(self.backups), self.opened(&saved.repository));
                let ids = tokio::task::spawn_blocking(move || backups.ids(&repository)).await;
                let ids = ids.map_err(|_| Error::new(Kind::Failed, "looking at the repository ended badly"));
                asked.push((url, ids.and_then(|ids| ids.map(|ids| ids.into_iter().collect()))));
            }
            let there = asked.iter().find(|(known, _)| *known == url).map(|(_, ids)| ids);
            match there {
                Some(Ok(ids)) if !ids.contains(&saved.snapshot) => {
                    let short = saved.snapshot.get(..8).unwrap_or(&saved.snapshot);
                    lacks.push(format!("its snapshot {short} is gone"));
                }
                Some(Err(error)) => lacks.push(error.message.clone()),
                _ => {}
            }
        }
        lacks.dedup();
        Ok(lacks)
    }

    /// The repository with its password, where it is the one in use.
    fn opened(&self, repository: &Repository) -> Repository {
        self.in_use.clone().filter(|used| used.url == repository.url).unwrap_or_else(|| repository.clone())
    }

    /// Plans to bring it back.
    pub async fn plan(&self, record: &Undo) -> Result<Plan> {
        let lacks = self.lacks(record).await?;
        if let Some(first) = lacks.first() {
            let error = Error::new(Kind::Refused, lacks.join("; "));
            return Err(match first {
                gone if gone.contains("image") => error.hint("build or load the image again under that name"),
                folder if folder.contains("the folder") => {
                    error.hint("make the folder, or restore it from a backup")
                }
                name if name.contains("already") => error.hint("rename or remove that one first"),
                _ => error.hint("`outlast restore` writes what was saved to a folder"),
            });
        }
        let now = self.clock.now();
        let id = new_id(now);
        let mut steps = Vec::new();
        let working = WsKey { endpoint: record.subject.endpoint.clone(), id: Undo::working_name(&id) };
        let named = WsKey { id: record.recipe.name.clone(), ..working.clone() };
        let name = &record.recipe.name;
        let mut step = |verb: Verb, subject: &WsKey, call: String, undo: Option<String>, deed: Deed| {
            steps.push(Step {
                verb,
                subject: subject.clone(),
                name: name.clone(),
                call,
                bytes: None,
                loses: Vec::new(),
                reversible_by: undo,
                files: None,
                job: None,
                deed: Some(Box::new(deed)),
            });
        };
        let client = record.recipe.command.split(' ').next().unwrap_or(CLIENT);
        let recipe = Box::new(record.recipe.clone());
        let remove = Some(format!("{client} rm {}", printable(name)));
        step(Verb::Make, &working, record.recipe.command.clone(), remove, Deed::Make { recipe });
        let (memory, lasting): (Vec<_>, Vec<_>) =
            record.saved.iter().partition(|saved| matches!(saved.place, Place::Memory(_)));
        let back = |saved: &Saved| {
            let short = saved.snapshot.get(..8).unwrap_or(&saved.snapshot);
            let call = format!("outlast restore {short}, to {}", printable_path(&saved.place.target()));
            let saved = Saved { repository: self.opened(&saved.repository), ..saved.clone() };
            (call, Deed::PutBack(Box::new(saved)))
        };
        for saved in lasting {
            let (call, deed) = back(saved);
            step(Verb::PutBack, &working, call, None, deed);
        }
        let rename = format!("{client} rename {} {}", working.id, printable(name));
        step(Verb::Name, &working, rename, None, Deed::Name { to: name.clone() });
        if record.was.is_up() {
            let (start, stop) = (format!("{client} start {name}"), format!("{client} stop {name}"));
            step(Verb::Start, &named, start, Some(stop), Deed::Plain);
            for saved in memory.iter().filter(|saved| !is_between_devices(saved)) {
                let (call, deed) = back(saved);
                step(Verb::PutBack, &named, call, None, deed);
            }
            if record.was == RunState::Paused {
                step(Verb::Pause, &named, format!("{client} pause {name}"), None, Deed::Plain);
            }
        }
        let forget = record.pin.as_ref().map_or_else(String::new, |pin| format!("{client} rmi {pin}"));
        let deed = Deed::Forget { record: record.id.clone(), pin: record.pin.clone() };
        step(Verb::Unpin, &named, forget, None, deed);
        steps.retain(|step| !step.call.is_empty() || step.verb == Verb::Unpin);
        Ok(Plan {
            id,
            endpoint: record.subject.endpoint.clone(),
            made_at: now,
            preconditions: Vec::new(),
            steps,
            notes: notes(record, &memory),
            asks_for: None,
            facts: vec![Fact::plain(
                "retired",
                format!("{} by {}", crate::text::ago(record.at, now), printable(&record.user)),
            )],
        })
    }
}

/// Whether files lay between devices, where nothing is written by us.
fn is_between_devices(saved: &Saved) -> bool {
    saved.place.target() == std::path::Path::new("/dev")
}

fn notes(record: &Undo, memory: &[&Saved]) -> Vec<String> {
    let mut notes = Vec::new();
    if record.saved.is_empty() {
        notes.push("none of its files were saved: only the container comes back".into());
    }
    if !record.lost.is_empty() {
        notes.push(format!("given up when it was retired: {}", record.lost.join(", ")));
    }
    if let Some(saved) = memory.iter().find(|saved| is_between_devices(saved)) {
        let short = saved.snapshot.get(..8).unwrap_or(&saved.snapshot);
        let restore = format!("`outlast restore {short} FOLDER --what all` writes them to a folder");
        notes.push(format!("files between devices, in /dev, are not put back: {restore}"));
    }
    if memory.iter().any(|saved| !is_between_devices(saved)) {
        notes.push("what was in memory is put back just after it started".into());
    }
    notes
}

/// Forgets what can be brought back no longer; its images may go from now on.
pub async fn sweep(engine: &dyn Engine, store: &Store, now: Timestamp) {
    let ours = &engine.endpoint().id;
    for record in store.undos().all().unwrap_or_default() {
        if record.until >= now || record.subject.endpoint != *ours {
            continue;
        }
        if let Some(pin) = &record.pin {
            let image = Deed::Image { image: pin.clone(), tag: String::new() };
            let step = Step {
                verb: Verb::Unpin,
                subject: record.subject.clone(),
                name: pin.clone(),
                call: String::new(),
                bytes: None,
                loses: Vec::new(),
                reversible_by: None,
                files: None,
                job: None,
                deed: Some(Box::new(image)),
            };
            match engine.run(&step).await {
                Err(error) if !matches!(error.kind, Kind::NotFound | Kind::Conflict) => continue,
                _ => {}
            }
        }
        // What cannot be forgotten now is tried again the next time.
        let _ = store.undos().remove(&record.id);
    }
}
