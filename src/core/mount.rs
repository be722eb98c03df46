//! Mounts: where a container's paths come from. Facts only; `storage` says what they mean.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::device;
use super::pattern::is_below;
use super::storage::{self, StorageKind};

/// The kernel's own limit on the length of a path, in bytes.
const PATH_MAX: usize = 4096;

/// What a read-only mount means to people.
pub const READ_ONLY: &str = "read-only: nothing can be saved here";

/// One mount of a workspace, with the storage kind it amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Absolute path inside the container.
    pub target: PathBuf,
    /// Where it comes from, in the words of the engine (untrusted text): a host path, a volume's name.
    pub source: String,
    /// What backs it.
    pub backing: Backing,
    /// What that amounts to.
    pub storage: StorageKind,
    /// Whether the container may write here.
    pub read_only: bool,
    /// The file system type as the kernel names it, where it could be seen.
    pub filesystem: Option<String>,
    /// The directory on the host that holds the bytes, where there is one.
    pub host_path: Option<PathBuf>,
    /// Whether the host keeps what is behind it in memory, such as a disk that is a file in memory;
    /// `None` where that could not be seen.
    pub in_memory: Option<bool>,
}

impl Mount {
    /// A mount whose storage kind follows from its backing and file system.
    pub fn new(target: PathBuf, source: String, backing: Backing, filesystem: Option<String>) -> Self {
        let storage = StorageKind::of(&backing, filesystem.as_deref());
        let host_path = match &backing {
            // What lies at that path by now, if anything, is another directory.
            Backing::HostDir { source: Source::Deleted | Source::Replaced, .. } => None,
            Backing::HostDir { path, .. } => Some(path.clone()),
            _ => None,
        };
        let in_memory = Some(false);
        Self { target, source, backing, storage, read_only: false, filesystem, host_path, in_memory }
    }

    /// Whether people's files can lie here: not on what the kernel or the runtime provides.
    pub fn holds_files(&self) -> bool {
        if matches!(self.storage, StorageKind::Pseudo | StorageKind::RuntimeFile) {
            return false;
        }
        let system = ["/proc", "/sys", "/dev"].iter().any(|folder| self.target.starts_with(folder));
        !system || self.target.starts_with("/dev/shm")
    }

    /// What a path of the mount lives on: a bind of a large part of the host leads into its
    /// temporary directories, too, and among devices a file is memory.
    pub fn storage_at(&self, path: &Path) -> StorageKind {
        if self.is_devices() && !device::is(path) {
            return match self.filesystem.as_deref() {
                Some("devtmpfs") => StorageKind::HostMemory,
                _ => StorageKind::Tmpfs,
            };
        }
        let leads_there = self.storage == StorageKind::BindMount
            && self.host_path.as_deref().is_some_and(storage::holds_host_temp)
            && self.on_host(path, storage::is_host_temp) == Some(true);
        if leads_there { StorageKind::BindTemp } else { self.storage }
    }

    /// Whether devices are here: a small file system in memory that files can be written to as well.
    pub fn is_devices(&self) -> bool {
        self.storage == StorageKind::Pseudo && self.target == Path::new(device::FOLDER)
    }

    /// Asks something about the place on the host behind a path of the mount: absolute, normal, at
    /// or below the target. Joins on the stack; `None` where there is no such place.
    pub fn on_host<T>(&self, path: &Path, question: impl FnOnce(&Path) -> T) -> Option<T> {
        let host = self.host_path.as_deref()?.as_os_str().as_bytes();
        let target = self.target.as_os_str().len();
        let below = path.as_os_str().as_bytes().get(target..)?;
        let below = below.strip_prefix(b"/").unwrap_or(below);
        let slash: &[u8] = if below.is_empty() || host.ends_with(b"/") { b"" } else { b"/" };
        let mut buffer = [0_u8; PATH_MAX];
        let mut at = 0;
        for part in [host, slash, below] {
            buffer.get_mut(at..at + part.len())?.copy_from_slice(part);
            at += part.len();
        }
        buffer.get(..at).map(|place| question(Path::new(OsStr::from_bytes(place))))
    }

