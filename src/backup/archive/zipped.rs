//! Archives of older releases: `zip`. They hold content, modes and times, and nothing else.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _};
use std::path::PathBuf;

use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::entry::{Entry, What, beneath};
use super::restore::{Unpacker, outside, plain};
use super::{Flaw, Pace, check};
use crate::port::archive::Verified;

/// The bits of a mode that say what a file is, and the value for a link.
const KIND: u32 = 0o170_000;
const LINK: u32 = 0o120_000;
/// A link that points further than this is somebody's mistake.
const LONGEST_LINK: u64 = 64 * 1024;

type Result<T> = std::result::Result<T, Flaw>;
type Zip<'f> = ZipArchive<BufReader<&'f File>>;

impl From<ZipError> for Flaw {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Io(error) => error.into(),
            other => Self::Damaged(other.to_string()),
        }
    }
}

fn open(file: &File) -> Result<Zip<'_>> {
    let mut input = file;
    input.rewind()?;
    Ok(ZipArchive::new(BufReader::new(file))?)
}

/// Reads it to its end.
pub(super) fn through(file: &File, pace: Pace<'_>, verified: &mut Verified) -> Result<()> {
    let mut zip = open(file)?;
    let mut buffer = vec![0; check::BUFFER];
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        if beneath(entry.name_raw()).is_none() {
            check::tell(verified, entry.name_raw());
        }
        let (mut read, size) = (0_u64, entry.size());
        loop {
            pace.go_on()?;
            match entry.read(&mut buffer)? {
                0 => break,
                count => {
                    read += count as u64;
                    pace.done(count);
                }
            }
            if read > size {
                return Err(Flaw::Damaged("a file is longer than it says".into()));
            }
        }
        if entry.is_file() {
            verified.files += 1;
            verified.content += read;
            pace.file();
        }
    }
    Ok(())
}

/// Puts its files into the folder where they are made ready.
pub(super) fn unpack(file: &File, unpacker: &mut Unpacker<'_>) -> Result<()> {
    let mut zip = open(file)?;
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        let name = entry.name_raw().to_vec();
        let Some(path) = beneath(&name) else { return Err(outside(&name)) };
        let (what, meta) = (what(&mut entry)?, plain(mode(&entry), modified(&entry)));
        let found = Entry { name, what, meta };
        if found.is_file() {
            unpacker.file(&path, &found, &mut |buffer| Ok(entry.read(buffer)?))?;
            // One byte more reads the sum at the end.
            if entry.read(&mut [0])? > 0 {
                return Err(Flaw::Damaged("a file is longer than it says".into()));
            }
        } else if path != PathBuf::new() {
            unpacker.other(&path, &found)?;
        }
    }
    Ok(())
}

fn what(entry: &mut ZipFile<'_, BufReader<&File>>) -> Result<What> {
    if entry.is_dir() {
        return Ok(What::Folder);
    }
    if entry.unix_mode().is_some_and(|mode| mode & KIND == LINK) && entry.size() <= LONGEST_LINK {
        let mut to = Vec::new();
        entry.take(LONGEST_LINK).read_to_end(&mut to)?;
        return Ok(What::Link(to));
    }
    Ok(What::File(entry.size()))
}

fn mode(entry: &ZipFile<'_, BufReader<&File>>) -> u32 {
    let usual = if entry.is_dir() { 0o755 } else { 0o644 };
    entry.unix_mode().map(|mode| mode & 0o777).filter(|mode| *mode != 0).unwrap_or(usual)
}

/// The time, which has no zone and counts in steps of two seconds: taken for UTC.
fn modified(entry: &ZipFile<'_, BufReader<&File>>) -> i64 {
    let Some(time) = entry.last_modified() else { return 0 };
    let small = |number: u8| i8::try_from(number).unwrap_or(0);
    let date = jiff::civil::DateTime::new(
        i16::try_from(time.year()).unwrap_or(1980),
        small(time.month()),
        small(time.day()),
        small(time.hour()),
        small(time.minute()),
        small(time.second()),
        0,
    );
    let zoned = date.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC));
    zoned.map_or(0, |zoned| zoned.timestamp().as_second())
}
