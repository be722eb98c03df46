//! Which platform a workspace is on: every profile that matches is named, the strongest one is taken.
//!
//! A platform's own marks (labels, variables, files) count for more than looks (names, images,
//! mounts) that anybody may choose alike. A tie is nobody's: the engine's own rules hold then.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::event::Event;
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
    pub home: Option<PathBuf>,
    /// Files that give a platform away and that are on this machine itself.
    pub here: BTreeSet<PathBuf>,
    /// Folder roots that the person set, in place of those of the profiles.
    pub folder_roots: Option<Vec<String>>,
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
    /// Whether one platform was found, or asked for.
    pub const fn is_certain(&self) -> bool {
        self.forced || (!self.tie && !self.matches.is_empty())
    }

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
            _ if recognised.tie => Arc::new(self.worst_of(&recognised)),
            _ => self.base(),
        };
        self.made_ready(chosen, recognised, detail)
    }

    /// Plain Docker, but each event does the worst of what it does on the platforms that may be meant.
    fn worst_of(&self, recognised: &Recognised) -> Profile {
        let mut base = (*self.base()).clone();
        for lifecycle in recognised.matches.iter().filter_map(|one| Some(self.named(&one.profile)?.lifecycle)) {
            base.lifecycle.crash = base.lifecycle.crash.max(lifecycle.crash);
            base.lifecycle.stop = base.lifecycle.stop.max(lifecycle.stop);
            base.lifecycle.reboot = base.lifecycle.reboot.max(lifecycle.reboot);
        }
        base
    }

    /// The rules where no workspace says otherwise, as for folders of the host.
    pub fn standing<'r>(&self, workspaces: impl Iterator<Item = &'r Rules>) -> Rules {
        let (profile, recognised) = self.stands(workspaces);
        self.made_ready(profile, recognised, None)
    }

    /// The profile of those rules: the one that was asked for, else what this machine itself gives
    /// away, else the platform that all recognised workspaces share, else plain Docker.
    pub fn stands<'r>(&self, workspaces: impl Iterator<Item = &'r Rules>) -> (Arc<Profile>, Recognised) {
        let by = |profile: &Arc<Profile>, clue: String| {
            let found = Match { profile: profile.id.clone(), clues: vec![clue], strength: MARK };
            (Arc::clone(profile), Recognised { matches: vec![found], ..Recognised::default() })
        };
        if let Some(forced) = &self.forced {
            return (Arc::clone(forced), Recognised { forced: true, ..Recognised::default() });
        }
        let here = |profile: &'_ Profile| {
            profile.detect.files.iter().find(|file| self.here.contains(Path::new(file))).cloned()
        };
        let mut marked = self.all.iter().filter_map(|profile| Some((profile, here(profile)?)));
        if let (Some((only, file)), None) = (marked.next(), marked.next()) {
            return by(only, format!("{file} on this machine"));
        }
        match platforms(workspaces).as_slice() {
            [only] => by(only, "what all recognised workspaces here are".into()),
            _ => (self.base(), Recognised::default()),
        }
    }

    /// The rules before any workspace is known.
    pub fn without_workspace(&self) -> Rules {
        self.standing(std::iter::empty())
    }

    /// The folder roots in force: the person's own, else the profile's; `~` is the viewer's home.
    /// Roots that cannot be placed, such as `~` without a home, are left out.
    pub fn roots(&self, profile: &Profile) -> Vec<PathBuf> {
        let texts = self.folder_roots.as_ref().unwrap_or(&profile.folder_roots);
        let placed = texts.iter().filter_map(|text| match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                self.home.as_ref().map(|home| home.join(rest.trim_start_matches('/')))
            }
            _ => Some(PathBuf::from(text)),
        });
        placed.filter(|root| root.is_absolute()).collect()
    }

    /// The rules of one profile, by its id; `None` where there is no such profile.
    pub fn rules_of(&self, id: &str, recognised: Recognised, detail: Option<&Detail>) -> Option<Rules> {
        self.named(id).map(|profile| self.made_ready(Arc::clone(profile), recognised, detail))
    }

    /// Files whose presence in a container gives a platform away: engines look for these.
    pub fn landmarks(&self) -> Vec<PathBuf> {
        let mut all: Vec<_> = self
            .all
            .iter()
            .flat_map(|profile| profile.detect.files.iter().chain(&profile.detect.folders).map(PathBuf::from))
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

/// The platforms of those workspaces of which one is known for certain, each once, in their order.
pub fn platforms<'r>(workspaces: impl Iterator<Item = &'r Rules>) -> Vec<Arc<Profile>> {
    let mut found: Vec<Arc<Profile>> = Vec::new();
    for rules in workspaces.filter(|rules| rules.recognised.is_certain()) {
        if !found.iter().any(|known| known.id == rules.profile.id) {
            found.push(Arc::clone(&rules.profile));
        }
    }
    found
}

