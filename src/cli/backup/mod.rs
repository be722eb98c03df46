//! `outlast backup`, `backups`, `restore`, `verify`, `forget`, `jobs`: shown, agreed to, worked on by a
//! job of its own, watched.

mod clone;
mod due;
mod forget;
mod jobs;
mod list;
mod restore;
mod save;
mod watch;

pub(super) use clone::clone;
pub(super) use due::{Backed, lasts};
pub(super) use forget::forget;
pub(super) use jobs::jobs;
pub(super) use list::list;
pub(super) use restore::{restore, verify};
pub(super) use save::{exists, save};

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use jiff::Timestamp;
use serde::Serialize;

use super::context::Context;
use super::interrupt::Interrupt;
use super::out::Out;
use crate::core::backup::{Job, Outcome, Restore, Skip, Skips, Snapshot, Task};
use crate::core::error::{Error, Kind, Result};
use crate::core::report::{Head, Trouble};
use crate::text::{printable, size};
use crate::work::backup::{self, Again};
use crate::work::{Jobs, Store};

/// How a verb that works by a job was asked for.
#[derive(Clone, Copy)]
struct Asked {
    dry_run: bool,
    yes: bool,
    json: bool,
}

/// What such a verb prints.
#[derive(Serialize)]
struct Report<'r> {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    body: Body<'r>,
}

/// What is said of one job.
#[derive(Serialize)]
struct Body<'r> {
    plan: PlanRow<'r>,
    /// `planned`, `refused`, or how it ended.
    result: &'static str,
    /// The job; `null` where none was begun.
    job: Option<&'r str>,
    snapshot: Option<SnapshotRow<'r>>,
    /// Whether the data was read back and found whole; `null` where nobody looked.
    verified: Option<bool>,
    /// Files whose saved data is damaged.
    damaged: Files<'r>,
    /// Files that hold secrets, by name.
    secrets: Files<'r>,
    /// The command that makes the container of a new workspace; `null` where there is none to make.
    command: Option<String>,
    notes: &'r [String],
    /// Snapshots that were removed.
    removed: &'r [String],
}

/// A plan: one step, which a job does.
#[derive(Serialize)]
struct PlanRow<'r> {
    id: &'r str,
    made_at: Timestamp,
    repository: &'r str,
    steps: [Step<'r>; 1],
    notes: &'r [String],
}

#[derive(Serialize)]
struct Step<'r> {
    verb: &'static str,
    subject: String,
    #[serde(flatten)]
    task: &'r Task,
}

/// A snapshot and the files that are not in it, or that were not restored from it.
#[derive(Serialize)]
struct SnapshotRow<'r> {
    #[serde(flatten)]
    snapshot: &'r Snapshot,
    skipped: &'r [Skip],
    skipped_count: u64,
}

#[derive(Serialize)]
struct Files<'r> {
    count: u64,
    first: &'r [Skip],
}

impl<'r> From<&'r Skips> for Files<'r> {
    fn from(skips: &'r Skips) -> Self {
        Self { count: skips.count, first: &skips.first }
    }
}

/// Shows a job, asks, begins it and watches it to its end; gives the exit code.
async fn perform(
    job: &Job,
    known: &[Snapshot],
    asked: Asked,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<u8> {
    if asked.dry_run {
        if asked.json {
            print(job, None, "planned", None, context, out)?;
        } else {
            out.lines(backup::lines(job, known, context.clock.now()))?;
        }
        return Ok(0);
    }
    let lines = || backup::lines(job, known, context.clock.now());
    if !asked.yes
        && let Err(error) = agree(lines, asked, out)
    {
        if asked.json {
            print(job, None, "refused", Some(&error), context, out)?;
        }
        return Err(error);
    }
    let jobs = Store::open(&context.host)?.jobs();
    let mut interrupt = Interrupt::of_one_who_watches()?;
    let outcome = match run(job, &jobs, &mut interrupt, context).await {
        Ok(outcome) => outcome,
        Err(error) => {
            if asked.json {
                let result = if error.kind == Kind::Cancelled { "cancelled" } else { "failed" };
                print(job, None, result, Some(&error), context, out)?;
            }
            return Err(error);
        }
    };
    let error = outcome.error.as_ref().map(Error::from);
    if asked.json {
        print(job, Some(&outcome), outcome.end.word(), error.as_ref(), context, out)?;
    } else {
        tell(job, &outcome, out)?;
    }
    match error {
        Some(error) => Err(error),
        None => Ok(outcome.exit_code()),
    }
}

/// Begins a job and watches it to its end, or calls it off.
async fn run(job: &Job, jobs: &Jobs, interrupt: &mut Interrupt, context: &Context<'_>) -> Result<Outcome> {
    backup::start(jobs, job, &context.program)?;
    let mut line = watch::Line::new();
    let followed = backup::follow(jobs, &job.id, interrupt.came(), &mut |view| line.tell(view)).await;
    line.clear();
    followed
}

/// Asks where somebody can answer.
fn agree(lines: impl FnOnce() -> Vec<String>, asked: Asked, out: &mut Out) -> Result<()> {
    let somebody = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !somebody || asked.json {
        return Err(Error::new(Kind::Refused, "nobody is there to agree to the plan")
            .hint("`--dry-run` shows it, `--yes` agrees to it"));
    }
    out.lines(lines())?;
    let mut stderr = std::io::stderr().lock();
    // An answer can be given also where the question could not be shown.
    let _ = write!(stderr, "go on? [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Error::new(Kind::Cancelled, "nothing was done"))
}

fn print(
    job: &Job,
    outcome: Option<&Outcome>,
    result: &'static str,
    error: Option<&Error>,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<()> {
    let troubles = troubles(job, outcome, error);
    let head = Head::new(context.clock.now(), troubles.is_empty(), troubles);
    out.json(&Report { head, body: body(job, outcome, result) })
}

/// What went wrong with a job, or is missing in what it left.
fn troubles(job: &Job, outcome: Option<&Outcome>, error: Option<&Error>) -> Vec<Trouble> {
    let verb = job.task.key();
    let mut troubles: Vec<Trouble> = error.map(|error| Trouble::new("", verb, error)).into_iter().collect();
    let lists = outcome.map(|of| [("not there", &of.skipped), ("damaged", &of.damaged)]);
    for (what, skips) in lists.into_iter().flatten() {
        if skips.count > 0 {
            let error = Error::new(Kind::Incomplete, format!("{} files are {what}", skips.count));
            troubles.push(Trouble::new("", "files", &error));
        }
    }
    troubles
}

fn body<'r>(job: &'r Job, outcome: Option<&'r Outcome>, result: &'static str) -> Body<'r> {
    let files = |of: Option<&'r Skips>| match of {
        Some(skips) => skips.into(),
        None => Files { count: 0, first: &[] },
    };
    Body {
        plan: PlanRow {
            id: &job.id,
            made_at: job.made_at,
            repository: &job.repository.url,
            steps: [Step { verb: job.task.key(), subject: job.task.subject(), task: &job.task }],
            notes: &job.notes,
        },
        result,
        job: outcome.map(|_| job.id.as_str()),
        snapshot: outcome.and_then(|of| {
            let snapshot = of.snapshot.as_ref()?;
            Some(SnapshotRow { snapshot, skipped: &of.skipped.first, skipped_count: of.skipped.count })
        }),
        verified: outcome.and_then(|of| of.verified),
        damaged: files(outcome.map(|of| &of.damaged)),
        secrets: files(outcome.map(|of| &of.secrets)),
        command: outcome.and_then(|of| container(job, of)?.command),
        notes: outcome.map_or(&[], |of| &of.notes),
        removed: outcome.map_or(&[], |of| &of.removed),
    }
}

