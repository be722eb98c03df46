//! Profiles: the built-in ones, and files that people add. Reading and checking only; the rules are `core`'s.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::config::Config;
use crate::core::error::{Error, Kind, Result};
use crate::core::fate::Fate;
use crate::core::profile::Profile;
use crate::core::recognise::Profiles;
use crate::port::Host;

/// The profiles that are part of the program; plain Docker, which the others add to, comes first.
const BUILT_IN: [(&str, &str); 5] = [
    ("docker.toml", include_str!("../../assets/profiles/docker.toml")),
    ("ds01.toml", include_str!("../../assets/profiles/ds01.toml")),
    ("vessl.toml", include_str!("../../assets/profiles/vessl.toml")),
    ("backendai.toml", include_str!("../../assets/profiles/backendai.toml")),
    ("deeporigin.toml", include_str!("../../assets/profiles/deeporigin.toml")),
];

/// One profile and where it was read.
#[derive(Clone, Debug)]
pub struct Known {
    /// The profile, with what it adds to already in it.
    pub profile: Arc<Profile>,
    /// Its file; `None` for one that is part of the program.
    pub file: Option<PathBuf>,
    /// Its own text, without what it adds to.
    pub text: Arc<str>,
}

/// Every profile that is known, and what is wrong with the files that are not.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// The profiles, plain Docker first, then the built-in ones, then people's own.
    pub known: Vec<Known>,
    /// Files that were refused, each with file, line and reason.
    pub refused: Vec<Error>,
}

/// The folder of people's own profiles.
pub fn folder() -> Option<PathBuf> {
    super::config::path().and_then(|path| Some(path.parent()?.join("profiles")))
}

/// The profiles that are part of the program.
pub fn built_in() -> Result<Vec<Arc<Profile>>> {
    let mut all: Vec<Arc<Profile>> = Vec::new();
    for (name, text) in BUILT_IN {
        let profile = parse(&format!("assets/profiles/{name}"), text)?;
        all.push(Arc::new(complete(profile, &all)?));
    }
    Ok(all)
}

/// The built-in profiles and those in a folder. A wrong file is refused and named; the others count.
/// A file with the id of a built-in profile takes its place.
pub fn collect(folder: Option<&Path>) -> Result<Collection> {
    let built_in = built_in()?;
    let own = built_in.iter().zip(BUILT_IN).map(|(profile, (_, text))| Known {
        profile: Arc::clone(profile),
        file: None,
        text: text.into(),
    });
    let mut all = Collection { known: own.collect(), refused: Vec::new() };
    for file in folder.map(files).unwrap_or_default() {
        match load_known(&file, &built_in) {
            Ok(known) => match all.known.iter_mut().find(|other| other.profile.id == known.profile.id) {
                Some(other) => *other = known,
                None => all.known.push(known),
            },
            Err(error) => all.refused.push(error),
        }
    }
    Ok(all)
}

/// The profiles in force: all that are known, and the one that was asked for, by its id or as a file.
pub fn profiles(
    asked: Option<&str>,
    collection: &Collection,
    config: &Config,
    host: &Host,
) -> Result<Profiles> {
    let mut all: Vec<Arc<Profile>> = collection.known.iter().map(|known| Arc::clone(&known.profile)).collect();
    let asked = asked.or(config.profile.as_deref());
    let forced = match asked {
        None => None,
        Some(asked) => Some(match all.iter().find(|profile| profile.id == asked) {
            Some(profile) => Arc::clone(profile),
            None if asked.contains('/') || has_extension(Path::new(asked)) => load(Path::new(asked))?.profile,
            None => return Err(unknown(asked, &all, &collection.refused)),
        }),
    };
    if let Some(forced) = &forced
        && !all.iter().any(|profile| profile.id == forced.id)
    {
        all.push(Arc::clone(forced));
    }
    check_parameters(config, &all, &collection.refused)?;
    let mut profiles = Profiles {
        all,
        forced,
        parameters: config.parameters.clone(),
        home: host.home.clone(),
        here: BTreeSet::new(),
        folder_roots: config.folder_roots.clone(),
    };
    profiles.here = there(profiles.landmarks());
    Ok(profiles)
}

