//! `outlast keep-alive NAME [--off]`: the file that tells the platform that a workspace is in use.

use std::sync::Arc;

use super::agree;
use super::args::KeepAliveArgs;
use super::context::Context;
use super::out::Out;
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::{Fact, Plan, Verb};
use crate::core::report::{Act, Head, Trouble};
use crate::text::{printable, printable_path};
use crate::work::act::{self, Books};
use crate::work::lifecycle;

/// Makes it or gives it a new time; takes it away with `--off`.
pub(super) async fn run(args: &KeepAliveArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let store = agree::books(&args.agree, context).await?;
    let (workspace, grounds, _) = context.named(&args.name).await?;
    if workspace.protected {
        return Err(Error::new(Kind::Protected, format!("{} is marked as protected", printable(&args.name))));
    }
    let (spot, note) = lifecycle::keep_alive(&grounds)?;
    let full = spot.full();
    let (does, undo) = if args.off { ("rm", "touch") } else { ("touch", "rm") };
    let call = |word: &str| format!("{word} {}", printable_path(&full));
    let made = act::one_step(Verb::KeepAlive, &full, call(does), Some(call(undo)), context.clock.as_ref());
    let plan = Plan {
        notes: note.into_iter().filter(|_| !args.off).collect(),
        facts: vec![Fact::plain("file", printable_path(&full).into_owned())],
        ..made
    };
    let Some(store) = store else {
        return show(&plan, "planned", None, args, context, out);
    };
    let consent = agree::ask(&plan, &args.agree, None, context, out)?;
    let books = Books { store: &store, host: &context.host, clock: context.clock.as_ref() };
    let (files, off) = (Arc::clone(&context.files), args.off);
    let work = async move {
        let done =
            tokio::task::spawn_blocking(move || if off { files.remove(&spot) } else { files.touch(&spot) });
        done.await.map_err(|why| Error::new(Kind::Failed, format!("it broke off: {why}")))?
    };
    let outcome = act::local(books, &plan, consent, work).await;
    if args.agree.json {
        show(&plan, agree::word(&outcome), outcome.as_ref().err(), args, context, out)?;
    }
    outcome?;
    if !args.agree.json {
        let what = if args.off { "no longer kept alive" } else { "kept alive" };
        out.lines([format!("{what}: {}", printable(&workspace.name))])?;
    }
    Ok(0)
}

fn show(
    plan: &Plan,
    result: &'static str,
    error: Option<&Error>,
    args: &KeepAliveArgs,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<u8> {
    let now = context.clock.now();
    if args.agree.json {
        let errors: Vec<_> =
            error.map(|error| Trouble::new(&plan.endpoint, &args.name, error)).into_iter().collect();
        out.json(&Act { head: Head::new(now, errors.is_empty(), errors), plan: plan.clone(), result })?;
    } else {
        out.lines(act::plan_lines(plan, now))?;
    }
    Ok(0)
}
