//! The content of one file into a new one: holes stay holes, and what was written is read again from
//! the disk and compared by its sum.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom as To, Write as _};

use md5::{Digest as _, Md5};
use rustix::fs::{Advice, SeekFrom, fadvise, seek};
use rustix::io::Errno;

use super::failure::Tried;
use super::held::{identity, of};
use crate::core::error::Result as Done;
use crate::port::Job;

/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;

/// Why a file was not copied.
#[derive(Debug)]
pub(super) enum Broken {
    /// The source cannot be read.
    Read(std::io::Error),
    /// The copy cannot be written.
    Write(std::io::Error),
    /// The source changed meanwhile.
    Changed,
    /// The disk gives back something else than was written.
    Differs,
    /// It was told to stop.
    Stopped(crate::core::error::Error),
}

/// What was written to a file that is still to be read again.
pub(super) struct Written {
    file: File,
    sum: Md5,
    parts: Vec<(u64, u64)>,
}

/// Copies the content of an open file into an empty one, and reads it again.
pub(super) fn copy(from: &mut File, to: File, job: &Job) -> Result<(), Broken> {
    let written = write(from, to, job)?;
    written.file.sync_data().map_err(Broken::Write)?;
    written.check(job)
}

/// Copies the content of an open file into an empty one. It counts once it was checked.
pub(super) fn write(from: &mut File, mut to: File, job: &Job) -> Result<Written, Broken> {
    let read = |why: Errno| Broken::Read(why.into());
    let before = identity(&of(&*from).map_err(read)?);
    to.set_len(before.bytes).map_err(Broken::Write)?;
    let parts = parts(from, before.bytes).map_err(read)?;
    let mut sum = Md5::new();
    for (start, end) in &parts {
        to.seek(To::Start(*start)).map_err(Broken::Write)?;
        through(from, *start, *end, &mut |piece| {
            sum.update(piece);
            to.write_all(piece).map_err(Broken::Write)?;
            let told: Done<()> = job.advance(piece.len() as u64);
            told.map_err(Broken::Stopped)
        })?;
    }
    if identity(&of(&*from).map_err(read)?) != before {
        return Err(Broken::Changed);
    }
    Ok(Written { file: to, sum, parts })
}

impl Written {
    /// Reads it again from the disk, which has it by now.
    pub(super) fn check(mut self, job: &Job) -> Result<(), Broken> {
        // What the kernel still holds of the copy would only tell what was meant to be written.
        let _ = fadvise(&self.file, 0, None, Advice::DontNeed);
        let mut again = Md5::new();
        for (start, end) in self.parts {
            through(&mut self.file, start, end, &mut |piece| {
                again.update(piece);
                job.advance(0).map_err(Broken::Stopped)
            })?;
        }
        if self.sum.finalize() == again.finalize() { Ok(()) } else { Err(Broken::Differs) }
    }
}

/// Whether two open files hold the same.
pub(super) fn same(one: &mut File, other: &mut File, bytes: u64, job: &Job) -> Result<bool, Broken> {
    let sum_of = |file: &mut File| {
        let mut sum = Md5::new();
        through(file, 0, bytes, &mut |piece| {
            sum.update(piece);
            job.advance(0).map_err(Broken::Stopped)
        })?;
        Ok(sum.finalize())
    };
    Ok(sum_of(one)? == sum_of(other)?)
}

/// Hands over what lies between two places of a file, piece by piece.
fn through(
    file: &mut File,
    start: u64,
    end: u64,
    on: &mut dyn FnMut(&[u8]) -> Result<(), Broken>,
) -> Result<(), Broken> {
    file.seek(To::Start(start)).map_err(Broken::Read)?;
    let mut buffer = vec![0; PIECE];
    let mut at = start;
    while at < end {
        let room = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
        let Some(space) = buffer.get_mut(..room) else { break };
        match file.read(space) {
            Ok(0) => return Err(Broken::Changed),
            Ok(got) => {
                on(space.get(..got).unwrap_or_default())?;
                at += got as u64;
            }
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(why) => return Err(Broken::Read(why)),
        }
    }
    Ok(())
}

/// Where a file has content; the rest are holes. Where the file system does not tell, all of it.
fn parts(file: &File, bytes: u64) -> Tried<Vec<(u64, u64)>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < bytes {
        let start = match seek(file, SeekFrom::Data(at)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(vec![(0, bytes)]),
            Err(why) => return Err(why),
        };
        let end = seek(file, SeekFrom::Hole(start))?.min(bytes);
        if end <= start {
            break;
        }
        parts.push((start, end));
        at = end;
    }
    Ok(parts)
}
