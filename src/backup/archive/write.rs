//! Writes an archive: a folder is walked, its files are read and packed, and the archive gets its name
//! when it is whole and on the disk.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use rustix::fs::{FileType, RenameFlags, Statx, readlinkat, renameat_with};
use rustix::io::Errno;

use super::entry::{Entry, Meta, What};
use super::{failed, header, source, stopped};
use crate::core::archive::{PARTIAL, read_name, too_large};
use crate::core::error::{Error, Kind, Result};
use crate::core::secrets;
use crate::port::archive::{Meter, Missed, WriteOrder, Written};
use crate::scan::{self, Root};
use crate::text::printable_path;

/// Bytes that are read of a file at a time.
const BUFFER: usize = 128 * 1024;
/// Where an archive says it comes from.
pub(super) const FROM: &str = "outlast from ";
/// Bytes of that at most.
const LONGEST_FROM: usize = 4096;

/// Writes one archive.
pub(super) fn write(order: &WriteOrder, meter: &Meter) -> Result<Written> {
    let (Some(folder), Some(name)) = (order.file.parent(), order.file.file_name()) else {
        return Err(Error::new(Kind::Usage, format!("{} is no file's name", printable_path(&order.file))));
    };
    sweep(folder);
    let root = Root::open(&order.source).map_err(|reason| failed("read", &order.source, reason))?;
    let mut partial = name.to_os_string();
    partial.push(PARTIAL);
    let partial = Partial::create(folder.join(partial))?;
    let size = Rc::new(Cell::new(0));
    let packed = pack(order, root, &partial, &size, meter);
    // A limit that was passed is why writing failed.
    if let Some(limit) = order.limit.filter(|limit| size.get() > *limit) {
        return Err(too_large("the archive", &order.file, size.get(), limit)
            .hint("leave something out with --exclude NAME, or move data elsewhere"));
    }
    let written = packed?;
    partial.keep(&order.file)?;
    Ok(Written { bytes: size.get(), ..written })
}

fn pack(
    order: &WriteOrder,
    root: Root,
    partial: &Partial,
    size: &Rc<Cell<u64>>,
    meter: &Meter,
) -> Result<Written> {
    let counted = Counted { file: BufWriter::new(&partial.file), size: Rc::clone(size), limit: order.limit };
    let own =
        source::look(partial.file.as_fd(), c"").map_err(|reason| failed("read", &partial.path, reason))?;
    let home = source::look(root.handle(), c"").map_err(|reason| failed("read", &order.source, reason))?;
    let mut pack = Pack {
        out: GzBuilder::new().comment(comment(&order.from)).write(counted, Compression::default()),
        order,
        root,
        own: source::identity(&own),
        mount: source::mount(&home),
        linked: HashMap::new(),
        buffer: vec![0; BUFFER],
        meter,
        written: Written::default(),
    };
    pack.all(home)?;
    pack.end()?;
    Ok(std::mem::take(&mut pack.written))
}

/// The text that says where an archive is from: harmless, and short.
fn comment(from: &str) -> Vec<u8> {
    let mut text = format!("{FROM}{}", crate::text::printable(from));
    while text.len() > LONGEST_FROM {
        text.pop();
    }
    text.into_bytes()
}

