//! A platform's facts, as data: how its workspaces differ from plain containers.
//!
//! Only what differs from the storage kind is written down. Files are read and
//! checked in `platform`; `rules` makes them ready for one workspace.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, de};

use super::aftermath::Aftermath;
use super::event::Event;
use super::fate::{Condition, Fate};
use super::object::ObjectKind;
use super::phrase::Phrase;
use super::storage::StorageKind;
use super::timer::TimerRule;

/// One platform.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The word for it on the command line and in JSON.
    pub id: String,
    /// Its name in the header.
    pub title: String,
    /// The profile that this one adds to; every profile adds to `docker` anyway.
    #[serde(default)]
    pub extends: Option<String>,
    /// Where its facts come from.
    #[serde(default)]
    pub sources: Vec<String>,
    /// By what it is recognised.
    #[serde(default)]
    pub detect: Detect,
    /// Values a site may set, used in texts and paths as `${name}`.
    #[serde(default)]
    pub parameters: BTreeMap<String, Values>,
    /// The platform's own words for events, where it has any.
    #[serde(default)]
    pub words: BTreeMap<Event, String>,
    /// What a crash and a stop do to a container, where not what the engine does.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// The folder that is meant to be kept, inside the container; empty where the platform has none.
    #[serde(default)]
    pub workspace: Option<String>,
    /// Folders whose sub-folders are projects; `~` is the viewer's home.
    #[serde(default)]
    pub folder_roots: Vec<String>,
    /// Folders with data that is not the workspace's own.
    #[serde(default)]
    pub shared_data: Vec<String>,
    /// Directories of the host that the platform erases with the session.
    #[serde(default)]
    pub scratch: Vec<String>,
    /// Whether people are not to see one another's workspaces.
    #[serde(default)]
    pub isolates_owners: Option<bool>,
    /// Groups whose members see everybody's workspaces all the same.
    #[serde(default)]
    pub admin_groups: Vec<String>,
    /// Bounds that the platform sets.
    #[serde(default)]
    pub limits: Limits,
    /// Paths whose fate differs from that of their storage kind.
    #[serde(default, rename = "rule")]
    pub rules: Vec<PathRule>,
    /// What a workspace is made of, where its fate differs.
    #[serde(default, rename = "object")]
    pub objects: Vec<ObjectRule>,
    /// What happens by itself after a time.
    #[serde(default, rename = "timer")]
    pub timers: Vec<TimerRule>,
    /// Paths that never are findings.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// What is left out of archives and backups: names anywhere, or paths beneath the folder that is saved.
    #[serde(default)]
    pub backup_exclude: Vec<String>,
    /// Caches: names anywhere, or paths beneath the folder, left out of backups and on request of archives.
    #[serde(default)]
    pub caches: Vec<String>,
    /// Whether a backup is made before a stop; one that fails leaves the container as it is.
    #[serde(default)]
    pub backup_on_stop: Option<bool>,
    /// Whether an empty folder is filled from its last backup before a start.
    #[serde(default)]
    pub restore_on_start: Option<bool>,
    /// Where to get help.
    #[serde(default)]
    pub contacts: Vec<String>,
    /// What newcomers are taught.
    #[serde(default)]
    pub teach: Teach,
}

/// By what a platform is recognised. All texts may hold `*` and `?`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Detect {
    /// Labels, as `key` or `key=value`.
    pub labels: Vec<String>,
    /// Names of environment variables.
    pub env: Vec<String>,
    /// Files and folders in the container, or on the machine itself.
    pub files: Vec<String>,
    /// Folders in the container that anybody may make: a weaker sign.
    pub folders: Vec<String>,
    /// Names of containers, and host names seen from inside.
    pub names: Vec<String>,
    /// Names of images.
    pub images: Vec<String>,
    /// Where something is mounted.
    pub mounts: Vec<String>,
}

/// One value, or several of which the first that is a mount's target is taken.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Values {
    /// All values, the preferred one first.
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Several(values) => values,
        }
    }
}

/// What the platform does to a container in an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifecycle {
    /// In a crash; `None` is what the engine does.
    pub crash: Option<Aftermath>,
    /// In a stop.
    pub stop: Option<Aftermath>,
    /// In a reboot of the host.
    pub reboot: Option<Aftermath>,
}

/// Bounds that the platform sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest workspace folder that is backed up, in bytes; only more than that is refused.
    pub backup_bytes: Option<u64>,
}

