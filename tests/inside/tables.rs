//! What each line of a mount table amounts to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use outlast::core::mount::Mount;
use outlast::core::storage::StorageKind as Kind;
use outlast::engine::machine::{Clues, Container, Runtime, mounts, recognise};
use outlast::scan::mountinfo;

fn read(name: &str) -> Vec<mountinfo::Line> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/inside/fixtures/{name}.mountinfo"));
    mountinfo::parse(&std::fs::read(path).unwrap())
}

fn seen(name: &str, clues: &Clues) -> (Option<Container>, Vec<Mount>) {
    let lines = read(name);
    let container = recognise(&lines, clues);
    let mounts = mounts(&lines, container.as_ref());
    (container, mounts)
}

fn init(name: &str) -> Clues {
    Clues { init: Some(name.into()), ..Clues::default() }
}

fn kinds(mounts: &[Mount]) -> BTreeMap<PathBuf, Kind> {
    mounts.iter().map(|mount| (mount.target.clone(), mount.storage)).collect()
}

fn check(mounts: &[Mount], expected: &[(&str, Kind)]) {
    let kinds = kinds(mounts);
    for (target, kind) in expected {
        assert_eq!(kinds.get(Path::new(target)), Some(kind), "{target}");
    }
    let listed: Vec<_> = kinds.iter().filter(|(_, kind)| **kind != Kind::Pseudo).collect();
    assert_eq!(listed.len(), expected.iter().filter(|(_, kind)| *kind != Kind::Pseudo).count(), "{listed:#?}");
}

#[test]
fn every_mount_of_a_docker_container_is_told_apart() {
    let (container, mounts) = seen("docker", &init("sleep"));
    let container = container.unwrap();
    assert_eq!(container.runtime, Runtime::Docker);
    assert_eq!(container.id.map(|id| id.len()), Some(64), "the full id, without a daemon");
    assert_eq!(mounts[0].target, Path::new("/"), "the root comes first");
    check(
        &mounts,
        &[
            ("/", Kind::WritableLayer),
            ("/dev/shm", Kind::Tmpfs),
            ("/anon", Kind::AnonymousVolume),
            ("/workspace", Kind::BindMount),
            ("/workspace/.cache", Kind::Tmpfs),
            ("/data", Kind::NamedVolume),
            ("/ramdisk", Kind::BindMemory),
            ("/bt", Kind::BindMount),
            ("/tm2", Kind::Tmpfs),
            ("/scratch", Kind::Tmpfs),
            ("/etc/hosts", Kind::RuntimeFile),
            ("/etc/hostname", Kind::RuntimeFile),
            ("/etc/resolv.conf", Kind::RuntimeFile),
            ("/rv", Kind::Tmpfs),
            ("/bv", Kind::BindMount),
            ("/gone", Kind::BindDeleted),
            ("/s p", Kind::BindMount),
            ("/jobtmp", Kind::BindTemp),
            ("/blk", Kind::BlockVolume),
            ("/proc", Kind::Pseudo),
            ("/proc/acpi", Kind::Pseudo),
            ("/dev", Kind::Pseudo),
            ("/dev/mqueue", Kind::Pseudo),
            ("/sys/fs/cgroup", Kind::Pseudo),
        ],
    );
    let of = |target: &str| mounts.iter().find(|mount| mount.target == Path::new(target)).unwrap();
    assert!(of("/jobtmp").read_only && !of("/data").read_only);
    assert_eq!(of("/data").source, "namedvol");
    assert_eq!(of("/workspace").source, "/home/alice/workspace/proj");
    assert_eq!(of("/gone").source, "/srv/gone");
    assert!(mounts.iter().all(|mount| mount.host_path.is_none()), "the host's paths mean nothing in here");
}

#[test]
fn a_data_folder_of_its_own_hides_neither_the_id_nor_the_volumes() {
    let (container, mounts) = seen("docker-own-disk", &Clues::default());
    assert!(container.unwrap().id.is_some());
    check(
        &mounts,
        &[("/", Kind::WritableLayer), ("/etc/hostname", Kind::RuntimeFile), ("/sep", Kind::NamedVolume)],
    );
}

