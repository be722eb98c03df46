//! Rescue: many files copied to where they are kept. They are written in lots, each lot is brought to
//! the disk, read again, and only then moved to its place; nothing that is there is replaced.
//!
//! What is whole in its place stays there, whenever this ends: done once more, it goes on from there.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, Statx, Uid, chownat, linkat, mkdirat, readlinkat, syncfs};
use rustix::io::Errno;

use super::copy::{Copying, beneath, into_place, root, told};
use super::erase;
use super::failure::{Tried, failed};
use super::held::{Held, identity, is_mount, kind, regular};
use super::list::each;
use super::stream;
use crate::core::error::{Error, Kind, Result};
use crate::core::rescue::{Lot, Rescue, Rescued};
use crate::core::spot::Spot;
use crate::port::{EntryKind, Job};
use crate::scan::Root;

/// Files that are brought to the disk together.
const FILES: usize = 256;
/// Bytes that are brought to the disk together.
const BYTES: u64 = 64 << 20;
/// What layers call the marks of folders that hide all beneath.
const OPAQUE: [&str; 2] = [".wh..wh..opq", ".wh..opq"];
/// Why a file stays where it is.
const TAKEN: &str = "something else is there already, and nothing is overwritten";

/// Copies files to where they are kept.
pub(super) fn rescue(what: &Rescue, job: &Job) -> Result<Rescued> {
    let goal = root(&Spot { root: what.to.root.clone(), path: PathBuf::new() })?;
    folders(&goal, &what.to, what.owner)?;
    let part = part(what)?;
    // Nobody but this very act has a folder of this name.
    erase::erase(&part, &Job::default())?;
    make(&goal, &part)?;
    let mut all = Rescued::default();
    let mut done = Ok(());
    for lot in &what.lots {
        let mut lot = Moving::new(lot, what, &part, &goal, job)?;
        done = lot.run();
        all.files += lot.told.files;
        all.bytes += lot.told.bytes;
        all.there += lot.told.there;
        all.missing.count += lot.told.missing.count;
        all.missing.first.append(&mut lot.told.missing.first);
        if done.is_err() {
            break;
        }
    }
    let cleared = erase::erase(&part, &Job::default());
    if let Ok(folder) = goal.directory(&what.to.path) {
        let _ = syncfs(&folder);
    }
    done.and(cleared).map(|()| all)
}

/// Takes away what was not finished.
pub(super) fn settle(what: &Rescue) -> Result<()> {
    match super::held::entry(&what.to)? {
        Some(_) => erase::erase(&part(what)?, &Job::default()),
        None => Ok(()),
    }
}

/// Where files grow, beside their goals.
fn part(what: &Rescue) -> Result<Spot> {
    what.to
        .join(OsStr::new(&format!(".outlast-{}.part", what.key)))
        .ok_or_else(|| failed("write", &what.to, Errno::INVAL))
}

fn make(goal: &Root, folder: &Spot) -> Result<()> {
    let write = |why| failed("make", folder, why);
    let (Some(above), Some(name)) = (folder.path.parent(), folder.name()) else { return Ok(()) };
    let above = goal.directory(above).map_err(write)?;
    mkdirat(&above, name, Mode::RWXU).map_err(write)
}

/// Makes a folder and those above it, as their owner's.
fn folders(goal: &Root, to: &Spot, owner: Option<(u32, u32)>) -> Result<()> {
    let mut path = PathBuf::new();
    for name in &to.path {
        let write = |why| failed("make", to, why);
        let above = goal.directory(&path).map_err(write)?;
        match mkdirat(&above, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => {
                if let Some((user, group)) = owner {
                    let (user, group) = (Some(Uid::from_raw(user)), Some(Gid::from_raw(group)));
                    // Only root gives folders away.
                    let _ = chownat(&above, name, user, group, AtFlags::SYMLINK_NOFOLLOW);
                }
            }
            Err(Errno::EXIST) => {}
            Err(why) => return Err(write(why)),
        }
        path.push(name);
    }
    goal.directory(&path).map(drop).map_err(|why| failed("open", to, why))
}

/// One place whose files are on their way.
struct Moving<'a> {
    lot: &'a Lot,
    to: Spot,
    part: &'a Spot,
    source: Root,
    goal: &'a Root,
    copying: Copying<'a>,
    job: &'a Job,
    told: Rescued,
    /// What was written and is not in its place yet: its number, its goal, its bytes.
    written: Vec<(usize, PathBuf, u64)>,
    count: usize,
    bytes: u64,
    /// Files with several names, by where the first of them is.
    links: HashMap<(u64, u64), PathBuf>,
    /// Folders that were made here, the outer first.
    made: Vec<(PathBuf, Statx)>,
    known: HashSet<PathBuf>,
}

