//! The table of mounts: kinds, sources, file systems; and that a bind mount is not proof.

use std::path::Path;

use outlast::core::aftermath::Aftermath;
use outlast::core::classify::{Classifier, Origin};
use outlast::core::event::Event;
use outlast::core::facts::Facts;
use outlast::core::fate::{Condition, Verdict};
use outlast::core::mount::{Backing, Measure};
use outlast::core::storage::StorageKind;
use outlast::port::Engine;

use super::{detail, key, mount, plain, real, real_as_root, wait};

fn bind(source: &Path, target: &str) -> String {
    format!("{}:{target}", source.display())
}

/// A directory of the host on disk, outside the directories that hosts clean.
fn on_disk() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/srv").unwrap()
}

#[test]
fn every_kind_of_mount_is_told_apart_running_and_stopped() {
    let Some((cli, docker)) = real_as_root() else { return };
    let folder = on_disk();
    let volume = cli.volume("named", &[]);
    let container = cli
        .container("kinds")
        .args(["-v", &bind(folder.path(), "/workspace"), "-v", &format!("{}:/data:ro", volume.name)])
        .args(["-v", "/anon", "--mount", "type=volume,target=/anon2"])
        .args(["--tmpfs", "/scratch:size=1m", "--mount", "type=tmpfs,target=/tm2"])
        .args(["--tmpfs", "/workspace/.cache"])
        .run();
    let expected = [
        ("/", StorageKind::WritableLayer),
        ("/anon", StorageKind::AnonymousVolume),
        ("/anon2", StorageKind::AnonymousVolume),
        ("/data", StorageKind::NamedVolume),
        ("/dev", StorageKind::Pseudo),
        ("/dev/shm", StorageKind::Tmpfs),
        ("/etc/hostname", StorageKind::RuntimeFile),
        ("/etc/hosts", StorageKind::RuntimeFile),
        ("/etc/resolv.conf", StorageKind::RuntimeFile),
        ("/proc", StorageKind::Pseudo),
        ("/scratch", StorageKind::Tmpfs),
        ("/sys", StorageKind::Pseudo),
        ("/tm2", StorageKind::Tmpfs),
        ("/workspace", StorageKind::BindMount),
        ("/workspace/.cache", StorageKind::Tmpfs),
    ];
    for state in ["running", "exited"] {
        if state == "exited" {
            container.stop();
        }
        let detail = detail(&docker, &container);
        let shown: Vec<_> =
            detail.mounts.iter().map(|mount| (mount.target.to_str().unwrap(), mount.storage)).collect();
        assert_eq!(shown, expected, "{state}");
        assert!(mount(&detail, "/data").read_only);
        assert!(!mount(&detail, "/anon").read_only);
        assert_eq!(mount(&detail, "/data").source, volume.name);
        assert_eq!(mount(&detail, "/data").host_path, volume.place());
        assert_eq!(mount(&detail, "/workspace").host_path.as_deref(), Some(folder.path()));
        assert!(mount(&detail, "/workspace").filesystem.is_some());
        assert_eq!(mount(&detail, "/scratch").filesystem.as_deref(), Some("tmpfs"));
        let inspected = container.inspect("{{range .Mounts}}{{.Destination}} {{end}}");
        for target in inspected.split_whitespace() {
            mount(&detail, target);
        }
    }
}

#[test]
fn a_volume_that_somebody_named_with_64_digits_is_not_anonymous() {
    let Some((cli, docker)) = real() else { return };
    let name = format!("{:064x}", u128::from(std::process::id()) << 64 | 0x0051);
    let _guard = crate::support::docker::Volume::left_behind(&cli, &name);
    cli.run(&["volume", "create", "--label", "outlast.test=1", &name]);
    let container = cli.container("hex").args(["-v", &format!("{name}:/data")]).create();
    assert_eq!(mount(&detail(&docker, &container), "/data").storage, StorageKind::NamedVolume);
}

#[test]
fn a_volume_may_be_memory_or_a_directory_of_the_host() {
    let Some((cli, docker)) = real_as_root() else { return };
    let memory = cli.volume("ram", &["-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m"]);
    let shm = tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/dev/shm").unwrap();
    let device = format!("device={}", shm.path().display());
    let folder = cli.volume("dir", &["-o", "type=none", "-o", "o=bind", "-o", &device]);
    let container = cli
        .container("odd")
        .args(["-v", &format!("{}:/ram", memory.name), "-v", &format!("{}:/dir", folder.name)])
        .run();
    for _ in 0..2 {
        let detail = detail(&docker, &container);
        assert_eq!(mount(&detail, "/ram").storage, StorageKind::Tmpfs);
        assert_eq!(mount(&detail, "/dir").storage, StorageKind::BindMemory);
        assert_eq!(mount(&detail, "/dir").source, folder.name);
        container.stop();
    }
}

#[test]
fn a_bind_from_the_hosts_memory_is_lost_at_reboot() {
    let Some((cli, docker)) = real_as_root() else { return };
    let folder = tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/dev/shm").unwrap();
    let container = cli.container("ram").args(["-v", &bind(folder.path(), "/ram")]).create();
    for running in [false, true] {
        if running {
            container.start();
        }
        let (detail, rules) = (detail(&docker, &container), plain());
        let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
        let explanation = classifier.explain(Path::new("/ram/model.pt"), Origin::Unknown);
        assert_eq!(explanation.storage, StorageKind::BindMemory, "running: {running}");
        assert_eq!(explanation.fates.verdict(Event::Retire), Verdict::Kept);
        assert_eq!(explanation.fates.verdict(Event::Reboot), Verdict::Lost);
    }
}

