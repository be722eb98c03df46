//! `outlast log`: what was changed, by whom, and the command that undoes it.

use std::borrow::Cow;

use super::args::LogArgs;
use super::context::Context;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::error::{Error, Kind, Result};
use crate::core::report::{Head, Log, Trouble};
use crate::work::Store;

/// Prints the activity log, the oldest first; 1 where lines of it are damaged.
pub(super) async fn run(args: &LogArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    // Looking makes no directories: none is an empty log.
    let (changes, damaged) = match Store::existing(&context.host)? {
        Some(store) => {
            super::agree::recover(context, &store).await;
            store.audit().read()?
        }
        None => (Vec::new(), 0),
    };
    let mut troubles = Vec::new();
    if damaged > 0 {
        let error = Error::new(Kind::Incomplete, format!("{damaged} lines of the log are damaged"));
        troubles.push(Trouble::new(context.endpoint(), "log", &error));
    }
    if args.json {
        out.json(&Log { head: Head::new(context.clock.now(), damaged == 0, troubles), changes })?;
        return Ok(u8::from(damaged > 0));
    }
    for trouble in &troubles {
        super::warn(&trouble.message);
    }
    if changes.is_empty() {
        out.lines(["nothing was changed yet"])?;
        return Ok(u8::from(damaged > 0));
    }
    let mut table = Table::new(&[
        ("WHEN", Side::Left),
        ("WHO", Side::Left),
        ("VERB", Side::Left),
        ("CONTAINER", Side::Left),
        ("BEFORE", Side::Left),
        ("AFTER", Side::Left),
        ("RESULT", Side::Left),
        ("UNDO", Side::Left),
    ]);
    for change in &changes {
        table.row([
            Cow::from(format!("{:.0}", change.at)),
            (&change.user).into(),
            change.verb.key().into(),
            (&change.container).into(),
            (&change.before).into(),
            (&change.after).into(),
            (&change.result).into(),
            change.recreate.as_deref().unwrap_or("-").into(),
        ]);
    }
    out.table(&table)?;
    Ok(u8::from(damaged > 0))
}
