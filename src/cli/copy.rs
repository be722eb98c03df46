//! `outlast copy FROM TO` and `outlast rename NAME:PATH NEW-NAME`: nothing is ever overwritten.

use super::agree;
use super::context::Context;
use super::file_args::{CopyArgs, RenameArgs};
use super::out::Out;
use crate::core::error::Result;
use crate::work::browse::Follow;
use crate::work::browse::plans::Maker;

impl Context<'_> {
    /// Makes plans about files.
    pub(super) fn maker(&self) -> Maker<'_> {
        Maker { files: &self.files, host: &self.host, clock: self.clock.as_ref(), endpoint: self.endpoint() }
    }
}

/// Copies a file or folder, in or out.
pub(super) async fn copy(args: &CopyArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let store = agree::books(&args.agree, context).await?;
    let from = context.reach(&args.from, false, Follow::All).await?;
    let to = context.goal(&args.to, from.path.file_name()).await?;
    let plan = context.maker().copy(&from, &to).await?;
    agree::carry_out(&plan, &args.agree, None, store, context, out).await
}

/// Gives a file or folder another name.
pub(super) async fn rename(args: &RenameArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let store = agree::books(&args.agree, context).await?;
    let from = context.reach(&args.subject, false, Follow::Parents).await?;
    let plan = context.maker().rename(&from, &args.name).await?;
    agree::carry_out(&plan, &args.agree, None, store, context, out).await
}
