//! Puts an archive back: it is read to its end first, unpacked into a folder of its own beside its place,
//! and moved there when all of it is on the disk.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::entry::{Entry, Meta, What, beneath};
use super::place::Place;
use super::target::Target;
use super::{Flaw, Pace, check, failed, place, stopped, zipped};
use crate::core::archive::{Packing, packing};
use crate::core::error::{Error, Kind, Result};
use crate::port::archive::{Meter, Missed, RestoreOrder, Restored, Verified};
use crate::scan::Root;
use crate::text::{printable_path, size};

/// What the folder is called in which files are made ready.
const STAGING: &str = ".outlast-restore";
/// What the folder is called that older files are moved to.
const ASIDE: &str = ".outlast-replaced";

/// Puts one archive back.
pub(super) fn restore(order: &RestoreOrder, meter: &Meter) -> Result<Restored> {
    let file = check::open(&order.file)?;
    let made = prepare(order)?;
    let put = checked(&file, order, meter).and_then(|verified| {
        room(order, &verified)?;
        unpack(&file, order, meter)
    });
    if put.is_err() && made {
        place::remove_empty(&order.target);
    }
    put
}

/// Makes the folder where it is missing, and refuses one that holds something; whether it was made.
fn prepare(order: &RestoreOrder) -> Result<bool> {
    let target = &order.target;
    let shown = printable_path(target);
    match std::fs::create_dir(target) {
        Ok(()) => return Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed("made", target, error)),
    }
    let first = place::first_entry(target).map_err(|error| failed("read", target, error))?;
    match first {
        Some(name) if name.to_string_lossy().starts_with(STAGING) => {
            let left = printable_path(&target.join(name)).into_owned();
            Err(Error::new(Kind::Refused, format!("a restore into {shown} was cut off and left {left}"))
                .hint("remove that folder, then restore again"))
        }
        Some(name) if !order.merge => {
            let name = printable_path(&name).into_owned();
            Err(Error::new(
                Kind::Refused,
                format!("{shown} is not empty: it holds {name}; nothing was restored"),
            )
            .hint("choose an empty folder, or one that is not there yet")
            .hint("`--merge` adds what is missing and leaves what is newer"))
        }
        _ => Ok(false),
    }
}

fn checked(file: &File, order: &RestoreOrder, meter: &Meter) -> Result<Verified> {
    let pace = Pace { meter, counts: false, until: None };
    let verified = check::through(file, &order.file, pace).map_err(|flaw| flaw.about(&order.file))?;
    let Some(first) = verified.outside.first() else { return Ok(verified) };
    let (shown, count) = (printable_path(&order.file), verified.outside.len());
    Err(Error::new(
        Kind::Refused,
        format!("{shown} holds {count} names that lead out of the folder, such as {}", printable_path(first)),
    )
    .hint("somebody made it to write elsewhere: nothing of it was restored"))
}

/// Whether the disk has room for all of it.
fn room(order: &RestoreOrder, verified: &Verified) -> Result<()> {
    let Ok(disk) = rustix::fs::statvfs(&order.target) else { return Ok(()) };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if verified.content <= free {
        return Ok(());
    }
    let (needed, free) = (size(verified.content), size(free));
    let shown = printable_path(&order.target);
    Err(Error::new(Kind::Failed, format!("the files take {needed}, and the disk of {shown} has {free} left"))
        .hint("make room, or choose a folder on another disk"))
}

/// A folder of our own that goes when it is dropped.
struct Staging(PathBuf);

impl Drop for Staging {
    fn drop(&mut self) {
        // What is left is found, and named, by the next restore.
        let _ = place::remove(&self.0);
    }
}

fn unpack(file: &File, order: &RestoreOrder, meter: &Meter) -> Result<Restored> {
    let unwritten = |reason: Errno| failed("written", &order.target, reason);
    let number = std::process::id();
    let staging = order.target.join(format!("{STAGING}-{number}"));
    rustix::fs::mkdirat(rustix::fs::CWD, &staging, rustix::fs::Mode::RWXU).map_err(unwritten)?;
    let staging = Staging(staging);
    let root = Root::open(&staging.0).map_err(unwritten)?;
    let mut unpacker = Unpacker {
        target: Target::new(root, order),
        restored: Restored::default(),
        pace: Pace { meter, counts: true, until: None },
        buffer: vec![0; check::BUFFER],
    };
    let done = match packing(&order.file) {
        Packing::TarGz => unpacker.tar(file),
        Packing::Zip => zipped::unpack(file, &mut unpacker),
    };
    done.map_err(|flaw| flaw.about(&order.file))?;
    let own = unpacker.target.finish().map_err(unwritten)?;
    let Unpacker { mut target, mut restored, .. } = unpacker;
    let folder = File::open(&order.target).map_err(|error| failed("read", &order.target, error))?;
    // Disks that cannot be asked for it have written already, or say so later.
    let _ = rustix::fs::syncfs(&folder);
    if meter.stopped() {
        return Err(stopped());
    }
    let aside = order.target.join(format!("{ASIDE}-{number}"));
    Place::new(aside, order.merge, &mut restored).all(&staging.0, &order.target).map_err(unwritten)?;
    drop(staging);
    // A folder that was empty becomes what it was; one that holds other things stays what it is.
    if let Some(meta) = own.filter(|_| !order.merge)
        && let Err(reason) = target.dress(folder.as_fd(), Path::new(""), &meta)
    {
        let why = format!("its mode, owner or time could not be kept: {}", place::words(reason));
        target.missed.push(Missed { path: PathBuf::from("."), why });
    }
    restored.missed.append(&mut target.missed);
    restored.owners_not_kept = target.owners_not_kept;
    Ok(restored)
}

