//! What is known of backups while the dashboard runs: read anew every now and then.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Ports;
use crate::core::classify::Grounds;
use crate::core::recognise::Profiles;
use crate::store::Store;
use crate::work::backup::{Covers, Here, Wish, choose};

/// It is read at most this often: a repository may be on a slow server.
const EVERY: Duration = Duration::from_secs(20);

/// What was read, and when.
type Read = (Instant, Arc<Covers>);

/// What is known of backups, and since when.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Mutex<Option<Read>>>);

impl Known {
    /// Adds to what is known of a workspace which of its folders are backed up; gives when its own
    /// folder last was.
    pub(super) async fn put_in(
        &self,
        grounds: &mut Grounds,
        ports: &Ports,
        profiles: &Profiles,
    ) -> Option<Timestamp> {
        let covers = self.read(ports, profiles).await;
        if covers.is_empty() {
            return None;
        }
        grounds.covers = covers.of(grounds).await;
        covers.last(grounds, &profiles.roots(&grounds.rules.profile))
    }

    async fn read(&self, ports: &Ports, profiles: &Profiles) -> Arc<Covers> {
        let mut known = self.0.lock().await;
        if let Some((_, covers)) = known.as_ref().filter(|(at, _)| at.elapsed() < EVERY) {
            return Arc::clone(covers);
        }
        let host = Arc::clone(&ports.host);
        let opened = tokio::task::spawn_blocking(move || Store::existing(&host).ok().flatten());
        // The playground opens no file.
        let store = if ports.machine.is_some() { opened.await.ok().flatten() } else { None };
        let wish = Wish { repository: std::env::var("OUTLAST_REPOSITORY").ok(), password_file: None };
        let in_use = choose(&wish, &ports.backup, &Here::unknown()).ok().map(|chosen| chosen.repository);
        let (machine, elsewhere) = (ports.machine.as_deref(), ports.backup.key_elsewhere);
        let (host, backups) = (&ports.host, &ports.backups);
        let covers =
            Arc::new(Covers::read(store.as_ref(), machine, profiles, host, backups, in_use, elsewhere).await);
        *known = Some((Instant::now(), Arc::clone(&covers)));
        covers
    }
}
