//! The endpoint `machine`, on made-up roots and on the machine the tests run on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use outlast::core::aftermath::Aftermath;
use outlast::core::classify::Origin;
use outlast::core::error::Kind;
use outlast::core::finding::Method;
use outlast::core::mount::Measure;
use outlast::core::plan::{Step, Verb};
use outlast::core::storage::StorageKind;
use outlast::engine::machine::{Clues, Machine};
use outlast::platform::host::this_host;
use outlast::port::{Can, Clock, Engine, FileFact, Host, PathKind, Right, ScanItem, ScanRequest, Tick};
use tempfile::TempDir;

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }
}

fn host() -> Arc<Host> {
    Arc::new(Host { hostname: "0f3c5d.example.org".into(), ..Host::default() })
}

/// A container made of a folder: an image file that is older than the root, and files of its own.
struct Made {
    dir: TempDir,
    machine: Machine,
}

fn container(table: &str, clues: Clues) -> Made {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    std::fs::write(dir.path().join("image"), "x").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    std::fs::create_dir(&root).unwrap();
    std::fs::rename(dir.path().join("image"), root.join("image")).unwrap();
    for folder in ["root", "dev/shm", "workspace"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    for file in ["root/model.pt", "dev/shm/batch", "workspace/kept"] {
        std::fs::write(root.join(file), "mine").unwrap();
    }
    std::os::unix::fs::symlink("/workspace", root.join("root/link")).unwrap();
    std::fs::write(dir.path().join("table"), table).unwrap();
    let machine = Machine::of(host(), Arc::new(Noon), root, dir.path().join("table"), clues);
    Made { dir, machine }
}

const TABLE: &str = "1 0 0:75 / / rw - overlay overlay rw,upperdir=/u,workdir=/w\n\
    2 1 0:79 / /dev rw - tmpfs tmpfs rw\n\
    3 2 0:83 / /dev/shm rw - tmpfs shm rw\n\
    4 1 254:0 /home/u/p /workspace rw - ext4 /dev/vda rw\n";

fn docker() -> Made {
    container(TABLE, Clues { dockerenv: true, ..Clues::default() })
}

async fn scan(machine: &Machine, targets: &[&str]) -> (Vec<FileFact>, Vec<ScanItem>) {
    let key = machine.inventory().await.unwrap().workspaces[0].key.clone();
    let detail = Arc::new(machine.detail(&key).await.unwrap());
    let targets = targets.iter().map(PathBuf::from).collect();
    let items: Vec<_> = machine.scan(ScanRequest { key, detail, targets, asked: true }).collect().await;
    let (mut files, mut rest) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            ScanItem::Files(some) => files.extend(some),
            other => rest.push(other),
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    (files, rest)
}

#[tokio::test]
async fn a_container_without_an_engine_is_one_workspace_that_runs() {
    let made = docker();
    let inventory = made.machine.inventory().await.unwrap();
    let [workspace] = inventory.workspaces.as_slice() else { panic!("one workspace") };
    assert_eq!(workspace.name, "0f3c5d");
    assert_eq!(workspace.owner.name, None, "an unknown owner is never the viewer");
    assert!(workspace.created.is_some(), "the root was born with the container");
    assert_eq!(inventory.images.unwrap(), []);
    assert_eq!(inventory.as_of, Noon.now());
    let detail = made.machine.detail(&workspace.key).await.unwrap();
    assert_eq!(detail.on_stop, Aftermath::Stays);
    assert_eq!(detail.mounts.len(), 4);
}

#[tokio::test]
async fn what_cannot_be_done_here_says_what_to_do_instead() {
    let made = docker();
    let probe = made.machine.probe().await.unwrap();
    assert!(probe.product.contains("Docker") && probe.product.contains("/.dockerenv"), "{}", probe.product);
    assert_eq!(probe.capabilities.can(Right::ScanAll), Can::Yes);
    let Can::No(run) = probe.capabilities.can(Right::Run) else { panic!("it cannot run steps") };
    assert!(run.contains("DOCKER_HOST") && run.contains("docker group"), "{run}");
    let subject = made.machine.inventory().await.unwrap().workspaces[0].key.clone();
    let step = Step {
        verb: Verb::Stop,
        subject,
        name: String::new(),
        call: String::new(),
        bytes: None,
        loses: vec![],
        reversible_by: None,
        files: None,
        job: None,
        deed: None,
    };
    assert_eq!(made.machine.run(&step).await.map_err(|error| error.kind), Err(Kind::NotSupported));
}

#[tokio::test]
async fn a_pod_is_made_anew_at_every_start() {
    let made = container(TABLE, Clues { service_account: true, ..Clues::default() });
    let key = made.machine.inventory().await.unwrap().workspaces[0].key.clone();
    let detail = made.machine.detail(&key).await.unwrap();
    assert_eq!((detail.on_crash, detail.on_stop), (Aftermath::Recreated, Aftermath::Recreated));
}

#[tokio::test]
async fn only_files_of_the_container_itself_are_found_in_its_layer() {
    let made = docker();
    let (files, rest) = scan(&made.machine, &["/", "/dev/shm"]).await;
    let found: Vec<_> = files.iter().map(|file| (file.path.to_str().unwrap(), file.storage)).collect();
    assert_eq!(
        found,
        [("/dev/shm/batch", StorageKind::Tmpfs), ("/root/model.pt", StorageKind::WritableLayer)],
        "no file of the image, none of the bind mount, no link"
    );
    assert_eq!(rest[0], ScanItem::By(Method::Inside), "how it looks comes first");
    assert!(rest.contains(&ScanItem::Reading(StorageKind::WritableLayer)));
    assert!(rest.contains(&ScanItem::Reading(StorageKind::Tmpfs)));
    assert!(!rest.iter().any(|item| matches!(item, ScanItem::Gap(_))), "{rest:?}");
}

#[tokio::test]
async fn on_a_root_that_is_no_overlay_nobody_guesses_which_files_are_the_images() {
    let table = TABLE.replace("overlay overlay rw,upperdir=/u,workdir=/w", "btrfs /dev/vdb rw");
    let made = container(
        &table.replace("0:75 / /", "0:75 /subvolumes/1 /"),
        Clues { dockerenv: true, ..Clues::default() },
    );
    let (files, rest) = scan(&made.machine, &["/", "/dev/shm"]).await;
    assert_eq!(files.iter().map(|file| file.path.to_str().unwrap()).collect::<Vec<_>>(), ["/dev/shm/batch"]);
    assert!(
        rest.iter().any(|item| matches!(item, ScanItem::Gap(gap) if gap.contains("no overlay"))),
        "{rest:?}"
    );
    let (_, rest) = scan(&made.machine, &["/"]).await;
    assert!(matches!(rest.as_slice(), [ScanItem::Gap(_)]), "nothing could be looked at: {rest:?}");
    let key = made.machine.inventory().await.unwrap().workspaces[0].key.clone();
    let detail = made.machine.detail(&key).await.unwrap();
    let look = made.machine.look(&key, &detail, Path::new("/root/model.pt")).await.unwrap();
    assert_eq!(look.origin, Origin::Unknown);
    let measure = made.machine.measure(&key, &detail.mounts[0], Duration::from_secs(9)).await;
    assert_eq!(measure, Measure::NotSupported);
}

#[tokio::test]
async fn a_mount_of_a_single_file_has_its_bytes() {
    let made = container(
        &format!("{TABLE}5 1 254:0 /home/u/f /root/model.pt rw - ext4 /dev/vda rw\n"),
        Clues { dockerenv: true, ..Clues::default() },
    );
    let key = made.machine.inventory().await.unwrap().workspaces[0].key.clone();
    let detail = made.machine.detail(&key).await.unwrap();
    let file = detail.mounts.iter().find(|mount| mount.target.ends_with("model.pt")).unwrap();
    let measure = made.machine.measure(&key, file, Duration::from_secs(9)).await;
    assert!(matches!(measure, Measure::Bytes(1..)), "{measure:?}");
}

#[tokio::test]
async fn a_target_that_is_no_mount_any_more_is_a_gap() {
    let made = docker();
    let (_, rest) = scan(&made.machine, &["/gone"]).await;
    assert!(rest.iter().any(|item| matches!(item, ScanItem::Gap(gap) if gap.starts_with("/gone"))), "{rest:?}");
}

#[tokio::test]
async fn a_look_tells_the_layer_from_the_image_and_follows_no_link() {
    let made = docker();
    let key = made.machine.inventory().await.unwrap().workspaces[0].key.clone();
    let detail = made.machine.detail(&key).await.unwrap();
    let look = async |path: &str| {
        let look = made.machine.look(&key, &detail, Path::new(path)).await.unwrap();
        (look.kind, look.origin)
    };
    assert_eq!(look("/image").await, (PathKind::File, Origin::Image));
    assert_eq!(look("/root/model.pt").await, (PathKind::File, Origin::Layer));
    assert_eq!(look("/root/none").await, (PathKind::Absent, Origin::Absent));
    assert_eq!(look("/root/link").await.0, PathKind::Link("/workspace".into()));
    assert_eq!(look("/workspace/kept").await, (PathKind::File, Origin::Unknown), "not on the root");
}

#[tokio::test]
async fn a_measure_of_the_layer_leaves_the_image_out() {
    let made = docker();
    let key = made.machine.inventory().await.unwrap().workspaces[0].key.clone();
    let detail = made.machine.detail(&key).await.unwrap();
    let real = std::os::unix::fs::MetadataExt::blocks(
        &std::fs::metadata(made.dir.path().join("root/root/model.pt")).unwrap(),
    );
    let measure = made.machine.measure(&key, &detail.mounts[0], Duration::from_secs(9)).await;
    assert_eq!(measure, Measure::Bytes(real * 512));
}

#[tokio::test]
async fn without_a_mount_table_the_failure_names_the_file() {
    let machine =
        Machine::of(host(), Arc::new(Noon), "/".into(), "/nowhere/mountinfo".into(), Clues::default());
    let error = machine.inventory().await.map(|_| ()).unwrap_err();
    assert!(error.message.contains("/nowhere/mountinfo") && !error.hints.is_empty(), "{error:?}");
}

#[tokio::test]
async fn the_machine_sends_no_events_but_never_ends() {
    let machine = Machine::new(Arc::new(this_host()), Arc::new(Noon), Vec::new());
    let mut watch = machine.watch();
    assert_eq!(watch.next().await, Some(Tick::Live));
    assert_eq!(watch.next().now_or_never(), None);
}

#[tokio::test]
async fn this_very_machine_is_read_and_its_root_has_a_size() {
    let machine = Machine::new(Arc::new(this_host()), Arc::new(Noon), Vec::new());
    let inventory = machine.inventory().await.unwrap();
    let [workspace] = inventory.workspaces.as_slice() else { panic!("one workspace") };
    assert!(!workspace.name.is_empty());
    let probe = machine.probe().await.unwrap();
    assert_eq!(probe.capabilities.can(Right::ScanAll), Can::Yes);
    let detail = machine.detail(&workspace.key).await.unwrap();
    assert_eq!(detail.mounts[0].target, Path::new("/"));
    assert!(matches!(
        detail.mounts[0].storage,
        StorageKind::HostDisk | StorageKind::WritableLayer | StorageKind::Unknown
    ));
    let measure = machine.measure(&workspace.key, &detail.mounts[0], Duration::from_millis(300)).await;
    assert!(
        matches!(measure, Measure::WholeFilesystem { size: 1.., .. } | Measure::AtLeast(_) | Measure::Bytes(_)),
        "{measure:?}"
    );
}
