//! What an event would lose of what was found, and where that should be copied to.

use std::path::Path;

use super::classify::Classifier;
use super::event::Event;
use super::fate::Verdict;
use super::finding::{Risk, Tally};
use super::mount::Mount;
use super::storage::StorageKind;

/// What is at stake in an event: what a look found, and what it did not reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stake<'a> {
    /// Files and bytes that were found.
    pub tally: Tally,
    /// Whether that is all of it.
    pub complete: bool,
    /// Places that the event would lose and that were not looked at.
    pub unread: Vec<&'a Mount>,
}

impl<'a> Classifier<'a> {
    /// What an event would lose of what a look found.
    ///
    /// Not complete where the look was not, and where the event would lose a place
    /// that was not looked at. Memory of a container that is not running is empty.
    pub fn stake(&self, risk: &Risk, event: Event) -> Stake<'a> {
        let tally = risk.tally(|lot| self.verdict(lot, event) == Verdict::Lost);
        let is_unread = |mount: &&Mount| {
            let gone = mount.storage == StorageKind::Tmpfs && !self.detail.state.is_up();
            !gone
                && mount.holds_files()
                && self.mount_verdict(mount, event) == Verdict::Lost
                && !risk.was_read(mount.storage)
        };
        let detail = self.detail;
        let unread: Vec<&'a Mount> = detail.mounts.iter().filter(is_unread).collect();
        Stake { tally, complete: risk.complete() && unread.is_empty(), unread }
    }

    /// The folder that files at risk should be copied to: writable, on a disk or a
    /// share, kept in the event, and kept in more of the other events than any other.
    pub fn kept_folder(&self, event: Event) -> Option<&'a Mount> {
        let preferred = self.rules.workspace.as_deref();
        let detail = self.detail;
        let durable = |mount: &&Mount| {
            matches!(
                mount.storage,
                StorageKind::BindMount
                    | StorageKind::BindNetwork
                    | StorageKind::NamedVolume
                    | StorageKind::NetworkVolume
                    | StorageKind::Claim
                    | StorageKind::BlockVolume
            ) && !mount.read_only
                && mount.target != Path::new("/")
                && !is_a_file(mount)
                && self.mount_verdict(mount, event) == Verdict::Kept
        };
        let losses = |mount: &Mount| {
            let severity = |event| u32::from(self.mount_verdict(mount, event).severity());
            Event::ALL.into_iter().map(severity).sum::<u32>()
        };
        detail.mounts.iter().filter(durable).min_by_key(|mount| {
            (Some(mount.target.as_path()) != preferred, losses(mount), mount.storage, &mount.target)
        })
    }
}

/// A mount of a single file, such as a bind mount of `/etc/localtime`, is nowhere to copy to.
fn is_a_file(mount: &Mount) -> bool {
    let extension = mount.target.extension().and_then(std::ffi::OsStr::to_str);
    let of_a_file = matches!(
        extension,
        Some("conf" | "cfg" | "toml" | "yaml" | "yml" | "json" | "txt" | "sh" | "py" | "sock" | "pem" | "key")
    );
    of_a_file || mount.target.starts_with("/etc")
}
