//! One entry for each file system, and the machine that this runs on.

use super::*;
use crate::core::quota::{Space, Told};
use crate::port::Whose;

fn visit(line: &str) -> Visit {
    let line = mountinfo::parse(line.as_bytes()).pop().unwrap();
    Visit { line, places: Vec::new(), whose: None, siblings: Vec::new() }
}

fn told(device: &str, total: u64) -> Heard {
    let space = Space { total, used: 0, available: total, inodes: None, elastic: false };
    Heard::Told(device.into(), Told { space, quotas: Vec::new(), gap: None })
}

fn targets(found: &[FileSystem]) -> Vec<String> {
    found.iter().map(|found| found.target.display().to_string()).collect()
}

#[test]
fn binds_of_one_disk_are_told_once_and_a_smaller_size_on_it_is_a_limit() {
    let visits = vec![
        visit("2 1 254:0 /home/a /workspace rw - ext4 /dev/vda rw"),
        visit("1 0 254:0 / / rw - ext4 /dev/vda rw"),
        visit("3 1 254:0 /p /limited rw - ext4 /dev/vda rw"),
        visit("4 1 0:4 / /shm rw - tmpfs tmpfs rw"),
        visit("5 1 0:5 / /scratch rw - tmpfs tmpfs rw"),
    ];
    let heard = [("1", 100), ("1", 100), ("1", 30), ("4", 100), ("5", 100)];
    let heard = heard.map(|(device, total)| Some(told(device, total))).into();
    let found = merged(visits, heard, false);
    assert_eq!(targets(&found), ["/", "/limited", "/shm", "/scratch"]);
    assert_eq!(found[0].also, [PathBuf::from("/workspace")]);
}

#[test]
fn what_gives_no_answer_stays_and_what_is_hidden_or_closed_to_us_goes() {
    let line = |id: u32, target: &str| visit(&format!("{id} 0 0:{id} / {target} rw - nfs4 server:/x rw"));
    let visits = vec![line(1, "/dead"), line(2, "/hidden"), line(3, "/closed"), line(4, "/broken")];
    let failed = |kind| Some(Heard::Failed(Error::new(kind, "no")));
    let heard = vec![None, Some(Heard::Nothing), failed(Kind::NotPermitted), failed(Kind::Failed)];
    let found = merged(visits, heard, false);
    assert_eq!(targets(&found), ["/dead", "/broken"]);
    assert_eq!(found[0].answer, Answer::Silent);
    assert!(matches!(&found[1].answer, Answer::Failed(_)));
}

#[test]
fn this_machine_has_a_root_with_a_size_and_the_mounts_of_the_kernel_are_not_listed() {
    let question = SpaceQuestion { places: vec!["/".into()], ..SpaceQuestion::default() };
    let found = LocalFileSystems.look(&question).unwrap();
    let root = found.iter().find(|found| !found.places.is_empty()).expect("the root");
    let Answer::Told(told) = &root.answer else { panic!("{root:?}") };
    assert!(told.space.total > 0);
    assert!(found.iter().all(|found| !found.target.starts_with("/proc") && !found.target.starts_with("/sys")));
}

#[test]
fn one_path_is_answered_by_its_own_file_system_and_what_is_not_there_is_an_error() {
    let of = |path: &str| {
        let whose =
            Some(Whose { user: rustix::process::geteuid().as_raw(), groups: vec![0], everybody: false });
        LocalFileSystems.look(&SpaceQuestion { only: Some(path.into()), places: Vec::new(), whose })
    };
    let found = of("/etc/passwd").unwrap();
    assert_eq!(found.len(), 1);
    let Answer::Told(told) = &found[0].answer else { panic!("{found:?}") };
    assert!(!told.quotas.is_empty(), "limits that are not enabled are an answer, too");
    assert_eq!(of("/nowhere/at/all").unwrap_err().kind, Kind::NotFound);
    assert_eq!(of("/proc/self").unwrap_err().kind, Kind::Usage);
}
