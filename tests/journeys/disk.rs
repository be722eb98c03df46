//! What takes the space, key by key: on the demo's disk, on a slow one, and on real folders.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use outlast::app::Ended;
use outlast::core::error::Result;
use outlast::core::spot::Spot;
use outlast::engine::demo::Demo;
use outlast::model::disk::Size;
use outlast::port::{
    By, Disk, EntryKind, FolderId, Matching, Order, Pace, Page, Progress, Row, Sum, Totals, Walk,
};
use outlast::text;

use super::{OLD, WIDE, clock, demo};
use crate::support::docker;
use crate::support::journey::{journey, journey_on_disk, meanwhile, press, resize, see, unsee};

#[test]
fn the_disk_lists_places_and_enter_leads_into_a_tree_and_back() {
    let arrived = demo(
        OLD,
        &[
            see("my-project"),
            press("3"),
            see("PLACE"),
            see("my-project:/workspace"),
            press("/my-project:/work<enter><enter>"),
            see("checkpoints/"),
            see("READ".to_lowercase().as_str()),
            press("jl"),
            see("epoch-10.pt"),
            see("checkpoint  kept"),
            press("h"),
            see("checkpoints/"),
            press("<backspace>"),
            see("PLACE"),
            press("1"),
            see("AT RISK"),
        ],
    );
    assert!(arrived.model.disk.tree.is_none());
}

#[test]
fn every_entry_says_what_becomes_of_it_in_the_event_that_is_chosen() {
    demo(
        OLD,
        &[
            see("my-project"),
            // Its layer is a place once its facts are there.
            see("2 files"),
            press("3"),
            see("my-project layer"),
            press("/my-project layer<enter><enter>"),
            see("tmp/"),
            see("lost: the writable layer is removed"),
            press("w"),
            see("The worst that happens to /tmp"),
            press("gj<enter>"),
            see("IF STOPPED"),
            press("<esc>"),
            see("PLACE"),
        ],
    );
}

#[test]
fn enter_on_a_file_explains_it_and_i_leads_to_its_workspace() {
    let arrived = demo(
        OLD,
        &[
            see("my-project"),
            press("3"),
            see("my-project:/work"),
            press("/my-project:/work<enter><enter>"),
            see("README.md"),
            press("G<enter>"),
            see("Kept if retired"),
            see("source, 4.0K"),
            press("<esc>i"),
            see("IN CONTAINER"),
        ],
    );
    assert!(arrived.model.open);
    assert_eq!(arrived.model.detailed().map(|row| row.workspace.name.as_str()), Some("my-project"));
}

#[test]
fn the_views_list_files_wherever_they_are_and_say_what_kinds_and_whose_there_are() {
    demo(
        OLD,
        &[
            see("my-project"),
            press("3"),
            see("my-project:/work"),
            press("/my-project:/work<enter><enter>v"),
            see("largest files"),
            see("data/train.parquet"),
            press("v"),
            see("newest files"),
            press("v"),
            see("by kind"),
            press("<enter>"),
            see("epoch-09.pt"),
            unsee("train.parquet"),
            press("h"),
            see("by kind"),
            press("v"),
            see("by owner"),
            press("<esc>"),
            see("checkpoints/"),
        ],
    );
}

#[test]
fn marks_add_up_a_filter_narrows_and_s_sorts() {
    let arrived = demo(
        OLD,
        &[
            see("my-project"),
            press("3"),
            see("my-project:/work"),
            press("/my-project:/work<enter><enter>"),
            see("checkpoints/"),
            press("  "),
            see("2 marked, 16G"),
            press("/no<enter>"),
            see("notebooks/"),
            unsee("checkpoints/"),
            see("/no: 1"),
            press("<esc>"),
            see("checkpoints/"),
            press("sss"),
            see("sorted by name"),
            press("gy"),
            see("copied: outlast du /home/alice/workspace/my-project/.cache"),
        ],
    );
    assert_eq!(arrived.model.disk.tree.unwrap().marked().count, 2);
}

