//! Makes jobs: what is saved, restored, read back, removed. Nothing is done yet; the same lines are
//! shown before and in `--dry-run`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::choose::Chosen;
use super::definition::definition;
use super::here::real;
use crate::core::backup::{
    Check, Excludes, FOLDER, Forget, Job, Keep, LAYER, LOCAL, Part, Repository, Restore, Save, Snapshot, Task,
    retain,
};
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::storage::StorageKind;
use crate::core::workspace::Workspace;
use crate::port::Host;
use crate::text::{ago, printable, printable_path, size};
use crate::work::roster;

/// An ignore file longer than this is somebody's mistake.
const LONGEST_IGNORE: u64 = 1 << 16;

/// What is backed up.
#[derive(Debug)]
pub enum Subject<'a> {
    /// A workspace.
    Workspace {
        /// It.
        workspace: &'a Workspace,
        /// What is known of it.
        grounds: &'a Grounds,
        /// Folders whose sub-folders are projects.
        roots: &'a [PathBuf],
        /// The files of its writable layer, where they were asked for.
        layer: Option<Layer>,
    },
    /// A folder of this machine.
    Folder(&'a Path),
}

/// The user's files of a writable layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Where on this machine they can be read.
    pub root: PathBuf,
    /// The files, by their paths in the container.
    pub files: Vec<PathBuf>,
    /// Their bytes.
    pub bytes: u64,
    /// What could not be looked at.
    pub gaps: Vec<String>,
}

/// Plans to save a workspace or a folder. `exists` says whether the repository is there.
pub fn backup(
    subject: &Subject<'_>,
    chosen: &Chosen,
    exists: bool,
    verify: bool,
    most: Option<u64>,
    host: &Host,
    now: Timestamp,
) -> Result<Job> {
    if !exists && let Some(unfit) = &chosen.unfit {
        return Err(unfit.clone());
    }
    let mut notes = Vec::new();
    let (name, folder, read_at, mut exclude, what) = match subject {
        Subject::Folder(folder) => {
            let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
            (name, Some(folder.to_path_buf()), Some(folder.to_path_buf()), Vec::new(), None)
        }
        Subject::Workspace { workspace, grounds, roots, layer } => {
            let folder = folder_of(grounds, roots);
            if folder.is_none() && layer.is_none() {
                return Err(not_mounted(workspace, grounds));
            }
            let profile = &grounds.rules.profile;
            let exclude = profile.backup_exclude.iter().chain(&profile.caches).cloned().collect();
            (workspace.name.clone(), folder.clone(), folder, exclude, definition(workspace, grounds, now))
        }
    };
    let mut parts = Vec::new();
    if let (Some(folder), Some(from)) = (&folder, read_at) {
        notes.extend(ignore_file(folder, &mut exclude));
        notes.extend(within(folder, &chosen.repository, &mut exclude));
        parts.push(Part { name: FOLDER.into(), from, only: None, exclude });
    }
    if let Subject::Workspace { layer: Some(layer), .. } = subject {
        for gap in &layer.gaps {
            notes.push(format!("files of the writable layer may be missing: {gap}"));
        }
        let only = Some(layer.files.clone());
        parts.push(Part { name: LAYER.into(), from: layer.root.clone(), only, exclude: Vec::new() });
    }
    match &chosen.unfit {
        // One that is there already is used, and nothing is promised of it.
        Some(unfit) => notes.push(unfit.message.clone()),
        None if chosen.own => notes.push(format!("a repository on this host {LOCAL}")),
        None => {}
    }
    if chosen.own_key && !exists {
        notes.push("without its key no backup can be read: keep a copy of the key file elsewhere".into());
    }
    let folder = folder.unwrap_or_else(|| PathBuf::from(format!("layer of {name}")));
    let task = Task::Backup(Save {
        workspace: name,
        folder,
        parts,
        definition: what,
        create: !exists,
        verify,
        most,
        host: host.hostname.clone(),
    });
    Ok(job(task, &chosen.repository, host, now, notes))
}

/// The folder of a workspace as this program can read it: on the host, or from inside.
pub fn folder_of(grounds: &Grounds, roots: &[PathBuf]) -> Option<PathBuf> {
    if let Some(mount) = roster::folder(&grounds.detail, &grounds.rules, roots) {
        return mount.host_path.clone();
    }
    let mount = grounds.classifier().folder()?;
    // A volume is read where the engine keeps it, or from inside, where it is mounted.
    mount.host_path.clone().or_else(|| {
        let here = grounds.detail.mounts.iter().all(|mount| mount.host_path.is_none());
        here.then(|| mount.target.clone())
    })
}

