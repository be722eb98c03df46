//! This machine and its viewer: who asks, where, on which machine.

use std::path::PathBuf;

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
        walk: None,
    }
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
    fn an_id_that_could_be_a_path_is_not_taken() {
        assert_eq!(tidy("0123abcd\n").as_deref(), Some("0123abcd"));
        assert_eq!(tidy("../x"), None);
        assert_eq!(tidy("uninitialized-"), None);
        assert_eq!(tidy(""), None);
    }
}
