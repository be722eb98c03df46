//! The engine as people see it who may ask it but may not read its disks: the real
//! engine through a socket behind which it seems to be another machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use outlast::core::classify::{Classifier, Origin};
use outlast::core::event::Event;
use outlast::core::facts::Facts;
use outlast::core::fate::Verdict;
use outlast::core::finding::Method;
use outlast::core::mount::{Backing, Measure, Source};
use outlast::core::storage::StorageKind;
use outlast::engine::docker::{Docker, find};
use outlast::port::{Can, Engine, FileFact, Look, PathKind, Right, ScanItem, ScanRequest};

use super::{adapter_at, detail, key, mount, plain, wait};
use crate::support::docker::{Cli, Container, engine};

/// The real engine behind another socket; it says that it is far away.
struct Far {
    folder: tempfile::TempDir,
}

/// The real engine behind a socket that remembers what was asked.
pub(crate) struct Heard {
    folder: tempfile::TempDir,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Heard {
    /// Listens between the product and the machine's engine.
    pub(crate) fn listening() -> Self {
        let real = find(&|name| std::env::var(name).ok()).unwrap().unwrap().socket;
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("engine.sock")).unwrap();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&lines);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (real, heard) = (real.clone(), Arc::clone(&heard));
                std::thread::spawn(move || {
                    let (reader, first) = first_line(&client);
                    heard.lock().unwrap().push(first.clone());
                    forward(client, &reader, &first, &real);
                });
            }
        });
        Self { folder, lines }
    }

    /// The socket to ask.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("engine.sock")
    }

    /// The first line of every request so far; a line that was opened and dropped asked nothing.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().iter().filter(|line| !line.is_empty()).cloned().collect()
    }
}

impl Far {
    fn away() -> Option<(Cli, Self, Docker)> {
        let cli = engine()?;
        let real = find(&|name| std::env::var(name).ok()).unwrap().unwrap().socket;
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let real = real.clone();
                std::thread::spawn(move || pass_on(stream, &real));
            }
        });
        let docker = adapter_at(&socket);
        Some((cli, Self { folder }, docker))
    }
}

/// Passes one request on, but for the question where the engine is.
fn pass_on(mut client: UnixStream, real: &Path) {
    let (reader, first) = first_line(&client);
    if first.contains("/info ") {
        let info = r#"{"Name":"far-away","KernelVersion":"1.0","DockerRootDir":"/var/lib/docker"}"#;
        let _ = write!(client, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{info}", info.len());
        return;
    }
    forward(client, &reader, &first, real);
}

fn first_line(client: &UnixStream) -> (BufReader<UnixStream>, String) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    (reader, first)
}

