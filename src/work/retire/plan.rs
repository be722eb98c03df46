//! The plan that retires a workspace: freeze, save, read back, let go on, stop, save the difference,
//! remove. Without a way to save, what goes is in the plan as a loss, and only `--lose-data` agrees to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::places::{self, Spared};
use super::preflight;
use crate::core::backup::{Job, Part, Save, Task};
use crate::core::classify::Grounds;
use crate::core::deed::{Deed, Saving};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::finding::Risk;
use crate::core::mount::Backing;
use crate::core::plan::{Fact, Loss, Plan, Precondition, Step, Verb};
use crate::core::recipe::Recipe;
use crate::core::spot::Spot;
use crate::core::undo::{KEPT_DAYS, Place, Undo};
use crate::core::workspace::{RunState, Workspace};
use crate::port::{Clock, Engine, Files, Host};
use crate::store::Store;
use crate::text::{printable, printable_path, size};
use crate::work::act::{applies, call, digest, losses, new_id};
use crate::work::backup::Chosen;
use crate::work::doomed::{Doomed, fit};
use crate::work::rescue;

/// What a snapshot may take unless another limit is named.
pub const LIMIT: u64 = 15 << 30;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Nothing is saved; what goes is lost.
    pub lose_data: bool,
    /// The image goes too, if nothing else uses it.
    pub images: bool,
    /// An image of the container is made first, so that its packages stay.
    pub save_packages: bool,
    /// Files at risk are copied to this folder first.
    pub rescue_to: Option<PathBuf>,
    /// A larger snapshot is refused.
    pub limit: u64,
}

impl Default for Wish {
    fn default() -> Self {
        Self { lose_data: false, images: false, save_packages: false, rescue_to: None, limit: LIMIT }
    }
}

/// What plans are made with.
pub struct Retiring<'a> {
    /// Where the workspace runs.
    pub engine: &'a dyn Engine,
    /// The files of this machine.
    pub files: &'a Arc<dyn Files>,
    /// This machine.
    pub host: &'a Arc<Host>,
    /// The time.
    pub clock: &'a dyn Clock,
    /// The repository, and whether it is there; why there is none.
    pub repository: Result<(Chosen, bool)>,
}

