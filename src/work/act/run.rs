//! Runs a plan: what must still be true is looked at again just before every step.

use std::time::{Duration, Instant};

use super::{NOT_READ, applies, digest, loss_line, losses};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::plan::{Plan, Step, Verb};
use crate::core::recognise::Profiles;
use crate::core::report::Change;
use crate::core::workspace::{RunState, WsKey};
use crate::port::{Clock, Engine, Host};
use crate::store::Store;
use crate::text::printable;
use crate::work::{ground, risk};

/// How long a container that removes itself is waited for.
const GONE_WITHIN: Duration = Duration::from_secs(2);

/// What a person agreed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// The plan was shown, or skipping that was asked for, and the answer was yes.
    pub yes: bool,
    /// Losing what the plan loses was agreed to in so many words.
    pub lose_data: bool,
}

/// Runs a plan: checks everything again, journals each step before and after, logs each change.
///
/// `profiles` are those the plan was made with: losses are judged by them again.
pub async fn run(
    engine: &dyn Engine,
    store: &Store,
    host: &Host,
    profiles: &Profiles,
    clock: &dyn Clock,
    plan: &Plan,
    consent: Consent,
) -> Result<()> {
    agreed(plan, consent)?;
    let mut journal = store.journal(plan)?;
    for (number, step) in plan.steps.iter().enumerate() {
        // Nothing was begun, so there is nothing to finish later either.
        let before = match unchanged(engine, profiles, clock, plan, step).await {
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
        let after = after(engine, step, outcome.is_ok()).await;
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
        let ended = journal.end(number, &result, clock.now());
        if let Err(error) = outcome {
            // What the engine said matters more than what the books say.
            if ended.is_ok() {
                let _ = journal.close();
            }
            return Err(error);
        }
        logged.and(ended).map_err(|error| not_in_the_books(step, error))?;
    }
    journal.close().map_err(|error| match plan.steps.last() {
        Some(step) => not_in_the_books(step, error),
        None => error,
    })
}

/// Whether a person agreed to the plan, and to what it loses.
pub(super) fn agreed(plan: &Plan, consent: Consent) -> Result<()> {
    if !consent.yes {
        return Err(Error::new(Kind::Refused, "nobody agreed to the plan").hint("`--yes` agrees to it"));
    }
    if plan.loses_data() && !consent.lose_data { Err(refuse_losses(plan)) } else { Ok(()) }
}

/// Books that could not be written after the engine did the step: that it is done comes first.
fn not_in_the_books(step: &Step, error: Error) -> Error {
    let message =
        format!("{} was {}, but that is not written down: {}", step.name, step.verb.past(), error.message);
    Error { message, ..error }
}

/// The state after a step. An engine removes a container that removes itself a
/// moment after it stopped, so that moment is waited for.
async fn after(engine: &dyn Engine, step: &Step, done: bool) -> String {
    let mut state = state_of(engine, &step.subject).await;
    let goes = done && step.verb == Verb::Stop && step.reversible_by.is_none();
    let deadline = Instant::now() + GONE_WITHIN;
    while goes && state != "absent" && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(50)).await;
        state = state_of(engine, &step.subject).await;
    }
    state
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
    profiles: &Profiles,
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
    let grounds = ground::look(engine, profiles, &workspace).await?;
    let detail = &grounds.detail;
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
        let look = risk::read(engine, &step.subject, &grounds, true, 0, clock, &mut |_| {}).await.ok();
        let now = losses(&grounds.classifier(), look.as_ref(), Event::Stop);
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
pub(super) async fn state_of(engine: &dyn Engine, key: &WsKey) -> String {
    match engine.detail(key).await {
        Ok(detail) => detail.state.key().into(),
        Err(error) if error.kind == Kind::NotFound => "absent".into(),
        Err(_) => RunState::Unknown.key().into(),
    }
}