/// How long this machine is searched for landmarks; a place on a dead share is not there then.
const SEARCHED: Duration = Duration::from_millis(300);

/// Those of some files that are on this machine.
fn there(files: Vec<PathBuf>) -> BTreeSet<PathBuf> {
    let (sender, receiver) = std::sync::mpsc::channel();
    // A disk that does not answer keeps this thread and nobody else.
    std::thread::spawn(move || {
        for file in files.into_iter().filter(|file| std::fs::symlink_metadata(file).is_ok()) {
            if sender.send(file).is_err() {
                return;
            }
        }
    });
    let until = Instant::now() + SEARCHED;
    let next = || receiver.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
    std::iter::from_fn(next).collect()
}

/// A parameter that no profile has would silently change nothing.
fn check_parameters(config: &Config, all: &[Arc<Profile>], refused: &[Error]) -> Result<()> {
    for (id, values) in &config.parameters {
        let Some(profile) = all.iter().find(|profile| profile.id == *id) else {
            let error = unknown(id, all, refused);
            return Err(Error {
                message: format!("[parameters.{id}] in the settings: {}", error.message),
                ..error
            });
        };
        if let Some(name) = values.keys().find(|name| !profile.parameters.contains_key(*name)) {
            let known: Vec<_> = profile.parameters.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            return Err(Error::new(
                Kind::Config,
                format!("[parameters.{id}] in the settings: the profile {id} has no parameter “{name}”"),
            )
            .hint(format!("its parameters: {known}")));
        }
    }
    Ok(())
}

fn unknown(asked: &str, all: &[Arc<Profile>], refused: &[Error]) -> Error {
    let ids: Vec<_> = all.iter().map(|profile| profile.id.as_str()).collect();
    let mut error = Error::new(Kind::Config, format!("no profile is called “{asked}”"))
        .hint(format!("known are {}", ids.join(", ")))
        .hint("`--profile ./FILE.toml` reads one from a file");
    for refused in refused {
        error = error.hint(format!("refused: {}", refused.message));
    }
    error
}

/// Reads a profile file and checks it; what is wrong with it is named with file, line and reason.
pub fn load(path: &Path) -> Result<Known> {
    load_known(path, &built_in()?)
}

fn load_known(path: &Path, built_in: &[Arc<Profile>]) -> Result<Known> {
    let name = path.to_string_lossy();
    let hint = "`outlast profiles show docker` prints one to begin with";
    let text = super::toml::text(path)
        .and_then(|text| text.ok_or_else(|| Error::new(Kind::Config, format!("{name}: no such file"))))
        .map_err(|error| error.hint(hint))?;
    let profile = complete(parse(&name, &text)?, built_in)
        .map_err(|error| Error { message: format!("{name}: {}", error.message), ..error })?;
    Ok(Known { profile: Arc::new(profile), file: Some(path.to_path_buf()), text: text.into() })
}

/// The profile files of a folder, by name; a folder that cannot be read has none.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| has_extension(path)).collect();
    files.sort();
    files
}

