//! `outlast restore ID DEST` and `outlast verify [ID]`: what was saved, written and read back.

use super::super::args::{RestoreArgs, VerifyArgs, What};
use super::super::context::Context;
use super::super::out::Out;
use super::{Asked, perform};
use crate::core::backup::{FOLDER, LAYER};
use crate::core::error::Result;
use crate::work::backup::{self, Wanted};

/// Restores; 1 where files are damaged or could not be written.
pub(in crate::cli) async fn restore(args: &RestoreArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let chosen = context.repository(&args.repository).await?;
    let all = backup::snapshots(&context.backups, &chosen.repository).await?;
    let snapshot = backup::find(&all, &args.id)?;
    let part = match args.what {
        What::Workspace => Some(FOLDER),
        What::Layer => Some(LAYER),
        What::All => None,
    };
    let to = match (&args.dest, &args.name) {
        (Some(dest), _) => context.host_path(dest)?,
        (None, name) => {
            let roots = context.profiles.roots(&context.rules.profile);
            let old = backup::folder_here(snapshot, &context.host);
            backup::place(name.as_deref().unwrap_or_default(), old.as_deref(), &roots)?
        }
    };
    let wanted = Wanted { part, include: args.include.clone(), remap: args.remap, becomes: args.name.clone() };
    let (repository, host) = (&chosen.repository, &context.host);
    let job = backup::restore(snapshot, wanted, &to, repository, host, context.clock.now())?;
    let asked = Asked { dry_run: args.dry_run, yes: args.yes, json: args.json };
    perform(&job, &all, asked, context, out).await
}

/// Reads back; 1 where something is damaged.
pub(in crate::cli) async fn verify(args: &VerifyArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let chosen = context.repository(&args.repository).await?;
    let all = backup::snapshots(&context.backups, &chosen.repository).await?;
    let chosen_ones = match &args.id {
        Some(id) => vec![backup::find(&all, id)?],
        None => Vec::new(),
    };
    let job = backup::verify(&chosen_ones, &chosen.repository, &context.host, context.clock.now());
    // It changes nothing, so nobody is asked.
    perform(&job, &all, Asked { dry_run: false, yes: true, json: args.json }, context, out).await
}
