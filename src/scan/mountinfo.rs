//! The kernel's mount table, `/proc/PID/mountinfo`, as bytes.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// One line of the mount table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The mount's id.
    pub id: u64,
    /// The id of the mount it is mounted on.
    pub parent: u64,
    /// The device that the file system is on, major and minor number; 0 and a number where it is on none.
    pub device: (u32, u32),
    /// The path within the source file system that is mounted; ends in `//deleted` where that is gone.
    pub root: PathBuf,
    /// Where it is mounted.
    pub target: PathBuf,
    /// Whether the mount is read-only.
    pub read_only: bool,
    /// The file system type.
    pub filesystem: String,
    /// The source, such as a device.
    pub source: PathBuf,
    /// Options of the file system, as the kernel prints them, escapes undone.
    pub super_options: Vec<u8>,
}

impl Line {
    /// The upper directory of an overlay, as its own mount namespace names it.
    ///
    /// Escapes are already undone, so a comma may belong to the path: it ends at the
    /// `workdir` that the kernel prints next, or without one at the next comma.
    pub fn upper_dir(&self) -> Option<PathBuf> {
        if self.filesystem != "overlay" {
            return None;
        }
        let options = self.super_options.as_slice();
        let path = match options.strip_prefix(b"upperdir=") {
            Some(path) => path,
            None => options.get(find(options, b",upperdir=")? + b",upperdir=".len()..)?,
        };
        let end = find(path, b",workdir=").or_else(|| find(path, b",")).unwrap_or(path.len());
        let path = path.get(..end).filter(|path| !path.is_empty())?;
        Some(to_path(path.to_vec()))
    }

    /// Whether what is mounted was deleted since.
    pub fn is_deleted(&self) -> bool {
        self.root.as_os_str().as_bytes().ends_with(b"//deleted")
    }
}

/// The line of a table that holds a path: the longest target, the later line among equals.
pub fn holding<'l>(table: &'l [Line], path: &Path) -> Option<&'l Line> {
    let holding = table.iter().enumerate().filter(|(_, line)| path.starts_with(&line.target));
    holding.max_by_key(|(at, line)| (line.target.as_os_str().len(), *at)).map(|(_, line)| line)
}

