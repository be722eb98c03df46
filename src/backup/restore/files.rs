//! Writing the files: folders as they come, contents by a few threads, each file piece by piece.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustic_core::BlobId;
use rustic_core::repofile::{BlobType, Node, NodeType};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, ftruncate, mkdirat, mknodat, openat, symlinkat, unlinkat};
use rustix::io::{Errno, pwrite};

use super::super::tree::{Readable, Then, Visitor};
use super::metadata::{self, Owners};
use super::stage::Staging;
use super::{Chosen, Wanted, Written, identity};
use crate::core::error::{Error, Kind, Result};
use crate::port::Meter;
use crate::text::printable_path;

/// How many files are written at a time.
const THREADS: usize = 4;
/// How many wait for their turn: each holds its folder open.
const WAITING: usize = 64;
/// A run of zeros this long, where a file system's blocks begin, becomes a hole.
const BLOCK: usize = 4096;

/// A file that is to be written.
struct Task {
    folder: Arc<OwnedFd>,
    name: OsString,
    path: PathBuf,
    node: Node,
}

/// What all that write share.
struct Shared {
    written: Mutex<Written>,
    /// What ends it all, such as a full disk.
    fatal: Mutex<Option<Error>>,
    owners: Owners,
}

impl Shared {
    fn skip(&self, path: &Path, why: &str) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).skipped.add(path, why);
    }

    fn damaged(&self, path: &Path, why: &str) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).damaged.add(path, why);
    }

    fn end(&self, error: Error) {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    fn go_on(&self) -> Result<()> {
        match &*self.fatal.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// One entry could not be written: that ends it all where no other could be either.
    fn failed(&self, path: &Path, errno: Errno) {
        let why = io::Error::from(errno);
        match errno {
            Errno::NOSPC | Errno::DQUOT | Errno::ROFS | Errno::IO | Errno::MFILE | Errno::NFILE => self.end(
                Error::new(Kind::Failed, format!("{} could not be written: {why}", printable_path(path)))
                    .hint("nothing was restored; make room, or restore to another place"),
            ),
            _ => self.skip(path, &format!("it could not be written: {why}")),
        }
    }

    fn metadata(&self, path: &Path, missing: Vec<String>) {
        for why in missing {
            self.skip(path, &why);
        }
    }
}

/// Writes all files that are shown while `show` runs.
pub(super) fn write(
    repository: &Readable,
    staging: &Staging,
    owners: Owners,
    meter: &Meter,
    show: impl FnOnce(&mut Files<'_>) -> Result<()>,
) -> Result<Written> {
    let shared = Shared { written: Mutex::default(), fatal: Mutex::default(), owners };
    let top = rustix::io::fcntl_dupfd_cloexec(staging.handle(), 0)
        .map_err(|error| Error::new(Kind::Failed, format!("could not begin: {}", io::Error::from(error))))?;
    let shown = thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        for _ in 0..THREADS {
            let (receiver, shared) = (Arc::clone(&receiver), &shared);
            scope.spawn(move || work(repository, meter, shared, &receiver));
        }
        // The last one that could receive must be one that does.
        drop(receiver);
        let mut files = Files {
            shared: &shared,
            meter,
            chosen: Chosen(None),
            folders: vec![Arc::new(top)],
            linked: HashSet::new(),
            tasks: sender,
        };
        show(&mut files)
    });
    shared.go_on()?;
    shown?;
    meter.go_on()?;
    Ok(shared.written.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Writes one file after the other, until there are no more.
fn work(repository: &Readable, meter: &Meter, shared: &Shared, tasks: &Mutex<Receiver<Task>>) {
    loop {
        let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = task else { return };
        // The rest is taken and left, so that whoever hands over is not stuck.
        if meter.is_cancelled() || shared.go_on().is_err() {
            continue;
        }
        match content(repository, meter, &task) {
            Ok(file) => {
                shared.metadata(&task.path, metadata::of_file(&file, &task.node, shared.owners));
                meter.files(1);
            }
            Err(Broken::Piece) => {
                let _ = unlinkat(&task.folder, &task.name, AtFlags::empty());
                // What was called off is not damaged.
                if !meter.is_cancelled() {
                    shared.damaged(&task.path, "its saved data is damaged, so it was not restored");
                }
            }
            Err(Broken::Disk(errno)) => {
                let _ = unlinkat(&task.folder, &task.name, AtFlags::empty());
                shared.failed(&task.path, errno);
            }
        }
    }
}

/// Why a file could not be written.
enum Broken {
    /// A piece of its saved data is damaged.
    Piece,
    /// The file system refused.
    Disk(Errno),
}

impl From<Errno> for Broken {
    fn from(errno: Errno) -> Self {
        Self::Disk(errno)
    }
}

/// Writes a file's content, one piece in memory at a time.
fn content(repository: &Readable, meter: &Meter, task: &Task) -> std::result::Result<OwnedFd, Broken> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(&task.folder, &task.name, flags, Mode::RUSR | Mode::WUSR)?;
    let (mut at, mut end) = (0_u64, 0_u64);
    for id in task.node.content.iter().flatten() {
        let blob = BlobId::from(*id);
        let piece = repository.get_blob_cached(&blob, BlobType::Data).map_err(|_| Broken::Piece)?;
        end = put(&file, at, &piece, end)?;
        at += piece.len() as u64;
        meter.bytes(piece.len() as u64);
    }
    if at > end {
        ftruncate(&file, at)?;
    }
    Ok(file)
}

/// Writes a piece but for the blocks of it that are nothing but zeros; gives the end of what is written.
fn put(file: &OwnedFd, start: u64, piece: &[u8], mut end: u64) -> rustix::io::Result<u64> {
    let mut from = 0;
    while from < piece.len() {
        let rest = piece.get(from..).unwrap_or_default();
        let zeros = zeros(start + from as u64, rest);
        from += zeros;
        let rest = piece.get(from..).unwrap_or_default();
        let data = data(start + from as u64, rest);
        let mut left = rest.get(..data).unwrap_or_default();
        while !left.is_empty() {
            let written = pwrite(file, left, start + (piece.len() - rest.len() + (data - left.len())) as u64)?;
            left = left.get(written..).unwrap_or_default();
        }
        from += data;
        if data > 0 {
            end = start + from as u64;
        }
    }
    Ok(end)
}

/// How many whole blocks of zeros come first, in bytes.
fn zeros(at: u64, bytes: &[u8]) -> usize {
    if !at.is_multiple_of(BLOCK as u64) {
        return 0;
    }
    bytes.chunks_exact(BLOCK).take_while(|block| is_zero(block)).count() * BLOCK
}

/// How many bytes come before the next whole block of zeros.
fn data(at: u64, bytes: &[u8]) -> usize {
    let to_block = usize::try_from((BLOCK as u64 - at % BLOCK as u64) % BLOCK as u64).unwrap_or(0);
    let Some(blocks) = bytes.get(to_block..) else { return bytes.len() };
    let mut length = to_block;
    for block in blocks.chunks(BLOCK) {
        if block.len() == BLOCK && is_zero(block) {
            break;
        }
        length += block.len();
    }
    length
}

fn is_zero(block: &[u8]) -> bool {
    block.first() == Some(&0) && block.iter().all(|byte| *byte == 0)
}

/// Makes folders and special files as they are shown, and hands files to those who write.
pub(super) struct Files<'a> {
    shared: &'a Shared,
    meter: &'a Meter,
    chosen: Chosen,
    /// The folders that lead to where it is, open; `None` would be one that could not be made.
    folders: Vec<Arc<OwnedFd>>,
    linked: HashSet<(u64, u64)>,
    tasks: SyncSender<Task>,
}

