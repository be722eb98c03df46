//! Backups as use cases: which repository, what is saved, jobs begun and watched, what they are good for.

mod again;
mod choose;
mod covers;
mod definition;
mod due;
mod follow;
mod here;
mod last;
mod one;
mod plan;
mod run;
mod told;

pub use again::{Again, again, folder_here, is_empty, is_of, place};
pub use choose::{Chosen, Wish, choose, wish};
pub use covers::Covers;
pub use due::{Candidate, Lasts, Rule, Turn, busy, folder, lasts, turns};
pub use follow::{follow, start};
pub use here::Here;
pub use last::last_words;
pub use one::{forget_one, fresh_target};
pub use plan::{Layer, Subject, Wanted, backup, folder_of, forget, lines, restore, verify};
pub use run::run;
pub use told::{ended, news, record};

use std::sync::Arc;

use crate::core::backup::{Repository, Snapshot};
use crate::core::error::{Error, Kind, Result};
use crate::port::Backups;

/// All snapshots of a repository, the oldest first. Waits for as long as the repository takes, away
/// from the thread that asks.
pub async fn snapshots(backups: &Arc<dyn Backups>, repository: &Repository) -> Result<Vec<Snapshot>> {
    let (backups, repository) = (Arc::clone(backups), repository.clone());
    let listed = tokio::task::spawn_blocking(move || backups.open(&repository, &Arc::default())?.list()).await;
    listed.map_err(|_| Error::new(Kind::Failed, "reading the list of snapshots ended badly"))?
}

/// The one snapshot whose id begins like this; `latest` is the newest.
pub fn find<'s>(snapshots: &'s [Snapshot], id: &str) -> Result<&'s Snapshot> {
    if id == "latest" {
        return snapshots.last().ok_or_else(|| Error::new(Kind::NotFound, "the repository holds no snapshot"));
    }
    let mut found = snapshots.iter().filter(|snapshot| snapshot.id.starts_with(id) && !id.is_empty());
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            Err(Error::new(Kind::Usage, format!("more than one snapshot begins with {id}"))
                .hint("type more of it"))
        }
        (None, _) => Err(Error::new(Kind::NotFound, format!("no snapshot begins with “{id}”"))
            .hint("`outlast backups` lists them")),
    }
}