#[test]
fn a_root_in_user_space_is_a_layer_like_any_other() {
    let (container, mounts) = seen("docker-fuse", &Clues::default());
    assert_eq!(container.unwrap().runtime, Runtime::Docker);
    check(&mounts, &[("/", Kind::WritableLayer), ("/etc/hosts", Kind::RuntimeFile)]);
}

#[test]
fn a_podman_container_is_known_by_its_mounts_alone() {
    let (container, mounts) = seen("podman", &Clues::default());
    let container = container.unwrap();
    assert_eq!((container.runtime, container.id.is_some()), (Runtime::Podman, true));
    check(
        &mounts,
        &[
            ("/", Kind::WritableLayer),
            ("/dev/shm", Kind::Tmpfs),
            ("/etc/hosts", Kind::RuntimeFile),
            ("/run/.containerenv", Kind::RuntimeFile),
            ("/run/secrets", Kind::RuntimeFile),
            ("/results", Kind::NamedVolume),
            ("/anon", Kind::AnonymousVolume),
        ],
    );
}

#[test]
fn a_pod_has_scratch_space_claims_and_files_of_the_platform() {
    let (container, mounts) = seen("kubernetes", &Clues { dockerenv: true, ..init("python") });
    let container = container.unwrap();
    assert_eq!(container.runtime, Runtime::Kubernetes, "whatever runtime is below");
    assert_eq!(container.id.as_deref(), Some("7d5c1f0e-3b7a-4c51-9a86-0f2f6c1d9e44"));
    check(
        &mounts,
        &[
            ("/", Kind::WritableLayer),
            ("/dev/shm", Kind::EmptyDirMemory),
            ("/dev/termination-log", Kind::RuntimeFile),
            ("/etc/hosts", Kind::RuntimeFile),
            ("/scratch", Kind::EmptyDir),
            ("/fast", Kind::EmptyDirMemory),
            ("/run/secrets/kubernetes.io/serviceaccount", Kind::RuntimeFile),
            ("/secret", Kind::RuntimeFile),
            ("/etc/app.conf", Kind::RuntimeFile),
            ("/home/work", Kind::Claim),
            ("/volume", Kind::BlockVolume),
            ("/shared", Kind::BindNetwork),
            ("/datasets", Kind::BindMount),
        ],
    );
}

#[test]
fn network_file_systems_are_told_from_disks_and_unclear_ones_stay_unknown() {
    let (container, mounts) = seen("network", &Clues { dockerenv: true, ..Clues::default() });
    assert_eq!(container.map(|container| container.id), Some(None), "no mount gives the id away");
    check(
        &mounts,
        &[
            ("/", Kind::WritableLayer),
            ("/nfs", Kind::BindNetwork),
            ("/home/alice", Kind::BindNetwork),
            ("/efs", Kind::BindNetwork),
            ("/efs-tls", Kind::BindNetwork),
            ("/cifs", Kind::BindNetwork),
            ("/lustre", Kind::BindNetwork),
            ("/bucket", Kind::Unknown),
            ("/what", Kind::Unknown),
        ],
    );
}

#[test]
fn a_machine_that_is_no_container_has_disks_and_memory_and_hides_what_containers_mount() {
    let (container, mounts) = seen("host", &init("systemd"));
    assert_eq!(container, None);
    check(
        &mounts,
        &[
            ("/", Kind::HostDisk),
            ("/dev/shm", Kind::HostMemory),
            ("/run", Kind::HostMemory),
            ("/tmp", Kind::HostMemory),
            ("/data", Kind::HostDisk),
            ("/home", Kind::BindNetwork),
            ("/srv/mnt", Kind::BindDeleted),
            ("/var/lib/docker/overlay2/2d72/merged", Kind::Pseudo),
            ("/run/docker/netns/ab12", Kind::Pseudo),
        ],
    );
}

#[test]
fn what_was_mounted_over_is_not_listed() {
    let (_, mounts) = seen("shadowed", &Clues { dockerenv: true, ..Clues::default() });
    check(&mounts, &[("/", Kind::WritableLayer), ("/proj", Kind::Tmpfs), ("/mnt", Kind::BindMount)]);
}
