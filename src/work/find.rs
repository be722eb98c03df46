//! Where are my files? Files by name, in a person's folders on this machine and in every container.
//!
//! Each file once, however many containers mount it. Every place has a budget of its own, and one
//! that hangs holds up none of the others.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use super::explain::{host_path, of_the_host, seen_in};
use super::{ground, roster};
use crate::core::classify::{Explanation, Grounds, Origin};
use crate::core::error::{Error, Kind, Result};
use crate::core::mount::{self, Mount};
use crate::core::pattern::like;
use crate::core::recognise::Profiles;
use crate::core::report::{SeenIn, Trouble};
use crate::core::storage::StorageKind;
use crate::core::value::Value;
use crate::core::workspace::Workspace;
use crate::port::{Engine, FileFact, Host, ScanItem, ScanRequest};
use crate::text::{printable, printable_path};

/// Places that are read at the same time.
const AT_ONCE: usize = 4;

/// What one place may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Files that are met at most.
    pub files: u64,
    /// Time that it takes at most.
    pub time: Duration,
    /// How long it may say nothing at all.
    pub silence: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        let (time, silence) = (Duration::from_mins(1), Duration::from_secs(12));
        Self { files: 2_000_000, time, silence }
    }
}

/// The name that is looked for, in any case: a part of it, or all of it with `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pattern: Vec<u8>,
    /// It has a slash, so folders count too.
    whole_path: bool,
}

impl Wanted {
    /// Reads a part of a name.
    pub fn new(part: &str) -> Result<Self> {
        let part = part.trim().to_lowercase();
        if part.is_empty() {
            return Err(Error::new(Kind::Usage, "no part of a name was given")
                .hint("a part of the file's name: outlast find model"));
        }
        let whole_path = part.contains('/');
        // A path ends with what was typed, wherever it begins.
        let pattern = match (part.contains('*'), whole_path) {
            (false, _) => format!("*{part}*"),
            (true, true) => format!("*{part}"),
            (true, false) => part,
        };
        Ok(Self { pattern: pattern.into_bytes(), whole_path })
    }

    /// Whether a file is one of those that are looked for.
    pub fn is(&self, path: &Path) -> bool {
        let name = if self.whole_path { Some(path.as_os_str()) } else { path.file_name() };
        name.is_some_and(|name| match name.to_str() {
            Some(name) => like(&self.pattern, name.to_lowercase().as_bytes()),
            None => like(&self.pattern, &name.as_bytes().to_ascii_lowercase()),
        })
    }
}

/// A workspace and what its answers stand on.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The workspace; one without a container is this machine.
    pub workspace: Workspace,
    /// What its answers stand on.
    pub grounds: Grounds,
}

/// This machine as the owner of its folders.
pub async fn this_machine(engine: &dyn Engine, profiles: &Profiles) -> Result<Option<Arc<Place>>> {
    let Some(workspace) = engine.inventory().await?.workspaces.into_iter().next() else { return Ok(None) };
    let grounds = of_the_host(ground::look(engine, profiles, &workspace).await?);
    Ok(Some(Arc::new(Place { workspace, grounds })))
}

/// Workspaces with what their answers stand on; nobody looked closer yet at some of them.
pub async fn places(
    engine: &dyn Engine,
    profiles: &Profiles,
    workspaces: Vec<(Workspace, Option<Grounds>)>,
    on: &mut impl FnMut(News),
) -> Vec<Arc<Place>> {
    let (mut places, mut unknown) = (Vec::new(), Vec::new());
    for (workspace, grounds) in workspaces {
        match grounds {
            Some(grounds) => places.push(Arc::new(Place { workspace, grounds })),
            None => unknown.push(workspace),
        }
    }
    let mut looks = pin!(roster::grounds(engine, profiles, unknown.clone()));
    while let Some((key, grounds)) = looks.next().await {
        let Some(workspace) = unknown.iter().find(|workspace| workspace.key == key) else { continue };
        match grounds {
            Ok(grounds) => places.push(Arc::new(Place { workspace: workspace.clone(), grounds })),
            // It went meanwhile.
            Err(error) if error.kind == Kind::NotFound => {}
            Err(error) => on(News::Trouble(Trouble::new(&key.endpoint, &workspace.name, &error))),
        }
    }
    places
}

