//! Acts: make a plan, show it, run it, and finish the bookkeeping of one that was cut off.
//!
//! A plan is the same text in the dialog and in `--dry-run`. What must still be
//! true is looked at again just before every step.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;

use super::explain::quote;
use super::risk;
use crate::core::classify::{Classifier, Facts};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::finding::{Risk, Tally};
use crate::core::plan::{Loss, Plan, Precondition, Step, Verb};
use crate::core::profile::Profile;
use crate::core::report::Change;
use crate::core::storage::{Aftermath, StorageKind};
use crate::core::workspace::{Detail, RunState, Workspace, WsKey};
use crate::port::{Clock, Engine, Host};
use crate::store::Store;
use crate::text::{printable, size};

/// The digest of losses that nobody could look at.
const NOT_READ: &str = "not read";

/// What a person agreed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// The plan was shown, or skipping that was asked for, and the answer was yes.
    pub yes: bool,
    /// Losing what the plan loses was agreed to in so many words.
    pub lose_data: bool,
}

/// Whether a verb applies to a workspace now; a `Conflict` or `Refused` with the reason where not.
pub fn applies(verb: Verb, workspace: &Workspace, state: RunState) -> Result<()> {
    let name = &workspace.name;
    let conflict = |why: &str, hint: &str| Err(Error::new(Kind::Conflict, format!("{name} {why}")).hint(hint));
    if workspace.protected {
        return Err(Error::new(Kind::Refused, format!("{name} is marked as protected by its platform"))
            .hint("ask whoever runs this platform"));
    }
    if workspace.container.is_none() {
        return conflict("has no container", "only containers can be started and stopped");
    }
    match (verb, state) {
        (Verb::Start, RunState::Exited | RunState::Created)
        | (Verb::Stop, RunState::Running | RunState::Paused | RunState::Restarting) => Ok(()),
        (Verb::Start, RunState::Running | RunState::Restarting) => {
            conflict("is running already", "nothing needs doing")
        }
        (Verb::Start, RunState::Paused) => conflict("is paused, not stopped", "`docker unpause` lets it go on"),
        (Verb::Stop, RunState::Exited | RunState::Created) => conflict("is not running", "nothing needs doing"),
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
    detail: &Detail,
    risk: Option<&Risk>,
    profile: &Profile,
    clock: &dyn Clock,
) -> Result<Plan> {
    applies(verb, workspace, detail.state)?;
    let name = workspace.container.clone().unwrap_or_default();
    let loses = match verb {
        Verb::Start => Vec::new(),
        Verb::Stop => losses(detail, risk, profile, Event::Stop),
    };
    let at_risk = digest(&loses);
    let opposite = match verb {
        Verb::Start => Verb::Stop,
        Verb::Stop => Verb::Start,
    };
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
            call: call(verb, &workspace.key, &name),
            reversible_by: (!gone).then(|| call(opposite, &workspace.key, &name)),
            name,
            bytes: None,
            loses,
        }],
    })
}

/// Sorts by time; the process and a counter keep plans of the same moment apart.
fn new_id(now: Timestamp) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{}-{:x}-{count:x}", now.strftime("%Y%m%dT%H%M%S%.3fZ"), std::process::id())
}

/// What a person would type. A name that no shell could be given safely is replaced by the id.
fn call(verb: Verb, key: &WsKey, name: &str) -> String {
    let name = quote(Path::new(name)).unwrap_or_else(|| key.id.clone());
    match key.endpoint.as_str() {
        "docker" => format!("docker {} {name}", verb.key()),
        endpoint => format!("outlast --engine {endpoint} {} {name}", verb.key()),
    }
}

/// What an event loses, one entry a storage kind: that is how far the totals tell things apart.
fn losses(detail: &Detail, risk: Option<&Risk>, profile: &Profile, event: Event) -> Vec<Loss> {
    let classifier = Classifier { detail, profile, facts: Facts::default() };
    let mut losses: Vec<Loss> = Vec::new();
    for mount in detail.mounts.iter().filter(|mount| risk::holds_files(mount)) {
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
            what: target.into_owned(),
            storage: mount.storage,
            files: tally.map(|tally| tally.files),
            bytes: tally.map(|tally| tally.bytes),
        });
    }
    losses
}

