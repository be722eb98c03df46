//! The files of a backup: folders read in order, each entry looked at in every run, nothing
//! followed, other mounts left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::Error;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustic_core::{ReadSource, ReadSourceEntry, RusticResult};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat, statat};
use rustix::io::Errno;

use super::entry::{Users, attributes_in, attributes_of, node};
use super::read::{Content, Told};
use crate::core::backup::{self, DEFINITION, Excludes, Part};
use crate::core::secrets;

/// The mark of a folder that a program makes again by itself.
const CACHE_TAG: &str = "CACHEDIR.TAG";
/// How such a mark begins.
const CACHE_SIGNATURE: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// All that one backup reads.
pub(super) struct Source {
    parts: Vec<Part>,
    definition: Option<String>,
    told: Arc<Told>,
    /// Whether nobody knows yet how much there is, so that it is counted first.
    count: bool,
}

impl Source {
    pub(super) fn new(parts: &[Part], definition: Option<&str>, told: Arc<Told>, count: bool) -> Self {
        let mut parts = parts.to_vec();
        parts.sort_by(|one, other| one.name.cmp(&other.name));
        Self { parts, definition: definition.map(str::to_owned), told, count }
    }

    /// Files and bytes that there are, without saying what is missing.
    pub(super) fn measure(parts: &[Part], told: &Arc<Told>) -> (u64, u64) {
        let quiet = Arc::new(Told::new(Arc::clone(&told.meter)));
        let (mut files, mut bytes) = (0, 0);
        let mut links = BTreeSet::new();
        let mut entries = Entries::new(parts.to_vec(), None, quiet, false);
        while let Some((entry, stat)) = entries.step() {
            if !entry.node.is_dir() {
                files += 1;
                let first =
                    stat.is_none_or(|stat| stat.st_nlink < 2 || links.insert((stat.st_dev, stat.st_ino)));
                if first && entry.node.is_file() {
                    bytes += entry.node.meta.size;
                }
            }
        }
        (files, bytes)
    }
}

impl ReadSource for Source {
    type Open = Content;
    type Iter = Entries;

    fn size(&self) -> RusticResult<Option<u64>> {
        if self.count {
            let (files, bytes) = Self::measure(&self.parts, &self.told);
            self.told.meter.of(files, bytes);
        }
        Ok(None)
    }

    fn entries(&self) -> Entries {
        Entries::new(self.parts.clone(), self.definition.clone(), Arc::clone(&self.told), true)
    }
}

/// The entries of a backup, one after the other.
pub(super) struct Entries {
    parts: std::vec::IntoIter<Part>,
    definition: Option<String>,
    told: Arc<Told>,
    users: Users,
    part: Option<OpenPart>,
    folders: Vec<OpenFolder>,
    /// Whether attributes are read and files counted, or it is only measured.
    whole: bool,
}

/// The part that is being read.
struct OpenPart {
    name: String,
    from: PathBuf,
    device: u64,
    excludes: Excludes,
    /// Names by folder, where only some are wanted.
    only: Option<BTreeMap<PathBuf, BTreeSet<OsString>>>,
}

/// A folder that is being read.
struct OpenFolder {
    handle: Arc<OwnedFd>,
    /// Its path from the part's top.
    below: PathBuf,
    names: std::vec::IntoIter<OsString>,
}

/// An entry, and what was seen of it where it is a file.
type Found = (ReadSourceEntry<Content>, Option<Stat>);

impl Entries {
    fn new(parts: Vec<Part>, definition: Option<String>, told: Arc<Told>, whole: bool) -> Self {
        let users = Users::default();
        Self { parts: parts.into_iter(), definition, told, users, part: None, folders: Vec::new(), whole }
    }

    fn step(&mut self) -> Option<Found> {
        loop {
            if self.told.meter.is_cancelled() {
                return None;
            }
            if let Some(text) = self.definition.take() {
                return Some((definition(text), None));
            }
            let Some(folder) = self.folders.last_mut() else {
                let part = self.parts.next()?;
                match self.begin(part) {
                    Some(found) => return Some((found, None)),
                    None => continue,
                }
            };
            let Some(name) = folder.names.next() else {
                self.folders.pop();
                continue;
            };
            let (handle, below) = (Arc::clone(&folder.handle), folder.below.join(&name));
            if let Some(found) = self.look(&handle, &name, below) {
                return Some(found);
            }
        }
    }

