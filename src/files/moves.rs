//! Moving an entry within its mount: never onto anything, and never another entry than was meant.

use rustix::fs::{AtFlags, RenameFlags, linkat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::failure::{Tried, changed, failed};
use super::held::{Held, identity, is_mount, kind};
use super::{goal, unchanged};
use crate::core::error::{Error, Kind, Result};
use crate::core::spot::{FileAct, Spot};
use crate::port::EntryKind;
use crate::text::printable_path;

/// Gives an entry another name.
pub(super) fn rename(act: &FileAct) -> Result<()> {
    let to = Held::open(goal(act)?)?;
    go(act, &Held::open(&act.from)?, &to)
}

/// Moves what was seen from one open folder to another.
pub(super) fn go(act: &FileAct, from: &Held, to: &Held) -> Result<()> {
    let goal = goal(act)?;
    let (source, target) = (act.from.full(), goal.full());
    if act.from.is_root() {
        return Err(Error::new(
            Kind::Refused,
            format!("{} is the folder itself, not something in it", printable_path(&source)),
        ));
    }
    if target != source && target.starts_with(&source) {
        return Err(Error::new(Kind::Usage, format!("{} cannot go into itself", printable_path(&source))));
    }
    let Some(stat) = from.stat().map_err(|why| failed("look at", &act.from, why))? else {
        return Err(changed(&act.from, "it is gone"));
    };
    unchanged(act, &identity(&stat))?;
    if is_mount(&stat) {
        return Err(failed("move", &act.from, Errno::BUSY));
    }
    let folder = kind(&stat) == EntryKind::Folder;
    move_alone(from, to, folder).map_err(|why| match why {
        Errno::NOENT => changed(&act.from, "it is gone"),
        Errno::EXIST | Errno::NOTEMPTY => failed("write", goal, why),
        why => failed("move", &act.from, why),
    })?;
    let arrived = to.identity().map_err(|why| failed("look at", goal, why))?;
    if !arrived.is_some_and(|arrived| arrived.is_same(&act.seen)) {
        // Something else was put there between the look and the move: it goes back.
        let _ = move_alone(to, from, folder);
        return Err(changed(&act.from, "it was replaced while it was moved"));
    }
    to.sync();
    from.sync();
    Ok(())
}

/// A rename onto nothing. Where the file system cannot promise that, a file is linked to its new name
/// first; a folder can replace nothing but an empty folder.
fn move_alone(from: &Held, to: &Held, folder: bool) -> Tried<()> {
    match renameat_with(from.folder(), &from.name, to.folder(), &to.name, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => {}
        moved => return moved,
    }
    if to.stat()?.is_some() {
        return Err(Errno::EXIST);
    }
    if folder {
        return renameat(from.folder(), &from.name, to.folder(), &to.name);
    }
    linkat(from.folder(), &from.name, to.folder(), &to.name, AtFlags::empty())?;
    unlinkat(from.folder(), &from.name, AtFlags::empty())
}

/// Whether what was seen is where it was to go.
pub(super) fn arrived(act: &FileAct) -> Result<bool> {
    let goal = goal(act)?;
    let there = super::held::entry(goal)?;
    let arrived = there.is_some_and(|entry| entry.identity.is_same(&act.seen));
    if arrived {
        // A move by two names may have been cut off between them.
        let here = super::held::entry(&act.from)?;
        if here.is_some_and(|entry| entry.identity.is_same(&act.seen) && entry.kind != EntryKind::Folder)
            && act.from != *goal
        {
            let held = Held::open(&act.from)?;
            unlinkat(held.folder(), &held.name, AtFlags::empty())
                .map_err(|why| failed("finish moving", &act.from, why))?;
        }
    }
    Ok(arrived)
}

/// Puts a folder in the place of another, in one step; then that one is erased.
pub(super) fn put_back(new: &Spot, place: &Spot) -> Result<()> {
    let (from, to) = (Held::open(new)?, Held::open(place)?);
    renameat_with(from.folder(), &from.name, to.folder(), &to.name, RenameFlags::EXCHANGE)
        .map_err(|why| failed("put back", place, why))?;
    to.sync();
    super::erase::erase(new, &crate::port::Job::default())
}
