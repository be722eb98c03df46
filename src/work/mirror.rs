//! Makes one folder like another, through the rsync of this machine: looked at first, nothing deleted
//! unless that is asked for.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use super::act::one_step;
use super::child::{self, Ended};
use super::explain::quote;
use super::watched::watched;
use crate::core::error::{Error, Kind, Result};
use crate::core::mirror::{FORM, Item, Place, Preview, item};
use crate::core::plan::{Loss, Plan, Verb};
use crate::core::storage::StorageKind;
use crate::port::Clock;
use crate::port::archive::Meter;
use crate::text::{printable, printable_path, size};

/// How another machine is reached, unless `RSYNC_RSH` says it: nobody is asked anything.
const SHELL: &str = "ssh -o BatchMode=yes -o ConnectTimeout=15";
/// Seconds without a byte after which a machine counts as gone.
const SILENT: &str = "--timeout=60";
/// How long looking, and how long mirroring may take.
const WITHIN: Duration = Duration::from_hours(7 * 24);
/// Files that are deleted of which so many are named; the rest is one number.
const TOLD: usize = 200;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The folder that is mirrored.
    pub source: PathBuf,
    /// Where it is mirrored to.
    pub place: Place,
    /// Whether what the source has no more is deleted there.
    pub delete: bool,
    /// Names that are left out.
    pub excludes: Vec<String>,
}

/// A mirror that can be made.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What will be done.
    pub plan: Plan,
    /// What rsync said it would do.
    pub preview: Preview,
    asked: Asked,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// What rsync did.
    pub did: Preview,
    /// What it complained of, where not all was done.
    pub troubles: Vec<String>,
}

/// Looks what would be done. Nothing is changed anywhere.
pub async fn prepare(
    asked: Asked,
    clock: &dyn Clock,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Prepared> {
    if let Place::Here(target) = &asked.place {
        apart(&asked.source, target)?;
    }
    let looked = asked.clone();
    let look = move |meter: &Meter| {
        let mut preview = Preview::default();
        let ended = rsync(&looked, true, meter, &mut |item| preview.add(item))?;
        // What vanished meanwhile is seen when it is done.
        if !matches!(ended.code, Some(0 | 24)) {
            return Err(failure(&ended, &looked.place));
        }
        Ok(preview)
    };
    let preview = watched(&Arc::default(), look, stop, tell).await?;
    let target = shown(&asked.place);
    let words = words(&asked);
    let quoted = |word: &String| quote(Path::new(word)).unwrap_or_else(|| printable(word).into_owned());
    let call = format!("rsync {}", words.iter().map(quoted).collect::<Vec<_>>().join(" "));
    let mut plan = one_step(Verb::Mirror, &asked.source, call, None, clock);
    for step in &mut plan.steps {
        step.bytes = Some(preview.bytes);
        step.loses = losses(&preview, &asked.place);
    }
    plan.notes = notes(&preview, &asked, &target);
    Ok(Prepared { plan, preview, asked })
}

fn notes(preview: &Preview, asked: &Asked, target: &str) -> Vec<String> {
    if preview.is_empty() {
        return vec![format!("{target} is like {} already", printable_path(&asked.source))];
    }
    let mut notes = vec![format!(
        "to {target}: {} new files, {} changed ones, {} to send at most",
        preview.new,
        preview.content,
        size(preview.bytes)
    )];
    if preview.content > 0 {
        notes.push(format!("{} files there get the content of those here", preview.content));
    }
    if !asked.delete {
        notes.push("nothing there is deleted: --delete deletes what is no more here".into());
    }
    notes
}

/// What is deleted, each by its name as far as there are not very many.
fn losses(preview: &Preview, place: &Place) -> Vec<Loss> {
    let loss = |what: String, files: u64, bytes: Option<u64>| Loss {
        what,
        storage: StorageKind::HostDisk,
        files: Some(files),
        bytes,
        at_least: false,
        cache: false,
    };
    let named = preview.deleted.iter().take(TOLD).map(|path| match place {
        Place::Here(target) => {
            let full = target.join(path);
            let bytes =
                full.symlink_metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
            loss(full.to_string_lossy().into_owned(), 1, bytes)
        }
        Place::Away(target) => loss(format!("{target}/{}", path.display()), 1, None),
    });
    let mut losses: Vec<Loss> = named.collect();
    if let Some(more) = preview.deleted.len().checked_sub(TOLD).filter(|more| *more > 0) {
        losses.push(loss("more there".into(), more as u64, None));
    }
    losses
}

/// Refuses a target in the source, and a source in the target: one would swallow the other.
fn apart(source: &Path, target: &Path) -> Result<()> {
    let target = real(target);
    let (one, other) = (printable_path(source), printable_path(&target));
    if target.starts_with(source) {
        return Err(Error::new(
            Kind::Usage,
            format!("{other} is in {one} itself: it would be mirrored into its own copy"),
        )
        .hint("choose a folder elsewhere"));
    }
    if source.starts_with(&target) {
        return Err(Error::new(
            Kind::Usage,
            format!("{other} holds {one}: the mirror would lie over what it is made of"),
        )
        .hint("choose a folder elsewhere"));
    }
    Ok(())
}

/// A path with the links of all that is there followed; what is not there yet is added as it stands.
fn real(path: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut at = path;
    loop {
        if let Ok(real) = at.canonicalize() {
            return missing.iter().rev().fold(real, |path: PathBuf, name: &&std::ffi::OsStr| path.join(name));
        }
        match (at.parent(), at.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                at = parent;
            }
            _ => return path.to_path_buf(),
        }
    }
}

