//! What this machine is and who sits in front of it.

use std::collections::BTreeMap;

use crate::port::Host;

/// Files that name the machine, best first. In a container they may be empty or missing.
const MACHINE_ID: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// Reads the facts; `lookup` finds a user's name by number.
pub fn read(lookup: fn(u32) -> Option<String>) -> Host {
    let uid = rustix::process::getuid().as_raw();
    let hostname = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let machine_id = MACHINE_ID
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .map(|text| text.trim().to_string())
        .find(|id| !id.is_empty())
        .unwrap_or_else(|| hostname.clone());
    Host {
        uid,
        user: lookup(uid),
        home: directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf()),
        hostname,
        machine_id,
        users: BTreeMap::new(),
        lookup: Some(lookup),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_always_has_an_identity() {
        let host = read(|uid| Some(format!("user{uid}")));
        assert!(!host.machine_id.is_empty());
        assert_eq!(host.user, Some(format!("user{}", host.uid)));
    }
}
