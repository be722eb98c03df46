//! Files with several names: how many names of each were met. One of them is counted.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many sets that two threads rarely want the same.
const SHARDS: usize = 64;

/// A device, major and minor.
pub(super) type Device = (u32, u32);

/// The files with several names that were met.
#[derive(Debug)]
pub(super) struct Links {
    /// The root's device, whose files are kept by their inode alone.
    home: Device,
    shards: Vec<Mutex<Shard>>,
}

#[derive(Debug, Default)]
struct Shard {
    here: HashMap<u64, u32>,
    /// On btrfs one mount has files of several devices.
    elsewhere: HashMap<(Device, u64), u32>,
}

impl Links {
    pub(super) fn new(home: Device) -> Self {
        Self { home, shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect() }
    }

    /// The device of most files.
    pub(super) const fn home(&self) -> Device {
        self.home
    }

    /// Another name of a file was met: whether it is the first.
    pub(super) fn first(&self, device: Device, inode: u64) -> bool {
        self.with(device, inode, |names| {
            *names += 1;
            *names == 1
        })
    }

    /// A name of a file is gone: how many are left.
    pub(super) fn forget(&self, device: Device, inode: u64) -> u32 {
        let left = self.with(device, inode, |names| {
            *names = names.saturating_sub(1);
            *names
        });
        if left == 0 {
            let mut shard = self.shard(inode);
            if device == self.home {
                shard.here.remove(&inode);
            } else {
                shard.elsewhere.remove(&(device, inode));
            }
        }
        left
    }

    /// How many names of a file were met.
    pub(super) fn names(&self, device: Device, inode: u64) -> u32 {
        let shard = self.shard(inode);
        let names =
            if device == self.home { shard.here.get(&inode) } else { shard.elsewhere.get(&(device, inode)) };
        names.copied().unwrap_or(0)
    }

    fn with<T>(&self, device: Device, inode: u64, change: impl FnOnce(&mut u32) -> T) -> T {
        fn entry<K: Eq + Hash>(names: &mut HashMap<K, u32>, key: K) -> &mut u32 {
            names.entry(key).or_default()
        }
        let mut shard = self.shard(inode);
        if device == self.home {
            change(entry(&mut shard.here, inode))
        } else {
            change(entry(&mut shard.elsewhere, (device, inode)))
        }
    }

    fn shard(&self, inode: u64) -> MutexGuard<'_, Shard> {
        let shard = usize::try_from(inode % SHARDS as u64).unwrap_or_default();
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
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
        assert_eq!((links.names((8, 1), 5), links.names((8, 2), 69)), (2, 0));
        assert_eq!([1, 0, 0].map(|_| links.forget((8, 2), 5)), [1, 0, 0]);
        assert!(links.first((8, 2), 5), "all its names were gone");
    }
}
