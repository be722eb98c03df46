//! The one listener of the process: which file systems it hears of, and who wants to know.
//!
//! It waits for the first change, lets others gather for a moment, and takes them all at once. A
//! folder is known by the handle that the kernel names it by: whatever happens in others, on the same
//! file system, is dropped before anything is looked up.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ffi::CStr;
use std::hash::{BuildHasher, RandomState};
use std::io::{PipeReader, PipeWriter, Result, pipe};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crate::sys::fanotify::{self, Change, Changes, Deed};

/// How long changes gather before they are looked at.
const GATHER: Duration = Duration::from_millis(250);
/// Bytes of changes taken at a time: some hundred.
const BUFFER: usize = 64 * 1024;
/// Files that are open for writing, of which one watch keeps so many in mind.
const OPEN: usize = 256;
/// Files that were closed, of which so many are named: whoever still looks at one finds out himself.
const CLOSED: usize = 4096;
/// Folders that changed before they were known, of which so many are kept in mind.
const UNKNOWN: usize = 100_000;

/// There while somebody watches.
static HUB: Mutex<Weak<Hub>> = Mutex::new(Weak::new());

/// What all watches of the process share; dropping it ends its thread.
#[derive(Debug)]
struct Hub {
    ears: Arc<Ears>,
    /// Closed with the hub: the thread ends when its other end says so.
    _alive: PipeWriter,
}

/// What the thread of the hub has.
#[derive(Debug)]
struct Ears {
    changes: Changes,
    watches: Mutex<Vec<Weak<Inbox>>>,
    /// Makes handles numbers, differently in every process: nobody can choose two that are alike.
    keys: RandomState,
}

/// Hears of changes in the folders that it knows.
pub(in crate::scan) struct Watch {
    hub: Arc<Hub>,
    inbox: Arc<Inbox>,
}

/// What was heard and not taken yet.
struct Inbox {
    heard: Mutex<Heard>,
    known: Mutex<Known>,
    /// Called after something was heard.
    tell: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Known {
    /// The folders by their handles, and whoever watches calls them what.
    folders: HashMap<u64, u32>,
    /// What changed in folders that are not known yet, while they are being learnt.
    unknown: Option<HashSet<u64>>,
}

/// A file that somebody writes to: the handle of its folder, and its name.
pub(in crate::scan) type OpenFile = (Box<[u8]>, Box<[u8]>);

/// What happened since the last time.
#[derive(Debug, Default)]
pub(in crate::scan) struct Heard {
    /// The folders in which something changed.
    pub(in crate::scan) folders: BTreeSet<u32>,
    /// Whether a folder came into being in one of them, or was moved there.
    pub(in crate::scan) new_folders: bool,
    /// More happened than was kept: anything may have changed.
    pub(in crate::scan) lost: bool,
    /// Files that came into being and were not closed yet, by the folder that they are in.
    pub(in crate::scan) opened: BTreeMap<OpenFile, u32>,
    /// Files that were closed.
    pub(in crate::scan) closed: BTreeSet<OpenFile>,
}

impl Heard {
    fn is_empty(&self) -> bool {
        self.folders.is_empty() && !self.lost
    }
}

impl Watch {
    /// Begins to watch; `tell` is called, on the thread of the hub, after something was heard.
    pub(in crate::scan) fn new(tell: Box<dyn Fn() + Send + Sync>) -> Result<Self> {
        let hub = Hub::get()?;
        let inbox = Arc::new(Inbox { heard: Mutex::default(), known: Mutex::default(), tell });
        lock(&inbox.known).unknown = Some(HashSet::new());
        let mut watches = lock(&hub.ears.watches);
        watches.retain(|watch| watch.strong_count() > 0);
        watches.push(Arc::downgrade(&inbox));
        drop(watches);
        Ok(Self { hub, inbox })
    }

    /// Listens to the file system of an open folder. Fails where its folders cannot be told apart.
    pub(in crate::scan) fn listen(&self, folder: BorrowedFd<'_>) -> Result<()> {
        fanotify::handle(folder, c"", &mut Vec::new())?;
        self.hub.ears.changes.add(folder)
    }

    /// From here on changes in a folder are heard of, by this number. The name is that in an open
    /// folder; without one it is the open folder itself. Returns its handle.
    pub(in crate::scan) fn know(&self, folder: BorrowedFd<'_>, name: &CStr, number: u32) -> Result<Vec<u8>> {
        let mut handle = Vec::new();
        fanotify::handle(folder, name, &mut handle)?;
        let key = self.hub.ears.key(&handle);
        let mut known = lock(&self.inbox.known);
        known.folders.insert(key, number);
        if known.unknown.as_mut().is_some_and(|unknown| unknown.remove(&key)) {
            lock(&self.inbox.heard).folders.insert(number);
        }
        Ok(handle)
    }

