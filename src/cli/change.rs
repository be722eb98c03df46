//! `outlast start NAME` and `outlast stop NAME`: the plan is shown, agreed to, run and logged.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use super::args::ChangeArgs;
use super::context::Context;
use super::out::Out;
use crate::core::error::{Error, Kind, Result};
use crate::core::lessons::with_help;
use crate::core::plan::{Plan, Verb};
use crate::core::report::{Act, Head, Trouble};
use crate::text::printable;
use crate::work::act::{self, Consent};
use crate::work::{Store, risk};

/// Starts or stops one workspace.
pub(super) async fn run(verb: Verb, args: &ChangeArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let store = if args.dry_run { None } else { Some(Store::open(&context.host)?) };
    if let Some(store) = &store {
        recover(context, store).await;
    }
    let plan = make(verb, args, context).await?;
    let Some(store) = store else {
        show(&plan, "planned", None, args, context, out)?;
        return Ok(0);
    };
    let consent = match agree(&plan, args, context, out) {
        Ok(consent) => consent,
        Err(error) => {
            if args.json {
                show(&plan, "refused", Some(&error), args, context, out)?;
            }
            return Err(error);
        }
    };
    let outcome = context.runner(&store).run(&plan, consent).await;
    let result = match &outcome {
        Ok(()) => "done",
        Err(error) if matches!(error.kind, Kind::Refused | Kind::Protected) => "refused",
        Err(_) => "failed",
    };
    if args.json {
        show(&plan, result, outcome.as_ref().err(), args, context, out)?;
    }
    outcome?;
    if !args.json {
        let steps = plan.steps.iter();
        out.lines(steps.map(|step| format!("{} {}", step.verb.past(), printable(&step.name))))?;
    }
    Ok(0)
}

/// Finishes the books of plans that were cut off and says so beside the answer.
pub(super) async fn recover(context: &Context<'_>, store: &Store) {
    for said in act::recover(context.engine.as_ref(), &context.files, store, context.clock.as_ref()).await {
        super::warn(&said);
    }
}

async fn make(verb: Verb, args: &ChangeArgs, context: &Context<'_>) -> Result<Plan> {
    let (workspace, grounds, _) = context.named(&args.name).await?;
    let contacts = &grounds.rules.profile.contacts;
    act::applies(verb, &workspace, grounds.detail.state).map_err(|error| with_help(error, contacts))?;
    let (engine, clock) = (context.engine.as_ref(), context.clock.as_ref());
    let risk = match verb {
        // What could not be read is in the plan as not known.
        Verb::Stop => risk::read(engine, &workspace.key, &grounds, true, 0, clock, &mut |_| {}).await.ok(),
        _ => None,
    };
    act::plan(verb, &workspace, &grounds, risk.as_ref(), clock)
}

fn show(
    plan: &Plan,
    result: &'static str,
    error: Option<&Error>,
    args: &ChangeArgs,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<()> {
    let now = context.clock.now();
    if args.json {
        let name = plan.steps.first().map_or("", |step| step.name.as_str());
        let errors: Vec<_> = error.map(|error| Trouble::new(&plan.endpoint, name, error)).into_iter().collect();
        let head = Head::new(now, errors.is_empty(), errors);
        return out.json(&Act { head, plan: plan.clone(), result });
    }
    out.lines(act::plan_lines(plan, now))
}

/// Asks where somebody can answer; `--yes` answers, and never agrees to losing data.
fn agree(plan: &Plan, args: &ChangeArgs, context: &Context<'_>, out: &mut Out) -> Result<Consent> {
    let consent = Consent { yes: true, lose_data: args.lose_data };
    if args.yes || (plan.loses_data() && !args.lose_data) {
        // The runner refuses losses nobody agreed to, with its reason.
        return Ok(consent);
    }
    let somebody = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !somebody || args.json {
        return Err(Error::new(Kind::Refused, "nobody is there to agree to the plan")
            .hint("`--dry-run` shows it, `--yes` agrees to it"));
    }
    show(plan, "planned", None, args, context, out)?;
    let mut stderr = std::io::stderr().lock();
    // An answer can be given also where the question could not be shown.
    let _ = write!(stderr, "go on? [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(consent);
    }
    Err(Error::new(Kind::Cancelled, "nothing was done"))
}
