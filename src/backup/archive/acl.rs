//! Access lists: as the kernel keeps them, and as archives write them down.

use crate::sys::users;

/// The first four bytes of a list in the kernel's form.
const VERSION: [u8; 4] = 2_u32.to_le_bytes();
/// An entry without a number.
const NOBODY: u32 = u32::MAX;
/// The kernel's tags and the words for them; the ones with a number are a user's and a group's.
const TAGS: [(u16, &str); 6] =
    [(0x01, "user"), (0x02, "user"), (0x04, "group"), (0x08, "group"), (0x10, "mask"), (0x20, "other")];

/// The attribute that holds who may use a file, and the record for it.
pub(super) const ACCESS: (&[u8], &[u8]) = (b"system.posix_acl_access", b"SCHILY.acl.access");
/// The attribute that holds who may use what is made in a folder, and the record for it.
pub(super) const DEFAULT: (&[u8], &[u8]) = (b"system.posix_acl_default", b"SCHILY.acl.default");

/// Writes a list down, with numbers for people; `None` where it is not understood.
pub(super) fn text(list: &[u8]) -> Option<String> {
    let (entries, []) = list.strip_prefix(&VERSION)?.as_chunks::<8>() else { return None };
    let mut words = Vec::new();
    for entry in entries {
        let [a, b, c, d, rest @ ..] = *entry;
        let (tag, bits, number) =
            (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]), u32::from_le_bytes(rest));
        let (_, word) = TAGS.iter().find(|(known, _)| *known == tag)?;
        let whom = if tag == 0x02 || tag == 0x08 { number.to_string() } else { String::new() };
        let may = |bit: u16, letter: char| if bits & bit == 0 { '-' } else { letter };
        words.push(format!("{word}:{whom}:{}{}{}", may(4, 'r'), may(2, 'w'), may(1, 'x')));
    }
    Some(words.join(","))
}

/// Reads a list as archives write it: people by number, or by names that mean somebody here. `None` where
/// it is not understood.
pub(super) fn read(text: &str) -> Option<Vec<u8>> {
    let mut entries = Vec::new();
    let words = text.split([',', '\n']).map(|word| word.split('#').next().unwrap_or_default().trim());
    for word in words.filter(|word| !word.is_empty()) {
        let mut fields = word.split(':').map(str::trim);
        let (kind, whom, may) = (fields.next()?, fields.next()?, fields.next()?);
        // Some write the number behind the name.
        let said = fields.next().unwrap_or(whom);
        let number = |by_name: fn(&str) -> Option<u32>| said.parse().ok().or_else(|| by_name(whom));
        let (tag, number) = match (kind, whom) {
            ("user" | "u", "") => (0x01, NOBODY),
            ("user" | "u", _) => (0x02, number(users::user_id)?),
            ("group" | "g", "") => (0x04, NOBODY),
            ("group" | "g", _) => (0x08, number(users::group_id)?),
            ("mask" | "m", "") => (0x10, NOBODY),
            ("other" | "o", "") => (0x20, NOBODY),
            _ => return None,
        };
        let mut bits = 0_u16;
        for letter in may.chars() {
            bits |= match letter {
                'r' => 4,
                'w' => 2,
                'x' => 1,
                '-' => 0,
                _ => return None,
            };
        }
        entries.push((tag, number, bits));
    }
    if entries.is_empty() {
        return None;
    }
    // The kernel wants them in this order.
    entries.sort_unstable();
    let mut list = VERSION.to_vec();
    for (tag, number, bits) in entries {
        list.extend_from_slice(&u16::to_le_bytes(tag));
        list.extend_from_slice(&bits.to_le_bytes());
        list.extend_from_slice(&u32::to_le_bytes(number));
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let words = "user::rw-,user:1000:r-x,group::r--,group:5:---,mask::rwx,other::---";
        assert_eq!(text(&read(words).unwrap()).as_deref(), Some(words));
        let lines = "user::rw-\nuser:joe:r--:1000\ngroup::r-- #effective\nmask::r--\nother::---\n";
        let read = text(&read(lines).unwrap()).unwrap();
        assert_eq!(read, "user::rw-,user:1000:r--,group::r--,mask::r--,other::---");
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        assert_eq!(read("user:root:r--"), read("user:0:r--"));
        for words in ["", "user:no-such-user-here:r--", "who::r--", "user::z", "user:1"] {
            assert_eq!(read(words), None, "{words}");
        }
        assert_eq!(text(b"\x02\0\0\0\x01"), None);
        assert_eq!(text(b"\x03\0\0\0"), None);
    }
}
