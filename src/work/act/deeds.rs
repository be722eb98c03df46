//! Steps that are parts of retiring, bringing back and rescuing: what must be true before each, what it
//! does, and how all of it is taken back where one of them fails.

use jiff::Timestamp;

use super::files::{ABSENT, on_disk};
use super::hands::Hands;
use super::run::{Runner, changed, state_of};
use super::{NOT_READ, applies, digest, loss_line, losses};
use crate::core::deed::Deed;
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::plan::{Plan, Step, Verb};
use crate::core::recipe::Recipe;
use crate::core::undo::{Saved, Undo};
use crate::core::workspace::{Detail, RunState, WsKey};
use crate::text::printable;
use crate::work::{ground, risk};

/// What a plan that is being run has come to.
#[derive(Default)]
pub(super) struct Course {
    /// How its own last step left the container.
    left: Option<(RunState, Option<Timestamp>, Option<Timestamp>)>,
    /// What was saved.
    saved: Vec<Saved>,
    /// What the layer held when it was saved for the last time.
    mark: Option<(u64, u64)>,
    /// How it is made again, as it was when it was last saved: settings are changed while files are saved.
    recipe: Option<Recipe>,
    /// The steps that were begun.
    begun: Vec<Verb>,
}

impl Course {
    pub(super) fn begins(&mut self, step: &Step) {
        self.begun.push(step.verb);
    }

    /// A record with the settings that were seen last.
    fn fresh(&self, record: Undo) -> Undo {
        Undo { recipe: self.recipe.clone().unwrap_or_else(|| record.recipe.clone()), ..record }
    }
}

