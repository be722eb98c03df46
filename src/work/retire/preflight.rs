//! What people should know before a workspace is retired: files at risk, memory, volumes, packages,
//! processes, open files, git, backups. What nobody could look at is said to be not known.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::plan::Retiring;
use super::python;
use crate::core::classify::Grounds;
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::finding::Risk;
use crate::core::mount::{self, Backing, Measure, Mount};
use crate::core::plan::Fact;
use crate::core::workspace::Workspace;
use crate::port::Activity;
use crate::text::{ago, printable, printable_path, size};
use crate::work::browse::guard::git_words;
use crate::work::{git, packages, roster};

/// How long one volume may be measured.
const MEASURED_WITHIN: Duration = Duration::from_secs(5);
/// How many are named.
const NAMED: usize = 3;
/// What is said where nobody could look.
const NOT_KNOWN: &str = "not known, nobody could look";

/// Looks at all of it.
pub(super) async fn facts(
    by: &Retiring<'_>,
    workspace: &Workspace,
    grounds: &Grounds,
    risk: Option<&Risk>,
    roots: &[PathBuf],
    last_backup: Option<Timestamp>,
) -> Vec<Fact> {
    let mut facts = vec![at_risk(grounds, risk, false), at_risk(grounds, risk, true)];
    facts.extend(volumes(by, workspace, grounds).await);
    facts.push(new_packages(by, workspace, grounds, risk).await);
    let activity = by.engine.activity(&workspace.key).await.unwrap_or_default();
    facts.push(processes(&activity));
    facts.push(writers(&activity, grounds));
    let folder = roster::folder(&grounds.detail, &grounds.rules, roots);
    if let Some(folder) = folder.and_then(|mount| mount.host_path.clone()) {
        let host = std::sync::Arc::clone(by.host);
        let looked = tokio::task::spawn_blocking(move || git::state(&folder, &host)).await;
        if let Ok(state) = looked {
            let words = git_words(&state);
            facts.push(Fact::plain("git", words.strip_prefix("git: ").unwrap_or(&words)));
        }
    } else {
        facts.push(Fact::plain("git", "it has no folder here that could be under git"));
    }
    let backup =
        last_backup.map_or_else(|| "none of its folder is known".to_owned(), |at| ago(at, by.clock.now()));
    facts.push(Fact::plain("backup", backup));
    if let Some(gpu) = grounds.detail.gpus.first() {
        facts.push(Fact::plain("gpu", format!("{} is free for others afterwards", printable(&gpu.name))));
    }
    facts
}

/// What was found that goes with the container, in memory or elsewhere.
fn at_risk(grounds: &Grounds, risk: Option<&Risk>, memory: bool) -> Fact {
    let classifier = grounds.classifier();
    let about = if memory { "memory" } else { "at risk" };
    let is_memory = |path: &Path| {
        mount::holding(&grounds.detail.mounts, path)
            .is_some_and(|mount| mount.backing == Backing::Memory || mount.is_devices())
    };
    let Some(risk) = risk else { return Fact::plain(about, NOT_KNOWN) };
    let mine: Vec<_> = risk
        .findings
        .iter()
        .filter(|finding| classifier.verdict(&finding.lot(), Event::Retire) == Verdict::Lost)
        .filter(|finding| is_memory(&finding.path) == memory)
        .collect();
    let files: u64 = mine.iter().map(|finding| finding.files).sum();
    let bytes: u64 = mine.iter().filter_map(|finding| finding.bytes).sum();
    let mut says = match files {
        0 => "no files".to_owned(),
        1 => format!("1 file, {}", size(bytes)),
        _ => format!("{files} files, {}", size(bytes)),
    };
    if !risk.complete() {
        says = format!("at least {says}");
    }
    let named: Vec<_> = mine
        .iter()
        .take(NAMED)
        .map(|finding| {
            let bytes = finding.bytes.map_or_else(String::new, |bytes| format!(" {}", size(bytes)));
            format!("{}{bytes}", printable_path(&finding.shown()))
        })
        .collect();
    if !named.is_empty() {
        says = format!("{says}: {}", named.join(", "));
    }
    Fact { about: about.into(), says, count: Some(files), bytes: Some(bytes) }
}

/// Whether a fact says that files are in memory, or does not know.
pub(super) fn holds_memory(fact: &Fact) -> bool {
    fact.about == "memory" && fact.count != Some(0)
}

