//! Finishes the books of plans that were cut off. What was begun with files is finished or taken back,
//! and so is what was to be retired or brought back; nothing else is done to any workspace.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::files::ABSENT;
use super::hands::Hands;
use super::run::state_of;
use super::{deeds, files, jobs};
use crate::core::deed::Deed;
use crate::core::error::{Kind, Result};
use crate::core::plan::{Plan, Step, Verb};
use crate::core::report::Change;
use crate::core::rescue::Rescue;
use crate::core::undo::Place;
use crate::core::workspace::{RunState, WsKey};
use crate::port::{Clock, Engine, Files};
use crate::store::Store;
use crate::text::printable;

/// Who finishes what was cut off.
const OURSELVES: &str = "outlast";

/// Finishes the bookkeeping of plans that were cut off on this endpoint; one sentence each.
///
/// The state that a workspace is in says whether the step took place, and that is written down. What
/// was to be retired or brought back is finished or taken back. Plans that are about files alone are
/// not the endpoint's.
pub async fn recover(
    engine: &dyn Engine,
    files: &Arc<dyn Files>,
    store: &Store,
    clock: &dyn Clock,
    program: &Path,
) -> Vec<String> {
    let job = Arc::default();
    let hands = Hands { engine, files, store, clock, user: OURSELVES.into(), program, job: &job };
    let unfinished = match store.unfinished() {
        Ok(unfinished) => unfinished,
        Err(error) => return vec![error.message],
    };
    let mut said = Vec::new();
    for mut cut_off in unfinished {
        if !is_ours(&cut_off.plan, &engine.endpoint().id) {
            continue;
        }
        let whole = cut_off.plan.whole();
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
        if let Some(verb) = whole {
            let begun: Vec<usize> = cut_off.begun.iter().chain(&cut_off.ended).copied().collect();
            match settle(&hands, verb, &cut_off.plan, &begun).await {
                Some(how) => said.push(match cut_off.journal.close() {
                    Ok(()) => format!("{} was cut off: {how}", titled(verb, &cut_off.plan)),
                    Err(error) => error.message,
                }),
                None => said.push(format!(
                    "{} was cut off; how far it came is not known yet",
                    titled(verb, &cut_off.plan)
                )),
            }
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

/// `retire my-project`.
fn titled(verb: Verb, plan: &Plan) -> String {
    let name = plan.steps.first().map(|step| step.name.as_str()).unwrap_or_default();
    format!("{} {}", verb.key(), printable(name))
}

/// Finishes what was to be retired or brought back, or takes it back; `None` where that cannot be told now.
async fn settle(hands: &Hands<'_>, verb: Verb, plan: &Plan, begun: &[usize]) -> Option<String> {
    let was_begun =
        |verb: Verb| plan.steps.iter().enumerate().any(|(at, step)| step.verb == verb && begun.contains(&at));
    let jobs = hands.store.jobs();
    for step in &plan.steps {
        if let Some(Deed::Save(saving)) = step.deed.as_deref() {
            // Nobody waits for it any more; one that is over or never began says so.
            let _ = jobs.cancel(&saving.job.id);
        }
    }
    if verb == Verb::Undo {
        return settle_undo(hands, plan, was_begun(Verb::Name)).await;
    }
    let subject = &plan.preconditions.first()?.subject;
    let now = state_of(hands.engine, subject).await;
    if RunState::from_key(&now) == RunState::Unknown && now != ABSENT {
        return None;
    }
    let record = hands.store.undos().pending(&plan.id);
    // One that removes itself is gone as soon as it stopped.
    if now == ABSENT && (was_begun(Verb::Remove) || was_begun(Verb::Stop)) && record.is_some() {
        hands.store.undos().keep(&plan.id).ok()?;
        return Some(format!("it is done; `outlast undo {}` brings it back", plan.id));
    }
    let saved = record.map(|record| record.saved).unwrap_or_default();
    match deeds::take_back(hands, plan, was_begun(Verb::Stop), &saved).await {
        Ok(Some(how)) => Some(how),
        Ok(None) => Some("its container is gone, and nothing of ours removed it".into()),
        Err(error) if error.kind == Kind::Incomplete => Some(error.message),
        Err(_) => None,
    }
}

async fn settle_undo(hands: &Hands<'_>, plan: &Plan, named: bool) -> Option<String> {
    let made = plan.steps.iter().find(|step| step.verb == Verb::Make)?;
    let Some(Deed::Make { recipe }) = made.deed.as_deref() else { return None };
    let working = state_of(hands.engine, &made.subject).await;
    if RunState::from_key(&working) == RunState::Unknown && working != ABSENT {
        return None;
    }
    let subject = WsKey { endpoint: made.subject.endpoint.clone(), id: recipe.name.clone() };
    let now = state_of(hands.engine, &subject).await;
    if working != ABSENT {
        deeds::unmake(hands, plan, false).await.ok()?;
        return Some("it was taken back; run it again".into());
    }
    if !named || now == ABSENT {
        return Some("nothing was changed; run it again".into());
    }
    let mut missing = None;
    for step in &plan.steps {
        match (step.verb, step.deed.as_deref()) {
            (Verb::Start, _) if !RunState::from_key(&now).is_up() => {
                hands.act(Verb::Start, plan, &subject, "finished").await.ok()?;
            }
            (Verb::PutBack, Some(Deed::PutBack(saved))) if matches!(saved.place, Place::Memory(_)) => {
                missing = hands.put_back(&plan.id, &subject, saved).await.err().or(missing);
            }
            (_, Some(Deed::Forget { record, pin })) if missing.is_none() => {
                if let Some(pin) = pin {
                    deeds::unpin(hands, plan, pin).await;
                }
                hands.store.undos().remove(record).ok()?;
            }
            _ => {}
        }
    }
    Some(match missing {
        None => "it is done".into(),
        Some(error) => format!("it is back, but not all of its memory: {}", error.message),
    })
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
    if matches!(step.deed.as_deref(), Some(Deed::Rescue(what)) if settled(files, what).await.is_err()) {
        return None;
    }
    let tells_nothing = step.deed.is_some()
        && !matches!(
            step.verb,
            Verb::Start | Verb::Stop | Verb::Pause | Verb::Unpause | Verb::Remove | Verb::Make
        );
    let (before, took_place, after) = if tells_nothing {
        ("-".into(), false, "-".into())
    } else if let Some(act) = &step.files {
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
    if after == ABSENT {
        return Some(matches!(verb, Verb::Stop | Verb::Remove));
    }
    match (verb, RunState::from_key(after)) {
        (Verb::Make, _) => Some(true),
        (_, RunState::Unknown | RunState::Removing) => None,
        (Verb::Remove, _) => Some(false),
        (Verb::Pause, state) => Some(state == RunState::Paused),
        (Verb::Unpause, state) => Some(state != RunState::Paused),
        (_, state) => Some(state.is_up() == matches!(verb, Verb::Start | Verb::Restart)),
    }
}

/// Takes away what a rescue had not finished.
async fn settled(files: &Arc<dyn Files>, what: &Rescue) -> Result<()> {
    let what = what.clone();
    files::on_disk(files, move |files| files.settle_rescue(&what)).await
}

/// Whether a plan is this endpoint's, or needs none. What was done in memory is in no file.
fn is_ours(plan: &Plan, endpoint: &str) -> bool {
    let in_memory = |endpoint: &str| endpoint.starts_with("demo");
    plan.endpoint == endpoint
        || ((plan.is_about_files() || is_a_rescue(plan)) && !in_memory(&plan.endpoint) && !in_memory(endpoint))
}

/// Whether all it does is copying files to where they are kept.
fn is_a_rescue(plan: &Plan) -> bool {
    plan.steps.iter().all(|step| matches!(step.deed.as_deref(), Some(Deed::Rescue(_))))
}

fn state_before(plan: &Plan, step: &Step) -> String {
    let known = plan.preconditions.iter().find(|known| known.subject == step.subject);
    known.map_or(RunState::Unknown, |known| known.state).key().into()
}

fn recovered(plan: &Plan, step: &Step, before: String, after: String, result: &str, at: Timestamp) -> Change {
    Change {
        at,
        user: OURSELVES.into(),
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