fn has_extension(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// Puts under a profile what it adds to: plain Docker, and at most one more.
fn complete(profile: Profile, built_in: &[Arc<Profile>]) -> Result<Profile> {
    let wrong = |what: String| Error::new(Kind::Config, format!("profile “{}” {what}", profile.id));
    let id = profile.extends.as_deref().unwrap_or("docker");
    let Some(base) = built_in.iter().find(|base| base.id == id) else {
        if built_in.is_empty() {
            // Plain Docker itself is read first, and adds to nothing.
            return Ok(profile);
        }
        let ids: Vec<_> = built_in.iter().map(|base| base.id.as_str()).collect();
        return Err(wrong(format!("extends “{id}”, which is no built-in profile"))
            .hint(format!("built in are {}", ids.join(", "))));
    };
    Ok(if base.id == profile.id { profile } else { profile.over(base) }.with_shared_data())
}

fn parse(name: &str, text: &str) -> Result<Profile> {
    let profile: Profile = super::toml::read(name, text)?;
    let line_of = |key: &str, value: &str| {
        let is_it = |line: &str| line.trim_start().starts_with(key) && line.contains(&format!("\"{value}\""));
        text.lines().position(is_it).map_or(1, |at| at + 1)
    };
    if profile.id.is_empty() || !profile.id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        let line = line_of("id", &profile.id);
        return Err(Error::new(
            Kind::Config,
            format!("{name}: line {line}: the id “{}” is no plain word", profile.id),
        )
        .hint("use letters, digits and dashes"));
    }
    let mut seen = std::collections::BTreeSet::new();
    for rule in &profile.rules {
        let wrong = |what: String| {
            let line = line_of("id", &rule.id);
            Error::new(Kind::Config, format!("{name}: line {line}: rule “{}” {what}", rule.id))
        };
        if !seen.insert(&rule.id) {
            return Err(wrong("is there twice".into()).hint("give each rule an id of its own"));
        }
        if rule.paths.is_empty() && rule.host_paths.is_empty() {
            return Err(wrong("covers no path".into()).hint("add for example paths = [\"/data\"]"));
        }
        let absolute = |path: &&String| !path.starts_with('/') && !path.starts_with("${");
        let on_host = |path: &&String| absolute(path) && !path.starts_with('~') && !path.starts_with("**/");
        if let Some(path) = rule.paths.iter().find(absolute).or_else(|| rule.host_paths.iter().find(on_host)) {
            return Err(
                wrong(format!("covers “{path}”, which is not absolute")).hint("begin the path with a slash")
            );
        }
        let parameter = rule.paths.iter().chain(&rule.host_paths).find_map(|path| {
            let name = path.split_once("${")?.1.split('}').next()?;
            let known = profile.parameters.contains_key(name)
                || profile.extends.is_some()
                || (name == "workspace" && profile.workspace.is_some());
            (!known).then(|| name.to_string())
        });
        if let Some(parameter) = parameter {
            return Err(wrong(format!("uses “${{{parameter}}}”, which is no parameter"))
                .hint(format!("add [parameters] {parameter} = \"/some/path\"")));
        }
        for (event, fate) in &rule.fates {
            if *fate == Fate::Conditional && !rule.conditions.contains_key(event) {
                return Err(wrong(format!("makes {} conditional and names no condition", event.key()))
                    .hint(format!("add for example conditions = {{ {} = \"backed_up\" }}", event.key())));
            }
        }
        let both = rule
            .conditions
            .keys()
            .find(|event| rule.fates.get(event).is_some_and(|fate| *fate != Fate::Conditional));
        if let Some(event) = both {
            return Err(wrong(format!("gives {} both a fate and a condition", event.key()))
                .hint("a condition alone means: kept only if it holds"));
        }
    }
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::recognise::Recognised;

    #[test]
    fn the_built_in_profiles_are_right() {
        let ids: Vec<_> = built_in().unwrap().iter().map(|profile| profile.id.clone()).collect();
        assert_eq!(ids, ["docker", "ds01", "vessl", "backendai", "deeporigin"]);
    }

    #[test]
    fn views_begin_with_the_mildest_event_that_surely_discards_the_layer() {
        let events: Vec<_> = built_in().unwrap().iter().map(|profile| profile.default_event().key()).collect();
        assert_eq!(events, ["retire", "retire", "stop", "retire", "stop"], "in the order of the list above");
    }

    #[test]
    fn a_wrong_profile_is_named_with_file_line_and_reason() {
        let message = |text: &str| parse("p.toml", text).unwrap_err().message;
        let head = "id = \"x\"\ntitle = \"X\"\n";
        assert!(message("id = \"x\"\ntitel = \"X\"\n").starts_with("p.toml: line 2: unknown field `titel`"));
        assert!(message(&format!("{head}ignore = 3\n")).starts_with("p.toml: line 3: invalid type"));
        assert!(message("id = \"../x\"\ntitle = \"X\"\n").contains("is no plain word"));
        let rule = "[[rule]]\nid = \"r\"\nreason = \"because\"\n";
        let with = |more: &str| message(&format!("{head}{rule}{more}"));
        assert_eq!(
            with("paths = [\"work\"]\nstorage = [\"bind_mount\"]\n"),
            "p.toml: line 4: rule “r” covers “work”, which is not absolute"
        );
        let on = "paths = [\"/w\"]\nstorage = [\"mounted\"]\n";
        assert!(
            with(&format!("{on}fates = {{ retire = \"conditional\" }}\n"))
                .contains("makes retire conditional and names no condition")
        );
        assert!(
            with(&format!("{on}fates = {{ stop = \"eaten\" }}\n"))
                .starts_with("p.toml: line 8: unknown variant `eaten`")
        );
        assert!(
            with(&format!("{on}conditions = {{ stop = \"full_moon\" }}\n"))
                .starts_with("p.toml: line 8: unknown variant `full_moon`")
        );
        assert!(
            with(&format!("{on}fates.stop = \"lost\"\nconditions.stop = \"backed_up\"\n"))
                .contains("both a fate and a condition")
        );
        assert!(with("paths = [\"/w\"]\nstorage = [\"floppy\"]\n").contains("unknown storage kind `floppy`"));
        assert!(with("paths = [\"${hom}/x\"]\nstorage = [\"mounted\"]\n").contains("which is no parameter"));
        assert!(with("storage = [\"mounted\"]\n").contains("covers no path"));
    }

    #[test]
    fn a_profile_that_is_not_there_is_no_panic() {
        let error = load(Path::new("/nonexistent/p.toml")).unwrap_err();
        assert_eq!(error.kind, Kind::Config);
        assert!(error.message.starts_with("/nonexistent/p.toml: "), "{error}");
    }

    #[test]
    fn a_folder_of_profiles_adds_to_the_built_in_ones_and_a_wrong_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "site.toml",
            "id = \"site\"\ntitle = \"Site\"\nextends = \"ds01\"\nfolder_roots = [\"/srv/w\"]\nshared_data = [\"/datasets\"]\n",
        );
        write("bad.toml", "id = \"bad\"\n");
        write("far.toml", "id = \"far\"\ntitle = \"Far\"\nextends = \"site\"\n");
        write("notes.txt", "not a profile");
        let all = collect(Some(folder.path())).unwrap();
        let site = all.known.iter().find(|known| known.profile.id == "site").unwrap();
        assert_eq!(site.profile.folder_roots[0], "/srv/w");
        let shared = site.profile.rules.iter().find(|rule| rule.id == "shared-data").unwrap();
        assert_eq!(shared.paths, ["/datasets"], "ds01 has a rule of its own for its shared data");
        assert!(site.profile.rules.iter().any(|rule| rule.id == "workspace"), "what ds01 says is in it");
        assert_eq!(all.refused.len(), 2, "{:?}", all.refused);
        let asked = |name: &str| profiles(Some(name), &all, &Config::default(), &Host::default());
        assert_eq!(asked("site").unwrap().forced.unwrap().id, "site");
        let set = |id: &str, name: &str, value: &str| Config {
            parameters: [(id.to_string(), [(name.to_string(), value.to_string())].into())].into(),
            ..Config::default()
        };
        let with = |config: &Config| profiles(None, &all, config, &Host::default());
        let rules = with(&set("vessl", "home", "/root")).unwrap();
        let rules = rules.rules_of("vessl", Recognised::default(), None).unwrap();
        assert_eq!(rules.workspace.as_deref(), Some(Path::new("/root")), "a site sets the home");
        let wrong = with(&set("vessl", "hom", "/root")).unwrap_err();
        assert_eq!(wrong.hints, ["its parameters: archives, home, password_file, repository, storage"]);
        assert!(
            with(&set("vesl", "home", "/root")).unwrap_err().message.contains("no profile is called “vesl”")
        );
        let error = asked("bad").unwrap_err();
        assert!(error.hints.iter().any(|hint| hint.contains("bad.toml")), "{error:?}");
    }
}
