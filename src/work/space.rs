//! Space and limits of this machine: which file systems matter to whom, whose limits are near, what to do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::core::check::{Finding, Severity};
use crate::core::error::{Error, Kind, Result};
use crate::core::filesystem::Filesystem;
use crate::core::quota::{self, Amount, Answer, Counted, FileSystem, Quota, QuotaKind, Reading, Space, Told};
use crate::core::report::Trouble;
use crate::platform::folders;
use crate::port::{Engine, FileSystems, Host, SpaceQuestion, Whose};

/// How long an engine may take to say where it keeps its things.
const ENGINE_WITHIN: Duration = Duration::from_secs(2);
/// How long the folders and the names of people may take, which may lie on a server.
const SERVER_WITHIN: Duration = Duration::from_secs(2);

/// What is known before anything is asked.
pub struct Asker<'a> {
    /// The file systems.
    pub file_systems: Arc<dyn FileSystems>,
    /// This machine and its viewer.
    pub host: Arc<Host>,
    /// The engine whose things lie on this machine, if any.
    pub engine: Option<&'a dyn Engine>,
    /// Folders whose sub-folders are workspaces.
    pub roots: Vec<PathBuf>,
    /// Those who can help, by the platform's profile.
    pub help: &'a [String],
}

/// Whose limits are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// Nobody's: space alone.
    None,
    /// The viewer's.
    Mine,
    /// Everybody's, as far as that is allowed.
    Everybody,
}

/// A file system, and who works on it.
#[derive(Clone, Debug)]
pub struct Known {
    /// The file system with what it told; the limits have names.
    pub disk: FileSystem,
    /// Who is affected where it fills up, in words.
    pub affects: Vec<String>,
    /// The folder on it where the engine keeps its things.
    pub engine_root: Option<PathBuf>,
}

impl Known {
    /// What it told, where it answered.
    pub const fn told(&self) -> Option<&Told> {
        match &self.disk.answer {
            Answer::Told(told) => Some(told),
            Answer::Silent | Answer::Failed(_) => None,
        }
    }

    /// Whether its bytes are memory: nobody sets quotas on that.
    fn is_memory(&self) -> bool {
        Filesystem::of(&self.disk.kind) == Filesystem::Memory
    }
}

/// The file systems of this machine, and what is missing.
#[derive(Clone, Debug, Default)]
pub struct Spaces {
    /// Those that people's files lie on.
    pub known: Vec<Known>,
    /// What did not answer, or may not be asked.
    pub troubles: Vec<Trouble>,
}

impl Spaces {
    /// Asks; `only` is a path whose file system alone is wanted.
    pub async fn ask(asker: &Asker<'_>, only: Option<PathBuf>, limits: Limits) -> Result<Self> {
        let mut troubles = Vec::new();
        let engine_root = match asker.engine {
            Some(engine) => match tokio::time::timeout(ENGINE_WITHIN, engine.root()).await {
                Ok(Ok(root)) => root,
                // Whoever may not use the engine need not watch its disk.
                Ok(Err(error)) if error.kind == Kind::NotPermitted => None,
                Ok(Err(error)) => {
                    troubles.push(Trouble::new(&engine.endpoint().id, "engine root", &error));
                    None
                }
                Err(_) => {
                    let error = Error::new(Kind::TimedOut, "the engine does not say where it keeps its things");
                    troubles.push(Trouble::new(&engine.endpoint().id, "engine root", &error));
                    None
                }
            },
            None => None,
        };
        let mut places: Vec<PathBuf> = asker.host.home.iter().chain(&asker.roots).cloned().collect();
        if limits != Limits::None {
            places.extend(projects(&asker.roots).await);
        }
        places.extend(engine_root.clone());
        let whose = (limits != Limits::None).then(|| Whose {
            user: asker.host.uid,
            groups: asker.host.groups.clone(),
            everybody: limits == Limits::Everybody,
        });
        let question = SpaceQuestion { only, places, whose };
        let file_systems = Arc::clone(&asker.file_systems);
        let found = tokio::task::spawn_blocking(move || file_systems.look(&question))
            .await
            .map_err(|error| Error::new(Kind::Failed, error.to_string()))??;
        let mut known: Vec<Known> =
            found.into_iter().map(|disk| describe(asker, disk, engine_root.as_deref())).collect();
        for one in &known {
            troubles.extend(trouble(&one.disk));
        }
        if limits != Limits::None {
            name(&mut known, &asker.host).await;
            for one in &mut known {
                finish(one, asker.help);
            }
        }
        Ok(Self { known, troubles })
    }