/// Reads a mount table; lines that make no sense are left out.
pub fn parse(table: &[u8]) -> Vec<Line> {
    table.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// `36 35 98:0 /root /target rw,noatime shared:1 - ext3 /dev/root rw,errors=continue`
fn line(text: &[u8]) -> Option<Line> {
    let mut fields = text.split(|byte| *byte == b' ');
    let id = number(fields.next()?)?;
    let parent = number(fields.next()?)?;
    let device = device(fields.next()?)?;
    let root = to_path(unescape(fields.next()?));
    let target = to_path(unescape(fields.next()?));
    if !target.is_absolute() {
        return None;
    }
    let read_only = fields.next()?.split(|byte| *byte == b',').any(|option| option == b"ro");
    // Any number of optional fields, up to a lone dash.
    fields.by_ref().find(|field| *field == b"-")?;
    let filesystem = String::from_utf8_lossy(&unescape(fields.next()?)).into_owned();
    let source = to_path(unescape(fields.next()?));
    let rest: Vec<&[u8]> = fields.collect();
    let super_options = unescape(&rest.join(&b' '));
    Some(Line { id, parent, device, root, target, read_only, filesystem, source, super_options })
}

fn device(text: &[u8]) -> Option<(u32, u32)> {
    let (major, minor) = std::str::from_utf8(text).ok()?.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Undoes the octal escapes of the kernel, such as `\040` for a space.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = if let [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] = rest {
            out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
            tail
        } else {
            out.push(*first);
            tail
        };
    }
    out
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

fn to_path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &[u8]) -> Line {
        parse(text).into_iter().next().expect("a line that makes sense")
    }

    #[test]
    fn a_line_of_a_real_container_is_read_in_full() {
        let line = one(b"199 96 0:75 / / ro,relatime master:9 shared:2 - overlay overlay \
            rw,lowerdir=/l/A:/l/B,upperdir=/var/lib/docker/overlay2/2d72/diff,workdir=/w\n");
        assert_eq!((line.id, line.parent, line.read_only, line.device), (199, 96, true, (0, 75)));
        assert_eq!((line.root.as_path(), line.target.as_path()), (Path::new("/"), Path::new("/")));
        assert_eq!((line.filesystem.as_str(), line.source.as_path()), ("overlay", Path::new("overlay")));
        assert_eq!(line.upper_dir(), Some("/var/lib/docker/overlay2/2d72/diff".into()));
        assert!(!line.is_deleted());
    }

    #[test]
    fn escapes_are_undone_in_paths_and_options() {
        let line = one(br"1 2 254:0 /srv/sp\040ace /s\011p\134q rw - ext4 /dev/v\012da rw");
        assert_eq!(line.root, Path::new("/srv/sp ace"));
        assert_eq!(line.target, Path::new("/s\tp\\q"));
        assert_eq!(line.source, Path::new("/dev/v\nda"));
        let comma = one(br"1 2 0:1 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/a\054b\040c/u,workdir=/w");
        assert_eq!(comma.upper_dir(), Some("/a,b c/u".into()));
    }

    #[test]
    fn bytes_that_are_no_text_stay_as_they_are() {
        let line = one(b"1 2 0:1 / /x\xff\xfe rw - tmpfs tmpfs rw");
        assert_eq!(line.target.as_os_str().as_bytes(), b"/x\xff\xfe");
    }

    #[test]
    fn a_deleted_source_is_told_from_a_present_one() {
        assert!(one(b"1 2 254:0 /srv/gone//deleted /w rw - ext4 /dev/vda rw").is_deleted());
        assert!(!one(b"1 2 254:0 /srv/deleted /w rw - ext4 /dev/vda rw").is_deleted());
    }

    #[test]
    fn only_an_overlay_with_an_upper_directory_has_one() {
        assert_eq!(one(b"1 2 0:1 / / rw - overlay overlay ro,lowerdir=/a:/b").upper_dir(), None);
        assert_eq!(one(b"1 2 0:1 / / rw - ext4 /dev/x rw,upperdir=/a").upper_dir(), None);
        let last = one(b"1 2 0:1 / / rw - overlay overlay upperdir=/u");
        assert_eq!(last.upper_dir(), Some("/u".into()));
    }

    #[test]
    fn an_empty_source_does_not_shift_the_fields() {
        let line = one(b"1 2 0:1 / /x rw - tmpfs  rw,size=1k");
        assert_eq!(line.source, Path::new(""));
        assert_eq!(line.super_options, b"rw,size=1k");
    }

    #[test]
    fn lines_that_make_no_sense_are_left_out() {
        assert!(parse(b"").is_empty());
        assert!(parse(b"hello\n1 2 0:1 / /x rw\n1 2 3 / /x rw - a b c\nx 2 0:1 / / rw - a b c\n").is_empty());
        assert_eq!(parse(b"junk\n1 2 0:1 / /x rw - tmpfs tmpfs rw\n\n").len(), 1);
    }

    #[test]
    fn our_own_table_has_a_root() {
        let table = std::fs::read("/proc/self/mountinfo").expect("a mount table");
        let lines = parse(&table);
        assert_eq!(lines.len(), table.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count());
        assert!(lines.iter().any(|line| line.target == Path::new("/")));
    }

    proptest::proptest! {
        #[test]
        fn no_table_makes_it_panic(table in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            for line in parse(&table) {
                let _ = (line.upper_dir(), line.is_deleted());
            }
        }

        #[test]
        fn no_nearly_sensible_line_makes_it_panic(text in "[0-9]{0,3} 1 0:1 [/\\\\0-7a]{0,9} /[ \\\\0-7a]{0,9} r[wo] -? overlay o (upperdir=)?[,=a-w]{0,30}") {
            for line in parse(text.as_bytes()) {
                let _ = (line.upper_dir(), line.is_deleted());
            }
        }
    }
}