/// Paths whose fate differs from that of their storage kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathRule {
    /// The rule's name, shown by `explain`.
    pub id: String,
    /// Folders inside the container that it covers, with all below them.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Folders of the host that it covers, whether a container mounts them or not.
    #[serde(default)]
    pub host_paths: Vec<String>,
    /// The storage kinds it needs; on any other kind it does not apply.
    pub storage: Kinds,
    /// Only for unchanged files of packages that the platform installs again.
    #[serde(default)]
    pub packages: bool,
    /// What differs.
    #[serde(default)]
    pub fates: BTreeMap<Event, Fate>,
    /// Events in which it is kept only under a condition, and which.
    #[serde(default)]
    pub conditions: BTreeMap<Event, Condition>,
    /// Why.
    pub reason: Phrase,
    /// What to do.
    #[serde(default)]
    pub advice: Option<Phrase>,
    /// What is wrong when the path matches and the storage kind does not.
    #[serde(default)]
    pub violation: Option<Violation>,
    /// Where the rule comes from.
    #[serde(default)]
    pub source: Option<String>,
}

/// Storage kinds of a rule; `mounted` stands for all whose bytes lie outside the container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds(pub BTreeSet<StorageKind>);

impl<'de> Deserialize<'de> for Kinds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut kinds = BTreeSet::new();
        for word in Vec::<String>::deserialize(deserializer)? {
            match (word.as_str(), StorageKind::from_key(&word)) {
                ("mounted", _) => kinds.extend(StorageKind::MOUNTED),
                (_, Some(kind)) => drop(kinds.insert(kind)),
                (_, None) => return Err(de::Error::custom(format!("unknown storage kind `{word}`"))),
            }
        }
        if kinds.is_empty() {
            return Err(de::Error::custom("names no storage kind, so the rule would never apply"));
        }
        Ok(Self(kinds))
    }
}

/// What is wrong with a path that is meant to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Violation {
    /// The workspace's own folder is not mounted: everything saved there goes with the container.
    WorkspaceNotMounted,
    /// A folder that looks like one that is kept is not mounted, or what is mounted there does not last.
    LooksPersistentButIsNot,
    /// A folder with a leading dot has no storage folder of its own.
    DotFolderWithoutVfolder,
}

impl Violation {
    /// The name used in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::WorkspaceNotMounted => "workspace-not-mounted",
            Self::LooksPersistentButIsNot => "looks-persistent-but-is-not",
            Self::DotFolderWithoutVfolder => "dot-folder-without-vfolder",
        }
    }

    /// Two words that follow the folder's path in lists.
    pub const fn short(self) -> &'static str {
        match self {
            Self::WorkspaceNotMounted | Self::DotFolderWithoutVfolder => "not mounted",
            Self::LooksPersistentButIsNot => "does not last",
        }
    }

    /// One sentence for people, without a full stop.
    pub const fn words(self) -> &'static str {
        match self {
            Self::WorkspaceNotMounted => {
                "nothing is mounted where the workspace should be, so what is saved here goes with the container"
            }
            Self::LooksPersistentButIsNot => {
                "it looks like a folder that is kept, but what it lives on does not last"
            }
            Self::DotFolderWithoutVfolder => {
                "no storage folder of this name is mounted; create one and it is mounted into every new session"
            }
        }
    }
}

/// What becomes of a thing that a workspace is made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectRule {
    /// Which thing.
    pub id: ObjectKind,
    /// What the platform calls it, where that is not the general word.
    #[serde(default)]
    pub title: Option<String>,
    /// What differs.
    #[serde(default)]
    pub fates: BTreeMap<Event, Fate>,
    /// Events in which it is kept only under a condition, and which.
    #[serde(default)]
    pub conditions: BTreeMap<Event, Condition>,
    /// Why.
    pub reason: Phrase,
}

/// What newcomers are taught. Texts may hold `${workspace}` and other parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Teach {
    /// One or two sentences that say what is safe.
    pub rule: Option<String>,
    /// Words and what they mean here.
    pub words: BTreeMap<String, String>,
    /// Lines of code that save where it is kept.
    pub good: Vec<String>,
    /// Lines of code that save where it is lost.
    pub bad: Vec<String>,
}

