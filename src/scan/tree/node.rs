//! One entry of a folder, packed into as few bytes as it needs: a name of 17 bytes takes about 30.
//!
//! A folder's entries follow one another in one slab. A record is the head (kind and flags), then
//! for a folder its number, for all else the length of its name, the name, and four numbers of
//! seven bits a byte: blocks, size, time and owner.

use crate::port::EntryKind;

/// The bit beside the kind: one more name of a file that is counted elsewhere.
const AGAIN: u8 = 0b1000;
/// The bit for an entry that changed while it was read.
const CHANGED: u8 = 0b1_0000;
/// The bits of the kind.
const KIND: u8 = 0b111;

/// An entry as it lies in a slab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node<'s> {
    /// A folder: all else about it is in the table of folders.
    Folder(u32),
    /// Anything else.
    Leaf(Leaf<'s>),
}

/// An entry that is no folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf<'s> {
    pub(super) name: &'s [u8],
    pub(super) kind: EntryKind,
    pub(super) again: bool,
    /// It changed after the walk began.
    pub(super) changed: bool,
    /// Blocks of 512 bytes.
    pub(super) blocks: u64,
    pub(super) apparent: u64,
    /// Seconds since 1970.
    pub(super) modified: i64,
    pub(super) owner: u32,
}

impl Leaf<'_> {
    pub(super) const fn allocated(&self) -> u64 {
        self.blocks.saturating_mul(512)
    }
}

/// Appends one entry to a slab.
pub(super) fn put(slab: &mut Vec<u8>, node: Node<'_>) {
    match node {
        Node::Folder(id) => {
            slab.push(head(EntryKind::Folder));
            number(slab, u64::from(id));
        }
        Node::Leaf(leaf) => {
            let flag = |set, bit| if set { bit } else { 0 };
            let flags = flag(leaf.again, AGAIN) | flag(leaf.changed, CHANGED);
            // The kernel gives no name of more than 255 bytes.
            let length = u8::try_from(leaf.name.len()).unwrap_or(u8::MAX);
            slab.extend_from_slice(&[head(leaf.kind) | flags, length]);
            slab.extend_from_slice(leaf.name.get(..usize::from(length)).unwrap_or_default());
            number(slab, leaf.blocks);
            number(slab, leaf.apparent);
            number(slab, zigzag(leaf.modified));
            number(slab, u64::from(leaf.owner));
        }
    }
}

/// The entries of a slab, one after the other, each with where it begins.
pub(super) struct Nodes<'s> {
    slab: &'s [u8],
    at: usize,
}

impl<'s> Nodes<'s> {
    /// Those from a place on where an entry begins.
    pub(super) const fn from(slab: &'s [u8], at: usize) -> Self {
        Self { slab, at }
    }

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.slab.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn node(&mut self) -> Option<Node<'s>> {
        let head = self.byte()?;
        let kind = match head & KIND {
            0 => return Some(Node::Folder(u32::try_from(self.number()?).ok()?)),
            1 => EntryKind::File,
            2 => EntryKind::Link,
            _ => EntryKind::Special,
        };
        let length = usize::from(self.byte()?);
        let name = self.slab.get(self.at..self.at + length)?;
        self.at += length;
        Some(Node::Leaf(Leaf {
            name,
            kind,
            again: head & AGAIN != 0,
            changed: head & CHANGED != 0,
            blocks: self.number()?,
            apparent: self.number()?,
            modified: unzigzag(self.number()?),
            owner: u32::try_from(self.number()?).ok()?,
        }))
    }
}

impl<'s> Iterator for Nodes<'s> {
    type Item = (usize, Node<'s>);

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.at;
        self.node().map(|node| (at, node))
    }
}

const fn head(kind: EntryKind) -> u8 {
    match kind {
        EntryKind::Folder => 0,
        EntryKind::File => 1,
        EntryKind::Link => 2,
        EntryKind::Special => 3,
    }
}

fn number(slab: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        slab.push(low(value) | 0x80);
        value >>= 7;
    }
    slab.push(low(value));
}

/// The lowest seven bits.
const fn low(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

/// Signed numbers near zero become small ones.
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -(value & 1).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_entry_takes_half_of_what_it_may() {
        let mut slab = Vec::new();
        let leaf = Leaf {
            name: b"core_12.cpython-3",
            kind: EntryKind::File,
            again: false,
            changed: false,
            blocks: 8,
            apparent: 3_700,
            modified: 1_795_000_000,
            owner: 1_000,
        };
        put(&mut slab, Node::Leaf(leaf));
        assert!(slab.len() <= 32, "{}", slab.len());
    }

    #[test]
    fn a_slab_that_was_cut_ends_and_does_not_panic() {
        let leaf = Leaf {
            name: b"x",
            kind: EntryKind::Link,
            again: true,
            changed: true,
            blocks: u64::MAX,
            apparent: u64::MAX,
            modified: i64::MIN,
            owner: u32::MAX,
        };
        let mut slab = Vec::new();
        put(&mut slab, Node::Leaf(leaf));
        for length in 0..slab.len() {
            assert_eq!(Nodes::from(&slab[..length], 0).count(), 0, "{length} bytes");
        }
        assert_eq!(Nodes::from(&slab, 0).count(), 1);
    }

    proptest::proptest! {
        #[test]
        fn what_is_put_into_a_slab_comes_out_of_it(
            name in proptest::collection::vec(1u8.., 0..=255), again: bool, changed: bool, kind in 1..4u8,
            blocks: u64, apparent: u64, modified: i64, owner: u32, folder: u32,
        ) {
            let kind = match kind { 1 => EntryKind::File, 2 => EntryKind::Link, _ => EntryKind::Special };
            let leaf = Leaf { name: &name, kind, again, changed, blocks, apparent, modified, owner };
            let mut slab = Vec::new();
            put(&mut slab, Node::Folder(folder));
            let second = slab.len();
            put(&mut slab, Node::Leaf(leaf));
            let out: Vec<_> = Nodes::from(&slab, 0).collect();
            proptest::prop_assert_eq!(out, [(0, Node::Folder(folder)), (second, Node::Leaf(leaf))]);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(slab: Vec<u8>) {
            proptest::prop_assert!(Nodes::from(&slab, 0).count() <= slab.len());
        }
    }
}
