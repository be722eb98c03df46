//! `outlast retire NAME...`: what goes with the container is saved and read back, then it is removed.
//! Each has a plan of its own; one that fails does not stop the rest.

use std::sync::Arc;

use serde::Serialize;

use super::agree;
use super::args::RetireArgs;
use super::context::Context;
use super::out::Out;
use crate::core::error::{Error, Kind, Result};
use crate::core::lessons::with_help;
use crate::core::plan::{Plan, Verb};
use crate::core::report::{Head, Trouble};
use crate::core::undo::KEPT_DAYS;
use crate::text::printable;
use crate::work::retire::{Retiring, Wish};
use crate::work::{Store, act, risk, undo};

/// Files that are told apart at most.
const MOST_FILES: usize = 200_000;

/// What it prints.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    head: Head,
    /// The plan, where one workspace was named.
    plan: Option<Plan>,
    /// How it ended, where one was named.
    result: Option<&'static str>,
    items: Vec<Item>,
}

/// One workspace.
#[derive(Serialize)]
struct Item {
    name: String,
    plan: Option<Plan>,
    /// `planned`, `done`, `refused`, `failed`.
    result: &'static str,
    /// What brings it back; `null` where nothing does.
    undo: Option<String>,
    #[serde(skip)]
    error: Option<Error>,
}

/// Retires them, one after the other; the worst of their exit codes.
pub(super) async fn run(args: &RetireArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let store = agree::books(&args.agree, context).await?;
    if let Some(store) = &store {
        undo::sweep(context.engine.as_ref(), store, context.clock.now()).await;
    }
    let mut items = Vec::new();
    for name in &args.names {
        let item = one(name, args, store.as_ref(), context, out).await;
        if !args.agree.json {
            out.lines(lines(&item, args.names.len() > 1))?;
        }
        let off = matches!(&item.error, Some(error) if error.kind == Kind::Cancelled);
        items.push(item);
        if off && args.names.len() > 1 {
            break;
        }
    }
    if args.agree.json {
        print(&items, context, out)?;
    }
    let mut errors = items.into_iter().filter_map(|item| item.error);
    match (errors.next(), args.names.len()) {
        (None, _) => Ok(0),
        (Some(error), 1) => Err(error),
        (Some(first), many) => {
            let failed = 1 + errors.count();
            Err(Error::new(first.kind, format!("{failed} of {many} were not retired")))
        }
    }
}

async fn one(
    name: &str,
    args: &RetireArgs,
    store: Option<&Store>,
    context: &Context<'_>,
    out: &mut Out,
) -> Item {
    let made = plan(name, args, context).await;
    let failed = |plan: Option<Plan>, error: Error| Item {
        name: name.into(),
        plan,
        result: agree::word(&Err(error.clone())),
        undo: None,
        error: Some(error),
    };
    let plan = match made {
        Ok(plan) => plan,
        Err(error) => return failed(None, error),
    };
    let Some(store) = store else {
        return Item { name: name.into(), plan: Some(plan), result: "planned", undo: None, error: None };
    };
    let consent = match agree::ask(&plan, &args.agree, None, context, out) {
        Ok(consent) => consent,
        Err(error) => return failed(Some(plan), error),
    };
    let outcome = agree::go(&plan, consent, store, context).await;
    let result = agree::word(&outcome);
    // What is gone can be brought back, also where something after it went wrong.
    let kept = store.undos().all().unwrap_or_default().into_iter().any(|record| record.id == plan.id);
    let undo = kept.then(|| plan.id.clone());
    Item { name: name.into(), plan: Some(plan), result, undo, error: outcome.err() }
}

async fn plan(name: &str, args: &RetireArgs, context: &Context<'_>) -> Result<Plan> {
    let (workspace, grounds, _) = context.named(name).await?;
    let contacts = &grounds.rules.profile.contacts;
    act::applies(Verb::Retire, &workspace, grounds.detail.state).map_err(|error| with_help(error, contacts))?;
    let (engine, clock) = (context.engine.as_ref(), context.clock.as_ref());
    // What could not be read is in the plan as not known.
    let risk = risk::read(engine, &workspace.key, &grounds, true, MOST_FILES, clock, &mut |_| {}).await.ok();
    let repository = match context.repository(&args.repository).await {
        Ok(chosen) => {
            let (backups, repository) = (Arc::clone(&context.backups), chosen.repository.clone());
            let exists = tokio::task::spawn_blocking(move || backups.exists(&repository)).await;
            let exists = exists
                .unwrap_or_else(|_| Err(Error::new(Kind::Failed, "looking at the repository ended badly")));
            exists.map(|exists| (chosen, exists))
        }
        Err(error) => Err(error),
    };
    let roots = context.profiles.roots(&grounds.rules.profile);
    let last = context.covers().await.last(&grounds, &roots);
    let rescue_to = args.rescue_to.as_deref().map(|folder| context.host_path(folder)).transpose()?;
    let wish = Wish {
        lose_data: args.agree.lose_data,
        images: args.images,
        save_packages: args.save_packages,
        rescue_to,
        limit: args.limit,
    };
    let retiring = Retiring { engine, files: &context.files, host: &context.host, clock, repository };
    retiring.plan(&workspace, &grounds, risk.as_ref(), &roots, last, &wish).await
}

fn lines(item: &Item, several: bool) -> Vec<String> {
    let name = printable(&item.name);
    let undo = item.undo.as_ref().map(|id| format!("undo: `outlast undo {id}`, for {KEPT_DAYS} days"));
    let mut lines = match (&item.plan, item.result, &item.error) {
        (Some(plan), "planned", _) => act::plan_lines(plan, plan.made_at),
        (_, "done", _) => vec![format!("retired {name}")],
        (_, _, Some(error)) if several => vec![format!("not retired {name}: {}", printable(&error.message))],
        _ => Vec::new(),
    };
    lines.extend(undo);
    lines
}

fn print(items: &[Item], context: &Context<'_>, out: &mut Out) -> Result<()> {
    let errors: Vec<Trouble> = items
        .iter()
        .filter_map(|item| Some(Trouble::new(context.endpoint(), &item.name, item.error.as_ref()?)))
        .collect();
    let only = if let [only] = items { Some(only) } else { None };
    let report = Report {
        head: Head::new(context.clock.now(), errors.is_empty(), errors),
        plan: only.and_then(|item| item.plan.clone()),
        result: only.map(|item| item.result),
        items: items
            .iter()
            .map(|item| Item {
                name: item.name.clone(),
                plan: item.plan.clone(),
                result: item.result,
                undo: item.undo.clone(),
                error: None,
            })
            .collect(),
    };
    out.json(&report)
}