    /// Opens the next part; what cannot be read at all is named.
    fn begin(&mut self, part: Part) -> Option<ReadSourceEntry<Content>> {
        let opened =
            openat(CWD, &part.from, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        let (handle, stat) = match opened.and_then(|handle| fstat(&handle).map(|stat| (handle, stat))) {
            Ok(opened) => opened,
            Err(why) => {
                self.told.skip(&part.from, &unreadable(why));
                return None;
            }
        };
        let handle = Arc::new(handle);
        let only = part.only.as_ref().map(|files| by_folder(files));
        let open = OpenPart {
            name: part.name,
            from: part.from,
            device: stat.st_dev,
            excludes: Excludes::new(&part.exclude),
            only,
        };
        let entry = self.folder_entry(
            OsStr::new(&open.name),
            &handle,
            &stat,
            &open.from,
            Path::new("/").join(&open.name),
        );
        let names = self.names(&open, &handle, Path::new(""));
        self.folders.push(OpenFolder { handle, below: PathBuf::new(), names: names.into_iter() });
        self.part = Some(open);
        Some(entry)
    }

    /// Looks at one entry of an open folder.
    fn look(&mut self, folder: &Arc<OwnedFd>, name: &OsStr, below: PathBuf) -> Option<Found> {
        let part = self.part.take()?;
        let found = self.look_in(&part, folder, name, below);
        self.part = Some(part);
        found
    }

    fn look_in(
        &mut self,
        part: &OpenPart,
        folder: &Arc<OwnedFd>,
        name: &OsStr,
        below: PathBuf,
    ) -> Option<Found> {
        let place = part.from.join(&below);
        let stat = match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(why) => {
                self.told.skip(&place, &unreadable(why));
                return None;
            }
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        if part.excludes.covers(&below, kind == FileType::Directory) {
            return None;
        }
        let path = Path::new("/").join(&part.name).join(&below);
        if kind == FileType::Directory {
            return self.enter(part, folder, name, below, &place, path).map(|entry| (entry, None));
        }
        let target = match kind {
            FileType::Symlink => match readlinkat(folder, name, Vec::new()) {
                Ok(target) => Some(PathBuf::from(OsString::from_vec(target.into_bytes()))),
                Err(why) => {
                    self.told.skip(&place, &unreadable(why));
                    return None;
                }
            },
            _ => None,
        };
        let attributes = if self.whole {
            attributes_in(std::os::fd::AsFd::as_fd(folder), name).unwrap_or_else(|why| {
                self.told.skip(&place, &format!("its attributes could not be read: {}", Error::from(why)));
                Vec::new()
            })
        } else {
            Vec::new()
        };
        if self.whole {
            self.told.meter.files(1);
            if let Some(what) = secrets::kind(&below) {
                self.told.secret(&place, what);
            }
        }
        let node = node(name, &stat, target.as_deref(), &attributes, &self.users);
        let open = (kind == FileType::RegularFile).then(|| Content::File {
            folder: Arc::clone(folder),
            name: name.to_owned(),
            path: place,
            seen: stat,
            told: Arc::clone(&self.told),
        });
        Some((ReadSourceEntry { path, node, open }, Some(stat)))
    }

    /// Enters a folder, unless it is another mount or says that it is a cache.
    fn enter(
        &mut self,
        part: &OpenPart,
        folder: &OwnedFd,
        name: &OsStr,
        below: PathBuf,
        place: &Path,
        path: PathBuf,
    ) -> Option<ReadSourceEntry<Content>> {
        let opened = openat(folder, name, FOLDER, Mode::empty());
        let (handle, stat) = match opened.and_then(|handle| fstat(&handle).map(|stat| (handle, stat))) {
            Ok(opened) => opened,
            Err(why) => {
                self.told.skip(place, &unreadable(why));
                return None;
            }
        };
        let handle = Arc::new(handle);
        let mut names = Vec::new();
        if stat.st_dev != part.device {
            if self.whole {
                self.told.note(format!(
                    "{} is another file system, so what is in it is not saved",
                    crate::text::printable_path(place)
                ));
            }
        } else if part.name == backup::FOLDER && is_cache(&handle) {
            if self.whole {
                self.told.note(format!(
                    "{} says that it is a cache, so what is in it is not saved",
                    crate::text::printable_path(place)
                ));
            }
        } else {
            names = self.names(part, &handle, &below);
        }
        let entry = self.folder_entry(name, &handle, &stat, place, path);
        self.folders.push(OpenFolder { handle, below, names: names.into_iter() });
        Some(entry)
    }

    fn folder_entry(
        &self,
        name: &OsStr,
        handle: &OwnedFd,
        stat: &Stat,
        place: &Path,
        path: PathBuf,
    ) -> ReadSourceEntry<Content> {
        let attributes = if self.whole {
            attributes_of(handle).unwrap_or_else(|why| {
                self.told.skip(place, &format!("its attributes could not be read: {}", Error::from(why)));
                Vec::new()
            })
        } else {
            Vec::new()
        };
        ReadSourceEntry { path, node: node(name, stat, None, &attributes, &self.users), open: None }
    }

    /// The names in a folder, in the order of their bytes.
    fn names(&self, part: &OpenPart, handle: &OwnedFd, below: &Path) -> Vec<OsString> {
        if let Some(only) = &part.only {
            return only.get(below).into_iter().flatten().cloned().collect();
        }
        let mut names = Vec::new();
        let place = || part.from.join(below);
        match Dir::read_from(handle) {
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => {
                            let name = entry.file_name().to_bytes();
                            if name != b"." && name != b".." {
                                names.push(OsString::from_vec(name.to_vec()));
                            }
                        }
                        Err(why) => {
                            self.told
                                .skip(&place(), &format!("it could not be listed whole: {}", Error::from(why)));
                            break;
                        }
                    }
                }
            }
            Err(why) => self.told.skip(&place(), &unreadable(why)),
        }
        names.sort_unstable();
        names
    }
}

