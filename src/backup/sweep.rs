//! Temporary files that a killed backup leaves in a repository. Nobody else removes them, and no
//! check sees them.

use std::fs::{read_dir, remove_file};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The end of the name of a file that is being written.
const UNFINISHED: &str = "-tmp-";
/// A file that was not written to for so long belongs to nobody who is still at it.
const ABANDONED: Duration = Duration::from_hours(1);

/// What was swept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Removes what killed backups left in a repository of this machine.
pub(super) fn sweep(repository: &Path, now: SystemTime) -> Swept {
    let mut swept = Swept::default();
    let data = repository.join("data");
    let packs = read_dir(&data).into_iter().flatten().flatten().map(|entry| entry.path());
    let others = ["index", "snapshots", "keys", "config"].map(|folder| repository.join(folder));
    for folder in packs.chain(others).chain([repository.to_path_buf(), data]) {
        for entry in read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|name| name.strip_suffix(UNFINISHED)) else { continue };
            // Nothing but what the library itself writes: an id, or the settings.
            let ours = id == "config" || (id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
            let Some(metadata) = entry.metadata().ok().filter(|metadata| ours && metadata.is_file()) else {
                continue;
            };
            let quiet = metadata.modified().ok().and_then(|at| now.duration_since(at).ok());
            if quiet.is_some_and(|quiet| quiet >= ABANDONED) && remove_file(entry.path()).is_ok() {
                swept.files += 1;
                swept.bytes += metadata.blocks() * 512;
            }
        }
    }
    swept
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn only_old_unfinished_files_of_a_backup_are_swept() {
        let repository = tempfile::tempdir().unwrap();
        let folder = repository.path().join("data/ab");
        std::fs::create_dir_all(&folder).unwrap();
        let id = "ab".repeat(32);
        let names = [format!("{id}-tmp-"), id.clone(), "notes-tmp-".to_owned()];
        for name in &names {
            std::fs::write(folder.join(name), "x").unwrap();
        }
        let now = SystemTime::now();
        assert_eq!(sweep(repository.path(), now).files, 0, "somebody may be at it");
        let later = now + ABANDONED + Duration::from_secs(5);
        assert_eq!(sweep(repository.path(), later).files, 1);
        let left: Vec<bool> = names.iter().map(|name| folder.join(name).exists()).collect();
        assert_eq!(left, [false, true, true]);
    }
}
