//! `outlast rescue NAME [PATH...] [--to DIR]`: files at risk are copied to where they are kept.

use super::agree;
use super::args::RescueArgs;
use super::context::Context;
use super::out::Out;
use crate::core::error::Result;
use crate::work::rescue::Rescuing;
use crate::work::risk;

/// Files that are taken at most where none is named: more is no work of a person.
const MOST_FILES: usize = 2_000_000;

/// Copies them.
pub(super) async fn run(args: &RescueArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let store = agree::books(&args.agree, context).await?;
    let (workspace, grounds, _) = context.named(&args.name).await?;
    let (engine, clock) = (context.engine.as_ref(), context.clock.as_ref());
    let risk = if args.paths.is_empty() {
        Some(risk::read(engine, &workspace.key, &grounds, true, MOST_FILES, clock, &mut |_| {}).await?)
    } else {
        None
    };
    if let Some(risk) = &risk {
        for gap in &risk.gaps {
            super::warn(&format!("files may be missing: {gap}"));
        }
    }
    let to = args.to.as_deref().map(|folder| context.host_path(folder)).transpose()?;
    let rescuing = Rescuing { engine, files: &context.files, clock };
    let plan = rescuing.plan(&workspace, &grounds, &args.paths, risk.as_ref(), to.as_deref()).await?;
    agree::carry_out(&plan, &args.agree, None, store, context, out).await
}
