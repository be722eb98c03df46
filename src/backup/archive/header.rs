//! How an entry begins in a tar archive: POSIX records where they are needed, then a header.
//!
//! Files with holes have GNU's own header, which every tar on Linux knows.

use tar::{EntryType, GnuExtSparseHeader, Header};

use super::acl;
use super::entry::{Entry, What};
use super::pax::{Records, escape, time};

/// Bytes of a block.
pub(super) const BLOCK: usize = 512;
/// The largest number in the header's eleven octal digits.
const OCTAL_11: u64 = 0o777_7777_7777;
/// The largest number in the header's seven octal digits.
const OCTAL_7: u32 = 0o777_7777;
/// Bytes of a name in a header.
const NAME: usize = 100;

/// The blocks in front of an entry's content.
pub(super) fn blocks(entry: &Entry) -> Vec<u8> {
    let mut records = Records::default();
    let sparse = matches!(entry.what, What::Sparse(..));
    let mut header = if sparse { Header::new_gnu() } else { Header::new_ustar() };
    let stored = entry.stored();
    header.set_mode(entry.meta.mode & 0o7777);
    for (number, key) in [(entry.meta.uid, "uid"), (entry.meta.gid, "gid")] {
        if number > OCTAL_7 {
            records.add(key.as_bytes(), number.to_string().as_bytes());
        }
    }
    header.set_uid(entry.meta.uid.min(OCTAL_7).into());
    header.set_gid(entry.meta.gid.min(OCTAL_7).into());
    let (seconds, nanoseconds) = entry.meta.modified;
    let plain = u64::try_from(seconds).ok().filter(|seconds| *seconds <= OCTAL_11);
    if nanoseconds > 0 || plain.is_none() {
        records.add(b"mtime", time(entry.meta.modified).as_bytes());
    }
    header.set_mtime(plain.unwrap_or(0));
    if stored > OCTAL_11 && !sparse {
        records.add(b"size", stored.to_string().as_bytes());
    }
    header.set_size(stored);
    put(&mut header.as_old_mut().name, &entry.name, b"path", &mut records);
    match &entry.what {
        What::Link(to) | What::Hard(to) => {
            put(&mut header.as_old_mut().linkname, to, b"linkpath", &mut records);
        }
        What::Device(_, major, minor) => {
            // A ustar header has room for them.
            let _ = header.set_device_major(*major).and_then(|()| header.set_device_minor(*minor));
        }
        _ => {}
    }
    header.set_entry_type(match &entry.what {
        What::Folder => EntryType::Directory,
        What::File(_) | What::Other(_) => EntryType::Regular,
        What::Sparse(..) => EntryType::GNUSparse,
        What::Link(_) => EntryType::Symlink,
        What::Hard(_) => EntryType::Link,
        What::Fifo => EntryType::Fifo,
        What::Device(true, ..) => EntryType::Char,
        What::Device(false, ..) => EntryType::Block,
    });
    attributes(entry, &mut records);
    let more = sparse_map(entry, &mut header);
    header.set_cksum();
    let mut blocks = Vec::new();
    if !records.bytes().is_empty() {
        blocks.extend(extended(entry, &records));
    }
    blocks.extend_from_slice(header.as_bytes());
    for map in more {
        blocks.extend_from_slice(map.as_bytes());
    }
    blocks
}

/// Fills up to a whole block.
pub(super) fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
}

/// A name in its field; what is longer stands in a record, and the field holds its beginning.
fn put(field: &mut [u8; NAME], name: &[u8], key: &[u8], records: &mut Records) {
    if name.len() > NAME {
        records.add(key, name);
    }
    for (to, from) in field.iter_mut().zip(name) {
        *to = *from;
    }
}

fn attributes(entry: &Entry, records: &mut Records) {
    for (name, value) in &entry.meta.attributes {
        let list = [acl::ACCESS, acl::DEFAULT].into_iter().find(|(attribute, _)| attribute == name);
        match list.map(|(_, key)| (key, acl::text(value))) {
            Some((key, Some(text))) => records.add(key, text.as_bytes()),
            Some((_, None)) => {}
            None => records.add(&[b"SCHILY.xattr.", &escape(name)[..]].concat(), value),
        }
    }
}

/// The block of records, with a header of its own.
fn extended(entry: &Entry, records: &Records) -> Vec<u8> {
    let mut header = Header::new_ustar();
    let last = entry.name.strip_suffix(b"/").unwrap_or(&entry.name);
    let last = last.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    for (to, from) in header.as_old_mut().name.iter_mut().zip(b"./PaxHeaders/".iter().chain(last)) {
        *to = *from;
    }
    header.set_mode(0o644);
    header.set_entry_type(EntryType::XHeader);
    header.set_size(records.bytes().len() as u64);
    header.set_cksum();
    let mut blocks = header.as_bytes().to_vec();
    blocks.extend_from_slice(records.bytes());
    pad(&mut blocks);
    blocks
}

/// Writes where the pieces of a file with holes are: four into the header, the rest into blocks behind it.
fn sparse_map(entry: &Entry, header: &mut Header) -> Vec<GnuExtSparseHeader> {
    let (What::Sparse(size, pieces), Some(gnu)) = (&entry.what, header.as_gnu_mut()) else { return Vec::new() };
    gnu.set_real_size(*size);
    let (first, rest) = pieces.split_at(pieces.len().min(gnu.sparse.len()));
    for (field, (offset, length)) in gnu.sparse.iter_mut().zip(first) {
        field.set_offset(*offset);
        field.set_length(*length);
    }
    gnu.set_is_extended(!rest.is_empty());
    let chunks: Vec<_> = rest.chunks(21).collect();
    let last = chunks.len().saturating_sub(1);
    chunks
        .into_iter()
        .enumerate()
        .map(|(index, chunk)| {
            let mut map = GnuExtSparseHeader::new();
            for (field, (offset, length)) in map.sparse_mut().iter_mut().zip(chunk) {
                field.set_offset(*offset);
                field.set_length(*length);
            }
            map.set_is_extended(index < last);
            map
        })
        .collect()
}