impl<'a> Moving<'a> {
    fn new(lot: &'a Lot, what: &Rescue, part: &'a Spot, goal: &'a Root, job: &'a Job) -> Result<Self> {
        let below = lot.below.strip_prefix("/").unwrap_or(&lot.below);
        let to = beneath(&what.to, below);
        folders(goal, &to, what.owner)?;
        let mut copying = Copying::new(lot.from.clone(), part.clone(), job);
        copying.later = Some(Vec::new());
        Ok(Self {
            lot,
            to,
            part,
            source: root(&lot.from)?,
            goal,
            copying,
            job,
            told: Rescued::default(),
            written: Vec::new(),
            count: 0,
            bytes: 0,
            links: HashMap::new(),
            made: Vec::new(),
            known: HashSet::new(),
        })
    }

    fn run(&mut self) -> Result<()> {
        for path in &self.lot.only {
            let path = path.strip_prefix("/").unwrap_or(path);
            self.lead_to(path)?;
            self.take(path.to_path_buf())?;
        }
        self.settle()?;
        // Folders get their rights and times when they are full: what is put in changes the times.
        for (path, stat) in std::mem::take(&mut self.made).into_iter().rev() {
            let from = Held::open(&beneath(&self.lot.from, &path))?;
            let to = Held::open(&beneath(&self.to, &path))?;
            self.copying.dress(from.folder(), &from.name, to.folder(), &to.name, &path, &stat)?;
        }
        Ok(())
    }

    /// The folders that lead to a path are made as they are in their place.
    fn lead_to(&mut self, path: &Path) -> Result<()> {
        let mut above = PathBuf::new();
        for name in path.parent().into_iter().flatten() {
            above.push(name);
            self.folder(&above)?;
        }
        Ok(())
    }

    fn folder(&mut self, path: &Path) -> Result<()> {
        if path.as_os_str().is_empty() || !self.known.insert(path.to_path_buf()) {
            return Ok(());
        }
        let Some(stat) = Held::open(&beneath(&self.lot.from, path))?.stat().ok().flatten() else {
            return Ok(());
        };
        let there = beneath(&self.to, path);
        let write = |why| failed("make", &there, why);
        let (Some(above), Some(name)) = (there.path.parent(), there.name()) else { return Ok(()) };
        let above = self.goal.directory(above).map_err(write)?;
        match mkdirat(&above, name, Mode::RWXU) {
            Ok(()) => self.made.push((path.to_path_buf(), stat)),
            Err(Errno::EXIST) => {}
            Err(why) => return Err(write(why)),
        }
        Ok(())
    }

    /// Takes an entry and all beneath it.
    fn take(&mut self, path: PathBuf) -> Result<()> {
        let mut waiting = vec![path];
        while let Some(path) = waiting.pop() {
            self.job.advance(0)?;
            let here = beneath(&self.lot.from, &path);
            let held = match Held::by_handle(&here) {
                Ok(held) => held,
                Err(why) => {
                    self.miss(&path, &failed("open", &here, why));
                    continue;
                }
            };
            match held.stat() {
                Ok(Some(stat)) if kind(&stat) == EntryKind::Folder => {
                    if !is_mount(&stat) || path.as_os_str().is_empty() {
                        self.folder(&path)?;
                        self.within(&path, &mut waiting);
                    }
                }
                Ok(Some(stat)) => self.one(held.folder(), &held.name, &path, &stat)?,
                Ok(None) => self.miss(&path, &failed("read", &here, Errno::NOENT)),
                Err(why) => self.miss(&path, &failed("look at", &here, why)),
            }
        }
        Ok(())
    }

    fn within(&mut self, path: &Path, waiting: &mut Vec<PathBuf>) {
        let names = self.source.directory(&self.lot.from.path.join(path)).and_then(|folder| {
            let mut names: Vec<OsString> = Vec::new();
            each(folder.as_fd(), |name| {
                names.push(name.to_os_string());
                true
            })?;
            Ok(names)
        });
        match names {
            Ok(names) => waiting.extend(names.into_iter().map(|name| path.join(name))),
            Err(why) => {
                let here = beneath(&self.lot.from, path);
                self.miss(path, &failed("list", &here, why));
            }
        }
    }

