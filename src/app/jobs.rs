//! The tasks behind the tab Backups: the repository read, plans made, jobs begun and watched. A repository
//! that does not answer is said, and holds up nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{sleep, timeout};

use super::Ports;
use super::backups::is_playground;
use super::effect::{on_a_thread, send, spawn};
use super::msg::{JobWish, Listed, Msg, Remembered};
use crate::core::backup::{FOLDER, Job, JobState, JobView, Snapshot, Stage, Task};
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::recognise::Profiles;
use crate::core::rules::Rules;
use crate::core::workspace::{RunState, Workspace};
use crate::model::{JobAct, JobPlan};
use crate::store::{Jobs, Store};
use crate::work::backup::{self, Chosen, Here, Subject, Wanted};
use crate::work::browse::host_path;

/// How long a repository may take to list its snapshots; a later answer is still shown.
const LISTED_WITHIN: Duration = Duration::from_secs(10);
/// How long making a plan may take.
const PLANNED_WITHIN: Duration = Duration::from_secs(20);
/// How often a job that goes on is looked at.
const EVERY: Duration = Duration::from_millis(300);
/// How long the first of several jobs may take to make the repository that all of them need.
const MADE_WITHIN: Duration = Duration::from_mins(1);

/// A workspace that is backed up, and what is known of it.
pub(super) type Whose = (Workspace, Option<Grounds>);

/// Jobs that are kept up with, by their ids.
type Watched = Arc<Mutex<BTreeSet<String>>>;

/// Runs these tasks.
pub(super) struct JobTasks {
    ports: Ports,
    profiles: Arc<Profiles>,
    out: UnboundedSender<Msg>,
    /// Whether the repository is being asked: one that hangs is not asked twice.
    listing: Arc<AtomicBool>,
    remembering: Arc<AtomicBool>,
    watched: Watched,
    /// Whether earlier sessions were told of.
    told: Arc<AtomicBool>,
}

impl JobTasks {
    pub(super) fn new(ports: Ports, profiles: Arc<Profiles>, out: UnboundedSender<Msg>) -> Self {
        let (listing, remembering, told) = (Arc::default(), Arc::default(), Arc::default());
        Self { ports, profiles, out, listing, remembering, watched: Arc::default(), told }
    }

    /// Reads which snapshots the repository holds.
    pub(super) fn list(&self) {
        let (ports, profiles, out) = (self.ports.clone(), Arc::clone(&self.profiles), self.out.clone());
        let listing = Arc::clone(&self.listing);
        let late = || {
            let seconds = LISTED_WITHIN.as_secs();
            Error::new(Kind::TimedOut, format!("the repository timed out: no answer in {seconds} s"))
                .hint("r asks again")
        };
        if listing.swap(true, Relaxed) {
            spawn(async move {
                sleep(LISTED_WITHIN).await;
                if listing.load(Relaxed) {
                    send(&out, Msg::Snapshots(Box::new(Err(late()))));
                }
            });
            return;
        }
        spawn(async move {
            let mut read = pin!(read(&ports, &profiles));
            let listed = if let Ok(listed) = timeout(LISTED_WITHIN, &mut read).await {
                listed
            } else {
                send(&out, Msg::Snapshots(Box::new(Err(late()))));
                read.await
            };
            listing.store(false, Relaxed);
            send(&out, Msg::Snapshots(Box::new(listed)));
        });
    }

    /// Reads what is remembered; the first time with what became of jobs of earlier sessions.
    pub(super) fn remember(&self) {
        if is_playground(&self.ports) {
            let records = Some(crate::core::backup::Records::default());
            return send(&self.out, Msg::Remembered(Box::new(Remembered { records, ..Remembered::default() })));
        }
        if self.remembering.swap(true, Relaxed) {
            return;
        }
        let (ports, out) = (self.ports.clone(), self.out.clone());
        let (remembering, told) = (Arc::clone(&self.remembering), Arc::clone(&self.told));
        drop(tokio::task::spawn_blocking(move || {
            let read = remembered(&ports, !told.swap(true, Relaxed));
            let read = read.unwrap_or_else(|error| Remembered { error: Some(error), ..Remembered::default() });
            remembering.store(false, Relaxed);
            send(&out, Msg::Remembered(Box::new(read)));
        }));
    }

