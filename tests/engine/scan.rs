//! Files at risk on real containers: what is found, what is not, and what is said about it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt;
use outlast::core::classify::Classifier;
use outlast::core::event::Event;
use outlast::core::facts::Facts;
use outlast::core::fate::Verdict;
use outlast::core::finding::{LayerCount, Method};
use outlast::core::storage::StorageKind;
use outlast::engine::docker::Docker;
use outlast::port::{Engine, FileFact, ScanItem, ScanRequest};

use super::{detail, key, plain, real, real_as_root, wait};
use crate::support::docker::Container;

/// What a scan said.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) by: Vec<Method>,
    pub(super) files: BTreeMap<PathBuf, FileFact>,
    pub(super) gaps: Vec<String>,
    pub(super) layer: Option<LayerCount>,
    notes: Vec<String>,
    reading: Vec<StorageKind>,
}

impl Found {
    fn has(&self, path: &str) -> bool {
        self.files.contains_key(std::path::Path::new(path))
    }

    /// The files that the profile does not ignore.
    pub(super) fn findings(&self) -> Vec<&PathBuf> {
        let rules = plain();
        self.files.keys().filter(|path| !rules.ignores(path)).collect()
    }
}

/// Scans the mounts that would be lost if the container were retired or, where it
/// removes itself, stopped.
pub(super) fn scan(docker: &Docker, container: &Container) -> Found {
    let detail = detail(docker, container);
    let rules = plain();
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
    let lost = |mount: &&outlast::core::mount::Mount| {
        let fates = classifier.mount(mount).fates;
        fates.verdict(Event::Retire) == Verdict::Lost || fates.verdict(Event::Stop) == Verdict::Lost
    };
    let targets = detail.mounts.iter().filter(lost).map(|mount| mount.target.clone()).collect();
    read(docker, ScanRequest { key: key(container), detail: Arc::new(detail.clone()), targets, asked: true })
}

fn read(docker: &Docker, request: ScanRequest) -> Found {
    wait(async {
        let mut found = Found::default();
        let mut items = docker.scan(request);
        let mut first = true;
        while let Some(item) = items.next().await {
            if item == ScanItem::Looking {
                continue;
            }
            assert_eq!(first, matches!(item, ScanItem::By(_)), "how it looks comes once and first");
            first = false;
            match item {
                ScanItem::By(method) => found.by.push(method),
                ScanItem::Reading(kind) => found.reading.push(kind),
                ScanItem::Files(files) => {
                    found.files.extend(files.into_iter().map(|file| (file.path.clone(), file)));
                }
                ScanItem::Layer(count) => found.layer = Some(count),
                ScanItem::Gap(why) => found.gaps.push(why),
                ScanItem::Note(note) => found.notes.push(note),
                ScanItem::Looking => {}
            }
        }
        found
    })
}

/// Scans what the product itself would look at.
pub(super) fn scan_all(docker: &Docker, container: &Container) -> Found {
    let detail = detail(docker, container);
    let rules = plain();
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
    let targets = outlast::work::risk::targets(&classifier);
    read(docker, ScanRequest { key: key(container), detail: Arc::new(detail.clone()), targets, asked: true })
}

#[test]
fn files_of_the_layer_are_found_and_the_images_are_not() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("layer").run();
    container.exec(
        "for d in /tmp /home/u / /root /opt; do echo weights > $d/model.pt; done
         echo more >> /etc/passwd; rm /opt/from-image; echo x > /tmp/gone; rm /tmp/gone",
    );
    let found = scan(&docker, &container);
    for path in
        ["/tmp/model.pt", "/home/u/model.pt", "/model.pt", "/root/model.pt", "/opt/model.pt", "/etc/passwd"]
    {
        assert!(found.has(path), "{path}: {found:#?}");
    }
    for path in ["/bin/busybox", "/opt/from-image", "/tmp/gone"] {
        assert!(!found.has(path), "{path}");
    }
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    if rustix::process::getuid().is_root() {
        assert_eq!(found.by, [Method::Upper]);
        assert_eq!(found.findings().len(), 6, "{:?}", found.findings());
        let count = LayerCount { new: 5, changed: 1, attributes: 0, deleted: 1 };
        assert_eq!(found.layer, Some(count), "whatever the driver: {:?}", found.files);
    }
}

