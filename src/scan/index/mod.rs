//! The index on disk: what was found in a folder the last time, so that the next time has an answer
//! at once. Thrown away when in doubt: it saves time and nothing else.

mod format;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use rustix::fs::{OFlags, StatxFlags, statx};

use self::format::Whose;
use super::birth::QUIET;
use super::disk::LocalDisk;
use super::open::Root;
use super::tree::{Found, Tree};
use crate::core::error::Result;
use crate::core::spot::Spot;
use crate::port::{By, Disk, FolderId, Matching, Order, Pace, Page, Progress, Row, Sum, Walk};
use crate::sys::ioprio;

/// A tree of fewer entries is walked faster than it is worth keeping.
const WORTH: u64 = 5_000;
/// A larger file is none of ours.
const LARGEST: u64 = 4 << 30;
/// Whose files were looked at longer ago counts for nothing.
const OLDEST: SignedDuration = SignedDuration::from_hours(24);
/// So many are kept, the last ones used.
const KEPT: usize = 16;
/// A tree that is followed is kept anew this often, where it changed.
const EVERY: Duration = Duration::from_mins(5);

/// The disk of this machine, and what is remembered of it.
#[derive(Clone, Debug)]
pub struct IndexedDisk {
    /// Where the indexes are.
    folder: PathBuf,
    machine: String,
}

impl IndexedDisk {
    /// Remembers in this folder, which comes into being with the first index.
    pub const fn new(folder: PathBuf, machine: String) -> Self {
        Self { folder, machine }
    }

    fn whose(&self, path: &Path, root: &Root) -> Option<Whose> {
        use std::os::unix::ffi::OsStrExt as _;
        let fields = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
        let stat = statx(root.handle(), c"", QUIET, fields).ok()?;
        let boot = || fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let born = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
        Some(Whose {
            machine: self.machine.clone(),
            // Numbers of what is no device are given anew with every mount.
            boot: (stat.stx_dev_major == 0).then(boot).flatten(),
            path: path.as_os_str().as_bytes().to_vec(),
            device: (stat.stx_dev_major, stat.stx_dev_minor),
            inode: stat.stx_ino,
            born: born.then_some((stat.stx_btime.tv_sec, stat.stx_btime.tv_nsec)),
        })
    }

    /// What is remembered of a folder.
    fn remembered(&self, path: &Path, root: &Root) -> Option<Tree> {
        let file = read(&self.folder.join(format::name(path)))?;
        let (when, record) = format::read(&file, &self.whose(path, root)?)?;
        let now = Timestamp::now();
        // What grew in place since is not known: for a day that is worth the time.
        let counts = when.as_of <= now && when.read <= now && now.duration_since(when.read) < OLDEST;
        counts.then(|| Tree::recorded(path, root, record, when))?
    }

    /// Keeps what was found. Whatever goes wrong only costs time later.
    fn keep(&self, path: &Path, found: &Found) -> Option<()> {
        if found.entries() < WORTH {
            return None;
        }
        let (root, when) = (Root::open(path).ok()?, found.when()?);
        let file = format::written(&self.whose(path, &root)?, when, &found.record()?);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).ok()?;
        let target = self.folder.join(format::name(path));
        let new = target.with_extension(format!("{}.new", std::process::id()));
        let kept = write(&new, &file).and_then(|()| fs::rename(&new, &target));
        if kept.is_err() {
            let _ = fs::remove_file(&new);
        }
        self.tidy();
        kept.ok()
    }

    /// Only the last ones used stay, and nothing that was cut off.
    fn tidy(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut files: Vec<(SystemTime, PathBuf)> = entries
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort();
        let old = |at: SystemTime| at.elapsed().is_ok_and(|age| age > Duration::from_hours(1));
        let is_index = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "index");
        let (indexes, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|(_, path)| is_index(path));
        let surplus = indexes.len().saturating_sub(KEPT);
        let cut = others
            .into_iter()
            .filter(|(at, path)| old(*at) && path.extension().is_some_and(|extension| extension == "new"));
        for (_, path) in indexes.into_iter().take(surplus).chain(cut) {
            let _ = fs::remove_file(path);
        }
    }
}

