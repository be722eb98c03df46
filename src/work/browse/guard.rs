//! What is never moved to the trash, where the trash is, and what is said before a whole folder goes.

use std::path::{Path, PathBuf};

use crate::core::error::{Error, Kind, Result};
use crate::core::habits::{Git, Remotes};
use crate::core::spot::Spot;
use crate::port::{Entry, Files, Host};
use crate::text::{printable, printable_path};

/// Refuses what nobody wants to lose by a slip: the root, a home, what is mounted, what others work in.
pub(super) fn refuse(entry: &Entry, full: &Path, host: &Host, mounted: &[PathBuf]) -> Result<()> {
    let no = |why: &str| {
        Err(Error::new(Kind::Refused, format!("{} is not moved to the trash: {why}", printable_path(full))))
    };
    if full == Path::new("/") {
        return no("it is the root of this machine");
    }
    if host.home.as_deref().is_some_and(|home| home.starts_with(full)) {
        return no("it is your home or holds it");
    }
    if entry.mount {
        return no("something is mounted there");
    }
    if let Some(mount) = mounted.iter().find(|mount| mount.starts_with(full)) {
        return no(&format!("a workspace has {} mounted", printable_path(mount)));
    }
    Ok(())
}

/// The same entry beneath the highest folder on its file system that this user may write to: there its
/// trash is, so that moving it there is a rename. Never above a home it lies in, nor above `limit`.
pub(super) fn beneath_its_trash(
    files: &dyn Files,
    full: &Path,
    entry: &Entry,
    limit: Option<&Path>,
    host: &Host,
) -> Result<Spot> {
    let mut tops: Vec<&Path> = full.ancestors().skip(1).collect();
    tops.retain(|top| limit.is_none_or(|limit| top.starts_with(limit)));
    if let Some(home) = host.home.as_deref().filter(|home| full.starts_with(home)) {
        tops.retain(|top| top.starts_with(home));
    }
    let mut reason = None;
    let mut found = None;
    // From the entry upwards, to the last one on its file system.
    for top in tops {
        let Some(itself) = Spot::new(top, Path::new("")) else { break };
        let on_its_disk = files
            .entry(&itself)
            .ok()
            .flatten()
            .is_some_and(|folder| folder.identity.device == entry.identity.device);
        if !on_its_disk {
            break;
        }
        match files.list(&itself, 0) {
            Ok(listing) if listing.fixed.is_none() => found = Some(top),
            Ok(listing) => reason = reason.or(listing.fixed),
            Err(error) => reason = reason.or(Some(error.message)),
        }
    }
    let spot = found.and_then(|top| Spot::new(top, full.strip_prefix(top).ok()?));
    spot.ok_or_else(|| {
        let why = reason.unwrap_or_else(|| "it is the top of its file system".into());
        Error::new(
            Kind::NotPermitted,
            format!("there is no place for a trash beside {}: {why}", printable_path(full)),
        )
    })
}

/// What git says about a folder, in one line.
pub(crate) fn git_words(git: &Git) -> String {
    let state = match git {
        Git::Read(state) => state,
        Git::NotARepository => return "git: it is no repository, so nothing of it is anywhere else".into(),
        Git::NotInstalled => return "git: not known, git is not installed here".into(),
        Git::NotRead(why) => return format!("git: not known, {}", printable(why)),
    };
    let mut lacks = Vec::new();
    if !state.commits {
        lacks.push("nothing is committed".to_owned());
    }
    if state.uncommitted > 0 {
        lacks.push(format!("{} not committed", counted(state.uncommitted, "change")));
    }
    if let Some(untracked) = state.untracked.filter(|untracked| untracked.files > 0) {
        lacks.push(format!("{} not in git", counted(untracked.files, "file")));
    }
    if state.stashes > 0 {
        lacks.push(format!("{} put aside", counted(state.stashes, "change")));
    }
    match state.remotes {
        Remotes::None => lacks.push("no remote".into()),
        _ if state.unpushed > 0 => lacks.push(format!("{} not pushed", counted(state.unpushed, "commit"))),
        _ => {}
    }
    if lacks.is_empty() { "git: all committed and pushed".into() } else { format!("git: {}", lacks.join(", ")) }
}

/// A number with its word.
pub(super) fn counted(many: u64, what: &str) -> String {
    let ending = if many == 1 { "" } else { "s" };
    format!("{many} {what}{ending}")
}
