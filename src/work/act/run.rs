//! Runs a plan: what must still be true is looked at again just before every step.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::deeds::Course;
use super::{NOT_READ, applies, digest, files, jobs, loss_line, losses};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::plan::{Plan, Step, Verb};
use crate::core::recognise::Profiles;
use crate::core::report::Change;
use crate::core::workspace::{RunState, WsKey};
use crate::port::{Clock, Engine, Files, Host, Job};
use crate::store::{Journal, Store};
use crate::text::printable;
use crate::work::retire::UNSAVED;
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

/// What plans are run with.
pub struct Runner<'a> {
    /// Does what is done to containers.
    pub engine: &'a dyn Engine,
    /// Does what is done to files.
    pub files: Arc<dyn Files>,
    /// Keeps the books.
    pub store: &'a Store,
    /// This machine.
    pub host: &'a Host,
    /// Those the plan was made with: losses are judged by them again.
    pub profiles: &'a Profiles,
    /// The time.
    pub clock: &'a dyn Clock,
    /// This very program, which works on jobs in a process of its own.
    pub program: &'a Path,
    /// How far the running step is, and whether it is to end.
    pub job: Arc<Job>,
}

impl Runner<'_> {
    /// Runs a plan: checks everything again, journals each step before and after, logs each change.
    pub async fn run(&self, plan: &Plan, consent: Consent) -> Result<()> {
        agreed(plan, consent)?;
        let mut journal = self.store.journal(plan)?;
        let mut course = Course::default();
        for (number, step) in plan.steps.iter().enumerate() {
            // Nothing was begun, so there is nothing to finish later either.
            let before = match self.unchanged(plan, step, &course).await {
                Ok(before) => before,
                Err(error) => {
                    let error = self.end_early(plan, &course, error).await;
                    journal.close()?;
                    return Err(error);
                }
            };
            if let Err(error) = journal.begin(number, self.clock.now()) {
                return Err(self.end_early(plan, &course, error).await);
            }
            course.begins(step);
            let outcome = match self.perform(plan, step, &mut course).await {
                Ok(()) => Ok(()),
                Err(error) => Err(self.end_early(plan, &course, error).await),
            };
            let result = match &outcome {
                Ok(()) => "done".to_string(),
                Err(error) => format!("failed: {}", error.message),
            };
            let after = self.after(step, outcome.is_ok()).await;
            let change = Change {
                at: self.clock.now(),
                user: self.host.user.clone().unwrap_or_else(|| self.host.uid.to_string()),
                endpoint: plan.endpoint.clone(),
                verb: step.verb,
                subject: step.subject.clone(),
                container: step.name.clone(),
                before,
                after,
                plan: plan.id.clone(),
                result: result.clone(),
                command: step.call.clone(),
                recreate: step.reversible_by.clone(),
            };
            let went_on = outcome.is_ok();
            let written = self.write_down(&mut journal, number, step, &change, &result, outcome.err());
            if let Err(error) = written {
                return Err(if went_on { self.end_early(plan, &course, error).await } else { error });
            }
        }
        journal.close().map_err(|error| match plan.steps.last() {
            Some(step) => not_in_the_books(step, error),
            None => error,
        })
    }

    /// The log first: a step that is closed in the journal is never looked at again. What the step
    /// itself ran into matters more than what the books say.
    fn write_down(
        &self,
        journal: &mut Journal,
        number: usize,
        step: &Step,
        change: &Change,
        result: &str,
        failure: Option<Error>,
    ) -> Result<()> {
        // A job writes into the log itself: it may outlive this program.
        let logged = if step.job.is_some() { Ok(()) } else { self.store.audit().append(change) };
        let ended = journal.end(number, result, self.clock.now());
        match failure {
            Some(error) => {
                if ended.is_ok() {
                    journal.forget();
                }
                Err(error)
            }
            None => logged.and(ended).map_err(|error| not_in_the_books(step, error)),
        }
    }

    async fn perform(&self, plan: &Plan, step: &Step, course: &mut Course) -> Result<()> {
        match (&step.deed, &step.job, &step.files) {
            (Some(deed), ..) => self.do_deed(plan, step, deed, course).await,
            (None, Some(job), _) => jobs::perform(self, step, job).await,
            (None, None, Some(act)) => files::perform(self, step.verb, act).await,
            (None, None, None) => self.engine.run(step).await,
        }
    }

    /// What a step finds, if everything is as it was when the plan was made.
    async fn unchanged(&self, plan: &Plan, step: &Step, course: &Course) -> Result<String> {
        match (&step.deed, &step.job, &step.files) {
            (Some(deed), ..) => self.still(plan, step, deed, course).await,
            // A job looks for itself, and leaves the container alone.
            (None, Some(_), _) => Ok(jobs::UNTOUCHED.into()),
            (None, None, Some(act)) => files::unchanged(&self.files, act).await,
            (None, None, None) => self.state(plan, step).await.map(|state| state.key().into()),
        }
    }

    /// The state after a step. An engine removes a container that removes itself a
    /// moment after it stopped, so that moment is waited for.
    async fn after(&self, step: &Step, done: bool) -> String {
        if step.job.is_some() {
            return jobs::UNTOUCHED.into();
        }
        if let Some(act) = &step.files {
            return files::after(&self.files, act).await;
        }
        let mut state = state_of(self.engine, &step.subject).await;
        let goes = done && step.verb == Verb::Stop && step.reversible_by.is_none();
        let deadline = Instant::now() + GONE_WITHIN;
        while goes && state != files::ABSENT && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
            state = state_of(self.engine, &step.subject).await;
        }
        state
    }

    async fn state(&self, plan: &Plan, step: &Step) -> Result<RunState> {
        let Some(expected) = plan.preconditions.iter().find(|known| known.subject == step.subject) else {
            return Err(Error::new(Kind::Refused, "the plan does not say what must be true"));
        };
        let (engine, clock) = (self.engine, self.clock);
        let inventory = engine.inventory().await?;
        let Some(workspace) = inventory.workspaces.into_iter().find(|known| known.key == step.subject) else {
            return Err(changed(step, "it is gone"));
        };
        let grounds = ground::look(engine, self.profiles, &workspace).await?;
        let detail = &grounds.detail;
        if detail.state != expected.state {
            return Err(changed(
                step,
                &format!("it was {}, it is {}", expected.state.key(), detail.state.key()),
            ));
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
            let look = risk::read(engine, &step.subject, &grounds, true, 0, clock, &mut |_| {}).await.ok();
            let now = losses(&grounds.classifier(), look.as_ref(), Event::Stop);
            if digest(&now) != expected.at_risk {
                let now: Vec<_> = now.iter().map(loss_line).collect();
                return Err(changed(step, &format!("now it would lose {}", now.join("; "))));
            }
        }
        Ok(detail.state)
    }
}

