//! A profile made ready for one workspace: parameters put in, patterns read once.
//!
//! Finding the rule for a path allocates nothing. What the rule then means is `classify`'s.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::classify::Origin;
use super::mount::{Backing, Mount, Source};
use super::pattern::Pattern;
use super::phrase::Phrase;
use super::profile::{PathRule, Profile, Violation};
use super::recognise::Recognised;
use super::storage::StorageKind;
use super::workspace::Detail;

/// A profile made ready for one workspace.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The profile, with what it adds to already in it.
    pub profile: Arc<Profile>,
    /// Why this profile, and which others came into question.
    pub recognised: Recognised,
    /// The parameters in force.
    pub parameters: BTreeMap<String, String>,
    /// The folder that is meant to be kept, inside the container.
    pub workspace: Option<PathBuf>,
    all: Vec<PathRule>,
    /// The most special first.
    inside: Vec<Place>,
    /// The most special first.
    on_host: Vec<Place>,
    ignore: Vec<Pattern>,
    scratch: Vec<Pattern>,
}

/// One pattern of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    pattern: Pattern,
    /// The rule's place in the profile.
    rule: usize,
    /// The storage kinds that the rule needs, one bit each.
    kinds: u32,
}

const fn bit(kind: StorageKind) -> u32 {
    1 << kind as u32
}

/// What the rules say of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling<'r> {
    /// The rule that applies.
    pub rule: Option<&'r PathRule>,
    /// What is wrong: a rule covers the path, but what it needs is not there.
    pub violation: Option<Violation>,
}

impl Rules {
    /// Makes a profile ready. `detail` is where parameters with several values find the mounted one;
    /// `home` is the viewer's home on the host, which `~` stands for.
    pub fn new(
        profile: Arc<Profile>,
        recognised: Recognised,
        site: &BTreeMap<String, String>,
        detail: Option<&Detail>,
        home: Option<&Path>,
    ) -> Self {
        let parameters = parameters(&profile, site, detail);
        let filled = |text: &String| fill(text, &parameters);
        let host = |text: &String| match (filled(text).strip_prefix('~'), home) {
            (Some(rest), Some(home)) => Some(format!("{}{rest}", home.display())),
            (Some(_), None) => None,
            (None, _) => Some(filled(text)),
        };
        let places = |of: &dyn Fn(&PathRule) -> Vec<String>| {
            let mut all: Vec<Place> = Vec::new();
            for (rule, path_rule) in profile.rules.iter().enumerate() {
                let kinds = path_rule.storage.0.iter().fold(0, |kinds, kind| kinds | bit(*kind));
                let patterns = of(path_rule).into_iter().map(|text| Pattern::new(&text));
                all.extend(patterns.map(|pattern| Place { pattern, rule, kinds }));
            }
            // Among equals one that is for packages, then the first in the file.
            all.sort_by_key(|place| {
                let (literal, suffix) = place.pattern.rank();
                let packages = profile.rules.get(place.rule).is_some_and(|rule| rule.packages);
                Reverse((literal, packages, suffix))
            });
            all
        };
        let phrase = |phrase: &Phrase| Phrase::from(filled(&phrase.to_string()));
        let rules = profile.rules.iter().map(|rule| PathRule {
            reason: phrase(&rule.reason),
            advice: rule.advice.as_ref().map(phrase),
            ..rule.clone()
        });
        Self {
            all: rules.collect(),
            workspace: profile.workspace.as_ref().map(filled).map(PathBuf::from),
            inside: places(&|rule| rule.paths.iter().map(filled).collect()),
            on_host: places(&|rule| rule.host_paths.iter().filter_map(host).collect()),
            ignore: profile.ignore.iter().map(|text| Pattern::new(&filled(text))).collect(),
            scratch: profile.scratch.iter().map(|text| Pattern::new(&filled(text))).collect(),
            recognised,
            parameters,
            profile,
        }
    }