/// A file of that name.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The workspace that answers for it.
    pub place: Arc<Place>,
    /// The path there.
    pub path: PathBuf,
    /// The same file on the host.
    pub host_path: Option<PathBuf>,
    /// Allocated bytes.
    pub bytes: Option<u64>,
    /// When it last changed.
    pub modified: Option<Timestamp>,
    /// The same file in every container that mounts it.
    pub seen_in: Vec<SeenIn>,
}

impl Match {
    /// What becomes of it.
    pub fn explanation(&self) -> Explanation<'_> {
        self.place.grounds.classifier().explain(&self.path, Origin::Layer)
    }

    /// Whether it is a cache or lies in a hidden folder: such files are shown last.
    pub fn is_hidden(&self) -> bool {
        let hidden = |name: &std::ffi::OsStr| name.as_bytes().starts_with(b".");
        Value::of(&self.path) == Value::Cache
            || self.path.parent().is_some_and(|folder| folder.iter().any(hidden))
    }

    /// Where it is, harmless: on the host where it has a place of its own there, else in its container.
    pub fn whereabouts(&self) -> String {
        match (&self.host_path, &self.place.workspace.container) {
            (Some(host), _) => printable_path(host).into_owned(),
            (None, Some(name)) => format!("{}:{}", printable(name), printable_path(&self.path)),
            (None, None) => printable_path(&self.path).into_owned(),
        }
    }

    /// Where containers see it, harmless; nothing where that is what [`Match::whereabouts`] says.
    pub fn also(&self) -> Vec<String> {
        let seen = self.seen_in.iter().filter(|_| self.host_path.is_some());
        seen.map(|seen| printable(&format!("{}:{}", seen.workspace, seen.path)).into_owned()).collect()
    }
}

/// What a search says, as it goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A file.
    Match(Box<Match>),
    /// Something was not read: the result is not complete.
    Trouble(Trouble),
}

/// What is searched.
pub struct Search<'a> {
    /// Where the containers are.
    pub engine: &'a dyn Engine,
    /// The containers, and this machine where it is the engine's own workspace.
    pub places: Vec<Arc<Place>>,
    /// This machine as the owner of its folders; `None` where its folders are not searched.
    pub machine: Option<Arc<Place>>,
    /// How folders are read.
    pub host: &'a Host,
    /// The folders.
    pub folders: Vec<PathBuf>,
    /// All containers, for saying which of them see a file.
    pub known: Vec<Arc<Place>>,
    /// What each place may cost.
    pub budget: Budget,
}

/// What one reader of a place says.
enum Told {
    Item(ScanItem),
    /// Nothing for too long.
    Silent,
    /// Its time is over.
    Late,
}

/// One place that is read.
struct Source {
    place: Arc<Place>,
    /// What it is called where something goes wrong.
    section: String,
    /// Its paths are those of this machine.
    on_host: bool,
    met: u64,
}

