//! Acts: make a plan and show it; `run` runs it, `recover` finishes the books of one that was cut off.
//!
//! A plan is the same text in the dialog and in `--dry-run`.

mod deeds;
pub(crate) mod files;
mod hands;
mod jobs;
mod local;
mod recover;
mod run;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;

pub use jobs::{asked_for, first, without};
pub use local::{Books, local, one_step};
pub use recover::recover;
pub use run::{Consent, Runner};

use super::explain::quote;
use crate::core::aftermath::Aftermath;
use crate::core::classify::{Classifier, Grounds};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::finding::{Risk, Tally};
use crate::core::plan::{Loss, Plan, Precondition, Step, Verb};
use crate::core::storage::StorageKind;
use crate::core::workspace::{RunState, Workspace};
use crate::port::Clock;
use crate::text::{printable, size};

/// The digest of losses that nobody could look at.
pub(crate) const NOT_READ: &str = "not read";

/// Whether a verb applies to a workspace now; a `Conflict` or `Refused` with the reason where not.
pub fn applies(verb: Verb, workspace: &Workspace, state: RunState) -> Result<()> {
    let name = &workspace.name;
    let conflict = |why: &str, hint: &str| Err(Error::new(Kind::Conflict, format!("{name} {why}")).hint(hint));
    if workspace.protected {
        return Err(Error::new(Kind::Protected, format!("{name} is marked as protected by its platform")));
    }
    if workspace.container.is_none() {
        return conflict("has no container", "only containers can be started and stopped");
    }
    match (verb, state) {
        (Verb::Start, RunState::Exited | RunState::Created)
        | (Verb::Stop, RunState::Running | RunState::Paused | RunState::Restarting)
        | (Verb::Restart, RunState::Running | RunState::Restarting | RunState::Exited)
        | (Verb::Pause, RunState::Running)
        | (Verb::Unpause, RunState::Paused)
        | (
            Verb::Retire,
            RunState::Running
            | RunState::Paused
            | RunState::Restarting
            | RunState::Exited
            | RunState::Created
            | RunState::Dead,
        ) => Ok(()),
        (Verb::Start, RunState::Running | RunState::Restarting) => {
            conflict("is running already", "nothing needs doing")
        }
        (Verb::Start, RunState::Paused) => conflict("is paused, not stopped", "`docker unpause` lets it go on"),
        (Verb::Stop, RunState::Exited | RunState::Created) => conflict("is not running", "nothing needs doing"),
        (Verb::Pause, RunState::Paused) => conflict("is paused already", "nothing needs doing"),
        (Verb::Pause, _) => {
            conflict("is not running, so there is nothing to pause", "only what runs is paused")
        }
        (Verb::Unpause, _) => conflict("is not paused", "nothing needs doing"),
        (Verb::Restart, RunState::Paused) => conflict("is paused", "`outlast unpause` lets it go on"),
        (Verb::Restart, RunState::Created) => conflict("never ran", "`outlast start` starts it"),
        (_, state) => conflict(
            &format!("is {}, so it cannot be {}", state.key(), verb.past()),
            "wait for the engine, then look again",
        ),
    }
}