impl Files<'_> {
    /// Only what is wanted.
    pub(super) fn choose(&mut self, chosen: Chosen) {
        self.chosen = chosen;
    }

    fn folder(&mut self, name: &OsString, path: &Path) -> Result<Then> {
        let Some(parent) = self.folders.last() else { return Ok(Then::Skip) };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = mkdirat(parent, name, Mode::RWXU).and_then(|()| openat(parent, name, flags, Mode::empty()));
        match made {
            Ok(handle) => {
                self.folders.push(Arc::new(handle));
                Ok(Then::GoOn)
            }
            Err(errno) => {
                self.shared.failed(path, errno);
                self.shared.go_on()?;
                Ok(Then::Skip)
            }
        }
    }

    /// A link, a pipe, a device.
    fn special(&mut self, name: &OsString, path: &Path, node: &Node) {
        let Some(parent) = self.folders.last() else { return };
        let kind = match node.node_type {
            NodeType::Symlink { .. } => {
                let made = symlinkat(node.node_type.to_link(), parent, name);
                return self.made(made, name, path, node);
            }
            NodeType::Dev { device } => (FileType::BlockDevice, device),
            NodeType::Chardev { device } => (FileType::CharacterDevice, device),
            NodeType::Fifo => (FileType::Fifo, 0),
            NodeType::Socket => (FileType::Socket, 0),
            NodeType::File | NodeType::Dir => return,
        };
        let made = mknodat(parent, name, kind.0, Mode::RUSR | Mode::WUSR, kind.1);
        self.made(made, name, path, node);
    }

    fn made(&self, made: rustix::io::Result<()>, name: &OsString, path: &Path, node: &Node) {
        let Some(parent) = self.folders.last() else { return };
        match made {
            Ok(()) => {
                let missing = metadata::of_special(parent, name, node, self.shared.owners);
                self.shared.metadata(path, missing);
                self.meter.files(1);
            }
            Err(errno) => self.shared.failed(path, errno),
        }
    }
}