    /// All folders are known: what happens in others concerns nobody from here on.
    pub(in crate::scan) fn learnt(&self) {
        lock(&self.inbox.known).unknown = None;
    }

    /// Forgets all folders, to learn them anew; what changes meanwhile is kept in mind.
    pub(in crate::scan) fn forget(&self) {
        *lock(&self.inbox.known) = Known { folders: HashMap::new(), unknown: Some(HashSet::new()) };
    }

    /// What was heard since the last time.
    pub(in crate::scan) fn take(&self) -> Heard {
        std::mem::take(&mut *lock(&self.inbox.heard))
    }

    /// Opens a folder by its handle, on the file system of an open one.
    pub(in crate::scan) fn open(mount: BorrowedFd<'_>, file: &OpenFile) -> Result<OwnedFd> {
        fanotify::open(mount, &file.0)
    }
}

impl Hub {
    fn get() -> Result<Arc<Self>> {
        let mut hub = lock(&HUB);
        if let Some(hub) = hub.upgrade() {
            return Ok(hub);
        }
        let ears =
            Arc::new(Ears { changes: Changes::listen()?, watches: Mutex::default(), keys: RandomState::new() });
        let (end, alive) = pipe()?;
        let listening = Arc::clone(&ears);
        thread::Builder::new().name("live".into()).spawn(move || listening.listen(&end))?;
        let new = Arc::new(Self { ears, _alive: alive });
        *hub = Arc::downgrade(&new);
        Ok(new)
    }
}

impl Ears {
    fn key(&self, handle: &[u8]) -> u64 {
        self.keys.hash_one(handle)
    }

    /// Until the hub is gone, or the kernel refuses.
    fn listen(&self, end: &PipeReader) {
        let mut buffer = vec![0; BUFFER];
        loop {
            match fanotify::either(Some(self.changes.as_fd()), end.as_fd(), None) {
                Ok((_, false)) => {}
                Ok((_, true)) | Err(_) => return,
            }
            // A flood of changes wakes nobody more often than this.
            if !matches!(fanotify::either(None, end.as_fd(), Some(GATHER)), Ok((_, false))) {
                return;
            }
            let watches: Vec<Arc<Inbox>> = lock(&self.watches).iter().filter_map(Weak::upgrade).collect();
            loop {
                match self.changes.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(read) => self.sort(buffer.get(..read).unwrap_or_default(), &watches),
                    Err(_) => {
                        // Nothing more will be heard: whatever is shown may be old from here on.
                        for inbox in &watches {
                            lock(&inbox.heard).lost = true;
                            (inbox.tell)();
                        }
                        return;
                    }
                }
            }
            for inbox in &watches {
                if !lock(&inbox.heard).is_empty() {
                    (inbox.tell)();
                }
            }
        }
    }

    fn sort(&self, read: &[u8], watches: &[Arc<Inbox>]) {
        for change in fanotify::changes(read) {
            let key = self.key(change.folder);
            for inbox in watches {
                inbox.hear(key, &change);
            }
        }
    }
}

impl Inbox {
    fn hear(&self, key: u64, change: &Change<'_>) {
        if change.deed == Deed::Lost {
            lock(&self.heard).lost = true;
            return;
        }
        let mut known = lock(&self.known);
        let Some(&number) = known.folders.get(&key) else {
            if let Some(unknown) = &mut known.unknown {
                if unknown.len() < UNKNOWN {
                    unknown.insert(key);
                } else {
                    lock(&self.heard).lost = true;
                }
            }
            return;
        };
        drop(known);
        let mut heard = lock(&self.heard);
        heard.folders.insert(number);
        if change.of_folder {
            heard.new_folders |= change.deed == Deed::Came;
            return;
        }
        let file = || (change.folder.into(), change.name.into());
        match change.deed {
            Deed::Closed => {
                let file = file();
                heard.opened.remove(&file);
                if heard.closed.len() < CLOSED {
                    heard.closed.insert(file);
                }
            }
            Deed::Came if heard.opened.len() < OPEN => {
                let file = file();
                heard.closed.remove(&file);
                heard.opened.insert(file, number);
            }
            Deed::Came | Deed::Lost | Deed::Other => {}
        }
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
