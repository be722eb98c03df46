//! Steps that are done to files: performed away from the loop, looked at before and after, finished
//! or taken back where they were cut off. What the trash holds is remembered before it goes there.

use std::sync::Arc;

use super::run::Runner;
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::Verb;
use crate::core::spot::{FileAct, Spot};
use crate::port::Files;
use crate::store::Store;
use crate::text::printable_path;

/// The word for what is not there.
pub(super) const ABSENT: &str = "absent";
/// The word for what is there.
const PRESENT: &str = "present";

/// Runs something that waits for a disk on a thread that may wait.
pub(crate) async fn on_disk<T: Send + 'static>(
    files: &Arc<dyn Files>,
    ask: impl FnOnce(&dyn Files) -> Result<T> + Send + 'static,
) -> Result<T> {
    let files = Arc::clone(files);
    tokio::task::spawn_blocking(move || ask(files.as_ref()))
        .await
        .map_err(|why| Error::new(Kind::Failed, format!("it broke off: {why}")))?
}

/// Does one step. The trash knows of a thing before it comes and until after it went.
pub(super) async fn perform(runner: &Runner<'_>, verb: Verb, act: &FileAct) -> Result<()> {
    let trash = runner.store.trash();
    if let (Verb::Trash, Some(record)) = (verb, &act.trashed) {
        trash.add(record)?;
    }
    let (act, job) = (act.clone(), Arc::clone(&runner.job));
    let known = act.trashed.clone();
    let done = on_disk(&runner.files, move |files| files.act(verb, &act, &job)).await;
    if let Some(record) = known.filter(|_| forgets(verb, done.is_ok())) {
        trash.remove(&record.id)?;
    }
    done
}

/// Whether the trash knows nothing of a thing any more, after a step that took place or did not.
const fn forgets(verb: Verb, done: bool) -> bool {
    match verb {
        Verb::Trash => !done,
        Verb::Restore | Verb::Erase => done,
        _ => false,
    }
}

/// The word for what a step finds, if that is what the plan was made for.
pub(super) async fn unchanged(files: &Arc<dyn Files>, act: &FileAct) -> Result<String> {
    let (from, to) = (act.from.clone(), act.to.clone());
    let (there, in_the_way) = on_disk(files, move |files| {
        let there = files.entry(&from)?;
        let in_the_way = to.map(|to| files.entry(&to)).transpose()?.flatten();
        Ok((there, in_the_way.is_some()))
    })
    .await?;
    let changed = |spot: &Spot, what: &str| {
        let place = spot.full();
        let message = format!("things changed since the plan was made: {what}: {}", printable_path(&place));
        Error::new(Kind::Refused, message).hint("look at the new plan: the same command with `--dry-run`")
    };
    match (there, &act.to) {
        (None, _) => Err(changed(&act.from, "it is gone")),
        (Some(entry), _) if entry.identity != act.seen => Err(changed(&act.from, "it was changed")),
        (Some(_), Some(to)) if in_the_way => Err(changed(to, "something is there now")),
        (Some(_), _) => Ok(PRESENT.into()),
    }
}

/// The word for what a step leaves where it acted.
pub(super) async fn after(files: &Arc<dyn Files>, act: &FileAct) -> String {
    let from = act.from.clone();
    match on_disk(files, move |files| files.entry(&from)).await {
        Ok(Some(_)) => PRESENT.into(),
        Ok(None) => ABSENT.into(),
        Err(_) => "unknown".into(),
    }
}

/// Finishes a step that was cut off or takes it back; whether it took place, `None` where that
/// cannot be told now.
pub(super) async fn settle(files: &Arc<dyn Files>, store: &Store, verb: Verb, act: &FileAct) -> Option<bool> {
    let settled = act.clone();
    let done = on_disk(files, move |files| files.settle(verb, &settled)).await.ok()?;
    if let Some(record) = act.trashed.as_ref().filter(|_| forgets(verb, done)) {
        store.trash().remove(&record.id).ok()?;
    }
    Some(done)
}
