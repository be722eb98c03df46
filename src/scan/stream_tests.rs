//! Scans and measures, on real file systems.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use tempfile::TempDir;

use super::{Below, Job, Rule, measure, stream};
use crate::core::mount::Measure;
use crate::core::storage::StorageKind;
use crate::port::{FileFact, ScanItem};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("runtime").block_on(future)
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("temporary directory")
}

fn job(root: &Path, rule: Rule) -> Job {
    Job {
        root: root.into(),
        shown_at: "/".into(),
        storage: StorageKind::WritableLayer,
        rule,
        skip: Vec::new(),
        below: Below::default(),
    }
}

/// Everything one job says.
struct Said {
    files: BTreeMap<PathBuf, FileFact>,
    gaps: Vec<String>,
    notes: Vec<String>,
    reading: Vec<StorageKind>,
}

impl Said {
    fn names(&self) -> Vec<String> {
        self.files.keys().map(|path| path.display().to_string()).collect()
    }
}

fn scan(jobs: Vec<Job>) -> Said {
    let mut said = Said { files: BTreeMap::new(), gaps: vec![], notes: vec![], reading: vec![] };
    let mut stream = stream(jobs, false);
    while let Some(item) = block_on(stream.next()) {
        match item {
            ScanItem::Files(files) => {
                assert!(files.len() <= 256, "batches stay small");
                for file in files {
                    let twice = said.files.insert(file.path.clone(), file);
                    assert_eq!(twice, None, "no file is reported twice");
                }
            }
            ScanItem::Gap(gap) => said.gaps.push(gap),
            ScanItem::Note(note) => said.notes.push(note),
            ScanItem::Reading(kind) => said.reading.push(kind),
            ScanItem::Looking | ScanItem::Layer(_) => {}
            ScanItem::By(_) => panic!("who looks is said by the engine"),
        }
    }
    said
}

#[test]
fn every_file_is_found_with_its_container_path_size_and_time() {
    let dir = folder();
    fs::create_dir_all(dir.path().join("root/.config")).expect("folders");
    fs::write(dir.path().join("root/.config/a"), vec![1; 10_000]).expect("file");
    fs::write(dir.path().join("empty"), "").expect("file");
    let said = scan(vec![Job { shown_at: "/dev/shm".into(), ..job(dir.path(), Rule::Everything) }]);
    assert_eq!(said.names(), ["/dev/shm/empty", "/dev/shm/root/.config/a"]);
    let file = &said.files[Path::new("/dev/shm/root/.config/a")];
    let real = fs::metadata(dir.path().join("root/.config/a")).expect("metadata");
    assert_eq!(file.bytes, Some(real.blocks() * 512));
    assert_eq!(file.modified.map(jiff::Timestamp::as_second), Some(real.mtime()));
    assert_eq!((file.storage, file.changed), (StorageKind::WritableLayer, false));
    assert_eq!(said.reading, [StorageKind::WritableLayer]);
    assert!(said.gaps.is_empty() && said.notes.is_empty());
}

#[test]
fn links_sockets_and_pipes_are_no_findings_and_links_are_not_followed() {
    let dir = folder();
    let other = folder();
    fs::write(other.path().join("secret"), "x").expect("file");
    symlink(other.path(), dir.path().join("out")).expect("link");
    symlink("/etc/passwd", dir.path().join("passwd")).expect("link");
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).expect("socket");
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, dir.path().join("fifo"), fifo, 0o600.into(), 0).expect("fifo");
    fs::write(dir.path().join("file"), "x").expect("file");
    assert_eq!(scan(vec![job(dir.path(), Rule::Everything)]).names(), ["/file"]);
}

#[test]
fn hard_links_are_counted_once_and_holes_not_at_all() {
    let dir = folder();
    fs::write(dir.path().join("a"), vec![1; 100_000]).expect("file");
    for name in ["b", "c"] {
        fs::hard_link(dir.path().join("a"), dir.path().join(name)).expect("hard link");
    }
    let sparse = fs::File::create(dir.path().join("sparse")).expect("file");
    sparse.set_len(1 << 40).expect("a large hole");
    let said = scan(vec![job(dir.path(), Rule::Everything)]);
    assert_eq!(said.files.len(), 2);
    let bytes: u64 = said.files.values().filter_map(|file| file.bytes).sum();
    assert!((100_000..200_000).contains(&bytes), "{bytes}");
}

