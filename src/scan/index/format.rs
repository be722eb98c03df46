//! One index as a file: whose it is, when it was true, and a sum over all of it.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use jiff::Timestamp;

use crate::scan::tree::When;

/// How a file begins. The last byte moves with everything that changes what follows.
const MAGIC: &[u8; 8] = b"outlast\x01";
/// Bytes before the record: the beginning, the sum, two moments, and the length of whose it is.
const HEAD: usize = 8 + 8 + 8 + 8 + 4;

/// What a folder must still be for its index to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) machine: String,
    /// Where a file system's number says nothing after a boot: which boot it was.
    pub(super) boot: Option<String>,
    pub(super) path: Vec<u8>,
    pub(super) device: (u32, u32),
    pub(super) inode: u64,
    /// When the folder came into being, where the file system knows.
    pub(super) born: Option<(i64, u32)>,
}

impl Whose {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let boot = self.boot.as_deref().unwrap_or_default();
        for part in [self.machine.as_bytes(), boot.as_bytes(), &self.path] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part);
        }
        let (seconds, nanoseconds) = self.born.unwrap_or((i64::MIN, 0));
        for number in [self.device.0, self.device.1, nanoseconds] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&self.inode.to_le_bytes());
        bytes.extend_from_slice(&seconds.to_le_bytes());
        bytes
    }
}

/// The name of the file for a folder.
pub(super) fn name(path: &Path) -> String {
    format!("{:016x}.index", sum(path.as_os_str().as_bytes()))
}

/// A file's content.
pub(super) fn written(whose: &Whose, when: When, record: &[u8]) -> Vec<u8> {
    let whose = whose.bytes();
    let mut file = Vec::with_capacity(HEAD + whose.len() + record.len());
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&[0; 8]);
    for moment in [when.as_of, when.read] {
        file.extend_from_slice(&moment.as_second().to_le_bytes());
    }
    file.extend_from_slice(&u32::try_from(whose.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend_from_slice(&whose);
    file.extend_from_slice(record);
    let sum = sum(file.get(16..).unwrap_or_default());
    if let Some(place) = file.get_mut(8..16) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
    file
}

/// The record in a file, and when it was true; `None` of another's, or of one that was damaged.
pub(super) fn read<'f>(file: &'f [u8], whose: &Whose) -> Option<(When, &'f [u8])> {
    let rest = file.strip_prefix(MAGIC)?;
    let (told, rest) = rest.split_first_chunk::<8>()?;
    if u64::from_le_bytes(*told) != sum(rest) {
        return None;
    }
    let (as_of, rest) = rest.split_first_chunk::<8>()?;
    let (read, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (of, record) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let moment = |bytes: &[u8; 8]| Timestamp::from_second(i64::from_le_bytes(*bytes)).ok();
    let when = When { as_of: moment(as_of)?, read: moment(read)? };
    (of == whose.bytes()).then_some((when, record))
}

/// A sum that a damaged file has not. Nothing is kept from whoever writes one on purpose: it is their
/// own file.
fn sum(bytes: &[u8]) -> u64 {
    let mut chunks = bytes.chunks_exact(8);
    let mut sum = bytes.len() as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let mut take = |value: u64| {
        sum = (sum ^ value).wrapping_mul(0xff51_afd7_ed55_8ccd);
        sum ^= sum >> 32;
    };
    for chunk in chunks.by_ref() {
        take(chunk.try_into().map_or(0, u64::from_le_bytes));
    }
    for byte in chunks.remainder() {
        take(u64::from(*byte) + 1);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whose() -> Whose {
        Whose {
            machine: "m".into(),
            boot: None,
            path: b"/srv/\xff".to_vec(),
            device: (8, 1),
            inode: 77,
            born: Some((5, 6)),
        }
    }

    #[test]
    fn an_index_is_read_back_and_counts_for_nothing_else() {
        let as_of = Timestamp::from_second(1_790_000_000).expect("moment");
        let when = When { as_of, read: Timestamp::UNIX_EPOCH };
        let file = written(&whose(), when, b"the record");
        assert_eq!(read(&file, &whose()), Some((when, &b"the record"[..])));
        for other in [
            Whose { machine: "n".into(), ..whose() },
            Whose { boot: Some("b".into()), ..whose() },
            Whose { path: b"/srv".to_vec(), ..whose() },
            Whose { device: (8, 2), ..whose() },
            Whose { inode: 78, ..whose() },
            Whose { born: None, ..whose() },
        ] {
            assert_eq!(read(&file, &other), None, "{other:?}");
        }
    }

    #[test]
    fn one_that_was_cut_or_damaged_counts_for_nothing() {
        let when = When { as_of: Timestamp::UNIX_EPOCH, read: Timestamp::UNIX_EPOCH };
        let file = written(&whose(), when, b"some record of some length");
        for length in 0..file.len() {
            assert_eq!(read(&file[..length], &whose()), None, "{length} bytes");
        }
        for at in 0..file.len() {
            let mut file = file.clone();
            file[at] ^= 0x10;
            assert_eq!(read(&file, &whose()), None, "byte {at}");
        }
        let mut longer = file;
        longer.push(0);
        assert_eq!(read(&longer, &whose()), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, right: bool) {
            let mut file = MAGIC.to_vec();
            file.extend_from_slice(&(if right { sum(&bytes) } else { 0 }).to_le_bytes());
            file.extend_from_slice(&bytes);
            let _ = (read(&file, &whose()), read(&bytes, &whose()));
        }
    }
}