impl Search<'_> {
    /// Searches to the end; dropping it ends the search.
    pub async fn run(&self, wanted: &Wanted, on: &mut impl FnMut(News)) {
        let (mut sources, readers) = self.readers();
        let mut told = stream::iter(readers).flatten_unordered(AT_ONCE);
        let mut shown = HashSet::new();
        while let Some((at, told)) = told.next().await {
            let Some(source) = sources.get_mut(at) else { continue };
            let files = match told {
                Told::Item(ScanItem::Files(files)) => files,
                Told::Item(ScanItem::Gap(why)) => {
                    on(source.trouble(Kind::Incomplete, &why));
                    continue;
                }
                Told::Item(_) => continue,
                Told::Silent => {
                    let seconds = self.budget.silence.as_secs();
                    on(source.trouble(Kind::TimedOut, &format!("timed out: no answer in {seconds} s")));
                    continue;
                }
                Told::Late => {
                    let seconds = self.budget.time.as_secs();
                    on(source
                        .trouble(Kind::TimedOut, &format!("not read to the end: {seconds} s were not enough")));
                    continue;
                }
            };
            let before = source.met;
            source.met += files.len() as u64;
            if before <= self.budget.files && source.met > self.budget.files {
                let most = self.budget.files;
                on(source
                    .trouble(Kind::Incomplete, &format!("not read to the end: it has more than {most} files")));
            }
            if before > self.budget.files {
                continue;
            }
            for file in files.into_iter().filter(|file| wanted.is(&file.path)) {
                let found =
                    if source.on_host { self.of_host(source, file) } else { self.of_place(source, file) };
                if found.host_path.as_ref().is_none_or(|host| shown.insert(host.clone())) {
                    on(News::Match(Box::new(found)));
                }
            }
        }
    }

    /// All places with their readers. What a folder or an earlier place covers is read there.
    fn readers(&self) -> (Vec<Source>, Vec<BoxStream<'static, (usize, Told)>>) {
        let (mut sources, mut readers) = (Vec::new(), Vec::new());
        // A machine that is a container itself is read as one, with all its mounts.
        let own = |machine: &&Arc<Place>| {
            let is_layer = |mount: &Mount| mount.storage == StorageKind::WritableLayer;
            let is_searched = |place: &Arc<Place>| place.workspace.key == machine.workspace.key;
            machine.grounds.detail.mounts.iter().any(is_layer) && self.places.iter().any(is_searched)
        };
        let walk = self.machine.as_ref().filter(|machine| !own(machine)).zip(self.host.walk);
        // A folder's reader stays on its mount: what is mounted below it is not read there.
        let on_mount = |path: &Path| {
            let mounts = self.machine.as_ref().map(|machine| machine.grounds.detail.mounts.as_slice());
            mount::holding(mounts.unwrap_or_default(), path).map(|mount| mount.target.clone())
        };
        let mut folders = self.folders.clone();
        folders.sort();
        folders.dedup();
        let mut covered: Vec<PathBuf> = if walk.is_some() { folders.clone() } else { Vec::new() };
        // What runs can be seen better, and answers for what others mount too.
        let mut places = self.places.clone();
        places.sort_by_key(|place| !place.workspace.state.is_up());
        for place in &places {
            let detail = &place.grounds.detail;
            let own = |mount: &&Mount| {
                // The disk of a machine is not searched as a whole.
                let disk = place.workspace.container.is_none() && mount.storage == StorageKind::HostDisk;
                let layer = mount.storage == StorageKind::WritableLayer;
                let below = |host: &PathBuf, above: &PathBuf| {
                    host.starts_with(above) && on_mount(host) == on_mount(above)
                };
                let known = |host: &PathBuf| !layer && covered.iter().any(|above| below(host, above));
                mount.holds_files() && !disk && !mount.host_path.as_ref().is_some_and(known)
            };
            let mounts: Vec<&Mount> = detail.mounts.iter().filter(own).collect();
            let targets = mounts.iter().map(|mount| mount.target.clone()).collect();
            let lasting = mounts.iter().filter(|mount| mount.storage != StorageKind::WritableLayer);
            let hosts: Vec<PathBuf> = lasting.filter_map(|mount| mount.host_path.clone()).collect();
            covered.extend(hosts);
            let key = place.workspace.key.clone();
            let request = ScanRequest { key, detail: Arc::clone(detail), targets, asked: true };
            readers.push(bounded(sources.len(), self.engine.scan(request), self.budget));
            let name = place.workspace.container.as_ref().unwrap_or(&place.workspace.name);
            sources.push(Source { place: Arc::clone(place), section: name.clone(), on_host: false, met: 0 });
            if let Some(reason) = &detail.mounts_missing {
                let gap = ScanItem::Gap(format!("its mounts are not all known: {reason}"));
                let at = sources.len() - 1;
                readers.push(stream::iter([(at, Told::Item(gap))]).boxed());
            }
        }
        if let Some((machine, walk)) = walk {
            for folder in &folders {
                let below = |other: &&PathBuf| *other != folder && other.starts_with(folder);
                let others: Vec<PathBuf> = folders.iter().filter(below).cloned().collect();
                readers.push(bounded(sources.len(), walk(folder, &others), self.budget));
                let section = folder.to_string_lossy().into_owned();
                sources.push(Source { place: Arc::clone(machine), section, on_host: true, met: 0 });
            }
        }
        (sources, readers)
    }

    /// A file of a container, or of this machine where it is the workspace.
    fn of_place(&self, source: &Source, file: FileFact) -> Match {
        let place = Arc::clone(&source.place);
        let host_path = host_path(&place.grounds.detail, &file.path);
        let seen_in = host_path.as_ref().map_or_else(Vec::new, |host| self.seen_in(host));
        Match { path: file.path, host_path, bytes: file.bytes, modified: file.modified, seen_in, place }
    }

    /// A file of this machine: of the containers that mount it, the one that would lose most answers for it.
    fn of_host(&self, source: &Source, file: FileFact) -> Match {
        let mut best: Option<(u32, Arc<Place>, PathBuf)> = None;
        for place in &self.known {
            for inside in mount::paths_inside(&place.grounds.detail.mounts, &file.path) {
                let worst = place.grounds.classifier().explain(&inside, Origin::Unknown).fates.severity();
                if best.as_ref().is_none_or(|(known, ..)| worst > *known) {
                    best = Some((worst, Arc::clone(place), inside));
                }
            }
        }
        let seen_in = self.seen_in(&file.path);
        let host_path = Some(file.path.clone());
        let (place, path) = match best {
            Some((_, place, inside)) => (place, inside),
            None => (Arc::clone(&source.place), file.path),
        };
        Match { path, host_path, bytes: file.bytes, modified: file.modified, seen_in, place }
    }

    fn seen_in(&self, host: &Path) -> Vec<SeenIn> {
        let containers = self.known.iter().filter(|place| place.workspace.container.is_some());
        seen_in(host, containers.map(|place| (&place.workspace, &*place.grounds.detail)))
    }
}

impl Source {
    fn trouble(&self, kind: Kind, why: &str) -> News {
        let endpoint = &self.place.workspace.key.endpoint;
        News::Trouble(Trouble::new(endpoint, &self.section, &Error::new(kind, why)))
    }
}

/// A scan that ends when its time is over, or when it says nothing for too long.
fn bounded(
    at: usize,
    items: impl Stream<Item = ScanItem> + Send + Unpin + 'static,
    budget: Budget,
) -> BoxStream<'static, (usize, Told)> {
    struct Reading<S> {
        items: S,
        end: Option<Instant>,
    }
    let begin = Some(Reading { items, end: None });
    stream::unfold(begin, move |reading| async move {
        let mut reading = reading?;
        // The time runs from when it is its turn.
        let end = *reading.end.get_or_insert_with(|| Instant::now() + budget.time);
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Some(((at, Told::Late), None));
        }
        match timeout(left.min(budget.silence), reading.items.next()).await {
            Ok(Some(item)) => Some(((at, Told::Item(item)), Some(reading))),
            Ok(None) => None,
            Err(_) if left <= budget.silence => Some(((at, Told::Late), None)),
            Err(_) => Some(((at, Told::Silent), None)),
        }
    })
    .boxed()
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
