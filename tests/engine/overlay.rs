//! The kernel's own overlay, on a private engine: the machine's engine may use another driver.
//! Read as root from the upper directory, and as somebody else through the process.

use std::process::Command;

use outlast::core::finding::Method;
use outlast::core::storage::StorageKind;

use super::scan::scan;
use super::{adapter_at, detail};
use crate::support::docker::Container;
use crate::support::dockerd::Dockerd;

/// New files, a changed and a deleted file of the image, a replaced folder, memory.
const WORK: &str = "echo new > /tmp/new.txt; echo more >> /opt/from-image; rm /bin/arping; \
                    mkdir -p /home/u/deep && echo n > /home/u/deep/n.ipynb; \
                    echo m > /scratch/m; echo s > /dev/shm/s; ln -s /etc/passwd /tmp/link";

fn paths(container: &Container, dockerd: &Dockerd) -> Vec<String> {
    let found = scan(&adapter_at(&dockerd.socket()), container);
    assert_eq!(found.gaps, [""; 0], "nothing is left out");
    assert_eq!(found.by, [Method::Upper]);
    let changed: Vec<_> = found.files.values().filter(|file| file.changed).map(|file| &file.path).collect();
    assert_eq!(changed, [std::path::Path::new("/opt/from-image")], "only this one was the image's");
    let count = found.layer.expect("a layer is counted");
    assert_eq!((count.new, count.changed, count.attributes, count.deleted), (2, 1, 0, 1));
    found.findings().iter().map(|path| path.display().to_string()).collect()
}

#[test]
fn the_upper_directory_tells_new_changed_and_deleted_apart_running_and_stopped() {
    let Some(dockerd) = Dockerd::on_overlay() else { return };
    let container = dockerd.cli().container("overlay").args(["--tmpfs", "/scratch"]).run();
    container.exec(WORK);
    let layer = ["/home/u/deep/n.ipynb", "/opt/from-image", "/tmp/new.txt"];
    let mut running = paths(&container, &dockerd);
    running.sort();
    assert_eq!(running, [&["/dev/shm/s"][..], &layer[..2], &["/scratch/m"], &layer[2..]].concat());
    container.stop();
    let mut stopped = paths(&container, &dockerd);
    stopped.sort();
    assert_eq!(stopped, layer);
}

#[test]
fn a_fresh_container_on_the_overlay_has_no_files_at_risk() {
    let Some(dockerd) = Dockerd::on_overlay() else { return };
    let cli = dockerd.cli();
    let container =
        cli.container("fresh").args(["--tmpfs", "/scratch", "-v", "/anon", "-v", "/srv:/data"]).run();
    let found = scan(&adapter_at(&dockerd.socket()), &container);
    assert!(found.findings().is_empty(), "{:?}", found.findings());
    let kinds: Vec<_> = detail(&adapter_at(&dockerd.socket()), &container).mounts;
    assert!(kinds.iter().any(|mount| mount.storage == StorageKind::WritableLayer));
}

#[test]
fn who_is_not_root_reads_an_own_container_through_its_process() {
    let Some(dockerd) = Dockerd::on_overlay() else { return };
    // What the group of the socket does elsewhere.
    for (path, mode) in [(dockerd.socket(), 0o666), (dockerd.socket().parent().unwrap().into(), 0o755)] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
    let container =
        dockerd.cli().container("own").args(["--user", "1000:1000", "--tmpfs", "/scratch:mode=1777"]).run();
    container.exec("echo new > /tmp/model.pt; echo m > /scratch/m");
    let place = tempfile::tempdir().unwrap();
    let binary = place.path().join("outlast");
    std::fs::copy(env!("CARGO_BIN_EXE_outlast"), &binary).unwrap();
    std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid", "1000", "--regid", "1000", "--clear-groups"])
        .arg(&binary)
        .args(["risk", &container.name, "--json"])
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("DOCKER_HOST", format!("unix://{}", dockerd.socket().display()))
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["workspaces"][0]["method"], "proc", "{report:#}");
    let found: Vec<_> = report["findings"].as_array().unwrap().iter().map(|f| f["path"].clone()).collect();
    assert_eq!(found, ["/tmp/model.pt", "/scratch/m"]);
}