    /// Keeps up with jobs, these too, until they are over.
    pub(super) fn watch(&self, ids: Vec<String>) {
        let Ok(mut watched) = self.watched.lock() else { return };
        let idle = watched.is_empty();
        watched.extend(ids);
        if !idle || watched.is_empty() {
            return;
        }
        let (ports, out, watched) = (self.ports.clone(), self.out.clone(), Arc::clone(&self.watched));
        spawn(async move {
            loop {
                let (open, all) = (Arc::clone(&ports.store), Arc::clone(&watched));
                let look = tokio::task::spawn_blocking(move || look(&open, &all));
                let Ok(Some((views, more))) = look.await else { return };
                send(&out, Msg::Jobs(views));
                if !more {
                    return;
                }
                sleep(EVERY).await;
            }
        });
    }

    /// Makes the plan for jobs.
    pub(super) fn plan(&self, number: u64, wish: JobWish, whose: Vec<Whose>) {
        let (ports, profiles, out) = (self.ports.clone(), Arc::clone(&self.profiles), self.out.clone());
        spawn(async move {
            let plan = timeout(PLANNED_WITHIN, planned(ports, &profiles, wish, whose)).await;
            let late = |_| {
                let seconds = PLANNED_WITHIN.as_secs();
                Err(Error::new(Kind::TimedOut, format!("the plan timed out: no answer in {seconds} s"))
                    .hint("the repository or the folder may hang"))
            };
            send(&out, Msg::JobsPlanned(number, Box::new(plan.unwrap_or_else(late))));
        });
    }

    /// Begins jobs. Where the first makes the repository, the others wait for that.
    pub(super) fn begin(&self, all: Vec<Job>) {
        let (ports, out) = (self.ports.clone(), self.out.clone());
        on_a_thread(async move {
            let begun = begin(&ports, &all).await;
            send(&out, Msg::JobsBegun(begun));
        });
    }

    /// Calls a job off.
    pub(super) fn call_off(&self, id: String) {
        let (ports, out) = (self.ports.clone(), self.out.clone());
        drop(tokio::task::spawn_blocking(move || {
            let called = || {
                let jobs = (ports.store)()?.jobs();
                let view = jobs.find(&id)?;
                if !view.is_live() {
                    return Err(Error::new(Kind::Conflict, format!("{} is over already", view.name())));
                }
                jobs.cancel(&view.job.id)?;
                Ok((format!("called off {}; what was begun is taken back", view.name()), vec![id]))
            };
            send(&out, Msg::JobsBegun(called()));
        }));
    }
}

/// How the watched jobs are, and whether any goes on; those that do not are watched no more.
fn look(
    open: &Arc<dyn Fn() -> Result<Store> + Send + Sync>,
    watched: &Watched,
) -> Option<(Vec<JobView>, bool)> {
    let ids = watched.lock().ok()?.clone();
    let jobs = open().ok().map(|store| store.jobs());
    let views: Vec<_> = jobs.iter().flat_map(|jobs| ids.iter().filter_map(|id| jobs.view(id))).collect();
    let (live, over): (Vec<_>, Vec<_>) = views.iter().partition(|view| view.is_live());
    for view in over {
        // Told again at the next start where that cannot be written down.
        let _ = jobs.as_ref().map(|jobs| jobs.seen(&view.job.id));
    }
    let live: BTreeSet<&str> = live.iter().map(|view| view.job.id.as_str()).collect();
    let mut watched = watched.lock().ok()?;
    watched.retain(|id| live.contains(id.as_str()) || !ids.contains(id));
    let more = !watched.is_empty();
    Some((views, more))
}

