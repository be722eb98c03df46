//! How long each part of a workspace lives, what its platform does by itself, and what brings it
//! back: gathers what that stands on, and puts the report together.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::ground;
use super::recovery::{Means, steps};
use super::roster;
use crate::core::backup::Cover;
use crate::core::classify::{Classifier, Grounds};
use crate::core::event::Event;
use crate::core::facts::Facts;
use crate::core::fate::{Answer, Basis, Fate, Fates};
use crate::core::lifecycle::{
    Folder, Lifecycle, Node, Object, Place, Return, Surroundings, TimerRow, container_lifetime, gpu_lifetime,
};
use crate::core::mount::{Backing, Mount, Source};
use crate::core::object::ObjectKind;
use crate::core::recognise::Profiles;
use crate::core::report::Layers;
use crate::core::rules::Rules;
use crate::core::situation::{Scenario, Signs, Situation};
use crate::core::storage::StorageKind;
use crate::core::timer::{Action, Starts, Timer, TimerState};
use crate::core::timing::{self, Timing};
use crate::core::workspace::{Detail, RunState, Workspace};
use crate::platform::{folders, host, limits};
use crate::port::Engine;

/// How long a look at files of the host may take; on a dead share the answer stays unknown.
const WITHIN: Duration = Duration::from_millis(500);

/// The parameter of a profile that says where the host keeps its limits.
const LIMITS_FILE: &str = "limits_file";

/// Reads what the timers of a workspace stand on. Files of this host count only where the engine is on it.
pub async fn timing(engine: &dyn Engine, grounds: &Grounds) -> Timing {
    if !engine.endpoint().address.starts_with("unix:") {
        return Timing::default();
    }
    let rules = &grounds.rules;
    let asks_for_limits = rules.profile.timers.iter().any(|rule| rule.limit.is_some());
    let file = rules.parameters.get(LIMITS_FILE).filter(|_| asks_for_limits).map(PathBuf::from);
    let keep_alive = rules.profile.timers.iter().find_map(|rule| rule.keep_alive.as_ref());
    let keep_alive = keep_alive.map(|keep| keep_alive_place(&grounds.detail, Path::new(&keep.file)));
    let look = move || {
        let mut timing = Timing { booted: host::booted(), ..Timing::default() };
        match file.map(|file| limits::load(&file)) {
            Some(Ok(limits)) => timing.limits = limits.map(Arc::new),
            Some(Err(error)) => timing.unread.push(error.message),
            None => {}
        }
        match keep_alive.map(|place| place.and_then(|(base, rest)| changed(&base, &rest))) {
            Some(Ok(at)) => timing.keep_alive = at,
            Some(Err(why)) => timing.unread.push(format!("whether there is a keep-alive file: {why}")),
            None => {}
        }
        timing
    };
    within(look).await.unwrap_or_else(|| Timing {
        unread: vec!["the host's limits and the keep-alive file: the disk does not answer".into()],
        ..Timing::default()
    })
}

/// Does blocking work elsewhere; `None` where it takes too long.
async fn within<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::time::timeout(WITHIN, tokio::task::spawn_blocking(work)).await.ok()?.ok()
}

/// The file that tells a workspace's platform that it is in use: its folder here and its path below it,
/// and what people should know about it.
pub fn keep_alive(grounds: &Grounds) -> crate::core::error::Result<(crate::core::spot::Spot, Option<String>)> {
    use crate::core::error::{Error, Kind};
    let rule = grounds.rules.profile.timers.iter().find_map(|rule| rule.keep_alive.as_ref());
    let rule = rule.ok_or_else(|| {
        let title = &grounds.rules.profile.title;
        Error::new(Kind::NotSupported, format!("nothing keeps workspaces alive on {title}"))
            .hint("`outlast lifecycle NAME` says what ends it")
    })?;
    let (base, rest) = keep_alive_place(&grounds.detail, Path::new(&rule.file))
        .map_err(|why| Error::new(Kind::NotFound, format!("{} cannot be made: {why}", rule.file)))?;
    let spot = crate::core::spot::Spot::new(base, &rest)
        .ok_or_else(|| Error::new(Kind::Config, format!("{} is no plain path", rule.file)))?;
    Ok((spot, rule.note.clone()))
}

