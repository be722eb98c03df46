//! One path: what it lives on, what becomes of it, where else it is seen, and the one command to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::core::classify::{Classifier, Grounds, Origin};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::fate::{Fates, Verdict};
use crate::core::mount::{self, Mount};
use crate::core::path::{Resolver, Step, normal};
use crate::core::profile::Violation;
use crate::core::report::SeenIn;
use crate::core::rules::Rules;
use crate::core::storage::StorageKind;
use crate::core::workspace::{Detail, RunState, Workspace};
use crate::port::{Engine, PathKind};
use crate::work::packages;

/// The answer for one path of one workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The path that was asked for, absolute and normal, links not followed.
    pub asked: PathBuf,
    /// The path with links followed, inside the container.
    pub resolved: PathBuf,
    /// The same place on the host, where it has one of its own.
    pub host_path: Option<PathBuf>,
    /// What is there; `Unknown` where nobody could look.
    pub kind: PathKind,
    /// What it lives on.
    pub storage: StorageKind,
    /// Whether the container may write there; `None` where its mounts are not known.
    pub read_only: Option<bool>,
    /// The target of the mount it lies on.
    pub mount: Option<PathBuf>,
    /// The profile's rule that applied.
    pub rule: Option<String>,
    /// Where that rule comes from.
    pub source: Option<String>,
    /// What is wrong with it.
    pub violation: Option<Violation>,
    /// What becomes of it.
    pub fates: Fates,
    /// Why the answer may be off, such as that links could not be followed.
    pub notes: Vec<String>,
}

impl Explained {
    /// Whether anything is there; `None` where nobody could look.
    pub const fn exists(&self) -> Option<bool> {
        match self.kind {
            PathKind::Absent => Some(false),
            PathKind::Unknown => None,
            PathKind::Link(_) | PathKind::Directory | PathKind::File => Some(true),
        }
    }
}

/// What paths of this machine are answered from where no container mounts them: rules about paths
/// inside containers say nothing of them, unless this machine is one.
#[must_use]
pub fn of_the_host(grounds: Grounds) -> Grounds {
    if grounds.detail.mounts.iter().any(|mount| mount.storage == StorageKind::WritableLayer) {
        return grounds;
    }
    let rules = Rules::clone(&grounds.rules).for_the_host();
    Grounds { rules: Arc::new(rules), ..grounds }
}

/// Explains a path of a workspace, links followed inside its root where that can be seen.
pub async fn explain(
    engine: &dyn Engine,
    workspace: &Workspace,
    grounds: &Grounds,
    path: &Path,
) -> Result<Explained> {
    let detail = &grounds.detail;
    let found = resolve(engine, workspace, detail, path).await?;
    let origin = match found.kind {
        PathKind::File => packages::origin(engine, workspace, grounds, &found.path, found.origin).await,
        _ => found.origin,
    };
    let on = mount::holding(&detail.mounts, &found.path);
    let is_runtime_file = |mount: &Mount| mount.storage == StorageKind::RuntimeFile && !mount.read_only;
    // Where nobody can tell whether it was changed by hand, it may have been.
    let origin = match origin {
        Origin::Unknown if found.kind == PathKind::File && on.is_some_and(is_runtime_file) => Origin::Layer,
        origin => origin,
    };
    let answer = grounds.classifier().explain(&found.path, origin);
    let mut notes = found.notes;
    if let Some(reason) = &detail.mounts_missing {
        notes.push(format!("its mounts are not all known: {reason}"));
    }
    Ok(Explained {
        asked: normal(path),
        host_path: host_path(detail, &found.path),
        resolved: found.path,
        kind: found.kind,
        storage: answer.storage,
        read_only: answer.mount.map(|mount| mount.read_only),
        mount: answer.mount.map(|mount| mount.target.clone()),
        rule: answer.rule.map(|rule| rule.id.clone()),
        source: answer.rule.and_then(|rule| rule.source.clone()),
        violation: answer.violation,
        fates: answer.fates,
        notes,
    })
}

/// Where a path leads.
pub(super) struct Found {
    /// With links followed.
    pub(super) path: PathBuf,
    kind: PathKind,
    origin: Origin,
    notes: Vec<String>,
}

