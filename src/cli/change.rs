//! `outlast start NAME` and `outlast stop NAME`: the plan is shown, agreed to, run and logged.

use super::agree;
use super::args::ChangeArgs;
use super::context::Context;
use super::out::Out;
use crate::core::error::Result;
use crate::core::lessons::with_help;
use crate::core::plan::{Plan, Verb};
use crate::work::{act, risk};

/// Starts or stops one workspace.
pub(super) async fn run(verb: Verb, args: &ChangeArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let store = agree::books(&args.agree, context).await?;
    let plan = make(verb, args, context).await?;
    agree::carry_out(&plan, &args.agree, None, store, context, out).await
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
