//! What every profile says of every place it knows, on every kind of storage.
//!
//! `<profile>.txt`: a line a folder, with a file in it after the colon; a column a kind of storage
//! that is mounted at the folder (`layer`: nothing is, the file was written there; `image`: nothing
//! is, the file came with the image). The seven letters are the fates in the order of the events
//! (crash, stop, retire, image removal, reboot, host loss, deletion of the folder): kept,
//! conditional, rebuilt, lost, untouched. `setups.txt`: whole workspaces.

mod setups;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use outlast::core::classify::{Grounds, Origin};
use outlast::core::facts::Facts;
use outlast::core::mount::{Backing, Mount, OnRelease, Source};
use outlast::core::recognise::{Profiles, Recognised};
use outlast::core::workspace::{Detail, RunState};

const TABLES: [(&str, &str); 5] = [
    ("docker", include_str!("docker.txt")),
    ("ds01", include_str!("ds01.txt")),
    ("vessl", include_str!("vessl.txt")),
    ("backendai", include_str!("backendai.txt")),
    ("deeporigin", include_str!("deeporigin.txt")),
];

/// A container's mounts without any of its own.
fn bare() -> Vec<Mount> {
    let pseudo = |target: &str| Mount::new(target.into(), "the kernel".into(), Backing::Pseudo, None);
    let mut mounts = vec![Mount::new("/".into(), "layer".into(), Backing::Layer, Some("overlay".into()))];
    mounts.extend(["/dev", "/proc", "/sys"].map(pseudo));
    mounts.push(Mount::new("/etc/hosts".into(), "the runtime".into(), Backing::Injected, None));
    mounts.push(Mount::new("/dev/shm".into(), "memory".into(), Backing::Memory, Some("tmpfs".into())));
    mounts
}

/// A mount of a kind that the tables name. `source` is where on the host, or which volume.
fn mount_of(kind: &str, target: &str, source: Option<&str>) -> Mount {
    let host =
        |path: &str, state: Source| Backing::HostDir { path: source.unwrap_or(path).into(), source: state };
    let volume = |anonymous| Backing::Volume { name: source.unwrap_or("v").into(), anonymous };
    let claim = |on_release, pinned| Backing::Claim { on_release, pinned };
    let (backing, filesystem) = match kind {
        "bind" | "ro" | "loop" | "hidden" => (host("/srv/elsewhere", Source::Present), Some("ext4")),
        "nfs" => (host("/net/share", Source::Present), Some("nfs4")),
        "hostmem" => (host("/dev/shm/x", Source::Present), Some("tmpfs")),
        "hosttmp" => (host("/var/tmp/x", Source::Present), Some("ext4")),
        "deleted" => (host("/srv/gone", Source::Deleted), Some("ext4")),
        "scratch" => (host("/var/lib/backend.ai/scratches/77/work", Source::Present), Some("ext4")),
        "named" => (volume(false), Some("ext4")),
        "netvol" => (volume(false), Some("nfs4")),
        "memvol" => (volume(false), Some("tmpfs")),
        "anon" | "anonmem" => (volume(true), Some("ext4")),
        "tmpfs" => (Backing::Memory, Some("tmpfs")),
        "block" => (Backing::Block, Some("ext4")),
        "unclear" => (host("/srv/elsewhere", Source::Present), Some("fuse.sshfs")),
        "replaced" => (host("/srv/moved", Source::Replaced), Some("ext4")),
        "unsure" => (host("/srv/elsewhere", Source::Unsure), Some("ext4")),
        "unsurenfs" => (host("/net/share", Source::Unsure), Some("nfs4")),
        "unseen" => (host("/far/away", Source::Unseen), None),
        "devices" => (host("/dev", Source::Present), Some("devtmpfs")),
        "scratchmem" => (host("/var/lib/backend.ai/scratches/78/work", Source::Present), Some("tmpfs")),
        "layermem" => (Backing::Layer, Some("overlay")),
        "emptydir" => (Backing::PodScratch { memory: false }, Some("ext4")),
        "emptydirmem" => (Backing::PodScratch { memory: true }, Some("tmpfs")),
        "claim" => (claim(OnRelease::Unknown, None), Some("ext4")),
        "claimerase" => (claim(OnRelease::Erase, Some(true)), Some("ext4")),
        "claimfree" => (claim(OnRelease::Keep, Some(false)), Some("nfs4")),
        "secret" => (Backing::Injected, Some("tmpfs")),
        other => panic!("{other}: no such kind of storage"),
    };
    let in_memory = match kind {
        "loop" | "scratchmem" | "anonmem" | "layermem" => Some(true),
        "hidden" => None,
        _ => Some(false),
    };
    let held = match &backing {
        Backing::HostDir { path, source } if !matches!(source, Source::Deleted | Source::Replaced) => {
            Some(path.clone())
        }
        Backing::Volume { name, .. } => Some(Path::new("/var/lib/docker/volumes").join(name).join("_data")),
        _ => None,
    };
    Mount::new(target.into(), "said".into(), backing, filesystem.map(str::to_string))
        .read_only(kind == "ro")
        .held_at(held)
        .in_host_memory(in_memory)
}

/// A workspace of a profile, as the product would stand on it.
fn grounds(profile: &str, detail: Detail) -> Grounds {
    let home = Some("/home/alice".into());
    let profiles = Profiles { home, ..crate::support::model::profiles() };
    let rules = profiles.rules_of(profile, Recognised::default(), Some(&detail)).unwrap();
    let detail = rules.refine(detail);
    Grounds {
        detail: Arc::new(detail),
        rules: Arc::new(rules),
        facts: Facts::default(),
        timing: Arc::default(),
        covers: Arc::default(),
    }
}

/// The seven fates of a path, one letter each.
fn letters(grounds: &Grounds, path: &str, origin: Origin) -> String {
    let answer = grounds.classifier().explain(Path::new(path), origin);
    answer.fates.0.iter().map(|answer| answer.fate.key().chars().next().unwrap()).collect()
}

#[test]
fn every_place_of_every_profile_on_every_kind_of_storage_has_the_fates_of_the_tables() {
    let (mut cases, mut wrong) = (0, String::new());
    for (profile, table) in TABLES {
        let mut lines = table.lines();
        let kinds: Vec<&str> = lines.next().unwrap().split_whitespace().skip(1).collect();
        for line in lines {
            let mut words = line.split_whitespace();
            let (folder, file) = words.next().unwrap().split_once(':').unwrap();
            let path = if file.is_empty() { folder.to_string() } else { format!("{folder}/{file}") };
            for (kind, expected) in kinds.iter().zip(words) {
                let mut detail = Detail { mounts: bare(), ..Detail::new(RunState::Running) };
                let mut origin = Origin::Layer;
                match *kind {
                    "layer" => {}
                    "image" => origin = Origin::Image,
                    kind => detail.mounts.push(mount_of(kind, folder, None)),
                }
                let ours = letters(&grounds(profile, detail), &path, origin);
                cases += 1;
                if ours != expected {
                    writeln!(wrong, "{profile} {path} on {kind}: {ours}, not {expected}").unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(cases > 700, "only {cases} cases");
}
