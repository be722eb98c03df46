//! This machine and its viewer: who asks, where, on which machine.

use std::path::{Path, PathBuf};

use crate::port::Host;
use crate::sys;

/// Reads the facts about this machine. Asks no server but the user database, for one name.
pub fn this_host() -> Host {
    let uid = rustix::process::geteuid().as_raw();
    let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let machine_id = std::fs::read_to_string("/etc/machine-id").ok().and_then(|id| tidy(&id));
    Host {
        uid,
        user: sys::users::user_name(uid),
        home: std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute()),
        machine_id: machine_id.unwrap_or_else(|| hostname.clone()),
        hostname,
        users: std::collections::BTreeMap::new(),
        lookup: Some(sys::users::user_name),
        project: None,
        disk: Some(disk),
        groups: groups(),
        group_lookup: Some(sys::users::group_id),
        group_name_lookup: Some(sys::users::group_name),
        walk: None,
        newest: None,
    }
}

/// The groups of this process: the effective one and the others.
fn groups() -> Vec<u32> {
    let others = rustix::process::getgroups().unwrap_or_default();
    others.into_iter().chain([rustix::process::getegid()]).map(rustix::process::Gid::as_raw).collect()
}

/// What is in use on the disk that holds a folder; what only root may still use counts for neither.
fn disk(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    let used = bytes(disk.f_blocks.saturating_sub(disk.f_bfree));
    Some((used, used.saturating_add(bytes(disk.f_bavail))))
}

/// When this machine was booted, where the kernel says so.
pub fn booted() -> Option<jiff::Timestamp> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    jiff::Timestamp::from_second(seconds.trim().parse().ok()?).ok()
}

/// A machine id becomes a folder's name: nothing but letters and digits will do.
fn tidy(id: &str) -> Option<String> {
    let id = id.trim();
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_name_an_id_and_a_viewer() {
        let host = this_host();
        assert!(!host.hostname.is_empty() && !host.machine_id.is_empty());
        assert_eq!(host.user, host.user_name(host.uid));
    }

    #[test]
    fn a_disk_has_a_size_and_a_folder_that_is_not_there_has_no_disk() {
        let (used, size) = disk(Path::new("/")).unwrap();
        assert!(used <= size && size > 0);
        assert_eq!(disk(Path::new("/nowhere/at/all")), None);
    }

    #[test]
    fn an_id_that_could_be_a_path_is_not_taken() {
        assert_eq!(tidy("0123abcd\n").as_deref(), Some("0123abcd"));
        assert_eq!(tidy("../x"), None);
        assert_eq!(tidy("uninitialized-"), None);
        assert_eq!(tidy(""), None);
    }
}