    /// The same mount, read-only or not.
    #[must_use]
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// The same mount with the host directory that holds its bytes.
    #[must_use]
    pub fn held_at(mut self, host_path: Option<PathBuf>) -> Self {
        self.host_path = host_path;
        self
    }
}

impl Mount {
    /// The same mount, kept in the host's memory or not.
    #[must_use]
    pub fn in_host_memory(mut self, in_memory: Option<bool>) -> Self {
        self.in_memory = in_memory;
        if in_memory == Some(true) {
            self.storage = match self.storage {
                StorageKind::BindMount | StorageKind::BindTemp | StorageKind::NamedVolume => {
                    StorageKind::BindMemory
                }
                StorageKind::HostDisk => StorageKind::HostMemory,
                other => other,
            };
        }
        self
    }
}

/// What stands behind a mount. No engine's own nouns: a pod's claim and a volume are described alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backing {
    /// The container's own writable layer.
    Layer,
    /// Memory of the container's own.
    Memory,
    /// Scratch space that lives as long as the pod.
    PodScratch {
        /// Whether it is in memory.
        memory: bool,
    },
    /// A directory of the host.
    HostDir {
        /// Where on the host (or, seen from inside, within the host's file system).
        path: PathBuf,
        /// What is known of the directory.
        source: Source,
    },
    /// A volume that the engine manages.
    Volume {
        /// The engine's name for it.
        name: String,
        /// Made for one container, without a name of its own.
        anonymous: bool,
    },
    /// A claim on storage that the cluster manages.
    Claim {
        /// What happens to the bytes when the claim is deleted.
        on_release: OnRelease,
        /// Whether the bytes are tied to one node; `None` where not known.
        pinned: Option<bool>,
    },
    /// A block device of its own.
    Block,
    /// A disk of this machine, seen from the machine itself.
    Disk,
    /// Memory of this machine, seen from the machine itself.
    HostMemory,
    /// Written by the runtime or the platform.
    Injected,
    /// Not data: proc, sysfs, devices.
    Pseudo,
    /// Not known.
    Unknown,
}

/// What is known of the host directory behind a bind mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was there when looked at.
    Present,
    /// It was deleted under the mount.
    Deleted,
    /// It was moved away under the mount, or something else was put in its place: the mount goes on
    /// showing what it showed, and the next start shows something else.
    Replaced,
    /// It is there, but whether it still is what the mount shows could not be seen.
    Unsure,
    /// A platform's directory for one session.
    Scratch,
    /// It cannot be seen from here.
    Unseen,
}

/// What happens to a claim's bytes when the claim goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRelease {
    /// They stay, for an administrator to bind again.
    Keep,
    /// They are erased.
    Erase,
    /// Not known with the rights at hand.
    Unknown,
}

/// How large something is, or why that is not known. A failure is never a smaller number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Allocated bytes, exact at the time of asking.
    Bytes(u64),
    /// Allocated bytes seen before the budget ran out.
    AtLeast(u64),
    /// Only the figures of the whole file system are to be had.
    WholeFilesystem {
        /// Bytes in use on the file system.
        used: u64,
        /// Size of the file system in bytes.
        size: u64,
    },
    /// The rights at hand do not suffice.
    NotPermitted,
    /// This engine cannot say.
    NotSupported,
    /// It was tried and went wrong.
    Failed(String),
}

impl Measure {
    /// The exact number of bytes, if that is what is known.
    pub const fn exact(&self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(*bytes),
            _ => None,
        }
    }

    /// The name used in JSON for how far the figure can be trusted.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Bytes(_) => "bytes",
            Self::AtLeast(_) => "at_least",
            Self::WholeFilesystem { .. } => "whole_filesystem",
            Self::NotPermitted => "not_permitted",
            Self::NotSupported => "not_supported",
            Self::Failed(_) => "failed",
        }
    }
}