    /// Takes anything but a folder.
    fn one(&mut self, from: BorrowedFd<'_>, name: &OsStr, path: &Path, stat: &Statx) -> Result<()> {
        // A layer's words for "deleted" are no files.
        let device = (stat.stx_rdev_major, stat.stx_rdev_minor);
        let is_character = FileType::from_raw_mode(u32::from(stat.stx_mode)) == FileType::CharacterDevice;
        let says_so = stat.stx_size == 0 && OPAQUE.iter().any(|mark| name == *mark);
        if says_so || (is_character && device == (0, 0)) {
            return Ok(());
        }
        let there = beneath(&self.to, path);
        let own = identity(stat);
        let first = (stat.stx_nlink > 1).then(|| self.links.get(&(own.device, own.inode)).cloned()).flatten();
        let to = Held::open(&there)?;
        if let Some(present) = to.stat().map_err(|why| failed("look at", &there, why))? {
            if self.is_same(from, name, stat, &to, &present)? {
                self.told.there += 1;
                self.links.entry((own.device, own.inode)).or_insert_with(|| path.into());
            } else {
                self.told.missing.add(&self.shown(path), TAKEN);
            }
            return Ok(());
        }
        if let Some(first) = first {
            // Its first name may still be on its way.
            self.settle()?;
            let first = Held::open(&beneath(&self.to, &first))?;
            linkat(first.folder(), &first.name, to.folder(), &to.name, AtFlags::empty())
                .map_err(|why| failed("write", &there, why))?;
            self.told.files += 1;
            return Ok(());
        }
        let number = self.count;
        self.count += 1;
        let new = OsString::from(number.to_string());
        let folder = self.goal.directory(&self.part.path).map_err(|why| failed("open", self.part, why))?;
        match self.copying.one(from, name, folder.as_fd(), &new, path, stat) {
            Ok(()) => {}
            // What changes while it is read, or went away, is one file that is missing.
            Err(error) if error.kind == Kind::Refused || error.kind == Kind::NotFound => {
                self.miss(path, &error);
                let _ = rustix::fs::unlinkat(&folder, &new, AtFlags::empty());
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        if stat.stx_nlink > 1 {
            self.links.insert((own.device, own.inode), path.into());
        }
        let bytes = if kind(stat) == EntryKind::File { stat.stx_size } else { 0 };
        self.bytes += bytes;
        self.written.push((number, path.into(), bytes));
        if self.written.len() >= FILES || self.bytes >= BYTES { self.settle() } else { Ok(()) }
    }

    /// Whether what is there is the same file already, byte by byte.
    fn is_same(
        &self,
        from: BorrowedFd<'_>,
        name: &OsStr,
        stat: &Statx,
        to: &Held,
        present: &Statx,
    ) -> Result<bool> {
        if kind(stat) != kind(present) || stat.stx_size != present.stx_size {
            return Ok(false);
        }
        match kind(stat) {
            EntryKind::Link => {
                let target = |folder: BorrowedFd<'_>, name: &OsStr| readlinkat(folder, name, Vec::new()).ok();
                Ok(target(from, name) == target(to.folder(), &to.name))
            }
            EntryKind::File => {
                let (one, other) = (regular(from, name), regular(to.folder(), &to.name));
                let (Ok(mut one), Ok(mut other)) = (one, other) else { return Ok(false) };
                match stream::same(&mut one, &mut other, stat.stx_size, self.job) {
                    Err(stream::Broken::Stopped(told)) => Err(told),
                    same => Ok(same.unwrap_or(false)),
                }
            }
            EntryKind::Folder | EntryKind::Special => Ok(true),
        }
    }

    /// Brings to the disk what was written, reads it again, and moves it to its place.
    fn settle(&mut self) -> Result<()> {
        let write = |why: Errno| failed("write", &self.to, why);
        let folder = self.goal.directory(&self.part.path).map_err(write)?;
        syncfs(&folder).map_err(write)?;
        for (written, spot) in self.copying.later.as_mut().map(std::mem::take).unwrap_or_default() {
            written.check(self.job).map_err(|why| told(why, &spot, &spot))?;
        }
        for (number, path, bytes) in std::mem::take(&mut self.written) {
            let Some(part) = self.part.join(OsStr::new(&number.to_string())) else { continue };
            let there = beneath(&self.to, &path);
            match place(&part, &there) {
                Ok(()) => {
                    self.told.files += 1;
                    self.told.bytes += bytes;
                }
                Err(Errno::EXIST) => self.told.missing.add(&self.shown(&path), TAKEN),
                Err(why) => return Err(failed("write", &there, why)),
            }
        }
        self.bytes = 0;
        Ok(())
    }

    fn shown(&self, path: &Path) -> PathBuf {
        Path::new("/").join(&self.lot.below).join(path)
    }

    fn miss(&mut self, path: &Path, why: &Error) {
        let shown = self.shown(path);
        self.told.missing.add(&shown, why.message.clone());
    }
}

fn place(part: &Spot, there: &Spot) -> Tried<()> {
    into_place(&Held::by_handle(part)?, &Held::by_handle(there)?)
}