impl Visitor for Files<'_> {
    fn entry(&mut self, path: &Path, node: &Node) -> Result<Then> {
        self.meter.go_on()?;
        self.shared.go_on()?;
        let wanted = self.chosen.wants(path);
        if wanted == Wanted::No || (wanted == Wanted::OnTheWay && !node.is_dir()) {
            return Ok(Then::Skip);
        }
        let name = node.name().into_owned();
        if node.is_dir() {
            return self.folder(&name, path);
        }
        // Of a file with several names the first is written; the others come when it is there.
        if identity(node).is_some_and(|identity| !self.linked.insert(identity)) {
            return Ok(Then::GoOn);
        }
        if !node.is_file() {
            self.special(&name, path, node);
            return Ok(Then::GoOn);
        }
        let Some(folder) = self.folders.last().map(Arc::clone) else { return Ok(Then::Skip) };
        let task = Task { folder, name, path: path.to_path_buf(), node: node.clone() };
        self.tasks
            .send(task)
            .map_err(|_| Error::new(Kind::Failed, "the threads that write files ended before their work"))?;
        Ok(Then::GoOn)
    }

    fn leave(&mut self, _path: &Path, _node: &Node) -> Result<()> {
        self.folders.pop();
        Ok(())
    }

    fn damaged(&mut self, path: &Path, why: &str) {
        self.shared.damaged(path, why);
    }
}

#[cfg(test)]
mod unit {
    use super::*;
    use std::io::Read as _;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn whole_blocks_of_zeros_become_holes_and_every_byte_is_as_it_was() {
        let mut file = tempfile::tempfile().unwrap();
        let handle = OwnedFd::from(file.try_clone().unwrap());
        let mut content = vec![0_u8; 10 * BLOCK];
        content[5] = 1;
        content[3 * BLOCK..3 * BLOCK + 7].fill(7);
        content.extend([0; 100]);
        let (mut at, mut end) = (0, 0);
        // In pieces that do not begin where blocks begin.
        for piece in content.chunks(3000) {
            end = put(&handle, at, piece, end).unwrap();
            at += piece.len() as u64;
        }
        ftruncate(&handle, at).unwrap();
        let mut read = Vec::new();
        file.read_to_end(&mut read).unwrap();
        assert!(read == content);

        let sparse = tempfile::tempfile().unwrap();
        let handle = OwnedFd::from(sparse.try_clone().unwrap());
        assert_eq!(put(&handle, 0, &vec![0; 256 * BLOCK], 0).unwrap(), 0);
        ftruncate(&handle, 256 * BLOCK as u64).unwrap();
        assert_eq!(sparse.metadata().unwrap().blocks(), 0);
    }
}
