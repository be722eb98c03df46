//! The qgroups of a btrfs, from the kernel's files: anybody may read them, in a container too.

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use crate::core::quota::{Amount, Counted, Doubt, Quota, QuotaKind, Reading};
use crate::sys::quota::subvolume;

/// Where the kernel tells of btrfs file systems.
const TOLD: &str = "/sys/fs/btrfs";

/// The limits on the subvolumes that folders lie in, each once.
pub(super) fn qgroups(source: &Path, folders: &[(PathBuf, OwnedFd)]) -> Vec<Quota> {
    let books = books(Path::new(TOLD), source);
    let mut found: Vec<Quota> = Vec::new();
    for (folder, handle) in folders {
        let Ok(number) = subvolume(handle.as_fd()) else { continue };
        if found.iter().any(|quota| quota.id == Some(number)) {
            continue;
        }
        found.push(quota(books.as_deref(), number, folder));
    }
    found
}

/// Every subvolume of which anything is counted.
pub(super) fn everybody(source: &Path, target: &Path) -> Vec<Quota> {
    let Some(books) = books(Path::new(TOLD), source) else { return vec![quota(None, 5, target)] };
    let Ok(entries) = std::fs::read_dir(books.join("qgroups")) else {
        return vec![quota(Some(&books), 5, target)];
    };
    let numbers = entries.flatten().filter_map(|entry| {
        let name = entry.file_name();
        name.to_str()?.strip_prefix("0_")?.parse::<u64>().ok()
    });
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers.into_iter().map(|number| quota(Some(&books), number, target)).collect()
}

/// The folder about the file system on a device; `None` where nobody can see it.
fn books(told: &Path, source: &Path) -> Option<PathBuf> {
    let device = source.canonicalize().unwrap_or_else(|_| source.to_path_buf());
    let name = device.file_name()?;
    let mut all = std::fs::read_dir(told).ok()?.flatten();
    all.find(|entry| entry.path().join("devices").join(name).exists()).map(|entry| entry.path())
}

fn quota(books: Option<&Path>, number: u64, place: &Path) -> Quota {
    let (reading, note) = match books {
        None => {
            let why = "the kernel's files about this file system cannot be seen from here";
            (Reading::NotReadable(why.into()), None)
        }
        Some(books) => reading(&books.join("qgroups"), number),
    };
    Quota {
        kind: QuotaKind::Qgroup,
        id: Some(number),
        subject: format!("0/{number}"),
        place: place.to_path_buf(),
        reading,
        note,
    }
}

/// What the files of one qgroup say, and which of its two limits that is.
fn reading(qgroups: &Path, number: u64) -> (Reading, Option<String>) {
    if !qgroups.exists() {
        return (Reading::NotEnabled, None);
    }
    let folder = qgroups.join(format!("0_{number}"));
    let read = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).ok()?;
        text.trim().parse::<u64>().ok()
    };
    let (Some(referenced), Some(exclusive)) = (read("referenced"), read("exclusive")) else {
        return (Reading::NotReadable("the kernel's files about this subvolume cannot be read".into()), None);
    };
    let flags = read("limit_flags").unwrap_or(0);
    let limit = |flag, name| (flags & flag != 0).then(|| read(name)).flatten();
    let amount = |used, hard| Amount { used: Some(used), hard, ..Amount::default() };
    let whole = amount(referenced, limit(1, "max_referenced"));
    let own = amount(exclusive, limit(2, "max_exclusive"));
    // Of two limits the one that is nearer.
    let by_own = own.hard.is_some() && (whole.hard.is_none() || own.percent() > whole.percent());
    let stale = std::fs::read_to_string(qgroups.join("inconsistent")).is_ok_and(|text| text.trim() == "1");
    let counted = Counted {
        bytes: if by_own { own } else { whole },
        doubt: stale.then_some(Doubt::Stale),
        ..Counted::default()
    };
    let note = by_own.then(|| "counts what no snapshot shares".to_owned());
    (Reading::Counted(counted), note)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files of one qgroup: name and content.
    fn told(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        folder
    }

    fn bytes(reading: &Reading) -> Amount {
        let Reading::Counted(counted) = reading else { panic!("{reading:?}") };
        counted.bytes
    }

    #[test]
    fn a_limit_counts_only_where_its_flag_is_set() {
        let with = |flags: &'static str| {
            let folder = told(&[
                ("0_256/referenced", "16384\n"),
                ("0_256/exclusive", "8192\n"),
                ("0_256/max_referenced", "20971520\n"),
                ("0_256/max_exclusive", "10240\n"),
                ("0_256/limit_flags", flags),
            ]);
            reading(folder.path(), 256)
        };
        let (none, _) = with("0\n");
        assert_eq!((bytes(&none).used, bytes(&none).limit()), (Some(16384), None));
        let (referenced, note) = with("1\n");
        assert_eq!((bytes(&referenced).hard, note), (Some(20_971_520), None));
        let (nearer, note) = with("3\n");
        assert_eq!((bytes(&nearer).used, bytes(&nearer).hard), (Some(8192), Some(10240)));
        assert_eq!(note.as_deref(), Some("counts what no snapshot shares"));
    }

    #[test]
    fn without_qgroups_nothing_is_enabled_and_without_files_nothing_is_known() {
        let folder = told(&[("inconsistent", "1\n")]);
        assert_eq!(reading(&folder.path().join("qgroups"), 5).0, Reading::NotEnabled);
        assert!(matches!(reading(folder.path(), 5).0, Reading::NotReadable(_)));
        assert_eq!(books(folder.path(), Path::new("/dev/none")), None);
        assert!(matches!(quota(None, 5, Path::new("/")).reading, Reading::NotReadable(_)));
    }

    #[test]
    fn counters_that_are_out_of_date_are_in_doubt() {
        let folder = told(&[("inconsistent", "1\n"), ("0_5/referenced", "1\n"), ("0_5/exclusive", "1\n")]);
        let (Reading::Counted(counted), _) = reading(folder.path(), 5) else { panic!() };
        assert_eq!(counted.doubt, Some(Doubt::Stale));
    }
}