/// Whether a person agreed to the plan, and to what it loses.
pub(super) fn agreed(plan: &Plan, consent: Consent) -> Result<()> {
    if !consent.yes {
        return Err(Error::new(Kind::Refused, "nobody agreed to the plan").hint("`--yes` agrees to it"));
    }
    if plan.loses_data() && !consent.lose_data { Err(refuse_losses(plan)) } else { Ok(()) }
}

/// Books that could not be written after the step was done: that it is done comes first.
fn not_in_the_books(step: &Step, error: Error) -> Error {
    let message =
        format!("{} was {}, but that is not written down: {}", step.name, step.verb.past(), error.message);
    Error { message, ..error }
}

fn refuse_losses(plan: &Plan) -> Error {
    let lost: Vec<_> = plan.losses().filter(|loss| loss.files != Some(0)).map(loss_line).collect();
    let error = Error::new(Kind::Refused, format!("this would lose {}", lost.join("; ")));
    let error = if plan.is_about_files() {
        error
    } else {
        let name = plan.steps.first().map_or("NAME", |step| step.name.as_str());
        let unsaved = plan.facts.iter().find(|fact| fact.about == UNSAVED);
        let error = match unsaved {
            Some(why) => {
                Error { message: format!("{}, and cannot be saved: {}", error.message, why.says), ..error }
            }
            None => error,
        };
        error.hint(format!("`outlast risk {}` lists the files; copy out what matters", printable(name)))
    };
    error.hint("`--lose-data` agrees to losing them")
}

pub(super) fn changed(step: &Step, what: &str) -> Error {
    // What is a part of something larger has no command of its own.
    let verb = match (step.deed.is_some(), step.verb) {
        (false, verb) | (true, verb @ Verb::Rescue) => verb,
        (true, Verb::Make | Verb::PutBack | Verb::Name | Verb::Start | Verb::Unpin) => Verb::Undo,
        (true, _) => Verb::Retire,
    };
    Error::new(Kind::Refused, format!("things changed since the plan was made: {what}")).hint(format!(
        "look at the new plan: `outlast {} {} --dry-run`",
        verb.key(),
        printable(&step.name)
    ))
}

/// The state's word after a step; a workspace that is gone has the word `absent`.
pub(super) async fn state_of(engine: &dyn Engine, key: &WsKey) -> String {
    match engine.detail(key).await {
        Ok(detail) => detail.state.key().into(),
        Err(error) if error.kind == Kind::NotFound => files::ABSENT.into(),
        Err(_) => RunState::Unknown.key().into(),
    }
}