/// The folder on the host that holds the keep-alive file, and the file's path below it.
fn keep_alive_place(detail: &Detail, file: &Path) -> Result<(PathBuf, PathBuf), String> {
    let mount = crate::core::mount::holding(&detail.mounts, file).ok_or("its mounts are not known")?;
    if mount.storage == StorageKind::WritableLayer {
        return Err("its folder is not mounted".into());
    }
    let seen = !matches!(mount.backing, Backing::HostDir { source: Source::Unseen, .. });
    let base = mount.host_path.clone().filter(|_| seen).ok_or("its folder cannot be seen from here")?;
    let rest = file.strip_prefix(&mount.target).map_err(|_| "it has no place")?;
    Ok((base, rest.to_path_buf()))
}

/// When a file below a folder was last changed; `None` where there is none. Follows no link below the folder.
fn changed(base: &Path, rest: &Path) -> Result<Option<Timestamp>, String> {
    let mut at = base.to_path_buf();
    let mut found = None;
    for part in rest.components() {
        let Component::Normal(name) = part else { return Err("its path is not plain".into()) };
        if found.as_ref().is_some_and(|found: &std::fs::Metadata| !found.is_dir()) {
            return Ok(None);
        }
        at.push(name);
        found = match std::fs::symlink_metadata(&at) {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
    }
    let file = found.filter(std::fs::Metadata::is_file);
    Ok(file.and_then(|file| Timestamp::try_from(file.modified().ok()?).ok()))
}

/// Measures what takes a while: the folder against its limit, its projects, the Dockerfile.
pub async fn surroundings(
    engine: &dyn Engine,
    profiles: &Profiles,
    workspace: &Workspace,
    grounds: &Grounds,
    roots: &[PathBuf],
) -> Surroundings {
    let pinned = ground::pinned(engine, workspace, grounds).await;
    let node = pinned.map(|pinned| Node { pinned: pinned.pinned, bytes: pinned.bytes, limit: pinned.limit });
    let roots = owners_roots(&grounds.rules, workspace, roots);
    let path = grounds.classifier().folder().and_then(|mount| mount.host_path.clone());
    let folder = match path.filter(|_| !roots.is_empty()) {
        Some(path) => {
            let place = Folder::place(&path, &roots);
            let root = path.clone();
            let projects = match place {
                Place::WholeRoot => within(move || folders::projects(&root)).await.unwrap_or_default(),
                Place::Project | Place::NotDefault => Vec::new(),
            };
            let projects = projects.into_iter().map(|project| project.name).collect();
            Some(Folder { path, place, projects })
        }
        None => None,
    };
    let places = ground::dockerfiles(workspace, &grounds.detail, &grounds.rules, profiles.home.as_deref());
    let is_file = |place: &PathBuf| std::fs::symlink_metadata(place).is_ok_and(|found| found.is_file());
    let dockerfile = within(move || places.into_iter().find(is_file)).await.flatten();
    Surroundings { node, folder, dockerfile }
}

/// The viewer's folder roots, and the same below the home of the workspace's owner.
fn owners_roots(rules: &Rules, workspace: &Workspace, viewers: &[PathBuf]) -> Vec<PathBuf> {
    if rules.profile.folder_roots.is_empty() || rules.workspace.is_none() {
        return Vec::new();
    }
    let home = workspace.owner.name.as_ref().filter(|name| !name.contains('/'));
    let home = home.map(|name| Path::new("/home").join(name));
    let below = home.iter().flat_map(|home| {
        let rests = rules.profile.folder_roots.iter().filter_map(|root| root.strip_prefix("~/"));
        rests.map(|rest| home.join(rest))
    });
    viewers.iter().cloned().chain(below).collect()
}

/// All that a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The engine's cheap facts.
    pub workspace: &'a Workspace,
    /// The closer look, where there was one.
    pub detail: Option<&'a Detail>,
    /// The platform's rules for it.
    pub rules: &'a Rules,
    /// What is known about conditions, the clock's share in it.
    pub facts: Facts,
    /// Which of its folders are backed up, and what that is good for.
    pub covers: &'a [Cover],
    /// What its timers stand on.
    pub timing: &'a Timing,
    /// Image, container and folder, and whether each exists.
    pub layers: &'a Layers,
    /// What takes a while to measure, where somebody did.
    pub surroundings: Option<&'a Surroundings>,
}

