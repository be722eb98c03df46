//! Whether a disk is really memory: a file in memory that is used as a disk, a disk in memory, an
//! overlay whose upper directory is in memory. Read from the kernel's lists; nothing is opened.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::mountinfo::{self, Line};
use crate::core::filesystem::Filesystem;

/// Disks on disks on disks are followed so far.
const DEEPEST: u8 = 8;

/// Where the kernel lists block devices by their numbers.
const DEVICES: &str = "/sys/dev/block";

/// Whether what lies at a place of this machine is kept in its memory; `None` where that cannot be told.
/// `table` is this machine's mount table.
pub fn place_in_memory(table: &[Line], place: &Path) -> Option<bool> {
    place_at(table, place, DEEPEST)
}

/// Whether a file system of this machine is kept in its memory; `None` where that cannot be told.
pub fn line_in_memory(table: &[Line], line: &Line) -> Option<bool> {
    line_at(table, line, DEEPEST)
}

/// Whether a disk of this machine, by its number, is memory; `None` where that cannot be told.
pub fn device_in_memory(table: &[Line], rdev: u64) -> Option<bool> {
    let folder = folder_of((rustix::fs::major(rdev), rustix::fs::minor(rdev)));
    folder.map_or(Some(false), |folder| device_in(table, &folder, DEEPEST))
}

fn place_at(table: &[Line], place: &Path, depth: u8) -> Option<bool> {
    let place = match place.canonicalize() {
        Ok(place) => place,
        // What may not be looked at is where its name says.
        Err(why) if why.kind() == std::io::ErrorKind::PermissionDenied => place.to_path_buf(),
        Err(_) => return None,
    };
    line_at(table, mountinfo::holding(table, &place)?, depth.checked_sub(1)?)
}

fn line_at(table: &[Line], line: &Line, depth: u8) -> Option<bool> {
    match Filesystem::of(&line.filesystem) {
        Filesystem::Memory => return Some(true),
        // Where their bytes are is another question.
        Filesystem::Network | Filesystem::Pseudo | Filesystem::Unclear => return Some(false),
        Filesystem::Disk => {}
    }
    if line.filesystem == "overlay" {
        return line.upper_dir().map_or(Some(false), |upper| place_at(table, &upper, depth));
    }
    // A file system over several disks has a number of its own and names one of them.
    let named = || {
        let disk = std::fs::metadata(&line.source).ok().filter(|found| found.file_type().is_block_device());
        disk.and_then(|disk| folder_of((rustix::fs::major(disk.rdev()), rustix::fs::minor(disk.rdev()))))
    };
    folder_of(line.device).or_else(named).map_or(Some(false), |folder| device_in(table, &folder, depth))
}

/// Where the kernel describes a device, if it lists it.
fn folder_of((major, minor): (u32, u32)) -> Option<PathBuf> {
    Path::new(DEVICES).join(format!("{major}:{minor}")).canonicalize().ok()
}

fn device_in(table: &[Line], folder: &Path, depth: u8) -> Option<bool> {
    let depth = depth.checked_sub(1)?;
    let name = folder.file_name()?.as_bytes();
    if name.starts_with(b"ram") || name.starts_with(b"zram") {
        return Some(true);
    }
    if folder.join("partition").exists() {
        return device_in(table, folder.parent()?, depth);
    }
    if let Ok(file) = std::fs::read(folder.join("loop/backing_file")) {
        return backing_file(table, &file, depth);
    }
    // Of a disk made of several, one in memory is enough to lose it.
    let parts = std::fs::read_dir(folder.join("slaves")).into_iter().flatten().flatten();
    let mut answer = Some(false);
    for part in parts {
        match part.path().canonicalize().ok().and_then(|part| device_in(table, &part, depth)) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => answer = None,
        }
    }
    answer
}

/// The file behind a loop device; of one that was deleted the folder still tells the disk.
fn backing_file(table: &[Line], file: &[u8], depth: u8) -> Option<bool> {
    let file = file.strip_suffix(b"\n").unwrap_or(file);
    let gone = file.strip_suffix(b" (deleted)");
    let path = PathBuf::from(OsString::from_vec(gone.unwrap_or(file).to_vec()));
    match gone {
        Some(_) => place_at(table, path.parent()?, depth),
        None => place_at(table, &path, depth),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Vec<Line> {
        mountinfo::parse(&std::fs::read("/proc/self/mountinfo").expect("a mount table"))
    }

    #[test]
    fn memory_is_memory_and_an_overlay_is_what_its_upper_directory_is_on() {
        let table = table();
        assert_eq!(place_in_memory(&table, Path::new("/dev/shm")), Some(true));
        let line = |text: &str| mountinfo::parse(text.as_bytes()).remove(0);
        let over = |upper: &str| {
            let text = format!("1 2 0:99 / /m rw - overlay overlay rw,lowerdir=/l,upperdir={upper},workdir=/w");
            line_in_memory(&table, &line(&text))
        };
        assert_eq!(over("/dev/shm"), Some(true));
        assert_eq!(over("/nowhere/upper"), None, "what cannot be seen is not called a disk");
        let lower = line("1 2 0:99 / /m ro - overlay overlay ro,lowerdir=/l");
        assert_eq!(line_in_memory(&table, &lower), Some(false));
        let network = line("1 2 0:99 / /m rw - nfs4 server:/x rw");
        assert_eq!(line_in_memory(&table, &network), Some(false));
    }

    #[test]
    fn a_file_of_a_loop_device_that_was_deleted_tells_by_its_folder() {
        let table = table();
        assert_eq!(backing_file(&table, b"/dev/shm/disk.img (deleted)\n", DEEPEST), Some(true));
        assert_eq!(backing_file(&table, b"/dev/shm/no-such.img\n", DEEPEST), None);
    }
}
