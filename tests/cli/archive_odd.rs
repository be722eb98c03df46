//! Archives of what is rare, and archives that somebody made to do harm.

use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::archive::{Ground, names, sh, text};

/// Everything that is kept of a tree, as text: one line an entry, then attributes and access lists.
fn tree(folder: &Path) -> String {
    let mut lines = Vec::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(relative) = pending.pop() {
        let path = folder.join(&relative);
        let stat = fs::symlink_metadata(&path).unwrap();
        let content = if stat.is_symlink() {
            fs::read_link(&path).unwrap().display().to_string()
        } else if stat.is_file() {
            let read = fs::read(&path).unwrap();
            let sum = read.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
            format!("{} {sum:x} links {}", read.len(), stat.nlink())
        } else {
            String::new()
        };
        if stat.is_dir() {
            pending.extend(fs::read_dir(&path).unwrap().map(|entry| relative.join(entry.unwrap().file_name())));
        }
        lines.push(format!(
            "\"{}\" {:o} {}:{} {}.{:09} {content}",
            relative.as_os_str().as_encoded_bytes().escape_ascii(),
            stat.mode(),
            stat.uid(),
            stat.gid(),
            stat.mtime(),
            stat.mtime_nsec()
        ));
    }
    lines.sort();
    let attributes = sh(folder, "getfattr", &["-R", "-h", "-d", "-m", "^user", "-e", "hex", "."]);
    let mut lists = sh(folder, "getfacl", &["-R", "-n", "-p", "-s", "."])
        .split("\n\n")
        .map(str::to_owned)
        .collect::<Vec<_>>();
    lists.sort();
    let mut attributes: Vec<_> = attributes.split("\n\n").map(str::to_owned).collect();
    attributes.sort();
    lines.extend(attributes);
    lines.extend(lists);
    lines.join("\n")
}

/// A home with everything that is easily lost on the way.
fn odd_home(ground: &Ground) {
    let home = ground.at("home");
    let write = |path: &str, content: &[u8]| ground.write(path, content);
    write("plain", b"hello");
    write("empty", b"");
    write("read-only/inside", b"x");
    write(&format!("long/{}/{}", "d".repeat(120), "f".repeat(200)), b"long");
    write("spaces and 'quotes' \"here\"", b"x");
    fs::write(home.join(std::ffi::OsStr::from_bytes(b"not-text-\xff\n\x1b[2J")), "x").unwrap();
    fs::hard_link(home.join("plain"), home.join("second name")).unwrap();
    symlink("plain", home.join("link")).unwrap();
    symlink("/nowhere/at/all", home.join("dangling")).unwrap();
    symlink("x".repeat(150), home.join("long link")).unwrap();
    sh(&home, "mkfifo", &["pipe"]);
    let sparse = fs::File::create(home.join("sparse")).unwrap();
    sparse.set_len(40 << 20).unwrap();
    for piece in 0..30_u64 {
        sparse.write_all_at(b"piece", piece * (1 << 20) + 12_345).unwrap();
    }
    fs::File::create(home.join("all hole")).unwrap().set_len(5 << 20).unwrap();
    let end = fs::File::create(home.join("hole then data")).unwrap();
    end.write_all_at(b"end", (1 << 20) + 1).unwrap();
    for (path, mode) in [("plain", 0o4711), ("read-only", 0o555), ("empty", 0o000), ("long", 0o1777)] {
        fs::set_permissions(home.join(path), PermissionsExt::from_mode(mode)).unwrap();
    }
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(home.join("empty"), Some(3_000_000_000), Some(77)).unwrap();
        std::os::unix::fs::lchown(home.join("link"), Some(1234), Some(5)).unwrap();
    }
    sh(&home, "touch", &["-h", "-d", "1969-12-31 23:59:58.5 UTC", "link", "pipe"]);
    sh(&home, "touch", &["-d", "2200-01-02 03:04:05.123456789 UTC", "sparse"]);
    sh(&home, "setfattr", &["-n", "user.a=b%", "-v", "0x00ff0a3d", "plain"]);
    sh(&home, "setfattr", &["-n", "user.on.folder", "-v", "yes", "long"]);
    sh(&home, "setfacl", &["-m", "u:1000:rw,g:5:r", "spaces and 'quotes' \"here\""]);
    sh(&home, "setfacl", &["-d", "-m", "u:1000:rwx", "long"]);
    sh(&home, "touch", &["-d", "2001-02-03 04:05:06.7 UTC", "read-only", "."]);
}