fn not_mounted(workspace: &Workspace, grounds: &Grounds) -> Error {
    let name = printable(&workspace.name).into_owned();
    let error = Error::new(Kind::NotFound, format!("{name} has no folder of its own that could be saved"));
    let has_layer = grounds.detail.mounts.iter().any(|mount| mount.storage == StorageKind::WritableLayer);
    if has_layer {
        error.hint("`--layer` saves the files that you made in its writable layer")
    } else {
        error.hint("name a folder: `outlast backup /a/folder`")
    }
}

/// Adds the patterns of a folder's own ignore file; gives what could not be understood.
fn ignore_file(folder: &Path, exclude: &mut Vec<String>) -> Vec<String> {
    use std::io::Read as _;
    let path = folder.join(Excludes::FILE);
    let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    let mut text = String::new();
    let read = std::fs::File::open(&path).and_then(|file| file.take(LONGEST_IGNORE).read_to_string(&mut text));
    if !is_file || read.is_err() {
        return Vec::new();
    }
    let (known, unknown) = Excludes::lines(&text);
    exclude.extend(known);
    let file = Excludes::FILE;
    unknown
        .into_iter()
        .map(|line| format!("{file}: “{}” is not understood, so it leaves nothing out", printable(&line)))
        .collect()
}

/// A repository or key inside the folder that is saved must not be saved into itself.
fn within(folder: &Path, repository: &Repository, exclude: &mut Vec<String>) -> Vec<String> {
    let folder = real(folder);
    let mut notes = Vec::new();
    let places = [repository.folder(), Some(repository.key.as_path())];
    for place in places.into_iter().flatten() {
        let Ok(below) = real(place).strip_prefix(&folder).map(Path::to_path_buf) else { continue };
        if let Some(text) = below.to_str().filter(|text| !text.is_empty()) {
            exclude.push(format!("/{text}"));
            notes.push(format!(
                "{} lies in the folder that is saved, so it goes when that is deleted",
                printable_path(place)
            ));
        }
    }
    notes
}

/// What of a snapshot is restored, and as what.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// One part of it; everything in it where `None`.
    pub part: Option<&'static str>,
    /// Only this path and what lies below.
    pub include: Option<PathBuf>,
    /// The user and group that what was the owner's is given to.
    pub remap: Option<(u32, u32)>,
    /// The workspace that it becomes.
    pub becomes: Option<String>,
}

/// Plans to restore a snapshot, or a part of it, to a folder.
pub fn restore(
    snapshot: &Snapshot,
    wanted: Wanted,
    to: &Path,
    repository: &Repository,
    host: &Host,
    now: Timestamp,
) -> Result<Job> {
    let Wanted { part, include, remap, becomes } = wanted;
    if let Some((uid, _)) = remap.filter(|(uid, _)| host.uid != 0 && *uid != host.uid) {
        return Err(Error::new(Kind::NotPermitted, format!("only root can give files to user {uid}"))
            .hint("leave --remap out: the files will be yours"));
    }
    let mut notes = Vec::new();
    if snapshot.incomplete {
        notes.push("something was missing when this snapshot was made".into());
    }
    let part = part.filter(|_| snapshot.own).map(str::to_owned);
    let to = to.to_path_buf();
    let task = Task::Restore(Restore { snapshot: snapshot.id.clone(), part, include, to, remap, becomes });
    Ok(job(task, repository, host, now, notes))
}

/// Plans to read the data of snapshots back; of all where none is named.
pub fn verify(snapshots: &[&Snapshot], repository: &Repository, host: &Host, now: Timestamp) -> Job {
    let ids = snapshots.iter().map(|snapshot| snapshot.id.clone()).collect();
    job(Task::Verify(Check { snapshots: ids }), repository, host, now, Vec::new())
}

/// Plans to remove the snapshots that a rule does not keep; `None` where there are none.
pub fn forget(
    snapshots: &[Snapshot],
    keep: Keep,
    verified: &std::collections::BTreeSet<String>,
    repository: &Repository,
    host: &Host,
    now: Timestamp,
) -> Option<Job> {
    let retention = retain(snapshots, keep, verified, now);
    if retention.forget.is_empty() {
        return None;
    }
    let task = Task::Forget(Forget { keep, snapshots: retention.forget });
    Some(job(task, repository, host, now, forget_notes()))
}

