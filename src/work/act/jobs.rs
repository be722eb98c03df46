//! Steps that a job does: a backup before a stop, a restore before a start, as a platform's profile or a
//! label asks for.

use std::time::Duration;

use super::run::Runner;
use crate::core::backup::{End, Job, Outcome};
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::{Plan, Step, Verb};
use crate::core::rules::Rules;
use crate::core::workspace::Workspace;
use crate::store::{JobState, Store};
use crate::text::printable;
use crate::work::backup;

/// The word for a container that a step leaves as it is.
pub(super) const UNTOUCHED: &str = "-";
/// How often it is looked whether to stop.
const EVERY: Duration = Duration::from_millis(50);
/// Labels that say for one container what a profile says for all.
const ON_STOP: &str = "outlast.backup-on-stop";
const ON_START: &str = "outlast.restore-on-start";

const REMINDER: &str = "a backup is asked for before a stop: `outlast stop` makes it first";

/// What is asked for before a verb: a backup before a stop, a restore before a start.
pub fn asked_for(verb: Verb, workspace: &Workspace, rules: &Rules) -> Option<Verb> {
    let (before, label, profile) = match verb {
        Verb::Stop => (Verb::Backup, ON_STOP, rules.profile.backup_on_stop),
        Verb::Start => (Verb::Restore, ON_START, rules.profile.restore_on_start),
        _ => return None,
    };
    let said = workspace.labels.get(label).map(|value| value == "true");
    said.or(profile).unwrap_or(false).then_some(before)
}

/// What a plan says that has no backup before its stop, although one is asked for.
pub(super) fn reminder(workspace: &Workspace, rules: &Rules) -> Option<String> {
    asked_for(Verb::Stop, workspace, rules).map(|_| REMINDER.into())
}

/// The same plan with a job before all else.
#[must_use]
pub fn first(mut plan: Plan, job: Job) -> Plan {
    plan.notes.retain(|note| note != REMINDER);
    let Some(next) = plan.steps.first() else { return plan };
    let (verb, call) = match job.task.key() {
        "restore" => (Verb::Restore, format!("outlast restore {}", job.task.subject())),
        key => (Verb::Backup, format!("outlast {key} {}", job.task.subject())),
    };
    let step = Step {
        verb,
        subject: next.subject.clone(),
        name: next.name.clone(),
        call,
        bytes: None,
        loses: Vec::new(),
        reversible_by: None,
        files: None,
        job: Some(Box::new(job)),
        deed: None,
    };
    plan.steps.insert(0, step);
    plan
}

/// The same plan without what is asked for before it, and why.
#[must_use]
pub fn without(mut plan: Plan, why: String) -> Plan {
    plan.notes.retain(|note| note != REMINDER);
    plan.notes.push(why);
    plan
}

/// Does a step by its job, which is called off where the runner is. What fails leaves the rest undone.
pub(super) async fn perform(runner: &Runner<'_>, step: &Step, job: &Job) -> Result<()> {
    let jobs = runner.store.jobs();
    backup::start(&jobs, job, runner.program)?;
    let told = || async {
        while !runner.job.stopped() {
            tokio::time::sleep(EVERY).await;
        }
    };
    let outcome = backup::follow(&jobs, &job.id, told(), &mut |_| {}).await;
    let why = match outcome {
        Ok(outcome) => match why(&outcome) {
            None => return Ok(()),
            Some(error) => error,
        },
        Err(error) => error,
    };
    if why.kind == Kind::Cancelled {
        return Err(why);
    }
    let message = format!(
        "the {} before it failed, so {} was left as it is: {}",
        step.verb.key(),
        printable(&step.name),
        why.message
    );
    let mut error = Error { kind: Kind::Failed, message, hints: why.hints };
    error = error.hint("`--no-backup` goes on without it");
    Err(error)
}

/// Why what a job left is not enough to go on.
fn why(outcome: &Outcome) -> Option<Error> {
    match (&outcome.error, outcome.end) {
        (Some(fault), _) => Some(Error::from(fault)),
        (None, End::Done) => None,
        (None, _) => {
            let (skipped, damaged) = (outcome.skipped.count, outcome.damaged.count);
            let first = outcome.skipped.first.first().or(outcome.damaged.first.first());
            let first = first.map(|skip| format!(", first {}: {}", printable(&skip.path.path), skip.why));
            let message = format!(
                "it is not complete: {} files are missing{}",
                skipped + damaged,
                first.unwrap_or_default()
            );
            Some(Error::new(Kind::Incomplete, message))
        }
    }
}

/// How a step ended whose plan was cut off; `None` while its job goes on.
pub(super) fn settled(store: &Store, job: &Job) -> Option<String> {
    match store.jobs().view(&job.id).map(|view| view.state) {
        Some(JobState::Over(outcome)) => Some(match &outcome.error {
            Some(fault) => format!("failed: {}", fault.message),
            None => outcome.end.word().into(),
        }),
        Some(JobState::Waiting | JobState::Running) => None,
        Some(JobState::CutOff) | None => Some("not done".into()),
    }
}
