//! What newcomers are taught, with the workspace's own paths: the rule, what lasts, words,
//! examples, who helps. Help and `outlast guide` say the same, because both say this.

use std::path::{Path, PathBuf};

use super::classify::{Classifier, Origin};
use super::error::Error;
use super::event::Event;
use super::facts::Facts;
use super::fate::Verdict;
use super::mount::{Backing, Mount, Source};
use super::profile::Profile;
use super::rules::Rules;
use super::storage::StorageKind;
use super::workspace::{Detail, RunState};
use crate::text;

/// Stands for a folder that nobody has named.
const SOME_FOLDER: &str = "/<mounted folder>";

/// Everything that is taught about one workspace, or about a platform. Texts may hold untrusted names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lessons {
    /// The platform's id.
    pub profile: String,
    /// The platform's name.
    pub title: String,
    /// The workspace it is about; `None` where it is about the platform alone.
    pub workspace: Option<String>,
    /// One or two sentences that say what is safe.
    pub rule: String,
    /// Why the rule does not help here: nothing is mounted where it should be.
    pub warning: Option<String>,
    /// Places and what becomes of them, what is kept first.
    pub places: Vec<Place>,
    /// The events in the platform's own words, in order.
    pub events: Vec<EventWord>,
    /// Words and what they mean here.
    pub words: Vec<(String, String)>,
    /// Lines of code that save where it is kept.
    pub good: Vec<String>,
    /// Lines of code that save where it is lost.
    pub bad: Vec<String>,
    /// Where to get help.
    pub contacts: Vec<String>,
}

/// Places of one kind that share all answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Their paths inside the container; `everything else` is the last.
    pub paths: Vec<String>,
    /// What they live on.
    pub storage: &'static str,
    /// What becomes of them, for the events worth teaching.
    pub verdicts: Vec<(Event, Verdict)>,
}

/// An event, and what the platform calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventWord {
    /// The event.
    pub event: Event,
    /// The platform's own word, where it has one.
    pub word: Option<String>,
    /// What it is, in one line.
    pub meaning: &'static str,
}

/// What is taught about a workspace that was looked at.
pub fn of_workspace(name: &str, classifier: &Classifier<'_>) -> Lessons {
    let rules = classifier.rules;
    let kept = classifier.kept_folder(Event::Retire).map(|mount| mount.target.as_path());
    let folder = rules.workspace.as_deref().or(kept);
    // Seen from a machine itself, everything may be on a disk that stays.
    let rest = classifier.explain(Path::new("/"), Origin::Layer);
    let loses_the_rest = rest.mount.is_some() && rest.fates.verdict(Event::Retire) == Verdict::Lost;
    let warning = match (classifier.violation(), kept) {
        (Some((path, violation)), _) => {
            Some(format!("Not so for {}: {}.", text::printable_path(path), violation.words()))
        }
        (None, None) if loses_the_rest => Some(
            "No folder that is kept is mounted in this workspace: everything in it is lost with it.".into(),
        ),
        _ => None,
    };
    let first = rules.profile.default_event();
    let verdict = |line: &str| path_of(line).map(|path| classifier.explain(path, Origin::Layer));
    let is_lost = |line: &str| verdict(line).map(|answer| answer.fates.verdict(first) == Verdict::Lost);
    let mut lessons = lessons(rules, folder, places_of(classifier));
    let warned = warning.is_some();
    lessons.good.retain(|line| is_lost(line).map_or(!warned, |lost| !lost));
    lessons.bad.retain(|line| is_lost(line).unwrap_or(true));
    Lessons { workspace: Some(name.to_owned()), warning, ..lessons }
}

/// What is taught about a platform, as it means its workspaces to be.
pub fn of_platform(rules: &Rules) -> Lessons {
    let detail = as_meant(rules);
    let classifier = Classifier { detail: &detail, rules, facts: Facts::default(), covers: &[] };
    lessons(rules, rules.workspace.as_deref(), places_of(&classifier))
}

/// Adds who helps to an error that only an administrator can mend.
#[must_use]
pub fn with_help(error: Error, contacts: &[String]) -> Error {
    const WHO: &str = "who helps: ";
    let said = error.hints.iter().any(|hint| hint.starts_with(WHO));
    if !error.kind.needs_an_admin() || said || contacts.is_empty() {
        return error;
    }
    error.hint(format!("{WHO}{}", contacts.join(", ")))
}

