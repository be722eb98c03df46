//! Gathers what good habits are judged by: the folder, its repository, files at risk, room on the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{git, roster};
use crate::core::classify::Grounds;
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::finding::Risk;
use crate::core::habits::{self, FolderFacts, Git, Habit, HabitFacts};
use crate::core::mount::Mount;
use crate::core::workspace::{RunState, Workspace};
use crate::port::{Engine, Host};

/// How long asking a disk for its size may take.
const DISK_WITHIN: Duration = Duration::from_secs(2);
/// What was changed within so many seconds was changed lately.
const LATELY: i64 = 24 * 60 * 60;

/// Whose habits, and what is known of it already.
#[derive(Clone, Debug)]
pub struct Whose {
    /// The workspace.
    pub workspace: Workspace,
    /// A closer look at it; a folder without a container has none.
    pub grounds: Option<Grounds>,
    /// Its files at risk, where somebody looked.
    pub risk: Option<Arc<Risk>>,
    /// Folders whose sub-folders are projects.
    pub roots: Vec<PathBuf>,
}

/// Looks at everything the habits of a workspace are judged by, within a few seconds.
pub async fn look(engine: &dyn Engine, host: &Arc<Host>, whose: &Whose, now: Timestamp) -> [Habit; 11] {
    let mut facts = known(whose, now);
    let found = folder(whose);
    if let Some(found) = &found {
        facts.inside.clone_from(&found.inside);
        facts.on_host.clone_from(&found.on_host);
    }
    let on_disk = match found.and_then(|found| found.on_host) {
        _ if !engine.shares_our_disk() => Err("its folder is not on this machine"),
        Some(folder) => Ok(folder),
        None => Err("no folder of this machine is mounted as its project"),
    };
    match on_disk {
        Ok(folder) => {
            let repository = repository(host, &folder);
            let project = on_a_thread(host, &folder, move |folder, host| match host.project {
                Some(look) => look(folder, now),
                None => FolderFacts::not_read("nothing here can look at it"),
            });
            let disk = on_a_thread(host, &folder, |folder, host| host.disk.and_then(|ask| ask(folder)));
            let disk = tokio::time::timeout(DISK_WITHIN, disk);
            let (repository, project, disk) = tokio::join!(repository, project, disk);
            facts.git = repository;
            facts.project = project.unwrap_or_else(|| FolderFacts::not_read("the look was cut off"));
            facts.disk = disk.ok().flatten().flatten();
        }
        Err(why) => {
            facts.git = Git::NotRead(why.into());
            facts.project = FolderFacts::not_read(why);
        }
    }
    habits::habits(&facts)
}

/// What git says of a folder of this machine.
pub async fn repository(host: &Arc<Host>, folder: &Path) -> Git {
    let asked = on_a_thread(host, folder, git::state).await;
    asked.unwrap_or_else(|| Git::NotRead("the look was cut off".into()))
}

/// What needs no look at a disk.
fn known(whose: &Whose, now: Timestamp) -> HabitFacts {
    let mut facts = HabitFacts { running: whose.workspace.state.is_up(), ..HabitFacts::not_read(now) };
    if whose.workspace.state == RunState::Retired {
        // A folder without a container has no place that could be lost before it.
        facts.at_risk = Some(crate::core::finding::Tally::default());
        facts.at_risk_complete = true;
        facts.recent_at_risk = Some(0);
    }
    let (Some(grounds), Some(risk)) = (&whose.grounds, &whose.risk) else { return facts };
    let classifier = grounds.classifier();
    let event = grounds.rules.profile.default_event();
    let stake = classifier.stake(risk, event);
    facts.running = grounds.detail.state.is_up();
    facts.at_risk = Some(stake.tally);
    facts.at_risk_complete = stake.complete;
    let listed: Vec<_> = super::risk::findings(risk, classifier, event).collect();
    let is_recent = |at: Timestamp| now.as_second() - at.as_second() < LATELY;
    let recent = listed.iter().filter(|file| file.modified.is_some_and(is_recent)).count() as u64;
    // Of many files only the most valuable are listed; those left out may be the recent ones.
    let all_listed =
        listed.len() as u64 >= stake.tally.files && listed.iter().all(|file| file.modified.is_some());
    facts.recent_at_risk = (recent > 0 || all_listed).then_some(recent);
    facts
}

/// The folder that is kept, inside and on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Folder {
    inside: Option<PathBuf>,
    on_host: Option<PathBuf>,
}

fn folder(whose: &Whose) -> Option<Folder> {
    if whose.workspace.state == RunState::Retired {
        return Some(Folder { inside: None, on_host: Some(PathBuf::from(&whose.workspace.key.id)) });
    }
    let grounds = whose.grounds.as_ref()?;
    let classifier = grounds.classifier();
    let is_kept = |mount: &&Mount| classifier.mount(mount).fates.verdict(Event::Retire) == Verdict::Kept;
    let own = roster::folder(&grounds.detail, &grounds.rules, &whose.roots).filter(is_kept);
    let mount = own.or_else(|| classifier.kept_folder(Event::Retire))?;
    let inside = mount.target.clone();
    // Seen from inside, the folder is where it is mounted.
    let on_host =
        if whose.workspace.container.is_some() { mount.host_path.clone() } else { Some(inside.clone()) };
    Some(Folder { inside: Some(inside), on_host })
}

/// Does what may wait for a disk away from the task that asks.
async fn on_a_thread<T: Send + 'static>(
    host: &Arc<Host>,
    folder: &Path,
    work: impl FnOnce(&Path, &Host) -> T + Send + 'static,
) -> Option<T> {
    let (host, folder) = (Arc::clone(host), folder.to_path_buf());
    tokio::task::spawn_blocking(move || work(&folder, &host)).await.ok()
}

#[cfg(test)]
#[path = "habits_tests.rs"]
mod tests;
