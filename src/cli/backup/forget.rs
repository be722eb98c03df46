//! `outlast forget`: removes one snapshot, or those that a rule does not keep.

use super::super::args::ForgetArgs;
use super::super::context::Context;
use super::super::out::Out;
use super::{Asked, perform};
use crate::core::backup::Keep;
use crate::core::error::Result;
use crate::core::report::Head;
use crate::work::{Store, backup};

/// Removes; nothing to remove is no failure.
pub(in crate::cli) async fn forget(args: &ForgetArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let chosen = context.repository(&args.repository).await?;
    let all = backup::snapshots(&context.backups, &chosen.repository).await?;
    let store = Store::existing(&context.host)?;
    let records = store.map(|store| store.backups().read()).transpose()?.unwrap_or_default();
    let keep = Keep { last: args.keep_last, days: args.keep_days };
    let (verified, now) = (records.verified(), context.clock.now());
    let (repository, host) = (&chosen.repository, &context.host);
    let job = match &args.id {
        Some(id) => Some(backup::forget_one(backup::find(&all, id)?, &all, &verified, repository, host, now)?),
        None => backup::forget(&all, keep, &verified, repository, host, now),
    };
    let Some(job) = job else {
        if args.json {
            #[derive(serde::Serialize)]
            struct Nothing {
                #[serde(flatten)]
                head: Head,
                result: &'static str,
                removed: [String; 0],
            }
            out.json(&Nothing { head: Head::new(now, true, Vec::new()), result: "done", removed: [] })?;
        } else {
            out.lines(["nothing to remove: the rule keeps all of them"])?;
        }
        return Ok(0);
    };
    let asked = Asked { dry_run: args.dry_run, yes: args.yes, json: args.json };
    perform(&job, &all, asked, context, out).await
}
