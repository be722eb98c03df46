//! Copying a file or folder to where nothing is: owner, rights, times, attributes, links and holes
//! stay as they are. The copy grows under a name of its own and is moved into place when it is whole.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, RenameFlags, Statx, Timespec, Timestamps, Uid, chmod, chownat,
    lgetxattr, linkat, llistxattr, lsetxattr, makedev, mkdirat, mknodat, openat, readlinkat, renameat,
    renameat_with, symlinkat, utimensat,
};
use rustix::io::Errno;

use super::failure::{Tried, broken, changed, failed};
use super::held::{Held, at, identity, is_mount, kind, of, regular};
use super::list::each;
use super::stream::{self, Broken, Written};
use super::{erase, goal, unchanged};
use crate::core::error::{Error, Kind, Result};
use crate::core::spot::{FileAct, Spot};
use crate::port::{EntryKind, Job};
use crate::scan::Root;
use crate::text::printable_path;

/// Attributes longer than this are no file's.
const LONGEST_ATTRIBUTE: usize = 64 * 1024;
/// How attributes begin that belong to a layer and not to the person who wrote the file.
const LAYERED: [&[u8]; 3] = [b"trusted.overlay.", b"user.overlay.", b"user.fuseoverlayfs."];

/// Copies what was seen to where nothing is.
pub(super) fn copy(act: &FileAct, job: &Job) -> Result<()> {
    let goal = goal(act)?;
    if goal.is_within(&act.from) {
        let place = act.from.full();
        return Err(Error::new(
            Kind::Usage,
            format!("{} cannot be copied into itself", printable_path(&place)),
        ));
    }
    let from = Held::open(&act.from)?;
    let Some(stat) = from.stat().map_err(|why| failed("look at", &act.from, why))? else {
        return Err(changed(&act.from, "it is gone"));
    };
    unchanged(act, &identity(&stat))?;
    let to = Held::open(goal)?;
    if to.stat().map_err(|why| failed("look at", goal, why))?.is_some() {
        return Err(failed("write", goal, Errno::EXIST));
    }
    let part = part(act)?;
    if Held::open(&part)?.stat().map_err(|why| failed("look at", &part, why))?.is_some() {
        return Err(failed("write", &part, Errno::EXIST));
    }
    let copied = Copying::new(act.from.clone(), part.clone(), job).run(&stat);
    let placed = copied.and_then(|()| {
        let part = Held::open(&part)?;
        into_place(&part, &to).map_err(|why| failed("write", goal, why))?;
        to.sync();
        Ok(())
    });
    if placed.is_err() {
        // The first thing that went wrong is what counts.
        let _ = erase::erase(&part, &Job::default());
    }
    placed
}

pub(super) fn into_place(part: &Held, to: &Held) -> Tried<()> {
    match renameat_with(part.folder(), &part.name, to.folder(), &to.name, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) => {}
        moved => return moved,
    }
    if to.stat()?.is_some() {
        return Err(Errno::EXIST);
    }
    renameat(part.folder(), &part.name, to.folder(), &to.name)
}

/// Takes a copy back that was cut off; whether there was none left to take back.
pub(super) fn settle(act: &FileAct) -> Result<bool> {
    let part = part(act)?;
    if super::held::entry(&part)?.is_some() {
        erase::erase(&part, &Job::default())?;
        return Ok(false);
    }
    Ok(super::held::entry(goal(act)?)?.is_some())
}

/// Where a copy grows, beside its goal.
fn part(act: &FileAct) -> Result<Spot> {
    let goal = goal(act)?;
    let above = goal.above().ok_or_else(|| failed("write", goal, Errno::EXIST))?;
    above
        .join(OsStr::new(&format!(".outlast-{}.part", act.key)))
        .ok_or_else(|| failed("write", goal, Errno::INVAL))
}

/// A copy that goes on.
pub(super) struct Copying<'a> {
    pub(super) from: Spot,
    pub(super) to: Spot,
    /// Files with several names, and where the copy has them.
    links: HashMap<(u64, u64), PathBuf>,
    /// Files to be read again later, where that is not done with each of them.
    pub(super) later: Option<Vec<(Written, Spot)>>,
    job: &'a Job,
}

impl<'a> Copying<'a> {
    pub(super) fn new(from: Spot, to: Spot, job: &'a Job) -> Self {
        Self { from, to, links: HashMap::new(), later: None, job }
    }