    /// The limits, with the size of each file system as one of them. Where no path was asked for,
    /// memory is left out.
    pub fn quotas(&self, of_one: bool) -> Vec<(&Known, Quota)> {
        let wanted = self.known.iter().filter(|known| of_one || !known.is_memory());
        let all = wanted.flat_map(|known| {
            let told = known.told();
            let limits = told.into_iter().flat_map(|told| told.quotas.iter().cloned());
            let size = told.map(|told| volume(&known.disk, told.space));
            limits.chain(size.or_else(|| Some(silent(&known.disk)))).map(move |quota| (known, quota))
        });
        let mut all: Vec<_> = all.collect();
        let used = |quota: &Quota| quota.counted().and_then(|counted| counted.bytes.used);
        // Of each file system the users with most come first.
        all.sort_by(|(one, a), (other, b)| {
            let place = |known: &Known| known.disk.target.clone();
            let order = (place(one), a.kind).cmp(&(place(other), b.kind));
            order.then(used(b).cmp(&used(a))).then(a.id.cmp(&b.id))
        });
        all
    }

    /// What is wrong: limits and disks that are near their end, and those that do not answer; the
    /// worst first.
    pub fn findings(&self, now: Timestamp, help: &[String]) -> Vec<Finding> {
        let mut found = Vec::new();
        for known in &self.known {
            let disk = &known.disk;
            match &disk.answer {
                Answer::Told(told) => {
                    found.extend(told.quotas.iter().filter_map(|quota| quota::of_quota(quota, now, help)));
                    let root = known.engine_root.as_deref();
                    let full = quota::of_disk(disk, told.space, &known.affects.join(", "));
                    found.extend(root.and_then(|root| quota::engine_root(disk, told.space, root)));
                    found.extend(full);
                }
                Answer::Silent | Answer::Failed(_) => found.extend(trouble(disk).map(|trouble| Finding {
                    id: "disk-not-responding",
                    severity: Severity::Warning,
                    subject: disk.target.display().to_string(),
                    evidence: trouble.message,
                    fix: trouble.hint.unwrap_or_else(|| "an administrator has to look at the mount".into()),
                })),
            }
        }
        found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        found
    }
}

/// Who is affected where a file system fills up.
fn describe(asker: &Asker<'_>, disk: FileSystem, engine_root: Option<&Path>) -> Known {
    let lies_here = |place: &Path| disk.places.iter().any(|known| known == place);
    let mut affects: Vec<String> = Vec::new();
    if asker.host.home.as_deref().is_some_and(lies_here) {
        affects.push("your home".into());
    }
    if asker.roots.iter().any(|root| lies_here(root)) {
        affects.push("workspace folders".into());
    }
    let engine_root = engine_root.filter(|root| lies_here(root)).map(Path::to_path_buf);
    if engine_root.is_some() {
        let title = asker.engine.map(|engine| engine.endpoint().title.clone()).unwrap_or_default();
        affects.push(format!("all containers of {title}"));
    }
    if disk.target == Path::new("/") && disk.kind == "overlay" {
        affects.push("this container's layer".into());
    }
    Known { disk, affects, engine_root }
}

/// What a file system that tells nothing leaves unknown.
fn trouble(disk: &FileSystem) -> Option<Trouble> {
    let shown = disk.target.display().to_string();
    let error = match &disk.answer {
        Answer::Told(told) => told.gap.clone()?,
        Answer::Failed(error) => error.clone(),
        Answer::Silent => Error::new(Kind::TimedOut, format!("{shown} is not responding")).hint(format!(
            "its server ({}) may be out of reach; leave what works in {shown} alone",
            disk.source
        )),
    };
    Some(Trouble::new("machine", &shown, &error))
}