/// Makes the plan of one verb for one workspace.
///
/// `risk` is what was found in places that do not last; without it the plan
/// says that nobody could look, which counts as losing something.
pub fn plan(
    verb: Verb,
    workspace: &Workspace,
    grounds: &Grounds,
    risk: Option<&Risk>,
    clock: &dyn Clock,
) -> Result<Plan> {
    let detail = &grounds.detail;
    applies(verb, workspace, detail.state)?;
    let name = workspace.container.clone().unwrap_or_default();
    let stops = verb == Verb::Stop || (verb == Verb::Restart && detail.state.is_up());
    let loses = if stops { losses(&grounds.classifier(), risk, Event::Stop) } else { Vec::new() };
    let opposite = match verb {
        Verb::Stop => Some(Verb::Start),
        Verb::Pause => Some(Verb::Unpause),
        Verb::Unpause => Some(Verb::Pause),
        Verb::Start => Some(Verb::Stop),
        _ => None,
    };
    let at_risk = digest(&loses);
    let gone = verb == Verb::Stop && detail.on_stop == Aftermath::Removed;
    let now = clock.now();
    Ok(Plan {
        id: new_id(now),
        endpoint: workspace.key.endpoint.clone(),
        made_at: now,
        preconditions: vec![Precondition {
            subject: workspace.key.clone(),
            state: detail.state,
            started: detail.started,
            image_id: workspace.image_id.clone(),
            at_risk,
        }],
        steps: vec![Step {
            verb,
            subject: workspace.key.clone(),
            call: call(verb, workspace, &name),
            reversible_by: opposite.filter(|_| !gone).map(|opposite| call(opposite, workspace, &name)),
            name,
            bytes: None,
            loses,
            files: None,
            job: None,
            deed: None,
        }],
        notes: if stops {
            let no_pause = no_pause(&grounds.classifier());
            no_pause.into_iter().chain(jobs::reminder(workspace, &grounds.rules)).collect()
        } else {
            Vec::new()
        },
        asks_for: None,
        facts: Vec::new(),
    })
}

/// That a stop is no pause, on platforms whose next start makes a new container.
fn no_pause(classifier: &Classifier<'_>) -> Option<String> {
    if classifier.after(Event::Stop) != Aftermath::Recreated {
        return None;
    }
    let rules = classifier.rules;
    let outside = match &rules.workspace {
        Some(folder) => format!("what is outside {} goes away, system packages too", folder.display()),
        None => "its files and system packages go away".into(),
    };
    Some(format!("on {} the next start makes a new container: {outside}", rules.profile.title))
}

/// Sorts by time; the process and a counter keep plans of the same moment apart.
pub(crate) fn new_id(now: Timestamp) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{}-{:x}-{count:x}", now.strftime("%Y%m%dT%H%M%S%.3fZ"), std::process::id())
}

/// The command that a verb runs on a workspace.
pub fn command(verb: Verb, workspace: &Workspace) -> String {
    call(verb, workspace, workspace.container.as_deref().unwrap_or_default())
}

/// What a person would type. A name that no shell could be given safely is replaced by the id.
pub(crate) fn call(verb: Verb, workspace: &Workspace, name: &str) -> String {
    let key = &workspace.key;
    let name = quote(Path::new(name)).unwrap_or_else(|| key.id.clone());
    match key.endpoint.as_str() {
        "docker" => format!("{} {} {name}", workspace.client, verb.key()),
        endpoint => format!("outlast --engine {endpoint} {} {name}", verb.key()),
    }
}

/// What an event loses, one entry a storage kind: that is how far the totals tell things apart.
pub(crate) fn losses(classifier: &Classifier<'_>, risk: Option<&Risk>, event: Event) -> Vec<Loss> {
    let mut losses: Vec<Loss> = Vec::new();
    for mount in classifier.detail.mounts.iter().filter(|mount| mount.holds_files()) {
        if classifier.mount(mount).fates.verdict(event) != Verdict::Lost {
            continue;
        }
        let target = mount.target.to_string_lossy();
        if let Some(known) = losses.iter_mut().find(|loss| loss.storage == mount.storage) {
            known.what = format!("{}, {target}", known.what);
            continue;
        }
        let tally = risk.and_then(|risk| found(risk, mount.storage));
        losses.push(Loss {
            what: target.clone().into_owned(),
            storage: mount.storage,
            files: tally.map(|tally| tally.files),
            bytes: tally.map(|tally| tally.bytes),
            at_least: tally.is_some() && risk.is_some_and(|risk| !risk.complete()),
            cache: false,
        });
    }
    let caches = risk.map(|risk| risk.caches.clone()).unwrap_or_default();
    for (lot, tally) in caches {
        let storage = lot.storage;
        if losses.iter().any(|loss| loss.storage == storage) {
            losses.push(Loss {
                what: "caches".into(),
                storage,
                files: Some(tally.files),
                bytes: Some(tally.bytes),
                at_least: false,
                cache: true,
            });
        }
    }
    losses
}

