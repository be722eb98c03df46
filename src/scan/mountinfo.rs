//! The kernel's mount table, `/proc/PID/mountinfo`, as bytes.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// One line of the mount table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The mount's id.
    pub id: u64,
    /// The id of the mount it is mounted on.
    pub parent: u64,
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
        let path = self.overlay_option(b"upperdir=")?;
        let end = find(path, b",workdir=").or_else(|| find(path, b",")).unwrap_or(path.len());
        let path = path.get(..end).filter(|path| !path.is_empty())?;
        Some(to_path(path.to_vec()))
    }

    /// The directories that an overlay is laid over, top first, as they were named when it was made.
    pub fn lower_dirs(&self) -> Option<Vec<PathBuf>> {
        let mut rest = self.overlay_option(b"lowerdir")?;
        let mut all = Vec::new();
        // One list, or newer kernels one option a directory: `lowerdir+=/a,lowerdir+=/b`.
        loop {
            let paths = rest.strip_prefix(b"+=").or_else(|| rest.strip_prefix(b"="))?;
            let next = find(paths, b",lowerdir");
            let end = next.or_else(|| find(paths, b",upperdir=")).or_else(|| find(paths, b","));
            colons(paths.get(..end.unwrap_or(paths.len()))?, &mut all);
            match next {
                Some(next) => rest = paths.get(next + b",lowerdir".len()..)?,
                None => return Some(all),
            }
        }
    }

    /// Whether an overlay was mounted with an option that stands alone.
    pub fn has_option(&self, name: &str) -> bool {
        self.super_options.split(|byte| *byte == b',').any(|option| option == name.as_bytes())
    }

    /// What follows the beginning of an option, up to the end of all.
    fn overlay_option(&self, start: &[u8]) -> Option<&[u8]> {
        if self.filesystem != "overlay" {
            return None;
        }
        let options = self.super_options.as_slice();
        let first = options.strip_prefix(start);
        first.or_else(|| {
            let after_comma = [b",", start].concat();
            options.get(find(options, &after_comma)? + after_comma.len()..)
        })
    }

    /// Whether what is mounted was deleted since.
    pub fn is_deleted(&self) -> bool {
        self.root.as_os_str().as_bytes().ends_with(b"//deleted")
    }
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
    let device = fields.next()?;
    let root = to_path(unescape(fields.next()?));
    let target = to_path(unescape(fields.next()?));
    if !device.contains(&b':') || !target.is_absolute() {
        return None;
    }
    let read_only = fields.next()?.split(|byte| *byte == b',').any(|option| option == b"ro");
    // Any number of optional fields, up to a lone dash.
    fields.by_ref().find(|field| *field == b"-")?;
    let filesystem = String::from_utf8_lossy(&unescape(fields.next()?)).into_owned();
    let source = to_path(unescape(fields.next()?));
    let rest: Vec<&[u8]> = fields.collect();
    let super_options = unescape(&rest.join(&b' '));
    Some(Line { id, parent, root, target, read_only, filesystem, source, super_options })
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

/// Splits a list of paths at its colons; one with a backslash before it belongs to its path.
fn colons(list: &[u8], all: &mut Vec<PathBuf>) {
    let mut path = Vec::new();
    let mut bytes = list.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => path.extend(bytes.next()),
            b':' => all.extend(some_path(&mut path)),
            byte => path.push(byte),
        }
    }
    all.extend(some_path(&mut path));
}

fn some_path(path: &mut Vec<u8>) -> Option<PathBuf> {
    let path = std::mem::take(path);
    (!path.is_empty()).then(|| to_path(path))
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
    use std::path::Path;

    fn one(text: &[u8]) -> Line {
        parse(text).into_iter().next().expect("a line that makes sense")
    }

    #[test]
    fn a_line_of_a_real_container_is_read_in_full() {
        let line = one(b"199 96 0:75 / / ro,relatime master:9 shared:2 - overlay overlay \
            rw,lowerdir=/l/A:/l/B,upperdir=/var/lib/docker/overlay2/2d72/diff,workdir=/w\n");
        assert_eq!((line.id, line.parent, line.read_only), (199, 96, true));
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
    fn the_layers_beneath_an_overlay_are_told_top_first() {
        let of = |options: &str| {
            one(format!("1 2 0:1 / / rw - overlay overlay rw{options}").as_bytes()).lower_dirs()
        };
        let paths = |all: &[&str]| Some(all.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(of(",lowerdir=/l/A:/l/B,upperdir=/u,workdir=/w"), paths(&["/l/A", "/l/B"]));
        assert_eq!(of(r",lowerdir=/a\134:b:/c\054d,upperdir=/u"), paths(&["/a:b", "/c,d"]));
        assert_eq!(of(",lowerdir+=/a,lowerdir+=/b,upperdir=/u,workdir=/w"), paths(&["/a", "/b"]));
        assert_eq!(of(",upperdir=/u"), None);
        assert!(one(b"1 2 0:1 / / rw - overlay overlay rw,userxattr,lowerdir=/a").has_option("userxattr"));
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
                let _ = (line.upper_dir(), line.lower_dirs(), line.is_deleted());
            }
        }

        #[test]
        fn no_nearly_sensible_line_makes_it_panic(text in "[0-9]{0,3} 1 0:1 [/\\\\0-7a]{0,9} /[ \\\\0-7a]{0,9} r[wo] -? overlay o (upperdir=)?[,=a-w]{0,30}") {
            for line in parse(text.as_bytes()) {
                let _ = (line.upper_dir(), line.lower_dirs(), line.is_deleted());
            }
        }
    }
}
