//! Reads an archive to its end: every sum is checked, every name is looked at. Nothing is written.

use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::entry::{What, beneath};
use super::stream::Stream;
use super::write::FROM;
use super::{Flaw, Pace, failed, zipped};
use crate::core::archive::{Packing, packing};
use crate::core::error::Result;
use crate::port::archive::{Meter, Verified};

/// Bytes that are read at a time.
pub(super) const BUFFER: usize = 128 * 1024;
/// Names that lead outside of which so many are told.
const TOLD: usize = 100;

/// A tar archive within gzip, opened at its beginning.
pub(super) type TarGz<'f> = Stream<MultiGzDecoder<BufReader<&'f File>>>;

/// Opens a tar archive within gzip at its beginning.
pub(super) fn tar_gz(file: &File) -> std::io::Result<TarGz<'_>> {
    let mut input = file;
    input.rewind()?;
    Ok(Stream::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file))))
}

/// Opens an archive; links are followed, for a person named it.
pub(super) fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|error| failed("read", path, error))?;
    let metadata = file.metadata().map_err(|error| failed("read", path, error))?;
    if metadata.is_file() {
        return Ok(file);
    }
    Err(crate::core::error::Error::new(
        crate::core::error::Kind::Usage,
        format!("{} is no file", crate::text::printable_path(path)),
    ))
}

/// Reads one archive to its end.
pub(super) fn verify(path: &Path, meter: &Meter) -> Result<Verified> {
    let file = open(path)?;
    through(&file, path, Pace { meter, counts: true, until: None }).map_err(|flaw| flaw.about(path))
}

/// Reads an open archive to its end.
pub(super) fn through(file: &File, path: &Path, pace: Pace<'_>) -> std::result::Result<Verified, Flaw> {
    let bytes = file.metadata()?.len();
    let mut verified = Verified { bytes, from: from(file), ..Verified::default() };
    match packing(path) {
        Packing::TarGz => tar(file, pace, &mut verified)?,
        Packing::Zip => zipped::through(file, pace, &mut verified)?,
    }
    Ok(verified)
}

fn tar(file: &File, pace: Pace<'_>, verified: &mut Verified) -> std::result::Result<(), Flaw> {
    let mut stream = tar_gz(file)?;
    let mut buffer = vec![0; BUFFER];
    let go_on = || pace.go_on();
    while let Some(entry) = stream.next(&go_on)? {
        let outside = match &entry.what {
            What::Hard(to) => beneath(to).is_none() || beneath(&entry.name).is_none(),
            _ => beneath(&entry.name).is_none(),
        };
        if outside {
            tell(verified, &entry.name);
        }
        if entry.is_file() {
            verified.files += 1;
            verified.content += entry.stored();
            pace.file();
        }
        loop {
            pace.go_on()?;
            match stream.read(&mut buffer)? {
                0 => break,
                read => pace.done(read),
            }
        }
    }
    Ok(())
}

/// Notes a name that leads outside.
pub(super) fn tell(verified: &mut Verified, name: &[u8]) {
    use std::os::unix::ffi::OsStrExt as _;
    if verified.outside.len() < TOLD {
        verified.outside.push(PathBuf::from(std::ffi::OsStr::from_bytes(name)));
    }
}

/// Where an archive says it is from.
pub(super) fn from(file: &File) -> Option<String> {
    use std::io::Read as _;
    let mut input = file;
    input.rewind().ok()?;
    let mut unpacked = MultiGzDecoder::new(BufReader::new(file.take(64 * 1024)));
    let _ = unpacked.read(&mut [0]);
    let comment = String::from_utf8_lossy(unpacked.header()?.comment()?).into_owned();
    comment.strip_prefix(FROM).map(str::to_owned)
}
