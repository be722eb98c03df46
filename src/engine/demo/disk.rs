//! The demo's disk: what its workspaces have in their folders and layers, in memory and at once.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::build::{DAY, HOUR, MINUTE, ago};
use super::docker;
use super::world::Place;
use crate::core::error::{Error, Kind, Result};
use crate::core::pattern::Words;
use crate::core::spot::Spot;
use crate::core::storage::StorageKind;
use crate::core::value::Value;
use crate::port::{
    By, Clock, Disk, EntryKind, FolderId, Matching, Order, Pace, Page, Progress, Row, Sum, Totals, Trait, Walk,
};
use crate::text::printable_path;

const K: u64 = 1 << 10;
const M: u64 = 1 << 20;
const G: u64 = 1 << 30;
/// Bytes that a file takes are whole blocks.
const BLOCK: u64 = 4096;

/// One file: its path, what reading it gives, what it takes where that is less, its age, its owner.
type File = (&'static str, u64, Option<u64>, i64, u32);

/// The demo's disk.
pub struct DemoDisk {
    now: Timestamp,
    /// The containers, whose layers have files too.
    places: Vec<Place>,
}

impl DemoDisk {
    /// A disk whose files are as old as they always are.
    pub fn new(clock: &dyn Clock) -> Self {
        let now = clock.now();
        Self { now, places: docker::places("demo", now) }
    }
}

impl Disk for DemoDisk {
    fn walk(&self, root: &Path, _pace: Pace) -> Result<Box<dyn Walk>> {
        let now = self.now;
        if let Some((_, files)) = FOLDERS.iter().find(|(path, _)| Path::new(path) == root) {
            let mut tree = DemoWalk::new();
            for (path, apparent, takes, age, owner) in *files {
                let takes = takes.unwrap_or_else(|| apparent.next_multiple_of(BLOCK));
                tree.add(Path::new(path), (takes, *apparent), ago(now, *age), *owner);
            }
            return Ok(Box::new(tree));
        }
        for place in &self.places {
            let layer = |mount: &&crate::core::mount::Mount| mount.host_path.as_deref() == Some(root);
            let Some(mount) = place.detail.mounts.iter().find(layer) else { continue };
            let mut tree = DemoWalk::new();
            let files = place.files.iter().filter(|_| mount.storage == StorageKind::WritableLayer);
            for file in files.filter(|file| file.storage == mount.storage) {
                let bytes = file.bytes.unwrap_or(0);
                let path = file.path.strip_prefix("/").unwrap_or(&file.path);
                tree.add(path, (bytes.next_multiple_of(BLOCK), bytes), file.modified.unwrap_or(now), 0);
            }
            return Ok(Box::new(tree));
        }
        Err(Error::new(Kind::NotFound, format!("{} is not on the demo's disk", printable_path(root))))
    }

    fn walk_beneath(&self, spot: &Spot, pace: Pace) -> Result<Box<dyn Walk>> {
        self.walk(&spot.full(), pace)
    }
}

/// A walk that ended when it began.
struct DemoWalk {
    folders: Vec<Folder>,
}

/// One folder with what is in it.
#[derive(Default)]
struct Folder {
    path: PathBuf,
    rows: Vec<Row>,
    totals: Totals,
    newest: Option<Timestamp>,
}

impl DemoWalk {
    fn new() -> Self {
        let totals = Totals { allocated: BLOCK, apparent: BLOCK, ..Totals::default() };
        Self { folders: vec![Folder { totals, ..Folder::default() }] }
    }

    fn add(&mut self, path: &Path, (allocated, apparent): (u64, u64), modified: Timestamp, owner: u32) {
        let mut at = 0;
        let mut above = vec![0];
        for name in path.parent().into_iter().flatten() {
            at = self.folder(at, name, &above);
            above.push(at);
        }
        let totals = Totals { allocated, apparent, files: 1, ..Totals::default() };
        for folder in above {
            let Some(folder) = self.folders.get_mut(folder) else { continue };
            folder.totals.allocated += allocated;
            folder.totals.apparent += apparent;
            folder.totals.files += 1;
            folder.newest = folder.newest.max(Some(modified));
        }
        let (Some(name), Some(folder)) = (path.file_name(), self.folders.get_mut(at)) else { return };
        folder.rows.push(Row {
            totals,
            modified: Some(modified),
            owner: Some(owner),
            ..row(name, EntryKind::File)
        });
    }

    /// The folder of a name in another one, made where it is not there yet.
    fn folder(&mut self, parent: usize, name: &OsStr, above: &[usize]) -> usize {
        let path = self.folders.get(parent).map(|folder| folder.path.join(name)).unwrap_or_default();
        if let Some(at) = self.folders.iter().position(|folder| folder.path == path) {
            return at;
        }
        let at = self.folders.len();
        let totals = Totals { allocated: BLOCK, apparent: BLOCK, ..Totals::default() };
        self.folders.push(Folder { path, totals, ..Folder::default() });
        for folder in above {
            let Some(folder) = self.folders.get_mut(*folder) else { continue };
            folder.totals.allocated += BLOCK;
            folder.totals.apparent += BLOCK;
            folder.totals.dirs += 1;
        }
        let id = u64::try_from(at).map(FolderId).ok();
        if let Some(folder) = self.folders.get_mut(parent) {
            folder.rows.push(Row { folder: id, ..row(name, EntryKind::Folder) });
        }
        at
    }

    fn at(&self, id: FolderId) -> Option<&Folder> {
        self.folders.get(usize::try_from(id.0).ok()?)
    }

    /// A row as it is by now: a folder grew after it was met.
    fn current(&self, row: &Row) -> Row {
        let folder = row.folder.and_then(|id| self.at(id));
        folder.map_or_else(
            || row.clone(),
            |folder| Row { totals: folder.totals, modified: folder.newest, ..row.clone() },
        )
    }

    /// All files, with their paths beneath the root.
    fn all(&self) -> impl Iterator<Item = Row> {
        self.folders.iter().flat_map(|folder| {
            let files = folder.rows.iter().filter(|row| row.folder.is_none());
            files.map(|row| Row { name: folder.path.join(&row.name).into(), ..row.clone() })
        })
    }
}

impl Walk for DemoWalk {
    fn progress(&self) -> Progress {
        let total = self.folders.first().map(|folder| folder.totals).unwrap_or_default();
        Progress { total, finished: true, ..Progress::default() }
    }

    fn named(&self, folder: FolderId, words: &str, order: Order, from: usize, limit: usize) -> Page {
        let Some(folder) = self.at(folder) else { return Page::default() };
        let words = Words::new(words);
        let named = folder.rows.iter().filter(|row| words.are_in(row.name.as_encoded_bytes()));
        let mut rows: Vec<Row> = named.map(|row| self.current(row)).collect();
        sort(&mut rows, order);
        let of = rows.len();
        let rows = rows.into_iter().skip(from).take(limit).collect();
        Page { rows, of, totals: folder.totals, growing: false }
    }

    fn files(&self, matching: &Matching, order: Order, limit: usize) -> Vec<Row> {
        let words = Words::new(&matching.named);
        let wanted = |row: &Row| {
            let has = matching.having.is_none_or(|having| having == common(row, having));
            has && words.are_in(row.name.as_encoded_bytes())
                && row.totals.apparent >= matching.larger.unwrap_or(0)
                && matching.newer.is_none_or(|newer| row.modified >= Some(newer))
        };
        let mut rows: Vec<Row> = self.all().filter(wanted).collect();
        sort(&mut rows, order);
        rows.truncate(limit);
        rows
    }

    fn sums(&self, by: By) -> Vec<Sum> {
        let mut sums: BTreeMap<Trait, Sum> = BTreeMap::new();
        for row in self.all() {
            let of = common(&row, if by == By::Owner { Trait::Owner(0) } else { Trait::Value(Value::Other) });
            let sum = sums.entry(of).or_insert(Sum { of, totals: Totals::default(), newest: None });
            sum.totals.allocated += row.totals.allocated;
            sum.totals.apparent += row.totals.apparent;
            sum.totals.files += 1;
            sum.newest = sum.newest.max(row.modified);
        }
        sums.into_values().collect()
    }

    fn path(&self, folder: FolderId) -> PathBuf {
        self.at(folder).map(|folder| folder.path.clone()).unwrap_or_default()
    }

    fn find(&self, path: &Path) -> Option<FolderId> {
        let at = self.folders.iter().position(|folder| folder.path == path)?;
        u64::try_from(at).ok().map(FolderId)
    }

    fn follow(&self) {}

    fn refresh(&self) {}

    fn generation(&self) -> u64 {
        0
    }

    fn moved(&self, from: u64, within: Duration) -> u64 {
        // Nothing ever changes here.
        std::thread::sleep(within);
        from
    }

    fn stop(&self) {}

    fn ended(&self, _within: Duration) -> bool {
        true
    }
}

/// What a file has of the same sort as another trait.
fn common(row: &Row, like: Trait) -> Trait {
    match like {
        Trait::Owner(_) => Trait::Owner(row.owner.unwrap_or(0)),
        Trait::Value(_) => Trait::Value(Value::of(&Path::new("/").join(&row.name))),
    }
}

fn row(name: &OsStr, kind: EntryKind) -> Row {
    Row {
        name: OsString::from(name),
        kind,
        totals: Totals::default(),
        modified: None,
        owner: None,
        folder: None,
        growing: false,
        again: false,
        changed: false,
    }
}

fn sort(rows: &mut [Row], order: Order) {
    rows.sort_by(|one, other| match order {
        Order::Size => other.totals.allocated.cmp(&one.totals.allocated),
        Order::Count => other.totals.files.cmp(&one.totals.files),
        Order::Age => other.modified.cmp(&one.modified),
        Order::Name => one.name.cmp(&other.name),
    });
}

const ALICE: u32 = 1001;
const BOB: u32 = 1002;
const CAROL: u32 = 1003;

/// What lies in the folders that the demo's containers mount.
const FOLDERS: &[(&str, &[File])] = &[
    ("/home/alice/workspace/my-project", MY_PROJECT),
    (
        "/home/alice/workspace/thesis",
        &[
            ("thesis.tex", 412 * K, None, 3 * HOUR, ALICE),
            ("figures/loss.pdf", 88 * K, None, DAY, ALICE),
            ("figures/attention.png", 1_340 * K, None, DAY, ALICE),
            ("data/corpus.jsonl", 880 * M, None, 40 * DAY, ALICE),
            ("checkpoints/base.safetensors", 438 * M, None, 9 * DAY, ALICE),
        ],
    ),
    (
        "/home/alice/workspace/playground",
        &[("first-steps.ipynb", 26 * K, None, 2 * DAY, ALICE), ("iris.csv", 5 * K, None, 2 * DAY, ALICE)],
    ),
    ("/home/alice/workspace/new-idea", &[("README.md", 210, None, 2 * MINUTE, ALICE)]),
    (
        "/home/bob/workspace/scratch",
        &[("sweep/run.py", 9 * K, None, 4 * DAY, BOB), ("sweep/trials.db", 61 * M, None, DAY, BOB)],
    ),
    (
        "/home/carol/workspace/llm-finetune",
        &[
            ("train.py", 22 * K, None, 26 * HOUR, CAROL),
            ("data/instructions.jsonl", 3 * G, None, 8 * DAY, CAROL),
            ("wandb/run-1/output.log", 14 * M, None, 41 * MINUTE, CAROL),
        ],
    ),
    (
        "/srv/data",
        &[
            ("imagenet/train.tar", 138 * G, None, 400 * DAY, 0),
            ("imagenet/val.tar", 6_700 * M, None, 400 * DAY, 0),
            ("coco/images.zip", 19 * G, None, 210 * DAY, 0),
        ],
    ),
    ("/tmp/import", &[("batch-7.zip", 240 * M, None, 5 * HOUR, BOB)]),
    ("/srv/www", &[("index.html", 4 * K, None, 90 * DAY, 0)]),
    ("/vfroot/local/erin/corpus", &[("wiki.parquet", 212 * G, None, 60 * DAY, 1_005)]),
];

/// The project that the pictures show.
const MY_PROJECT: &[File] = &[
    ("checkpoints/epoch-09.pt", 2_254_857_830, None, 30 * HOUR, ALICE),
    ("checkpoints/epoch-10.pt", 2_254_857_830, None, 26 * HOUR, ALICE),
    ("checkpoints/epoch-11.pt", 2_254_857_830, None, 3 * HOUR, ALICE),
    ("checkpoints/best.safetensors", 1_510 * M, None, 3 * HOUR, ALICE),
    ("data/train.parquet", 4_200 * M, None, 12 * DAY, ALICE),
    ("data/valid.parquet", 610 * M, None, 12 * DAY, ALICE),
    // As much as it might hold one day.
    ("data/features.mdb", 40 * G, Some(1_900 * M), 5 * DAY, ALICE),
    ("data/raw/2026-09.zip", 740 * M, None, 33 * DAY, BOB),
    ("data/raw/2026-10.zip", 790 * M, None, 8 * DAY, BOB),
    (".venv/lib/python3.12/site-packages/torch/lib/libtorch_cuda.so", 1_340 * M, None, 21 * DAY, ALICE),
    (".venv/lib/python3.12/site-packages/torch/nn/modules/module.py", 94 * K, None, 21 * DAY, ALICE),
    (".venv/lib/python3.12/site-packages/numpy/core/_multiarray.so", 7 * M, None, 21 * DAY, ALICE),
    (".cache/huggingface/hub/blobs/6f2a", 438 * M, None, 15 * DAY, ALICE),
    (".git/objects/pack/pack-8c1e.pack", 46 * M, None, 2 * DAY, ALICE),
    ("notebooks/explore.ipynb", 3_100 * K, None, 2 * DAY, ALICE),
    ("notebooks/evaluate.ipynb", 880 * K, None, 5 * HOUR, ALICE),
    ("src/train.py", 18 * K, None, 6 * HOUR, ALICE),
    ("src/model.py", 11 * K, None, 3 * DAY, ALICE),
    ("src/data.py", 7 * K, None, 12 * DAY, ALICE),
    ("results/metrics.csv", 64 * K, None, 3 * HOUR, ALICE),
    ("results/confusion.png", 212 * K, None, 3 * HOUR, ALICE),
    ("logs/train.log", 128 * M, None, 4 * MINUTE, ALICE),
    ("README.md", 2 * K, None, 40 * DAY, ALICE),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::demo::Fixed;

    #[test]
    fn every_folder_comes_to_what_is_in_it() {
        let now = "2026-11-23T14:02:00Z".parse().unwrap();
        let disk = DemoDisk::new(&Fixed(now));
        let walk = disk.walk(Path::new("/home/alice/workspace/my-project"), Pace::Full).unwrap();
        let page = walk.page(FolderId::ROOT, Order::Size, 0, 99);
        let sum: u64 = page.rows.iter().map(|row| row.totals.allocated).sum();
        assert_eq!(page.totals.allocated, sum + BLOCK);
        let files: u64 = page.rows.iter().map(|row| row.totals.files).sum();
        assert_eq!((page.totals.files, page.of), (files, page.rows.len()));
        let by_kind: u64 = walk.sums(By::Value).iter().map(|sum| sum.totals.files).sum();
        assert_eq!(by_kind, files);
        let found = walk.find(Path::new("data/raw")).unwrap();
        assert_eq!((walk.path(found), walk.page(found, Order::Name, 0, 9).of), ("data/raw".into(), 2));
        let mut bobs = Matching { having: Some(Trait::Owner(BOB)), ..Matching::default() };
        assert_eq!(walk.files(&bobs, Order::Size, 9).len(), 2);
        bobs.named = "2026-10".into();
        assert_eq!(walk.files(&bobs, Order::Age, 9)[0].name, "data/raw/2026-10.zip");
        assert!(disk.walk(Path::new("/elsewhere"), Pace::Full).is_err());
    }
}
