//! The folder that a restore writes to: nobody takes it for the result before all is in it.

use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::core::error::{Error, Kind, Result};
use crate::text::printable_path;

/// Part of the name of a folder that is being written.
const MARK: &str = ".outlast-restore-";

/// A folder that is being written, locked for as long as somebody is at it.
#[derive(Debug)]
pub(super) struct Staging {
    path: PathBuf,
    handle: File,
    to: PathBuf,
    /// Whether the target was there, empty: then it is written into, since it may be a mount.
    within: bool,
}

impl Staging {
    /// Makes it beside the target, or within one that is there and empty.
    pub(super) fn begin(to: &Path) -> Result<Self> {
        let within = match fs::read_dir(to) {
            Ok(entries) => {
                sweep(to, MARK);
                let in_the_way = entries.flatten().map(|entry| entry.file_name());
                let mut in_the_way =
                    in_the_way.filter(|name| name != "lost+found" && to.join(name).symlink_metadata().is_ok());
                if let Some(name) = in_the_way.next() {
                    let inside = printable_path(Path::new(&name)).into_owned();
                    return Err(Error::new(
                        Kind::Refused,
                        format!("{} is not empty: {inside} is in it", printable_path(to)),
                    )
                    .hint("restore to a new folder, and move over what you want"));
                }
                true
            }
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(unusable(to, &error)),
        };
        let name = to.file_name().ok_or_else(|| {
            Error::new(Kind::Usage, format!("{} is no name of a new folder", printable_path(to)))
        })?;
        let (folder, start) = if within {
            (to.to_path_buf(), MARK.to_owned())
        } else {
            let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            // Cut, so that a long name is not made longer than names can be.
            let shown: String = name.to_string_lossy().chars().take(40).collect();
            let start = format!(".{shown}{MARK}");
            sweep(parent, &start);
            (parent.to_path_buf(), start)
        };
        let path = folder.join(format!("{start}{}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| unusable(to, &error))?;
        let opened = File::open(&path).and_then(|handle| match handle.try_lock() {
            Err(fs::TryLockError::Error(error)) if error.kind() != ErrorKind::Unsupported => Err(error),
            _ => Ok(handle),
        });
        match opened {
            Ok(handle) => {
                // What lies in a new folder must not get rights that the snapshot does not give it.
                let _ = rustix::fs::fremovexattr(&handle, "system.posix_acl_default");
                Ok(Self { path, handle, to: to.to_path_buf(), within })
            }
            Err(error) => {
                let _ = fs::remove_dir(&path);
                Err(unusable(to, &error))
            }
        }
    }

    /// The open folder.
    pub(super) const fn handle(&self) -> &File {
        &self.handle
    }

    /// Whether it becomes the target itself.
    pub(super) const fn is_whole(&self) -> bool {
        !self.within
    }

    /// Gives it its name. What came there meanwhile is left alone.
    pub(super) fn publish(self) -> Result<()> {
        if !self.within {
            return match rename(&self.path, &self.to) {
                Ok(()) => Ok(()),
                Err(error) => {
                    self.discard();
                    Err(error)
                }
            };
        }
        let moved = fs::read_dir(&self.path).map_err(|error| unusable(&self.to, &error)).and_then(|entries| {
            for entry in entries {
                let entry = entry.map_err(|error| unusable(&self.to, &error))?;
                rename(&entry.path(), &self.to.join(entry.file_name()))?;
            }
            Ok(())
        });
        // What was not moved is nowhere else, so it stays for the person to see.
        moved?;
        fs::remove_dir(&self.path).map_err(|error| unusable(&self.to, &error))
    }

    /// Takes everything back.
    pub(super) fn discard(&self) {
        open_up(&self.path);
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Gives something its name where nothing is.
fn rename(from: &Path, to: &Path) -> Result<()> {
    let renamed = match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems do not know how to refuse.
        Err(Errno::INVAL | Errno::NOSYS) if to.symlink_metadata().is_err() => rustix::fs::rename(from, to),
        renamed => renamed,
    };
    renamed.map_err(|error| match error {
        Errno::EXIST | Errno::NOTEMPTY => {
            Error::new(Kind::Refused, format!("{} came to be while the files were written", printable_path(to)))
                .hint("restore to another place")
        }
        error => unusable(to, &error.into()),
    })
}

/// Removes what killed restores left; one that somebody is still at is locked.
fn sweep(folder: &Path, start: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(start));
        let ours =
            number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let path = entry.path();
        if File::open(&path).is_ok_and(|handle| handle.try_lock().is_ok()) {
            open_up(&path);
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Folders that not even their owner may enter are opened up, so that they can be removed.
fn open_up(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if rustix::process::geteuid().is_root() {
        return;
    }
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(0o700));
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(
            entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
}

fn unusable(to: &Path, error: &std::io::Error) -> Error {
    let kind = if error.kind() == ErrorKind::PermissionDenied { Kind::NotPermitted } else { Kind::Failed };
    Error::new(kind, format!("{} cannot be written to: {error}", printable_path(to)))
        .hint("restore to a folder that you may make, below one that is there")
}

#[cfg(test)]
mod unit {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_new_folder_gets_its_name_when_all_is_in_it() {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("new");
        let staging = Staging::begin(&to).unwrap();
        fs::write(staging.path.join("a"), "x").unwrap();
        assert!(!to.exists());
        staging.publish().unwrap();
        assert_eq!((names(place.path()), names(&to)), (vec!["new".to_owned()], vec!["a".to_owned()]));
    }

    #[test]
    fn an_empty_folder_is_filled_and_one_that_is_not_empty_refused() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("lost+found")).unwrap();
        let staging = Staging::begin(place.path()).unwrap();
        fs::write(staging.path.join("a"), "x").unwrap();
        staging.publish().unwrap();
        assert_eq!(names(place.path()), ["a", "lost+found"]);
        let refused = Staging::begin(place.path()).unwrap_err();
        assert_eq!(refused.kind, Kind::Refused);
        assert_eq!(names(place.path()), ["a", "lost+found"], "nothing was touched");
    }

    #[test]
    fn what_came_there_meanwhile_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("new");
        let staging = Staging::begin(&to).unwrap();
        fs::write(&to, "somebody else's").unwrap();
        assert_eq!(staging.publish().unwrap_err().kind, Kind::Refused);
        assert_eq!(fs::read_to_string(&to).unwrap(), "somebody else's");
        assert_eq!(names(place.path()), ["new"]);
    }

    #[test]
    fn what_a_killed_restore_left_is_swept_and_a_living_one_is_not() {
        let place = tempfile::tempdir().unwrap();
        let to = place.path().join("new");
        let dead = place.path().join(".new.outlast-restore-1");
        fs::create_dir_all(dead.join("half")).unwrap();
        let living = Staging::begin(&to).unwrap();
        assert!(!dead.exists());
        sweep(place.path(), ".new.outlast-restore-");
        assert!(living.path.exists());
        living.discard();
        assert!(names(place.path()).is_empty());
    }
}