    /// The rule for a path inside the container, and what is wrong with it.
    pub fn inside(&self, path: &Path, storage: StorageKind, origin: Origin) -> Ruling<'_> {
        self.ruling(&self.inside, path, storage, origin)
    }

    /// The rule for a path of the host.
    pub fn on_host(&self, path: &Path, storage: StorageKind) -> Ruling<'_> {
        self.ruling(&self.on_host, path, storage, Origin::Unknown)
    }

    /// Whether any rule is about paths of the host.
    pub const fn speaks_of_hosts(&self) -> bool {
        !self.on_host.is_empty()
    }

    /// A rule by its name.
    pub fn named(&self, id: &str) -> Option<&PathRule> {
        self.all.iter().find(|rule| rule.id == id)
    }

    /// Whether a path never is a finding.
    pub fn ignores(&self, path: &Path) -> bool {
        self.ignore.iter().any(|pattern| pattern.covers(path))
    }

    /// The same rules without those about paths inside containers.
    #[must_use]
    pub fn for_the_host(self) -> Self {
        Self { inside: Vec::new(), workspace: None, ..self }
    }

    /// The platform and why it was recognised (may hold untrusted text).
    pub fn words(&self) -> String {
        format!("{} ({})", self.profile.title, self.recognised.words())
    }

    /// Puts the parameters into a text.
    pub fn text(&self, text: &str) -> String {
        fill(text, &self.parameters)
    }

    /// Folders inside the container that the profile speaks of and that have a name of their own:
    /// the workspace, shared data, and what its rules cover without a wildcard.
    pub fn places(&self) -> Vec<PathBuf> {
        let ruled = self.inside.iter().filter_map(|place| place.pattern.folder().map(Path::to_path_buf));
        let shared = self.profile.shared_data.iter().map(|text| PathBuf::from(self.text(text)));
        let mut all: Vec<PathBuf> = self.workspace.iter().cloned().chain(shared).chain(ruled).collect();
        all.sort();
        all.dedup();
        all
    }

    /// What the platform knows of mounts that the engine does not: which directories it erases.
    #[must_use]
    pub fn refine(&self, mut detail: Detail) -> Detail {
        for mount in &mut detail.mounts {
            let Backing::HostDir { path, source } = &mut mount.backing else { continue };
            if !matches!(source, Source::Deleted | Source::Replaced)
                && self.scratch.iter().any(|pattern| pattern.covers(path))
            {
                *source = Source::Scratch;
                mount.storage = StorageKind::of(&mount.backing, mount.filesystem.as_deref());
            }
        }
        detail
    }

    /// The most special pattern wins. A rule that needs other storage is a violation, unless a more
    /// special one applies.
    fn ruling<'r>(
        &'r self,
        places: &'r [Place],
        path: &Path,
        storage: StorageKind,
        origin: Origin,
    ) -> Ruling<'r> {
        let mut violation = None;
        for place in places.iter().filter(|place| place.pattern.covers(path)) {
            let Some(rule) = self.all.get(place.rule) else { continue };
            if rule.packages && origin != Origin::Package {
                continue;
            }
            if place.kinds & bit(storage) != 0 {
                return Ruling { rule: Some(rule), violation };
            }
            violation = violation.or_else(|| on_other_storage(rule.violation?, storage));
        }
        Ruling { rule: None, violation }
    }
}

/// What a violation amounts to on the storage that is there; `None` where that is not known.
const fn on_other_storage(violation: Violation, storage: StorageKind) -> Option<Violation> {
    match storage {
        StorageKind::Unknown | StorageKind::Pseudo | StorageKind::RuntimeFile => None,
        StorageKind::WritableLayer | StorageKind::ImageLayer => Some(violation),
        // A storage folder that is missing leaves the session's own directory in its place.
        StorageKind::BindScratch if matches!(violation, Violation::DotFolderWithoutVfolder) => Some(violation),
        _ => Some(Violation::LooksPersistentButIsNot),
    }
}

/// The site's value, else the first that is a mount's target, else the first.
fn parameters(
    profile: &Profile,
    site: &BTreeMap<String, String>,
    detail: Option<&Detail>,
) -> BTreeMap<String, String> {
    let mounts = detail.map(|detail| detail.mounts.as_slice()).unwrap_or_default();
    let is_mounted = |value: &&String| mounts.iter().any(|mount: &Mount| mount.target == Path::new(value));
    let mut chosen: BTreeMap<String, String> = BTreeMap::new();
    for (name, values) in &profile.parameters {
        let values = values.all();
        let value = site.get(name).or_else(|| values.iter().find(is_mounted)).or_else(|| values.first());
        if let Some(value) = value {
            chosen.insert(name.clone(), value.clone());
        }
    }
    if let Some(workspace) = &profile.workspace {
        let folder = fill(workspace, &chosen);
        chosen.insert("workspace".into(), folder);
    }
    chosen
}

/// Puts parameters into a text; `${name}` without a value stays as it is.
fn fill(text: &str, parameters: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        rest = after;
        let Some((name, after)) = after.split_once('}') else {
            out.push_str("${");
            continue;
        };
        match parameters.get(name) {
            Some(value) => out.push_str(value),
            None => out.extend(["${", name, "}"]),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