#[test]
fn the_column_of_the_list_is_the_folder_and_the_layer_together() {
    let arrived = demo((160, 40), &[see("my-project"), see("DISK"), press("sssss"), see("20G")]);
    let model = arrived.model;
    let row = model.rows.iter().find(|row| row.workspace.name == "my-project").unwrap();
    let parts: Vec<u64> = row
        .disk
        .paths
        .iter()
        .map(|path| model.disk.walked(path).unwrap().known.as_ref().unwrap().progress.total.allocated)
        .collect();
    assert_eq!(parts.len(), 2);
    let Size::Known { bytes, at_least: false, .. } = model.disk.size_of(row) else { panic!("not known") };
    assert_eq!(bytes, parts.iter().sum::<u64>());
}

#[test]
fn a_small_window_shows_names_sizes_and_fates() {
    demo(
        WIDE,
        &[
            see("my-project"),
            see("2 files"),
            press("3"),
            resize(40, 12),
            see("3 Disk"),
            press("/thesis:/<enter><enter>"),
            see("data/"),
            see("kept"),
        ],
    );
}

/// A disk whose walks grow until they are stopped.
struct Slow;

#[derive(Default)]
struct Growing {
    met: AtomicU64,
    stopped: AtomicBool,
}

/// How many entries its folder has from the first moment on.
const MANY: usize = 1_000_000;

impl Disk for Slow {
    fn walk(&self, _root: &Path, _pace: Pace) -> Result<Box<dyn Walk>> {
        Ok(Box::<Growing>::default())
    }

    fn walk_beneath(&self, spot: &Spot, pace: Pace) -> Result<Box<dyn Walk>> {
        self.walk(&spot.full(), pace)
    }
}

impl Growing {
    fn totals(&self) -> Totals {
        let files = self.met.load(Relaxed);
        Totals { allocated: files * 4096, apparent: files * 4096, files, ..Totals::default() }
    }
}

impl Walk for Growing {
    fn progress(&self) -> Progress {
        Progress { total: self.totals(), ..Progress::default() }
    }

    fn named(&self, _folder: FolderId, _words: &str, _order: Order, from: usize, limit: usize) -> Page {
        assert!(limit <= 300, "{limit} lines were asked for");
        let row = |number: usize| Row {
            name: OsString::from(format!("file-{number:07}")),
            kind: EntryKind::File,
            totals: Totals { allocated: 4096, apparent: 4096, files: 1, ..Totals::default() },
            modified: None,
            owner: None,
            folder: None,
            growing: false,
            again: false,
            changed: false,
        };
        let rows = (from..MANY.min(from + limit)).map(row).collect();
        Page { rows, of: MANY, totals: self.totals(), growing: true }
    }

    fn files(&self, _matching: &Matching, _order: Order, _limit: usize) -> Vec<Row> {
        Vec::new()
    }

    fn sums(&self, _by: By) -> Vec<Sum> {
        Vec::new()
    }

    fn path(&self, _folder: FolderId) -> PathBuf {
        PathBuf::new()
    }

    fn find(&self, _path: &Path) -> Option<FolderId> {
        Some(FolderId::ROOT)
    }

    fn follow(&self) {}

    fn refresh(&self) {}

    fn generation(&self) -> u64 {
        self.met.load(Relaxed)
    }

    fn moved(&self, _from: u64, within: Duration) -> u64 {
        std::thread::sleep(within);
        self.generation()
    }

    fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    fn ended(&self, within: Duration) -> bool {
        let end = Instant::now() + within;
        while Instant::now() < end && !self.stopped.load(Relaxed) {
            self.met.fetch_add(100, Relaxed);
            std::thread::sleep(Duration::from_millis(1));
        }
        self.stopped.load(Relaxed)
    }
}

#[test]
fn a_folder_of_a_million_is_browsed_while_it_is_read_and_esc_keeps_what_was_found() {
    let engine = Arc::new(Demo::docker_shaped(clock()));
    let arrived = journey_on_disk(
        engine,
        Arc::new(Slow),
        clock(),
        OLD,
        &[
            see("my-project"),
            press("3"),
            see("my-project:/work"),
            press("/my-project:/work<enter>"),
            see("PLACE"),
            press("<enter>"),
            see("reading"),
            see("file-0000000"),
            press("G"),
            see("file-0999999"),
            press("g"),
            see("file-0000000"),
            press("<pgdn>jj"),
            see("Esc stop"),
            press("<esc>"),
            see("stopped: what was found so far stays"),
            press("j"),
            see(" stopped "),
            see(">= "),
            see("file-00000"),
        ],
    );
    let model = arrived.model;
    let tree = model.disk.tree.unwrap();
    assert!(tree.shown.lines.len() <= 100, "a few screens of a million: {}", tree.shown.lines.len());
    let found = model.disk.walks[&tree.root.path].known.as_ref().unwrap();
    assert!(found.stopped && !found.complete() && found.progress.total.files > 0);
}