/// What people should know before snapshots are removed.
pub(super) fn forget_notes() -> Vec<String> {
    vec![
        "space comes back in two steps, the second at the next forget after a day".to_owned(),
        "let no restic prune run meanwhile: it does not see that this goes on".to_owned(),
    ]
}

pub(super) fn job(task: Task, repository: &Repository, host: &Host, now: Timestamp, notes: Vec<String>) -> Job {
    Job {
        id: crate::work::act::new_id(now),
        made_at: now,
        user: host.user.clone().unwrap_or_else(|| host.uid.to_string()),
        repository: repository.clone(),
        task,
        notes,
    }
}

/// The job as text, one line each. `known` are the snapshots it is about, where they were listed.
pub fn lines(job: &Job, known: &[Snapshot], now: Timestamp) -> Vec<String> {
    let url = printable(&job.repository.url).into_owned();
    let named = |id: &str| {
        known
            .iter()
            .find(|snapshot| snapshot.id == id)
            .map_or_else(|| id.get(..8).unwrap_or(id).to_owned(), |s| told(s, now))
    };
    let mut lines = Vec::new();
    match &job.task {
        Task::Backup(save) => {
            lines.push(format!("backup {}", printable(&save.workspace)));
            for part in &save.parts {
                lines.push(match &part.only {
                    Some(files) => format!("  saves   {} files of the writable layer", files.len()),
                    None => format!("  saves   {}", printable_path(&part.from)),
                });
                if !part.exclude.is_empty() {
                    let patterns: Vec<_> = part.exclude.iter().map(|text| printable(text)).collect();
                    lines.push(format!("  without {}", patterns.join(" ")));
                }
            }
            let made = if save.create { ", which is made" } else { "" };
            lines.push(format!("  into    {url}{made}"));
            if save.create {
                lines.push(format!("  key     {}", printable_path(&job.repository.key)));
            }
            if let Some(most) = save.most {
                lines.push(format!("  limit   {}", size(most)));
            }
            if save.verify {
                lines.push("  then    reads all of it back".into());
            }
        }
        Task::Restore(restore) => {
            lines.push(format!("restore {}", named(&restore.snapshot)));
            lines.push(format!("  from    {url}"));
            if let Some(part) = restore.part.as_deref().filter(|part| *part != FOLDER) {
                lines.push(format!("  only    its {}", printable(part)));
            }
            if let Some(path) = &restore.include {
                lines.push(format!("  only    {}", printable_path(path)));
            }
            if let Some(name) = &restore.becomes {
                lines.push(format!("  as      {}", printable(name)));
            }
            lines.push(format!("  into    {}, which must be new or empty", printable_path(&restore.to)));
            if let Some((user, group)) = restore.remap {
                lines.push(format!(
                    "  gives   what is its owner's to {user}:{group}; what is root's or others' stays theirs"
                ));
            }
            if restore.becomes.is_some() {
                lines.push("  then    shows the command that makes its container".into());
            }
        }
        Task::Verify(check) => {
            lines.push("verify".into());
            lines.push(format!("  reads   {url}"));
            lines.extend(check.snapshots.iter().map(|id| format!("  all of  {}", named(id))));
        }
        Task::Forget(forget) => {
            // Afterwards they are no longer among those that are known.
            let there = |id: &String| known.iter().any(|snapshot| snapshot.id == *id);
            let of =
                if forget.snapshots.iter().all(there) { format!(" of {}", known.len()) } else { String::new() };
            lines.push(format!("forget {}{of}", forget.snapshots.len()));
            lines.push(format!("  in      {url}"));
            lines.extend(forget.snapshots.iter().map(|id| format!("  removes {}", named(id))));
            lines.push("  undo    not possible".into());
        }
    }
    lines.extend(job.notes.iter().map(|note| format!("  note    {}", printable(note))));
    lines
}

/// A snapshot in one line.
fn told(snapshot: &Snapshot, now: Timestamp) -> String {
    let of = match snapshot.folders.first() {
        _ if !snapshot.workspace.is_empty() => printable(&snapshot.workspace).into_owned(),
        Some(folder) => printable(folder).into_owned(),
        None => "unknown".into(),
    };
    let size = snapshot.bytes.map_or_else(String::new, |bytes| format!(", {}", size(bytes)));
    format!("{} ({of}, {}{size})", snapshot.short(), ago(snapshot.at, now))
}
