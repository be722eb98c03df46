//! `outlast clone NAME NEW`: a workspace once more, from its backup: beside the old one, or on another machine
//! that reaches the same repository.

use std::path::PathBuf;

use super::super::args::CloneArgs;
use super::super::context::Context;
use super::super::out::Out;
use super::{Asked, perform};
use crate::core::backup::{FOLDER, Snapshot};
use crate::core::error::{Error, Kind, Result};
use crate::text::printable;
use crate::work::backup::{self, Wanted};

/// Restores the folder under the new name; 1 where files are damaged or could not be written.
pub(in crate::cli) async fn clone(args: &CloneArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let chosen = context.repository(&args.repository).await?;
    let all = backup::snapshots(&context.backups, &chosen.repository).await?;
    let Known { name, folder, roots } = known(&args.name, context).await;
    let theirs: Vec<Snapshot> =
        all.iter().filter(|snapshot| backup::is_of(snapshot, &name, folder.as_deref())).cloned().collect();
    if theirs.is_empty() {
        return Err(Error::new(Kind::NotFound, format!("no snapshot of {} is there", printable(&args.name)))
            .hint(format!("back it up first: `outlast backup {}`", printable(&args.name)))
            .hint("`outlast backups` lists what is there"));
    }
    let snapshot = backup::find(&theirs, &args.from)?;
    let old = folder.or_else(|| backup::folder_here(snapshot, &context.host));
    let to = backup::place(&args.new, old.as_deref(), &roots)?;
    let wanted =
        Wanted { part: Some(FOLDER), include: None, remap: args.remap, becomes: Some(args.new.clone()) };
    let job = backup::restore(snapshot, wanted, &to, &chosen.repository, &context.host, context.clock.now())?;
    let asked = Asked { dry_run: args.dry_run, yes: args.yes, json: args.json };
    perform(&job, &all, asked, context, out).await
}

/// What this machine knows of a workspace.
struct Known {
    name: String,
    folder: Option<PathBuf>,
    /// Where this platform's workspaces lie.
    roots: Vec<PathBuf>,
}

/// The workspace of this name, where it is one of this machine; elsewhere only its backups know it.
async fn known(name: &str, context: &Context<'_>) -> Known {
    let unknown = |roots| Known { name: name.to_owned(), folder: None, roots };
    let Ok(mut list) = context.gather(|_| true).await else {
        return unknown(context.profiles.roots(&context.rules.profile));
    };
    let (_, roots) = context.add_retired(&mut list);
    match list.find(name) {
        Ok(entry) => Known { name: entry.workspace.name.clone(), folder: backup::folder(entry, &roots), roots },
        Err(_) => unknown(roots),
    }
}