/// The report at one moment.
pub fn report(about: &About<'_>, now: Timestamp) -> Lifecycle {
    let workspace = about.workspace;
    // A folder without a container is described as one that mounts it would see it.
    let alone = folder_alone(about);
    let detail = about.detail.unwrap_or(&alone);
    let classifier = Classifier { detail, rules: about.rules, facts: about.facts, covers: about.covers };
    let timers = match about.detail {
        Some(detail) => timing::timers(workspace, detail, about.rules, about.timing, now),
        None => Vec::new(),
    };
    let objects = objects(about, &classifier, &timers);
    let after_reboot = Return::of(workspace, about.detail, classifier.after(Event::Reboot));
    Lifecycle {
        workspace: workspace.name.clone(),
        endpoint: workspace.key.endpoint.clone(),
        container: workspace.container.clone(),
        profile: about.rules.profile.id.clone(),
        state: detail.state.key(),
        exit_cause: detail.exit_cause(),
        situations: situations(about, &classifier, &objects),
        objects,
        next: timing::next(&timers).map(|timer| timer.id.clone()),
        timers: timers.iter().map(|timer| row(timer, about.rules, about.timing)).collect(),
        after_reboot,
        after_reboot_words: after_reboot.words(),
        gpu_released: !detail.gpus.is_empty() && !detail.state.is_up() && !gpu_held(&timers),
        node: about.surroundings.and_then(|around| around.node),
        folder: about.surroundings.and_then(|around| around.folder.clone()),
    }
}

/// Whether a stopped workspace's GPU is still reserved for it.
fn gpu_held(timers: &[Timer]) -> bool {
    let holds = |timer: &Timer| {
        timer.then == Action::ReleaseGpu
            && matches!(&timer.state, TimerState::Counting { left, .. } if left.is_positive())
    };
    timers.iter().any(holds)
}

fn folder_alone(about: &About<'_>) -> Detail {
    let mut detail = Detail::new(about.workspace.state);
    if let Some(path) = about.layers.workspace.name.as_ref() {
        let target = about.rules.workspace.clone().unwrap_or_else(|| "/workspace".into());
        let backing = Backing::HostDir { path: path.into(), source: Source::Present };
        detail.mounts.push(Mount::new(target, path.clone(), backing, None));
    }
    detail
}

/// A timer with what could not be read about it, and why idleness is not known.
fn row(timer: &Timer, rules: &Rules, timing: &Timing) -> TimerRow {
    let mut row = TimerRow::from(timer);
    let rule = rules.profile.timers.iter().find(|rule| rule.id == timer.id);
    if rule.is_some_and(|rule| rule.starts == Starts::Idle) && row.state == "unknown" {
        row.notes.push("activity is not measured yet".into());
    }
    if row.state != "not_subject" {
        row.notes.extend(timing.unread.iter().map(|why| format!("not read: {}", crate::text::printable(why))));
    }
    row
}

/// What the workspace is made of: what everyone has, then what the platform adds.
fn objects(about: &About<'_>, classifier: &Classifier<'_>, timers: &[Timer]) -> Vec<Object> {
    let rules = &about.rules.profile.objects;
    let extra = rules.iter().map(|rule| rule.id).filter(|kind| !ObjectKind::COMMON.contains(kind));
    let kinds = ObjectKind::COMMON.into_iter().chain(extra);
    kinds
        .map(|kind| {
            let title = rules.iter().find(|rule| rule.id == kind).and_then(|rule| rule.title.clone());
            let title = title.unwrap_or_else(|| kind.label().into());
            object(kind, title, about, classifier, timers)
        })
        .collect()
}

