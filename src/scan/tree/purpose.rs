//! What a walk is for: which entries count, and who is shown the files as they are met.

use std::collections::HashSet;
use std::ffi::{CStr, OsString};
use std::ops::ControlFlow;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::fs::{FileType, Statx};

use crate::core::storage::StorageKind;
use crate::port::FileFact;
use crate::scan::birth::Birth;
use crate::scan::layer::{Ground, Layer, Sign};
use crate::scan::open::Root;
use crate::scan::{Job, Rule};

/// Files are told when there are so many, and so many entries are met between two looks at that:
/// never more than twice as many at a time,
pub(super) const BATCH: u32 = 128;
/// and told so often at least, so that a screen sees progress.
const PATIENCE: Duration = Duration::from_millis(100);
/// Files up to this size may be stored without a block of their own.
const INLINE: u64 = 4096;

/// Who is shown what a thread met; breaking off ends the walk.
pub(in crate::scan) type Tell = Box<dyn Fn(Met) -> ControlFlow<()> + Send + Sync>;

/// What a thread met since it last told.
#[derive(Debug, Default)]
pub(in crate::scan) struct Met {
    /// Files that count; never more than 256.
    pub(in crate::scan) files: Vec<FileFact>,
    /// Entries of every kind.
    pub(in crate::scan) entries: u64,
}

/// What a walk is for.
pub(super) struct Purpose {
    rule: Rule,
    storage: StorageKind,
    /// Where the root is for whoever is told.
    pub(super) shown_at: PathBuf,
    /// Entries that are not met: in which folder, beneath the root, and by which name.
    skip: Vec<(Vec<u8>, Vec<u8>)>,
    birth: Option<Birth>,
    pub(super) layer: Option<Layer>,
    /// Without somebody to tell, all that is met is kept in the tree.
    pub(super) tell: Option<Tell>,
}

impl std::fmt::Debug for Purpose {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Purpose")
            .field("rule", &self.rule)
            .field("shown_at", &self.shown_at)
            .finish_non_exhaustive()
    }
}

impl Purpose {
    /// To keep all there is beneath a root.
    pub(super) fn everything(root: &Path) -> Self {
        Self {
            rule: Rule::Everything,
            storage: StorageKind::Unknown,
            shown_at: root.into(),
            skip: Vec::new(),
            birth: None,
            layer: None,
            tell: None,
        }
    }

    /// What a job asks for. Without births a root that goes by them tells nothing.
    pub(super) fn of(job: &Job, root: &Root, tell: Option<Tell>) -> Self {
        let skip = job.skip.iter().filter_map(|path| {
            let path = path.strip_prefix(&job.shown_at).ok()?;
            let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
            Some((bytes(path.parent()?), bytes(Path::new(path.file_name()?))))
        });
        Self {
            rule: job.rule,
            storage: job.storage,
            shown_at: job.shown_at.clone(),
            skip: skip.collect(),
            birth: Birth::of(root.handle()),
            layer: (job.rule == Rule::Upper).then(|| Layer::new(&job.below)),
            tell,
        }
    }

    /// Whether it can tell at all which files count.
    pub(super) fn is_told(&self) -> bool {
        self.rule != Rule::BornAfterRoot || self.birth.is_some()
    }

    /// Names in a folder that are not met.
    pub(super) fn skipped(&self, folder: &[u8]) -> Vec<&[u8]> {
        let here = self.skip.iter().filter(|(parent, _)| parent == folder);
        here.map(|(_, name)| name.as_slice()).collect()
    }

    /// Whether folders, links and the like count: only where everything does.
    pub(super) fn counts_all(&self) -> bool {
        self.rule == Rule::Everything
    }

    /// What a folder is compared with.
    pub(super) fn ground(&self, id: u32, handle: BorrowedFd<'_>) -> Option<Arc<Ground>> {
        self.layer.as_ref().map(|layer| Arc::new(layer.enter(id, handle)))
    }

