//! What steps of larger plans are done with: jobs that save and restore, files that are put back, and
//! single acts on a container that are logged like any other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::files::on_disk;
use crate::core::backup::{End, Outcome, Restore, Task};
use crate::core::deed::Saving;
use crate::core::error::{Error, Kind, Result};
use crate::core::mount::{Backing, Mount};
use crate::core::plan::{Plan, Step, Verb};
use crate::core::report::Change;
use crate::core::rescue::{Lot, Rescue};
use crate::core::spot::Spot;
use crate::core::undo::{Place, Saved};
use crate::core::workspace::WsKey;
use crate::port::{Clock, Engine, Entry, EntryKind, Files, Job};
use crate::store::Store;
use crate::text::{printable, printable_path};
use crate::work::backup;

/// How often it is looked whether an act is to end.
const EVERY: Duration = Duration::from_millis(100);

/// What it is done with.
pub(super) struct Hands<'a> {
    pub(super) engine: &'a dyn Engine,
    pub(super) files: &'a Arc<dyn Files>,
    pub(super) store: &'a Store,
    pub(super) clock: &'a dyn Clock,
    /// Who the books say it was.
    pub(super) user: String,
    /// This very program, to work on jobs in a process of its own.
    pub(super) program: &'a Path,
    /// Whether it is to end.
    pub(super) job: &'a Arc<Job>,
}

