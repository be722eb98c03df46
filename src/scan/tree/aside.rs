//! What stands in the way of a folder's being known whole: kept so that a later look can take it back.

use rustix::io::Errno;

/// What is missing of one folder, or uncertain in it.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// Why it, or an entry of it, could not be read; whether that is a folder.
    pub(super) unread: Vec<(Errno, bool)>,
    /// Entries on which something else is mounted.
    pub(super) mounts: u32,
    /// Entries that changed while they were read.
    pub(super) changed: u32,
}

impl Aside {
    pub(super) const fn is_empty(&self) -> bool {
        self.unread.is_empty() && self.mounts == 0 && self.changed == 0
    }

    /// More of the same folder.
    pub(super) fn append(&mut self, more: &mut Self) {
        self.unread.append(&mut more.unread);
        self.mounts += std::mem::take(&mut more.mounts);
        self.changed += std::mem::take(&mut more.changed);
    }
}
