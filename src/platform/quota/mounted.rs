//! A visit to one mounted file system: how full it is, and which limits it knows. May wait for ever.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, StatVfs, StatxFlags, fstatvfs, openat, statvfs, statx};
use rustix::io::Errno;

use super::btrfs;
use super::count::{Books, refused};
use super::table::{has_option, is_device};
use crate::core::error::{Error, Kind};
use crate::core::filesystem::Filesystem;
use crate::core::quota::{Amount, Counted, Counts, Inodes, Quota, QuotaKind, Reading, Space, Told};
use crate::port::Whose;
use crate::scan::mountinfo::Line;
use crate::sys::quota::{Call, Counter, ask, project};

/// What one worker is sent out with.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    /// The line of the mount table.
    pub(super) line: Line,
    /// Places on it that may have limits of their own.
    pub(super) places: Vec<PathBuf>,
    /// Whose limits are asked for.
    pub(super) whose: Option<Whose>,
    /// Other mounts that may show the whole of the same file system.
    pub(super) siblings: Vec<PathBuf>,
}

/// What one worker comes back with.
#[derive(Debug)]
pub(super) enum Heard {
    /// The device's number, and what the file system told.
    Told(String, Told),
    /// Another mount hides it, or it is a single file.
    Nothing,
    /// It cannot be asked.
    Failed(Error),
}

/// The mount and the folder that a path leads to: links followed, of a file the folder around it.
/// The mount is `None` where the kernel does not tell.
pub(super) fn resolve(path: &Path) -> io::Result<(Option<u64>, PathBuf)> {
    let path = path.canonicalize()?;
    let folder = if path.is_dir() { path } else { path.parent().map_or(path.clone(), Path::to_path_buf) };
    let handle = open(&folder, OFlags::PATH)?;
    Ok((mount_of(&handle)?, folder))
}