fn lessons(rules: &Rules, folder: Option<&Path>, places: Vec<Place>) -> Lessons {
    let profile = &rules.profile;
    let folder = folder.map_or_else(|| SOME_FOLDER.into(), |folder| folder.to_string_lossy().into_owned());
    let filled = |text: &str| rules.text(text).replace("${workspace}", &folder);
    let lines = |lines: &[String]| lines.iter().map(|line| filled(line)).collect();
    let teach = &profile.teach;
    Lessons {
        profile: profile.id.clone(),
        title: profile.title.clone(),
        workspace: None,
        rule: teach.rule.as_deref().map(filled).unwrap_or_default(),
        warning: None,
        places,
        events: Event::ALL.map(|event| event_word(profile, event)).into(),
        words: teach.words.iter().map(|(word, meaning)| (word.clone(), filled(meaning))).collect(),
        good: lines(&teach.good),
        bad: lines(&teach.bad),
        contacts: profile.contacts.clone(),
    }
}

fn event_word(profile: &Profile, event: Event) -> EventWord {
    let word = profile.word(event).filter(|word| *word != event.key());
    EventWord { event, word: word.map(str::to_owned), meaning: event.meaning() }
}

/// Stop, retire and the loss of the host; and where the platform has a word for it, the end of the folder.
fn taught(profile: &Profile) -> impl Iterator<Item = Event> {
    let end = profile.word(Event::WorkspaceDeletion).map(|_| Event::WorkspaceDeletion);
    [Event::Stop, Event::Retire, Event::HostLoss].into_iter().chain(end)
}

/// What is mounted, what the rules speak of, and everything else; what shares its answers shares a row.
fn places_of(classifier: &Classifier<'_>) -> Vec<Place> {
    let rules = classifier.rules;
    let mounted = classifier.detail.mounts.iter().filter(|mount| mount.holds_files());
    let mut paths: Vec<PathBuf> = mounted.map(|mount| mount.target.clone()).collect();
    paths.extend(rules.places());
    paths.push("/tmp".into());
    paths.sort();
    paths.dedup();
    paths.retain(|path| path != Path::new("/"));
    paths.push("/".into());
    let mut places: Vec<Place> = Vec::new();
    for path in paths {
        let answer = classifier.explain(&path, Origin::Unknown);
        if answer.storage == StorageKind::Unknown {
            continue;
        }
        // What is made again by itself is nobody's own work.
        let verdicts: Vec<_> =
            taught(&rules.profile).map(|event| (event, answer.fates.verdict(event))).collect();
        if verdicts.iter().all(|(_, verdict)| matches!(verdict, Verdict::Rebuilt | Verdict::Untouched)) {
            continue;
        }
        let shown = if path == Path::new("/") {
            "everything else".into()
        } else {
            text::printable_path(&path).into_owned()
        };
        let storage = answer.storage.label();
        match places.iter_mut().find(|place| place.storage == storage && place.verdicts == verdicts) {
            Some(place) => place.paths.push(shown),
            None => places.push(Place { paths: vec![shown], storage, verdicts }),
        }
    }
    // The best first; of equals the order of paths stays.
    places.sort_by_key(|place| {
        place.verdicts.iter().map(|(_, verdict)| u32::from(verdict.severity())).sum::<u32>()
    });
    places
}

/// A workspace as its platform means it: what should be mounted is.
fn as_meant(rules: &Rules) -> Detail {
    let mount = |path: PathBuf, backing| Mount::new(path, String::new(), backing, None);
    let folder = |path: &Path, source| mount(path.into(), Backing::HostDir { path: path.into(), source });
    let mut detail = Detail::new(RunState::Running);
    detail.mounts.push(mount("/".into(), Backing::Layer));
    detail.mounts.push(folder(Path::new(SOME_FOLDER), Source::Present));
    for path in rules.places() {
        let named = |text: &String| Path::new(&rules.text(text)) == path;
        let rule = rules.profile.rules.iter().find(|rule| rule.paths.iter().any(named));
        let needs = |kind| rule.is_some_and(|rule| rule.storage.0.contains(&kind));
        if path == Path::new("/") {
            continue;
        }
        if rule.is_none() || needs(StorageKind::BindMount) {
            detail.mounts.push(folder(&path, Source::Present));
        } else if needs(StorageKind::BindScratch) {
            detail.mounts.push(folder(&path, Source::Scratch));
        }
    }
    detail
}

/// The first absolute path in a line of code; within quotes it may hold blanks.
fn path_of(line: &str) -> Option<&Path> {
    let (at, before) = line.match_indices('/').find_map(|(at, _)| {
        let before = line.get(..at)?.chars().next_back()?;
        [' ', '\'', '"', '='].contains(&before).then_some((at, before))
    })?;
    let rest = line.get(at..)?;
    let ends = |c: char| if matches!(before, '\'' | '"') { c == before } else { " '\"),".contains(c) };
    let end = rest.find(ends).unwrap_or(rest.len());
    rest.get(..end).map(Path::new)
}

#[cfg(test)]
#[path = "lessons_tests.rs"]
mod tests;
