//! A tree of all that is odd, and what can be said of every entry of a tree.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use super::{noise, write};

/// Runs a shell script in a folder; it must succeed.
pub(crate) fn shell(folder: &Path, script: &str) -> String {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}", super::said(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Fills a folder with links, hard links, holes, attributes, rights, odd names and times.
pub(crate) fn grow(folder: &Path) {
    write(&folder.join("a/b/c/file"), "text");
    write(&folder.join("empty"), "");
    write(&folder.join("big"), noise(7, 3 << 20));
    fs::create_dir_all(folder.join("empty folder")).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"odd \xff\xfe\n\t\"'\\");
    write(&folder.join(odd), "odd");
    write(&folder.join("n".repeat(255)), "long");
    std::os::unix::fs::symlink(odd, folder.join("odd target")).unwrap();
    fs::File::create(folder.join("sparse")).unwrap().set_len(200 << 20).unwrap();
    shell(
        folder,
        "ln a/b/c/file hard; ln a/b/c/file a/hard; ln -s nowhere dangling; mkfifo pipe
         setfattr -n user.note -v 'two words' empty 2>/dev/null || true
         setfacl -m u:1234:rw empty 2>/dev/null || true
         echo x > none; chmod 000 none; echo x > setuid; echo x > sticky; chmod 1644 sticky
         printf y | dd of=sparse bs=1 seek=100000000 conv=notrunc 2>/dev/null",
    );
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        shell(
            folder,
            "mknod chr c 1 3; mknod blk b 7 200; mknod white c 0 0; chown 1234:5678 a setuid; chown -h 7:8 dangling",
        );
    }
    shell(
        folder,
        "chmod 4755 setuid; touch -d '1965-03-01 12:00:00.123456789 UTC' empty
         touch -d '2040-01-01 00:00:00.5 UTC' hard; touch -h -d '2001-02-03 UTC' dangling
         chmod 2770 a; touch -d '2002-02-02 02:02:02.25 UTC' 'empty folder' a",
    );
}

/// Every entry below a folder: path, mode, owner, time, size, links, device, target, content, attributes.
pub(crate) fn listing(top: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut folders = vec![top.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let m = path.symlink_metadata().unwrap();
            let content = m.is_file().then(|| {
                let bytes = fs::read(&path).unwrap();
                bytes.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
            });
            let attributes = Command::new("getfattr").args(["-hdm", "-"]).arg(&path).output();
            let attributes = attributes.map(|output| {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
            });
            lines.push(format!(
                "{} {:o} {}:{} {}.{:09} {} {} {:x} {:?} {content:?} {:?}",
                path.strip_prefix(top).unwrap().as_os_str().as_bytes().escape_ascii(),
                m.mode(),
                m.uid(),
                m.gid(),
                m.mtime(),
                m.mtime_nsec(),
                if m.is_dir() { 0 } else { m.len() },
                if m.is_dir() { 0 } else { m.nlink() },
                m.rdev(),
                fs::read_link(&path).ok(),
                attributes.unwrap_or_default(),
            ));
            if m.is_dir() {
                folders.push(path);
            }
        }
    }
    lines.sort();
    lines
}

/// That two folders hold the same in every respect.
pub(crate) fn same(one: &Path, other: &Path) {
    let (one, other) = (listing(one), listing(other));
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
    assert_eq!(one.len(), other.len());
}
