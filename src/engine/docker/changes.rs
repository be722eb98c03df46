//! The writable layer as the engine itself tells it, for people who may not read it.
//!
//! Costly for the engine (seconds for large layers) and without sizes: one
//! question at a time, on request only, with a deadline.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::models::{ChangeType, FilesystemChange};
use futures_util::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use crate::core::error::Result;
use crate::core::finding::LayerCount;
use crate::core::mount::Mount;
use crate::core::storage::StorageKind;
use crate::core::value::Value;
use crate::core::workspace::Detail;
use crate::port::{FileFact, PathKind, ScanItem};

use super::{Link, Session, look};

/// How long listing changes and asking for sizes may take together.
const DEADLINE: Duration = Duration::from_secs(20);
/// How many files are asked for their size, the most valuable first.
const SIZED: usize = 500;
/// How many such questions are on their way at once.
const AT_ONCE: usize = 4;

/// A path that was written to the layer.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    path: PathBuf,
    /// It was in the image before.
    changed: bool,
}

/// Lists what was written, with sizes as far as the time allows. Fails where the list was not had.
pub(super) async fn read(link: &Link, session: &Session, id: &str, detail: &Detail) -> Result<Vec<ScanItem>> {
    let mut items = vec![ScanItem::Reading(StorageKind::WritableLayer)];
    // The semaphore is never closed; waiting for one's turn takes nothing off the deadline.
    let _turn = link.changes.acquire().await;
    let deadline = Instant::now() + DEADLINE;
    let call = session.client.container_changes(id);
    let changes = link.within("a list of changed files", DEADLINE, call).await?.unwrap_or_default();
    let layer = count(&changes);
    let mut written = written(changes, &detail.mounts);
    written.sort_by_cached_key(|file| Value::of(&file.path));
    let rest = written.split_off(written.len().min(SIZED));

    let mut looks = stream::iter(written)
        .map(async |file| {
            let stat = timeout_at(deadline, look::stat(link, session, id, &file.path)).await;
            (file, stat.ok().and_then(Result::ok))
        })
        .buffered(AT_ONCE);
    let (mut files, mut unsized_files) = (Vec::new(), 0_usize);
    while let Some((file, stat)) = looks.next().await {
        match stat {
            // Folders, links and devices hold no data.
            Some(Some(stat)) if stat.special || stat.kind != PathKind::File => {}
            Some(Some(stat)) => files.push(fact(file, Some(stat.bytes), stat.modified)),
            // It vanished meanwhile.
            Some(None) => {}
            None => {
                unsized_files += 1;
                files.push(fact(file, None, None));
            }
        }
    }
    unsized_files += rest.len();
    files.extend(rest.into_iter().map(|file| fact(file, None, None)));
    items.extend([ScanItem::Files(files), ScanItem::Layer(layer)]);
    if unsized_files > 0 {
        items.push(ScanItem::Gap(format!("the engine was not asked for the size of {unsized_files} files")));
    }
    Ok(items)
}

fn fact(file: Written, bytes: Option<u64>, modified: Option<jiff::Timestamp>) -> FileFact {
    FileFact { path: file.path, bytes, storage: StorageKind::WritableLayer, modified, changed: file.changed }
}

/// The engine tells no folder from a file, and not what was changed of one.
fn count(changes: &[FilesystemChange]) -> LayerCount {
    let of = |kind| changes.iter().filter(|change| change.kind == kind).count() as u64;
    let (new, changed, deleted) = (of(ChangeType::_1), of(ChangeType::_0), of(ChangeType::_2));
    LayerCount { new, changed, deleted, attributes: 0 }
}

/// Leaves out what was deleted, directories that are known to be such, and
/// whatever mounts left behind in the layer.
fn written(changes: Vec<FilesystemChange>, mounts: &[Mount]) -> Vec<Written> {
    let mut all: Vec<(PathBuf, ChangeType)> =
        changes.into_iter().map(|change| (PathBuf::from(change.path), change.kind)).collect();
    // Component by component, so that a directory's content follows it at once.
    all.sort_by(|a, b| a.0.cmp(&b.0));
    let holds_next = |at: usize| all.get(at + 1).is_some_and(|(next, _)| next.starts_with(&all[at].0));
    let is_mount = |path: &Path| {
        let not_root = mounts.iter().filter(|mount| mount.target != Path::new("/"));
        not_root.into_iter().any(|mount| mount.target.starts_with(path) || path.starts_with(&mount.target))
    };
    all.iter()
        .enumerate()
        .filter(|(at, (path, kind))| *kind != ChangeType::_2 && !holds_next(*at) && !is_mount(path))
        .map(|(_, (path, kind))| Written { path: path.clone(), changed: *kind == ChangeType::_0 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mount::Backing;

    #[test]
    fn directories_deletions_and_mount_points_are_no_files() {
        let change = |path: &str, kind| FilesystemChange { path: path.into(), kind };
        let changes = vec![
            change("/tmp", ChangeType::_0),
            change("/tmp/model.pt", ChangeType::_1),
            change("/tmp.bak", ChangeType::_1),
            change("/bin", ChangeType::_0),
            change("/bin/sh", ChangeType::_2),
            change("/scratch", ChangeType::_1),
            change("/run", ChangeType::_1),
            change("/etc", ChangeType::_0),
            change("/etc/passwd", ChangeType::_0),
        ];
        let counted = count(&changes);
        let memory = |target: &str| Mount::new(target.into(), "memory".into(), Backing::Memory, None);
        let found = written(changes, &[memory("/"), memory("/scratch"), memory("/run/lock")]);
        let said: Vec<_> = found.iter().map(|file| (file.path.display().to_string(), file.changed)).collect();
        assert_eq!((counted.new, counted.changed, counted.deleted), (4, 4, 1));
        let expected = [("/etc/passwd", true), ("/tmp/model.pt", false), ("/tmp.bak", false)];
        assert_eq!(said, expected.map(|(path, changed)| (path.to_string(), changed)));
    }
}
