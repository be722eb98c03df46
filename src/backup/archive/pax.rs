//! The records of POSIX archives: `LENGTH KEY=VALUE`, for what a tar header has no room for.
//!
//! Values are bytes: attributes may hold anything, line ends too.

/// Writes records one after the other.
#[derive(Debug, Default)]
pub(super) struct Records(Vec<u8>);

impl Records {
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        // The length counts its own digits.
        let rest = key.len() + value.len() + 3;
        let mut length = rest + 1;
        while length != rest + length.to_string().len() {
            length = rest + length.to_string().len();
        }
        for part in [length.to_string().as_bytes(), b" ", key, b"=", value, b"\n"] {
            self.0.extend_from_slice(part);
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Reads records; `None` where they make no sense.
pub(super) fn read(mut bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ')?;
        let digits = std::str::from_utf8(bytes.get(..space)?).ok()?;
        let length: usize = digits.parse().ok()?;
        let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
        let equals = record.iter().position(|byte| *byte == b'=')?;
        records.push((record.get(..equals)?, record.get(equals + 1..)?));
        bytes = bytes.get(length..)?;
    }
    Some(records)
}

/// A time as a record has it: seconds with a fraction.
pub(super) fn time((seconds, nanoseconds): (i64, u32)) -> String {
    match (seconds, nanoseconds) {
        (seconds, 0) => seconds.to_string(),
        (seconds, nanoseconds) if seconds >= 0 => format!("{seconds}.{nanoseconds:09}"),
        // Half a second after -2 is -1.5.
        (seconds, nanoseconds) => format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanoseconds),
    }
}

/// Reads a time as a record has it.
pub(super) fn read_time(text: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds: u32 = digits.parse().ok()?;
    let seconds: i64 = whole.parse().ok()?;
    if whole.starts_with('-') && nanoseconds > 0 {
        return Some((seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds));
    }
    Some((seconds, nanoseconds))
}

/// The name of an attribute within a key, where `=` would end it.
pub(super) fn escape(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    for byte in name {
        match byte {
            b'%' => out.extend_from_slice(b"%25"),
            b'=' => out.extend_from_slice(b"%3D"),
            byte => out.push(*byte),
        }
    }
    out
}

/// The opposite of [`escape`].
pub(super) fn unescape(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    let mut rest = name;
    while let [first, tail @ ..] = rest {
        if let Some(tail) = rest.strip_prefix(b"%3D") {
            out.push(b'=');
            rest = tail;
        } else if let Some(tail) = rest.strip_prefix(b"%25") {
            out.push(b'%');
            rest = tail;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written_whatever_they_hold() {
        let mut records = Records::default();
        let long = vec![b'x'; 980];
        records.add(b"path", b"./a");
        records.add(b"SCHILY.xattr.user.x", b"line\nend\0=");
        records.add(b"comment", &long);
        let all = read(records.bytes()).unwrap();
        assert_eq!(all[1], (&b"SCHILY.xattr.user.x"[..], &b"line\nend\0="[..]));
        assert_eq!((all.len(), all[2].1), (3, &long[..]));
        assert!(records.bytes().starts_with(b"12 path=./a\n"));
    }

    #[test]
    fn nonsense_is_not_read() {
        for bytes in [&b"x"[..], b"5 a=b", b"99 a=b\n", b"6 aab\n", b"0 a=b\n", b"-1 a=b\n", b"3 \n"] {
            assert_eq!(read(bytes), None, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn times_before_the_epoch_are_times_too() {
        for time in [(0, 0), (1, 5), (-2, 500_000_000), (-1, 999_999_999), (1_700_000_000, 120_000_000)] {
            assert_eq!(read_time(super::time(time).as_bytes()), Some(time));
        }
        assert_eq!(super::time((-2, 500_000_000)), "-1.500000000");
        assert_eq!(read_time(b"12.5"), Some((12, 500_000_000)));
        assert_eq!(read_time(b"x"), None);
    }

    #[test]
    fn names_of_attributes_keep_their_equal_signs() {
        assert_eq!(escape(b"user.a=b%"), b"user.a%3Db%25");
        assert_eq!(unescape(b"user.a%3Db%25"), b"user.a=b%");
    }
}
