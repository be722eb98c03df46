//! Visits: what is asked of which type, and sizes that are limits.

use super::*;
use crate::core::quota::Status;
use crate::scan::mountinfo::parse;

fn visit_of(line: &str) -> Visit {
    Visit {
        line: parse(line.as_bytes()).pop().unwrap(),
        places: Vec::new(),
        whose: Some(Whose { user: 0, groups: vec![0], everybody: false }),
        siblings: Vec::new(),
    }
}

fn space(total: u64, used: u64) -> Space {
    Space { total, used, available: total - used, inodes: None, elastic: false }
}

#[test]
fn a_folder_that_is_smaller_than_its_file_system_has_a_limit() {
    let counted = narrowed(space(10 << 20, 9 << 20), 190 << 20).unwrap();
    assert_eq!((counted.bytes.used, counted.bytes.soft), (Some(9 << 20), Some(10 << 20)));
    assert_eq!(counted.bytes.status(), Status::Warning);
    assert_eq!(narrowed(space(190 << 20, 1), 190 << 20), None, "the whole is no limit");
}

#[test]
fn only_the_root_of_a_container_has_a_layer_with_a_size() {
    let mut inside = visit_of("1 0 0:75 / / rw - overlay overlay rw,upperdir=/u");
    assert_eq!(layer_limit(&inside, space(50, 1)), None, "nothing tells that its disk is larger");
    inside.siblings = vec!["/proc/self/mountinfo".into(), "/".into()];
    let limit = layer_limit(&inside, space(50, 49)).unwrap();
    let bytes = limit.counted().unwrap().bytes;
    assert_eq!((bytes.used, bytes.soft, bytes.hard), (Some(49), None, Some(50)));
    assert!(limit.note.unwrap().contains("--storage-opt"));
    let data = visit_of("1 0 0:75 / /data rw - overlay overlay rw,upperdir=/u");
    assert_eq!(layer_limit(&data, space(50, 1)), None);
}

#[test]
fn what_a_server_or_a_layer_keeps_is_not_said_to_be_off() {
    for kind in ["nfs4", "fuse.sshfs", "overlay", "zfs", "virtiofs", "lustre"] {
        assert!(kept_elsewhere(kind).is_some(), "{kind}");
    }
    for kind in ["ext4", "xfs", "f2fs", "tmpfs"] {
        assert_eq!(kept_elsewhere(kind), None, "{kind}");
    }
}

#[test]
fn a_mount_that_another_one_hides_and_one_that_is_a_file_are_nothing() {
    let hidden = visit_of("4000000000 0 8:1 / /proc rw - ext4 /dev/x rw");
    assert!(matches!(visit(&hidden), Heard::Nothing), "another mount is there now");
    let file = visit_of("1 0 8:1 / /proc/self/stat rw - ext4 /dev/x rw");
    assert!(matches!(visit(&file), Heard::Nothing));
    let gone = visit_of("1 0 8:1 / /nowhere/at/all rw - ext4 /dev/x rw");
    assert!(matches!(visit(&gone), Heard::Nothing));
}

#[test]
fn an_errno_of_a_server_that_is_gone_says_what_to_do() {
    let stale = failed(Path::new("/srv"), Errno::STALE);
    assert!(stale.message.contains("gone from its server") && !stale.hints.is_empty());
    assert_eq!(failed(Path::new("/srv"), Errno::ACCESS).kind, Kind::NotPermitted);
    assert_eq!(failed(Path::new("/srv"), Errno::NOTCONN).kind, Kind::Unreachable);
}
