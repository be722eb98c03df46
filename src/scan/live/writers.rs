//! Who writes to what: the files that processes have open for writing, where they may be seen.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, StatxFlags, openat, statx};

/// Whoever has so many files open is looked at no further.
const MOST: usize = 4096;

/// The numbers of the files that somebody has open for writing, on one device or on all.
pub(in crate::scan) fn writers(device: Option<(u32, u32)>) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(processes) = openat(CWD, c"/proc", flags, Mode::empty()).and_then(|proc| {
        let entries = Dir::read_from(&proc)?;
        Ok((proc, entries))
    }) else {
        return found;
    };
    let (proc, entries) = processes;
    for process in entries.flatten().filter(|entry| entry.file_name().to_bytes().iter().all(u8::is_ascii_digit))
    {
        let mut path = process.file_name().to_bytes().to_vec();
        path.extend_from_slice(b"/fd");
        // Those of others may only be seen by root.
        let Ok(open) = openat(&proc, OsStr::from_bytes(&path), flags, Mode::empty()) else { continue };
        let Ok(files) = Dir::read_from(&open) else { continue };
        for file in files.flatten().take(MOST) {
            let name = file.file_name();
            let looks = StatxFlags::TYPE | StatxFlags::MODE;
            let itself = statx(&open, name, AtFlags::SYMLINK_NOFOLLOW, looks);
            // The entry is a link whose permissions say what the file was opened for.
            if !itself.is_ok_and(|entry| entry.stx_mode & 0o200 != 0) {
                continue;
            }
            let fields = StatxFlags::TYPE | StatxFlags::INO;
            let Ok(stat) = statx(&open, name, AtFlags::STATX_DONT_SYNC, fields) else { continue };
            let is_file = FileType::from_raw_mode(u32::from(stat.stx_mode)) == FileType::RegularFile;
            let on = (stat.stx_dev_major, stat.stx_dev_minor);
            if is_file && device.is_none_or(|device| device == on) {
                found.insert(stat.stx_ino);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_file_is_written_to_while_it_is_open_for_that() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let of = |file: &File| {
            let stat = statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::INO).expect("stat");
            ((stat.stx_dev_major, stat.stx_dev_minor), stat.stx_ino)
        };
        let written = File::create(dir.path().join("written")).expect("file");
        let read = File::open(dir.path().join("written")).expect("file");
        let (device, inode) = of(&written);
        assert!(writers(Some(device)).contains(&inode));
        assert!(writers(None).contains(&inode));
        assert!(!writers(Some((device.0, device.1 + 77))).contains(&inode), "another device");
        drop(written);
        assert!(!writers(Some(device)).contains(&inode), "it is only read now");
        drop(read);
    }
}