#[test]
fn keys_answer_while_a_walk_goes_on() {
    let engine = Arc::new(Demo::docker_shaped(clock()));
    let pressed = Arc::new(Mutex::new(Instant::now()));
    let (begun, answered) = (Arc::clone(&pressed), Arc::clone(&pressed));
    let steps = [
        see("my-project"),
        press("3"),
        see("my-project:/work"),
        press("/my-project:/work<enter><enter>"),
        see("file-0000000"),
        meanwhile(move || *begun.lock().unwrap() = Instant::now()),
        press("?"),
        see("Esc closes"),
        meanwhile(move || {
            let took = answered.lock().unwrap().elapsed();
            assert!(took < Duration::from_millis(500), "a key took {took:?}");
        }),
        press("<esc>q"),
    ];
    assert_eq!(journey_on_disk(engine, Arc::new(Slow), clock(), OLD, &steps).ended, Ended::Quit);
}

/// What `du` says of some places together, in bytes.
fn du(paths: &[&Path]) -> u64 {
    let output = Command::new("du").args(["-s", "-c", "--block-size=1"]).args(paths).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines().last().unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn the_folder_and_the_layer_of_a_real_container_are_as_large_as_du_says() {
    let Some(cli) = docker::engine() else { return };
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("paper");
    fs::create_dir_all(folder.join("data/raw")).unwrap();
    fs::write(folder.join("data/raw/one"), vec![1; 300_000]).unwrap();
    fs::hard_link(folder.join("data/raw/one"), folder.join("again")).unwrap();
    fs::File::create(folder.join("sparse")).unwrap().set_len(1 << 30).unwrap();
    let bind = format!("{}:/workspace", folder.display());
    let container = cli.container("takes").args(["--label", "ds01.user=alice", "-v", &bind]).run();
    container.exec("dd if=/dev/zero of=/tmp/model.pt bs=1M count=9");
    let (engine, clock) = super::real::real();
    let name = container.name.clone();
    let upper = container.inspect("{{.GraphDriver.Data.UpperDir}}");
    let upper = Path::new(&upper);
    let readable = rustix::process::geteuid().is_root() && upper.is_dir();
    let whole =
        if readable { text::size(du(&[&folder]) + du(&[upper])) } else { text::size_at_least(du(&[&folder])) };
    let arrived = journey(
        engine,
        clock,
        (200, 50),
        &[
            see("AT RISK"),
            press(&format!("/{name}<enter>")),
            see("none"),
            see(&whole),
            press(&format!("3/{name}:/w<enter><enter>")),
            see("data/"),
            see("1.0G"),
            press("jjjjk"),
        ],
    );
    let model = arrived.model;
    let row = model.rows.iter().find(|row| row.workspace.container.as_deref() == Some(name.as_str())).unwrap();
    let parts: Vec<&Path> = row.disk.paths.iter().map(PathBuf::as_path).collect();
    assert_eq!(parts.first(), Some(&folder.as_path()));
    match model.disk.size_of(row) {
        Size::Known { bytes, at_least: false, .. } => assert_eq!(bytes, du(&parts), "{parts:?}"),
        // Only root may read layers.
        other => assert!(!readable, "{other:?}"),
    }
    let tree = model.disk.tree.unwrap();
    // The file with two names counts under one of them, whichever was met first.
    let of = |name: &str| tree.shown.lines.iter().find(|line| line.row.name == name).unwrap().row.totals;
    assert_eq!(of("data").allocated + of("again").allocated, du(&[&folder.join("data")]));
    assert_eq!(tree.shown.totals.allocated, du(&[&folder]));
    let shown = text::size(tree.shown.totals.allocated);
    assert!(arrived.screen.contains(&shown), "{shown} in\n{}", arrived.screen);
}