impl Retiring<'_> {
    /// Makes the plan. `risk` is what was found in places that do not last, every file of it.
    pub async fn plan(
        &self,
        workspace: &Workspace,
        grounds: &Grounds,
        risk: Option<&Risk>,
        roots: &[PathBuf],
        last_backup: Option<Timestamp>,
        wish: &Wish,
    ) -> Result<Plan> {
        let detail = &grounds.detail;
        applies(Verb::Retire, workspace, detail.state)?;
        let now = self.clock.now();
        let id = new_id(now);
        let recipe = self.engine.recipe(&workspace.key, &Store::variables(self.host, &id)?).await?;
        let places = places::places(self.engine, self.files, workspace, grounds, risk).await;
        let mut facts = preflight::facts(self, workspace, grounds, risk, roots, last_backup).await;
        let goes = losses(&grounds.classifier(), risk, Event::Retire);
        let nothing = goes.iter().all(|loss| loss.files == Some(0) && !loss.at_least);
        let saved = match (&places, fit(self.engine, workspace, grounds, &self.repository).await) {
            _ if wish.lose_data => Err(None),
            (Err(error), _) => Err(Some(error.clone())),
            (_, Err(error)) => Err(Some(error)),
            (Ok(places), Ok((chosen, exists))) => {
                within(&goes, wish.limit).map(|()| (places, chosen, !exists)).map_err(Some)
            }
        };
        let mut making = Making {
            workspace,
            name: workspace.container.clone().unwrap_or_default(),
            recipe,
            id: id.clone(),
            now,
            host: self.host,
            removes_itself: detail.on_stop == crate::core::aftermath::Aftermath::Removed,
            steps: Vec::new(),
            limit: wish.limit,
            rescue: None,
        };
        let mut notes = making.recipe.notes.clone();
        let mut loses = Vec::new();
        if let Some(folder) = &wish.rescue_to {
            let doomed = Doomed::of(self.engine, workspace, grounds).await;
            doomed.spares("the folder", folder).await?;
            let lots = places::lots(places.as_deref().unwrap_or_default(), risk.ok_or_else(not_read)?);
            if places.is_err() {
                return Err(places.err().unwrap_or_else(not_read));
            }
            making.rescue = Some((rescue::act(&id, lots, folder), folder.clone()));
        }
        match saved {
            Ok((places, chosen, create)) => {
                facts.push(Fact::plain("saves", saves(places, chosen)));
                notes.extend(
                    chosen
                        .own
                        .then(|| "its repository is on this host: it does not outlive the host".to_owned()),
                );
                making.with_saving(detail.state, places, chosen, create);
            }
            Err(why) => {
                if let Some(why) = &why {
                    facts.push(Fact::plain(super::UNSAVED, why.message.clone()));
                }
                if !nothing {
                    loses.clone_from(&goes);
                }
                making.without_saving(detail.state);
            }
        }
        if making.removes_itself && detail.state.is_up() {
            notes.push("it removes itself when it stops (--rm): what it writes while it stops is lost".into());
        } else if detail.state.is_up() && !wish.lose_data && facts.iter().any(preflight::holds_memory) {
            notes.push("what it writes to memory while it stops is lost".into());
        }
        let pin = (!wish.images).then(|| Undo::pin(&id));
        let record = making.record(pin, detail.state, grounds, &loses);
        let layer = places.as_deref().ok().and_then(places::layer);
        facts.push(Fact::plain(
            "undo",
            format!("outlast undo {}, for {KEPT_DAYS} days", quoted(&making.name, workspace)),
        ));
        making.finish(record, layer, wish, loses);
        Ok(Plan {
            id,
            endpoint: workspace.key.endpoint.clone(),
            made_at: now,
            preconditions: vec![Precondition {
                subject: workspace.key.clone(),
                state: detail.state,
                started: detail.started,
                image_id: workspace.image_id.clone(),
                at_risk: digest(&goes),
            }],
            steps: making.steps,
            notes,
            asks_for: None,
            facts,
        })
    }
}

fn not_read() -> Error {
    Error::new(Kind::NotPermitted, "its files at risk could not be read")
}

/// That a snapshot does not become larger than it may.
fn within(goes: &[Loss], limit: u64) -> Result<()> {
    let bytes: u64 = goes.iter().filter_map(|loss| loss.bytes).sum();
    if bytes <= limit {
        return Ok(());
    }
    Err(Error::new(
        Kind::Refused,
        format!(
            "{} would be saved, {} more than the limit of {}",
            size(bytes),
            size(bytes - limit),
            size(limit)
        ),
    ))
}

/// What is saved and where, in one sentence.
fn saves(places: &[Spared], chosen: &Chosen) -> String {
    let all: Vec<String> = places
        .iter()
        .map(|spared| match &spared.place {
            Place::Layer => "its writable layer".to_owned(),
            place => printable_path(&place.target()).into_owned(),
        })
        .collect();
    format!("{} to {}, and reads it back", all.join(", "), printable(&chosen.repository.url))
}

/// A plan that grows.
struct Making<'a> {
    workspace: &'a Workspace,
    name: String,
    recipe: Recipe,
    id: String,
    now: Timestamp,
    host: &'a Host,
    removes_itself: bool,
    steps: Vec<Step>,
    limit: u64,
    rescue: Option<(crate::core::rescue::Rescue, PathBuf)>,
}

