//! Small files of a container: through its process where it runs here, else as the archive the engine makes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use tokio::time::timeout;

use crate::core::error::{Error, Kind, Result};
use crate::core::workspace::Detail;
use crate::port::NamedFile;
use crate::{scan, text};

use super::{LIMIT, Link, blocking, detail, failure, http};

const BLOCK: usize = 512;
/// Bytes of headers that an archive may have beside its files.
const HEADERS: usize = 8 << 20;

pub(super) async fn read(
    link: &Link,
    id: &str,
    detail: &Detail,
    path: &Path,
    most: usize,
) -> Result<Vec<NamedFile>> {
    let session = link.session().await?;
    if session.local && detail.state.is_up() {
        let inspected = link.inspect(&session, id).await?;
        let path = path.to_path_buf();
        let read = blocking(move || {
            let process = detail::process(&inspected, true)?;
            scan::read(&process.place(Path::new("/")), &path, most)
        });
        if let Some(files) = read.await? {
            return Ok(files);
        }
    }
    let archive = match download(link, id, path, most.saturating_add(HEADERS)).await {
        // The next call tells whether the container is gone.
        Err(error) if error.kind == Kind::NotFound => {
            link.inspect(&session, id).await?;
            return Ok(Vec::new());
        }
        archive => archive?,
    };
    files(&archive, most).ok_or_else(|| too_much(path))
}

async fn download(link: &Link, id: &str, path: &Path, most: usize) -> Result<Vec<u8>> {
    let ask = async {
        let place = http::encoded(path.as_os_str().as_bytes());
        let call = format!("/containers/{}/archive?path={place}", http::encoded(id));
        let mut answer = link.socket.ask(&call).await?;
        let mut archive = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|why| failure::from_io(&link.socket, &why))? {
            archive.extend_from_slice(&chunk);
            if archive.len() > most {
                return Err(too_much(path));
            }
        }
        Ok(archive)
    };
    let late = |_| failure::timed_out(&link.socket, "reading a file", LIMIT);
    timeout(LIMIT, ask).await.map_err(late)?
}

fn too_much(path: &Path) -> Error {
    Error::new(Kind::NotSupported, format!("{} is too large to be read", text::printable_path(path)))
}

/// The regular files of an archive that lie at its top or directly in its one folder; `None` where
/// they are more than `most` bytes, or it ends early.
fn files(archive: &[u8], most: usize) -> Option<Vec<NamedFile>> {
    let (mut at, mut left) = (0, most);
    let mut found = Vec::new();
    let mut long_name: Option<Vec<u8>> = None;
    loop {
        let header = archive.get(at..at + BLOCK)?;
        if header.iter().all(|byte| *byte == 0) {
            return Some(found);
        }
        let length = usize::try_from(number(header.get(124..136)?)?).ok()?;
        let content = archive.get(at + BLOCK..at.checked_add(BLOCK)?.checked_add(length)?)?;
        at = at.checked_add(BLOCK)?.checked_add(length.checked_next_multiple_of(BLOCK)?)?;
        match header.get(156)? {
            b'x' => long_name = pax(content, b"path=").map(<[u8]>::to_vec).or(long_name),
            b'L' => long_name = Some(content.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()),
            b'0' | 0 => {
                let name = long_name.take().unwrap_or_else(|| name(header));
                if let Some(name) = direct(&name) {
                    left = left.checked_sub(content.len())?;
                    found.push((name, content.to_vec()));
                }
            }
            _ => long_name = None,
        }
    }
}

/// The last part of a name with at most one folder before it.
fn direct(name: &[u8]) -> Option<OsString> {
    let path = Path::new(OsStr::from_bytes(name));
    (path.components().count() <= 2).then(|| path.file_name().map(OsStr::to_os_string))?
}

/// The name in a header: its beginning may stand in a field of its own.
fn name(header: &[u8]) -> Vec<u8> {
    let field = |from: usize, to: usize| {
        let field = header.get(from..to).unwrap_or_default();
        field.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
    };
    let (name, before) = (field(0, 100), field(345, 500));
    let is_ustar = header.get(257..262) == Some(b"ustar");
    if is_ustar && !before.is_empty() { [before, vec![b'/'], name].concat() } else { name }
}

/// Octal, ended by a blank or a zero byte; binary where that is too short.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        let digits = field.get(field.len().checked_sub(8)?..)?;
        return Some(u64::from_be_bytes(digits.try_into().ok()?));
    }
    let digits = OsString::from_vec(field.to_vec()).into_string().ok()?;
    u64::from_str_radix(digits.trim_matches([' ', '\0']), 8).ok()
}

/// The value of a key, written `KEY=`, among the records `LENGTH KEY=VALUE\n` of an extended header.
pub(super) fn pax<'r>(mut records: &'r [u8], key: &[u8]) -> Option<&'r [u8]> {
    while !records.is_empty() {
        let blank = records.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(records.get(..blank)?).ok()?.parse().ok()?;
        let record = records.get(blank + 1..length)?;
        if let Some(value) = record.strip_prefix(key) {
            return Some(value.strip_suffix(b"\n").unwrap_or(value));
        }
        records = records.get(length..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tar::Archive;
    use super::*;

    #[test]
    fn files_at_the_top_and_directly_in_the_folder_are_read() {
        let mut archive = Archive::default();
        archive.folder("list.d", 0o755).unwrap();
        archive.file("list.d/a", b"12345", 0).unwrap();
        archive.file("list.d/below/b", b"x", 0).unwrap();
        let archive = archive.done();
        assert_eq!(files(&archive, 5), Some(vec![("a".into(), b"12345".to_vec())]));
        assert_eq!(files(&archive, 4), None);
        assert_eq!(files(&archive[..BLOCK], 5), None, "cut off");
    }

    #[test]
    fn a_long_name_stands_in_a_header_of_its_own() {
        assert_eq!(pax(b"20 mtime=1234567.89\n13 path=a/bc\n", b"path="), Some(b"a/bc".as_slice()));
        assert_eq!(pax(b"999 path=x\n", b"path="), None);
        assert_eq!(number(b"00000001750\0"), Some(1000));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x02\0\0\0\0"), Some(8 << 30));
        assert_eq!(direct(b"folder/file"), Some("file".into()));
        assert_eq!(direct(b"folder/below/file"), None);
    }
}