/// What was found on a kind; nothing found by a look that was not complete is not known.
fn found(risk: &Risk, storage: StorageKind) -> Option<Tally> {
    let tally = risk.tallies.iter().find(|(kind, _)| *kind == storage).map(|(_, tally)| *tally);
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
fn digest(losses: &[Loss]) -> String {
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
    let mut lines = Vec::new();
    for step in &plan.steps {
        lines.push(format!("{} {}", step.verb.key(), printable(&step.name)));
        lines.push(format!("  does    {}", printable(&step.call)));
        for loss in &step.loses {
            lines.push(format!("  loses   {}", loss_line(loss)));
        }
        if step.loses.is_empty() && step.verb == Verb::Stop {
            lines.push("  loses   nothing".into());
        }
        lines.push(match &step.reversible_by {
            Some(call) => format!("  undo    {}", printable(call)),
            None => "  undo    not possible: the container removes itself when it stops (--rm)".into(),
        });
    }
    let age = crate::text::age(plan.made_at, now);
    if age != "now" {
        lines.push(format!("  this plan is {age} old; everything is looked at again before it runs"));
    }
    lines
}

fn loss_line(loss: &Loss) -> String {
    let what = format!("{} ({})", printable(&loss.what), loss.storage.label());
    match (loss.files, loss.bytes) {
        (Some(0), _) => format!("{what}: no files there"),
        (Some(1), Some(bytes)) => format!("{what}: 1 file, {}", size(bytes)),
        (Some(files), Some(bytes)) => format!("{what}: {files} files, {}", size(bytes)),
        _ => format!("{what}: not known, nobody could look"),
    }
}

/// Runs a plan: checks everything again, journals each step before and after, logs each change.
///
/// `profile` is the one the plan was made with: losses are judged by it again.
pub async fn run(
    engine: &dyn Engine,
    store: &Store,
    host: &Host,
    profile: &Profile,
    clock: &dyn Clock,
    plan: &Plan,
    consent: Consent,
) -> Result<()> {
    if !consent.yes {
        return Err(Error::new(Kind::Refused, "nobody agreed to the plan").hint("`--yes` agrees to it"));
    }
    if plan.loses_data() && !consent.lose_data {
        return Err(refuse_losses(plan));
    }
    let mut journal = store.journal(plan)?;
    for (number, step) in plan.steps.iter().enumerate() {
        // Nothing was begun, so there is nothing to finish later either.
        let before = match unchanged(engine, profile, clock, plan, step).await {
            Ok(state) => state,
            Err(error) => {
                journal.close()?;
                return Err(error);
            }
        };
        journal.begin(number, clock.now())?;
        let outcome = engine.run(step).await;
        let result = match &outcome {
            Ok(()) => "done".to_string(),
            Err(error) => format!("failed: {}", error.message),
        };
        let after = state_of(engine, &step.subject).await;
        let change = Change {
            at: clock.now(),
            user: host.user.clone().unwrap_or_else(|| host.uid.to_string()),
            endpoint: plan.endpoint.clone(),
            verb: step.verb,
            subject: step.subject.clone(),
            container: step.name.clone(),
            before: before.key().into(),
            after,
            plan: plan.id.clone(),
            result: result.clone(),
            command: step.call.clone(),
            recreate: step.reversible_by.clone(),
        };
        // The log first: a step that is closed in the journal is never looked at again.
        let logged = store.audit().append(&change);
        journal.end(number, &result, clock.now())?;
        if let Err(error) = outcome {
            journal.close()?;
            return Err(error);
        }
        logged?;
    }
    journal.close()
}

fn refuse_losses(plan: &Plan) -> Error {
    let lost: Vec<_> = plan.losses().filter(|loss| loss.files != Some(0)).map(loss_line).collect();
    let name = plan.steps.first().map_or("NAME", |step| step.name.as_str());
    Error::new(Kind::Refused, format!("this would lose {}", lost.join("; ")))
        .hint(format!("`outlast risk {}` lists the files; copy out what matters", printable(name)))
        .hint("`--lose-data` agrees to losing them")
}

/// The state a step finds, if everything is as it was when the plan was made.
async fn unchanged(
    engine: &dyn Engine,
    profile: &Profile,
    clock: &dyn Clock,
    plan: &Plan,
    step: &Step,
) -> Result<RunState> {
    let Some(expected) = plan.preconditions.iter().find(|known| known.subject == step.subject) else {
        return Err(Error::new(Kind::Refused, "the plan does not say what must be true"));
    };
    let inventory = engine.inventory().await?;
    let Some(workspace) = inventory.workspaces.into_iter().find(|known| known.key == step.subject) else {
        return Err(changed(step, "it is gone"));
    };
    let detail = Arc::new(engine.detail(&step.subject).await?);
    if detail.state != expected.state {
        return Err(changed(step, &format!("it was {}, it is {}", expected.state.key(), detail.state.key())));
    }
    if detail.started != expected.started {
        return Err(changed(step, "it was started anew"));
    }
    if workspace.image_id != expected.image_id {
        return Err(changed(step, "it was made from another image"));
    }
    applies(step.verb, &workspace, detail.state)?;
    let irreversible = step.reversible_by.is_none() || !step.loses.is_empty();
    if irreversible && expected.at_risk != NOT_READ {
        let state = detail.state;
        let look =
            risk::read(engine, &step.subject, detail.clone(), profile, true, 0, clock, &mut |_| {}).await.ok();
        let now = losses(&detail, look.as_ref(), profile, Event::Stop);
        if digest(&now) != expected.at_risk {
            let now: Vec<_> = now.iter().map(loss_line).collect();
            return Err(changed(step, &format!("now it would lose {}", now.join("; "))));
        }
        return Ok(state);
    }
    Ok(detail.state)
}

fn changed(step: &Step, what: &str) -> Error {
    Error::new(Kind::Refused, format!("things changed since the plan was made: {what}")).hint(format!(
        "look at the new plan: `outlast {} {} --dry-run`",
        step.verb.key(),
        printable(&step.name)
    ))
}

/// The state's word after a step; a workspace that is gone has the word `absent`.
async fn state_of(engine: &dyn Engine, key: &WsKey) -> String {
    match engine.detail(key).await {
        Ok(detail) => detail.state.key().into(),
        Err(error) if error.kind == Kind::NotFound => "absent".into(),
        Err(_) => RunState::Unknown.key().into(),
    }
}

/// Finishes the bookkeeping of plans that were cut off on this endpoint; one sentence each.
///
/// Nothing is done to any workspace: the state it is in says whether the step
/// took place, and that is written down.
pub async fn recover(engine: &dyn Engine, store: &Store, clock: &dyn Clock) -> Vec<String> {
    let unfinished = match store.unfinished() {
        Ok(unfinished) => unfinished,
        Err(error) => return vec![error.message],
    };
    let mut said = Vec::new();
    for mut cut_off in unfinished {
        if cut_off.plan.endpoint != engine.endpoint().id {
            continue;
        }
        let mut endings = Vec::new();
        let mut known = true;
        for number in cut_off.begun.clone() {
            let Some(step) = cut_off.plan.steps.get(number).cloned() else { continue };
            let after = state_of(engine, &step.subject).await;
            let Some(result) = took_place(step.verb, &after) else {
                known = false;
                continue;
            };
            let result = if result { "done" } else { "not done" };
            let change = recovered(&cut_off.plan, &step, &after, result, clock.now());
            if store.audit().append(&change).is_err()
                || cut_off.journal.end(number, result, clock.now()).is_err()
            {
                known = false;
                continue;
            }
            endings.push(format!("{} {}: {result}", step.verb.key(), printable(&step.name)));
        }
        if !known {
            said.push(format!("plan {} was cut off; how far it came is not known yet", cut_off.plan.id));
            continue;
        }
        let how = if endings.is_empty() { "before its first step".into() } else { endings.join(", ") };
        said.push(match cut_off.journal.close() {
            Ok(()) => format!("plan {} was cut off; {how}", cut_off.plan.id),
            Err(error) => error.message,
        });
    }
    said
}

/// Whether a step took place, from the state it left; `None` where the state says nothing.
fn took_place(verb: Verb, after: &str) -> Option<bool> {
    if after == "absent" {
        return Some(verb == Verb::Stop);
    }
    let state = RunState::from_key(after);
    match state {
        RunState::Unknown | RunState::Removing => None,
        state => Some(state.is_up() == (verb == Verb::Start)),
    }
}

fn recovered(plan: &Plan, step: &Step, after: &str, result: &str, at: Timestamp) -> Change {
    let before = plan
        .preconditions
        .iter()
        .find(|known| known.subject == step.subject)
        .map_or(RunState::Unknown, |known| known.state);
    Change {
        at,
        user: "outlast".into(),
        endpoint: plan.endpoint.clone(),
        verb: step.verb,
        subject: step.subject.clone(),
        container: step.name.clone(),
        before: before.key().into(),
        after: after.into(),
        plan: plan.id.clone(),
        result: format!("{result} (cut off, found at the next start)"),
        command: step.call.clone(),
        recreate: step.reversible_by.clone(),
    }
}

#[cfg(test)]
#[path = "act_tests.rs"]
mod tests;
