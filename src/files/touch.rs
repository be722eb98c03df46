//! A small file that says something by being there: made or given a new time, as its folder's owner.

use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, Uid, fchown, futimens, openat, unlinkat,
};
use rustix::io::Errno;

use super::failure::failed;
use super::held::{Held, kind, of};
use crate::core::error::Result;
use crate::core::spot::Spot;
use crate::port::EntryKind;

/// Makes an empty file, or gives the one that is there the time of now. Follows no link.
pub(super) fn touch(spot: &Spot) -> Result<()> {
    let write = |why| failed("write", spot, why);
    let held = Held::open(spot)?;
    let is_new = held.stat().map_err(write)?.is_none();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(held.folder(), &held.name, flags, Mode::from_raw_mode(0o644)).map_err(write)?;
    let stat = of(&file).map_err(write)?;
    if kind(&stat) != EntryKind::File {
        return Err(write(Errno::INVAL));
    }
    if is_new {
        let folder = of(held.folder()).map_err(write)?;
        let owner = (Some(Uid::from_raw(folder.stx_uid)), Some(Gid::from_raw(folder.stx_gid)));
        // Only root gives files away; for everybody else it is their own.
        match fchown(&file, owner.0, owner.1) {
            Err(Errno::PERM) | Ok(()) => {}
            Err(why) => return Err(write(why)),
        }
    }
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    futimens(&file, &Timestamps { last_access: now, last_modification: now }).map_err(write)?;
    held.sync();
    Ok(())
}

/// Removes a regular file; nothing there is fine.
pub(super) fn remove(spot: &Spot) -> Result<()> {
    let refuse = |why| failed("remove", spot, why);
    let held = Held::open(spot)?;
    match held.stat().map_err(refuse)? {
        None => Ok(()),
        Some(stat) if kind(&stat) == EntryKind::File => {
            unlinkat(held.folder(), &held.name, AtFlags::empty()).map_err(refuse)?;
            held.sync();
            Ok(())
        }
        Some(_) => Err(refuse(Errno::INVAL)),
    }
}