/// What was found on a kind. Nothing found by a look that was not complete is not known.
fn found(risk: &Risk, storage: StorageKind) -> Option<Tally> {
    let tally = risk.was_read(storage).then(|| risk.tally(|lot| lot.storage == storage));
    match tally {
        Some(tally) if tally.files > 0 || risk.complete() => Some(tally),
        // A complete look that met nothing of a kind leaves it out.
        None if risk.complete() => Some(Tally::default()),
        _ => None,
    }
}

/// A digest of what would be lost, stable between runs: files and bytes by storage
/// kind. It tells that more, fewer or larger files are there; a file replaced by one
/// of the same size goes unnoticed, which loses nothing the person did not agree to lose.
pub(crate) fn digest(losses: &[Loss]) -> String {
    if losses.iter().any(|loss| loss.files.is_none()) {
        return NOT_READ.into();
    }
    let mut parts: Vec<_> = losses
        .iter()
        .filter_map(|loss| Some(format!("{}={}/{}", loss.storage.key(), loss.files?, loss.bytes?)))
        .collect();
    parts.sort();
    parts.join(" ")
}

/// The plan as text, one line each: the same in the dialog and in `--dry-run`.
pub fn plan_lines(plan: &Plan, now: Timestamp) -> Vec<String> {
    let mut lines = if plan.steps.iter().any(|step| step.deed.is_some()) {
        whole_lines(plan)
    } else {
        step_lines(plan, now)
    };
    lines.extend(plan.notes.iter().map(|note| format!("  note    {}", printable(note))));
    let age = crate::text::age(plan.made_at, now);
    if age != "<1m" {
        lines.push(format!("  this plan is {age} old; everything is looked at again before it runs"));
    }
    lines
}

/// What all steps amount to, and what was found out beforehand.
fn whole_lines(plan: &Plan) -> Vec<String> {
    let name = plan.steps.first().map(|step| step.name.as_str()).unwrap_or_default();
    let verb = plan.whole().or(plan.steps.first().map(|step| step.verb)).unwrap_or(Verb::Rescue);
    let mut lines = vec![format!("{} {}", verb.key(), printable(name))];
    lines.extend(
        plan.facts.iter().map(|fact| format!("  {:<7} {}", printable(&fact.about), printable(&fact.says))),
    );
    lines.extend(plan.losses().map(|loss| format!("  loses   {}", loss_line(loss))));
    lines.extend(plan.steps.iter().map(|step| format!("  does    {}", printable(&step.call))));
    lines
}

/// Each step with what it does, what it loses and how it is undone.
fn step_lines(plan: &Plan, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &plan.steps {
        lines.push(format!("{} {}", step.verb.key(), printable(&step.name)));
        lines.push(format!("  does    {}", printable(&step.call)));
        if let Some(job) = &step.job {
            lines.extend(crate::work::backup::lines(job, &[], now).into_iter().skip(1));
            continue;
        }
        for loss in &step.loses {
            lines.push(format!("  loses   {}", loss_line(loss)));
        }
        if step.loses.is_empty() && step.verb == Verb::Stop {
            lines.push("  loses   nothing".into());
        }
        lines.push(match &step.reversible_by {
            Some(call) => format!("  undo    {}", printable(call)),
            None if step.verb == Verb::Stop => {
                "  undo    not possible: the container removes itself when it stops (--rm)".into()
            }
            None => "  undo    not possible".into(),
        });
    }
    lines
}

/// What a loss is, in words.
pub(crate) fn loss_line(loss: &Loss) -> String {
    let what = format!("{} ({})", printable(&loss.what), loss.storage.label());
    let what = if loss.at_least { format!("{what}: at least") } else { format!("{what}:") };
    match (loss.files, loss.bytes) {
        (Some(0), _) => format!("{what} no files there"),
        (Some(1), Some(bytes)) => format!("{what} 1 file, {}", size(bytes)),
        (Some(files), Some(bytes)) => format!("{what} {files} files, {}", size(bytes)),
        (Some(1), None) => format!("{what} 1 file of unknown size"),
        (Some(files), None) => format!("{what} {files} files of unknown size"),
        _ => format!("{what} not known, nobody could look"),
    }
}

#[cfg(test)]
mod tests;
