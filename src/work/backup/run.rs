//! Works on a job, in a process of its own: does it, tells how far it is, sees whether it was called off.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::core::backup::{Check, End, Job, Line, Outcome, Record, Repository, Save, Stage, Task, Verified};
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::Verb;
use crate::core::report::Change;
use crate::core::workspace::WsKey;
use crate::platform::detach::detach;
use crate::port::{Backups, Clock, Meter, Vault};
use crate::store::{Running, Store, make_key};
use crate::text::printable_path;
use crate::work::explain::quote;

/// How often it is looked whether the job was called off.
const EVERY: Duration = Duration::from_millis(100);
/// How long a job that was called off may take to end by itself: a backup has nothing to clean up, and of
/// a removal what is not done yet is left to the next one.
const ENDS_WITHIN: Duration = Duration::from_millis(400);
/// A restore takes back what it wrote.
const CLEANS_WITHIN: Duration = Duration::from_mins(10);
/// An address and a password longer than this are none.
const MOST_SECRETS: u64 = 1 << 14;

/// Works on the job in a folder; gives the exit code. What it prints goes to the job's own file.
pub fn run(folder: &Path, backups: &Arc<dyn Backups>, clock: &Arc<dyn Clock>) -> Result<u8> {
    detach();
    let (job, mut running) = Running::begin(folder)?;
    let store = folder.parent().and_then(Path::parent).map(|state| Store::at(state.to_path_buf()));
    let store = store.ok_or_else(|| Error::new(Kind::Usage, "this is no folder of a job"))??;
    let mut secrets = String::new();
    let _ = std::io::stdin().take(MOST_SECRETS).read_to_string(&mut secrets);
    let repository = job.repository.clone();
    let repository = if secrets.is_empty() { repository } else { repository.opened_by(&secrets) };

    let meter = Arc::new(Meter::default());
    let (sender, receiver) = channel();
    let worker = {
        let (backups, meter, job) = (Arc::clone(backups), Arc::clone(&meter), job.clone());
        std::thread::Builder::new().name("job".into()).spawn(move || {
            // Nobody may be left to hear it.
            let _ = sender.send(work(&job, &repository, backups.as_ref(), &meter));
        })
    };
    worker.map_err(|why| Error::new(Kind::Failed, format!("no thread could be started: {why}")))?;
    let begun = Instant::now();
    let mut told: Option<Instant> = None;
    let mut cancelled: Option<Instant> = None;
    let patience = match job.task {
        Task::Backup(_) | Task::Verify(_) | Task::Forget(_) => ENDS_WITHIN,
        Task::Restore(_) => CLEANS_WITHIN,
    };
    let result = loop {
        match receiver.recv_timeout(EVERY) {
            Ok(result) => break result,
            Err(RecvTimeoutError::Timeout) => {}
            // The library panics on some damage; then nothing of the job counts.
            Err(RecvTimeoutError::Disconnected) => {
                break Err(Error::new(
                    Kind::Failed,
                    "it ended badly, which it should not: see the file `output` of the job",
                ));
            }
        }
        if told.is_none_or(|at| at.elapsed() >= pause(begun.elapsed())) {
            running.tell(&meter.read(clock.now()));
            told = Some(Instant::now());
        }
        if cancelled.is_none() && running.is_cancelled() {
            cancelled = Some(Instant::now());
            meter.cancel();
        }
        if cancelled.is_some_and(|at| at.elapsed() >= patience) {
            break Err(Error::new(Kind::Cancelled, "it was called off"));
        }
    };
    running.tell(&meter.read(clock.now()));
    let outcome = match result {
        Ok(outcome) => Outcome { at: clock.now(), ..outcome },
        // What fails because it was called off did not fail.
        Err(error) if meter.is_cancelled() => {
            Outcome::failed(clock.now(), &Error { kind: Kind::Cancelled, ..error })
        }
        Err(error) => Outcome::failed(clock.now(), &error),
    };
    let mut outcome = Outcome { removed: meter.removed_so_far(), ..outcome };
    if let Some(fault) = outcome.error.as_mut().filter(|_| !outcome.removed.is_empty()) {
        let many = outcome.removed.len();
        fault.message = format!("{}; {many} of the snapshots were removed before, and stay so", fault.message);
    }
    let remembered = remember(&store, &job, &outcome);
    let logged = log(&store, &job, &outcome);
    for (what, written) in [("remembered", remembered), ("in the log", logged)] {
        if let Err(error) = written {
            outcome.notes.push(format!("this {} is not {what} here: {}", job.task.key(), error.message));
        }
    }
    let code = outcome.exit_code();
    running.finish(&outcome)?;
    Ok(code)
}

