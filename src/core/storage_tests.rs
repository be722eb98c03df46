//! The table of storage kinds; what it says is performed on real containers in `tests/engine`.

use super::*;
use crate::core::aftermath::Aftermath;
use crate::core::event::Event;
use crate::core::fate::Fate;
use std::path::PathBuf;

fn host_dir(path: &str) -> Backing {
    Backing::HostDir { path: PathBuf::from(path), source: Source::Present }
}

#[test]
fn a_bind_mount_is_not_proof_of_persistence() {
    let of = |path: &str, fs: &str| StorageKind::of(&host_dir(path), Some(fs));
    assert_eq!(of("/home/u/work", "ext4"), StorageKind::BindMount);
    assert_eq!(of("/dev/shm/x", "tmpfs"), StorageKind::BindMemory);
    assert_eq!(of("/mnt/share", "nfs4"), StorageKind::BindNetwork);
    assert_eq!(of("/tmp/x", "ext4"), StorageKind::BindTemp);
    assert_eq!(of("/tmpfiles", "ext4"), StorageKind::BindMount, "only whole components count");
    for unclear in ["fuse.something", "fuse.sshfs", "9p", "virtiofs"] {
        assert_eq!(of("/mnt/x", unclear), StorageKind::Unknown, "{unclear}");
    }
}

#[test]
fn a_directory_of_another_machine_is_not_proof_of_anything() {
    let unseen = Backing::HostDir { path: PathBuf::from("/home/u/work"), source: Source::Unseen };
    assert_eq!(StorageKind::of(&unseen, None), StorageKind::Unknown);
    assert_eq!(StorageKind::of(&unseen, Some("ext4")), StorageKind::BindMount);
}

#[test]
fn a_volume_may_be_memory_or_network() {
    let volume = Backing::Volume { name: "v".into(), anonymous: false };
    assert_eq!(StorageKind::of(&volume, Some("tmpfs")), StorageKind::Tmpfs);
    assert_eq!(StorageKind::of(&volume, Some("nfs4")), StorageKind::NetworkVolume);
    assert_eq!(StorageKind::of(&volume, Some("ext4")), StorageKind::NamedVolume);
    assert_eq!(StorageKind::of(&volume, Some("fuse.sshfs")), StorageKind::Unknown);
    assert_eq!(StorageKind::of(&volume, None), StorageKind::NamedVolume, "the engine's own guarantee");
}

#[test]
fn every_kind_has_a_rule_a_key_and_a_label_for_every_event() {
    for kind in StorageKind::ALL {
        for event in Event::ALL {
            for after in [Aftermath::Stays, Aftermath::Recreated, Aftermath::Removed] {
                let rule = kind.rule(event, after, None);
                assert!(!rule.reason.is_empty());
                assert_eq!(
                    rule.fate == Fate::Conditional,
                    rule.condition.is_some(),
                    "{kind:?} {event:?}: a conditional fate names its condition, others have none"
                );
            }
        }
        assert_eq!(serde_json::to_value(kind).ok(), Some(kind.key().into()));
        assert!(!kind.label().is_empty());
    }
}

#[test]
fn a_container_that_removes_itself_loses_its_layer_at_stop() {
    let stop = |after| StorageKind::WritableLayer.rule(Event::Stop, after, None).fate;
    assert_eq!(stop(Aftermath::Stays), Fate::Kept);
    assert_eq!(stop(Aftermath::Recreated), Fate::Lost);
    assert_eq!(stop(Aftermath::Removed), Fate::Lost);
}
