//! A job that is called off is over within a second, from the signal to the end of its process, and leaves
//! nothing that looks whole and is not.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::faults::job_processes;
use super::jobs::until;
use super::{Place, noise, write};

/// The time that calling off may take.
const SOON: Duration = Duration::from_secs(1);

/// Begins a job, calls it off in the middle of what it does, and gives how long it took to be over.
fn called_off(place: &Place, mut command: Command, stage: &str, files: u64) -> Duration {
    let watcher = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("it is at it", || {
        let answer = place.outlast.json(&["jobs", "--json"]);
        let last = answer["jobs"].as_array().unwrap().last().cloned().unwrap_or_default();
        let progress = &last["progress"];
        assert!(
            last["result"].is_null() || last["verb"] != stage_verb(stage),
            "{stage}: over before that: {last:#}"
        );
        last["state"] == "running" && progress["stage"] == stage && progress["files"].as_u64() >= Some(files)
    });
    // Not in its first moment.
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(job_processes(place).len(), 1, "{stage}: it was over before it could be called off");
    let begun = Instant::now();
    let _ = Command::new("kill").args(["-INT", &watcher.id().to_string()]).status();
    while !job_processes(place).is_empty() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{stage}: it never ends");
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = begun.elapsed();
    let output = watcher.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{stage}: {}", super::said(&output));
    let answer = place.outlast.json(&["jobs", "--json"]);
    assert_eq!(answer["jobs"].as_array().unwrap().last().unwrap()["state"], "cancelled", "{stage}");
    eprintln!("{stage}: {took:?}");
    took
}

/// The verb whose job comes to a stage.
fn stage_verb(stage: &str) -> &str {
    match stage {
        "saving" => "backup",
        "verifying" => "verify",
        "restoring" => "restore",
        _ => "forget",
    }
}

/// A server of the same repository behind a slow line; `None` where nothing can serve it.
struct SlowServer {
    server: Child,
    address: String,
}

impl SlowServer {
    fn new(folder: &Path) -> Option<Self> {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let port = free();
        let addr = format!("127.0.0.1:{port}");
        let server = Command::new("rclone")
            .args(["serve", "restic", "--addr", &addr])
            .arg(folder)
            .stderr(Stdio::null())
            .spawn();
        let Ok(server) = server else {
            eprintln!("skipped: no rclone");
            return None;
        };
        let line = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("rest:http://{}/repository", line.local_addr().unwrap());
        let server = Self { server, address };
        until("the server answers", || TcpStream::connect(&addr).is_ok());
        std::thread::spawn(move || {
            for near in line.incoming().flatten() {
                let Ok(far) = TcpStream::connect(&addr) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || slowly(from, to));
                }
            }
        });
        Some(server)
    }
}

/// Hands on what comes, two megabytes a second.
fn slowly(mut from: TcpStream, mut to: TcpStream) {
    let mut part = vec![0_u8; 32 << 10];
    while let Ok(length @ 1..) = from.read(&mut part) {
        if to.write_all(&part[..length]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(15));
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

impl Drop for SlowServer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn grow(place: &Place, files: std::ops::Range<u64>) {
    for number in files {
        write(&place.work().join(format!("f{number}")), noise(number, 6 << 20));
    }
}

#[test]
fn whatever_a_job_does_it_is_over_within_a_second_once_it_is_called_off() {
    let place = Place::new();
    grow(&place, 0..60);
    for folder in 0..100 {
        for file in 0..60 {
            write(&place.work().join(format!("a/{folder}/{file}")), format!("{folder} {file}"));
        }
    }
    let mut slow = Vec::new();
    let mut look = |stage: &'static str, took: Duration| {
        if took >= SOON {
            slow.push((stage, took));
        }
    };
    look("saving", called_off(&place, place.command(&["backup", "WORK", "--yes"]), "saving", 10));
    assert_eq!(place.json(0, &["backups"])["snapshots"].as_array().unwrap().len(), 0, "no half snapshot");
    let first = place.backup()["snapshot"]["id"].as_str().unwrap().to_owned();

    look("verifying", called_off(&place, place.command(&["verify"]), "verifying", 0));
    assert!(place.json(0, &["backups"])["snapshots"][0]["whole"].is_null(), "it says nothing");

    look(
        "restoring",
        called_off(&place, place.command(&["restore", &first, "HERE/new", "--yes"]), "restoring", 4000),
    );
    let left = fs::read_dir(place.outlast.home()).unwrap().flatten().map(|entry| entry.file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("new")).collect();
    assert!(left.is_empty(), "what was written is taken back: {left:?}");

    assert!(slow.is_empty(), "slower than {SOON:?}: {slow:?}");
}

#[test]
fn a_removal_that_is_called_off_is_over_within_a_second_and_the_next_one_goes_on_with_it() {
    let place = Place::new();
    let Some(server) = SlowServer::new(place.outlast.home()) else { return };
    grow(&place, 0..40);
    place.backup();
    // Every other file goes, so that what is left is packed anew when the first snapshot is removed.
    for number in (0..40).step_by(2) {
        fs::remove_file(place.work().join(format!("f{number}"))).unwrap();
    }
    let second = place.backup()["snapshot"]["id"].as_str().unwrap().to_owned();
    let forget = ["forget", "--keep-last", "1", "--yes", "--repository", &server.address];
    let took = called_off(&place, place.outlast.command(&forget), "finishing", 0);
    let listed = place.json(0, &["backups"]);
    let ids: Vec<_> = listed["snapshots"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(ids, [second.as_str()], "what was removed before stays removed");
    let log = place.outlast.log();
    assert!(log.last().unwrap()["result"].as_str().unwrap().contains("1 of the snapshots"), "{log:#?}");
    place.json(0, &["verify"]);
    place.json(0, &["restore", "latest", "HERE/again", "--yes"]);
    super::nasty::same(&place.work(), &place.outlast.home().join("again"));
    place.restic_checks();
    write(&place.work().join("more"), "x");
    place.backup();
    assert_eq!(place.json(0, &["forget", "--keep-last", "1", "--yes"])["result"], "done");
    place.restic_checks();
    assert!(took < SOON, "{took:?}");
}