/// The workspaces' own folders, which may have limits of their own.
async fn projects(roots: &[PathBuf]) -> Vec<PathBuf> {
    let roots = roots.to_vec();
    let read = tokio::task::spawn_blocking(move || {
        roots.iter().flat_map(|root| folders::projects(root)).map(|project| project.path).collect()
    });
    let read = tokio::time::timeout(SERVER_WITHIN, read).await;
    read.ok().and_then(std::result::Result::ok).unwrap_or_default()
}

/// Gives users and groups their names; those that nobody tells in time stay numbers.
async fn name(known: &mut [Known], host: &Arc<Host>) {
    let ids = |kind: QuotaKind| -> Vec<u32> {
        let told = known.iter().filter_map(Known::told);
        let of_kind = told.flat_map(|told| &told.quotas).filter(|quota| quota.kind == kind);
        of_kind.filter_map(|quota| quota.id?.try_into().ok()).collect()
    };
    let wanted = [(QuotaKind::User, ids(QuotaKind::User)), (QuotaKind::Group, ids(QuotaKind::Group))];
    let names: Arc<Mutex<BTreeMap<(QuotaKind, u64), String>>> = Arc::default();
    let looked_up = {
        let (names, host) = (Arc::clone(&names), Arc::clone(host));
        tokio::task::spawn_blocking(move || {
            for (kind, ids) in wanted {
                for id in ids {
                    let found = if kind == QuotaKind::User { host.user_name(id) } else { host.group_name(id) };
                    if let Some(name) = found {
                        names.lock().unwrap_or_else(PoisonError::into_inner).insert((kind, id.into()), name);
                    }
                }
            }
        })
    };
    // What was found till then is named.
    let _ = tokio::time::timeout(SERVER_WITHIN, looked_up).await;
    let names = names.lock().unwrap_or_else(PoisonError::into_inner);
    for known in known {
        if let Answer::Told(told) = &mut known.disk.answer {
            for quota in &mut told.quotas {
                if let Some(name) = quota.id.and_then(|id| names.get(&(quota.kind, id))) {
                    quota.subject.clone_from(name);
                }
            }
        }
    }
}

/// What cannot be read from here can be asked of somebody.
fn finish(known: &mut Known, help: &[String]) {
    let Answer::Told(told) = &mut known.disk.answer else { return };
    for quota in &mut told.quotas {
        if let Reading::NotReadable(why) = &mut quota.reading {
            let whom = if help.is_empty() { "an administrator".into() } else { help.join(" or ") };
            let command = match quota.kind {
                QuotaKind::User => "`quota -s`",
                QuotaKind::Group => "`quota -s -g`",
                QuotaKind::Project => "`repquota -P` or `xfs_quota`",
                QuotaKind::Qgroup => "`btrfs qgroup show`",
                QuotaKind::Volume => "`df`",
            };
            *why = format!("{why}; ask {whom} for {command} on the host");
        }
    }
}

/// The size of a file system as a limit: the soft one is what root leaves to people.
fn volume(disk: &FileSystem, space: Space) -> Quota {
    let for_people = space.used.saturating_add(space.available);
    let bytes = Amount {
        used: Some(space.used),
        soft: Some(for_people).filter(|people| !space.elastic && *people < space.total),
        hard: Some(space.total).filter(|_| !space.elastic),
        grace_ends: None,
    };
    let inodes = space.inodes.filter(|_| !space.elastic).map_or_else(Amount::default, |inodes| Amount {
        used: Some(inodes.used),
        hard: Some(inodes.total),
        ..Amount::default()
    });
    Quota {
        reading: Reading::Counted(Counted { bytes, inodes, ..Counted::default() }),
        note: space.elastic.then(|| "elastic, no fixed size".into()),
        ..silent(disk)
    }
}

/// The same of one that told nothing.
fn silent(disk: &FileSystem) -> Quota {
    let why = match &disk.answer {
        Answer::Failed(error) => error.message.clone(),
        Answer::Silent | Answer::Told(_) => "not responding".into(),
    };
    Quota {
        kind: QuotaKind::Volume,
        id: None,
        subject: disk.target.display().to_string(),
        place: disk.target.clone(),
        reading: Reading::NotReadable(why),
        note: None,
    }
}

#[cfg(test)]
#[path = "space_tests.rs"]
mod tests;