impl Disk for IndexedDisk {
    fn walk(&self, root: &Path, pace: Pace) -> Result<Box<dyn Walk>> {
        LocalDisk.walk(root, pace)
    }

    fn walk_beneath(&self, spot: &Spot, pace: Pace) -> Result<Box<dyn Walk>> {
        LocalDisk.walk_beneath(spot, pace)
    }

    fn recall(&self, root: &Path, pace: Pace) -> Result<Box<dyn Walk>> {
        let remembered = Root::open(root).ok().and_then(|opened| self.remembered(root, &opened));
        let remembered = remembered.filter(|tree| tree.compare(pace).is_ok());
        let tree = remembered.map_or_else(|| LocalDisk::tree(root, pace), Ok)?;
        Ok(Box::new(Kept::new(self, root, tree, pace)))
    }
}

/// A walk that is kept once it has ended.
struct Kept {
    disk: IndexedDisk,
    path: PathBuf,
    tree: Tree,
    /// Kept at its end, while whoever asked goes on; else by a thread of its own.
    at_the_end: bool,
}

impl Kept {
    fn new(disk: &IndexedDisk, path: &Path, tree: Tree, pace: Pace) -> Self {
        if pace == Pace::Background {
            let (disk, path, found) = (disk.clone(), path.to_path_buf(), tree.found());
            // Where no thread can be made nothing is kept.
            drop(thread::Builder::new().name("index".into()).spawn(move || {
                let _ = ioprio::give_way();
                found.wait();
                let mut kept = None;
                loop {
                    let now = Some(found.generation());
                    if kept != now && disk.keep(&path, &found).is_some() {
                        kept = now;
                    }
                    if !found.rest(EVERY) {
                        return;
                    }
                }
            }));
        }
        Self { disk: disk.clone(), path: path.into(), tree, at_the_end: pace == Pace::Full }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if self.at_the_end {
            self.disk.keep(&self.path, &self.tree.found());
        }
    }
}

impl Walk for Kept {
    fn progress(&self) -> Progress {
        self.tree.progress()
    }

    fn named(&self, folder: FolderId, words: &str, order: Order, from: usize, limit: usize) -> Page {
        self.tree.named(folder, words, order, from, limit)
    }

    fn files(&self, matching: &Matching, order: Order, limit: usize) -> Vec<Row> {
        self.tree.files(matching, order, limit)
    }

    fn sums(&self, by: By) -> Vec<Sum> {
        self.tree.sums(by)
    }

    fn find(&self, path: &Path) -> Option<FolderId> {
        self.tree.find(path)
    }

    fn path(&self, folder: FolderId) -> PathBuf {
        self.tree.path(folder)
    }

    fn stop(&self) {
        self.tree.stop();
    }

    fn ended(&self, within: Duration) -> bool {
        self.tree.ended(within)
    }

    fn follow(&self) {
        self.tree.follow();
    }

    fn refresh(&self) {
        self.tree.refresh();
    }

    fn generation(&self) -> u64 {
        self.tree.generation()
    }

    fn moved(&self, from: u64, within: Duration) -> u64 {
        self.tree.moved(from, within)
    }
}

/// A file of our own, whole; `None` of anything else.
fn read(path: &Path) -> Option<Vec<u8>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).ok()?;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let about = file.metadata().ok()?;
    let ours = about.is_file() && about.uid() == rustix::process::geteuid().as_raw() && about.len() <= LARGEST;
    let mut content = Vec::with_capacity(usize::try_from(about.len()).ok().filter(|_| ours)?);
    file.read_to_end(&mut content).ok()?;
    // The last ones used stay.
    let _ = file.set_modified(SystemTime::now());
    Some(content)
}

fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)
}
