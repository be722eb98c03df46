//! Whose turn it is to be backed up: who was never, or too long ago, and why the others are not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::covers::Covers;
use super::here::real;
use super::plan::folder_of;
use crate::core::backup::Task;
use crate::core::due::{Due, due};
use crate::core::error::{Error, Result};
use crate::core::identity::Viewer;
use crate::core::span::Span;
use crate::core::workspace::{Owner, RunState};
use crate::port::{Archives, Host};
use crate::store::Jobs;
use crate::text::printable;
use crate::work::archive;
use crate::work::roster::Entry;

/// The folder of a workspace that is saved: for a retired one that is all there is.
pub fn folder(entry: &Entry, roots: &[PathBuf]) -> Option<PathBuf> {
    if entry.workspace.state == RunState::Retired {
        return Some(PathBuf::from(&entry.workspace.key.id));
    }
    folder_of(entry.stands_on()?, roots)
}

/// When folders were last backed up.
#[derive(Debug, Default)]
pub struct Lasts {
    /// One for each folder, in their order.
    pub each: Vec<Option<Timestamp>>,
    /// Why archives could not be looked at.
    pub unread: Option<Error>,
}

/// When each of these folders was last backed up: to a repository, or into an archive in one place.
pub async fn lasts(
    folders: &[PathBuf],
    covers: &Covers,
    archives: Option<(&Arc<dyn Archives>, &Path)>,
    host: &Host,
) -> Lasts {
    let saved = folders.iter().map(|folder| covers.last_of(folder));
    let archived = match archives {
        Some((archives, place)) => archive::last(archives, place, folders, &host.hostname).await,
        None => Ok(vec![None; folders.len()]),
    };
    match archived {
        Ok(archived) => {
            Lasts { each: saved.zip(archived).map(|(one, other)| one.max(other)).collect(), unread: None }
        }
        Err(error) => Lasts { each: saved.collect(), unread: Some(error) },
    }
}

/// One that may be backed up.
#[derive(Clone, Debug)]
pub struct Candidate<'a> {
    /// The workspace (untrusted text).
    pub name: &'a str,
    /// Whose it is.
    pub owner: &'a Owner,
    /// Its folder.
    pub folder: Option<&'a Path>,
    /// Why it could not be looked at.
    pub unknown: Option<&'a Error>,
    /// When it was last backed up.
    pub last: Option<Timestamp>,
}

/// Who is backed up, and when.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a> {
    /// How old a last backup may be.
    pub after: Option<Span>,
    /// Whose workspaces; everybody's where `None`.
    pub of: Option<&'a Viewer>,
    /// The moment.
    pub now: Timestamp,
}

/// What comes of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is backed up now.
    Now(Due),
    /// It need not be: the last backup is young enough.
    Fresh(Due),
    /// It is not, and why (may hold untrusted text).
    Skipped(String),
    /// Nobody knows whether it is due, and why (may hold untrusted text).
    Unknown(String),
}

impl Turn {
    /// In a clause.
    pub fn words(&self, now: Timestamp) -> String {
        match self {
            Self::Now(due) => due.words(now),
            Self::Fresh(due) => format!("not due, {}", due.words(now)),
            Self::Skipped(why) => format!("skipped, {}", printable(why)),
            Self::Unknown(why) => format!("not known whether it is due, {}", printable(why)),
        }
    }
}

/// What comes of each, in their order. `busy` are the folders of which a backup goes on.
pub fn turns(candidates: &[Candidate<'_>], rule: &Rule<'_>, busy: &[PathBuf]) -> Vec<Turn> {
    let mut seen: BTreeMap<PathBuf, String> = BTreeMap::new();
    let turn = |one: &Candidate<'_>| {
        if let (Some(viewer), Some(owner)) = (rule.of, &one.owner.name)
            && !viewer.owns(one.owner)
        {
            return Turn::Skipped(format!("it is {owner}'s; --all-users takes it too"));
        }
        if let Some(error) = one.unknown {
            return Turn::Unknown(format!("it could not be looked at: {}", error.message));
        }
        let Some(folder) = one.folder.map(real) else {
            return Turn::Skipped("it has no folder of its own".into());
        };
        if let Some(other) = seen.get(&folder) {
            return Turn::Skipped(format!("it has the same folder as {other}"));
        }
        let goes_on = busy.contains(&folder);
        seen.insert(folder, one.name.to_owned());
        match due(one.last, rule.now, rule.after) {
            _ if goes_on => Turn::Skipped("a backup of it goes on".into()),
            fresh @ Due::Fresh(_) => Turn::Fresh(fresh),
            due => Turn::Now(due),
        }
    };
    candidates.iter().map(turn).collect()
}

/// The folders of which a backup goes on.
pub fn busy(jobs: &Jobs) -> Result<Vec<PathBuf>> {
    let live = jobs.all()?.into_iter().filter(crate::store::JobView::is_live);
    Ok(live
        .filter_map(|view| match view.job.task {
            Task::Backup(save) => Some(real(&save.folder)),
            _ => None,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_backed_up_once_and_only_where_that_is_due() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let (nobody, bob) = (Owner::default(), Owner { name: Some("bob".into()), from: None });
        let one = |name, owner, folder, last| Candidate {
            name,
            owner,
            folder: Some(Path::new(folder)),
            unknown: None,
            last,
        };
        let failed = Error::new(crate::core::error::Kind::Failed, "it vanished");
        let candidates = [
            one("never", &nobody, "/none/a", None),
            one("old", &nobody, "/none/b", at("2026-02-10T12:00:00Z")),
            one("fresh", &nobody, "/none/c", at("2026-03-10T10:00:00Z")),
            one("twin", &nobody, "/none/a", None),
            one("bobs", &bob, "/none/d", None),
            one("busy", &nobody, "/none/e", None),
            Candidate { folder: None, ..one("bare", &nobody, "/", None) },
            Candidate { unknown: Some(&failed), ..one("gone", &nobody, "/", None) },
        ];
        let viewer = Viewer { uid: 1001, name: Some("alice".into()), ..Viewer::default() };
        let rule = Rule { after: None, of: Some(&viewer), now };
        let words: Vec<_> =
            turns(&candidates, &rule, &["/none/e".into()]).iter().map(|turn| turn.words(now)).collect();
        assert_eq!(
            words,
            [
                "it was never backed up",
                "its last backup is 4w old",
                "not due, its last backup is 2h old",
                "skipped, it has the same folder as never",
                "skipped, it is bob's; --all-users takes it too",
                "skipped, a backup of it goes on",
                "skipped, it has no folder of its own",
                "not known whether it is due, it could not be looked at: it vanished",
            ]
        );
        let everybody = Rule { of: None, after: Span::try_from("1h".to_owned()).ok(), ..rule };
        let turns = turns(&candidates, &everybody, &[]);
        let now = turns.iter().filter(|turn| matches!(turn, Turn::Now(_))).count();
        assert_eq!(now, 5, "bob's, the busy one and the one of two hours too");
    }
}