impl Profile {
    /// This profile on top of another: what it says itself wins, lists are joined, its own first.
    #[must_use]
    pub fn over(mut self, base: &Self) -> Self {
        fn joined<T: Clone + PartialEq>(own: &mut Vec<T>, base: &[T]) {
            let new: Vec<T> = base.iter().filter(|value| !own.contains(value)).cloned().collect();
            own.extend(new);
        }
        fn filled<K: Ord + Clone, V: Clone>(own: &mut BTreeMap<K, V>, base: &BTreeMap<K, V>) {
            for (key, value) in base {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        filled(&mut self.parameters, &base.parameters);
        filled(&mut self.words, &base.words);
        filled(&mut self.teach.words, &base.teach.words);
        let lifecycle = &mut self.lifecycle;
        lifecycle.crash = lifecycle.crash.or(base.lifecycle.crash);
        lifecycle.stop = lifecycle.stop.or(base.lifecycle.stop);
        lifecycle.reboot = lifecycle.reboot.or(base.lifecycle.reboot);
        self.workspace = self.workspace.or_else(|| base.workspace.clone());
        self.backup_on_stop = self.backup_on_stop.or(base.backup_on_stop);
        self.restore_on_start = self.restore_on_start.or(base.restore_on_start);
        self.isolates_owners = self.isolates_owners.or(base.isolates_owners);
        self.limits.backup_bytes = self.limits.backup_bytes.or(base.limits.backup_bytes);
        joined(&mut self.admin_groups, &base.admin_groups);
        joined(&mut self.folder_roots, &base.folder_roots);
        joined(&mut self.shared_data, &base.shared_data);
        joined(&mut self.scratch, &base.scratch);
        joined(&mut self.ignore, &base.ignore);
        joined(&mut self.backup_exclude, &base.backup_exclude);
        joined(&mut self.caches, &base.caches);
        let named = |rule: &&PathRule| !self.rules.iter().any(|own| own.id == rule.id);
        let rules: Vec<PathRule> = base.rules.iter().filter(named).cloned().collect();
        self.rules.extend(rules);
        let named = |object: &&ObjectRule| !self.objects.iter().any(|own| own.id == object.id);
        let objects: Vec<ObjectRule> = base.objects.iter().filter(named).cloned().collect();
        self.objects.extend(objects);
        let named = |timer: &&TimerRule| !self.timers.iter().any(|own| own.id == timer.id);
        let timers: Vec<TimerRule> = base.timers.iter().filter(named).cloned().collect();
        self.timers.extend(timers);
        if self.contacts.is_empty() {
            self.contacts.clone_from(&base.contacts);
        }
        let teach = &mut self.teach;
        teach.rule = teach.rule.take().or_else(|| base.teach.rule.clone());
        for (own, base) in [(&mut teach.good, &base.teach.good), (&mut teach.bad, &base.teach.bad)] {
            if own.is_empty() {
                own.clone_from(base);
            }
        }
        self
    }

    /// This profile with a rule for each folder of shared data that it has no rule of its own for.
    #[must_use]
    pub fn with_shared_data(mut self) -> Self {
        let ruled = |path: &&String| !self.rules.iter().any(|rule| rule.paths.contains(path));
        let paths: Vec<String> = self.shared_data.iter().filter(ruled).cloned().collect();
        if !paths.is_empty() {
            self.rules.push(PathRule {
                id: "shared-data".into(),
                paths,
                host_paths: Vec::new(),
                storage: Kinds(StorageKind::MOUNTED.into()),
                packages: false,
                fates: [(Event::WorkspaceDeletion, Fate::Kept)].into(),
                conditions: BTreeMap::new(),
                reason: "it is shared data, not the workspace's own".into(),
                advice: Some("ask who owns and backs up this folder".into()),
                violation: Some(Violation::LooksPersistentButIsNot),
                source: None,
            });
        }
        self
    }

    /// The event that fates are shown for when nobody chose one: retire, or stop where a
    /// stop already discards the writable layer for certain.
    pub fn default_event(&self) -> Event {
        let perhaps_kept = |rule: &PathRule| {
            rule.storage.0.contains(&StorageKind::WritableLayer)
                && rule.paths.iter().any(|path| path == "/")
                && rule.conditions.contains_key(&Event::Stop)
        };
        match self.lifecycle.stop {
            Some(Aftermath::Recreated | Aftermath::Removed) if !self.rules.iter().any(perhaps_kept) => {
                Event::Stop
            }
            _ => Event::Retire,
        }
    }

    /// The platform's own word for an event, where it has one.
    pub fn word(&self, event: Event) -> Option<&str> {
        self.words.get(&event).map(String::as_str)
    }
}
