//! The deepest that somebody gets who may only ask the engine: bounded, one question at a time.
//! A stand-in counts what it is asked.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use futures_util::StreamExt;
use outlast::core::finding::LayerCount;
use outlast::core::mount::{Backing, Mount};
use outlast::core::workspace::{Detail, RunState, WsKey};
use outlast::port::{Engine, ScanItem, ScanRequest};

use super::{adapter_at, wait};

const VERSION: &str = r#"{"Version":"29.0.0","ApiVersion":"1.52","Components":[]}"#;
const INFO: &str = r#"{"Name":"far-away","KernelVersion":"1.0","DockerRootDir":"/var/lib/docker"}"#;

/// What the stand-in was asked.
#[derive(Default)]
struct Asked {
    changes: AtomicUsize,
    now: AtomicUsize,
    most_at_once: AtomicUsize,
    looks: Mutex<Vec<String>>,
}

/// An engine elsewhere: checkpoints, logs, a deleted and a changed file in one layer.
struct Elsewhere {
    folder: tempfile::TempDir,
    asked: Arc<Asked>,
}

impl Elsewhere {
    fn with(checkpoints: usize, logs: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("engine.sock")).unwrap();
        let asked = Arc::<Asked>::default();
        let change = |path: String, kind| format!(r#"{{"Path":"{path}","Kind":{kind}}}"#);
        let mut changes: Vec<_> = (0..logs).map(|n| change(format!("/tmp/{n}.log"), 1)).collect();
        changes.extend((0..checkpoints).map(|n| change(format!("/tmp/{n}.pt"), 1)));
        changes.extend([
            change("/bin/gone".into(), 2),
            change("/etc/passwd".into(), 0),
            change("/tmp".into(), 0),
        ]);
        let changes = Arc::new(format!("[{}]", changes.join(",")));
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (changes, heard) = (Arc::clone(&changes), Arc::clone(&heard));
                std::thread::spawn(move || answer(stream, &changes, &heard));
            }
        });
        Self { folder, asked }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    fn request(id: &str, asked: bool) -> ScanRequest {
        let root = Mount::new("/".into(), "writable layer".into(), Backing::Layer, Some("overlay".into()));
        let detail = Detail { state: RunState::Running, mounts: vec![root], ..super::stopped() };
        let key = WsKey { endpoint: "docker".into(), id: id.into() };
        ScanRequest { key, detail: Arc::new(detail), targets: vec!["/".into()], asked }
    }
}

/// Answers one request and hangs up.
fn answer(mut stream: UnixStream, changes: &str, asked: &Asked) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut header = String::new();
    while reader.read_line(&mut header).unwrap_or(0) > 2 {
        header.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    if first.starts_with("HEAD ") {
        asked.looks.lock().unwrap().push(path.to_owned());
        let stat = r#"{"name":"x","size":4096,"mode":420,"mtime":"2026-01-01T00:00:00Z","linkTarget":""}"#;
        let stat = base64::engine::general_purpose::STANDARD.encode(stat);
        let head = format!("X-Docker-Container-Path-Stat: {stat}\r\nContent-Length: 0\r\nConnection: close");
        let _ = write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
        return;
    }
    let body = if path.ends_with("/changes") {
        asked.changes.fetch_add(1, SeqCst);
        let now = asked.now.fetch_add(1, SeqCst) + 1;
        asked.most_at_once.fetch_max(now, SeqCst);
        std::thread::sleep(Duration::from_millis(200));
        asked.now.fetch_sub(1, SeqCst);
        changes
    } else if path.ends_with("/json") {
        r#"{"Id":"c1","State":{"Status":"running","Pid":1},"Mounts":[],"HostConfig":{}}"#
    } else if path.starts_with("/version") {
        VERSION
    } else {
        INFO
    };
    let head = format!("Content-Length: {}\r\nConnection: close", body.len());
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{head}\r\n\r\n{body}");
}

fn scan(engine: &Elsewhere, asked: bool) -> Vec<ScanItem> {
    wait(adapter_at(&engine.socket()).scan(Elsewhere::request("c1", asked)).collect())
}

#[test]
fn the_five_hundred_most_valuable_files_get_their_size_and_the_rest_makes_a_lower_bound() {
    let engine = Elsewhere::with(80, 600);
    let items = scan(&engine, true);
    let files: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            ScanItem::Files(files) => Some(files),
            _ => None,
        })
        .flatten()
        .collect();
    assert_eq!(files.len(), 681, "and a changed file of the image");
    let sized = |end: &str| {
        let with = |file: &&&outlast::port::FileFact| {
            file.bytes == Some(4096) && file.path.to_string_lossy().ends_with(end)
        };
        files.iter().filter(with).count()
    };
    assert_eq!((sized(".pt"), sized(""), engine.asked.looks.lock().unwrap().len()), (80, 500, 500));
    assert!(items.contains(&ScanItem::Gap("the engine was not asked for the size of 181 files".into())));
    let count = LayerCount { new: 680, changed: 2, deleted: 1, attributes: 0 };
    assert!(items.contains(&ScanItem::Layer(count)), "new, changed and deleted are told apart");
    assert_eq!(engine.asked.changes.load(SeqCst), 1);
}

#[test]
fn the_engine_is_asked_one_question_at_a_time_and_only_on_request() {
    let engine = Elsewhere::with(3, 0);
    let unasked = scan(&engine, false);
    let why = "the writable layer was not read: only the engine can, and only on request";
    assert_eq!(unasked, [ScanItem::Gap(why.into())]);
    assert_eq!(engine.asked.changes.load(SeqCst), 0);
    let docker = adapter_at(&engine.socket());
    wait(async {
        let scans = ["c1", "c2", "c3"].map(|id| docker.scan(Elsewhere::request(id, true)).collect::<Vec<_>>());
        futures_util::future::join_all(scans).await
    });
    assert_eq!((engine.asked.changes.load(SeqCst), engine.asked.most_at_once.load(SeqCst)), (3, 1));
}
