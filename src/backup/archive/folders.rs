//! Folders beneath an open one: opened, and made where they are missing. No link on the way is followed.

use std::ffi::OsStr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, mkdirat};
use rustix::io::{Errno, Result};

use crate::scan::Root;

/// How folders begin: nobody else looks into what is not finished.
const OWN: Mode = Mode::RWXU;

/// Opens a folder beneath a root and makes what is missing on the way; the answer names what was made.
pub(super) fn make(root: &Root, relative: &Path) -> Result<(OwnedFd, Vec<PathBuf>)> {
    match root.directory(relative) {
        Err(Errno::NOENT) => {}
        opened => return Ok((opened?, Vec::new())),
    }
    let mut made = Vec::new();
    let mut at = PathBuf::new();
    let mut handle = root.directory(&at)?;
    for name in relative {
        at.push(name);
        if one(&handle, name)? {
            made.push(at.clone());
        }
        handle = root.directory(&at)?;
    }
    Ok((handle, made))
}

/// Makes one folder in an open one; whether it was not there yet.
pub(super) fn one(folder: &OwnedFd, name: &OsStr) -> Result<bool> {
    match mkdirat(folder.as_fd(), name, OWN) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(reason) => Err(reason),
    }
}