#[test]
fn a_place_may_be_one_file_but_not_a_link_to_one() {
    let dir = folder();
    let file = dir.path().join("notes.txt");
    fs::write(&file, vec![1; 10_000]).expect("file");
    symlink(&file, dir.path().join("link")).expect("link");
    let one = |name: &str| Job { shown_at: "/home/n".into(), ..job(&dir.path().join(name), Rule::Everything) };
    let said = scan(vec![one("notes.txt")]);
    let bytes = fs::metadata(&file).expect("metadata").blocks() * 512;
    assert_eq!(said.names(), ["/home/n"]);
    assert_eq!(said.files[Path::new("/home/n")].bytes, Some(bytes));
    assert!(said.gaps.is_empty(), "{:?}", said.gaps);
    assert_eq!(measure(&file, Duration::from_secs(9)), Measure::Bytes(bytes));
    assert!(scan(vec![one("link")]).names().is_empty());
}

#[test]
fn names_are_bytes() {
    let dir = folder();
    let name = OsStr::from_bytes(b"caf\xe9\n\x1b[31m");
    fs::write(dir.path().join(name), "x").expect("file");
    let said = scan(vec![job(dir.path(), Rule::Everything)]);
    assert!(said.files.contains_key(&Path::new("/").join(name)));
}

#[test]
fn memory_is_read_like_any_other_place() {
    let Ok(dir) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("skipped: /dev/shm cannot be written");
        return;
    };
    fs::write(dir.path().join("batch.pt"), vec![1; 8192]).expect("file");
    let said = scan(vec![job(dir.path(), Rule::Everything)]);
    assert_eq!(said.files[Path::new("/batch.pt")].bytes, Some(8192));
}

#[test]
fn a_tree_of_four_hundred_levels_is_read_with_a_handful_of_handles() {
    let dir = folder();
    let name = "n".repeat(100);
    let mut at = rustix::fs::open(dir.path(), rustix::fs::OFlags::PATH, 0.into()).expect("root");
    for _ in 0..400 {
        rustix::fs::mkdirat(&at, name.as_str(), 0o700.into()).expect("folder");
        at = rustix::fs::openat(&at, name.as_str(), rustix::fs::OFlags::PATH, 0.into()).expect("folder");
    }
    let flags = rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY;
    rustix::fs::openat(&at, "deep", flags, 0o600.into()).expect("file");
    let said = scan(vec![job(dir.path(), Rule::Everything)]);
    assert_eq!(said.gaps, Vec::<String>::new());
    assert_eq!(said.files.len(), 1, "the path is longer than the kernel takes in one piece");
    assert!(said.files.keys().all(|path| path.ends_with("deep") && path.components().count() == 402));
}

#[test]
fn folders_that_are_skipped_are_not_entered() {
    let dir = folder();
    for name in ["keep", "mount", "mounted"] {
        fs::create_dir(dir.path().join(name)).expect("folder");
        fs::write(dir.path().join(name).join("x"), "x").expect("file");
    }
    fs::write(dir.path().join("hosts"), "x").expect("file");
    let skip = vec!["/mount".into(), "/hosts".into()];
    let said = scan(vec![Job { skip, ..job(dir.path(), Rule::Everything) }]);
    assert_eq!(said.names(), ["/keep/x", "/mounted/x"]);
}

#[test]
fn a_place_that_is_not_there_is_a_gap_and_the_next_one_is_read() {
    let dir = folder();
    fs::write(dir.path().join("x"), "x").expect("file");
    let gone = Job { shown_at: "/gone".into(), ..job(&dir.path().join("none"), Rule::Everything) };
    let said = scan(vec![gone, job(dir.path(), Rule::Everything)]);
    assert_eq!(said.gaps, ["/gone could not be read: it is not there"]);
    assert_eq!(said.names(), ["/x"]);
}

#[test]
fn folders_without_permission_are_counted_in_one_sentence() {
    let dir = folder();
    for name in ["a", "b"] {
        fs::create_dir(dir.path().join(name)).expect("folder");
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o000)).expect("mode");
    }
    fs::write(dir.path().join("x"), "x").expect("file");
    if fs::read_dir(dir.path().join("a")).is_ok() {
        eprintln!("skipped: this user may read every folder");
        return;
    }
    let said = scan(vec![job(dir.path(), Rule::Everything)]);
    assert_eq!(said.names(), ["/x"]);
    assert_eq!(said.gaps.len(), 1);
    assert!(
        said.gaps[0].starts_with("2 folders could not be read: permission denied, first /"),
        "{:?}",
        said.gaps
    );
}

#[test]
fn a_root_seen_from_inside_shows_only_what_was_born_after_it() {
    let dir = folder();
    let root = dir.path().join("root");
    fs::write(dir.path().join("image"), "x").expect("file");
    std::thread::sleep(Duration::from_millis(20));
    fs::create_dir(&root).expect("folder");
    fs::rename(dir.path().join("image"), root.join("image")).expect("moved");
    fs::write(root.join("mine"), "x").expect("file");
    Command::new("touch").args(["-d", "2001-01-01"]).arg(root.join("mine")).status().expect("touch");
    let said = scan(vec![job(&root, Rule::BornAfterRoot)]);
    assert_eq!(said.names(), ["/mine"], "a preserved time of change does not hide a file");
}

