//! The command that does in a shell what the screen does: what `y` copies.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::explain::quote;
use crate::core::backup::{JobView, Snapshot, Task};
use crate::core::event::Event;
use crate::core::plan::Verb;
use crate::core::workspace::Workspace;

/// What is taught, about a workspace or about the platform.
pub fn guide(workspace: Option<&Workspace>) -> String {
    workspace.map_or_else(|| "outlast guide".into(), |workspace| said("guide", workspace))
}

/// Good habits of a workspace.
pub fn habits(workspace: &Workspace) -> String {
    said("habits", workspace)
}

/// Files that would be lost; of all workspaces where none is named.
pub fn risk(workspace: Option<&Workspace>, event: Option<Event>) -> String {
    let command = workspace.map_or_else(|| "outlast risk".into(), |workspace| said("risk", workspace));
    match event {
        Some(event) => format!("{command} --event {}", event.key()),
        None => command,
    }
}

/// A change with all that belongs to it here: also the backup before a stop that is asked for.
pub fn change(verb: Verb, workspace: &Workspace) -> String {
    said(verb.key(), workspace)
}

/// What becomes of one path; `None` where nobody could type it.
pub fn explain(workspace: &Workspace, path: &Path) -> Option<String> {
    Some(format!("{} {}", outlast("explain", workspace), quote(&subject(workspace, path))?))
}

/// A path of a workspace, as every command takes it: `NAME:PATH`.
pub fn subject(workspace: &Workspace, path: &Path) -> PathBuf {
    let mut subject = OsString::from(workspace.container.as_deref().unwrap_or(&workspace.name));
    subject.push(":");
    subject.push(path);
    subject.into()
}

/// All of a file; `None` where nobody could type it.
pub fn cat(workspace: &Workspace, path: &Path) -> Option<String> {
    Some(format!("{} {}", outlast("cat", workspace), quote(&subject(workspace, path))?))
}

/// The listing of a folder; `None` where nobody could type it.
pub fn files(workspace: &Workspace, path: &Path) -> Option<String> {
    Some(format!("{} {}", outlast("files", workspace), quote(&subject(workspace, path))?))
}

/// What becomes of a path of this machine; `None` where nobody could type it.
pub fn explain_here(path: &Path) -> Option<String> {
    Some(format!("outlast explain {}", quote(path)?))
}

/// What takes the space in a folder of this machine; `None` where nobody could type it.
pub fn du(path: &Path, options: &[&str]) -> Option<String> {
    let words = ["outlast du"].into_iter().chain(options.iter().copied()).map(str::to_owned);
    Some(words.chain([quote(path)?]).collect::<Vec<_>>().join(" "))
}

/// A snapshot written to a new folder in the home. Ids are hexadecimal.
pub fn restore(snapshot: &Snapshot) -> String {
    format!("outlast restore {} ~/restored-{}", snapshot.short(), snapshot.short())
}

/// What a job does, once more; calls it off while it goes on.
pub fn job(view: &JobView) -> Option<String> {
    if view.is_live() {
        return Some(format!("outlast jobs --cancel {}", view.job.id));
    }
    let short = |id: &str| id.get(..8).unwrap_or(id).to_owned();
    Some(match &view.job.task {
        Task::Backup(save) => format!("outlast backup {}", quote(&save.folder)?),
        Task::Restore(restore) => {
            format!("outlast restore {} {}", short(&restore.snapshot), quote(&restore.to)?)
        }
        Task::Verify(check) => match check.snapshots.as_slice() {
            [one] => format!("outlast verify {}", short(one)),
            _ => "outlast verify".into(),
        },
        Task::Forget(_) => "outlast backups".into(),
    })
}

/// A verb of ours on one workspace. A name that no shell could be given safely is replaced by the id.
fn said(verb: &str, workspace: &Workspace) -> String {
    let name = workspace.container.as_deref().unwrap_or(&workspace.name);
    let name = quote(Path::new(name)).unwrap_or_else(|| workspace.key.id.clone());
    format!("{} {name}", outlast(verb, workspace))
}

/// Ourselves, on the same engine.
fn outlast(verb: &str, workspace: &Workspace) -> String {
    match workspace.key.endpoint.as_str() {
        "docker" => format!("outlast {verb}"),
        endpoint => format!("outlast --engine {endpoint} {verb}"),
    }
}
