//! The trash of a folder: `.Trash-UID` at its top, as the freedesktop specification has it, so that
//! other programs find it too. It lies on the folder's own mount: moving there is a rename.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use super::failure::{Tried, failed};
use super::held::{Held, of};
use super::{erase, goal, moves, unchanged};
use crate::core::error::{Error, Kind, Result};
use crate::core::spot::{FileAct, Spot, Trashed};
use crate::port::Job;
use crate::text::printable_path;

/// Moves an entry to the trash.
pub(super) fn put(act: &FileAct) -> Result<()> {
    let (goal, record) = (goal(act)?, record(act)?);
    if goal.path.starts_with(&act.from.path) || act.from.path.starts_with(top(goal)) {
        let place = act.from.full();
        return Err(Error::new(Kind::Refused, format!("{} is the trash", printable_path(&place))));
    }
    prepare(goal)?;
    let to = Held::open(goal)?;
    let from = Held::open(&act.from)?;
    let info = write_info(goal, record)?;
    moves::go(act, &from, &to).inspect_err(|_| forget(&info))
}

/// Moves an entry from the trash to where it was.
pub(super) fn restore(act: &FileAct) -> Result<()> {
    moves::rename(act)?;
    forget_info(&act.from);
    Ok(())
}

/// Erases an entry in the trash.
pub(super) fn erase(act: &FileAct, job: &Job) -> Result<()> {
    in_the_trash(&act.from)?;
    let now = Held::open(&act.from)?.identity().map_err(|why| failed("look at", &act.from, why))?;
    if let Some(now) = now {
        unchanged(act, &now)?;
        erase::erase(&act.from, job)?;
    }
    forget_info(&act.from);
    Ok(())
}

/// Whether it came to the trash; where it did not, nothing is left of the try.
pub(super) fn settle_put(act: &FileAct) -> Result<bool> {
    let arrived = moves::arrived(act)?;
    if !arrived {
        forget_info(goal(act)?);
    }
    Ok(arrived)
}

/// Whether it came back; where it did, the trash forgets it.
pub(super) fn settle_restore(act: &FileAct) -> Result<bool> {
    let arrived = moves::arrived(act)?;
    if arrived {
        forget_info(&act.from);
    }
    Ok(arrived)
}

/// Goes on erasing: what is half gone is of no use to anybody.
pub(super) fn settle_erase(act: &FileAct) -> Result<bool> {
    in_the_trash(&act.from)?;
    if super::held::entry(&act.from)?.is_some_and(|entry| entry.identity.is_same(&act.seen)) {
        erase::erase(&act.from, &Job::default())?;
    }
    forget_info(&act.from);
    Ok(true)
}

/// Only what lies in a trash is ever erased.
fn in_the_trash(spot: &Spot) -> Result<()> {
    let mut parts = spot.path.iter();
    let inside = parts.next().is_some_and(|top| top.as_bytes().starts_with(b".Trash-"))
        && parts.next().is_some_and(|files| files == "files")
        && parts.next().is_some()
        && parts.next().is_none();
    if inside {
        return Ok(());
    }
    let place = spot.full();
    Err(Error::new(Kind::Refused, format!("{} is not in the trash", printable_path(&place))))
}

fn record(act: &FileAct) -> Result<&Trashed> {
    act.trashed
        .as_ref()
        .ok_or_else(|| Error::new(Kind::Failed, "the plan does not say what the trash is to remember"))
}

/// The trash that a spot lies in, beneath its root.
fn top(goal: &Spot) -> PathBuf {
    goal.path.iter().next().map(PathBuf::from).unwrap_or_default()
}

/// Makes the trash where it is missing, for its owner's eyes only. One that is somebody else's, or a
/// link, is not used.
fn prepare(goal: &Spot) -> Result<()> {
    let trash = Spot { root: goal.root.clone(), path: top(goal) };
    let refuse = |why| failed("use the trash", &trash, why);
    let held = Held::open(&trash)?;
    make(&held).map_err(refuse)?;
    let folder = folder(&held).map_err(refuse)?;
    let stat = of(&folder).map_err(refuse)?;
    let ours = stat.stx_uid == rustix::process::geteuid().as_raw() && stat.stx_mode & 0o022 == 0;
    if !ours {
        let place = trash.full();
        return Err(Error::new(
            Kind::Refused,
            format!("the trash {} belongs to somebody else or is open to others", printable_path(&place)),
        )
        .hint("remove it, or let its owner do this"));
    }
    for part in ["files", "info"] {
        let below = Spot { root: goal.root.clone(), path: trash.path.join(part) };
        let held = Held::open(&below)?;
        make(&held).and_then(|()| folder_alone(&held)).map_err(|why| failed("use the trash", &below, why))?;
    }
    held.sync();
    Ok(())
}

fn make(held: &Held) -> Tried<()> {
    match mkdirat(held.folder(), &held.name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(why) => Err(why),
    }
}

fn folder(held: &Held) -> Tried<std::os::fd::OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(held.folder(), &held.name, flags, Mode::empty())
}

fn folder_alone(held: &Held) -> Tried<()> {
    folder(held).map(drop)
}

/// Where the trash keeps what it knows of an entry.
fn info_of(goal: &Spot) -> Spot {
    let mut name = goal.name().map(OsStr::to_os_string).unwrap_or_default();
    name.push(".trashinfo");
    Spot { root: goal.root.clone(), path: top(goal).join("info").join(name) }
}

/// Writes down where an entry comes from, before it goes.
fn write_info(goal: &Spot, record: &Trashed) -> Result<Spot> {
    let info = info_of(goal);
    let refuse = |why| failed("write", &info, why);
    let held = Held::open(&info)?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = openat(held.folder(), &held.name, flags, Mode::RUSR | Mode::WUSR).map_err(refuse)?;
    let mut file = File::from(handle);
    let text = format!(
        "[Trash Info]\nPath={}\nDeletionDate={}\n",
        encoded(&record.from.path),
        record.at.strftime("%Y-%m-%dT%H:%M:%S")
    );
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if let Err(why) = written {
        forget(&info);
        return Err(super::failure::broken("write", &info, &why));
    }
    held.sync();
    Ok(info)
}

fn forget_info(goal: &Spot) {
    forget(&info_of(goal));
}

/// What is not known to the trash any more. Where it cannot be removed it misleads nobody: there is
/// no entry of that name.
fn forget(info: &Spot) {
    if let Ok(held) = Held::open(info) {
        let _ = unlinkat(held.folder(), &held.name, AtFlags::empty());
    }
}

/// A path as the specification wants it: all bytes but the plain ones as %XX.
fn encoded(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
