//! Reads a tar archive entry by entry, in little memory whatever it claims: GNU and POSIX forms, files
//! with holes in all of theirs.

use std::io::Read;

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::Flaw;
use super::acl;
use super::entry::{Entry, Meta, What};
use super::header::BLOCK;
use super::pax;

/// Names and records longer than this are somebody's mistake.
const LONGEST: u64 = 1 << 20;
/// Pieces of one file that are read at most.
const MOST_PIECES: usize = 1 << 20;
/// Bytes that are read at a time where nobody wants them.
const SMALL: usize = 8 * 1024;
/// Bytes of a block, as sizes are counted.
const BLOCK_BYTES: u64 = BLOCK as u64;

type Result<T> = std::result::Result<T, Flaw>;

/// An archive that is being read.
pub(super) struct Stream<R> {
    input: R,
    /// Bytes of the entry's content that were not read yet.
    left: u64,
    /// Bytes that fill up its last block.
    filling: u64,
}

/// What stands in front of an entry: long names and records.
#[derive(Default)]
struct Before {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    modified: Option<(i64, u32)>,
    attributes: Vec<(Vec<u8>, Vec<u8>)>,
    holes: Holes,
}

/// How POSIX archives tell of holes, in the three ways that there are.
#[derive(Default)]
struct Holes {
    /// The map is at the beginning of the content.
    inside: bool,
    name: Option<Vec<u8>>,
    size: Option<u64>,
    numbers: Option<Vec<u64>>,
}