/// Puts entries into the folder where they are made ready.
pub(super) struct Unpacker<'m> {
    pub(super) target: Target,
    pub(super) restored: Restored,
    pub(super) pace: Pace<'m>,
    pub(super) buffer: Vec<u8>,
}

impl Unpacker<'_> {
    fn tar(&mut self, file: &File) -> std::result::Result<(), Flaw> {
        let mut stream = check::tar_gz(file)?;
        let pace = self.pace;
        let go_on = || pace.go_on();
        while let Some(entry) = stream.next(&go_on)? {
            // They were looked at before; the file may have been swapped since.
            let Some(path) = beneath(&entry.name) else { return Err(outside(&entry.name)) };
            match &entry.what {
                What::Hard(to) => {
                    let to = beneath(to).ok_or_else(|| outside(to))?;
                    self.target.hard(&path, &to).map_err(|reason| unmade(&path, reason))?;
                }
                What::File(_) | What::Sparse(..) => {
                    self.file(&path, &entry, &mut |buffer| stream.read(buffer))?;
                }
                _ => self.other(&path, &entry)?,
            }
        }
        Ok(())
    }

    /// Writes a file piece by piece; what lies between the pieces becomes holes.
    pub(super) fn file(
        &mut self,
        path: &Path,
        entry: &Entry,
        read: &mut dyn FnMut(&mut [u8]) -> std::result::Result<usize, Flaw>,
    ) -> std::result::Result<(), Flaw> {
        let unmade = |reason: Errno| unmade(path, reason);
        let file = self.target.file(path).map_err(unmade)?;
        let whole = [(0, entry.stored())];
        let (size, pieces) = match &entry.what {
            What::Sparse(size, pieces) => (*size, &pieces[..]),
            _ => (entry.stored(), &whole[..]),
        };
        for (offset, length) in pieces {
            let (mut at, end) = (*offset, offset + length);
            while at < end {
                self.pace.go_on()?;
                let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(self.buffer.len());
                let buffer = self.buffer.get_mut(..most).unwrap_or_default();
                let count = read(buffer)?;
                let piece = buffer.get(..count).filter(|piece| !piece.is_empty());
                let piece = piece.ok_or_else(|| Flaw::Damaged("it ends too soon".into()))?;
                file.write_all_at(piece, at).map_err(|error| failed("written", path, error))?;
                at += count as u64;
                self.restored.content += count as u64;
                self.pace.done(count);
            }
        }
        file.set_len(size).map_err(|error| failed("written", path, error))?;
        self.target.finish_file(&file, path, &entry.meta).map_err(unmade)?;
        self.restored.files += 1;
        self.pace.file();
        Ok(())
    }

    /// Makes anything that has no content.
    pub(super) fn other(&mut self, path: &Path, entry: &Entry) -> std::result::Result<(), Flaw> {
        let target = &mut self.target;
        let made = match &entry.what {
            What::Folder => target.folder(path, entry.meta.clone()),
            What::Link(to) => target.link(path, to, &entry.meta),
            What::Fifo => target.fifo(path, &entry.meta),
            What::Device(..) => {
                let why = "was not put back: a device of one machine is nothing on another".into();
                target.missed.push(Missed { path: path.into(), why });
                Ok(())
            }
            _ => {
                let why = "was not put back: nobody here knows this kind of entry".into();
                target.missed.push(Missed { path: path.into(), why });
                Ok(())
            }
        };
        made.map_err(|reason| unmade(path, reason))
    }
}

/// What is kept of a file that comes with nothing but its mode and time.
pub(super) fn plain(mode: u32, modified: i64) -> Meta {
    Meta {
        mode,
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        modified: (modified, 0),
        attributes: Vec::new(),
    }
}

pub(super) fn outside(name: &[u8]) -> Flaw {
    let name = String::from_utf8_lossy(name);
    Flaw::Other(Error::new(
        Kind::Refused,
        format!("the name {name} leads out of the folder; nothing was restored"),
    ))
}

fn unmade(path: &Path, reason: Errno) -> Flaw {
    let shown = printable_path(path);
    Flaw::Other(match reason {
        Errno::LOOP | Errno::NOTDIR => {
            Error::new(Kind::Refused, format!("{shown} leads through a link or a file; nothing was restored"))
        }
        reason => Error::new(Kind::Failed, format!("{shown} could not be made: {}", place::words(reason))),
    })
}