impl Hands<'_> {
    /// Does one act on a container, and logs it as a part of a plan.
    pub(super) async fn act(&self, verb: Verb, plan: &Plan, subject: &WsKey, result: &str) -> Result<()> {
        let step = plain(verb, plan, subject);
        let before = super::run::state_of(self.engine, subject).await;
        self.engine.run(&step).await?;
        let change = Change {
            at: self.clock.now(),
            user: self.user.clone(),
            endpoint: plan.endpoint.clone(),
            verb,
            subject: subject.clone(),
            container: step.name.clone(),
            before,
            after: super::run::state_of(self.engine, subject).await,
            plan: plan.id.clone(),
            result: result.into(),
            command: step.call,
            recreate: None,
        };
        // What was done counts, whether it could be written down or not.
        let _ = self.store.audit().append(&change);
        Ok(())
    }

    /// Saves files to a repository; they count only where all are there and read back whole.
    pub(super) async fn save(&self, saving: &Saving) -> Result<Vec<Saved>> {
        for spot in &saving.memory {
            self.is_memory(spot).await?;
        }
        let outcome = self.work_on(&saving.job).await?;
        let unsaved = |why: String| {
            Error::new(Kind::Refused, format!("its files could not be saved: {why}"))
                .hint("`outlast rescue NAME` copies them to a folder that is kept")
                .hint("`--lose-data` agrees to losing them")
        };
        if let Some(skip) = outcome.skipped.first.first() {
            let path = printable(&skip.path.path).into_owned();
            return Err(unsaved(format!("{path}: {}", skip.why)));
        }
        let whole = outcome.end == End::Done && outcome.verified == Some(true);
        let Some(snapshot) = outcome.snapshot.filter(|_| whole) else {
            return Err(unsaved("what was read back is not what was saved".into()));
        };
        let Task::Backup(save) = &saving.job.task else { return Ok(Vec::new()) };
        let parts = save.parts.iter().zip(&saving.places);
        Ok(parts
            .map(|(part, place)| Saved {
                repository: saving.job.repository.clone(),
                snapshot: snapshot.id.clone(),
                part: part.name.clone(),
                place: place.clone(),
            })
            .collect())
    }

    /// That a place still is memory of its own: the container's processes may have put a link there.
    async fn is_memory(&self, spot: &Spot) -> Result<()> {
        let there = spot.clone();
        let found: Option<Entry> = on_disk(self.files, move |files| files.entry(&there)).await?;
        if found.is_some_and(|entry| entry.kind == EntryKind::Folder && entry.mount) {
            return Ok(());
        }
        let place = printable_path(&spot.full()).into_owned();
        Err(Error::new(
            Kind::Refused,
            format!("what is in memory cannot be saved: {place} is no mount any more"),
        ))
    }

    /// Works on a job until it is over.
    async fn work_on(&self, job: &crate::core::backup::Job) -> Result<Outcome> {
        let jobs = self.store.jobs();
        backup::start(&jobs, job, self.program)?;
        let stopped = async {
            while self.job.advance(0).is_ok() {
                tokio::time::sleep(EVERY).await;
            }
        };
        let outcome = backup::follow(&jobs, &job.id, stopped, &mut |_| {}).await.map_err(refused)?;
        match &outcome.error {
            Some(fault) => Err(refused(Error::from(fault))),
            None => Ok(outcome),
        }
    }

    /// Writes a part of a snapshot to a new folder; all of it, or it counts as nothing.
    async fn fetch(&self, saved: &Saved, to: &Path) -> Result<()> {
        let now = self.clock.now();
        let task = Task::Restore(Restore {
            snapshot: saved.snapshot.clone(),
            part: Some(saved.part.clone()),
            include: None,
            to: to.to_path_buf(),
            remap: None,
            becomes: None,
        });
        let job = crate::core::backup::Job {
            id: super::new_id(now),
            made_at: now,
            user: self.user.clone(),
            repository: saved.repository.clone(),
            task,
            notes: Vec::new(),
        };
        let outcome = self.work_on(&job).await?;
        let bad = outcome.damaged.first.first().or(outcome.skipped.first.first());
        match bad {
            None if outcome.end == End::Done => Ok(()),
            None => Err(Error::new(Kind::Refused, "its files could not be put back, at least not all of them")),
            Some(skip) => {
                let path = printable(&skip.path.path).into_owned();
                let message = format!("its files could not be put back: {path}: {}", skip.why);
                Err(Error::new(Kind::Refused, message))
            }
        }
    }

    /// Puts saved files back where they were.
    pub(super) async fn put_back(&self, plan: &str, key: &WsKey, saved: &Saved) -> Result<()> {
        match &saved.place {
            Place::Memory(target) => self.put_back_memory(plan, key, saved, target).await,
            place => {
                let target = place.target();
                let detail = self.engine.detail(key).await?;
                let mount = detail.mounts.iter().find(|mount| mount.target == target);
                let folder = mount.and_then(|mount| mount.host_path.clone()).ok_or_else(|| {
                    let message = format!("{} cannot be opened here", printable_path(&target));
                    Error::new(Kind::NotPermitted, message).hint("root can; or restore the snapshot elsewhere")
                })?;
                if mount.is_some_and(is_the_engines) {
                    self.exchange(plan, saved, &folder).await
                } else {
                    self.fetch(saved, &folder).await
                }
            }
        }
    }

    /// Puts a new folder in the place of one that the engine made.
    async fn exchange(&self, plan: &str, saved: &Saved, folder: &Path) -> Result<()> {
        let (Some(above), Some(name)) = (folder.parent(), folder.file_name()) else {
            return Err(Error::new(Kind::Failed, "its layer has no folder"));
        };
        let beside = format!("outlast-{plan}");
        self.fetch(saved, &above.join(&beside)).await?;
        let spot = |name: &Path| Spot { root: above.into(), path: name.into() };
        let (new, place) = (spot(Path::new(&beside)), spot(Path::new(name)));
        on_disk(self.files, move |files| files.put_back(&new, &place)).await
    }

    /// Into memory files are copied beside what its processes made there by now.
    async fn put_back_memory(&self, plan: &str, key: &WsKey, saved: &Saved, target: &Path) -> Result<()> {
        let staged = self.staged(plan, target);
        let _ = std::fs::remove_dir_all(&staged);
        self.fetch(saved, &staged).await?;
        let detail = self.engine.detail(key).await?;
        let to = self.engine.whereabouts(key, &detail, target).await?.spot;
        self.is_memory(&to).await?;
        let from = Spot { root: staged.clone(), path: PathBuf::new() };
        let lots = vec![Lot { from, below: PathBuf::new(), only: vec![PathBuf::new()] }];
        let what = Rescue { key: plan.to_owned(), lots, to, owner: None };
        let job = Arc::clone(self.job);
        let told = on_disk(self.files, move |files| files.rescue(&what, &job)).await?;
        let _ = std::fs::remove_dir_all(&staged);
        match told.missing.first.first() {
            None => Ok(()),
            Some(skip) => {
                Err(Error::new(Kind::Incomplete, format!("{}: {}", printable(&skip.path.path), skip.why)))
            }
        }
    }

    /// Where memory waits on the disk until it is put back.
    fn staged(&self, plan: &str, target: &Path) -> PathBuf {
        let name = target.to_string_lossy().replace('/', "_");
        self.store.folder().join("undo").join(format!("{plan}{name}.memory"))
    }
}

/// Whether the engine made the folder for this container alone: its layer, a volume without a name.
fn is_the_engines(mount: &Mount) -> bool {
    matches!(mount.backing, Backing::Layer | Backing::Volume { .. })
}

/// A failure to save or restore is a refusal: nothing was lost. What somebody called off they called off.
fn refused(error: Error) -> Error {
    match error.kind {
        Kind::Cancelled | Kind::Refused => error,
        _ => Error { kind: Kind::Refused, ..error },
    }
}

/// A step that does one thing to a container of a plan.
fn plain(verb: Verb, plan: &Plan, subject: &WsKey) -> Step {
    let known = plan.steps.iter().find(|step| step.subject == *subject).or(plan.steps.first());
    let name = known.map(|step| step.name.clone()).unwrap_or_default();
    let client = known.and_then(|step| step.call.split(' ').next()).filter(|word| *word == "podman");
    Step {
        verb,
        subject: subject.clone(),
        call: format!("{} {} {}", client.unwrap_or("docker"), verb.key(), subject.id),
        name,
        bytes: None,
        loses: Vec::new(),
        reversible_by: None,
        files: None,
        job: None,
        deed: None,
    }
}
