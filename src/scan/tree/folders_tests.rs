//! The table of folders, by itself and with many threads.

use super::*;

fn of(allocated: u64) -> Added {
    Added { allocated, ..Added::NOTHING }
}

#[test]
fn what_is_added_to_a_folder_is_added_to_all_above_it() {
    let folders = Folders::new();
    let root = folders.add(0, b"", &of(1), Mark::default()).unwrap();
    let a = folders.add(root, b"a", &of(10), Mark::default()).unwrap();
    let b = folders.add(a, b"b", &of(100), Mark::default()).unwrap();
    folders.add_up(a, &of(10));
    folders.add_up(b, &Added { files: 3, newest: 7, ..of(1000) });
    let allocated = [root, a, b].map(|id| folders.get(id).unwrap().totals().allocated);
    assert_eq!(allocated, [1011, 1020, 1100], "the folder itself is added by who met it");
    assert_eq!((folders.get(root).unwrap().newest(), folders.get(root).unwrap().totals().files), (7, 3));
    let mut path = Vec::new();
    folders.path(b, &mut path);
    assert_eq!(path, b"a/b");
    folders.path(root, &mut path);
    assert_eq!(path, b"");
}

#[test]
fn a_folder_is_whole_when_all_beneath_it_is() {
    let folders = Folders::new();
    let root = folders.add(0, b"", &of(0), Mark::default()).unwrap();
    let child = folders.add(root, b"a", &of(0), Mark::default()).unwrap();
    let grows = |id| folders.get(id).unwrap().grows();
    folders.get(root).unwrap().expects(1);
    folders.close(root);
    assert!(grows(root) && grows(child), "the child is still read");
    folders.close(child);
    assert!(!grows(root) && !grows(child));
    folders.reopen(child, 2);
    assert!(grows(root) && grows(child), "whoever is above one that grows again does too");
    folders.close(child);
    assert!(grows(root) && grows(child));
    folders.close(child);
    assert!(!grows(root) && !grows(child));
}

#[test]
fn many_threads_add_folders_at_once() {
    let folders = Folders::new();
    folders.add(0, b"", &of(0), Mark::default()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let folders = &folders;
            scope.spawn(move || {
                for number in 0..2_000u32 {
                    let name = [thread.to_string(), number.to_string()].join("-");
                    let id = folders.add(0, name.as_bytes(), &of(1), Mark::default()).unwrap();
                    folders.add_up(0, &of(1));
                    assert_eq!(&**folders.get(id).unwrap().name(), name.as_bytes());
                }
            });
        }
    });
    assert_eq!(folders.count(), 8_001);
    assert_eq!(folders.get(0).unwrap().totals().allocated, 8_000);
    assert!(folders.get(8_001).is_none());
}

#[test]
fn the_place_of_a_folder_that_is_gone_is_given_on_under_another_name() {
    let folders = Folders::new();
    let root = folders.add(0, b"", &of(0), Mark::default()).unwrap();
    let first = folders.add(root, b"a", &of(5), Mark { inode: 7, stamp: None }).unwrap();
    let outside = folders.outside(first);
    assert_eq!((folders.outside(root), folders.inside(outside)), (FolderId::ROOT, Some(first)));
    folders.get(first).unwrap().put(b"entries", true);
    folders.end(first);
    assert!(folders.get(first).is_none() && folders.inside(outside).is_none());
    assert_eq!((folders.living(), folders.count()), (1, 2));
    let second = folders.add(root, b"b", &of(9), Mark::default()).unwrap();
    assert_eq!(second, first, "there is no other place so far");
    assert_ne!(folders.outside(second), outside);
    assert!(folders.inside(outside).is_none() && folders.inside(folders.outside(second)).is_some());
    let folder = folders.get(second).unwrap();
    assert!(folder.grows() && folder.entries().is_empty());
    assert_eq!((folder.totals().allocated, folder.mark().inode), (9, 0));
    assert_eq!(folders.inside(FolderId(7_777)), None);
}

#[test]
fn what_is_taken_from_a_folder_is_taken_from_all_above_it() {
    let folders = Folders::new();
    let root = folders.add(0, b"", &of(1), Mark::default()).unwrap();
    let a = folders.add(root, b"a", &of(10), Mark::default()).unwrap();
    folders.add_up(a, &Added { files: 3, newest: 9, ..of(100) });
    folders.take_up(a, &Added { files: 2, ..of(60) });
    let totals = [root, a].map(|id| folders.get(id).unwrap().totals());
    assert_eq!(totals.map(|totals| (totals.allocated, totals.files)), [(41, 1), (50, 1)]);
    folders.renew(a);
    assert!([root, a].iter().all(|id| folders.get(*id).unwrap().newest() < 9), "nothing is there now");
}
