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
        let mounts = mountinfo::parse(&std::fs::read(format!("/proc/{pid}/mountinfo")).ok()?);
        let groups = std::fs::read(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let is_its_own = is_in_group(&groups, container) || has_its_files(&mounts, container);
        is_its_own.then_some(Self { pid, mounts })
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
}

/// Whether a process is in a control group of the container: `/docker/ID`, `docker-ID.scope`.
fn is_in_group(groups: &[u8], container: &str) -> bool {
    groups.split(|byte| matches!(byte, b'\n' | b'/')).any(|name| {
        let name = name.strip_suffix(b".scope").unwrap_or(name);
        let after_dash = name.rsplit(|byte| *byte == b'-').next();
        name == container.as_bytes() || after_dash == Some(container.as_bytes())
    })
}

/// Whether the container's own small files are mounted where only a container has them. (The
/// host's table names containers too, but mounts none of their files on its own.)
fn has_its_files(mounts: &[Line], container: &str) -> bool {
    const FILES: [&str; 4] = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/run/.containerenv"];
    mounts.iter().any(|line| {
        FILES.iter().any(|file| line.target == Path::new(file))
            && line.root.components().any(|folder| folder.as_os_str() == container)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_group_must_be_the_containers_by_its_whole_name() {
        let id = "0f".repeat(32);
        let is = |line: &str| is_in_group(line.replace("ID", &id).as_bytes(), &id);
        for own in
            ["4:memory:/docker/ID", "0::/system.slice/docker-ID.scope", "0::/a/libpod-ID.scope/container"]
        {
            assert!(is(own), "{own}");
        }
        for other in ["0::/", "0::/docker/xIDx", "0::/docker/ID0", "0::/backup-of-ID.service"] {
            assert!(!is(other), "{other}");
        }
    }

    #[test]
    fn the_hosts_own_table_names_containers_and_is_none() {
        let id = "0f".repeat(32);
        let has = |line: &str| has_its_files(&mountinfo::parse(line.replace("ID", &id).as_bytes()), &id);
        assert!(has("1 2 254:0 /var/lib/docker/containers/ID/hosts /etc/hosts rw - ext4 /dev/vda rw"));
        assert!(!has("1 2 0:83 / /var/lib/docker/containers/ID/mounts/shm rw - tmpfs shm rw"));
        assert!(!has("1 2 0:75 / /merged/ID rw - overlay overlay rw,upperdir=/ID,workdir=/w"));
        assert!(!has("1 2 254:0 /x/backup-ID/hosts /etc/hosts rw - ext4 /dev/vda rw"));
    }

    #[test]
    fn a_process_that_is_not_the_containers_is_not_looked_through() {
        let own = i64::from(std::process::id());
        assert!(Process::find(own, &"0f".repeat(32)).is_none());
        assert!(Process::find(0, &"0f".repeat(32)).is_none());
    }
}