impl Runner<'_> {
    pub(super) fn hands(&self) -> Hands<'_> {
        Hands {
            engine: self.engine,
            files: &self.files,
            store: self.store,
            clock: self.clock,
            user: self.host.user.clone().unwrap_or_else(|| self.host.uid.to_string()),
            program: self.program,
            job: &self.job,
        }
    }

    /// What a step finds, if everything is as the plan and its own steps before left it.
    pub(super) async fn still(&self, plan: &Plan, step: &Step, deed: &Deed, course: &Course) -> Result<String> {
        self.job.advance(0)?;
        match (deed, plan.whole()) {
            (Deed::Make { recipe }, _) => {
                self.free(&step.subject.endpoint, &recipe.name).await?;
                match self.engine.lacks(recipe).await?.as_slice() {
                    [] => Ok(ABSENT.into()),
                    missing => Err(Error::new(Kind::Refused, missing.join("; "))),
                }
            }
            (Deed::Name { to }, _) => {
                self.free(&step.subject.endpoint, to).await?;
                self.as_left(step, course).await
            }
            (Deed::Forget { .. } | Deed::Rescue(_), _) | (Deed::Image { .. }, Some(Verb::Undo)) => {
                Ok("-".into())
            }
            (_, Some(Verb::Retire)) if course.begun.is_empty() => self.as_planned(plan, step).await,
            (Deed::Remove { layer: Some(layer), .. }, _) => {
                let word = self.as_left(step, course).await?;
                let now = self.held(layer).await;
                if word != ABSENT && course.mark.is_some() && now != course.mark {
                    return Err(changed(step, "files were written after they were saved"));
                }
                Ok(word)
            }
            (Deed::Image { .. }, _) if step.verb == Verb::RemoveImage => Ok("-".into()),
            _ => self.as_left(step, course).await,
        }
    }

    /// That no container has a name yet.
    async fn free(&self, endpoint: &str, name: &str) -> Result<()> {
        match self.engine.detail(&WsKey { endpoint: endpoint.into(), id: name.into() }).await {
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(taken(name)),
        }
    }

    /// That the container is as it was when the plan was made.
    async fn as_planned(&self, plan: &Plan, step: &Step) -> Result<String> {
        let Some(expected) = plan.preconditions.iter().find(|known| known.subject == step.subject) else {
            return Err(Error::new(Kind::Refused, "the plan does not say what must be true"));
        };
        let inventory = self.engine.inventory().await?;
        let Some(workspace) = inventory.workspaces.into_iter().find(|known| known.key == step.subject) else {
            return Err(changed(step, "it is gone"));
        };
        let grounds = ground::look(self.engine, self.profiles, &workspace).await?;
        let detail = &grounds.detail;
        let both_up = |one: RunState, other: RunState| {
            let flips = |state| matches!(state, RunState::Running | RunState::Restarting);
            flips(one) && flips(other) && (one == RunState::Restarting || other == RunState::Restarting)
        };
        if detail.state != expected.state && !both_up(detail.state, expected.state) {
            let what = format!("it was {}, it is {}", expected.state.key(), detail.state.key());
            return Err(changed(step, &what));
        }
        if detail.started != expected.started && !both_up(detail.state, expected.state) {
            return Err(changed(step, "it was started anew"));
        }
        if workspace.image_id != expected.image_id {
            return Err(changed(step, "it was made from another image"));
        }
        let called = workspace.container.as_deref().unwrap_or_default();
        if called != step.name {
            return Err(changed(step, &format!("it is called {} now", printable(called))));
        }
        applies(Verb::Retire, &workspace, detail.state)?;
        if plan.loses_data() && expected.at_risk != NOT_READ {
            let read =
                risk::read(self.engine, &step.subject, &grounds, true, 0, self.clock, &mut |_| {}).await.ok();
            let now = losses(&grounds.classifier(), read.as_ref(), Event::Retire);
            if digest(&now) != expected.at_risk {
                let now: Vec<_> = now.iter().map(loss_line).collect();
                return Err(changed(step, &format!("now it would lose {}", now.join("; "))));
            }
        }
        Ok(detail.state.key().into())
    }

    /// That the container is as the plan's own last step left it. One that removes itself may be gone.
    async fn as_left(&self, step: &Step, course: &Course) -> Result<String> {
        let detail = match self.engine.detail(&step.subject).await {
            Ok(detail) => detail,
            Err(error) if error.kind == Kind::NotFound && course.begun.contains(&Verb::Stop) => {
                return Ok(ABSENT.into());
            }
            Err(error) if error.kind == Kind::NotFound => return Err(changed(step, "it is gone")),
            Err(error) => return Err(error),
        };
        match course.left {
            // One that starts again and again is never as it was.
            Some((RunState::Restarting, ..)) => {}
            Some((state, ..)) if state != detail.state => {
                let what = format!("it was {}, it is {}", state.key(), detail.state.key());
                return Err(changed(step, &what));
            }
            Some((_, started, finished)) if started != detail.started || finished != detail.finished => {
                return Err(changed(step, "it ran meanwhile"));
            }
            _ => {}
        }
        Ok(detail.state.key().into())
    }

    /// Does one step.
    pub(super) async fn do_deed(
        &self,
        plan: &Plan,
        step: &Step,
        deed: &Deed,
        course: &mut Course,
    ) -> Result<()> {
        match deed {
            Deed::Save(saving) => {
                let layer = plan.steps.iter().find_map(|step| match step.deed.as_deref() {
                    Some(Deed::Remove { layer, .. }) => layer.clone(),
                    _ => None,
                });
                if let Some(layer) = &layer {
                    course.mark = self.held(layer).await;
                }
                for saved in self.hands().save(saving).await? {
                    // What was saved once more is saved better.
                    course.saved.retain(|known| known.place != saved.place);
                    course.saved.push(saved);
                }
                self.look_at_settings(plan, step, course).await;
                let record = Undo { saved: course.saved.clone(), ..saving.record.clone() };
                self.store.undos().write(&course.fresh(record))?;
            }
            Deed::Remove { record, .. } => {
                self.look_at_settings(plan, step, course).await;
                let record = Undo { saved: course.saved.clone(), at: self.clock.now(), ..(**record).clone() };
                let record = course.fresh(record);
                self.store.undos().write(&record)?;
                self.engine.run(step).await?;
                self.store.undos().keep(&record.id)?;
                return Ok(());
            }
            Deed::PutBack(saved) => {
                let told = self.hands().put_back(&plan.id, &step.subject, saved).await;
                return if course.begun.contains(&Verb::Name) {
                    told.map_err(|error| memory_is_missing(saved, &error))
                } else {
                    told
                };
            }
            Deed::Forget { record, pin } => {
                if let Some(pin) = pin {
                    unpin(&self.hands(), plan, pin).await;
                }
                return self.store.undos().remove(record);
            }
            Deed::Rescue(what) => {
                let (what, job) = ((**what).clone(), std::sync::Arc::clone(&self.job));
                let told = on_disk(&self.files, move |files| files.rescue(&what, &job)).await?;
                return match told.missing.first.first() {
                    None => Ok(()),
                    Some(skip) => Err(Error::new(
                        Kind::Incomplete,
                        format!(
                            "{} files were not copied, the first is {}: {}",
                            told.missing.count,
                            printable(&skip.path.path),
                            skip.why
                        ),
                    )),
                };
            }
            Deed::Image { .. } if step.verb == Verb::RemoveImage => {
                return self.engine.run(step).await.map_err(|error| Error {
                    kind: Kind::Incomplete,
                    message: format!("its image is kept: {}", error.message),
                    hints: error.hints,
                });
            }
            _ => self.engine.run(step).await?,
        }
        self.arrive(step, course).await;
        Ok(())
    }

    /// Looks once more how the container is made. One that removed itself is known from before.
    async fn look_at_settings(&self, plan: &Plan, step: &Step, course: &mut Course) {
        let Ok(variables) = crate::store::Store::variables(self.host, &plan.id) else { return };
        if let Ok(recipe) = self.engine.recipe(&step.subject, &variables).await {
            course.recipe = Some(recipe);
        }
    }

    /// Remembers how a step left the container.
    async fn arrive(&self, step: &Step, course: &mut Course) {
        let subject = match step.deed.as_deref() {
            Some(Deed::Name { to }) => WsKey { id: to.clone(), ..step.subject.clone() },
            _ => step.subject.clone(),
        };
        let known: Option<Detail> = self.engine.detail(&subject).await.ok();
        course.left = known.map(|detail| (detail.state, detail.started, detail.finished));
    }

    /// What the writable layer holds, to tell whether something was written to it meanwhile.
    async fn held(&self, layer: &crate::core::spot::Spot) -> Option<(u64, u64)> {
        let (layer, job) = (layer.clone(), std::sync::Arc::clone(&self.job));
        on_disk(&self.files, move |files| files.count(&layer, &job)).await.ok()
    }

    /// Takes back what was done, where one step of a whole failed.
    pub(super) async fn end_early(&self, plan: &Plan, course: &Course, error: Error) -> Error {
        // Whoever called it off wants it taken back, and not that called off too.
        let job = std::sync::Arc::default();
        let hands = Hands { job: &job, ..self.hands() };
        match plan.whole() {
            Some(Verb::Retire) if !course.begun.is_empty() => {
                let stopped = course.begun.contains(&Verb::Stop);
                match take_back(&hands, plan, stopped, &course.saved).await {
                    Ok(Some(how)) => error.hint(how),
                    Ok(None) => error,
                    Err(why) => {
                        let error = error.hint(format!("it could not be taken back: {}", why.message));
                        why.hints.into_iter().fold(error, Error::hint)
                    }
                }
            }
            Some(Verb::Undo) if !course.begun.is_empty() => {
                let begun = |verb| course.begun.contains(&verb);
                let named = begun(Verb::Name) && !begun(Verb::Unpin);
                match unmake(&hands, plan, named).await {
                    Ok(true) => error.hint("it was taken back: see to that, then run undo again"),
                    Ok(false) => error,
                    Err(why) => error.hint(format!("what was made could not be removed: {}", why.message)),
                }
            }
            _ => error,
        }
    }
}

