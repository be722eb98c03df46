//! Finishes the books of plans that were cut off. Does nothing to any workspace; what was begun with
//! files is finished or taken back.

use std::sync::Arc;

use jiff::Timestamp;

use super::run::state_of;
use super::{files, jobs};
use crate::core::error::Result;
use crate::core::plan::{Plan, Step, Verb};
use crate::core::report::Change;
use crate::core::workspace::RunState;
use crate::port::{Clock, Engine, Files};
use crate::store::Store;
use crate::text::printable;

/// Finishes the bookkeeping of plans that were cut off on this endpoint; one sentence each.
///
/// Nothing is done to any workspace: the state it is in says whether the step
/// took place, and that is written down. Plans that are about files alone are not the endpoint's.
pub async fn recover(
    engine: &dyn Engine,
    files: &Arc<dyn Files>,
    store: &Store,
    clock: &dyn Clock,
) -> Vec<String> {
    let unfinished = match store.unfinished() {
        Ok(unfinished) => unfinished,
        Err(error) => return vec![error.message],
    };
    let mut said = Vec::new();
    for mut cut_off in unfinished {
        if !is_ours(&cut_off.plan, &engine.endpoint().id) {
            continue;
        }
        let finished = (0..cut_off.plan.steps.len()).all(|number| cut_off.ended.contains(&number));
        if finished {
            // Every step is in the books; only the journal was left.
            if let Err(error) = cut_off.journal.close() {
                said.push(error.message);
            }
            continue;
        }
        let mut endings = Vec::new();
        let mut known = true;
        for number in cut_off.begun.clone() {
            let Some(step) = cut_off.plan.steps.get(number).cloned() else { continue };
            let logged = logged_result(store, &cut_off.plan, &step);
            let result = match logged {
                Ok(Some(result)) => Some(result),
                Ok(None) => write_down(engine, files, store, clock, &cut_off.plan, &step).await,
                Err(error) => {
                    said.push(error.message);
                    None
                }
            };
            let Some(result) = result else {
                known = false;
                continue;
            };
            if cut_off.journal.end(number, &result, clock.now()).is_err() {
                known = false;
                continue;
            }
            endings.push(format!("{} {}: {}", step.verb.key(), printable(&step.name), printable(&result)));
        }
        if !known {
            said.push(format!("plan {} was cut off; how far it came is not known yet", cut_off.plan.id));
            continue;
        }
        let how = match (endings.is_empty(), cut_off.ended.len()) {
            (false, _) => endings.join(", "),
            (true, 0) => "before its first step".into(),
            (true, ended) => format!("after {ended} of {} steps", cut_off.plan.steps.len()),
        };
        said.push(match cut_off.journal.close() {
            Ok(()) => format!("plan {} was cut off; {how}", cut_off.plan.id),
            Err(error) => error.message,
        });
    }
    said
}

/// What the log says of a step already: a process may end between the log and the journal.
fn logged_result(store: &Store, plan: &Plan, step: &Step) -> Result<Option<String>> {
    let (changes, _) = store.audit().read()?;
    let same =
        |change: &Change| change.plan == plan.id && change.verb == step.verb && change.subject == step.subject;
    Ok(changes.into_iter().find(same).map(|change| change.result))
}

/// Logs how a step ended, from the state it left; `None` where that is not known or was not written.
async fn write_down(
    engine: &dyn Engine,
    files: &Arc<dyn Files>,
    store: &Store,
    clock: &dyn Clock,
    plan: &Plan,
    step: &Step,
) -> Option<String> {
    if let Some(job) = &step.job {
        return jobs::settled(store, job);
    }
    let (before, took_place, after) = if let Some(act) = &step.files {
        let took_place = files::settle(files, store, step.verb, act).await?;
        ("present".into(), took_place, files::after(files, act).await)
    } else {
        let after = state_of(engine, &step.subject).await;
        (state_before(plan, step), took_place(step.verb, &after)?, after)
    };
    let result = if took_place { "done" } else { "not done" };
    store.audit().append(&recovered(plan, step, before, after, result, clock.now())).ok()?;
    Some(result.into())
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

/// Whether a plan is this endpoint's, or needs none. What was done in memory is in no file.
fn is_ours(plan: &Plan, endpoint: &str) -> bool {
    let in_memory = |endpoint: &str| endpoint.starts_with("demo");
    plan.endpoint == endpoint || (plan.is_about_files() && !in_memory(&plan.endpoint) && !in_memory(endpoint))
}

fn state_before(plan: &Plan, step: &Step) -> String {
    let known = plan.preconditions.iter().find(|known| known.subject == step.subject);
    known.map_or(RunState::Unknown, |known| known.state).key().into()
}

fn recovered(plan: &Plan, step: &Step, before: String, after: String, result: &str, at: Timestamp) -> Change {
    Change {
        at,
        user: "outlast".into(),
        endpoint: plan.endpoint.clone(),
        verb: step.verb,
        subject: step.subject.clone(),
        container: step.name.clone(),
        before,
        after,
        plan: plan.id.clone(),
        result: format!("{result} (cut off, found at the next start)"),
        command: step.call.clone(),
        recreate: step.reversible_by.clone(),
    }
}
