//! Layers on real overlays of the kernel: what is new, changed, deleted, and only looks so.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::Below;
use crate::core::finding::LayerCount;
use crate::core::storage::StorageKind;
use crate::port::{Pace, Walk as _};
use crate::scan::tree::{Met, Tree};
use crate::scan::{Job, Rule};

/// An overlay of two layers, mounted until dropped.
struct Overlay {
    dir: TempDir,
}

impl Overlay {
    /// `None` where it may not be mounted, or the kernel does not take the option.
    fn mount(on: &Path, options: &str) -> Option<Self> {
        let dir = tempfile::tempdir_in(on).ok()?;
        let file = |path: &str, content: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("parent")).expect("folders");
            fs::write(path, content).expect("file");
        };
        for path in
            ["changed", "deleted", "attributes", "moved-attributes", "twice", "opt/env/old", "opt/env/new"]
        {
            file(&format!("bottom/{path}"), "of the image");
        }
        for path in ["renamed/a", "renamed/b", "renamed/deep/c", "kept/x", "gone-folder/x"] {
            file(&format!("bottom/{path}"), "of the image");
        }
        // The upper of the two layers changes one file, adds one, and deletes one.
        for path in ["twice", "kept/y", "renamed/d"] {
            file(&format!("top/{path}"), "of the image too");
        }
        file("bottom/gone", "deleted by the layer above it");
        let gone = dir.path().join("top/gone");
        let device = rustix::fs::FileType::CharacterDevice;
        rustix::fs::mknodat(rustix::fs::CWD, gone, device, 0o600.into(), 0).ok()?;
        for name in ["upper", "work", "merged"] {
            fs::create_dir(dir.path().join(name)).expect("folder");
        }
        let at = |name: &str| dir.path().join(name).display().to_string();
        let [top, bottom, upper, work] = ["top", "bottom", "upper", "work"].map(at);
        let options = format!("lowerdir={top}:{bottom},upperdir={upper},workdir={work}{options}");
        let arguments = ["-t", "overlay", "overlay", "-o", &options, &at("merged")];
        let mounted = Command::new("mount").args(arguments).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self { dir })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join("merged").join(name)
    }

    fn write(&self, name: &str) {
        fs::create_dir_all(self.at(name).parent().expect("parent")).expect("folders");
        fs::write(self.at(name), "mine").expect("file");
    }

    fn remove(&self, name: &str) {
        let removed = fs::remove_file(self.at(name)).or_else(|_| fs::remove_dir_all(self.at(name)));
        removed.expect("removed");
    }

    fn below(&self, trusted: bool) -> Below {
        Below { layers: ["top", "bottom"].map(|name| self.dir.path().join(name)).into(), trusted }
    }

    /// What every overlay can: new, changed, deleted, replaced.
    fn work(&self) {
        for name in ["new", "changed", "twice", "fresh/deep/new", "kept/z"] {
            self.write(name);
        }
        symlink("changed", self.at("link")).expect("link");
        self.remove("deleted");
        self.remove("gone-folder");
        self.remove("opt/env");
        self.write("opt/env/mine");
        self.write("opt/env/new");
        self.write("gone");
    }

    fn read(&self, below: Below) -> (BTreeMap<String, bool>, LayerCount) {
        read(&self.dir.path().join("upper"), below)
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.at("")).status();
    }
}

/// The files of an upper directory, each with whether it is a changed one of the image.
fn read(upper: &Path, below: Below) -> (BTreeMap<String, bool>, LayerCount) {
    let job = Job {
        root: upper.into(),
        shown_at: "/".into(),
        storage: StorageKind::WritableLayer,
        rule: Rule::Upper,
        skip: Vec::new(),
        below,
    };
    let files = Arc::new(Mutex::new(BTreeMap::new()));
    let told = Arc::clone(&files);
    let tell = Box::new(move |met: Met| {
        let named = met.files.into_iter().map(|file| (file.path.display().to_string(), file.changed));
        told.lock().expect("files").extend(named);
        std::ops::ControlFlow::Continue(())
    });
    let tree = Tree::of(&job, Pace::Full, Some(tell)).expect("walk");
    assert!(tree.ended(Duration::from_mins(1)));
    let progress = tree.progress();
    assert!(progress.finished && progress.gaps.is_empty(), "{progress:?}");
    let count = tree.layer().expect("a layer is counted");
    let files = std::mem::take(&mut *files.lock().expect("files"));
    assert_eq!(files.len() as u64, count.new + count.changed, "{files:?}");
    (files, count)
}

fn names(files: &BTreeMap<String, bool>, changed: bool) -> Vec<&str> {
    files.iter().filter(|(_, was)| **was == changed).map(|(name, _)| name.as_str()).collect()
}

