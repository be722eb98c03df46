//! Python's packages that are in the writable layer alone, told by the records that pip leaves.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::plan::Retiring;
use crate::core::classify::Grounds;
use crate::core::finding::Risk;
use crate::core::spot::Spot;
use crate::core::workspace::Workspace;
use crate::port::{EntryKind, Job};
use crate::work::act::files::on_disk;

/// Entries of one folder that are looked at.
const MOST: usize = 20_000;
/// Folders that packages lie in.
const FOLDERS: [&str; 2] = ["site-packages", "dist-packages"];

/// The packages by name and version, each with its bytes.
pub(super) async fn packages(
    by: &Retiring<'_>,
    workspace: &Workspace,
    grounds: &Grounds,
    risk: &Risk,
) -> Vec<(String, u64)> {
    let mut found: Vec<(String, u64)> = Vec::new();
    for folder in folders(risk) {
        let Ok(at) = by.engine.whereabouts(&workspace.key, &grounds.detail, &folder).await else { continue };
        // What the image has beneath is not new.
        let spot = at.written.unwrap_or(at.spot);
        let read = on_disk(by.files, move |files| {
            let mut all = Vec::new();
            for place in places(&spot, files) {
                all.extend(in_folder(&place, files));
            }
            Ok(all)
        });
        for package in read.await.unwrap_or_default() {
            if !found.iter().any(|(known, _)| *known == package.0) {
                found.push(package);
            }
        }
    }
    found
}

/// The folders with packages that findings lie in, and environments as a whole.
fn folders(risk: &Risk) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    for finding in &risk.findings {
        let packages = finding
            .path
            .ancestors()
            .find(|above| above.file_name().is_some_and(|name| FOLDERS.iter().any(|folder| name == *folder)));
        let folder = match packages {
            Some(folder) => folder,
            None if finding.files > 1 => &finding.path,
            None => continue,
        };
        if !found.iter().any(|known| known == folder) {
            found.push(folder.to_path_buf());
        }
    }
    found
}

/// Where packages lie in a folder: in itself, or in the `lib` of an environment.
fn places(folder: &Spot, files: &dyn crate::port::Files) -> Vec<Spot> {
    if folder.name().is_some_and(|name| FOLDERS.iter().any(|known| name == *known)) {
        return vec![folder.clone()];
    }
    let Some(lib) = folder.join(OsStr::new("lib")) else { return Vec::new() };
    let listed = files.list(&lib, MOST).map(|listing| listing.entries).unwrap_or_default();
    let pythons = listed.into_iter().filter(|entry| entry.name.to_string_lossy().starts_with("python"));
    pythons.filter_map(|entry| lib.join(&entry.name)?.join(OsStr::new(FOLDERS[0]))).collect()
}

fn in_folder(folder: &Spot, files: &dyn crate::port::Files) -> Vec<(String, u64)> {
    let listed = files.list(folder, MOST).map(|listing| listing.entries).unwrap_or_default();
    let names: Vec<_> =
        listed.into_iter().filter(|entry| entry.kind == EntryKind::Folder).map(|entry| entry.name).collect();
    let bytes_of = |name: &OsStr| {
        let spot = folder.join(name);
        spot.and_then(|spot| files.count(&spot, &Job::default()).ok()).map_or(0, |(_, bytes)| bytes)
    };
    let record = |name: &OsStr| {
        let text = Path::new(name).to_str()?;
        let record = text.strip_suffix(".dist-info").or_else(|| text.strip_suffix(".egg-info"))?;
        let (package, version) = record.split_once('-')?;
        Some((package.to_owned(), version.split('-').next().unwrap_or(version).to_owned()))
    };
    let mut found = Vec::new();
    for name in &names {
        let Some((package, version)) = record(name) else { continue };
        let own = names.iter().find(|known| known.eq_ignore_ascii_case(&package));
        let bytes = bytes_of(name) + own.map_or(0, |own| bytes_of(own));
        found.push((format!("{package} {version}"), bytes));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::LocalFiles;

    #[test]
    fn a_package_is_told_by_its_record_whatever_else_lies_there() {
        let folder = tempfile::tempdir().unwrap();
        let packages = folder.path().join("venv/lib/python3.12/site-packages");
        for name in ["numpy-2.1.0.dist-info", "numpy", "other", "x-1-py3.egg-info"] {
            std::fs::create_dir_all(packages.join(name)).unwrap();
        }
        std::fs::write(packages.join("numpy/core.py"), vec![1; 5000]).unwrap();
        let venv = Spot::new(folder.path(), Path::new("venv")).unwrap();
        let mut found: Vec<_> =
            places(&venv, &LocalFiles).iter().flat_map(|place| in_folder(place, &LocalFiles)).collect();
        found.sort();
        assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["numpy 2.1.0", "x 1"]);
        assert!(found[0].1 >= 5000);
    }
}
