//! Archives that are not what they say, read without a panic, in little memory, to an end.

use super::super::entry::{Entry, Meta, What};
use super::super::header::blocks;
use super::*;

/// Every kind of entry that is written, one behind the other.
fn archive() -> Vec<u8> {
    let meta = Meta {
        mode: 0o4755,
        uid: 3_000_000_000,
        gid: 5,
        modified: (-2, 500_000_000),
        attributes: vec![(b"user.a=b".to_vec(), b"x\0\n".to_vec())],
    };
    let plain = Meta { attributes: Vec::new(), modified: (1_700_000_000, 0), uid: 1, ..meta.clone() };
    let pieces: Vec<(u64, u64)> = (0..60).map(|piece| (piece * 4096, 512)).chain([(1 << 20, 0)]).collect();
    let entry = |name: &str, what, meta: &Meta| Entry { name: name.into(), what, meta: meta.clone() };
    let entries = [
        entry("./", What::Folder, &meta),
        entry("./file", What::File(700), &plain),
        entry(&format!("./{}", "long/".repeat(40)), What::Folder, &plain),
        entry("./holes", What::Sparse(1 << 20, pieces), &meta),
        entry("./link", What::Link(vec![b'x'; 300]), &plain),
        entry("./second", What::Hard(b"./file".to_vec()), &plain),
        entry("./pipe", What::Fifo, &plain),
        entry("./device", What::Device(true, 1, 3), &plain),
    ];
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend(blocks(&entry));
        let stored = usize::try_from(entry.stored().next_multiple_of(512)).unwrap();
        bytes.resize(bytes.len() + stored, b'c');
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// Reads an archive to its end; how many entries it has.
fn read(bytes: &[u8]) -> Result<Vec<Entry>> {
    let mut stream = Stream::new(bytes);
    let mut entries = Vec::new();
    let mut buffer = [0; 1000];
    while let Some(entry) = stream.next(&|| Ok(()))? {
        while stream.read(&mut buffer)? > 0 {}
        entries.push(entry);
    }
    Ok(entries)
}

#[test]
fn entries_are_read_as_they_were_written() {
    let entries = read(&archive()).unwrap();
    let names: Vec<_> = entries.iter().map(|entry| String::from_utf8_lossy(&entry.name).into_owned()).collect();
    assert_eq!(names[0], "./");
    assert_eq!(names.len(), 8);
    assert_eq!(names[2].len(), 2 + 200);
    let Meta { mode, uid, gid, modified, attributes } = &entries[0].meta;
    assert_eq!((*mode, *uid, *gid, *modified), (0o4755, 3_000_000_000, 5, (-2, 500_000_000)));
    assert_eq!(attributes[0], (b"user.a=b".to_vec(), b"x\0\n".to_vec()));
    let What::Sparse(size, pieces) = &entries[3].what else { panic!("{:?}", entries[3]) };
    assert_eq!((*size, pieces.len(), pieces[59]), (1 << 20, 61, (59 * 4096, 512)));
    assert_eq!(entries[4].what, What::Link(vec![b'x'; 300]));
    assert_eq!(entries[7].what, What::Device(true, 1, 3));
}

#[test]
fn pieces_that_overlap_or_lie_outside_are_damage() {
    for (size, pieces, stored) in [
        (100, vec![(0, 60), (50, 10)], 70),
        (100, vec![(90, 20)], 20),
        (100, vec![(u64::MAX, 2)], 2),
        (100, vec![(0, 10)], 20),
    ] {
        assert!(check_pieces(size, &pieces, stored).is_err(), "{pieces:?}");
    }
    assert!(check_pieces(100, &[(0, 10), (50, 10), (100, 0)], 20).is_ok());
}

#[test]
fn an_archive_that_ends_anywhere_before_its_end_is_damage() {
    let bytes = archive();
    for length in (0..bytes.len() - 512).step_by(97) {
        assert!(read(&bytes[..length]).is_err(), "{length}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_bytes_change_it_comes_to_an_end(
        changes in proptest::collection::vec((0usize..40_000, proptest::num::u8::ANY), 1..20),
        whole in proptest::bool::ANY,
    ) {
        let mut bytes = archive();
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
            if whole {
                // With a right sum the nonsense is read.
                let start = at / 512 * 512;
                bytes[start + 148..start + 156].copy_from_slice(b"        ");
                let sum: u32 = bytes[start..start + 512].iter().map(|byte| u32::from(*byte)).sum();
                bytes[start + 148..start + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        let _ = read(&bytes);
    }
}