impl<R: Read> Stream<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, left: 0, filling: 0 }
    }

    /// The next entry, with what was left of the one before passed over; `None` at the end.
    pub(super) fn next(&mut self, go_on: &dyn Fn() -> Result<()>) -> Result<Option<Entry>> {
        self.pass_over(go_on)?;
        let mut before = Before::default();
        loop {
            go_on()?;
            let block = self.block()?;
            if block.iter().all(|byte| *byte == 0) {
                self.drain(go_on)?;
                return Ok(None);
            }
            check_sum(&block)?;
            let header = Header::from_byte_slice(&block);
            let size = header.entry_size().map_err(|_| damaged("a size makes no sense"))?;
            match block[156] {
                b'L' => before.name = Some(self.text(size)?),
                b'K' => before.link = Some(self.text(size)?),
                b'x' => before.records(&self.content(size)?)?,
                // What holds for all files says nothing that is kept here.
                b'g' | b'V' => drop(self.content(size)?),
                _ => return self.entry(header, block[156], size, before).map(Some),
            }
        }
    }

    /// Reads some of the entry's content; nothing is left where it says 0.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|buffer| !buffer.is_empty()) else { return Ok(0) };
        loop {
            match self.input.read(buffer) {
                Ok(0) => return Err(damaged("it ends too soon")),
                Ok(read) => {
                    self.left -= read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn entry(&mut self, header: &Header, flag: u8, size: u64, before: Before) -> Result<Entry> {
        let Before { name, link, size: said, uid, gid, modified, attributes, holes } = before;
        let name = holes.name.clone().or(name).unwrap_or_else(|| header.path_bytes().into_owned());
        let link = || link.unwrap_or_else(|| header.link_name_bytes().unwrap_or_default().into_owned());
        // Some write a size for a link and no content.
        let stored = if flag == b'1' { 0 } else { said.unwrap_or(size) };
        self.left = stored;
        self.filling = (BLOCK_BYTES - stored % BLOCK_BYTES) % BLOCK_BYTES;
        let number = |text: std::io::Result<u64>| text.ok().and_then(|number| u32::try_from(number).ok());
        let device = |characters| {
            let number = |read: std::io::Result<Option<u32>>| read.ok().flatten().unwrap_or(0);
            What::Device(characters, number(header.device_major()), number(header.device_minor()))
        };
        let what = match flag {
            b'1' => What::Hard(link()),
            b'2' => What::Link(link()),
            b'3' => device(true),
            b'4' => device(false),
            b'5' => What::Folder,
            b'6' => What::Fifo,
            b'S' => self.gnu_pieces(header)?,
            b'0' | 0 | b'7' if name.ends_with(b"/") => What::Folder,
            b'0' | 0 | b'7' => self.posix_pieces(holes, stored)?.unwrap_or(What::File(stored)),
            other => What::Other(other),
        };
        if let What::Sparse(size, pieces) = &what {
            check_pieces(*size, pieces, self.left)?;
        }
        let meta = Meta {
            mode: header.mode().unwrap_or(0o644) & 0o7777,
            uid: uid.or_else(|| number(header.uid())).unwrap_or(u32::MAX - 1),
            gid: gid.or_else(|| number(header.gid())).unwrap_or(u32::MAX - 1),
            // GNU's form has a time before the epoch as the negative number that it is.
            modified: modified.unwrap_or_else(|| (header.mtime().unwrap_or(0).cast_signed(), 0)),
            attributes,
        };
        Ok(Entry { name, what, meta })
    }

    /// Where the pieces are, in GNU's own header and the blocks behind it.
    fn gnu_pieces(&mut self, header: &Header) -> Result<What> {
        let gnu = header.as_gnu().ok_or_else(|| damaged("a file with holes has no map"))?;
        let size = gnu.real_size().map_err(|_| damaged("a size makes no sense"))?;
        let mut pieces = Vec::new();
        let mut add = |fields: &[GnuSparseHeader]| {
            for field in fields.iter().filter(|field| !field.is_empty()) {
                let read = (field.offset(), field.length());
                let (Ok(offset), Ok(length)) = read else {
                    return Err(damaged("a map of holes makes no sense"));
                };
                pieces.push((offset, length));
            }
            if pieces.len() > MOST_PIECES { Err(damaged("a file has too many holes")) } else { Ok(()) }
        };
        add(&gnu.sparse)?;
        let mut more = gnu.is_extended();
        while more {
            let mut map = GnuExtSparseHeader::new();
            map.as_mut_bytes().copy_from_slice(&self.block()?);
            add(map.sparse())?;
            more = map.is_extended();
        }
        Ok(What::Sparse(size, pieces))
    }

    /// Where the pieces are, as POSIX archives say it; `None` for a plain file.
    fn posix_pieces(&mut self, holes: Holes, stored: u64) -> Result<Option<What>> {
        let numbers = match holes.numbers {
            Some(numbers) => numbers,
            None if holes.inside => self.map_inside()?,
            None => return Ok(None),
        };
        let (pairs, rest) = numbers.as_chunks::<2>();
        if !rest.is_empty() || pairs.len() > MOST_PIECES {
            return Err(damaged("a map of holes makes no sense"));
        }
        let pieces = pairs.iter().map(|[offset, length]| (*offset, *length)).collect();
        Ok(Some(What::Sparse(holes.size.unwrap_or(stored), pieces)))
    }

    /// A map at the beginning of the content: a count, then offset and length of each, a line each.
    fn map_inside(&mut self) -> Result<Vec<u64>> {
        let mut numbers: Vec<u64> = Vec::new();
        let (mut count, mut number) = (None, None);
        loop {
            let mut block = [0; BLOCK];
            let mut filled = 0;
            while filled < BLOCK {
                match self.read(block.get_mut(filled..).unwrap_or_default())? {
                    0 => return Err(damaged("a map of holes is cut off")),
                    read => filled += read,
                }
            }
            for byte in block {
                if byte.is_ascii_digit() {
                    let next = number
                        .unwrap_or(0_u64)
                        .checked_mul(10)
                        .and_then(|n| n.checked_add(u64::from(byte - b'0')));
                    number = Some(next.ok_or_else(|| damaged("a map of holes makes no sense"))?);
                    continue;
                }
                if byte != b'\n' {
                    return Err(damaged("a map of holes makes no sense"));
                }
                let line = number.take().ok_or_else(|| damaged("a map of holes makes no sense"))?;
                match count {
                    None => count = Some(usize::try_from(line).unwrap_or(usize::MAX)),
                    Some(_) => numbers.push(line),
                }
                match count {
                    Some(count) if count > MOST_PIECES => return Err(damaged("a file has too many holes")),
                    // The rest of the block only fills it up.
                    Some(count) if numbers.len() == count * 2 => return Ok(numbers),
                    _ => {}
                }
            }
        }
    }

    fn text(&mut self, size: u64) -> Result<Vec<u8>> {
        let mut text = self.content(size)?;
        text.truncate(text.iter().position(|byte| *byte == 0).unwrap_or(text.len()));
        Ok(text)
    }

    /// Content of a header that is no entry.
    fn content(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > LONGEST {
            return Err(damaged("a name is longer than any name can be"));
        }
        let mut content = vec![0; usize::try_from(size.next_multiple_of(BLOCK_BYTES)).unwrap_or(0)];
        self.input.read_exact(&mut content)?;
        content.truncate(usize::try_from(size).unwrap_or(0));
        Ok(content)
    }

    fn block(&mut self) -> Result<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        self.input.read_exact(&mut block)?;
        Ok(block)
    }

    fn pass_over(&mut self, go_on: &dyn Fn() -> Result<()>) -> Result<()> {
        let mut buffer = [0; SMALL];
        while self.left > 0 {
            go_on()?;
            self.read(&mut buffer)?;
        }
        self.left = std::mem::take(&mut self.filling);
        while self.left > 0 {
            self.read(&mut buffer)?;
        }
        Ok(())
    }

    /// Reads on after the end: the sums of what it is packed in are checked there.
    fn drain(&mut self, go_on: &dyn Fn() -> Result<()>) -> Result<()> {
        let mut buffer = [0; SMALL];
        loop {
            go_on()?;
            match self.input.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Before {
    fn records(&mut self, bytes: &[u8]) -> Result<()> {
        let records = pax::read(bytes).ok_or_else(|| damaged("a record makes no sense"))?;
        let number = |value: &[u8]| std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
        let wrong = || damaged("a record makes no sense");
        for (key, value) in records {
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = Some(number(value).ok_or_else(wrong)?),
                b"uid" => self.uid = number(value).and_then(|number| u32::try_from(number).ok()),
                b"gid" => self.gid = number(value).and_then(|number| u32::try_from(number).ok()),
                b"mtime" => self.modified = pax::read_time(value),
                b"GNU.sparse.name" => self.holes.name = Some(value.to_vec()),
                b"GNU.sparse.realsize" | b"GNU.sparse.size" => {
                    self.holes.size = Some(number(value).ok_or_else(wrong)?);
                }
                b"GNU.sparse.major" => self.holes.inside = value == b"1",
                b"GNU.sparse.map" => {
                    let numbers = value.split(|byte| *byte == b',').map(number);
                    self.holes.numbers = Some(numbers.collect::<Option<_>>().ok_or_else(wrong)?);
                }
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    self.holes.numbers.get_or_insert_default().push(number(value).ok_or_else(wrong)?);
                }
                _ => self.attribute(key, value),
            }
        }
        Ok(())
    }

    fn attribute(&mut self, key: &[u8], value: &[u8]) {
        if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
            self.attributes.push((pax::unescape(name), value.to_vec()));
        }
        if let Some((attribute, _)) = [acl::ACCESS, acl::DEFAULT].into_iter().find(|(_, record)| *record == key)
        {
            // One that names people without numbers is put back as nothing, which is noticed there.
            let list = std::str::from_utf8(value).ok().and_then(acl::read).unwrap_or_default();
            self.attributes.push((attribute.to_vec(), list));
        }
    }
}

/// Whether a header's own sum is right.
fn check_sum(block: &[u8; BLOCK]) -> Result<()> {
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { u32::from(b' ') } else { u32::from(*byte) })
        .sum();
    let said = Header::from_byte_slice(block).cksum();
    if said.is_ok_and(|said| said == sum) { Ok(()) } else { Err(damaged("a header has a wrong sum")) }
}

/// Whether the pieces lie one behind the other within the file and are all of what is stored.
fn check_pieces(size: u64, pieces: &[(u64, u64)], stored: u64) -> Result<()> {
    let mut end = 0;
    let mut sum = 0_u64;
    for (offset, length) in pieces {
        if *offset < end {
            return Err(damaged("a map of holes makes no sense"));
        }
        end = offset
            .checked_add(*length)
            .filter(|end| *end <= size)
            .ok_or_else(|| damaged("a map of holes makes no sense"))?;
        sum += length;
    }
    if sum == stored { Ok(()) } else { Err(damaged("a map of holes makes no sense")) }
}

fn damaged(why: &str) -> Flaw {
    Flaw::Damaged(why.into())
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
