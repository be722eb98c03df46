//! Trees to measure on: the home of somebody who trains models and builds web pages. The same
//! number of entries always gives the same names and sizes.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const WORDS: [&str; 32] = [
    "core", "util", "base", "io", "api", "model", "layer", "data", "train", "eval", "config", "cli", "test",
    "nn", "ops", "kernel", "graph", "node", "token", "cache", "http", "json", "yaml", "table", "frame",
    "array", "linalg", "stats", "plot", "image", "audio", "text",
];

/// What a file holds.
#[derive(Clone, Copy)]
enum Kind {
    Source,
    Picture,
    Checkpoint,
}

struct Grower {
    state: u64,
    left: u64,
    bytes: Vec<u8>,
    /// Files that get further names.
    shared: Vec<PathBuf>,
}

/// The folder with about so many entries, made where it is not there yet.
pub(crate) fn tree(below: &Path, entries: u64) -> PathBuf {
    let (root, marker) = (below.join(format!("tree-{entries}")), below.join(format!("tree-{entries}.whole")));
    if !marker.exists() {
        let _ = fs::remove_dir_all(&root);
        grow(&root, entries);
        File::create(marker).unwrap();
    }
    root
}

/// Fills a new folder with about so many entries.
pub(crate) fn grow(root: &Path, entries: u64) {
    fs::create_dir_all(root).unwrap();
    let bytes = (0..=u16::MAX).map(|at| at.to_le_bytes()[0]).collect();
    let mut grower = Grower { state: 20, left: entries, bytes, shared: Vec::new() };
    grower.odd(&root.join("odd"));
    grower.flat(&root.join("flat"), entries / 20);
    for number in 0.. {
        if grower.left == 0 {
            break;
        }
        let name = format!("{number}");
        match number % 12 {
            0..5 => grower.environment(&root.join("envs").join(name), entries / 50),
            5..8 => grower.modules(&root.join("web").join(name), entries / 50),
            8 | 9 => grower.pictures(&root.join("data").join(name), entries / 50),
            10 => grower.objects(&root.join("repos").join(name), entries / 50),
            _ => grower.checkpoints(&root.join("runs").join(name), entries / 100),
        }
    }
}

