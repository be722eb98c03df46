//! One file of a container, as it comes out of the archive that the engine makes of it. For files
//! that cannot be opened from here; however large it is, only a piece is held at a time.

use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use tokio::time::timeout;

use crate::core::error::{Error, Kind, Result};
use crate::port::Content;
use crate::text::printable_path;

use super::http::Answer;
use super::{LIMIT, Link, failure, http, read};

const BLOCK: usize = 512;
/// Bytes of headers before the file that are read at most.
const HEADERS: u64 = 1 << 20;

/// The content of a regular file at a path, link in its last component not followed.
pub(super) fn content(link: Arc<Link>, id: String, path: &Path) -> Content {
    let path = path.to_path_buf();
    let begun = async move {
        let file = File::open(&link, &id, &path).await?;
        Ok(stream::try_unfold((file, link), |(mut file, link)| async move {
            let piece = file.piece(&link).await?;
            Ok(piece.map(|piece| (piece, (file, link))))
        }))
    };
    stream::once(begun)
        .flat_map(|begun: Result<_>| match begun {
            Ok(pieces) => pieces.boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        })
        .boxed()
}

/// A file in the middle of an archive.
struct File {
    answer: Answer,
    /// What came and was not handed on yet.
    held: Vec<u8>,
    /// Bytes of the file that are still to be handed on.
    left: u64,
}

impl File {
    async fn open(link: &Link, id: &str, path: &Path) -> Result<Self> {
        use std::os::unix::ffi::OsStrExt as _;
        let place = http::encoded(path.as_os_str().as_bytes());
        let call = format!("/containers/{}/archive?path={place}", http::encoded(id));
        let late = |_| failure::timed_out(&link.socket, "reading a file", LIMIT);
        let answer = timeout(LIMIT, link.socket.ask(&call)).await.map_err(late)??;
        let mut file = Self { answer, held: Vec::new(), left: 0 };
        let mut long: Option<u64> = None;
        loop {
            let header = file.take(link, BLOCK).await?;
            let length = read::number(header.get(124..136).unwrap_or_default())
                .ok_or_else(|| broken(path, "its archive makes no sense"))?;
            match header.get(156) {
                Some(b'x' | b'g' | b'L' | b'K') if length <= HEADERS => {
                    let padded = length.next_multiple_of(BLOCK as u64);
                    let records = file.take(link, usize::try_from(padded).unwrap_or(usize::MAX)).await?;
                    let records = records.get(..usize::try_from(length).unwrap_or(0)).unwrap_or_default();
                    long = read::pax(records, b"size=")
                        .and_then(|size| std::str::from_utf8(size).ok()?.parse().ok())
                        .or(long);
                }
                Some(b'0' | 0) => {
                    file.left = long.unwrap_or(length);
                    return Ok(file);
                }
                Some(b'5') => {
                    let message = format!("{} is a folder", printable_path(path));
                    return Err(Error::new(Kind::Usage, message));
                }
                _ => return Err(broken(path, "it is no regular file")),
            }
        }
    }

    /// Exactly so many bytes.
    async fn take(&mut self, link: &Link, many: usize) -> Result<Vec<u8>> {
        while self.held.len() < many {
            let piece = self.more(link).await?;
            self.held.extend_from_slice(&piece);
        }
        let rest = self.held.split_off(many);
        Ok(std::mem::replace(&mut self.held, rest))
    }

    /// The next piece of the file; `None` at its end.
    async fn piece(&mut self, link: &Link) -> Result<Option<Vec<u8>>> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut piece = std::mem::take(&mut self.held);
        if piece.is_empty() {
            piece = self.more(link).await?;
        }
        piece.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= piece.len() as u64;
        Ok(Some(piece))
    }

    /// What comes next; that nothing comes is a failure here.
    async fn more(&mut self, link: &Link) -> Result<Vec<u8>> {
        let late = |_| failure::timed_out(&link.socket, "reading a file", LIMIT);
        let piece = timeout(LIMIT, self.answer.chunk()).await.map_err(late)?;
        match piece.map_err(|why| failure::from_io(&link.socket, &why))? {
            Some(piece) => Ok(piece),
            None => Err(Error::new(Kind::Failed, "the file ended early: its container may be gone")),
        }
    }
}

fn broken(path: &Path, why: &str) -> Error {
    Error::new(Kind::NotSupported, format!("{} cannot be read: {why}", printable_path(path)))
}
