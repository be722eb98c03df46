//! Files with several names: which were met already.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// So many sets that two threads rarely want the same.
const SHARDS: usize = 64;

/// The files with several names that were met.
#[derive(Debug)]
pub(super) struct Links {
    /// The root's device, whose files are kept by their inode alone.
    home: (u32, u32),
    shards: Vec<Mutex<Shard>>,
}

#[derive(Debug, Default)]
struct Shard {
    here: HashSet<u64>,
    /// On btrfs one mount has files of several devices.
    elsewhere: HashSet<(u32, u32, u64)>,
}

impl Links {
    pub(super) fn new(home: (u32, u32)) -> Self {
        Self { home, shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect() }
    }

    /// Whether a file is met for the first time.
    pub(super) fn first(&self, device: (u32, u32), inode: u64) -> bool {
        let shard = usize::try_from(inode % SHARDS as u64).unwrap_or_default();
        let Some(shard) = self.shards.get(shard) else { return true };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if device == self.home {
            shard.here.insert(inode)
        } else {
            shard.elsewhere.insert((device.0, device.1, inode))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_met_for_the_first_time_once_on_each_device() {
        let links = Links::new((8, 1));
        let first = [((8, 1), 5), ((8, 1), 5), ((8, 2), 5), ((8, 2), 5), ((8, 1), 69)];
        assert_eq!(first.map(|(device, inode)| links.first(device, inode)), [true, false, true, false, true]);
    }
}
