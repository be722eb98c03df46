//! The seven events a path may or may not survive.
//!
//! What each event *does* to a kind of storage lives in `aftermath`; what a
//! platform calls the event lives in its profile.

use serde::{Deserialize, Serialize};

/// Something that can happen to a workspace, from the mildest to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The container's main process ends; the container stays.
    Crash,
    /// The container is stopped and started again.
    Stop,
    /// The container is removed; the workspace folder stays.
    Retire,
    /// The image the container came from is deleted.
    ImageRemoval,
    /// The host is rebooted.
    Reboot,
    /// The host is lost, or the workspace moves to another host.
    HostLoss,
    /// The workspace folder or volume itself is deleted.
    WorkspaceDeletion,
}

impl Event {
    /// All events in the order in which they are always listed.
    pub const ALL: [Self; 7] = [
        Self::Crash,
        Self::Stop,
        Self::Retire,
        Self::ImageRemoval,
        Self::Reboot,
        Self::HostLoss,
        Self::WorkspaceDeletion,
    ];

    /// Position in [`Event::ALL`], used to index tables.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name used in JSON, on the command line and in profiles.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Stop => "stop",
            Self::Retire => "retire",
            Self::ImageRemoval => "image_removal",
            Self::Reboot => "reboot",
            Self::HostLoss => "host_loss",
            Self::WorkspaceDeletion => "workspace_deletion",
        }
    }

    /// Finds an event by its [`Event::key`]; a dash counts as an underscore.
    pub fn from_key(key: &str) -> Option<Self> {
        let key = key.replace('-', "_");
        Self::ALL.into_iter().find(|event| event.key() == key)
    }

    /// Two or three words that follow "if", for headings: "if retired".
    pub const fn if_words(self) -> &'static str {
        match self {
            Self::Crash => "if it crashes",
            Self::Stop => "if stopped",
            Self::Retire => "if retired",
            Self::ImageRemoval => "if image removed",
            Self::Reboot => "if rebooted",
            Self::HostLoss => "if host lost",
            Self::WorkspaceDeletion => "if folder deleted",
        }
    }

    /// One line that says what the event is, for people who meet the word first here.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Crash => "the main process ends",
            Self::Stop => "stopped, then started again",
            Self::Retire => "the container is removed",
            Self::ImageRemoval => "its image is deleted",
            Self::Reboot => "the host restarts",
            Self::HostLoss => "host lost, or you move on",
            Self::WorkspaceDeletion => "folder or volume deleted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_found_by_its_own_key_and_stands_at_its_index() {
        for (index, event) in Event::ALL.into_iter().enumerate() {
            assert_eq!(event.index(), index);
            assert_eq!(Event::from_key(event.key()), Some(event));
        }
        assert_eq!(Event::from_key("image-removal"), Some(Event::ImageRemoval));
        assert_eq!(Event::from_key("earthquake"), None);
    }
}