/// The event that views begin with where nobody chose one: stop, if every platform found among the
/// running workspaces discards the writable layer then; else retire. Where none was found, the
/// standing profile decides.
pub fn first_event<'r>(running: impl Iterator<Item = &'r Rules>, standing: &Profile) -> Event {
    let found = platforms(running);
    match found.iter().all(|profile| profile.default_event() == Event::Stop) {
        _ if found.is_empty() => standing.default_event(),
        true => Event::Stop,
        false => Event::Retire,
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
        for folder in &detect.folders {
            if detail.landmarks.contains(Path::new(folder)) {
                sign(LOOK, format!("folder {folder}"));
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
mod tests {
    use super::*;
    use crate::core::aftermath::Aftermath;
    use crate::core::profile::Lifecycle;

    fn profile(id: &str, file: &str, stop: Option<Aftermath>) -> Arc<Profile> {
        Arc::new(Profile {
            id: id.into(),
            detect: Detect { files: vec![file.into()], ..Detect::default() },
            lifecycle: Lifecycle { stop, ..Lifecycle::default() },
            folder_roots: vec!["~/w".into(), "/srv/w".into(), "relative".into()],
            ..Profile::default()
        })
    }

    fn profiles() -> Profiles {
        let plain = Arc::new(Profile { id: "docker".into(), ..Profile::default() });
        let all = vec![plain, profile("a", "/opt/a", None), profile("b", "/opt/b", Some(Aftermath::Recreated))];
        Profiles { all, ..Profiles::default() }
    }

    fn known(profiles: &Profiles, ids: &[&str]) -> Vec<Rules> {
        let sign = |id: &str| Recognised {
            matches: vec![Match { profile: id.into(), clues: Vec::new(), strength: MARK }],
            ..Recognised::default()
        };
        ids.iter().map(|id| profiles.rules_of(id, sign(id), None).unwrap()).collect()
    }

    #[test]
    fn the_standing_rules_are_those_asked_for_then_the_machines_then_the_shared_ones_then_dockers() {
        let mut profiles = profiles();
        let standing = |profiles: &Profiles, ids: &[&str]| {
            profiles.standing(known(profiles, ids).iter()).profile.id.clone()
        };
        assert_eq!(standing(&profiles, &[]), "docker");
        assert_eq!(standing(&profiles, &["a", "b"]), "docker");
        assert_eq!(standing(&profiles, &["b", "b"]), "b");
        profiles.here = [PathBuf::from("/opt/a")].into();
        assert_eq!(standing(&profiles, &["b", "b"]), "a");
        profiles.here.insert("/opt/b".into());
        assert_eq!(standing(&profiles, &["b"]), "b", "two landmarks say nothing");
        profiles.forced = profiles.named("docker").cloned();
        assert_eq!(standing(&profiles, &["b", "b"]), "docker");
    }

    #[test]
    fn views_begin_with_a_stop_only_where_every_platform_loses_the_layer_then() {
        let profiles = profiles();
        let plain = profiles.without_workspace();
        let first = |ids: &[&str]| first_event(known(&profiles, ids).iter(), &plain.profile);
        assert_eq!(first(&[]), Event::Retire);
        assert_eq!(first(&["b"]), Event::Stop);
        assert_eq!(first(&["b", "a"]), Event::Retire);
        let mut unknown = known(&profiles, &["b", "docker"]);
        unknown[1].recognised = Recognised::default();
        assert_eq!(
            first_event(unknown.iter(), &plain.profile),
            Event::Stop,
            "who is not recognised has no say"
        );
    }

    #[test]
    fn a_tilde_is_the_viewers_home_and_nothing_without_one() {
        let mut profiles = profiles();
        let roots = |profiles: &Profiles| profiles.roots(&profiles.all[1]);
        assert_eq!(roots(&profiles), [Path::new("/srv/w")]);
        profiles.home = Some("/home/u".into());
        assert_eq!(roots(&profiles), [Path::new("/home/u/w"), Path::new("/srv/w")]);
        profiles.folder_roots = Some(vec!["/srv/p".into(), "relative".into()]);
        assert_eq!(roots(&profiles), [Path::new("/srv/p")]);
    }
}

#[cfg(test)]
#[path = "recognise_tests.rs"]
mod signs_tests;