#[test]
fn dropping_the_stream_ends_the_thread_at_once() {
    let dir = folder();
    for n in 0..20_000 {
        fs::write(dir.path().join(format!("{n}")), "").expect("file");
    }
    let jobs = vec![job(dir.path(), Rule::Everything); 50];
    let mut stream = stream(jobs, true);
    assert_eq!(block_on(stream.next()), Some(ScanItem::Reading(StorageKind::WritableLayer)));
    let threads = || {
        let tasks = fs::read_dir("/proc/self/task").expect("tasks").flatten();
        tasks
            .filter(|task| fs::read_link(task.path().join("cwd")).is_ok())
            .filter(|task| {
                fs::read_to_string(task.path().join("comm"))
                    .is_ok_and(|name| ["scan", "walk"].contains(&name.trim()))
            })
            .map(|task| task.file_name())
            .collect::<Vec<_>>()
    };
    let mine = threads();
    let began = Instant::now();
    drop(stream);
    // Other tests have scans of their own; those that ran before must be over soon.
    while threads().iter().any(|task| mine.contains(task)) {
        assert!(began.elapsed() < Duration::from_secs(5), "the walk goes on without a reader");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_measure_agrees_with_du() {
    let dir = folder();
    fs::create_dir_all(dir.path().join("a/b")).expect("folders");
    fs::write(dir.path().join("a/b/x"), vec![1; 300_000]).expect("file");
    fs::hard_link(dir.path().join("a/b/x"), dir.path().join("a/y")).expect("hard link");
    symlink("a", dir.path().join("link")).expect("link");
    let du = Command::new("du").args(["-s", "--block-size=1"]).arg(dir.path()).output().expect("du");
    let text = String::from_utf8_lossy(&du.stdout).into_owned();
    let expected: u64 = text.split_whitespace().next().and_then(|n| n.parse().ok()).expect("a number");
    assert_eq!(measure(dir.path(), Duration::from_secs(20)), Measure::Bytes(expected));
}

#[test]
fn a_measure_out_of_time_is_a_lower_bound_and_one_without_a_root_says_why() {
    let dir = folder();
    fs::write(dir.path().join("x"), "x").expect("file");
    for number in 0..5_000 {
        fs::write(dir.path().join(number.to_string()), "").expect("file");
    }
    assert!(matches!(measure(dir.path(), Duration::ZERO), Measure::AtLeast(_)));
    let gone = measure(&dir.path().join("none"), Duration::from_secs(1));
    assert_eq!(gone, Measure::Failed("it is not there".into()));
}

#[test]
fn whiteouts_written_as_attributes_and_hollow_copies_are_no_files() {
    let dir = folder();
    let set = |name: &str, attribute: &str, content: &str| {
        fs::write(dir.path().join(name), content).expect("file");
        let flags = rustix::fs::XattrFlags::empty();
        rustix::fs::setxattr(dir.path().join(name), attribute, b"y", flags)
    };
    if set("whiteout", "user.overlay.whiteout", "").is_err() {
        eprintln!("skipped: no extended attributes here");
        return;
    }
    set("metacopy", "user.overlay.metacopy", "").expect("attribute");
    set("changed", "user.overlay.origin", "x").expect("attribute");
    set("fuse", "user.fuseoverlayfs.origin", "x").expect("attribute");
    set("mine", "user.mine", "x").expect("attribute");
    fs::write(dir.path().join(".wh..wh..opq"), "").expect("the opaque mark of fuse-overlayfs");
    let said = scan(vec![job(dir.path(), Rule::Upper)]);
    assert_eq!(said.names(), ["/changed", "/fuse", "/mine"]);
    assert!(said.files[Path::new("/fuse")].changed);
    assert!(said.files[Path::new("/changed")].changed && !said.files[Path::new("/mine")].changed);
}

#[test]
fn another_mount_below_the_root_is_not_entered() {
    let dir = folder();
    let inner = dir.path().join("inner");
    fs::create_dir(&inner).expect("folder");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(&inner).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no right to mount");
        return;
    }
    fs::write(inner.join("x"), "x").expect("file");
    fs::write(dir.path().join("y"), "y").expect("file");
    let said = scan(vec![job(dir.path(), Rule::Everything)]);
    let _ = Command::new("umount").arg(&inner).status();
    assert_eq!(said.names(), ["/y"]);
}
