//! Backups as use cases: which repository, what is saved, jobs begun and watched, what they are good for.

mod again;
mod choose;
mod covers;
mod definition;
mod due;
mod follow;
mod here;
mod last;
mod plan;
mod run;

pub use again::{Again, again, folder_here, is_empty, is_of, place};
pub use choose::{Chosen, Wish, choose, meant};
pub use covers::Covers;
pub use due::{Candidate, Lasts, Rule, Turn, busy, folder, lasts, turns};
pub use follow::{follow, start};
pub use here::Here;
pub use last::last_words;
pub use plan::{Layer, Subject, Wanted, backup, folder_of, forget, lines, restore, verify};
pub use run::run;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::core::backup::{Repository, Snapshot};
use crate::core::error::{Error, Kind, Result};
use crate::port::Backups;
use crate::store::{JobState, JobView, Jobs};
use crate::text::printable;

/// All snapshots of a repository, the oldest first. Waits for as long as the repository takes, away
/// from the thread that asks.
pub async fn snapshots(backups: &Arc<dyn Backups>, repository: &Repository) -> Result<Vec<Snapshot>> {
    let (backups, repository) = (Arc::clone(backups), repository.clone());
    let listed = tokio::task::spawn_blocking(move || backups.open(&repository, &Arc::default())?.list()).await;
    listed.map_err(|_| Error::new(Kind::Failed, "reading the list of snapshots ended badly"))?
}

/// Sentences about jobs that go on, and about those that were cut off within a day.
pub fn news(jobs: &Jobs, now: Timestamp) -> Vec<String> {
    let recent = |view: &JobView| now.duration_since(view.job.made_at) < SignedDuration::from_hours(24);
    let told = |view: &JobView| {
        let what = format!("{} of {}", view.job.task.key(), printable(&view.job.task.subject()));
        match view.state {
            JobState::Waiting | JobState::Running => Some(format!("{what} goes on: `outlast jobs` shows it")),
            JobState::CutOff if recent(view) => Some(format!("{what} was cut off, so it is not done")),
            JobState::CutOff | JobState::Over(_) => None,
        }
    };
    jobs.all().unwrap_or_default().iter().filter_map(told).collect()
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