/// The mount a path lives on: the longest target on a component boundary, the later line among equals.
/// Both are absolute and normal, so bytes are compared; this runs for every path that is asked about.
pub fn holding<'m>(mounts: &'m [Mount], path: &Path) -> Option<&'m Mount> {
    let path = path.as_os_str().as_bytes();
    let mut best: Option<(usize, &Mount)> = None;
    for mount in mounts {
        let target = mount.target.as_os_str().as_bytes();
        if best.is_none_or(|(longest, _)| target.len() >= longest) && is_below(path, target) {
            best = Some((target.len(), mount));
        }
    }
    best.map(|(_, mount)| mount)
}

/// Where a host's path is inside a container, the longest source first: a host's
/// directory may be mounted more than once. A place that another mount covers is not seen.
pub fn paths_inside(mounts: &[Mount], host: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(usize, PathBuf)> = Vec::new();
    for mount in mounts {
        let Some(source) = mount.host_path.as_deref() else { continue };
        let Ok(rest) = host.strip_prefix(source) else { continue };
        let inside = join(&mount.target, rest);
        let seen = holding(mounts, &inside).is_some_and(|on| std::ptr::eq::<Mount>(on, mount));
        let depth = source.components().count();
        if seen {
            found.push((depth, inside));
        }
    }
    found.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Joins without a trailing slash when nothing is to be added.
pub fn join(base: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { base.to_path_buf() } else { base.join(rest) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(target: &str) -> Mount {
        Mount::new(target.into(), target.into(), Backing::Memory, None)
    }

    #[test]
    fn the_longest_target_on_a_component_boundary_holds_the_path() {
        let mounts = [mount("/"), mount("/proj"), mount("/proj/cache"), mount("/projspace")];
        let target = |path: &str| holding(&mounts, Path::new(path)).map(|m| m.source.as_str());
        assert_eq!(target("/proj/cache/x"), Some("/proj/cache"));
        assert_eq!(target("/proj/cached"), Some("/proj"));
        assert_eq!(target("/projspace/a"), Some("/projspace"));
        assert_eq!(target("/etc"), Some("/"));
    }

    #[test]
    fn a_path_of_a_mount_is_found_on_the_host_behind_it() {
        let bind = |target: &str, path: &str| {
            let backing = Backing::HostDir { path: path.into(), source: Source::Present };
            Mount::new(target.into(), path.into(), backing, Some("ext4".into()))
        };
        let place = |mount: &Mount, path: &str| mount.on_host(Path::new(path), Path::to_path_buf);
        assert_eq!(place(&bind("/w", "/srv/p"), "/w/a/b"), Some("/srv/p/a/b".into()));
        assert_eq!(place(&bind("/w", "/srv/p"), "/w"), Some("/srv/p".into()));
        assert_eq!(place(&bind("/w", "/"), "/w/a"), Some("/a".into()));
        assert_eq!(place(&bind("/", "/srv"), "/a"), Some("/srv/a".into()));
        assert_eq!(place(&mount("/w"), "/w/a"), None);
        let kind = |path: &str| bind("/h", "/").storage_at(Path::new(path));
        assert_eq!((kind("/h/tmp/x"), kind("/h/tmpx")), (StorageKind::BindTemp, StorageKind::BindMount));
        assert_eq!(kind("/h/var/tmp"), StorageKind::BindTemp);
    }

    #[test]
    fn a_deleted_directory_is_nowhere_on_the_host() {
        let held = |source| {
            let backing = Backing::HostDir { path: "/srv/x".into(), source };
            Mount::new("/x".into(), "/srv/x".into(), backing, None).host_path
        };
        assert_eq!(held(Source::Present), Some("/srv/x".into()));
        assert_eq!(held(Source::Deleted), None);
    }

    #[test]
    fn a_later_line_shadows_an_earlier_one_at_the_same_place() {
        let mut later = mount("/proj");
        later.source = "later".into();
        let mounts = [mount("/proj"), later];
        assert_eq!(holding(&mounts, Path::new("/proj/x")).map(|m| m.source.as_str()), Some("later"));
    }
}