/// A job that takes long tells less often.
fn pause(since: Duration) -> Duration {
    match since.as_secs() {
        0..60 => Duration::from_millis(250),
        60..600 => Duration::from_secs(1),
        _ => Duration::from_secs(5),
    }
}

/// Does it.
fn work(job: &Job, repository: &Repository, backups: &dyn Backups, meter: &Arc<Meter>) -> Result<Outcome> {
    meter.begin(Stage::Opening);
    match &job.task {
        Task::Backup(save) => {
            let vault = if save.create {
                made(repository, backups, meter)?
            } else {
                backups.open(repository, meter)?
            };
            backup(save, vault, repository, backups, meter)
        }
        Task::Restore(restore) => {
            let restored = backups.open(repository, meter)?.restore(restore)?;
            let progress = meter.read(job.made_at);
            let whole = restored.skipped.count == 0 && restored.damaged.count == 0;
            Ok(Outcome {
                snapshot: Some(restored.snapshot),
                skipped: restored.skipped,
                damaged: restored.damaged,
                notes: restored.notes,
                definition: restored.definition,
                files: progress.files,
                bytes: progress.bytes,
                ..Outcome::new(job.made_at, ended(whole))
            })
        }
        Task::Verify(check) => verified(check, backups.open(repository, meter)?, job),
        Task::Forget(forget) => {
            backups.open(repository, meter)?.forget(&forget.snapshots)?;
            let whole = meter.removed_so_far().len() == forget.snapshots.len();
            Ok(Outcome::new(job.made_at, ended(whole)))
        }
    }
}

/// A new repository, with a new key where there is none.
fn made(repository: &Repository, backups: &dyn Backups, meter: &Arc<Meter>) -> Result<Box<dyn Vault>> {
    // Another job may have made it since this one was planned.
    if backups.exists(repository)? {
        return backups.open(repository, meter);
    }
    if !repository.key.exists() {
        make_key(&repository.key)?;
    }
    backups.create(repository, meter)
}

fn backup(
    save: &Save,
    vault: Box<dyn Vault>,
    repository: &Repository,
    backups: &dyn Backups,
    meter: &Arc<Meter>,
) -> Result<Outcome> {
    let saved = vault.save(save)?;
    let progress = meter.read(saved.snapshot.at);
    let mut outcome = Outcome {
        files: saved.snapshot.files.unwrap_or(progress.files),
        bytes: saved.snapshot.bytes.unwrap_or(progress.bytes),
        skipped: saved.skipped,
        secrets: saved.secrets,
        notes: saved.notes,
        ..Outcome::new(saved.snapshot.at, End::Done)
    };
    if save.verify {
        let check = Check { snapshots: vec![saved.snapshot.id.clone()] };
        let checked = backups.open(repository, meter)?.verify(&check)?;
        outcome.verified = Some(checked.snapshots.iter().all(|(_, whole)| *whole));
        outcome.damaged = checked.damaged;
        outcome.notes.extend(checked.faults);
    }
    outcome.end = ended(outcome.skipped.count == 0 && outcome.verified != Some(false));
    outcome.snapshot = Some(saved.snapshot);
    Ok(outcome)
}

fn verified(check: &Check, vault: Box<dyn Vault>, job: &Job) -> Result<Outcome> {
    let checked = vault.verify(check)?;
    let whole = checked.snapshots.iter().all(|(_, whole)| *whole) && checked.faults.is_empty();
    let mut outcome = Outcome {
        verified: Some(checked.snapshots.iter().all(|(_, whole)| *whole)),
        damaged: checked.damaged,
        notes: checked.faults,
        checked: checked.snapshots.iter().map(|(snapshot, whole)| (snapshot.id.clone(), *whole)).collect(),
        ..Outcome::new(job.made_at, ended(whole))
    };
    if let [(snapshot, _)] = checked.snapshots.as_slice() {
        outcome.snapshot = Some(snapshot.clone());
    }
    Ok(outcome)
}

