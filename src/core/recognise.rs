//! Which platform a workspace is on: every profile that matches is named, the strongest one is taken.
//!
//! A platform's own marks (labels, variables, files) count for more than looks (names, images,
//! mounts) that anybody may choose alike. A tie is nobody's: the engine's own rules hold then.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::pattern::like;
use super::profile::{Detect, Profile};
use super::rules::Rules;
use super::workspace::{Detail, Workspace};

/// The label by which anybody may name the profile of a container.
pub const PROFILE_LABEL: &str = "outlast.profile";

/// The profiles that are known, and how they are chosen.
#[derive(Clone, Debug, Default)]
pub struct Profiles {
    /// Every profile with what it adds to already in it; the first is plain Docker.
    pub all: Vec<Arc<Profile>>,
    /// The one that was asked for, which beats every sign.
    pub forced: Option<Arc<Profile>>,
    /// Parameters that the site or the person sets, by profile.
    pub parameters: BTreeMap<String, BTreeMap<String, String>>,
    /// The viewer's home on this machine.
    pub home: Option<std::path::PathBuf>,
}

/// Why a workspace has its profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recognised {
    /// Every profile that matches, the strongest first.
    pub matches: Vec<Match>,
    /// Several match equally well, so none was taken.
    pub tie: bool,
    /// It was asked for.
    pub forced: bool,
}

/// One profile that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The profile's id.
    pub profile: String,
    /// What gave it away, in words (may hold untrusted text).
    pub clues: Vec<String>,
    strength: u8,
}

impl Recognised {
    /// One clause that says why this profile was taken.
    pub fn words(&self) -> String {
        if self.forced {
            return "asked for".into();
        }
        if self.tie {
            let all: Vec<_> =
                self.matches.iter().map(|one| format!("{} ({})", one.profile, one.clues.join(", "))).collect();
            return format!("several platforms match, none was taken: {}", all.join("; "));
        }
        match self.matches.first() {
            Some(first) => first.clues.join(", "),
            None => "no platform's sign was found".into(),
        }
    }
}

impl Profiles {
    /// The profile of plain Docker, which all others add to.
    pub fn plain(&self) -> Option<&Arc<Profile>> {
        self.all.first()
    }

    /// A profile by its id.
    pub fn named(&self, id: &str) -> Option<&Arc<Profile>> {
        self.all.iter().find(|profile| profile.id == id)
    }

    /// The rules for a workspace: recognised by what the list says of it, and by the closer look once it is there.
    pub fn rules(&self, workspace: &Workspace, detail: Option<&Detail>) -> Rules {
        let recognised = self.recognise(workspace, detail);
        let chosen = match (&self.forced, recognised.matches.first()) {
            (Some(forced), _) => Arc::clone(forced),
            (None, Some(first)) if !recognised.tie => {
                self.named(&first.profile).map_or_else(|| self.base(), Arc::clone)
            }
            _ => self.base(),
        };
        self.made_ready(chosen, recognised, detail)
    }

    /// The rules where no workspace gives anything away: the profile that was asked for, else plain Docker.
    pub fn without_workspace(&self) -> Rules {
        let chosen = self.forced.as_ref().map_or_else(|| self.base(), Arc::clone);
        let recognised = Recognised { forced: self.forced.is_some(), ..Recognised::default() };
        self.made_ready(chosen, recognised, None)
    }

    /// The rules of one profile, by its id; `None` where there is no such profile.
    pub fn rules_of(&self, id: &str, recognised: Recognised, detail: Option<&Detail>) -> Option<Rules> {
        self.named(id).map(|profile| self.made_ready(Arc::clone(profile), recognised, detail))
    }

    /// Files whose presence in a container gives a platform away: engines look for these.
    pub fn landmarks(&self) -> Vec<std::path::PathBuf> {
        let mut all: Vec<_> = self
            .all
            .iter()
            .flat_map(|profile| profile.detect.files.iter().map(std::path::PathBuf::from))
            .collect();
        all.sort();
        all.dedup();
        all
    }

    fn base(&self) -> Arc<Profile> {
        self.plain().map_or_else(|| Arc::new(Profile::default()), Arc::clone)
    }

    fn made_ready(&self, profile: Arc<Profile>, recognised: Recognised, detail: Option<&Detail>) -> Rules {
        let none = BTreeMap::new();
        let site = self.parameters.get(&profile.id).unwrap_or(&none);
        Rules::new(profile, recognised, site, detail, self.home.as_deref())
    }

    fn recognise(&self, workspace: &Workspace, detail: Option<&Detail>) -> Recognised {
        let mut matches: Vec<Match> =
            self.all.iter().filter_map(|profile| signs(profile, workspace, detail)).collect();
        // A profile that adds to another one matches wherever that one does, and says more.
        let extended: Vec<String> =
            matches.iter().filter_map(|one| self.named(&one.profile)?.extends.clone()).collect();
        matches.retain(|one| !extended.contains(&one.profile));
        matches.sort_by_key(|one| Reverse(one.strength));
        let tie = match matches.as_slice() {
            [first, second, ..] => first.strength == second.strength && self.forced.is_none(),
            _ => false,
        };
        Recognised { matches, tie, forced: self.forced.is_some() }
    }
}

const NAMED: u8 = 3;
const MARK: u8 = 2;
const LOOK: u8 = 1;

/// The signs of one profile; `None` where there are none.
fn signs(profile: &Profile, workspace: &Workspace, detail: Option<&Detail>) -> Option<Match> {
    let mut clues = Vec::new();
    let mut strength = 0;
    let mut sign = |how_strong: u8, clue: String| {
        strength = strength.max(how_strong);
        clues.push(clue);
    };
    let detect: &Detect = &profile.detect;
    if workspace.labels.get(PROFILE_LABEL) == Some(&profile.id) {
        sign(NAMED, format!("label {PROFILE_LABEL}"));
    }
    for pattern in &detect.labels {
        let (key, value) = pattern.split_once('=').unwrap_or((pattern, "*"));
        let found = workspace.labels.iter().find(|(own, is)| alike(key, own) && alike(value, is));
        if let Some((label, _)) = found {
            sign(MARK, format!("label {label}"));
        }
    }
    if let Some(detail) = detail {
        for pattern in &detect.env {
            if let Some(name) = detail.env_names.iter().find(|name| alike(pattern, name)) {
                sign(MARK, format!("variable {name}"));
            }
        }
        for file in &detect.files {
            if detail.landmarks.contains(Path::new(file)) {
                sign(MARK, format!("file {file}"));
            }
        }
        for target in &detect.mounts {
            if detail.mounts.iter().any(|mount| mount.target == Path::new(target)) {
                sign(LOOK, format!("mount {target}"));
            }
        }
    }
    let name = workspace.container.as_ref().unwrap_or(&workspace.name);
    if detect.names.iter().any(|pattern| alike(pattern, name)) {
        sign(LOOK, format!("name {name}"));
    }
    if let Some(image) = &workspace.image
        && detect.images.iter().any(|pattern| alike(pattern, image))
    {
        sign(LOOK, format!("image {image}"));
    }
    (strength > 0).then(|| Match { profile: profile.id.clone(), clues, strength })
}

fn alike(pattern: &str, text: &str) -> bool {
    like(pattern.as_bytes(), text.as_bytes())
}

#[cfg(test)]
#[path = "recognise_tests.rs"]
mod signs_tests;