/// Makes the mirror. Whoever stops it finds every file there whole, old or new.
pub async fn run(
    prepared: &Prepared,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Done> {
    let asked = prepared.asked.clone();
    let work = move |meter: &Meter| {
        let mut did = Preview::default();
        let ended = rsync(&asked, false, meter, &mut |item: Item| {
            if item.file {
                meter.file();
                meter.bytes(item.bytes);
            }
            did.add(item);
        })?;
        match ended.code {
            Some(0) => Ok(Done { did, troubles: Vec::new() }),
            // Some could not be read or written, or vanished.
            Some(23 | 24) => {
                let lines = ended.complaint.lines().filter(|line| !line.trim().is_empty());
                Ok(Done { did, troubles: lines.map(|line| printable(line).into_owned()).collect() })
            }
            _ => Err(failure(&ended, &asked.place)),
        }
    };
    watched(&Arc::default(), work, stop, tell).await
}

/// The arguments, for people and for the program alike.
fn words(asked: &Asked) -> Vec<String> {
    let mut words: Vec<String> = ["-a", "-H", "-A", "-X", "--numeric-ids", SILENT].map(str::to_owned).into();
    words.extend(asked.excludes.iter().map(|name| format!("--exclude={name}")));
    if asked.delete {
        words.push("--delete".into());
    }
    words.push("--".into());
    words.push(format!("{}/", asked.source.display()));
    words.push(shown(&asked.place));
    words
}

/// The target's name.
fn shown(place: &Place) -> String {
    match place {
        Place::Here(path) => printable_path(path).into_owned(),
        Place::Away(text) => printable(text).into_owned(),
    }
}

fn rsync(asked: &Asked, dry: bool, meter: &Meter, on: &mut dyn FnMut(Item)) -> Result<Ended> {
    let mut command = Command::new("rsync");
    command.args(["-a", "-H", "-A", "-X", "--numeric-ids", SILENT, "--out-format", FORM]);
    if dry {
        command.arg("--dry-run");
    }
    for name in &asked.excludes {
        command.arg(format!("--exclude={name}"));
    }
    if asked.delete {
        command.arg("--delete");
    }
    // A path as bytes: names need not be text.
    let mut source = asked.source.clone().into_os_string();
    source.push("/");
    command.arg("--").arg(source);
    match &asked.place {
        Place::Here(target) => command.arg(target),
        Place::Away(target) => command.arg(target),
    };
    if std::env::var_os("RSYNC_RSH").is_none() {
        command.env("RSYNC_RSH", SHELL);
    }
    command.env("LC_ALL", "C");
    child::run(command, "rsync", Vec::new(), WITHIN, meter, &mut |line| {
        if let Some(item) = item(line) {
            on(item);
        }
    })
}

/// What an ending of rsync means.
fn failure(ended: &Ended, place: &Place) -> Error {
    let target = shown(place);
    // The last line is rsync's own summary; the first one says what happened.
    let first = ended.complaint.lines().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason");
    let why = printable(first.trim()).into_owned();
    match (ended.code, place) {
        (Some(5 | 10 | 12 | 30 | 35 | 127 | 255), Place::Away(_)) => {
            Error::new(Kind::Unreachable, format!("{target} cannot be reached: {why}"))
                .hint("ssh to it by hand first: outlast answers no question of ssh")
                .hint("rsync must be installed there too")
        }
        (Some(11), _) => Error::new(Kind::Failed, format!("{target} could not be written: {why}")),
        (Some(code), _) => Error::new(Kind::Failed, format!("rsync ended with {code}: {why}")),
        (None, _) => Error::new(Kind::Failed, format!("rsync was ended: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_folder_may_lie_in_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let source = root.join("home");
        std::fs::create_dir(&source).unwrap();
        std::os::unix::fs::symlink(&source, root.join("link")).unwrap();
        for target in ["home", "home/new/deep", "link/x", "home/../home/x", ""] {
            assert!(apart(&source, &root.join(target)).is_err(), "{target}");
        }
        assert!(apart(&source, &root.join("homes")).is_ok());
        assert!(apart(&source, &root.join("new/deep")).is_ok());
    }
}