/// The repository in use under these rules.
async fn chosen(ports: &Ports, profiles: &Profiles, rules: &Rules) -> Result<(Chosen, Here)> {
    if is_playground(ports) {
        return Err(Error::new(Kind::NotSupported, "the playground has no files that could be saved"));
    }
    let wish = backup::wish(None, None, &ports.backup, Some(rules), &ports.host)?;
    let here = match &ports.machine {
        Some(machine) => Here::look(machine.as_ref(), profiles).await.unwrap_or_else(|_| Here::unknown()),
        None => Here::unknown(),
    };
    Ok((backup::choose(&wish, &ports.backup, &here)?, here))
}

/// Runs what may never come back on a thread of its own, so that it takes none from the others.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let broken = || Error::new(Kind::Failed, "it ended badly, which it should not");
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("repository".into()).spawn(move || drop(sender.send(work())));
    thread.map_err(|why| Error::new(Kind::Failed, format!("no thread could be started: {why}")))?;
    receiver.await.map_err(|_| broken())?
}

async fn read(ports: &Ports, profiles: &Profiles) -> Result<Listed> {
    let (chosen, here) = chosen(ports, profiles, &profiles.without_workspace()).await?;
    let (backups, clock) = (Arc::clone(&ports.backups), Arc::clone(&ports.clock));
    apart(move || {
        let repository = &chosen.repository;
        let good_for = here.good_for(repository);
        let exists = backups.exists(repository)?;
        if let Some(unfit) = chosen.unfit.clone().filter(|_| !exists) {
            return Err(unfit);
        }
        let snapshots = if exists { backups.open(repository, &Arc::default())?.list()? } else { Vec::new() };
        Ok(Listed { url: repository.url.clone(), good_for, exists, snapshots, as_of: clock.now() })
    })
    .await
}

fn remembered(ports: &Ports, first: bool) -> Result<Remembered> {
    let store = (ports.store)()?;
    let jobs = store.jobs();
    let all = jobs.all()?;
    let news = if first { backup::news(&jobs, &all, ports.clock.now()) } else { Vec::new() };
    let (changes, damaged) = store.audit().read()?;
    let (records, error) = match store.backups().read() {
        Ok(records) => (Some(records), None),
        Err(error) => (None, Some(error)),
    };
    Ok(Remembered { records, jobs: all, changes, damaged, error, news })
}

async fn planned(ports: Ports, profiles: &Profiles, wish: JobWish, whose: Vec<Whose>) -> Result<JobPlan> {
    if !matches!(wish, JobWish::Backup(_)) {
        let (chosen, _) = chosen(&ports, profiles, &profiles.without_workspace()).await?;
        return apart(move || about(&ports, &chosen, wish)).await;
    }
    if !ports.engine.shares_our_disk() {
        return Err(
            Error::new(Kind::NotSupported, "its files are on another machine").hint("run outlast there")
        );
    }
    let mut all = Vec::new();
    for (workspace, grounds) in whose {
        // A platform may say where its workspaces are backed up.
        let of = match &grounds {
            Some(grounds) => chosen(&ports, profiles, &grounds.rules).await?,
            None => chosen(&ports, profiles, &profiles.without_workspace()).await?,
        };
        let roots = grounds.as_ref().map(|grounds| profiles.roots(&grounds.rules.profile)).unwrap_or_default();
        all.push(Saved { workspace, grounds, roots, chosen: of.0 });
    }
    apart(move || backups(&ports, &all)).await
}

/// A workspace that is saved, and where.
struct Saved {
    workspace: Workspace,
    grounds: Option<Grounds>,
    roots: Vec<PathBuf>,
    chosen: Chosen,
}