/// Removes what writers left that were killed; one that is still at it holds its lock.
fn sweep(folder: &Path) {
    let left = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(PARTIAL));
        name.is_some_and(|name| read_name(name.as_ref()).is_some())
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(left) {
        let options = OpenOptions::new()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path);
        if options.is_ok_and(|file| file.try_lock().is_ok()) {
            // What cannot be removed is in nobody's way.
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// An archive that is not whole yet: goes when it is dropped.
struct Partial {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Partial {
    fn create(path: PathBuf) -> Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed("made", &path, error))?;
        // Without locks on this disk nobody sweeps it either.
        let _ = file.try_lock();
        Ok(Self { path, file, kept: false })
    }

    /// Gives it its name once all of it is on the disk. Nothing is overwritten.
    fn keep(mut self, file: &Path) -> Result<()> {
        self.file.sync_all().map_err(|error| failed("written", file, error))?;
        let cwd = rustix::fs::CWD;
        match renameat_with(cwd, &self.path, cwd, file, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS) if !file.exists() => std::fs::rename(&self.path, file),
            renamed => renamed.map_err(Into::into),
        }
        .map_err(|error| failed("written", file, error))?;
        self.kept = true;
        // The name must be on the disk too; not every disk can be asked for that.
        if let Some(folder) = file.parent().and_then(|folder| File::open(folder).ok()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Counts what is written and stops where it is more than the limit.
struct Counted<'f> {
    file: BufWriter<&'f File>,
    size: Rc<Cell<u64>>,
    limit: Option<u64>,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.size.set(self.size.get() + written as u64);
        if self.limit.is_some_and(|limit| self.size.get() > limit) {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// An archive in the making.
struct Pack<'p> {
    out: GzEncoder<Counted<'p>>,
    order: &'p WriteOrder,
    root: Root,
    /// The archive itself, which may lie in the folder.
    own: (u32, u32, u64),
    mount: (u64, u32),
    /// Files with several names that are in the archive, by what tells them from others.
    linked: HashMap<(u32, u32, u64), Vec<u8>>,
    buffer: Vec<u8>,
    meter: &'p Meter,
    written: Written,
}

impl Pack<'_> {
    /// Every folder before what it holds.
    fn all(&mut self, home: Statx) -> Result<()> {
        let mut pending = vec![(PathBuf::new(), home)];
        while let Some((relative, stat)) = pending.pop() {
            self.go_on()?;
            let folders = self.folder(&relative, &stat)?;
            pending.extend(folders.into_iter().rev());
        }
        Ok(())
    }

    /// Two empty blocks, and the sums.
    fn end(&mut self) -> Result<()> {
        let done = self.out.write_all(&[0; 2 * header::BLOCK]).and_then(|()| self.out.try_finish());
        done.and_then(|()| self.out.get_mut().flush()).map_err(|error| self.unwritten(error))
    }

    /// Writes a folder and its files; the folders in it are the answer.
    fn folder(&mut self, relative: &Path, stat: &Statx) -> Result<Vec<(PathBuf, Statx)>> {
        let mut entry = Entry { name: name_of(relative, true), what: What::Folder, meta: source::meta(stat) };
        let opened = self.root.directory(relative).and_then(|handle| {
            // It may have been swapped for another since its parent was read.
            let now = source::look(handle.as_fd(), c"")?;
            if source::mount(&now) != self.mount {
                return Err(Errno::XDEV);
            }
            Ok((source::names(handle.as_fd())?, source::attributes(&handle)?, now, handle))
        });
        let (names, attributes, now, handle) = match opened {
            Ok(opened) => opened,
            Err(Errno::XDEV) => {
                self.written.mounts.push(relative.to_path_buf());
                self.put(&entry)?;
                return Ok(Vec::new());
            }
            Err(reason) => {
                self.missed(relative, reason);
                self.put(&entry)?;
                return Ok(Vec::new());
            }
        };
        entry.meta = Meta { attributes, ..source::meta(&now) };
        self.put(&entry)?;
        let mut folders = Vec::new();
        for name in names {
            self.go_on()?;
            let below = relative.join(&name);
            let Some(name) = source::c_name(&name).filter(|_| !self.order.excludes.cover(&below)) else {
                continue;
            };
            match source::look(handle.as_fd(), &name) {
                // What is mounted there may be a share that does not answer: it is not opened.
                Ok(stat) if source::mount(&stat) != self.mount => {
                    if source::file_type(&stat) == FileType::Directory {
                        let meta = source::meta(&stat);
                        self.put(&Entry { name: name_of(&below, true), what: What::Folder, meta })?;
                    }
                    self.written.mounts.push(below);
                }
                Ok(stat) if source::file_type(&stat) == FileType::Directory => folders.push((below, stat)),
                Ok(stat) => self.file(handle.as_fd(), &name, &below, &stat)?,
                Err(reason) => self.missed(&below, reason),
            }
        }
        Ok(folders)
    }

    /// Writes anything but a folder.
    fn file(&mut self, folder: BorrowedFd<'_>, name: &CString, relative: &Path, stat: &Statx) -> Result<()> {
        let meta = source::meta(stat);
        let entry = |what| Entry { name: name_of(relative, false), what, meta: meta.clone() };
        match source::file_type(stat) {
            FileType::RegularFile => self.regular(folder, name, relative),
            FileType::Symlink => match readlinkat(folder, name.as_c_str(), Vec::new()) {
                Ok(to) => self.put(&entry(What::Link(to.into_bytes()))),
                Err(reason) => {
                    self.missed(relative, reason);
                    Ok(())
                }
            },
            FileType::Fifo => self.put(&entry(What::Fifo)),
            kind @ (FileType::CharacterDevice | FileType::BlockDevice) => {
                let characters = kind == FileType::CharacterDevice;
                self.put(&entry(What::Device(characters, stat.stx_rdev_major, stat.stx_rdev_minor)))
            }
            _ => {
                self.written.sockets += 1;
                Ok(())
            }
        }
    }

    fn regular(&mut self, folder: BorrowedFd<'_>, name: &CStr, relative: &Path) -> Result<()> {
        let opened = source::open(folder, name).and_then(|file| {
            let stat = source::look(file.as_fd(), c"")?;
            let attributes = source::attributes(&file)?;
            Ok((file, stat, attributes))
        });
        let (file, stat, attributes) = match opened {
            Ok(opened) => opened,
            Err(reason) => {
                self.missed(relative, reason);
                return Ok(());
            }
        };
        let identity = source::identity(&stat);
        if identity == self.own {
            return Ok(());
        }
        if source::file_type(&stat) != FileType::RegularFile {
            self.changed(relative);
            return Ok(());
        }
        let name = name_of(relative, false);
        let meta = Meta { attributes, ..source::meta(&stat) };
        if let Some(first) = self.linked.get(&identity) {
            let what = What::Hard(first.clone());
            return self.put(&Entry { name, what, meta: Meta { attributes: Vec::new(), ..meta } });
        }
        let entry = Entry { name, what: source::what(&file, &stat), meta };
        self.put(&entry)?;
        self.content(&file, &entry, relative)?;
        let after = source::look(file.as_fd(), c"");
        if !after.is_ok_and(|after| source::same(&stat, &after)) {
            self.changed(relative);
        }
        if stat.stx_nlink > 1 {
            self.linked.insert(identity, entry.name);
        }
        self.written.files += 1;
        self.meter.file();
        if secrets::kind(relative).is_some() {
            self.written.secrets.push(relative.to_path_buf());
        }
        Ok(())
    }

    /// Writes exactly as many bytes as the header says. What the file has less of becomes zeros.
    fn content(&mut self, file: &File, entry: &Entry, relative: &Path) -> Result<()> {
        let whole;
        let pieces = if let What::Sparse(_, pieces) = &entry.what {
            pieces
        } else {
            whole = vec![(0, entry.stored())];
            &whole
        };
        let mut readable = true;
        for (offset, length) in pieces {
            let (mut at, end) = (*offset, offset + length);
            while at < end {
                self.go_on()?;
                let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(self.buffer.len());
                let buffer = self.buffer.get_mut(..most).unwrap_or_default();
                let read = if readable { file.read_at(buffer, at) } else { Ok(0) };
                let read = match read {
                    Ok(read) => read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => {
                        let reason = Errno::from_io_error(&error).unwrap_or(Errno::IO);
                        let why = format!("could not be read to its end: {}", scan::words(reason));
                        self.written.missed.push(Missed { path: relative.into(), why });
                        readable = false;
                        0
                    }
                };
                // Shorter than it was: its change is noticed when it is looked at again.
                let read = if read == 0 {
                    readable = false;
                    buffer.fill(0);
                    buffer.len()
                } else {
                    read
                };
                let piece = buffer.get(..read).unwrap_or_default();
                self.out.write_all(piece).map_err(|error| failed("written", &self.order.file, error))?;
                at += read as u64;
                self.written.content += read as u64;
                self.meter.bytes(read as u64);
            }
        }
        let stored = entry.stored();
        let filling = stored.next_multiple_of(header::BLOCK as u64) - stored;
        let zeros = [0; header::BLOCK];
        let zeros = zeros.get(..usize::try_from(filling).unwrap_or(0)).unwrap_or_default();
        self.out.write_all(zeros).map_err(|error| self.unwritten(error))
    }

    fn put(&mut self, entry: &Entry) -> Result<()> {
        self.out.write_all(&header::blocks(entry)).map_err(|error| self.unwritten(error))
    }

    fn missed(&mut self, relative: &Path, reason: Errno) {
        let why = match reason {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP => "vanished while the archive was written".into(),
            reason => format!("could not be read: {}", scan::words(reason)),
        };
        self.written.missed.push(Missed { path: relative.into(), why });
    }

    fn changed(&mut self, relative: &Path) {
        let said = self.written.missed.last().is_some_and(|missed| missed.path == relative);
        if !said {
            let why = "changed while it was read".into();
            self.written.missed.push(Missed { path: relative.into(), why });
        }
    }

    fn go_on(&self) -> Result<()> {
        if self.meter.stopped() { Err(stopped()) } else { Ok(()) }
    }

    fn unwritten(&self, error: io::Error) -> Error {
        failed("written", &self.order.file, error)
    }
}

/// The name of an entry, as tar writes it for the folder where it stands.
fn name_of(relative: &Path, folder: bool) -> Vec<u8> {
    let mut name = b"./".to_vec();
    name.extend_from_slice(relative.as_os_str().as_bytes());
    if folder && !relative.as_os_str().is_empty() {
        name.push(b'/');
    }
    name
}