impl Iterator for Entries {
    type Item = RusticResult<ReadSourceEntry<Content>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().map(|(entry, _)| Ok(entry))
    }
}

/// The file that says what the workspace was. Its time is now, so that an earlier one never stands in for it.
fn definition(text: String) -> ReadSourceEntry<Content> {
    use rustic_core::repofile::{Metadata, Node, NodeType};
    let now = Some(jiff::Timestamp::now());
    let meta = Metadata {
        mode: Some(0o600),
        mtime: now,
        atime: now,
        ctime: now,
        uid: Some(rustix::process::geteuid().as_raw()),
        gid: Some(rustix::process::getegid().as_raw()),
        size: text.len() as u64,
        links: 1,
        ..Metadata::default()
    };
    let node = Node::new_node(OsStr::new(DEFINITION), NodeType::File, meta);
    ReadSourceEntry {
        path: Path::new("/").join(DEFINITION),
        node,
        open: Some(Content::Text(text.into_bytes())),
    }
}

/// The names below each folder that lead to these files.
fn by_folder(files: &[PathBuf]) -> BTreeMap<PathBuf, BTreeSet<OsString>> {
    let mut names: BTreeMap<PathBuf, BTreeSet<OsString>> = BTreeMap::new();
    for file in files {
        let relative = file.strip_prefix("/").unwrap_or(file);
        let mut at = PathBuf::new();
        for component in relative.components() {
            let std::path::Component::Normal(name) = component else { break };
            names.entry(at.clone()).or_default().insert(name.to_owned());
            at.push(name);
        }
    }
    names
}

fn is_cache(folder: &OwnedFd) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(tag) = openat(folder, CACHE_TAG, flags, Mode::empty()) else { return false };
    let mut begins = [0_u8; CACHE_SIGNATURE.len()];
    rustix::io::read(&tag, &mut begins).is_ok_and(|length| begins.get(..length) == Some(CACHE_SIGNATURE))
}

fn unreadable(why: Errno) -> String {
    match why {
        Errno::NOENT => "it vanished while the backup ran".into(),
        why => format!("it could not be read: {}", Error::from(why)),
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn single_files_are_reached_through_their_folders() {
        let names = by_folder(&["/root/a/x".into(), "/root/y".into()]);
        let of = |folder: &str| -> Vec<_> {
            names[Path::new(folder)].iter().map(|name| name.to_str().unwrap()).collect()
        };
        assert_eq!((of(""), of("root"), of("root/a")), (vec!["root"], vec!["a", "y"], vec!["x"]));
    }
}