/// The plan to back up workspaces; those that cannot be are named.
fn backups(ports: &Ports, whose: &[Saved]) -> Result<JobPlan> {
    let now = ports.clock.now();
    let (mut all, mut lines, mut first) = (Vec::new(), Vec::new(), None);
    for Saved { workspace, grounds, roots, chosen } in whose {
        let exists = ports.backups.exists(&chosen.repository)?;
        let folder = (workspace.state == RunState::Retired).then(|| workspace.key.id.as_ref());
        let subject = match (folder, grounds) {
            (Some(folder), _) => Ok(Subject::Folder(folder)),
            (None, Some(grounds)) => Ok(Subject::Workspace { workspace, grounds, roots, layer: None }),
            (None, None) => Err(Error::new(Kind::Failed, "its facts are not read yet; try again in a moment")),
        };
        let job =
            subject.and_then(|subject| backup::backup(&subject, chosen, exists, false, None, &ports.host, now));
        match job {
            Ok(job) => {
                lines.extend(backup::lines(&job, &[], now));
                all.push(job);
            }
            Err(error) => {
                let name = crate::text::printable(&workspace.name);
                lines.push(format!("not backed up: {name}: {}", crate::text::printable(&error.message)));
                first.get_or_insert(error);
            }
        }
    }
    match (all.is_empty(), first) {
        (true, Some(error)) => Err(error),
        _ => Ok(JobPlan { act: JobAct::Begin(all), lines }),
    }
}

/// The plan for one snapshot.
fn about(ports: &Ports, chosen: &Chosen, wish: JobWish) -> Result<JobPlan> {
    let (repository, host, now) = (&chosen.repository, &ports.host, ports.clock.now());
    let one = |job: Job, known: &[Snapshot]| {
        let lines = backup::lines(&job, known, now);
        JobPlan { act: JobAct::Begin(vec![job]), lines }
    };
    match wish {
        JobWish::Restore(snapshot, typed) => {
            let to = host_path(&typed, ports.host.home.as_deref())?;
            backup::fresh_target(&to)?;
            let wanted = Wanted { part: Some(FOLDER), ..Wanted::default() };
            let job = backup::restore(&snapshot, wanted, &to, repository, host, now)?;
            Ok(one(job, &[*snapshot]))
        }
        JobWish::Verify(snapshot) => {
            let job = backup::verify(&[&snapshot], repository, host, now);
            Ok(one(job, &[*snapshot]))
        }
        JobWish::Forget(snapshot) => {
            // What may go depends on what else is there now.
            let all = ports.backups.open(repository, &Arc::default())?.list()?;
            let verified = (ports.store)()?.backups().read()?.verified();
            Ok(one(backup::forget_one(&snapshot, &all, &verified, repository, host, now)?, &all))
        }
        JobWish::Backup(_) => Err(Error::new(Kind::Failed, "no snapshot was named")),
    }
}

async fn begin(ports: &Ports, all: &[Job]) -> Result<(String, Vec<String>)> {
    let jobs = (ports.store)()?.jobs();
    for (place, job) in all.iter().enumerate() {
        backup::start(&jobs, job, &ports.program)?;
        let makes = |job: &Job| matches!(&job.task, Task::Backup(save) if save.create);
        if place == 0 && all.len() > 1 && makes(job) {
            made(&jobs, &job.id).await;
        }
    }
    let ids = all.iter().map(|job| job.id.clone()).collect();
    let says = match all {
        [one] => format!("begun: {} of {}; it goes on when you leave", one.task.key(), one.task.subject()),
        several => format!("{} jobs are begun; they go on when you leave", several.len()),
    };
    Ok((says, ids))
}

/// Waits until a job has made its repository, or is over.
async fn made(jobs: &Jobs, id: &str) {
    let opening = || {
        jobs.view(id).is_some_and(|view| match view.state {
            JobState::Waiting => true,
            JobState::Running => view.progress.is_none_or(|progress| progress.stage == Stage::Opening),
            JobState::CutOff | JobState::Over(_) => false,
        })
    };
    let _ = timeout(MADE_WITHIN, async {
        while opening() {
            sleep(EVERY).await;
        }
    })
    .await;
}
