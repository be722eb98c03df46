//! What concerns one snapshot that somebody pointed at: removing it, and the folder it is written to.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;

use super::again::is_empty;
use super::plan::{forget_notes, job};
use crate::core::backup::{Forget, Job, Keep, Repository, Snapshot, Task, retain};
use crate::core::error::{Error, Kind, Result};
use crate::port::Host;
use crate::text::printable_path;

/// Plans to remove one snapshot. What a rule would always keep is refused here too: the newest complete
/// one of a folder, the newest one that was verified, and what another program made.
pub fn forget_one(
    snapshot: &Snapshot,
    all: &[Snapshot],
    verified: &BTreeSet<String>,
    repository: &Repository,
    host: &Host,
    now: Timestamp,
) -> Result<Job> {
    let none = Keep { last: None, days: None };
    let retention = retain(all, none, verified, now);
    if let Some((_, why)) = retention.keep.iter().find(|(id, _)| *id == snapshot.id) {
        return Err(Error::new(Kind::Refused, format!("{} stays: it is {why}", snapshot.short()))
            .hint("back up again first, or remove it with restic itself"));
    }
    let task = Task::Forget(Forget { keep: none, snapshots: vec![snapshot.id.clone()] });
    Ok(job(task, repository, host, now, forget_notes()))
}

/// Whether a folder can take what is restored: it is new, or empty. Looks at the disk.
pub fn fresh_target(to: &Path) -> Result<()> {
    if is_empty(to) {
        return Ok(());
    }
    let error = Error::new(Kind::Refused, format!("{} is not empty, or cannot be read", printable_path(to)));
    Err(error.hint("name a folder that is new or empty"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(id: &str, second: i64) -> Snapshot {
        Snapshot {
            id: id.into(),
            at: Timestamp::from_second(second).unwrap(),
            host: "h".into(),
            workspace: "p".into(),
            folders: vec!["/p".into()],
            files: None,
            bytes: None,
            added: None,
            own: true,
            incomplete: false,
        }
    }

    #[test]
    fn what_a_rule_would_keep_is_not_removed_by_pointing_at_it() {
        let all =
            [snapshot("a", 1), snapshot("b", 2), snapshot("c", 3), Snapshot { own: false, ..snapshot("d", 0) }];
        let verified = BTreeSet::from(["b".to_owned()]);
        let repository = Repository::new("/r", "/k".into()).unwrap();
        let (host, now) = (Host::default(), Timestamp::from_second(9).unwrap());
        let of = |index: usize| forget_one(&all[index], &all, &verified, &repository, &host, now);
        assert!(matches!(of(0).unwrap().task, Task::Forget(forget) if forget.snapshots == ["a"]));
        for (index, why) in [(1, "verified"), (2, "newest complete"), (3, "another program")] {
            let error = of(index).unwrap_err();
            assert!(error.kind == Kind::Refused && error.message.contains(why), "{error}");
        }
    }

    #[test]
    fn a_target_is_new_or_empty() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(fresh_target(folder.path()), Ok(()));
        assert_eq!(fresh_target(&folder.path().join("new")), Ok(()));
        std::fs::write(folder.path().join("file"), "x").unwrap();
        assert!(fresh_target(folder.path()).unwrap_err().message.contains("is not empty"));
        assert!(fresh_target(&folder.path().join("file")).is_err());
    }
}