fn forward(mut client: UnixStream, reader: &BufReader<UnixStream>, first: &str, real: &Path) {
    let mut engine = UnixStream::connect(real).unwrap();
    let _ = engine.write_all(first.as_bytes());
    let _ = engine.write_all(reader.buffer());
    let (mut from, mut to) = (client.try_clone().unwrap(), engine.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let mut bytes = [0; 16 << 10];
    while let Ok(length @ 1..) = engine.read(&mut bytes) {
        if client.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(std::net::Shutdown::Both);
}

fn scan(docker: &Docker, container: &Container, asked: bool) -> Vec<ScanItem> {
    let detail = detail(docker, container);
    let targets = ["/", "/scratch"].map(PathBuf::from).to_vec();
    wait(docker.scan(ScanRequest { key: key(container), detail: Arc::new(detail), targets, asked }).collect())
}

fn files(items: &[ScanItem]) -> Vec<&FileFact> {
    let files = items.iter().filter_map(|item| match item {
        ScanItem::Files(files) => Some(files),
        _ => None,
    });
    files.flatten().collect()
}

#[test]
fn files_of_a_layer_that_may_not_be_read_are_asked_from_the_engine() {
    let Some((cli, _far, docker)) = Far::away() else { return };
    let container = cli.container("far").args(["--tmpfs", "/scratch", "-v", "/anon"]).run();
    container.exec("dd if=/dev/zero of=/tmp/model.pt bs=1k count=5; mkdir /root/empty; ln -s x /root/l; rm /opt/from-image");
    container.exec("echo more >> /etc/passwd; echo 1 > /scratch/x");
    for running in [true, false] {
        if !running {
            container.stop();
        }
        let mut items = scan(&docker, &container, true);
        items.retain(|item| *item != ScanItem::Looking);
        assert_eq!(items[0], ScanItem::By(Method::Api));
        let found: Vec<_> = files(&items)
            .iter()
            .map(|file| (file.path.to_str().unwrap(), file.changed, file.storage))
            .collect();
        let layer = StorageKind::WritableLayer;
        assert_eq!(found, [("/tmp/model.pt", false, layer), ("/etc/passwd", true, layer)]);
        assert_eq!(files(&items)[0].bytes, Some(5120));
        assert!(files(&items)[0].modified.is_some());
        let gap = ScanItem::Gap("tmpfs /scratch cannot be read through the engine".into());
        assert_eq!(items.contains(&gap), running, "{items:#?}");
        let note = ScanItem::Note("tmpfs content is gone: the container is stopped".into());
        assert_eq!(items.contains(&note), !running, "{items:#?}");
    }
}

#[test]
fn the_engine_is_not_asked_unprompted_and_the_gap_says_so() {
    let Some((cli, _far, docker)) = Far::away() else { return };
    let container = cli.container("far").args(["--tmpfs", "/scratch"]).run();
    let items = scan(&docker, &container, false);
    assert!(files(&items).is_empty());
    assert!(items.iter().any(|item| matches!(item, ScanItem::Gap(why) if why.contains("on request"))));
    let can = wait(docker.probe()).unwrap().capabilities.can(Right::ScanAll);
    assert!(matches!(can, Can::No(_)));
}

#[test]
fn a_far_bind_mount_is_unseen_and_a_far_volume_is_measured_by_the_engine() {
    let Some((cli, far, docker)) = Far::away() else { return };
    let volume = cli.volume("far", &[]);
    let here = far.folder.path().display();
    let args = ["-v", &format!("{}:/data", volume.name), "-v", &format!("{here}:/here")];
    let container = cli.container("far").args(args).run();
    container.exec("dd if=/dev/zero of=/data/x bs=1k count=300");
    let detail = detail(&docker, &container);
    assert!(matches!(mount(&detail, "/here").backing, Backing::HostDir { source: Source::Unseen, .. }));
    assert_eq!(mount(&detail, "/here").filesystem, None);
    let rules = plain();
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
    for event in [Event::Crash, Event::Stop, Event::Retire, Event::Reboot] {
        let fate = |target: &str| classifier.mount(mount(&detail, target)).fates.verdict(event);
        assert_ne!(fate("/here"), Verdict::Kept, "{event:?}: nothing is known of that directory");
        assert_eq!(fate("/data"), Verdict::Kept, "{event:?}: the engine's own guarantee");
    }
    assert_eq!(mount(&detail, "/here").storage, StorageKind::Unknown);
    let measure =
        |target: &str| wait(docker.measure(&key(&container), mount(&detail, target), Duration::from_secs(20)));
    let Measure::Bytes(bytes) = measure("/data") else { panic!("{:?}", measure("/data")) };
    assert!((300 << 10..400 << 10).contains(&bytes), "{bytes}");
    assert_eq!(measure("/here"), Measure::NotPermitted);
}

#[test]
fn a_far_path_is_looked_at_through_the_engine() {
    let Some((cli, _far, docker)) = Far::away() else { return };
    let container = cli.container("far").run();
    container.exec("ln -s ../tmp/./out /root/link");
    let detail = detail(&docker, &container);
    let look = |path: &str| wait(docker.look(&key(&container), &detail, Path::new(path))).unwrap();
    assert_eq!(look("/root/link").kind, PathKind::Link("/tmp/out".into()));
    assert_eq!(look("/bin/busybox"), Look { kind: PathKind::File, origin: Origin::Unknown });
    assert_eq!(look("/opt").kind, PathKind::Directory);
    assert_eq!(look("/nothing"), Look { kind: PathKind::Absent, origin: Origin::Absent });
}