/// Brings a container that was to be retired back to how it was; says how. `None` where it is gone.
pub(super) async fn take_back(
    hands: &Hands<'_>,
    plan: &Plan,
    stopped: bool,
    saved: &[Saved],
) -> Result<Option<String>> {
    let Some(was) = plan.preconditions.first() else { return Ok(None) };
    let subject = &was.subject;
    let now = state_of(hands.engine, subject).await;
    if now == ABSENT {
        return Ok(None);
    }
    let mut now = RunState::from_key(&now);
    let mut how = "nothing was removed, and it is as it was";
    if now == RunState::Exited && was.state.is_up() && stopped {
        hands.act(Verb::Start, plan, subject, "taken back").await?;
        now = RunState::Running;
        how = "nothing was removed, and it was started again";
        let mut missing = None;
        for saved in saved.iter().filter(|saved| matches!(saved.place, crate::core::undo::Place::Memory(_))) {
            if let Err(error) = hands.put_back(&plan.id, subject, saved).await {
                missing = missing.or_else(|| Some(memory_is_missing(saved, &error)));
            }
        }
        if let Some(missing) = missing {
            return Err(missing);
        }
    }
    match (was.state, now) {
        (RunState::Running, RunState::Paused) => hands.act(Verb::Unpause, plan, subject, "taken back").await?,
        (RunState::Paused, RunState::Running) => hands.act(Verb::Pause, plan, subject, "taken back").await?,
        _ => {}
    }
    if plan.steps.iter().any(|step| step.verb == Verb::Pin) {
        unpin(hands, plan, &Undo::pin(&plan.id)).await;
    }
    hands.store.undos().remove(&plan.id)?;
    Ok(Some(how.into()))
}