#[test]
fn files_in_memory_are_found_while_the_container_runs() {
    let Some((cli, docker)) = real_as_root() else { return };
    let container = cli.container("memory").args(["--tmpfs", "/scratch"]).run();
    container.exec("echo 1 > /scratch/a.pt; echo 2 > /dev/shm/b.pt");
    let found = scan(&docker, &container);
    for path in ["/scratch/a.pt", "/dev/shm/b.pt"] {
        let fact = found.files.get(std::path::Path::new(path)).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(fact.storage, StorageKind::Tmpfs);
        assert!(fact.bytes.is_some());
    }
    assert!(!cli.run(&["diff", &container.id]).contains("a.pt"), "the engine itself misses them");
}

#[test]
fn a_fresh_container_has_no_findings() {
    let Some((cli, docker)) = real() else { return };
    let volume = cli.volume("fresh", &[]);
    let args = ["-v", &format!("{}:/data", volume.name), "-v", "/dev/shm:/host", "--tmpfs", "/scratch"];
    let container = cli.container("fresh").args(args).args(["-v", "/anon"]).run();
    let found = scan(&docker, &container);
    assert_eq!(found.findings(), Vec::<&PathBuf>::new());
    container
        .exec("mkdir -p /var/lib/apt/lists /root/.cache; echo x > /var/lib/apt/lists/x; echo x > /data/kept");
    let found = scan(&docker, &container);
    assert_eq!(found.findings(), Vec::<&PathBuf>::new(), "lists and kept files are no findings");
}

#[test]
fn a_stopped_container_has_the_same_files_but_for_its_memory() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("stopped").args(["--tmpfs", "/scratch"]).run();
    container.exec("echo 1 > /tmp/a.pt; echo 1 > /root/b.ipynb; echo 1 > /scratch/c.pt");
    let mut running = scan(&docker, &container);
    container.stop();
    let stopped = scan(&docker, &container);
    running.files.retain(|_, file| file.storage == StorageKind::WritableLayer);
    assert_eq!(stopped.files, running.files);
    assert_eq!(stopped.notes, ["tmpfs content is gone: the container is stopped"]);
    assert!(stopped.reading.contains(&StorageKind::Tmpfs), "it was looked at: {stopped:?}");
    let created = scan(&docker, &cli.container("created").args(["--tmpfs", "/scratch"]).create());
    assert!(created.notes.is_empty() && created.reading.contains(&StorageKind::Tmpfs), "{created:?}");
    assert!(stopped.gaps.is_empty(), "{:?}", stopped.gaps);
}

#[test]
fn anonymous_volumes_of_a_container_that_removes_itself_are_read_too() {
    let Some((cli, docker)) = real_as_root() else { return };
    let container = cli.container("rm").args(["--rm", "-v", "/anon"]).run();
    container.exec("echo 1 > /anon/a.pt");
    assert!(scan(&docker, &container).has("/anon/a.pt"));
}

#[test]
fn a_link_planted_in_the_container_does_not_lead_out_of_it() {
    let Some((cli, docker)) = real_as_root() else { return };
    let outside = tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/srv").unwrap();
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    let container = cli.container("planted").args(["--tmpfs", "/a/scratch"]).run();
    let detail = detail(&docker, &container);
    // The parent of the mount is swapped for a link to a place of the host.
    let place = outside.path().display();
    container.exec(&format!("mv /a /b; ln -s {place} /a; mkdir -p /b/scratch"));
    let targets = vec!["/a/scratch".into(), "/".into()];
    let request = ScanRequest { key: key(&container), detail: Arc::new(detail), targets, asked: true };
    let items: Vec<_> = wait(docker.scan(request).collect());
    let leaked = items.iter().any(|item| match item {
        ScanItem::Files(files) => files.iter().any(|file| file.path.ends_with("secret")),
        _ => false,
    });
    assert!(!leaked, "{items:#?}");
}
