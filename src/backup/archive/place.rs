//! Moves what was made ready to where it belongs. Nothing that is newer is overwritten, and what is
//! older is moved aside, not away.

use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, Statx, openat, renameat, renameat_with, unlinkat,
};
use rustix::io::{Errno, Result};

use super::{folders, source};
use crate::port::archive::{Missed, Restored};
use crate::scan::{self, Root};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Moves the content of one folder into another on the same disk.
pub(super) struct Place<'p> {
    /// Where older files go; made when the first one does.
    aside: PathBuf,
    merge: bool,
    restored: &'p mut Restored,
    old: Option<Root>,
}

impl<'p> Place<'p> {
    pub(super) const fn new(aside: PathBuf, merge: bool, restored: &'p mut Restored) -> Self {
        Self { aside, merge, restored, old: None }
    }

    pub(super) fn all(&mut self, from: &Path, to: &Path) -> Result<()> {
        let from = openat(CWD, from, FOLDER, Mode::empty())?;
        let to = openat(CWD, to, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        // One pair of open folders for each level: an archive may be deep, a person's merge is not.
        let mut pending = vec![(from, to, PathBuf::new())];
        while let Some((from, to, relative)) = pending.pop() {
            for name in source::names(from.as_fd())? {
                if let Some(both) = self.one(&from, &to, &relative, &name)? {
                    pending.push(both);
                }
            }
        }
        Ok(())
    }

    /// Moves one entry; where both are folders, they are the answer.
    fn one(
        &mut self,
        from: &OwnedFd,
        to: &OwnedFd,
        relative: &Path,
        name: &OsStr,
    ) -> Result<Option<(OwnedFd, OwnedFd, PathBuf)>> {
        let Some(c_name) = source::c_name(name) else { return Ok(None) };
        let path = relative.join(name);
        match move_new(from.as_fd(), to.as_fd(), &c_name) {
            Err(Errno::EXIST) => {}
            Err(Errno::XDEV) => {
                self.missed(path, "something else is mounted there");
                return Ok(None);
            }
            moved => return moved.map(|()| None),
        }
        let (new, old) = (source::look(from.as_fd(), &c_name)?, source::look(to.as_fd(), &c_name)?);
        let folder = |stat: &Statx| source::file_type(stat) == FileType::Directory;
        match (folder(&new), folder(&old)) {
            (true, true) => {
                let from = openat(from, &c_name, FOLDER, Mode::empty())?;
                let to = openat(to, &c_name, FOLDER, Mode::empty())?;
                Ok(Some((from, to, path)))
            }
            (false, false) if self.merge && newer(&new, &old) => {
                self.move_aside(to, &path, &c_name)?;
                move_new(from.as_fd(), to.as_fd(), &c_name).map(|()| None)
            }
            (false, false) if self.merge => {
                self.restored.newer.push(path);
                Ok(None)
            }
            _ => {
                let what = if folder(&old) { "a folder" } else { "something else" };
                self.missed(path, &format!("{what} of this name is there"));
                Ok(None)
            }
        }
    }

    fn move_aside(&mut self, to: &OwnedFd, relative: &Path, name: &CString) -> Result<()> {
        if self.old.is_none() {
            rustix::fs::mkdirat(CWD, &self.aside, Mode::RWXU)?;
            self.old = Some(Root::open(&self.aside)?);
            self.restored.replaced = Some(self.aside.clone());
        }
        let Some(old) = &self.old else { return Err(Errno::INVAL) };
        let (folder, _) = folders::make(old, relative.parent().unwrap_or(Path::new("")))?;
        renameat(to, name, folder, name)?;
        self.restored.replaced_files += 1;
        Ok(())
    }

    fn missed(&mut self, path: PathBuf, why: &str) {
        self.restored.missed.push(Missed { path, why: format!("was not put back: {why}") });
    }
}

/// Moves an entry to where none is.
fn move_new(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CString) -> Result<()> {
    match renameat_with(from, name, to, name, RenameFlags::NOREPLACE) {
        // Not every disk can do both in one.
        Err(Errno::INVAL | Errno::NOSYS) => match source::look(to, name) {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) => renameat(from, name, to, name),
            Err(reason) => Err(reason),
        },
        moved => moved,
    }
}

fn newer(new: &Statx, old: &Statx) -> bool {
    (new.stx_mtime.tv_sec, new.stx_mtime.tv_nsec) > (old.stx_mtime.tv_sec, old.stx_mtime.tv_nsec)
}

/// Removes a folder with all in it, following no link. What is not there is removed.
pub(super) fn remove(folder: &Path) -> std::io::Result<()> {
    // Folders that nobody may enter keep their content from being removed.
    open_up(folder);
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn open_up(folder: &Path) {
    let Ok(root) = Root::open(folder) else { return };
    let mut pending = vec![PathBuf::new()];
    while let Some(relative) = pending.pop() {
        let Ok(handle) = root.directory(&relative) else { continue };
        let _ = rustix::fs::fchmod(&handle, Mode::RWXU);
        for name in source::names(handle.as_fd()).unwrap_or_default() {
            let Some(c_name) = source::c_name(&name) else { continue };
            let stat = source::look(handle.as_fd(), &c_name);
            if stat.is_ok_and(|stat| source::file_type(&stat) == FileType::Directory) {
                let _ = rustix::fs::chmodat(&handle, name.as_bytes(), Mode::RWXU, AtFlags::empty());
                pending.push(relative.join(name));
            }
        }
    }
}

/// Whether a folder is empty, as far as restoring goes; what else is in it is the answer.
pub(super) fn first_entry(folder: &Path) -> std::io::Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !crate::core::archive::COUNT_AS_EMPTY.iter().any(|known| name == *known) {
            return Ok(Some(name.into()));
        }
    }
    Ok(None)
}

/// Removes one empty folder, where it is.
pub(super) fn remove_empty(folder: &Path) {
    let _ = unlinkat(CWD, folder, AtFlags::REMOVEDIR);
}

/// The reason in words.
pub(super) fn words(reason: Errno) -> String {
    scan::words(reason)
}