/// How the container of a workspace that was restored under a name is made.
fn container(job: &Job, outcome: &Outcome) -> Option<Again> {
    let Task::Restore(Restore { becomes: Some(name), to, .. }) = &job.task else { return None };
    let old = outcome.snapshot.as_ref()?.folders.first()?;
    Some(backup::again(outcome.definition.as_deref()?, old.as_ref(), name, to))
}

/// Says how a job ended.
fn tell(job: &Job, outcome: &Outcome, out: &mut Out) -> Result<()> {
    let mut lines = Vec::new();
    let short = outcome.snapshot.as_ref().map(|snapshot| snapshot.short().to_owned()).unwrap_or_default();
    let files = counted(outcome.files, "file");
    if outcome.error.is_none() {
        lines.push(match &job.task {
            Task::Backup(save) => {
                let added = outcome.snapshot.as_ref().and_then(|snapshot| snapshot.added);
                let added = added.map_or_else(String::new, |added| format!(", {} new", size(added)));
                format!(
                    "saved {} as {short}: {files}, {}{added}",
                    printable(&save.workspace),
                    size(outcome.bytes)
                )
            }
            Task::Restore(restore) => format!(
                "restored {short} to {}: {files}, {}",
                crate::text::printable_path(&restore.to),
                size(outcome.bytes)
            ),
            Task::Verify(_) => match outcome.verified {
                Some(true) => {
                    format!("{} whole: every byte was read", counted(outcome.checked.len() as u64, "snapshot"))
                }
                _ => "damaged".into(),
            },
            Task::Forget(_) => format!("removed {}", counted(outcome.removed.len() as u64, "snapshot")),
        });
    }
    if let (Task::Backup(_), Some(verified)) = (&job.task, outcome.verified) {
        lines.push(if verified { "read back: whole".into() } else { "read back: damaged".into() });
    }
    named(&mut lines, "not there", &outcome.skipped);
    named(&mut lines, "damaged", &outcome.damaged);
    named(&mut lines, "secret", &outcome.secrets);
    lines.extend(outcome.notes.iter().map(|note| format!("note: {}", printable(note))));
    if let Some(again) = container(job, outcome) {
        if let Some(command) = again.command {
            lines.push("a container like the one it was, with the new folder:".into());
            lines.push(format!("  {}", printable(&command)));
        }
        lines.extend(again.notes.iter().map(|note| format!("note: {}", printable(note))));
    }
    if matches!(job.task, Task::Backup(_)) && outcome.verified.is_none() && outcome.error.is_none() {
        lines.push(format!("`outlast verify {short}` reads it back; until then no answer counts on it"));
    }
    out.lines(lines)
}

/// The first files of a list, and how many more there are.
fn named(lines: &mut Vec<String>, what: &str, skips: &Skips) {
    const SHOWN: usize = 20;
    for skip in skips.first.iter().take(SHOWN) {
        lines.push(format!("{what}: {}: {}", printable(&skip.path.path), printable(&skip.why)));
    }
    let more = skips.count.saturating_sub(SHOWN as u64);
    if more > 0 {
        lines.push(format!("{what}: {more} more, see `--json`"));
    }
}

fn counted(many: u64, what: &str) -> String {
    let ending = if many == 1 { "" } else { "s" };
    format!("{many} {what}{ending}")
}