/// Follows links by asking the engine; from the first question it cannot answer on, by name only.
pub(super) async fn resolve(
    engine: &dyn Engine,
    workspace: &Workspace,
    detail: &Detail,
    path: &Path,
) -> Result<Found> {
    let mut resolver = Resolver::new(path);
    let mut blind: Option<String> = None;
    let mut last: Option<(PathBuf, PathKind, Origin)> = None;
    loop {
        match resolver.step() {
            Step::Ask(at) => {
                let mut link = None;
                if blind.is_none() {
                    match engine.look(&workspace.key, detail, &at).await {
                        Ok(look) if look.kind == PathKind::Unknown => {
                            blind = Some("it could not be looked at".into());
                        }
                        Ok(look) => {
                            if let PathKind::Link(target) = &look.kind {
                                link = Some(target.clone());
                            }
                            last = Some((at, look.kind, look.origin));
                        }
                        Err(error) => blind = Some(error.message),
                    }
                }
                resolver.answer(link.as_deref());
            }
            Step::Loop => {
                return Err(Error::new(
                    Kind::Failed,
                    format!("{} leads through more links than can be followed", path.display()),
                )
                .hint("name the place the links should lead to"));
            }
            Step::Done(done) => {
                let (kind, origin) = match last {
                    Some((at, kind, origin)) if at == done && blind.is_none() => (kind, origin),
                    _ if blind.is_some() => (PathKind::Unknown, Origin::Unknown),
                    // The path ends in `..` or is the root itself: the last look was elsewhere.
                    _ => match engine.look(&workspace.key, detail, &done).await {
                        Ok(look) => (look.kind, look.origin),
                        Err(_) => (PathKind::Unknown, Origin::Unknown),
                    },
                };
                let notes = blind.map(|why| format!("links were not followed: {why}")).into_iter().collect();
                return Ok(Found { path: done, kind, origin, notes });
            }
        }
    }
}

/// Where a container's path is on the host; `None` for what has no place of its own there.
pub fn host_path(detail: &Detail, path: &Path) -> Option<PathBuf> {
    let mount = mount::holding(&detail.mounts, path)?;
    // The layer's directory holds only what was changed, so a path in it may not be there.
    if mount.storage == StorageKind::WritableLayer {
        return None;
    }
    Some(mount::join(mount.host_path.as_deref()?, path.strip_prefix(&mount.target).ok()?))
}

/// Every workspace that sees a place of the host, with its path inside.
pub fn seen_in<'a>(host: &Path, workspaces: impl Iterator<Item = (&'a Workspace, &'a Detail)>) -> Vec<SeenIn> {
    workspaces
        .flat_map(|(workspace, detail)| {
            mount::paths_inside(&detail.mounts, host).into_iter().map(|path| SeenIn {
                workspace: shown_name(workspace).into(),
                path: path.to_string_lossy().into_owned(),
            })
        })
        .collect()
}

/// The container's own name where it has one: it is what other programs call the workspace.
pub(super) fn shown_name(workspace: &Workspace) -> &str {
    workspace.container.as_deref().unwrap_or(&workspace.name)
}

/// The one command that brings a path out of harm's way, if an event would lose it.
///
/// Into a folder that is kept where the workspace has one, else out of the
/// container into the current folder. It never overwrites what is there already.
/// Every part is quoted for a POSIX shell. `None` also where no command reaches the path any more.
pub fn command(
    workspace: &Workspace,
    classifier: &Classifier<'_>,
    path: &Path,
    verdict: Verdict,
    event: Event,
) -> Option<String> {
    if !matches!(verdict, Verdict::Lost) || path == Path::new("/") {
        return None;
    }
    let detail = classifier.detail;
    let kept = classifier.kept_folder(event).map(|mount| &mount.target);
    // What lies in that folder already would be copied onto itself.
    let kept = kept.filter(|folder| path.parent() != Some(folder.as_path()) && !folder.starts_with(path));
    let from = quote(path)?;
    let Some(container) = &workspace.container else {
        let folder = kept?;
        let there = quote(&folder.join(path.file_name()?))?;
        return Some(format!("test ! -e {there} && cp -an -- {from} {}/", quote(folder)?));
    };
    let (name, client) = (quote(Path::new(container))?, workspace.client);
    match kept {
        Some(folder) if detail.state == RunState::Running => {
            // Without the test a file that is in the way would be left alone without a word.
            let there = quote(&folder.join(path.file_name()?))?;
            let folder = quote(folder)?;
            Some(format!(
                "{client} exec {name} test ! -e {there} && {client} exec {name} cp -an -- {from} {folder}/"
            ))
        }
        _ if from_inside_alone(detail, path) => {
            if detail.state != RunState::Running {
                return None;
            }
            let (folder, file) = (quote(path.parent()?)?, quote(Path::new(path.file_name()?))?);
            Some(format!("{client} exec {name} tar -C {folder} -cf - -- {file} | tar -xkf -"))
        }
        _ => {
            let subject = format!("{container}:{}", path.to_str()?);
            Some(format!("{client} cp {} - | tar -xkf -", quote(Path::new(&subject))?))
        }
    }
}