fn open(folder: &Path, how: OFlags) -> Result<OwnedFd, Errno> {
    openat(CWD, folder, how | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

fn mount_of(handle: &OwnedFd) -> Result<Option<u64>, Errno> {
    let stat = statx(handle, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID | StatxFlags::TYPE)?;
    let told = stat.stx_mask & StatxFlags::MNT_ID.bits() != 0;
    Ok(told.then_some(stat.stx_mnt_id))
}

/// Asks one mounted file system.
pub(super) fn visit(visit: &Visit) -> Heard {
    let target = &visit.line.target;
    let looked = open(target, OFlags::PATH).and_then(|handle| Ok((mount_of(&handle)?, handle)));
    let handle = match looked {
        Ok((Some(mount), _)) if mount != visit.line.id => return Heard::Nothing,
        Ok((_, handle)) => handle,
        Err(Errno::NOTDIR | Errno::NOENT) => return Heard::Nothing,
        Err(why) => return Heard::Failed(failed(target, why)),
    };
    let (numbers, device) = match (fstatvfs(&handle), rustix::fs::fstat(&handle)) {
        (Ok(numbers), Ok(stat)) => (numbers, stat.st_dev.to_string()),
        (Err(why), _) | (_, Err(why)) => return Heard::Failed(failed(target, why)),
    };
    let space = Space::of(counts(&numbers), &visit.line.filesystem);
    let (quotas, gap) = match &visit.whose {
        Some(whose) => quotas(visit, &handle, whose, space),
        None => (Vec::new(), None),
    };
    Heard::Told(device, Told { space, quotas, gap })
}

fn failed(target: &Path, why: Errno) -> Error {
    let shown = target.display();
    match why {
        Errno::ACCESS | Errno::PERM => Error::new(Kind::NotPermitted, format!("{shown}: permission denied")),
        Errno::STALE => Error::new(Kind::Failed, format!("{shown}: what was mounted is gone from its server"))
            .hint("an administrator has to mount it again"),
        Errno::NOTCONN | Errno::IO | Errno::HOSTDOWN => {
            Error::new(Kind::Unreachable, format!("{shown} does not answer: {why}"))
        }
        why => Error::new(Kind::Failed, format!("{shown}: {why}")),
    }
}

fn counts(numbers: &StatVfs) -> Counts {
    Counts {
        // The unit of the counts; `f_bsize` is only how much to read at once.
        unit: if numbers.f_frsize > 0 { numbers.f_frsize } else { numbers.f_bsize },
        blocks: numbers.f_blocks,
        free: numbers.f_bfree,
        available: numbers.f_bavail,
        inodes: numbers.f_files,
        inodes_free: numbers.f_ffree,
    }
}

/// The limits that were asked for, and what of that could not be answered.
fn quotas(visit: &Visit, handle: &OwnedFd, whose: &Whose, space: Space) -> (Vec<Quota>, Option<Error>) {
    let line = &visit.line;
    let folders = folders(visit);
    if line.filesystem == "btrfs" {
        let mut found = btrfs::qgroups(&line.source, &folders);
        if whose.everybody {
            for quota in btrfs::everybody(&line.source, &line.target) {
                if !found.iter().any(|known| known.id == quota.id) {
                    found.push(quota);
                }
            }
        }
        return (found, None);
    }
    if let Some(why) = kept_elsewhere(&line.filesystem) {
        let reading = if space.elastic { Reading::NotEnabled } else { Reading::NotReadable(why.into()) };
        let mut found = vec![quota(QuotaKind::User, whose.user, &line.target, reading)];
        found.extend(layer_limit(visit, space));
        return (found, None);
    }
    let device =
        is_device(&line.source).then(|| CString::new(line.source.as_os_str().as_bytes()).ok()).flatten();
    let mut of_kernel =
        |call: Call, counter: Counter, id: u32| ask(handle.as_fd(), device.as_deref(), call, counter, id);
    let mut books = Books::open(&mut of_kernel, &line.filesystem);
    let hinted = |names: &[&str]| has_option(line, names);
    let (mut found, gap) = users(&mut books, whose, &line.target, hinted(&["usrquota", "usrjquota", "uquota"]));
    found.extend(groups(&mut books, whose, &line.target, hinted(&["grpquota", "grpjquota", "gquota"])));
    let with_projects = hinted(&["prjquota", "pquota"]);
    found.extend(projects(&mut books, visit, &folders, space, with_projects));
    (found, gap)
}

/// Why the limits of a type of file system are kept where the kernel here cannot ask.
fn kept_elsewhere(kind: &str) -> Option<&'static str> {
    match (Filesystem::of(kind), kind) {
        (_, "overlay" | "fuse.fuse-overlayfs") => {
            Some("the files lie on a disk of the host, where quotas count them")
        }
        (_, "zfs") => Some("ZFS keeps them itself: `zfs userspace` tells"),
        (Filesystem::Network, _) => Some("the file server keeps them, and this machine cannot ask it"),
        (Filesystem::Unclear, _) => Some("the program behind this mount may keep them, and does not tell"),
        _ => None,
    }
}

fn quota(kind: QuotaKind, id: u32, place: &Path, reading: Reading) -> Quota {
    Quota {
        kind,
        id: Some(id.into()),
        subject: id.to_string(),
        place: place.to_path_buf(),
        reading,
        note: None,
    }
}

/// The limits of the person who asks, or of everybody where that was asked for and is allowed.
fn users(books: &mut Books<'_>, whose: &Whose, target: &Path, hinted: bool) -> (Vec<Quota>, Option<Error>) {
    let user = |id, reading| quota(QuotaKind::User, id, target, reading);
    let own = |books: &mut Books<'_>| match books.of(Counter::User, whose.user) {
        Ok(counted) => user(whose.user, Reading::Counted(counted)),
        Err(why) => user(whose.user, refused(why, hinted)),
    };
    if !whose.everybody {
        return (vec![own(books)], None);
    }
    match books.everybody() {
        Ok(all) => (all.into_iter().map(|(id, counted)| user(id, Reading::Counted(counted))).collect(), None),
        Err(why) => {
            let own = own(books);
            let gap = (own.reading != Reading::NotEnabled).then(|| {
                let message = format!("{}: only your own quota is shown: {why}", target.display());
                Error::new(Kind::NotPermitted, message)
                    .hint("root on the host may ask for everybody's: `sudo outlast quota --all-users`")
            });
            (vec![own], gap)
        }
    }
}

