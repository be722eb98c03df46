//! Answers that the engine at hand does not give: newer and older disk usage,
//! Podman's events, garbage. A stand-in at a socket gives them.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use outlast::core::error::Kind;
use outlast::core::mount::{Backing, Measure, Mount};
use outlast::core::workspace::{RunState, WsKey};
use outlast::port::{Can, Engine, Right, Tick};

use super::{adapter_at, wait};

const VERSION: &str = r#"{"Version":"4.3.1","ApiVersion":"1.41","Components":[{"Name":"Podman Engine"}]}"#;
const INFO: &str = r#"{"Name":"far-away","KernelVersion":"1.0","DockerRootDir":"/var/lib/docker"}"#;

/// A stand-in for an engine; it answers each path that begins as given with the text after it.
pub(crate) struct StandIn {
    folder: tempfile::TempDir,
}

impl StandIn {
    pub(crate) fn answering(answers: &'static [(&'static str, &'static str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("engine.sock")).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer(stream, answers));
            }
        });
        Self { folder }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }
}

/// Answers one request: in chunks where the text has several lines, cut within words.
fn answer(stream: UnixStream, answers: &[(&str, &str)]) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut header = String::new();
    while reader.read_line(&mut header).unwrap_or(0) > 2 {
        header.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let known = [("/version", VERSION), ("/info", INFO)];
    let found = answers.iter().chain(&known).find(|(begin, _)| path.starts_with(begin));
    let mut stream = stream;
    let Some((_, body)) = found else {
        let said = r#"{"message":"no such page"}"#;
        let _ = write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{said}", said.len());
        return;
    };
    let _ = write!(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for piece in body.as_bytes().chunks(37) {
        let _ = write!(stream, "{:x}\r\n", piece.len());
        let _ = stream.write_all(piece);
        let _ = stream.write_all(b"\r\n");
    }
    if !path.starts_with("/events") {
        let _ = stream.write_all(b"0\r\n\r\n");
        return;
    }
    // An event stream stays open until it breaks off.
    std::thread::sleep(Duration::from_millis(200));
}

fn volume() -> Mount {
    let backing = Backing::Volume { name: "data".into(), anonymous: false };
    Mount::new("/data".into(), "data".into(), backing, None)
}

fn some_key() -> WsKey {
    WsKey { endpoint: "docker".into(), id: "c1".into() }
}

fn measured(answers: &'static [(&'static str, &'static str)]) -> Measure {
    let engine = StandIn::answering(answers);
    let docker = adapter_at(&engine.socket());
    wait(docker.measure(&some_key(), &volume(), Duration::from_secs(5)))
}

#[test]
fn disk_usage_is_read_in_both_shapes_and_never_becomes_zero() {
    let flat = measured(&[(
        "/system/df",
        r#"{"LayersSize":1,"Images":[],"Containers":[],"BuildCache":[],
            "Volumes":[{"Name":"data","UsageData":{"Size":4096,"RefCount":1}}]}"#,
    )]);
    assert_eq!(flat, Measure::Bytes(4096));
    let sections = measured(&[(
        "/system/df",
        r#"{"VolumeUsage":{"ActiveCount":1,"TotalCount":1,"TotalSize":4096,
            "Items":[{"Name":"data","UsageData":{"Size":4096,"RefCount":1}}]}}"#,
    )]);
    assert_eq!(sections, Measure::Bytes(4096));
    assert_eq!(measured(&[("/system/df", "{}")]), Measure::NotSupported);
    assert!(matches!(measured(&[("/system/df", "nonsense")]), Measure::Failed(_)));
}

#[test]
fn an_event_that_cannot_be_read_does_not_end_the_watching() {
    let engine = StandIn::answering(&[(
        "/events",
        "{\"Type\":\"system\",\"Action\":\"refresh\",\"Actor\":{\"ID\":\"\",\"Attributes\":null}}\n\
         {\"Type\":\"container\",\"Action\":[1]}\nnot even json\n\
         {\"Type\":\"container\",\"Action\":\"remove\",\"Actor\":{\"ID\":\"c1\",\"Attributes\":{}}}\n",
    )]);
    let docker = adapter_at(&engine.socket());
    let ticks: Vec<_> = wait(docker.watch().collect());
    assert_eq!(ticks[..2], [Tick::Live, Tick::Changed(Some(some_key()))]);
    assert!(matches!(&ticks[2], Tick::Lost(why) if why.kind == Kind::Unreachable), "{ticks:?}");
    assert_eq!(ticks.len(), 3);
}

#[test]
fn an_engine_elsewhere_is_never_mistaken_for_this_machine() {
    let engine = StandIn::answering(&[]);
    let docker = adapter_at(&engine.socket());
    let probe = wait(docker.probe()).unwrap();
    assert!(!docker.shares_our_disk(), "its paths are not walked here");
    assert_eq!(probe.product, "Podman 4.3.1");
    assert!(matches!(probe.capabilities.can(Right::ScanAll), Can::No(why) if why.contains("this machine")));
}

#[test]
fn one_state_that_nobody_knows_does_not_spoil_the_list() {
    let engine = StandIn::answering(&[
        (
            "/containers/json",
            r#"[{"Id":"a","Names":["/one"],"State":"levitating","Created":-62135596800},
                {"Id":"b","Names":null,"Image":null,"Labels":null,"State":"running"}]"#,
        ),
        ("/images/json", "garbage"),
    ]);
    let docker = adapter_at(&engine.socket());
    wait(docker.probe()).unwrap();
    let inventory = wait(docker.inventory()).unwrap();
    let states: Vec<_> = inventory.workspaces.iter().map(|workspace| workspace.state).collect();
    // The answers are Podman's, whose own command line does not speak to Docker's containers.
    assert_eq!(inventory.workspaces[1].client, "podman");
    let stop = outlast::work::act::command(outlast::core::plan::Verb::Stop, &inventory.workspaces[1]);
    assert!(stop.starts_with("podman stop "), "{stop}");
    assert_eq!(states, [RunState::Unknown, RunState::Running]);
    assert_eq!(inventory.workspaces[1].name, "b");
    assert!(inventory.images.is_err(), "each section fails on its own");
}

#[test]
fn what_is_no_engine_is_called_so() {
    let engine = StandIn::answering(&[("/containers/json", "<html>hello</html>"), ("/version", "{}")]);
    let docker = adapter_at(&engine.socket());
    for error in [wait(docker.inventory()).unwrap_err(), wait(docker.probe()).unwrap_err()] {
        assert_eq!(error.kind, Kind::Failed, "{error}");
        assert!(error.hints[0].contains("engine.sock"), "{:?}", error.hints);
    }
}