impl Making<'_> {
    fn step(&mut self, verb: Verb, call: String, undo: Option<String>, deed: Deed) {
        self.steps.push(Step {
            verb,
            subject: self.workspace.key.clone(),
            name: self.name.clone(),
            call,
            bytes: None,
            loses: Vec::new(),
            reversible_by: undo,
            files: None,
            job: None,
            deed: Some(Box::new(deed)),
        });
    }

    /// One of the engine's own verbs.
    fn plain(&mut self, verb: Verb, opposite: Option<Verb>) {
        let undo = opposite.map(|opposite| call(opposite, self.workspace, &self.name));
        self.step(verb, call(verb, self.workspace, &self.name), undo, Deed::Plain);
    }

    fn rescues(&mut self) {
        if let Some((what, folder)) = self.rescue.take() {
            let name = printable(&self.name).into_owned();
            let call = format!("outlast rescue {name} --to {}", printable_path(&folder));
            self.step(Verb::Rescue, call, None, Deed::Rescue(Box::new(what)));
        }
    }

    fn with_saving(&mut self, state: RunState, places: &[Spared], chosen: &Chosen, create: bool) {
        if state == RunState::Running {
            self.plain(Verb::Pause, Some(Verb::Unpause));
        }
        self.rescues();
        self.save(places, chosen, create);
        if matches!(state, RunState::Running | RunState::Paused) {
            self.plain(Verb::Unpause, Some(Verb::Pause));
        }
        if state.is_up() {
            self.pin_and_stop();
            if !self.removes_itself {
                // What was written while it stopped.
                self.save(&places::lasting(places), chosen, create);
            }
        } else {
            self.pin();
        }
    }

    fn without_saving(&mut self, state: RunState) {
        if state == RunState::Running && self.rescue.is_some() {
            self.plain(Verb::Pause, Some(Verb::Unpause));
            self.rescues();
            self.plain(Verb::Unpause, Some(Verb::Pause));
        }
        self.rescues();
        if state == RunState::Paused {
            self.plain(Verb::Unpause, Some(Verb::Pause));
        }
        if state.is_up() {
            self.pin_and_stop();
        } else {
            self.pin();
        }
    }

    fn pin_and_stop(&mut self) {
        self.pin();
        let undo = (!self.removes_itself).then_some(Verb::Start);
        self.plain(Verb::Stop, undo);
    }

    fn pin(&mut self) {
        let image = self.recipe.image_id.clone().unwrap_or_else(|| self.recipe.image.clone());
        let tag = Undo::pin(&self.id);
        let client = self.workspace.client;
        let call = format!("{client} tag {} {tag}", printable(&self.recipe.image));
        let undo = Some(format!("{client} rmi {tag}"));
        self.step(Verb::Pin, call, undo, Deed::Image { image, tag });
    }

    fn save(&mut self, places: &[Spared], chosen: &Chosen, create: bool) {
        let name = &self.workspace.name;
        let parts = places.iter().map(|spared| Part {
            name: spared.part.clone(),
            from: spared.from.full(),
            only: None,
            exclude: Vec::new(),
        });
        let job = Job {
            id: new_id(self.now),
            made_at: self.now,
            user: self.host.user.clone().unwrap_or_else(|| self.host.uid.to_string()),
            repository: chosen.repository.clone(),
            task: Task::Backup(Save {
                workspace: name.clone(),
                folder: PathBuf::from(format!("layer of {name}")),
                parts: parts.collect(),
                definition: None,
                create,
                verify: true,
                most: Some(self.limit),
                host: self.host.hostname.clone(),
            }),
            notes: Vec::new(),
        };
        let memory = places.iter().filter(|spared| matches!(spared.place, Place::Memory(_)));
        let memory: Vec<Spot> = memory.map(|spared| spared.from.clone()).collect();
        let record = self.bare_record();
        let saving =
            Saving { job, places: places.iter().map(|spared| spared.place.clone()).collect(), memory, record };
        let call = format!("outlast backup {} --layer --verify", printable(&self.name));
        self.step(Verb::Snapshot, call, None, Deed::Save(Box::new(saving)));
    }

    fn bare_record(&self) -> Undo {
        Undo {
            id: self.id.clone(),
            at: self.now,
            until: Undo::until(self.now),
            user: self.host.user.clone().unwrap_or_else(|| self.host.uid.to_string()),
            workspace: self.workspace.name.clone(),
            subject: self.workspace.key.clone(),
            was: self.workspace.state,
            recipe: self.recipe.clone(),
            pin: Some(Undo::pin(&self.id)),
            saved: Vec::new(),
            volumes: Vec::new(),
            lost: Vec::new(),
        }
    }

    fn record(&self, pin: Option<String>, was: RunState, grounds: &Grounds, loses: &[Loss]) -> Undo {
        let volumes = grounds.detail.mounts.iter().filter_map(|mount| match &mount.backing {
            Backing::Volume { name, anonymous: true } if !self.removes_itself => Some(name.clone()),
            _ => None,
        });
        Undo {
            was,
            pin,
            volumes: volumes.collect(),
            lost: loses.iter().filter(|loss| loss.files != Some(0)).map(|loss| loss.what.clone()).collect(),
            ..self.bare_record()
        }
    }

    fn finish(&mut self, mut record: Undo, layer: Option<Spot>, wish: &Wish, loses: Vec<Loss>) {
        let client = self.workspace.client;
        if wish.save_packages {
            let name = saved_as(&self.recipe.image, self.workspace, self.now);
            let call = format!("{client} commit {} {name}", printable(&self.name));
            let undo = Some(format!("{client} rmi {name}"));
            let container = self.workspace.key.id.clone();
            self.step(Verb::Commit, call, undo, Deed::Image { image: container, tag: name });
        }
        // The job's records say what was made first; the last word has what is true at the end.
        for step in &mut self.steps {
            if let Some(Deed::Save(saving)) = step.deed.as_deref_mut() {
                saving.record = record.clone();
            }
        }
        record.at = self.now;
        let create = self.recipe.command.clone();
        let call = format!("{client} rm {}", quoted(&self.name, self.workspace));
        let remove = Deed::Remove { record: Box::new(record), layer };
        self.step(Verb::Remove, call, Some(create), remove);
        if let Some(step) = self.steps.last_mut() {
            step.loses = loses;
        }
        if wish.images {
            // Its own name for undo would keep it.
            self.steps.retain(|step| step.verb != Verb::Pin);
            let image = self.recipe.image.clone();
            let call = format!("{client} rmi {}", printable(&image));
            self.step(Verb::RemoveImage, call, None, Deed::Image { image, tag: String::new() });
        }
    }
}