const fn ended(whole: bool) -> End {
    if whole { End::Done } else { End::Incomplete }
}

/// Writes down what later questions are answered from.
fn remember(store: &Store, job: &Job, outcome: &Outcome) -> Result<()> {
    let memory = store.backups();
    match (&job.task, &outcome.snapshot) {
        (Task::Backup(save), Some(snapshot)) => {
            let exclude = save.folder_part().map(|part| part.exclude.clone()).unwrap_or_default();
            // Without its folder a backup covers no folder.
            if save.folder_part().is_some() {
                memory.append(&Line::Saved(Box::new(Record {
                    repository: job.repository.clone(),
                    snapshot: snapshot.clone(),
                    folder: save.folder.clone(),
                    exclude,
                    skipped: outcome.skipped.count,
                })))?;
            }
            if let Some(whole) = outcome.verified {
                memory.append(&Line::Verified(Verified {
                    snapshot: snapshot.id.clone(),
                    at: outcome.at,
                    whole,
                }))?;
            }
        }
        (Task::Verify(_), _) => {
            for (snapshot, whole) in &outcome.checked {
                let verified = Verified { snapshot: snapshot.clone(), at: outcome.at, whole: *whole };
                memory.append(&Line::Verified(verified))?;
            }
        }
        _ => {}
    }
    for snapshot in &outcome.removed {
        memory.append(&Line::Removed { snapshot: snapshot.clone(), at: outcome.at })?;
    }
    Ok(())
}

/// Writes what it changed into the activity log; reading back changes nothing.
fn log(store: &Store, job: &Job, outcome: &Outcome) -> Result<()> {
    let quoted = |path: &Path| quote(path).unwrap_or_else(|| printable_path(path).into_owned());
    let snapshot = || outcome.snapshot.as_ref().map_or("-", |snapshot| snapshot.short()).to_owned();
    let ended = outcome.error.is_none();
    let (verb, place, name, after, command, undo) = match &job.task {
        Task::Backup(save) => {
            let command = format!("outlast backup {}", quoted(&save.folder));
            (Verb::Backup, &save.folder, save.workspace.clone(), snapshot(), command, None)
        }
        Task::Restore(restore) => {
            let to = quoted(&restore.to);
            let short = restore.snapshot.get(..8).unwrap_or(&restore.snapshot);
            let name = restore.becomes.clone().unwrap_or_else(|| printable_path(&restore.to).into_owned());
            let undo = ended.then(|| format!("rm -r {to}"));
            let command = format!("outlast restore {short} {to}");
            (Verb::Restore, &restore.to, name, snapshot(), command, undo)
        }
        Task::Forget(forget) => {
            let keep = [("last", forget.keep.last), ("days", forget.keep.days)];
            let rules =
                keep.iter().filter_map(|(what, many)| many.map(|many| format!(" --keep-{what} {many}")));
            let command = format!("outlast forget{}", rules.collect::<String>());
            let many = format!("{} removed", outcome.removed.len());
            (Verb::Forget, &PathBuf::from(&job.repository.url), job.task.subject(), many, command, None)
        }
        Task::Verify(_) => return Ok(()),
    };
    store.audit().append(&Change {
        at: outcome.at,
        user: job.user.clone(),
        endpoint: "machine".into(),
        verb,
        subject: WsKey { endpoint: "machine".into(), id: printable_path(place).into_owned() },
        container: name,
        before: "-".into(),
        after,
        plan: job.id.clone(),
        result: match &outcome.error {
            Some(fault) if outcome.end == End::Cancelled => format!("cancelled: {}", fault.message),
            Some(fault) => format!("failed: {}", fault.message),
            None => outcome.end.word().into(),
        },
        command,
        recreate: undo,
    })
}
