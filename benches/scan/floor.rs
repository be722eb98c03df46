//! The floor: what the kernel alone takes. A few threads, every entry looked at once, sums and nothing
//! else: no names kept, no rows, no order, no progress, no care for hostile trees.

use std::collections::{HashSet, VecDeque};
use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, StatxFlags, openat, statx};

const QUIET: AtFlags = AtFlags::STATX_DONT_SYNC.union(AtFlags::SYMLINK_NOFOLLOW).union(AtFlags::NO_AUTOMOUNT);
const FIELDS: StatxFlags = StatxFlags::TYPE
    .union(StatxFlags::SIZE)
    .union(StatxFlags::BLOCKS)
    .union(StatxFlags::NLINK)
    .union(StatxFlags::INO)
    .union(StatxFlags::MTIME);

type Job = (Option<Arc<OwnedFd>>, CString);

#[derive(Default)]
struct Shared {
    threads: usize,
    left: Mutex<(Vec<Job>, usize)>,
    wake: Condvar,
    idle: AtomicUsize,
}

/// What was found: entries, and allocated bytes.
#[derive(Clone, Copy, Default)]
struct Sum {
    entries: u64,
    bytes: u64,
}

/// Walks a folder with so many threads and prints the sums.
pub(crate) fn run(root: &Path, threads: usize) {
    let shared = Shared { threads, ..Shared::default() };
    let first = CString::new(root.to_str().unwrap()).unwrap();
    shared.left.lock().unwrap().0.push((None, first));
    let sums: Vec<Sum> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&shared))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let entries: u64 = sums.iter().map(|sum| sum.entries).sum();
    println!("{entries} entries, {} bytes", sums.iter().map(|sum| sum.bytes).sum::<u64>());
}

fn next(shared: &Shared, own: &mut VecDeque<Job>) -> Option<Job> {
    if let Some(job) = own.pop_back() {
        return Some(job);
    }
    let mut left = shared.left.lock().unwrap();
    left.1 += 1;
    loop {
        shared.idle.store(left.1, Relaxed);
        if let Some(job) = left.0.pop() {
            left.1 -= 1;
            shared.idle.store(left.1, Relaxed);
            return Some(job);
        }
        if left.1 >= shared.threads {
            shared.wake.notify_all();
            return None;
        }
        left = shared.wake.wait(left).unwrap();
    }
}

fn work(shared: &Shared) -> Sum {
    let mut own = VecDeque::new();
    let mut linked = HashSet::new();
    let mut sum = Sum::default();
    let mut buffer = vec![MaybeUninit::uninit(); 64 * 1024];
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    while let Some((parent, name)) = next(shared, &mut own) {
        let opened = match parent {
            Some(parent) => openat(&*parent, &name, flags, Mode::empty()),
            None => openat(CWD, &name, flags, Mode::empty()),
        };
        let Ok(handle) = opened else { continue };
        let handle = Arc::new(handle);
        let itself = statx(&*handle, c"", QUIET | AtFlags::EMPTY_PATH, FIELDS).unwrap();
        sum.bytes += itself.stx_blocks * 512;
        sum.entries += 1;
        let mut entries = RawDir::new(&*handle, &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if entry.file_type() == FileType::Directory {
                own.push_back((Some(handle.clone()), name.to_owned()));
                if shared.idle.load(Relaxed) > 0 && own.len() > 1 {
                    shared.left.lock().unwrap().0.extend(own.pop_front());
                    shared.wake.notify_one();
                }
            } else if let Ok(stat) = statx(&*handle, name, QUIET, FIELDS) {
                sum.entries += 1;
                if stat.stx_nlink == 1 || linked.insert(stat.stx_ino) {
                    sum.bytes += stat.stx_blocks * 512;
                }
            }
        }
    }
    sum
}
