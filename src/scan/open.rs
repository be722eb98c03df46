//! Opening directories beneath a root: no link is followed, nothing leads outside.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::{Errno, Result, fcntl_dupfd_cloexec};

/// Directories are opened in stretches of at most this many bytes: the kernel
/// refuses paths of 4096 bytes, and a tree may be deeper than that.
const STRETCH: usize = 2048;

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const BENEATH: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// An open directory that everything else is opened beneath.
#[derive(Debug)]
pub struct Root {
    handle: OwnedFd,
    /// Set once the kernel or a system call filter refused `openat2`.
    by_component: AtomicBool,
    resolve: ResolveFlags,
}

impl Root {
    /// Opens a root. What lies behind `/proc/PID/root` belongs to somebody else, whose links
    /// would lead into our own file system: there no link is followed.
    pub fn open(path: &Path) -> Result<Self> {
        let by_component = AtomicBool::new(false);
        let Some((process, rest)) = split_process_root(path) else {
            let handle = openat(CWD, path, DIRECTORY, Mode::empty())?;
            return Ok(Self { handle, by_component, resolve: BENEATH });
        };
        let handle = openat(CWD, &process, DIRECTORY, Mode::empty())?;
        let root = Self { handle, by_component, resolve: BENEATH };
        let handle = root.directory(&rest)?;
        Ok(Self { handle, ..root })
    }

    /// The same root for another thread, beneath which folders on other mounts are not opened but
    /// refused with `EXDEV`; not so where the kernel takes them [`Self::by_component`].
    pub fn on_its_mount(&self) -> Result<Self> {
        let handle = fcntl_dupfd_cloexec(&self.handle, 0)?;
        let resolve = self.resolve.union(ResolveFlags::NO_XDEV);
        Ok(Self { handle, by_component: AtomicBool::new(self.by_component()), resolve })
    }

    /// A folder beneath as a root of its own.
    pub fn beneath(&self, relative: &Path) -> Result<Self> {
        let by_component = AtomicBool::new(self.by_component());
        Ok(Self { handle: self.directory(relative)?, by_component, resolve: self.resolve })
    }

    /// Whether folders are opened one name after the other.
    pub fn by_component(&self) -> bool {
        self.by_component.load(Relaxed)
    }

    /// The root's own handle.
    pub fn handle(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// Opens a directory beneath the root for reading; the path is relative and has no `..`.
    /// Holds at most two handles at a time, however deep the path is.
    pub fn directory(&self, relative: &Path) -> Result<OwnedFd> {
        self.descend(relative, OFlags::RDONLY)
    }

    fn descend(&self, relative: &Path, access: OFlags) -> Result<OwnedFd> {
        // Most paths are short enough for one call.
        if relative.as_os_str().len() < STRETCH && !relative.as_os_str().is_empty() {
            let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
            return if inside { self.step(None, relative, access) } else { Err(Errno::INVAL) };
        }
        let mut at: Option<OwnedFd> = None;
        let mut stretch = PathBuf::new();
        for component in relative.components() {
            let Component::Normal(name) = component else { return Err(Errno::INVAL) };
            if stretch.as_os_str().len() + name.len() >= STRETCH {
                at = Some(self.step(at.as_ref(), &stretch, OFlags::PATH)?);
                stretch.clear();
            }
            stretch.push(name);
        }
        if stretch.as_os_str().is_empty() {
            stretch.push(".");
        }
        self.step(at.as_ref(), &stretch, access)
    }

    /// The same for looking at its entries by name alone, which takes no right to list them.
    pub(super) fn place(&self, relative: &Path) -> Result<OwnedFd> {
        self.descend(relative, OFlags::PATH)
    }

    /// The same as a root of its own.
    pub(super) fn place_as_root(&self, relative: &Path) -> Result<Self> {
        let by_component = AtomicBool::new(self.by_component());
        Ok(Self { handle: self.place(relative)?, by_component, resolve: self.resolve })
    }

    fn step(&self, at: Option<&OwnedFd>, stretch: &Path, access: OFlags) -> Result<OwnedFd> {
        let at = at.map_or_else(|| self.handle.as_fd(), AsFd::as_fd);
        let flags = DIRECTORY | OFlags::NOFOLLOW | access;
        if !self.by_component.load(Relaxed) {
            match openat2(at, stretch, flags, Mode::empty(), self.resolve) {
                Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => self.by_component.store(true, Relaxed),
                Err(Errno::AGAIN) => {}
                opened => return opened,
            }
        }
        component_by_component(at, stretch, flags)
    }

    #[cfg(test)]
    pub(super) fn without_openat2(self) -> Self {
        self.by_component.store(true, Relaxed);
        self
    }
}

/// What `openat2` does in one call, for kernels and filters that refuse it.
fn component_by_component(at: BorrowedFd<'_>, stretch: &Path, flags: OFlags) -> Result<OwnedFd> {
    let mut handle: Option<OwnedFd> = None;
    let mut components = stretch.components().map(Component::as_os_str).peekable();
    while let Some(name) = components.next() {
        let access = if components.peek().is_some() { flags | OFlags::PATH } else { flags };
        let opened = openat(handle.as_ref().map_or(at, AsFd::as_fd), name, access, Mode::empty())?;
        handle = Some(opened);
    }
    handle.ok_or(Errno::INVAL)
}

/// Splits `/proc/PID/root/REST` into the process's root and what lies beneath it.
fn split_process_root(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut components = path.components();
    let mut next = || components.next().map(Component::as_os_str);
    let is_process = next()? == "/"
        && next()? == "proc"
        && next().and_then(OsStr::to_str)?.bytes().all(|byte| byte.is_ascii_digit())
        && next()? == "root";
    let process = path.components().take(4).collect();
    is_process.then(|| (process, components.as_path().to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_root_of_a_process_is_split_off() {
        let split = |path: &str| split_process_root(Path::new(path));
        assert_eq!(split("/proc/12/root/dev/shm"), Some(("/proc/12/root".into(), "dev/shm".into())));
        assert_eq!(split("/proc/12/root"), Some(("/proc/12/root".into(), "".into())));
        assert_eq!(split("/proc/self/root/x"), None);
        assert_eq!(split("/home/proc/12/root"), None);
    }

    #[test]
    fn a_link_in_the_middle_is_not_followed_with_and_without_openat2() {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir_all(dir.path().join("a/b")).expect("folders");
        std::os::unix::fs::symlink("a", dir.path().join("link")).expect("link");
        for by_component in [false, true] {
            let mut root = Root::open(dir.path()).expect("root");
            if by_component {
                root = root.without_openat2();
            }
            assert!(root.directory(Path::new("a/b")).is_ok());
            assert!(root.directory(Path::new("")).is_ok());
            let refused = root.directory(Path::new("link/b")).err();
            assert!(matches!(refused, Some(Errno::LOOP | Errno::NOTDIR)), "{refused:?}");
            assert_eq!(root.directory(Path::new("../x")).err(), Some(Errno::INVAL));
        }
    }

    #[test]
    fn behind_the_root_of_a_process_no_link_is_followed() {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::fs::create_dir(dir.path().join("real")).expect("folder");
        std::os::unix::fs::symlink("/etc", dir.path().join("shm")).expect("link");
        let behind = PathBuf::from(format!("/proc/{}/root{}", std::process::id(), dir.path().display()));
        assert!(Root::open(&behind.join("real")).is_ok());
        let refused = Root::open(&behind.join("shm")).err();
        assert!(matches!(refused, Some(Errno::LOOP | Errno::NOTDIR)), "it would be our own /etc: {refused:?}");
    }
}