/// Removes a container that was made to be brought back and never ran, also where it was just `named`;
/// whether there was one.
pub(super) async fn unmake(hands: &Hands<'_>, plan: &Plan, named: bool) -> Result<bool> {
    let of = |verb: Verb| plan.steps.iter().find(|step| step.verb == verb).map(|step| &step.subject);
    let Some(working) = of(Verb::Make) else { return Ok(false) };
    if state_of(hands.engine, working).await != ABSENT {
        hands.act(Verb::Remove, plan, working, "taken back").await?;
        return Ok(true);
    }
    let Some(own) = of(Verb::Unpin).filter(|_| named) else { return Ok(false) };
    // One that ran may have written files of its own.
    if RunState::from_key(&state_of(hands.engine, own).await) != RunState::Created {
        return Ok(false);
    }
    hands.act(Verb::Remove, plan, own, "taken back").await?;
    Ok(true)
}

/// Takes the name away that kept an image. One that is the image's last stays: something needs it.
pub(super) async fn unpin(hands: &Hands<'_>, plan: &Plan, pin: &str) {
    let image = Deed::Image { image: pin.into(), tag: String::new() };
    let subject = WsKey { endpoint: plan.endpoint.clone(), id: pin.into() };
    let step = Step {
        verb: Verb::Unpin,
        subject,
        name: pin.into(),
        call: String::new(),
        bytes: None,
        loses: Vec::new(),
        reversible_by: None,
        files: None,
        job: None,
        deed: Some(Box::new(image)),
    };
    let _ = hands.engine.run(&step).await;
}

pub(super) fn taken(name: &str) -> Error {
    Error::new(Kind::Conflict, format!("a container is called {} already", printable(name)))
        .hint("rename or remove that one first")
}

/// The container is back, but what it had in memory is not.
fn memory_is_missing(saved: &Saved, error: &Error) -> Error {
    let short = saved.snapshot.get(..8).unwrap_or(&saved.snapshot);
    Error {
        kind: Kind::Incomplete,
        message: format!(
            "it is back, but not all of what was in {}: {}",
            saved.place.target().display(),
            error.message
        ),
        hints: vec![format!("`outlast restore {short} FOLDER --what all` writes it to a folder")],
    }
}
