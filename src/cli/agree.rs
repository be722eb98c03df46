//! How every verb that changes something goes on once its plan is made: shown, agreed to, run, logged.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use super::args::AgreeArgs;
use super::context::Context;
use super::interrupt::Interrupt;
use super::out::Out;
use super::progress::Line;
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::{Plan, Verb};
use crate::core::report::{Act, Head, Trouble};
use crate::text::printable;
use crate::work::Store;
use crate::work::act::{self, Consent};

/// How often it is said how far a plan is.
const TOLD_EVERY: Duration = Duration::from_millis(250);

/// Opens what is remembered and finishes what was cut off; nothing of both where nothing is to change.
pub(super) async fn books(agree: &AgreeArgs, context: &Context<'_>) -> Result<Option<Store>> {
    if agree.dry_run {
        return Ok(None);
    }
    let store = Store::open(&context.host)?;
    recover(context, &store).await;
    Ok(Some(store))
}

/// Finishes the books of plans that were cut off and says so beside the answer.
pub(super) async fn recover(context: &Context<'_>, store: &Store) {
    let (engine, clock) = (context.engine.as_ref(), context.clock.as_ref());
    for said in act::recover(engine, &context.files, store, clock, &context.program).await {
        super::warn(&said);
    }
}

/// Shows a plan and asks; runs it where the answer is yes. `typed` is the name that a plan may ask for.
pub(super) async fn carry_out(
    plan: &Plan,
    agree: &AgreeArgs,
    typed: Option<&str>,
    store: Option<Store>,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<u8> {
    let Some(store) = store else {
        show(plan, "planned", None, agree, context, out)?;
        return Ok(0);
    };
    let consent = match ask(plan, agree, typed, context, out) {
        Ok(consent) => consent,
        Err(error) => {
            if agree.json {
                show(plan, "refused", Some(&error), agree, context, out)?;
            }
            return Err(error);
        }
    };
    let outcome = go(plan, consent, &store, context).await;
    let result = word(&outcome);
    if agree.json {
        show(plan, result, outcome.as_ref().err(), agree, context, out)?;
    }
    outcome?;
    if !agree.json {
        out.lines(done_lines(plan))?;
    }
    Ok(0)
}

/// Runs a plan; who is told to stop takes back what is half done. Says how far it is where somebody watches.
pub(super) async fn go(plan: &Plan, consent: Consent, store: &Store, context: &Context<'_>) -> Result<()> {
    let runner = context.runner(store);
    let job = Arc::clone(&runner.job);
    let of = plan.steps.iter().filter_map(|step| step.bytes).sum();
    let mut line = Line::new();
    let outcome = {
        let mut run = std::pin::pin!(runner.run(plan, consent));
        let mut interrupt = Interrupt::listen()?;
        loop {
            tokio::select! {
                outcome = &mut run => break outcome,
                () = tokio::time::sleep(TOLD_EVERY) => line.progress(job.done(), of),
                () = interrupt.came() => {
                    // What is half done is taken back first.
                    job.stop();
                    break run.await;
                }
            }
        }
    };
    line.clear();
    outcome
}

/// What is said of a plan that is done.
fn done_lines(plan: &Plan) -> Vec<String> {
    let done = |verb: Verb, name: &str| format!("{} {}", verb.past(), printable(name));
    match (plan.whole(), plan.steps.first()) {
        (Some(verb), Some(step)) => vec![done(verb, &step.name)],
        _ => plan.steps.iter().map(|step| done(step.verb, &step.name)).collect(),
    }
}

/// The word for how a plan ended.
pub(super) fn word(outcome: &Result<()>) -> &'static str {
    match outcome {
        Ok(()) => "done",
        Err(error) if matches!(error.kind, Kind::Refused | Kind::Protected) => "refused",
        Err(_) => "failed",
    }
}

fn show(
    plan: &Plan,
    result: &'static str,
    error: Option<&Error>,
    agree: &AgreeArgs,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<()> {
    let now = context.clock.now();
    if agree.json {
        let name = plan.steps.first().map_or("", |step| step.name.as_str());
        let errors: Vec<_> = error.map(|error| Trouble::new(&plan.endpoint, name, error)).into_iter().collect();
        let head = Head::new(now, errors.is_empty(), errors);
        return out.json(&Act { head, plan: plan.clone(), result });
    }
    out.lines(act::plan_lines(plan, now))
}

/// Asks where somebody can answer; `--yes` answers, and never agrees to losing data, nor in place of a
/// name that is to be typed.
pub(super) fn ask(
    plan: &Plan,
    agree: &AgreeArgs,
    typed: Option<&str>,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<Consent> {
    let consent = Consent { yes: true, lose_data: agree.lose_data };
    let somebody = std::io::stdin().is_terminal() && std::io::stdout().is_terminal() && !agree.json;
    if let Some(name) = &plan.asks_for {
        let typed = match typed {
            Some(typed) => typed.to_owned(),
            None if somebody => {
                show(plan, "planned", None, agree, context, out)?;
                answer(&format!("type its name, {}, to go on: ", printable(name)))
            }
            None => {
                return Err(Error::new(Kind::Refused, "its name must be typed, and nobody is there to do so")
                    .hint("`--confirm NAME` types it"));
            }
        };
        if typed == *name {
            return Ok(consent);
        }
        return Err(Error::new(Kind::Refused, "that is not its name: nothing was done"));
    }
    if agree.yes || (plan.loses_data() && !agree.lose_data) {
        // The runner refuses losses nobody agreed to, with its reason.
        return Ok(consent);
    }
    if !somebody {
        return Err(Error::new(Kind::Refused, "nobody is there to agree to the plan")
            .hint("`--dry-run` shows it, `--yes` agrees to it"));
    }
    show(plan, "planned", None, agree, context, out)?;
    if matches!(answer("go on? [y/N] ").to_lowercase().as_str(), "y" | "yes") {
        return Ok(consent);
    }
    Err(Error::new(Kind::Cancelled, "nothing was done"))
}

/// What somebody types; nothing where that cannot be read.
fn answer(question: &str) -> String {
    let mut stderr = std::io::stderr().lock();
    // An answer can be given also where the question could not be shown.
    let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map(|_| answer.trim().to_owned()).unwrap_or_default()
}
