//! A container seen through its main process in `/proc`: its mount table and its directories.
//!
//! A process number alone proves nothing (it may be reused, or belong to another
//! machine), so every look checks that the process still is the container's.

use std::path::{Path, PathBuf};

use crate::core::path::{Resolver, Step};
use crate::port::PathKind;
use crate::scan;
use crate::scan::mountinfo::{self, Line};

use super::failure;

/// A running container's main process, readable from here.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pid: i64,
    /// Its mount table, in the order of the kernel.
    pub(super) mounts: Vec<Line>,
}

impl Process {
    /// The process, if it can be read and belongs to the container.
    pub(super) fn find(pid: i64, container: &str) -> Option<Self> {
        if pid <= 0 || container.len() < 12 {
            return None;
        }
        let table = std::fs::read(format!("/proc/{pid}/mountinfo")).ok()?;
        // The engine mounts files from a directory named after the container, and puts its
        // processes into control groups of that name.
        let groups = || std::fs::read(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let is_its_own = names(&table, container) || names(&groups(), container);
        is_its_own.then(|| Self { pid, mounts: mountinfo::parse(&table) })
    }

    /// A directory of the container, as the process has it. `scan` follows no link beneath it.
    pub(super) fn place(&self, target: &Path) -> PathBuf {
        let inside = target.strip_prefix("/").unwrap_or(target);
        let root = PathBuf::from(format!("/proc/{}/root", self.pid));
        if inside.as_os_str().is_empty() { root } else { root.join(inside) }
    }

    /// Whether the container's directories may be read through it.
    pub(super) fn readable(&self) -> bool {
        failure::readable(&self.place(Path::new("/")))
    }

    /// The last line of the mount table for a target: it hides the earlier ones.
    pub(super) fn line(&self, target: &Path) -> Option<&Line> {
        self.mounts.iter().rev().find(|line| line.target == target)
    }

    /// Where a mount really is: a destination such as `/var/run/x` may lead through a link.
    pub(super) fn real_target(&self, target: &Path) -> PathBuf {
        if self.line(target).is_some() {
            return target.into();
        }
        let root = self.place(Path::new("/"));
        let mut resolver = Resolver::new(target);
        loop {
            match resolver.step() {
                Step::Ask(path) => match scan::look(&root, &path) {
                    PathKind::Link(to) => resolver.answer(Some(&to)),
                    _ => resolver.answer(None),
                },
                Step::Done(path) if self.line(&path).is_some() => return path,
                Step::Done(_) | Step::Loop => return target.into(),
            }
        }
    }

    /// The overlay's upper directory, where the kernel tells it.
    pub(super) fn upper(&self) -> Option<PathBuf> {
        upper_option(&self.line(Path::new("/"))?.super_options)
    }
}

fn names(text: &[u8], container: &str) -> bool {
    text.windows(container.len()).any(|window| window == container.as_bytes())
}

/// `upperdir=` of an overlay's options; a comma inside the path comes with a backslash before it.
fn upper_option(options: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    const KEY: &[u8] = b"upperdir=";
    let at = options.windows(KEY.len()).position(|window| window == KEY)?;
    let mut path = Vec::new();
    let mut bytes = options[at + KEY.len()..].iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' => break,
            b'\\' => path.extend(bytes.next()),
            byte => path.push(*byte),
        }
    }
    path.starts_with(b"/").then(|| std::ffi::OsString::from_vec(path).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upper_directory_is_found_among_the_options() {
        let of = |options: &str| upper_option(options.as_bytes());
        assert_eq!(of("rw,lowerdir=/a:/b,upperdir=/u/diff,workdir=/w"), Some("/u/diff".into()));
        assert_eq!(of("rw,upperdir=/u\\,x/diff"), Some("/u,x/diff".into()));
        assert_eq!(of("rw,user_id=0,group_id=0"), None);
    }

    #[test]
    fn a_process_that_is_not_the_containers_is_not_looked_through() {
        let own = i64::from(std::process::id());
        assert!(Process::find(own, &"0f".repeat(32)).is_none());
        assert!(Process::find(0, &"0f".repeat(32)).is_none());
    }
}