/// Memory and the disk, which keep attributes differently.
fn places() -> [PathBuf; 2] {
    ["/dev/shm".into(), std::env::temp_dir()]
}

#[test]
fn new_changed_and_deleted_files_are_told_apart() {
    for (place, options, trusted) in
        places().into_iter().flat_map(|place| [(place.clone(), "", true), (place, ",userxattr", false)])
    {
        let Some(overlay) = Overlay::mount(&place, options) else {
            eprintln!("skipped: no overlay with \"{options}\" on {}", place.display());
            continue;
        };
        overlay.work();
        let (files, count) = overlay.read(overlay.below(trusted));
        let new = ["/fresh/deep/new", "/gone", "/kept/z", "/new", "/opt/env/mine"];
        assert_eq!(names(&files, false), new, "what a layer of the image deleted is new again");
        assert_eq!(names(&files, true), ["/changed", "/opt/env/new", "/twice"], "made anew is changed too");
        // `deleted`, `gone-folder`, and `opt/env/old`, which the folder made anew hides.
        assert_eq!((count.deleted, count.attributes), (3, 0), "{options}");
        let (marks_alone, count) = overlay.read(Below { layers: Vec::new(), trusted });
        assert_eq!(marks_alone.keys().collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());
        assert_eq!((names(&marks_alone, true), count.deleted), (vec!["/changed", "/twice"], 2));
    }
}

#[test]
fn renamed_folders_and_files_without_data_of_their_own_are_seen_through() {
    for place in places() {
        let Some(overlay) = Overlay::mount(&place, ",metacopy=on,redirect_dir=on") else {
            eprintln!("skipped: no overlay with metacopy and redirect on {}", place.display());
            continue;
        };
        overlay.work();
        fs::rename(overlay.at("renamed"), overlay.at("fresh/moved")).expect("renamed");
        fs::rename(overlay.at("kept"), overlay.at("beside")).expect("renamed");
        overlay.write("fresh/moved/a");
        overlay.write("fresh/moved/deep/new");
        overlay.remove("fresh/moved/d");
        overlay.write("beside/y");
        fs::set_permissions(overlay.at("attributes"), Permissions::from_mode(0o600)).expect("mode");
        fs::set_permissions(overlay.at("moved-attributes"), Permissions::from_mode(0o600)).expect("mode");
        fs::rename(overlay.at("moved-attributes"), overlay.at("fresh/attributes")).expect("renamed");
        let (files, count) = overlay.read(overlay.below(true));
        let new = ["/beside/z", "/fresh/deep/new", "/fresh/moved/deep/new", "/gone", "/new", "/opt/env/mine"];
        assert_eq!(names(&files, false), new);
        let changed = ["/beside/y", "/changed", "/fresh/moved/a", "/opt/env/new", "/twice"];
        assert_eq!(names(&files, true), changed, "compared with where the folder was");
        assert_eq!(count.attributes, 2, "their data is the image's");
        // Three as without renaming, the old places of two folders and a file, and one in a renamed folder.
        assert_eq!(count.deleted, 7);
    }
}

#[test]
fn marks_that_anybody_can_set_do_not_hide_a_file_where_the_kernel_uses_others() {
    let Some(overlay) = Overlay::mount(&std::env::temp_dir(), "") else {
        eprintln!("skipped: no right to mount an overlay");
        return;
    };
    overlay.write("changed");
    overlay.write("mine/weights.pt");
    let set = |name: &str, mark: &str| {
        rustix::fs::setxattr(overlay.at(name), mark, b"y", rustix::fs::XattrFlags::empty()).expect("attribute");
    };
    set("changed", "user.overlay.metacopy");
    set("mine/weights.pt", "user.overlay.metacopy");
    set("mine", "user.overlay.opaque");
    set("mine", "user.overlay.redirect");
    let (files, count) = overlay.read(overlay.below(true));
    assert_eq!(files, BTreeMap::from([("/changed".into(), true), ("/mine/weights.pt".into(), false)]));
    assert_eq!((count.attributes, count.deleted), (0, 0));
}

#[test]
fn a_layer_beneath_that_may_not_be_read_leaves_the_marks() {
    let Some(overlay) = Overlay::mount(&std::env::temp_dir(), "") else {
        eprintln!("skipped: no right to mount an overlay");
        return;
    };
    overlay.write("changed");
    overlay.write("new");
    let mut below = overlay.below(true);
    below.layers.push("/nowhere/at/all".into());
    let (files, _) = overlay.read(below);
    assert_eq!(files, BTreeMap::from([("/changed".into(), true), ("/new".into(), false)]));
}