/// Volumes without a name: they stay, but nothing leads to them any more.
async fn volumes(by: &Retiring<'_>, workspace: &Workspace, grounds: &Grounds) -> Vec<Fact> {
    let mut facts = Vec::new();
    let classifier = grounds.classifier();
    for mount in &grounds.detail.mounts {
        let Backing::Volume { name, anonymous: true } = &mount.backing else { continue };
        let measured = by.engine.measure(&workspace.key, mount, MEASURED_WITHIN).await;
        let bytes = match measured {
            Measure::Bytes(bytes) | Measure::AtLeast(bytes) => Some(bytes),
            _ => None,
        };
        let words = bytes.map_or_else(|| "size not known".to_owned(), size);
        let goes = classifier.mount(mount).fates.verdict(Event::Retire) == Verdict::Lost;
        let short = name.get(..12).unwrap_or(name);
        let fate = if goes {
            "goes with it".to_owned()
        } else {
            format!("stays as volume {}, which has no name to find it by", printable(short))
        };
        let says = format!("{}: {words}, {fate}", printable_path(&mount.target));
        facts.push(Fact { about: "volume".into(), says, count: Some(1), bytes });
    }
    facts
}

/// Packages that the image does not have: those that apt tells of, and Python's by their records.
async fn new_packages(
    by: &Retiring<'_>,
    workspace: &Workspace,
    grounds: &Grounds,
    risk: Option<&Risk>,
) -> Fact {
    let apt = packages::installed_since(by.engine, workspace, grounds).await;
    let python = match risk {
        Some(risk) => Some(python::packages(by, workspace, grounds, risk).await),
        None => None,
    };
    let (Some(apt), Some(python)) = (apt, python) else { return Fact::plain("package", NOT_KNOWN) };
    let mut names: Vec<String> = apt.into_iter().map(|(name, version)| format!("{name} {version}")).collect();
    names.extend(python.iter().map(|(name, _)| name.clone()));
    let bytes = python.iter().map(|(_, bytes)| bytes).sum();
    let says = if names.is_empty() {
        "none new that apt or pip know of".to_owned()
    } else {
        format!("{} new: {}", names.len(), several(&names))
    };
    Fact { about: "package".into(), says, count: Some(names.len() as u64), bytes: Some(bytes) }
}

fn processes(activity: &Activity) -> Fact {
    let Some(all) = &activity.processes else { return Fact::plain("running", NOT_KNOWN) };
    let names: Vec<String> = all.iter().map(|(pid, command)| format!("{command} ({pid})")).collect();
    let says = match all.len() {
        0 => "nothing".to_owned(),
        1 => format!("1 process: {}", several(&names)),
        many => format!("{many} processes: {}", several(&names)),
    };
    Fact { about: "running".into(), says, count: Some(all.len() as u64), bytes: None }
}

/// Files that are being written where they do not last.
fn writers(activity: &Activity, grounds: &Grounds) -> Fact {
    let Some(all) = &activity.writers else { return Fact::plain("writing", NOT_KNOWN) };
    let classifier = grounds.classifier();
    let goes = |mount: &Mount| classifier.mount(mount).fates.verdict(Event::Retire) == Verdict::Lost;
    let mut paths: Vec<(i64, &Path)> = Vec::new();
    for (pid, path) in all {
        let at_risk = mount::holding(&grounds.detail.mounts, path).is_some_and(goes);
        // Children have open what their parents opened.
        if at_risk && !paths.iter().any(|(_, known)| known == path) {
            paths.push((*pid, path));
        }
    }
    let at_risk: Vec<String> = paths.iter().map(|(pid, path)| format!("{} ({pid})", path.display())).collect();
    let says = match at_risk.len() {
        0 => "no open files that go with it".to_owned(),
        _ => several(&at_risk),
    };
    Fact { about: "writing".into(), says, count: Some(at_risk.len() as u64), bytes: None }
}

/// The first of a list, and how many more there are.
fn several(names: &[String]) -> String {
    let mut words: Vec<String> = names.iter().take(NAMED).map(|name| cut(name)).collect();
    if names.len() > NAMED {
        words.push(format!("{} more", names.len() - NAMED));
    }
    words.join(", ")
}

/// A command line may be as long as a page.
fn cut(name: &str) -> String {
    const LONGEST: usize = 60;
    let shown = printable(name);
    if shown.chars().count() <= LONGEST {
        return shown.into_owned();
    }
    let (head, tail): (String, String) = (shown.chars().take(LONGEST - 12).collect(), {
        let mut tail: Vec<char> = shown.chars().rev().take(8).collect();
        tail.reverse();
        tail.into_iter().collect()
    });
    format!("{head} ... {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let names: Vec<String> = (0..5).map(|number| format!("p{number}")).collect();
        assert_eq!(several(&names), "p0, p1, p2, 2 more");
        assert!(cut(&"x".repeat(500)).chars().count() <= 62);
    }

    #[test]
    fn what_could_not_be_looked_at_is_not_known_and_never_none() {
        let fact = processes(&Activity::default());
        assert_eq!((fact.says.as_str(), fact.count), (NOT_KNOWN, None));
        let idle = Activity { processes: Some(Vec::new()), writers: Some(Vec::new()) };
        assert_eq!((processes(&idle).says.as_str(), processes(&idle).count), ("nothing", Some(0)));
    }
}