    fn run(&mut self, first: &Statx) -> Result<()> {
        if kind(first) != EntryKind::Folder {
            let (from, to) = (Held::open(&self.from)?, Held::open(&self.to)?);
            return self.one(from.folder(), &from.name, to.folder(), &to.name, Path::new(""), first);
        }
        let (source, target) = (root(&self.from)?, root(&self.to)?);
        // Folders get their rights and times when they are full: what is put in changes the times.
        let mut made: Vec<(PathBuf, Statx)> = Vec::new();
        let mut waiting = vec![(PathBuf::new(), *first)];
        while let Some((path, stat)) = waiting.pop() {
            self.job.advance(0)?;
            let (there, here) = (self.to.path.join(&path), self.from.path.join(&path));
            make_folder(&target, &there).map_err(|why| failed("write", &beneath(&self.to, &path), why))?;
            let shown = beneath(&self.from, &path);
            let read = |why| failed("read", &shown, why);
            let from = source.directory(&here).map_err(read)?;
            let to = target.directory(&there).map_err(|why| failed("write", &beneath(&self.to, &path), why))?;
            made.push((path.clone(), stat));
            let mut names = Vec::new();
            each(from.as_fd(), |name| {
                names.push(name.to_os_string());
                true
            })
            .map_err(read)?;
            for name in names {
                let Some(stat) = at(from.as_fd(), &name).map_err(read)? else { continue };
                let below = path.join(&name);
                if kind(&stat) != EntryKind::Folder {
                    self.one(from.as_fd(), &name, to.as_fd(), &name, &below, &stat)?;
                } else if !is_mount(&stat) {
                    waiting.push((below, stat));
                }
            }
        }
        for (path, stat) in made.into_iter().rev() {
            let (from, to) = (self.source(&path)?, self.target(&path)?);
            self.dress(from.folder(), &from.name, to.folder(), &to.name, &path, &stat)?;
        }
        Ok(())
    }

    fn source(&self, path: &Path) -> Result<Held> {
        Held::open(&beneath(&self.from, path))
    }

    fn target(&self, path: &Path) -> Result<Held> {
        Held::open(&beneath(&self.to, path))
    }

    /// Copies anything but a folder.
    pub(super) fn one(
        &mut self,
        from: BorrowedFd<'_>,
        name: &OsStr,
        to: BorrowedFd<'_>,
        new: &OsStr,
        path: &Path,
        stat: &Statx,
    ) -> Result<()> {
        let write = |copying: &Self, why| failed("write", &beneath(&copying.to, path), why);
        let own = identity(stat);
        if stat.stx_nlink > 1 {
            if let Some(first) = self.links.get(&(own.device, own.inode)) {
                let first = self.target(first)?;
                return linkat(first.folder(), &first.name, to, new, AtFlags::empty())
                    .map_err(|why| write(self, why));
            }
            self.links.insert((own.device, own.inode), path.into());
        }
        match kind(stat) {
            EntryKind::File => self.content(from, name, to, new, path)?,
            EntryKind::Link => {
                let target = readlinkat(from, name, Vec::new())
                    .map_err(|why| failed("read", &beneath(&self.from, path), why))?;
                symlinkat(target, to, new).map_err(|why| write(self, why))?;
            }
            EntryKind::Folder | EntryKind::Special => {
                let mode = u32::from(stat.stx_mode);
                let device = makedev(stat.stx_rdev_major, stat.stx_rdev_minor);
                mknodat(to, new, FileType::from_raw_mode(mode), Mode::RUSR | Mode::WUSR, device)
                    .map_err(|why| write(self, why))?;
            }
        }
        self.dress(from, name, to, new, path, stat)
    }

    fn content(
        &mut self,
        from: BorrowedFd<'_>,
        name: &OsStr,
        to: BorrowedFd<'_>,
        new: &OsStr,
        path: &Path,
    ) -> Result<()> {
        let (source, target) = (beneath(&self.from, path), beneath(&self.to, path));
        let mut content = regular(from, name).map_err(|why| failed("read", &source, why))?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle =
            openat(to, new, flags, Mode::RUSR | Mode::WUSR).map_err(|why| failed("write", &target, why))?;
        let done = match &mut self.later {
            None => stream::copy(&mut content, handle.into(), self.job),
            Some(later) => stream::write(&mut content, handle.into(), self.job)
                .map(|written| later.push((written, target.clone()))),
        };
        done.map_err(|why| told(why, &source, &target))
    }

