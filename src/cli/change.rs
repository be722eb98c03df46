//! `outlast start`, `stop`, `restart`, `pause` and `unpause`: the plan is shown, agreed to, run and logged.

use super::agree;
use super::args::{ChangeArgs, RepositoryArgs};
use super::backup::exists;
use super::context::Context;
use super::out::Out;
use crate::core::backup::FOLDER;
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::lessons::with_help;
use crate::core::lifecycle::Node;
use crate::core::plan::{Plan, Verb};
use crate::core::workspace::Workspace;
use crate::work::backup::{self, Subject, Wanted};
use crate::work::ground::{self, Pinned};
use crate::work::roster::Entry;
use crate::work::{act, risk};

/// Does it to one workspace.
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
        Verb::Stop | Verb::Restart => {
            risk::read(engine, &workspace.key, &grounds, true, 0, clock, &mut |_| {}).await.ok()
        }
        _ => None,
    };
    let plan = act::plan(verb, &workspace, &grounds, risk.as_ref(), clock)?;
    match act::asked_for(verb, &workspace, &grounds.rules) {
        None => Ok(plan),
        Some(before) if args.no_backup => {
            Ok(act::without(plan, format!("without the {} that is asked for here", before.key())))
        }
        Some(before) => {
            let with = match before {
                Verb::Backup => backed_up(plan, &workspace, &grounds, context).await,
                _ => filled(plan, &workspace, &grounds, context).await,
            };
            with.map_err(|error| error.hint("`--no-backup` goes on without it"))
        }
    }
}

/// The plan with a backup before it. What is too large for one is not backed up, and said to be pinned.
async fn backed_up(
    plan: Plan,
    workspace: &Workspace,
    grounds: &Grounds,
    context: &Context<'_>,
) -> Result<Plan> {
    let pinned = ground::pinned(context.engine.as_ref(), workspace, grounds).await;
    let limit = grounds.rules.profile.limits.backup_bytes;
    if let Some(Pinned { bytes: Some(bytes), limit, .. }) = pinned
        && bytes > limit
    {
        let node = Node { pinned: Some(true), bytes: Some(bytes), limit };
        return Ok(act::without(plan, format!("{}; no backup is made before the stop", node.words())));
    }
    if !context.engine.shares_our_disk() {
        return Err(Error::new(
            Kind::NotSupported,
            "a backup is asked for, but its files are on another machine",
        ));
    }
    let roots = context.profiles.roots(&grounds.rules.profile);
    let subject = Subject::Workspace { workspace, grounds, roots: &roots, layer: None };
    let chosen = context.repository_in(&RepositoryArgs::default(), &grounds.rules).await?;
    let exists = exists(context, &chosen).await?;
    match backup::backup(&subject, &chosen, exists, false, limit, &context.host, context.clock.now()) {
        Ok(job) => Ok(act::first(plan, job)),
        // Without a folder there is nothing that a stop could be waited with for.
        Err(error) if error.kind == Kind::NotFound => {
            Ok(act::without(plan, format!("no backup is made: {}", error.message)))
        }
        Err(error) => Err(error),
    }
}

/// The plan with a restore before it, where the folder is empty and a backup of it is there.
async fn filled(plan: Plan, workspace: &Workspace, grounds: &Grounds, context: &Context<'_>) -> Result<Plan> {
    let roots = context.profiles.roots(&grounds.rules.profile);
    let entry = Entry { workspace: workspace.clone(), grounds: Some(Ok(grounds.clone())) };
    let Some(folder) = backup::folder(&entry, &roots).filter(|_| context.engine.shares_our_disk()) else {
        return Ok(plan);
    };
    if !backup::is_empty(&folder) {
        return Ok(plan);
    }
    let nothing = |plan| act::without(plan, "its folder is empty, and no backup of it is there".into());
    let chosen = context.repository_in(&RepositoryArgs::default(), &grounds.rules).await?;
    if !exists(context, &chosen).await? {
        return Ok(nothing(plan));
    }
    let all = backup::snapshots(&context.backups, &chosen.repository).await?;
    let Some(snapshot) = all.iter().rev().find(|one| backup::is_of(one, &workspace.name, Some(&folder))) else {
        return Ok(nothing(plan));
    };
    let wanted = Wanted { part: Some(FOLDER), ..Wanted::default() };
    let (host, now) = (&context.host, context.clock.now());
    let job = backup::restore(snapshot, wanted, &folder, &chosen.repository, host, now)?;
    Ok(act::first(plan, job))
}
