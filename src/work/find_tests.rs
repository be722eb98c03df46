//! Searches over an engine in memory.

use super::*;
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::workspace::RunState;
use crate::port::ScanStream;
use crate::work::fake::{self, Fake, block_on};

fn place() -> Arc<Place> {
    let grounds = fake::grounds(fake::detail(RunState::Running));
    Arc::new(Place { workspace: fake::workspace("p"), grounds })
}

/// The owner of a disk that holds everything.
fn machine() -> Arc<Place> {
    let mut workspace = fake::workspace("lab01");
    workspace.container = None;
    let disk = Mount::new("/".into(), "/dev/vda".into(), mount::Backing::Disk, Some("ext4".into()));
    let disk = disk.held_at(Some("/".into()));
    let detail = crate::core::workspace::Detail { mounts: vec![disk], ..fake::detail(RunState::Running) };
    Arc::new(Place { workspace, grounds: fake::grounds(detail) })
}

fn file(path: &str, storage: StorageKind) -> FileFact {
    FileFact { path: path.into(), bytes: Some(1), storage, modified: None, changed: false }
}

/// A home with one file in a project that the container mounts, and one beside it.
fn home(root: &Path, _without: &[PathBuf]) -> ScanStream {
    assert_eq!(root, Path::new("/home/u"));
    let files =
        ["/home/u/workspace/p/model.pt", "/home/u/model.pt"].map(|path| file(path, StorageKind::HostDisk));
    Box::pin(stream::iter([ScanItem::Files(files.to_vec())]))
}

fn hanging(_root: &Path, _without: &[PathBuf]) -> ScanStream {
    Box::pin(stream::pending())
}

fn search(engine: &Fake, walk: Option<crate::port::ReadFolder>, part: &str) -> (Vec<Match>, Vec<Trouble>) {
    let host = Host { walk, ..Host::default() };
    let search = Search {
        engine,
        places: vec![place()],
        machine: Some(machine()),
        host: &host,
        folders: vec!["/home/u".into()],
        known: vec![place()],
        budget: Budget { silence: Duration::from_millis(50), files: 4, ..Budget::default() },
    };
    let (mut matches, mut troubles) = (Vec::new(), Vec::new());
    block_on(search.run(&Wanted::new(part).unwrap(), &mut |news| match news {
        News::Match(file) => matches.push(*file),
        News::Trouble(trouble) => troubles.push(trouble),
    }));
    (matches, troubles)
}

#[test]
fn a_name_is_found_by_a_part_in_any_case_and_by_stars() {
    let is = |part: &str, path: &str| Wanted::new(part).unwrap().is(Path::new(path));
    assert!(is("MODEL", "/tmp/my-model.pt") && is("größe", "/tmp/GRÖSSE-größe.csv"));
    assert!(!is("tmp", "/tmp/model.pt"), "folders do not count");
    assert!(is("*.pt", "/tmp/model.pt") && !is("*.pt", "/tmp/model.pth") && is("m*l.pt", "/tmp/model.pt"));
    assert!(is("tmp/model", "/tmp/model.pt") && is("tmp/*.pt", "/tmp/model.pt"), "with a slash they do");
    let odd = std::ffi::OsStr::from_bytes(b"/tmp/MODEL\xff.pt");
    assert!(Wanted::new("model").unwrap().is(Path::new(odd)));
    assert_eq!(Wanted::new(" ").unwrap_err().kind, Kind::Usage);
}

#[test]
fn a_file_that_host_and_container_show_is_found_once() {
    let engine = Fake::default();
    let both = ScanItem::Files(vec![
        file("/workspace/model.pt", StorageKind::BindMount),
        file("/tmp/model.pt", StorageKind::WritableLayer),
        file("/tmp/other", StorageKind::WritableLayer),
    ]);
    *engine.scan.lock().unwrap() = vec![both];
    let (matches, troubles) = search(&engine, Some(home), "model");
    assert_eq!(troubles, []);
    let mut said: Vec<_> = matches
        .iter()
        .map(|file| {
            let retired = file.explanation().fates.verdict(Event::Retire);
            (file.whereabouts(), file.also().join(" "), retired)
        })
        .collect();
    said.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("/home/u/model.pt", "", Verdict::Untouched),
        ("/home/u/workspace/p/model.pt", "p:/workspace/model.pt", Verdict::Kept),
        ("p:/tmp/model.pt", "", Verdict::Lost),
    ];
    assert_eq!(said, expected.map(|(at, also, verdict)| (at.to_string(), also.to_string(), verdict)));
}

#[test]
fn a_machine_that_is_a_container_is_read_once() {
    let engine = Fake::default();
    *engine.scan.lock().unwrap() =
        vec![ScanItem::Files(vec![file("/home/u/model.pt", StorageKind::WritableLayer)])];
    let mut inside = Place::clone(&place());
    inside.workspace.container = None;
    let inside = Arc::new(inside);
    let host = Host { walk: Some(home), ..Host::default() };
    let search = Search {
        engine: &engine,
        places: vec![Arc::clone(&inside)],
        machine: Some(Arc::clone(&inside)),
        host: &host,
        folders: vec!["/home/u".into()],
        known: vec![inside],
        budget: Budget::default(),
    };
    let mut found = Vec::new();
    block_on(search.run(&Wanted::new("model").unwrap(), &mut |news| found.push(news)));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_place_that_hangs_is_named_and_holds_up_none_of_the_others() {
    let engine = Fake::default();
    *engine.scan.lock().unwrap() =
        vec![ScanItem::Files(vec![file("/tmp/model.pt", StorageKind::WritableLayer)])];
    let (matches, troubles) = search(&engine, Some(hanging), "model");
    assert_eq!(matches.len(), 1);
    assert_eq!((troubles.len(), troubles[0].section.as_str()), (1, "/home/u"));
    assert!(troubles[0].message.starts_with("timed out"), "{troubles:?}");
}

#[test]
fn a_place_with_too_many_files_says_that_it_was_not_read_to_the_end() {
    let engine = Fake::default();
    let many = || ScanItem::Files(vec![file("/tmp/model.pt", StorageKind::WritableLayer); 5]);
    *engine.scan.lock().unwrap() = vec![many(), many(), ScanItem::Gap("/root: permission denied".into())];
    let (matches, troubles) = search(&engine, None, "model");
    assert_eq!(matches.len(), 5, "what came before the limit counts");
    let said: Vec<_> = troubles.iter().map(|trouble| trouble.message.as_str()).collect();
    assert_eq!(said, ["not read to the end: it has more than 4 files", "/root: permission denied"]);
}

#[test]
fn caches_and_hidden_folders_are_told_apart() {
    let found = |path: &str| Match {
        place: place(),
        path: path.into(),
        host_path: None,
        bytes: None,
        modified: None,
        seen_in: Vec::new(),
    };
    assert!(found("/root/.cache/x").is_hidden() && found("/a/__pycache__/x.pyc").is_hidden());
    assert!(!found("/root/.env").is_hidden() && !found("/root/x").is_hidden());
}