#[test]
fn a_bind_from_the_hosts_tmp_is_kept_only_if_nothing_cleans_it() {
    let Some((cli, docker)) = real() else { return };
    let folder = tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/var/tmp").unwrap();
    let container = cli.container("tmp").args(["-v", &bind(folder.path(), "/t")]).create();
    let (detail, rules) = (detail(&docker, &container), plain());
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
    let explanation = classifier.mount(mount(&detail, "/t"));
    assert_eq!(explanation.storage, StorageKind::BindTemp);
    assert_eq!(explanation.fates.verdict(Event::Reboot), Verdict::KeptIf(Condition::HostTempNotCleaned));
}

#[test]
fn a_source_that_was_deleted_under_the_mount_is_seen() {
    let Some((cli, docker)) = real_as_root() else { return };
    let folder = on_disk();
    let container = cli.container("deleted").args(["-v", &bind(folder.path(), "/w")]).run();
    assert_eq!(mount(&detail(&docker, &container), "/w").storage, StorageKind::BindMount);
    std::fs::remove_dir_all(folder.path()).unwrap();
    assert!(!container.succeeds("echo x > /w/x"), "writes into a deleted directory fail");
    assert_eq!(mount(&detail(&docker, &container), "/w").storage, StorageKind::BindDeleted);
    // A directory of the same name is another directory.
    std::fs::create_dir(folder.path()).unwrap();
    assert_eq!(mount(&detail(&docker, &container), "/w").storage, StorageKind::BindDeleted);
}

#[test]
fn a_single_file_that_was_deleted_under_its_mount_is_still_read_and_measured() {
    let Some((cli, docker)) = real_as_root() else { return };
    let folder = on_disk();
    let file = folder.path().join("notes.txt");
    std::fs::write(&file, vec![1; 300 << 10]).unwrap();
    let container = cli.container("one-file").args(["-v", &bind(&file, "/notes.txt")]).run();
    let measure = || {
        let detail = detail(&docker, &container);
        let mount = mount(&detail, "/notes.txt");
        (mount.storage, wait(docker.measure(&key(&container), mount, std::time::Duration::from_secs(5))))
    };
    let (kind, Measure::Bytes(bytes)) = measure() else { panic!("{:?}", measure()) };
    assert_eq!(kind, StorageKind::BindMount);
    assert!((300 << 10..400 << 10).contains(&bytes), "{bytes}");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(measure(), (StorageKind::BindDeleted, Measure::Bytes(bytes)));
    let detail_now = detail(&docker, &container);
    assert_eq!(mount(&detail_now, "/notes.txt").host_path, None);
    let found = super::scan::scan(&docker, &container);
    let path = std::path::Path::new("/notes.txt");
    assert_eq!(found.files.get(path).and_then(|file| file.bytes), Some(bytes), "{found:?}");
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    container.stop();
    assert!(matches!(measure().1, Measure::Failed(why) if why.contains("gone")));
}

#[test]
fn memory_of_a_stopped_container_is_gone_and_not_empty() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("gone").args(["--tmpfs", "/scratch"]).run();
    container.exec("echo 1 > /scratch/x");
    container.stop();
    let detail = detail(&docker, &container);
    let budget = std::time::Duration::from_secs(5);
    let measure = wait(docker.measure(&key(&container), mount(&detail, "/scratch"), budget));
    assert_eq!(measure, Measure::Failed("gone: the container is stopped".into()));
}

#[test]
fn a_read_only_root_and_a_read_only_bind_are_marked() {
    let Some((cli, docker)) = real_as_root() else { return };
    let folder = on_disk();
    let args = ["--read-only", "-v", &format!("{}:/w:ro", folder.path().display())];
    let container = cli.container("ro").args(args).run();
    let detail = detail(&docker, &container);
    assert!(mount(&detail, "/").read_only);
    assert!(mount(&detail, "/w").read_only);
    assert!(!container.succeeds("echo x > /x"));
}

#[test]
fn a_destination_that_leads_through_a_link_is_found_where_it_really_is() {
    let Some((cli, docker)) = real_as_root() else { return };
    let volume = cli.volume("linked", &[]);
    let args = ["-v", &format!("{}:/var/run/data", volume.name)];
    let container = cli.container("linked").args(args).run();
    assert_eq!(mount(&detail(&docker, &container), "/run/data").storage, StorageKind::NamedVolume);
}

#[test]
fn the_hosts_shared_memory_is_not_the_containers_own() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("ipc").args(["--ipc", "host"]).run();
    assert_eq!(mount(&detail(&docker, &container), "/dev/shm").storage, StorageKind::BindMemory);
}

#[test]
fn a_container_that_removes_itself_is_known_as_such() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("rm").args(["--rm"]).run();
    let detail = detail(&docker, &container);
    assert_eq!([detail.on_crash, detail.on_stop, detail.on_reboot], [Aftermath::Removed; 3]);
}

#[test]
fn what_a_mount_holds_is_measured() {
    let Some((cli, docker)) = real_as_root() else { return };
    let volume = cli.volume("measured", &[]);
    let args = ["-v", &format!("{}:/data", volume.name), "--tmpfs", "/scratch"];
    let container = cli.container("measured").args(args).run();
    container.exec("for d in /data /scratch /tmp; do dd if=/dev/zero of=$d/x bs=1k count=300; done");
    let detail = detail(&docker, &container);
    for target in ["/data", "/scratch", "/"] {
        let budget = std::time::Duration::from_secs(5);
        let measure = wait(docker.measure(&key(&container), mount(&detail, target), budget));
        let Measure::Bytes(bytes) = measure else { panic!("{target}: {measure:?}") };
        assert!((300 << 10..600 << 10).contains(&bytes), "{target}: {bytes}");
    }
    assert_eq!(mount(&detail, "/").backing, Backing::Layer);
}
