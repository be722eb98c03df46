//! Sockets that are not there, closed, or silent: what went wrong and what to do.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use outlast::core::error::Kind;
use outlast::core::workspace::WsKey;
use outlast::port::{Engine, ScanItem, ScanRequest, Tick};

use super::{adapter_at, stopped, wait};

#[test]
fn a_socket_that_is_not_there_says_how_to_start_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let docker = adapter_at(&folder.path().join("docker.sock"));
    let error = wait(docker.inventory()).unwrap_err();
    assert_eq!(error.kind, Kind::Unreachable);
    assert!(error.hints.iter().any(|hint| hint.contains("systemctl")), "{:?}", error.hints);
    let error = wait(docker.probe()).unwrap_err();
    assert_eq!(error.kind, Kind::Unreachable);
}

#[test]
fn a_socket_that_nobody_listens_on_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert_eq!(wait(adapter_at(&path).inventory()).unwrap_err().kind, Kind::Unreachable);
}

#[test]
fn a_socket_that_accepts_and_never_answers_is_given_up_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let docker = adapter_at(&path);
    let begun = Instant::now();
    let (list, probe, watched) = wait(async {
        let mut stream = docker.watch();
        futures_util::join!(docker.inventory(), docker.probe(), stream.next())
    });
    assert_eq!(list.unwrap_err().kind, Kind::TimedOut);
    assert_eq!(probe.unwrap_err().kind, Kind::TimedOut);
    assert!(matches!(watched, Some(Tick::Lost(why)) if why.kind == Kind::TimedOut));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn a_scan_of_a_silent_engine_shows_life_and_ends_as_no_look() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    let docker = adapter_at(&path);
    let key = WsKey { endpoint: "docker".into(), id: "c1".into() };
    let request = ScanRequest { key, detail: Arc::new(stopped()), targets: vec!["/".into()], asked: true };
    let items: Vec<_> = wait(docker.scan(request).collect());
    let (last, before) = items.split_last().unwrap();
    assert!(matches!(last, ScanItem::Gap(why) if why.contains("no answer")), "{items:?}");
    assert!(before.len() >= 3 && before.iter().all(|item| *item == ScanItem::Looking), "{items:?}");
}

#[test]
fn a_closed_socket_names_the_way_in() {
    if rustix::process::getuid().is_root() {
        eprintln!("skipped: nothing is closed to root");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let _listener = UnixListener::bind(&path).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).unwrap();
    let error = wait(adapter_at(&path).inventory()).unwrap_err();
    assert_eq!(error.kind, Kind::NotPermitted);
    assert!(!error.hints.is_empty());
}