fn object(
    kind: ObjectKind,
    title: String,
    about: &About<'_>,
    classifier: &Classifier<'_>,
    timers: &[Timer],
) -> Object {
    let (detail, layers) = (classifier.detail, about.layers);
    let mut fates = classifier.object(kind);
    let up = detail.state.is_up();
    let (name, exists, lifetime) = match kind {
        ObjectKind::Image | ObjectKind::Container if is_no_container(detail) => {
            fates = nothing_there("this machine is not a container");
            (None, None, "-".into())
        }
        ObjectKind::Image => (layers.image.name.clone(), layers.image.exists, "until removed".into()),
        ObjectKind::Container => {
            (layers.container.name.clone(), layers.container.exists, container_lifetime(classifier, timers))
        }
        ObjectKind::Workspace => {
            let deleted = deleted(classifier);
            // A session's own directory is no folder that is kept, whatever is mounted where it should be.
            let lasts = |mount: &&Mount| mount.storage != StorageKind::BindScratch;
            let folder = classifier.folder().filter(lasts);
            let folder = folder.or_else(|| roster::folder(detail, about.rules, &[]));
            let folder = folder.or_else(|| classifier.kept_folder(Event::Retire));
            fates = match deleted.or(folder) {
                Some(mount) => classifier.mount(mount).fates,
                None => nothing_there("no folder that is kept is mounted"),
            };
            let name = deleted.or(folder).map(|mount| mount.source.clone());
            let exists = if deleted.is_some() { Some(false) } else { layers.workspace.exists };
            (name.or_else(|| layers.workspace.name.clone()), exists, "until deleted".into())
        }
        ObjectKind::Processes => {
            let lifetime = if up { "until it stops" } else { "ended" };
            (None, Some(up), lifetime.into())
        }
        ObjectKind::Gpu => {
            let names: Vec<&str> = detail.gpus.iter().map(|gpu| gpu.name.as_str()).collect();
            let name = (!names.is_empty()).then(|| names.join(", "));
            if names.is_empty() {
                fates = nothing_there("none was given");
            }
            let exists = !names.is_empty() && (up || gpu_held(timers));
            (name, Some(exists), gpu_lifetime(detail, timers))
        }
        ObjectKind::StartScript => (None, None, "runs at every start".into()),
        ObjectKind::Backups => (None, None, "as long as its volume".into()),
    };
    let mut object = Object { name, exists, ..Object::new(kind.key(), title.clone(), lifetime, fates) };
    if object.is_absent() {
        let Object { name, exists, lifetime, .. } = object;
        object = Object {
            name,
            exists,
            ..Object::new(kind.key(), title, lifetime, nothing_there("it is not there"))
        };
    }
    object
}

/// Whether this is a machine with a disk of its own as its root.
fn is_no_container(detail: &Detail) -> bool {
    detail.mounts.iter().any(|mount| mount.target == Path::new("/") && mount.storage == StorageKind::HostDisk)
}

/// The answers about a thing that is not there.
fn nothing_there(reason: &'static str) -> Fates {
    Fates(Event::ALL.map(|_| Answer {
        fate: Fate::Untouched,
        reason: reason.into(),
        advice: "".into(),
        condition: None,
        holds: None,
        basis: Basis::Observed,
    }))
}

/// The mount whose folder was deleted under it: the workspace's own, else any other.
fn deleted<'a>(classifier: &Classifier<'a>) -> Option<&'a Mount> {
    let gone = || classifier.detail.mounts.iter().filter(|mount| mount.storage == StorageKind::BindDeleted);
    let own = classifier.rules.workspace.as_deref();
    gone()
        .find(|mount| Some(mount.target.as_path()) == own)
        .or_else(|| gone().find(|mount| mount.holds_files()))
}

fn situations(about: &About<'_>, classifier: &Classifier<'_>, objects: &[Object]) -> Vec<Situation> {
    let workspace = about.workspace;
    let deleted = deleted(classifier);
    let signs = Signs {
        // Which image a retired project had is only guessed.
        image: about.layers.image.exists.filter(|_| workspace.state != RunState::Retired),
        folder_deleted: deleted.is_some() || about.layers.workspace.exists == Some(false),
        booted: about.timing.booted,
    };
    let means = Means {
        workspace,
        classifier: *classifier,
        layers: about.layers,
        deleted,
        dockerfile: about.surroundings.and_then(|around| around.dockerfile.as_deref()),
    };
    Scenario::all(classifier.detail.state, classifier.detail, signs)
        .into_iter()
        .map(|scenario| {
            let (kept, lost) = scenario.left(objects, classifier);
            let title = scenario.title(classifier.detail);
            Situation { scenario, title, kept, lost, steps: steps(scenario, &means) }
        })
        .collect()
}

#[cfg(test)]
#[path = "lifecycle_tests.rs"]
mod tests;