    /// Gives a copy the attributes, the owner, the rights and the times of what it was made from.
    pub(super) fn dress(
        &self,
        from: BorrowedFd<'_>,
        name: &OsStr,
        to: BorrowedFd<'_>,
        new: &OsStr,
        path: &Path,
        stat: &Statx,
    ) -> Result<()> {
        let write = |why| failed("write", &beneath(&self.to, path), why);
        let owned = chownat(
            to,
            new,
            Some(Uid::from_raw(stat.stx_uid)),
            Some(Gid::from_raw(stat.stx_gid)),
            AtFlags::SYMLINK_NOFOLLOW,
        );
        // Only root gives files away: for everybody else the copy is their own.
        let kept = match owned {
            Ok(()) => true,
            Err(Errno::PERM | Errno::INVAL) => false,
            Err(why) => return Err(write(why)),
        };
        attributes(from, name, to, new, self.later.is_some());
        if kind(stat) != EntryKind::Link {
            // Whoever owns it now never gave it the right to act as somebody else.
            let mode = if kept { stat.stx_mode & 0o7777 } else { stat.stx_mode & 0o1777 };
            set_mode(to, new, Mode::from_raw_mode(u32::from(mode))).map_err(write)?;
        }
        let time = |seconds, nanos: u32| Timespec { tv_sec: seconds, tv_nsec: nanos.into() };
        let times = Timestamps {
            last_access: time(stat.stx_atime.tv_sec, stat.stx_atime.tv_nsec),
            last_modification: time(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
        };
        utimensat(to, new, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(write)
    }
}

/// Why a file was not copied, in words.
pub(super) fn told(why: Broken, source: &Spot, target: &Spot) -> Error {
    match why {
        Broken::Read(why) => broken("read", source, &why),
        Broken::Write(why) => broken("write", target, &why),
        Broken::Changed => changed(source, "it was changed while it was read"),
        Broken::Differs => {
            let place = target.full();
            let message = format!(
                "{} reads differently from what was written: the disk is faulty",
                printable_path(&place)
            );
            Error::new(Kind::Failed, message)
        }
        Broken::Stopped(told) => told,
    }
}

/// A spot beneath another.
pub(super) fn beneath(spot: &Spot, path: &Path) -> Spot {
    let path = if path.as_os_str().is_empty() { spot.path.clone() } else { spot.path.join(path) };
    Spot { root: spot.root.clone(), path }
}

pub(super) fn root(spot: &Spot) -> Result<Root> {
    Root::open(&spot.root).map_err(|why| failed("open", spot, why))
}

fn make_folder(root: &Root, path: &Path) -> Tried<()> {
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else { return Err(Errno::EXIST) };
    mkdirat(root.directory(above)?, name, Mode::RWXU)
}

/// Sets the rights of what is there and no link: by a handle, so that nothing put in its place gets them.
fn set_mode(folder: BorrowedFd<'_>, name: &OsStr, mode: Mode) -> Tried<()> {
    let handle = openat(folder, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    if kind(&of(&handle)?) == EntryKind::Link {
        return Err(Errno::LOOP);
    }
    chmod(format!("/proc/self/fd/{}", handle.as_raw_fd()), mode)
}

/// Copies the attributes that this user may see and set; others stay behind, as with `cp -a`.
/// `own` leaves out what only tells how a layer lies over another.
fn attributes(from: BorrowedFd<'_>, name: &OsStr, to: BorrowedFd<'_>, new: &OsStr, own: bool) {
    // By way of our own open folders: the last component is not followed.
    let by_handle = |folder: BorrowedFd<'_>, name: &OsStr| {
        let mut path = OsString::from(format!("/proc/self/fd/{}/", folder.as_raw_fd()));
        path.push(name);
        PathBuf::from(path)
    };
    let (from, to) = (by_handle(from, name), by_handle(to, new));
    let mut names = vec![0_u8; LONGEST_ATTRIBUTE];
    let Ok(length) = llistxattr(&from, &mut names) else { return };
    for name in names.get(..length).unwrap_or_default().split(|byte| *byte == 0).filter(|name| !name.is_empty())
    {
        if own && LAYERED.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        let mut value = vec![0_u8; LONGEST_ATTRIBUTE];
        if let Ok(length) = lgetxattr(&from, name, &mut value) {
            let value = value.get(..length).unwrap_or_default();
            let _ = lsetxattr(&to, name, value, rustix::fs::XattrFlags::empty());
        }
    }
}