#[test]
fn i1_i5_an_odd_home_comes_back_identical_by_outlast_and_by_tar() {
    let ground = Ground::new();
    odd_home(&ground);
    let before = tree(&ground.at("home"));
    let archive = ground.archived();
    assert_eq!(tree(&ground.at("home")), before, "saving changes nothing");
    let size = fs::metadata(&archive).unwrap().len();
    assert!(size < 1 << 20, "holes are not stored: {size}");
    let done = ground.restore(&archive, "by outlast", &[]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_eq!(tree(&ground.at("by outlast")), before);
    let sparse = fs::metadata(ground.at("by outlast/sparse")).unwrap();
    assert!(sparse.blocks() * 512 < 2 << 20, "holes stay holes");
    if !rustix::process::geteuid().is_root() {
        return;
    }
    fs::create_dir(ground.at("by tar")).unwrap();
    let unpack = ["-xpzf", text(&archive), "-C", "by tar", "--xattrs", "--acls", "--same-owner"];
    sh(ground.dir.path(), "tar", &unpack);
    assert_eq!(tree(&ground.at("by tar")), before);
    assert!(fs::metadata(ground.at("by tar/sparse")).unwrap().blocks() * 512 < 2 << 20);
}

#[test]
fn i5_what_tar_writes_in_any_of_its_forms_comes_back_identical() {
    let ground = Ground::new();
    odd_home(&ground);
    let before = tree(&ground.at("home"));
    let whole = |line: &str| line.to_owned();
    // GNU's own form has no fractions of seconds and no attributes.
    let less = |tree: &str| -> Vec<String> {
        let entries = tree.lines().filter(|line| line.starts_with('"'));
        entries.map(|line| line.split('.').next().unwrap().to_owned()).collect()
    };
    let forms: [(&[&str], bool); 5] = [
        (&["--format=posix", "--xattrs", "--acls", "--sparse"], true),
        (&["--format=posix", "--xattrs", "--acls", "--sparse", "--sparse-version=0.1"], true),
        (&["--format=posix", "--xattrs", "--acls", "--sparse", "--sparse-version=0.0"], true),
        (&["--format=gnu", "--sparse"], false),
        (&["--format=gnu"], false),
    ];
    for (number, (form, all)) in forms.into_iter().enumerate() {
        let archive = ground.at(&format!("archives/{number}.tar.gz"));
        let home = ground.at("home");
        let args = [&["-C", text(&home), "--exclude", ".vessl", "-zcf", text(&archive)], form, &["."]].concat();
        sh(ground.dir.path(), "tar", &args);
        let dest = format!("back-{number}");
        let done = ground.restore(&archive, &dest, &[]);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{form:?}");
        let after = tree(&ground.at(&dest));
        if all {
            assert_eq!(whole(&after), whole(&before), "{form:?}");
        } else {
            assert_eq!(less(&after), less(&before), "{form:?}");
        }
    }
}

/// A header of a tar archive, written byte by byte: the crate refuses some of these names.
fn header(name: &[u8], kind: u8, link: &[u8], size: u64) -> Vec<u8> {
    let mut block = vec![0_u8; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..108].copy_from_slice(b"0000644\0");
    block[108..116].copy_from_slice(b"0000000\0");
    block[116..124].copy_from_slice(b"0000000\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[136..148].copy_from_slice(b"00000000000\0");
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    sum(&mut block);
    block
}

fn sum(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn file(name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut blocks = header(name, b'0', b"", content.len() as u64);
    blocks.extend_from_slice(content);
    blocks.resize(blocks.len().next_multiple_of(512), 0);
    blocks
}

fn gz(path: &Path, parts: &[Vec<u8>]) {
    let mut gz = flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::fast());
    for part in parts {
        gz.write_all(part).unwrap();
    }
    gz.write_all(&[0; 1024]).unwrap();
    gz.finish().unwrap();
}

#[test]
fn hostile_archives_write_nothing_outside_and_leave_nothing_behind() {
    let ground = Ground::new();
    let victim = ground.at("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("secret"), "untouched").unwrap();
    let outside = text(&victim).as_bytes().to_vec();
    let evil = [&outside[..], b"/evil"].concat();
    let through = |link: &[u8]| vec![header(b"./way", b'2', link, 0), file(b"./way/evil", b"evil")];
    let cases: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("absolute name", vec![file(&evil, b"evil")]),
        ("dots", vec![file(b"./../victim/evil", b"evil")]),
        ("dots in the middle", vec![file(b"a/../../victim/evil", b"evil")]),
        ("through a link out", through(&outside)),
        ("through a relative link out", through(b"../../victim")),
        ("through a chain of links", {
            let mut all = vec![header(b"./one", b'2', b"two", 0), header(b"./two", b'2', &outside, 0)];
            all.push(file(b"./one/evil", b"evil"));
            all
        }),
        (
            "a folder through a link",
            vec![header(b"./way", b'2', &outside, 0), header(b"./way/evil", b'5', b"", 0)],
        ),
        ("a hard link out", vec![header(b"./evil", b'1', &[&outside[..], b"/secret"].concat(), 0)]),
        ("a hard link by dots", vec![header(b"./evil", b'1', b"../victim/secret", 0)]),
        (
            "a hard link through a link",
            vec![header(b"./way", b'2', &outside, 0), header(b"./evil", b'1', b"way/secret", 0)],
        ),
    ];
    for (what, parts) in cases {
        let archive = ground.at("archives/evil.tar.gz");
        gz(&archive, &parts);
        fs::create_dir(ground.at("dest")).unwrap();
        let done = ground.restore(&archive, "dest", &[]);
        assert!(
            matches!(done.code, 1 | 4) && done.err.contains("error: "),
            "{what}: {} {}",
            done.code,
            done.err
        );
        assert_eq!(names(&victim), ["secret"], "{what}");
        assert_eq!(fs::metadata(victim.join("secret")).unwrap().nlink(), 1, "{what}");
        assert_eq!(names(&ground.at("dest")), [""; 0], "{what}");
        fs::remove_dir(ground.at("dest")).unwrap();
    }
    assert_eq!(fs::read_to_string(victim.join("secret")).unwrap(), "untouched");
}

#[test]
fn links_that_point_out_are_kept_as_links_and_devices_are_not_made() {
    let ground = Ground::new();
    let archive = ground.at("archives/odd.tar.gz");
    let mut device = header(b"./disk", b'4', b"", 0);
    device[329..337].copy_from_slice(b"0000010\0");
    device[337..345].copy_from_slice(b"0000000\0");
    sum(&mut device);
    gz(&archive, &[header(b"./etc", b'2', b"/etc", 0), device, file(b"./a", b"1"), file(b"./a", b"2")]);
    let done = ground.restore(&archive, "dest", &[]);
    assert_eq!(done.code, 1, "what was left out is said");
    assert!(done.err.contains("disk was not put back: a device"), "{}", done.err);
    assert_eq!(fs::read_link(ground.at("dest/etc")).unwrap(), Path::new("/etc"));
    assert_eq!(names(&ground.at("dest")), ["a", "etc"]);
    assert_eq!(fs::read_to_string(ground.at("dest/a")).unwrap(), "2", "the later one counts, as in tar");
}

#[test]
fn huge_claims_cost_neither_time_nor_room() {
    let ground = Ground::new();
    let archive = ground.at("archives/huge.tar.gz");
    // GNU's form: one piece at the end of four exabytes.
    let mut sparse = header(b"./huge", b'S', b"", 512);
    sparse[257..265].copy_from_slice(b"ustar  \0");
    let number = |block: &mut [u8], at: usize, value: u64| {
        block[at] = 0x80;
        block[at + 4..at + 12].copy_from_slice(&value.to_be_bytes());
    };
    number(&mut sparse, 386, (4 << 60) - 512);
    number(&mut sparse, 398, 512);
    number(&mut sparse, 483, 4 << 60);
    sum(&mut sparse);
    gz(&archive, &[sparse, vec![b'x'; 512]]);
    let started = std::time::Instant::now();
    let done = ground.restore(&archive, "dest", &[]);
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
    // A disk that can hold such a file holds it in no room; another says that it cannot.
    match done.code {
        0 => assert!(fs::metadata(ground.at("dest/huge")).unwrap().blocks() < 1000),
        code => assert!(code == 1 && !ground.at("dest").exists(), "{}", done.err),
    }
    let name = ground.at("archives/name.tar.gz");
    gz(&name, &[header(b"././@LongLink", b'L', b"", 1 << 32), vec![b'n'; 4096]]);
    let done = ground.restore(&name, "dest2", &[]);
    assert!(done.code == 1 && done.err.contains("longer than any name"), "{}", done.err);
    let short = ground.at("archives/short.tar.gz");
    gz(&short, &[header(b"./claims", b'0', b"", 1 << 32), vec![b'n'; 4096]]);
    let done = ground.restore(&short, "dest3", &[]);
    assert!(done.code == 1 && done.err.contains("ends too soon"), "{}", done.err);
}

#[test]
fn a_full_disk_leaves_nothing_behind_and_is_named() {
    let ground = Ground::new();
    let disk = ground.at("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m", "none", text(&disk)]).status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no file system can be mounted here");
        return;
    }
    let noise: Vec<u8> =
        (0..8_000_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()[7]).collect();
    ground.write(
        "big",
        noise
            .iter()
            .enumerate()
            .map(|(at, byte)| byte.wrapping_mul(at.to_le_bytes()[0] | 1))
            .collect::<Vec<_>>(),
    );
    let home = ground.at("home");
    let full = ground.outlast.run(&["archive", text(&home), "--to", text(&disk), "--yes"]);
    let left = names(&disk);
    let archive = ground.archived();
    let refused = ground.restore(&archive, "disk", &[]);
    let after = names(&disk);
    sh(ground.dir.path(), "umount", &[text(&disk)]);
    assert!(full.code == 1 && full.err.to_lowercase().contains("no space"), "{}", full.err);
    assert!(left.is_empty() && after.is_empty(), "{left:?} {after:?}");
    assert!(
        refused.code == 1 && refused.err.contains("left"),
        "checked before anything is written: {}",
        refused.err
    );
}
