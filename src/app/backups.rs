//! What is known of backups while the dashboard runs: read anew every now and then.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Ports;
use crate::core::classify::Grounds;
use crate::core::recognise::Profiles;
use crate::model::LastBackup;
use crate::store::Store;
use crate::work::backup::{Covers, Here, Wish, choose, folder_of};

/// It is read at most this often: a repository may be on a slow server.
const EVERY: Duration = Duration::from_secs(20);

/// What was read.
struct Read {
    at: Instant,
    covers: Covers,
    /// Whether the memory could be read: without it nobody knows what was backed up.
    remembers: bool,
}

/// What is known of backups, and since when.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Mutex<Option<Arc<Read>>>>);

impl Known {
    /// Adds to what is known of a workspace which of its folders are backed up; gives when its own
    /// folder last was.
    pub(super) async fn put_in(&self, grounds: &mut Grounds, ports: &Ports, profiles: &Profiles) -> LastBackup {
        let read = self.read(ports, profiles).await;
        if !read.covers.is_empty() {
            grounds.covers = read.covers.of(grounds).await;
        }
        let roots = profiles.roots(&grounds.rules.profile);
        match folder_of(grounds, &roots) {
            Some(_) if read.remembers => LastBackup::of(read.covers.last(grounds, &roots)),
            _ => LastBackup::Unknown,
        }
    }

    /// When folders were last backed up, in their order.
    pub(super) async fn last<'p>(
        &self,
        folders: impl Iterator<Item = &'p Path>,
        ports: &Ports,
        profiles: &Profiles,
    ) -> Vec<LastBackup> {
        let read = self.read(ports, profiles).await;
        let of = |folder| {
            if read.remembers { LastBackup::of(read.covers.last_of(folder)) } else { LastBackup::Unknown }
        };
        folders.map(of).collect()
    }

    /// What is known is old: something was saved, read back or removed.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }

    async fn read(&self, ports: &Ports, profiles: &Profiles) -> Arc<Read> {
        let mut known = self.0.lock().await;
        if let Some(read) = known.as_ref().filter(|read| read.at.elapsed() < EVERY) {
            return Arc::clone(read);
        }
        let (store, remembers) = if is_playground(ports) { (None, true) } else { store(ports).await };
        let wish = Wish { repository: std::env::var("OUTLAST_REPOSITORY").ok(), password_file: None };
        let in_use = choose(&wish, &ports.backup, &Here::unknown()).ok().map(|chosen| chosen.repository);
        let (machine, elsewhere) = (ports.machine.as_deref(), ports.backup.key_elsewhere);
        let (host, backups) = (&ports.host, &ports.backups);
        let covers = Covers::read(store.as_ref(), machine, profiles, host, backups, in_use, elsewhere).await;
        let read = Arc::new(Read { at: Instant::now(), covers, remembers });
        *known = Some(Arc::clone(&read));
        read
    }
}

/// Whether this is the playground, which opens no file.
pub(super) fn is_playground(ports: &Ports) -> bool {
    ports.engine.endpoint().id.starts_with("demo")
}

/// Opens what is remembered, and says whether what it holds of backups can be read.
async fn store(ports: &Ports) -> (Option<Store>, bool) {
    let open = Arc::clone(&ports.store);
    let opened = tokio::task::spawn_blocking(move || {
        let store = open().ok()?;
        let remembers = store.backups().read().is_ok();
        Some((store, remembers))
    });
    match opened.await {
        Ok(Some((store, remembers))) => (Some(store), remembers),
        _ => (None, false),
    }
}
