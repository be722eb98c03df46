//! A person's folder on this machine: what can be seen first, what is hidden last.

use std::path::{Path, PathBuf};

use super::stream::run;
use super::{Below, Job, Rule};
use crate::core::storage::StorageKind;
use crate::port::ScanStream;

/// Reads a folder with all below it on its own mount, following no link: hidden folders at its top
/// hold caches more often than work, so they come last. The paths in `without` are left out;
/// a folder that is not there holds nothing.
pub fn folder(root: &Path, without: &[PathBuf]) -> ScanStream {
    let (root, without) = (root.to_path_buf(), without.to_vec());
    run(move || jobs(root, &without), true)
}

fn jobs(root: PathBuf, without: &[PathBuf]) -> Vec<Job> {
    let missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    if std::fs::symlink_metadata(&root).as_ref().is_err_and(missing) {
        return Vec::new();
    }
    let entries = std::fs::read_dir(&root).into_iter().flatten().flatten();
    let hidden: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"."))
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .filter(|path| !without.contains(path))
        .collect();
    let job = |root: PathBuf, skip: Vec<PathBuf>| Job {
        shown_at: root.clone(),
        root,
        storage: StorageKind::HostDisk,
        rule: Rule::Everything,
        skip,
        below: Below::default(),
    };
    let first = job(root, without.iter().chain(&hidden).cloned().collect());
    std::iter::once(first).chain(hidden.into_iter().map(|folder| job(folder, without.to_vec()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::ScanItem;
    use futures_util::StreamExt as _;

    #[test]
    fn what_is_hidden_comes_last_and_what_is_left_out_never() {
        let dir = tempfile::tempdir().expect("temporary directory");
        for folder in [".cache", "work", "projects"] {
            std::fs::create_dir(dir.path().join(folder)).expect("folder");
            std::fs::write(dir.path().join(folder).join("x"), "x").expect("file");
        }
        std::fs::write(dir.path().join(".profile"), "x").expect("file");
        std::os::unix::fs::symlink("/etc", dir.path().join("link")).expect("link");
        let items = folder(dir.path(), &[dir.path().join("projects")]).collect::<Vec<_>>();
        let items = tokio::runtime::Builder::new_current_thread().build().expect("runtime").block_on(items);
        let files = items.into_iter().filter_map(|item| match item {
            ScanItem::Files(files) => Some(files),
            _ => None,
        });
        let shown = |path: &Path| path.strip_prefix(dir.path()).expect("below").display().to_string();
        let mut found: Vec<String> = files.flatten().map(|file| shown(&file.path)).collect();
        assert_eq!(found.pop().as_deref(), Some(".cache/x"));
        found.sort();
        assert_eq!(found, [".profile", "work/x"]);
    }
}