/// Whether only a running container's own processes see a path: memory, and a directory that was
/// deleted under its mount. The engine's own copy finds nothing there, or what took its place.
fn from_inside_alone(detail: &Detail, path: &Path) -> bool {
    mount::holding(&detail.mounts, path).is_some_and(|mount| {
        matches!(
            mount.storage_at(path),
            StorageKind::Tmpfs | StorageKind::EmptyDirMemory | StorageKind::BindDeleted
        )
    })
}

/// Quotes a text for a POSIX shell; `None` for what is not text, which nobody could type.
pub fn quote(text: &Path) -> Option<String> {
    let text = text.to_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        return Some(text.into());
    }
    // What a terminal would act on is not offered for pasting.
    if crate::text::printable(text) != text {
        return None;
    }
    Some(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::mount::{Backing, Mount, Source};
    use crate::work::fake::{self, Fake, block_on};

    fn explained(engine: &Fake, path: &str) -> Explained {
        let grounds = fake::grounds(fake::detail(RunState::Running));
        block_on(explain(engine, &fake::workspace("p"), &grounds, Path::new(path))).unwrap()
    }

    #[test]
    fn links_are_followed_inside_the_container() {
        let engine = Fake {
            links: [("/workspace/out".into(), "/tmp/out".into()), ("/home/u/m".into(), "/workspace/m".into())]
                .into(),
            ..Fake::default()
        };
        let lost = explained(&engine, "/workspace/out/model.pt");
        assert_eq!(lost.resolved, Path::new("/tmp/out/model.pt"));
        assert_eq!(lost.fates.verdict(Event::Retire), Verdict::Lost);
        let kept = explained(&engine, "/home/u/m/x");
        assert_eq!(kept.resolved, Path::new("/workspace/m/x"));
        assert_eq!(kept.fates.verdict(Event::Retire), Verdict::Kept);
        assert_eq!(kept.host_path.as_deref(), Some(Path::new("/home/u/workspace/p/m/x")));
    }

    #[test]
    fn a_look_that_is_not_allowed_is_said_and_the_name_alone_decides() {
        let engine = Fake { blind: true, ..Fake::default() };
        let answer = explained(&engine, "/workspace/out/../x");
        assert_eq!(answer.resolved, Path::new("/workspace/x"));
        assert_eq!(answer.kind, PathKind::Unknown);
        assert!(answer.notes[0].starts_with("links were not followed"), "{:?}", answer.notes);
    }

    #[test]
    fn a_loop_of_links_is_an_error() {
        let engine =
            Fake { links: [("/a".into(), "/b".into()), ("/b".into(), "/a".into())].into(), ..Fake::default() };
        let grounds = fake::grounds(fake::detail(RunState::Running));
        let error = block_on(explain(&engine, &fake::workspace("p"), &grounds, Path::new("/a/x"))).unwrap_err();
        assert_eq!(error.kind, Kind::Failed);
    }

    #[test]
    fn host_and_container_paths_map_both_ways_and_the_longest_bind_wins() {
        let mut detail = fake::detail(RunState::Running);
        let bind = |target: &str, path: &str| {
            Mount::new(
                target.into(),
                path.into(),
                Backing::HostDir { path: path.into(), source: Source::Present },
                Some("ext4".into()),
            )
        };
        detail.mounts.push(bind("/data", "/home/u/workspace/p/data"));
        detail.mounts.push(bind("/workspace/cache", "/srv/cache"));
        let all = |host: &str| -> Vec<String> {
            mount::paths_inside(&detail.mounts, Path::new(host))
                .iter()
                .map(|path| path.display().to_string())
                .collect()
        };
        let inside = |host: &str| all(host).into_iter().next();
        assert_eq!(all("/home/u/workspace/p/data/x"), ["/data/x", "/workspace/data/x"]);
        let outside = |path: &str| host_path(&detail, Path::new(path)).map(|p| p.display().to_string());
        assert_eq!(inside("/home/u/workspace/p/x").as_deref(), Some("/workspace/x"));
        assert_eq!(inside("/home/u/workspace/p/data/x").as_deref(), Some("/data/x"));
        assert_eq!(inside("/home/u/workspace/p").as_deref(), Some("/workspace"));
        assert_eq!(inside("/home/u/workspace/p/cache/x"), None, "another mount covers it");
        assert_eq!(inside("/home/u/workspace/pp"), None);
        assert_eq!(outside("/workspace/data/x").as_deref(), Some("/home/u/workspace/p/data/x"));
        assert_eq!(outside("/workspace/cache/x").as_deref(), Some("/srv/cache/x"));
        assert_eq!(outside("/tmp/x"), None);
    }

    #[test]
    fn the_command_copies_into_the_kept_folder_or_else_out() {
        let mut workspace = fake::workspace("p");
        let of = |workspace: &Workspace, detail: &Detail, path: &str| {
            let grounds = fake::grounds(detail.clone());
            command(workspace, &grounds.classifier(), Path::new(path), Verdict::Lost, Event::Retire)
        };
        let up = fake::detail(RunState::Running);
        assert_eq!(
            of(&workspace, &up, "/tmp/it's").as_deref(),
            Some(
                r"docker exec p test ! -e '/workspace/it'\''s' && docker exec p cp -an -- '/tmp/it'\''s' /workspace/"
            )
        );
        let down = fake::detail(RunState::Exited);
        assert_eq!(of(&workspace, &down, "/tmp/a b").as_deref(), Some("docker cp 'p:/tmp/a b' - | tar -xkf -"));
        let mut nowhere = fake::detail(RunState::Running);
        nowhere.mounts.retain(|mount| mount.target != Path::new("/workspace"));
        nowhere.mounts.retain(|mount| mount.target != Path::new("/anon"));
        assert_eq!(of(&workspace, &nowhere, "/tmp/x").as_deref(), Some("docker cp p:/tmp/x - | tar -xkf -"));
        assert_eq!(
            of(&workspace, &nowhere, "/dev/shm/x").as_deref(),
            Some("docker exec p tar -C /dev/shm -cf - -- x | tar -xkf -")
        );
        assert_eq!(of(&workspace, &down, "/dev/shm/x").as_deref().map(|c| c.contains("docker cp")), None);
        let mut replaced = nowhere.clone();
        replaced.mounts.push(Mount::new(
            "/gone".into(),
            "/srv/gone".into(),
            Backing::HostDir { path: "/srv/gone".into(), source: Source::Deleted },
            None,
        ));
        assert_eq!(
            of(&workspace, &replaced, "/gone/x").as_deref(),
            Some("docker exec p tar -C /gone -cf - -- x | tar -xkf -"),
            "the engine's own copy would read what took its place"
        );
        assert_eq!(of(&workspace, &up, "/tmp/\x1b[2J"), None, "nothing harmful is offered for pasting");
        workspace.container = None;
        assert_eq!(
            of(&workspace, &up, "/tmp/x").as_deref(),
            Some("test ! -e /workspace/x && cp -an -- /tmp/x /workspace/")
        );
    }

    proptest::proptest! {
        #[test]
        fn a_quoted_text_is_one_word_for_a_shell(text in "[ -~]{0,12}") {
            let quoted = quote(Path::new(&text)).unwrap_or_default();
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {quoted}")])
                .output()
                .map(|output| output.stdout)
                .unwrap_or_default();
            // printf itself would read a leading dash or a percent sign; quoting keeps the bytes.
            if !text.starts_with('-') {
                proptest::prop_assert_eq!(String::from_utf8_lossy(&output), text);
            }
        }
    }
}