    /// Whether an entry that is no folder counts, and if so whether it was the image's.
    pub(super) fn sort(
        &self,
        ground: Option<&Ground>,
        handle: BorrowedFd<'_>,
        name: &CStr,
        stat: &Statx,
    ) -> Option<bool> {
        let is_file = FileType::from_raw_mode(u32::from(stat.stx_mode)) == FileType::RegularFile;
        match (self.rule, ground, &self.layer) {
            (Rule::Everything, ..) => Some(false),
            (Rule::Upper, Some(ground), Some(layer)) => {
                let sign = ground.sign(handle, name, stat);
                if is_file || sign == Sign::Deleted {
                    layer.told(ground, sign, name.to_bytes());
                }
                match sign {
                    Sign::New => is_file.then_some(false),
                    Sign::Changed => is_file.then_some(true),
                    Sign::Attributes | Sign::Deleted | Sign::Mark => None,
                }
            }
            (Rule::Upper, ..) => None,
            (Rule::BornAfterRoot, ..) => {
                let mine = is_file && self.birth.is_some_and(|birth| birth.is_before(stat));
                mine.then_some(false)
            }
        }
    }

    /// A file as it is told.
    fn fact(&self, path: PathBuf, stat: &Statx, changed: bool) -> FileFact {
        // A small file kept in its inode has no block and still holds its size.
        let bytes = match stat.stx_blocks {
            0 if stat.stx_size <= INLINE => stat.stx_size,
            blocks => blocks.saturating_mul(512),
        };
        FileFact { path, bytes: Some(bytes), storage: self.storage, modified: instant(stat), changed }
    }

    /// Tells of a root that is a single file.
    pub(super) fn one(&self, stat: &Statx) {
        if let Some(tell) = &self.tell {
            let file = self.fact(self.shown_at.clone(), stat, false);
            // There is nothing left to break off.
            let _ = tell(Met { files: vec![file], entries: 1 });
        }
    }
}

fn instant(stat: &Statx) -> Option<Timestamp> {
    Timestamp::new(stat.stx_mtime.tv_sec, i32::try_from(stat.stx_mtime.tv_nsec).ok()?).ok()
}

/// Files on their way to whoever is told.
pub(super) struct Batch<'w> {
    purpose: &'w Purpose,
    tell: &'w Tell,
    /// The folder that is read, as it is shown, with a slash behind it.
    folder: Vec<u8>,
    met: Met,
    told: Instant,
}

impl<'w> Batch<'w> {
    /// `None` where nobody is told.
    pub(super) fn new(purpose: &'w Purpose) -> Option<Self> {
        let tell = purpose.tell.as_ref()?;
        Some(Self { purpose, tell, folder: Vec::new(), met: Met::default(), told: Instant::now() })
    }

    /// From here on files are of this folder beneath the root.
    pub(super) fn enter(&mut self, folder: &[u8]) {
        self.folder.clear();
        for part in [self.purpose.shown_at.as_os_str().as_bytes(), folder] {
            self.folder.extend_from_slice(part);
            if !part.is_empty() && !part.ends_with(b"/") {
                self.folder.push(b'/');
            }
        }
    }

    /// A file of the folder.
    pub(super) fn file(&mut self, name: &[u8], stat: &Statx, changed: bool) {
        let mut path = Vec::with_capacity(self.folder.len() + name.len());
        path.extend_from_slice(&self.folder);
        path.extend_from_slice(name);
        let path = OsString::from_vec(path).into();
        self.met.files.push(self.purpose.fact(path, stat, changed));
    }

    /// So many entries were met, of whatever kind; tells where it is time.
    pub(super) fn met(&mut self, entries: u32) -> ControlFlow<()> {
        self.met.entries += u64::from(entries);
        let due = self.met.files.len() >= BATCH as usize || self.told.elapsed() >= PATIENCE;
        if due { self.tell() } else { ControlFlow::Continue(()) }
    }

    /// Tells all there is.
    pub(super) fn tell(&mut self) -> ControlFlow<()> {
        self.told = Instant::now();
        let met = std::mem::take(&mut self.met);
        if met.entries == 0 && met.files.is_empty() { ControlFlow::Continue(()) } else { (self.tell)(met) }
    }
}

/// Names beneath that are not met again in a folder that hides them.
pub(super) struct Hidden<'g> {
    names: HashSet<&'g [u8]>,
}

impl<'g> Hidden<'g> {
    pub(super) fn of(ground: Option<&'g Ground>) -> Self {
        Self { names: ground.map(Ground::hidden).unwrap_or_default() }
    }

    pub(super) fn met(&mut self, name: &[u8]) {
        if !self.names.is_empty() {
            self.names.remove(name);
        }
    }

    pub(super) fn left(&self) -> usize {
        self.names.len()
    }
}