/// The limits of the person's groups: those that have one, else what holds for the first.
fn groups(books: &mut Books<'_>, whose: &Whose, target: &Path, hinted: bool) -> Vec<Quota> {
    let mut ids = whose.groups.clone();
    ids.sort_unstable();
    ids.dedup();
    let all = ids.into_iter().map(|id| {
        let reading = books.of(Counter::Group, id).map_or_else(|why| refused(why, hinted), Reading::Counted);
        quota(QuotaKind::Group, id, target, reading)
    });
    let all: Vec<Quota> = all.collect();
    let limited: Vec<Quota> = all.iter().filter(|quota| quota.limited() == Some(true)).cloned().collect();
    if limited.is_empty() { all.into_iter().take(1).collect() } else { limited }
}

/// Folders of the visit that can be opened: the places, and the mount itself.
fn folders(visit: &Visit) -> Vec<(PathBuf, OwnedFd)> {
    let all = visit.places.iter().chain([&visit.line.target]);
    all.filter_map(|folder| Some((folder.clone(), open(folder, OFlags::RDONLY | OFlags::NONBLOCK).ok()?)))
        .collect()
}

/// The limits of the projects that the places count for.
fn projects(
    books: &mut Books<'_>,
    visit: &Visit,
    folders: &[(PathBuf, OwnedFd)],
    space: Space,
    hinted: bool,
) -> Vec<Quota> {
    let mut found: Vec<Quota> = Vec::new();
    for (folder, handle) in folders {
        let Ok(of) = project(handle.as_fd()) else { continue };
        if of.id == 0 || found.iter().any(|quota| quota.id == Some(of.id.into())) {
            continue;
        }
        let (reading, note) = match books.of(Counter::Project, of.id) {
            Ok(counted) => (Reading::Counted(counted), None),
            Err(why) => {
                let refused = refused(why, hinted);
                let seen = (refused != Reading::NotEnabled && of.inherited)
                    .then(|| fstatvfs(handle).ok())
                    .flatten()
                    .map(|numbers| Space::of(counts(&numbers), &visit.line.filesystem));
                let whole = whole(visit, space);
                match seen.and_then(|seen| narrowed(seen, whole)) {
                    Some(counted) => (
                        Reading::Counted(counted),
                        Some("as the folder's own size tells it: soft or hard is not known".into()),
                    ),
                    None => (refused, None),
                }
            }
        };
        found.push(Quota { note, ..quota(QuotaKind::Project, of.id, folder, reading) });
    }
    found
}

/// The size of the whole file system, which a mount of one limited folder does not show.
fn whole(visit: &Visit, space: Space) -> u64 {
    let others = visit.siblings.iter().filter_map(|sibling| statvfs(sibling).ok());
    let totals = others.map(|numbers| Space::of(counts(&numbers), &visit.line.filesystem).total);
    totals.fold(space.total, u64::max)
}

/// A size that is smaller than that of the whole file system is a limit.
fn narrowed(seen: Space, whole: u64) -> Option<Counted> {
    (seen.total < whole).then(|| Counted {
        bytes: Amount { used: Some(seen.used), soft: Some(seen.total), ..Amount::default() },
        inodes: seen.inodes.map_or_else(Amount::default, |Inodes { used, .. }| Amount {
            used: Some(used),
            ..Amount::default()
        }),
        ..Counted::default()
    })
}

/// The size that a container's layer was given, seen from inside: less than the disk it lies on.
fn layer_limit(visit: &Visit, space: Space) -> Option<Quota> {
    if visit.line.filesystem != "overlay" || visit.line.target != Path::new("/") {
        return None;
    }
    let counted = narrowed(space, whole(visit, space))?;
    let bytes = Amount { soft: None, hard: counted.bytes.soft, ..counted.bytes };
    Some(Quota {
        kind: QuotaKind::Project,
        id: None,
        subject: "this container's layer".into(),
        place: "/".into(),
        reading: Reading::Counted(Counted { bytes, ..counted }),
        note: Some("the size it was given: `--storage-opt size`".into()),
    })
}

#[cfg(test)]
#[path = "mounted_tests.rs"]
mod tests;