fn quoted(name: &str, workspace: &Workspace) -> String {
    crate::work::explain::quote(Path::new(name)).unwrap_or_else(|| workspace.key.id.clone())
}

/// The name of an image of a container: a new one each time, never one that is there.
fn saved_as(image: &str, workspace: &Workspace, now: Timestamp) -> String {
    let base = image.split('@').next().unwrap_or(image);
    let slash = base.rfind('/').unwrap_or(0);
    let repo = match base.rfind(':') {
        Some(colon) if colon > slash => &base[..colon],
        _ => base,
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/:".contains(c);
    let repo = if repo.is_empty() || !repo.chars().all(plain) || repo.starts_with("sha256") {
        let name = workspace.name.to_lowercase();
        name.chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-').collect()
    } else {
        repo.to_owned()
    };
    format!("{repo}:saved-{}", now.strftime("%Y%m%d-%H%M%S"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::fake;

    #[test]
    fn an_image_of_a_container_has_a_new_name_and_never_the_one_it_came_from() {
        let workspace = fake::workspace("My Proj");
        let name = |image: &str| saved_as(image, &workspace, Timestamp::UNIX_EPOCH);
        assert_eq!(name("ds01-1001/p:latest"), "ds01-1001/p:saved-19700101-000000");
        assert_eq!(name("host:5000/p"), "host:5000/p:saved-19700101-000000");
        assert_eq!(name("sha256:0123"), "myproj:saved-19700101-000000");
    }

    #[test]
    fn what_is_larger_than_it_may_be_is_not_saved_in_part() {
        let loss = |bytes| Loss {
            what: "/".into(),
            storage: crate::core::storage::StorageKind::WritableLayer,
            files: Some(1),
            bytes: Some(bytes),
            at_least: false,
            cache: false,
        };
        assert!(within(&[loss(LIMIT)], LIMIT).is_ok());
        let error = within(&[loss(LIMIT), loss(1)], LIMIT).unwrap_err();
        assert_eq!(error.kind, Kind::Refused);
    }
}
