//! Plain requests over the engine's socket, answers as they are.
//!
//! The client library decodes strictly: one state, event type or disk usage
//! section that it does not know makes it fail, or worse, report nothing. Lists,
//! events and disk usage are therefore read here, by types that take what they know.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::core::error::{Error, Result};

use super::failure;

/// No answer that is read as a whole is larger; more means that something else is talking.
const MAX_ANSWER: usize = 256 << 20;
/// No line of a header or an event is longer.
const MAX_LINE: u64 = 1 << 20;

/// The engine's socket and what failures need to know about it.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    /// Where it is.
    pub(super) path: PathBuf,
    /// The product behind it.
    pub(super) title: &'static str,
    /// The viewer's name, for the command that lets them in.
    pub(super) user: Option<String>,
}

impl Socket {
    /// The engine's own command, for hints.
    pub(super) fn command(&self) -> &'static str {
        if self.title == "Podman" { "podman" } else { "docker" }
    }

    /// Asks and reads the answer as a whole, within a time limit.
    pub(super) async fn json<T: DeserializeOwned>(&self, what: &str, path: &str, limit: Duration) -> Result<T> {
        let ask = async {
            let mut answer = self.ask(path).await?;
            let mut body = Vec::new();
            while let Some(chunk) = answer.chunk().await.map_err(|why| failure::from_io(self, &why))? {
                body.extend_from_slice(&chunk);
                if body.len() > MAX_ANSWER {
                    return Err(failure::garbled(self, what, &"it is too long"));
                }
            }
            Ok(body)
        };
        let body = timeout(limit, ask).await.map_err(|_| failure::timed_out(self, what, limit))??;
        serde_json::from_slice(&body).map_err(|why| failure::garbled(self, what, &why))
    }

    /// Asks; the answer is ready to be read, its status good.
    pub(super) async fn ask(&self, path: &str) -> Result<Answer> {
        let mut answer = Answer::to(&self.path, path).await.map_err(|why| failure::from_io(self, &why))?;
        if (200..300).contains(&answer.status) {
            return Ok(answer);
        }
        let said = answer.chunk().await.ok().flatten().unwrap_or_default();
        Err(self.refusal(answer.status, &said))
    }

    fn refusal(&self, status: u16, body: &[u8]) -> Error {
        let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let message = said["message"].as_str().map_or_else(|| String::from_utf8_lossy(body), Into::into);
        failure::from_status(self, status, &message)
    }
}

/// How the end of an answer is known.
#[derive(Debug)]
enum Framing {
    /// This many bytes are still to come.
    Length(u64),
    /// In chunks, each with its length before it.
    Chunked,
    /// When the engine closes the connection.
    Close,
    /// It was read.
    Over,
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    framing: Framing,
    stream: BufReader<UnixStream>,
}

impl Answer {
    async fn to(socket: &Path, path: &str) -> io::Result<Self> {
        let mut stream = BufReader::new(UnixStream::connect(socket).await?);
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: engine\r\nUser-Agent: outlast\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let first = line(&mut stream).await?;
        let status = first
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1))
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| bad("this is no HTTP"))?;
        let mut framing = Framing::Close;
        loop {
            let header = line(&mut stream).await?;
            if header.is_empty() {
                break;
            }
            let Some((name, value)) = header.split_once(':') else { continue };
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                framing = Framing::Length(value.parse().map_err(|_| bad("a length that is no number"))?);
            } else if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
                framing = Framing::Chunked;
            }
        }
        Ok(Self { status, framing, stream })
    }

    /// The next piece of the body; `None` at its end. A body that ends early is a failure.
    pub(super) async fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        match self.framing {
            Framing::Over => Ok(None),
            Framing::Length(0) => {
                self.framing = Framing::Over;
                Ok(None)
            }
            Framing::Length(left) => {
                let piece = self.piece(left).await?;
                if piece.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.framing = Framing::Length(left - piece.len() as u64);
                Ok(Some(piece))
            }
            Framing::Close => {
                let piece = self.piece(64 << 10).await?;
                Ok((!piece.is_empty()).then_some(piece))
            }
            Framing::Chunked => {
                let header = line(&mut self.stream).await?;
                let digits = header.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(digits, 16).map_err(|_| bad("a chunk without a length"))?;
                if size > MAX_ANSWER as u64 {
                    return Err(bad("a chunk that is too long"));
                }
                if size == 0 {
                    self.framing = Framing::Over;
                    return Ok(None);
                }
                let mut piece = Vec::new();
                (&mut self.stream).take(size).read_to_end(&mut piece).await?;
                if (piece.len() as u64) < size {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                line(&mut self.stream).await?;
                Ok(Some(piece))
            }
        }
    }

    async fn piece(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let mut piece = Vec::with_capacity(16 << 10);
        (&mut self.stream).take(most).read_buf(&mut piece).await?;
        Ok(piece)
    }
}

async fn line(stream: &mut BufReader<UnixStream>) -> io::Result<String> {
    let mut text = Vec::new();
    stream.take(MAX_LINE).read_until(b'\n', &mut text).await?;
    if text.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if text.last() == Some(&b'\r') {
        text.pop();
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn bad(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Text as part of an address: everything but letters, digits and `-._~` as `%XX`.
pub(super) fn encoded(text: impl AsRef<[u8]>) -> String {
    text.as_ref()
        .iter()
        .map(|byte| match *byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_cannot_be_broken_out_of() {
        assert_eq!(encoded("a b\r\nX: {\"c\"}/"), "a%20b%0D%0AX%3A%20%7B%22c%22%7D%2F");
    }
}