impl Grower {
    /// The next number below another, of a fixed sequence.
    fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % end.max(1)
    }

    fn word(&mut self) -> &'static str {
        let at = self.below(WORDS.len() as u64);
        WORDS[usize::try_from(at).unwrap()]
    }

    /// Whether one more entry may be made.
    fn one_more(&mut self) -> bool {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        more
    }

    fn folder(&mut self, path: &Path) {
        if !path.exists() && self.one_more() {
            fs::create_dir_all(path).unwrap();
        }
    }

    fn file(&mut self, path: &Path, kind: Kind) {
        if !path.parent().is_some_and(Path::exists) || !self.one_more() {
            return;
        }
        let chance = self.below(100);
        let mut file = File::create(path).unwrap();
        // Four of ten have bytes; most others have a size and no blocks, to spare the disk.
        match (kind, chance) {
            (Kind::Checkpoint, _) => file.set_len((self.below(4_000) + 10) << 20).unwrap(),
            (Kind::Picture, 30..) => file.set_len(20_000 + self.below(400_000)).unwrap(),
            (_, 0..40) => {
                let length = usize::try_from(20 + self.below(3_800)).unwrap();
                file.write_all(&self.bytes[..length]).unwrap();
            }
            (_, 40..85) => file.set_len(100 + self.below(160_000)).unwrap(),
            _ => {}
        }
    }

    fn environment(&mut self, root: &Path, entries: u64) {
        let end = self.left.saturating_sub(entries);
        let site = root.join("lib/python3.11/site-packages");
        self.folder(&site);
        for number in 0.. {
            if self.left <= end {
                break;
            }
            let mut package = site.join(format!("{}{}{number}", self.word(), self.word()));
            for _ in 0..=self.below(4) {
                self.folder(&package);
                let cache = package.join("__pycache__");
                self.folder(&cache);
                for module in 0..=self.below(16) {
                    let name = format!("{}_{module}", self.word());
                    let path = package.join(format!("{name}.py"));
                    if self.below(10) == 0 && !self.shared.is_empty() && package.exists() && self.one_more() {
                        let at = usize::try_from(self.below(self.shared.len() as u64)).unwrap();
                        fs::hard_link(&self.shared[at], &path).unwrap();
                    } else {
                        self.file(&path, Kind::Source);
                        if self.shared.len() < 2_000 && path.exists() {
                            self.shared.push(path);
                        }
                    }
                    self.file(&cache.join(format!("{name}.cpython-311.pyc")), Kind::Source);
                }
                package.push(format!("{}{}", self.word(), self.below(10)));
            }
        }
    }

    fn modules(&mut self, root: &Path, entries: u64) {
        let end = self.left.saturating_sub(entries);
        let modules = root.join("node_modules");
        self.folder(&modules.join(".bin"));
        for number in 0.. {
            if self.left <= end {
                break;
            }
            let mut package = modules.join(format!("{}-{}-{number}", self.word(), self.word()));
            for _ in 0..=self.below(2) {
                self.folder(&package);
                for name in ["package.json", "README.md", "LICENSE", "index.js"] {
                    self.file(&package.join(name), Kind::Source);
                }
                let inner = package.join("lib");
                self.folder(&inner);
                for file in 0..=self.below(14) {
                    let name = format!("{}{file}.js", self.word());
                    self.file(&inner.join(name), Kind::Source);
                }
                package.push("node_modules");
                package.push(self.word());
            }
            if self.one_more() {
                symlink("../x/bin.js", modules.join(".bin").join(number.to_string())).unwrap();
            }
        }
    }

    fn pictures(&mut self, root: &Path, entries: u64) {
        for number in 0..entries {
            let shard = root.join(format!("shard-{:04}", number / 1_000));
            self.folder(&shard);
            self.file(&shard.join(format!("{number:010}.jpg")), Kind::Picture);
        }
    }

    fn objects(&mut self, root: &Path, entries: u64) {
        for _ in 0..entries {
            let folder = root.join(format!(".git/objects/{:02x}", self.below(256)));
            self.folder(&folder);
            let name = format!("{:019x}{:019x}", self.below(u64::MAX), self.below(u64::MAX));
            self.file(&folder.join(name), Kind::Source);
        }
    }

    fn checkpoints(&mut self, root: &Path, entries: u64) {
        for number in 0..entries / 8 {
            let folder = root.join(format!("checkpoint-{number}"));
            self.folder(&folder);
            for name in ["config.json", "scheduler.pt", "rng_state.pth", "trainer_state.json"] {
                self.file(&folder.join(name), Kind::Source);
            }
            for name in ["optimizer.pt", "model-1.safetensors", "model-2.safetensors"] {
                self.file(&folder.join(name), Kind::Checkpoint);
            }
        }
    }

    fn flat(&mut self, root: &Path, entries: u64) {
        self.folder(root);
        for number in 0..entries {
            self.file(&root.join(format!("sample_{number:08}.json")), Kind::Source);
        }
    }

    /// Names and shapes that are easily got wrong.
    fn odd(&mut self, root: &Path) {
        self.folder(root);
        for name in [&b"new\nline"[..], b"\xff\xfe", b"-rf", b" ", b"\x1b[31m", &[b'x'; 255]] {
            self.file(&root.join(std::ffi::OsStr::from_bytes(name)), Kind::Source);
        }
        let mut deep = root.join("deep");
        for level in 0..300 {
            self.folder(&deep);
            self.file(&deep.join("x"), Kind::Source);
            deep.push(format!("d{}", level % 10));
        }
    }
}
