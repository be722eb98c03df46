//! What goes on in a container: its processes, and the files that they have open for writing.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::core::error::{Kind, Result};
use crate::port::Activity;

use super::{LIMIT, Link, blocking, http};

/// Whoever has so many files open is looked at no further.
const MOST: usize = 4096;

/// What the engine lists of a container's processes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Top {
    titles: Vec<String>,
    processes: Option<Vec<Vec<String>>>,
}

pub(super) async fn look(link: &Link, id: &str) -> Result<Activity> {
    let session = link.session().await?;
    let place = format!("/containers/{}/top?ps_args={}", http::encoded(id), http::encoded("-eo pid,args"));
    let top = match link.socket.json::<Top>("a list of its processes", &place, LIMIT).await {
        Ok(top) => top,
        // One that does not run has none.
        Err(error) if matches!(error.kind, Kind::Conflict) => {
            return Ok(Activity { processes: Some(Vec::new()), writers: Some(Vec::new()) });
        }
        Err(error) if matches!(error.kind, Kind::Unreachable | Kind::TimedOut) => return Err(error),
        Err(_) => return Ok(Activity::default()),
    };
    let processes = processes(&top);
    let pids: Vec<i64> = processes.iter().map(|(pid, _)| *pid).collect();
    let writers = if session.local { blocking(move || writers(&pids)).await? } else { None };
    Ok(Activity { processes: Some(processes), writers })
}

fn processes(top: &Top) -> Vec<(i64, String)> {
    let column = |title: &str| top.titles.iter().position(|known| known == title);
    let (Some(pid), Some(command)) = (column("PID"), column("COMMAND").or_else(|| column("CMD"))) else {
        return Vec::new();
    };
    let line = |line: &Vec<String>| Some((line.get(pid)?.parse().ok()?, line.get(command)?.clone()));
    top.processes.iter().flatten().filter_map(line).collect()
}

/// The files that processes have open for writing, by their paths inside; `None` where one of them
/// may not be looked at.
fn writers(pids: &[i64]) -> Option<Vec<(i64, PathBuf)>> {
    let mut found = Vec::new();
    for pid in pids {
        let folder = PathBuf::from(format!("/proc/{pid}/fd"));
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(_) => return None,
        };
        for entry in entries.flatten().take(MOST) {
            if let Some(path) = written(&entry.path()) {
                found.push((*pid, path));
            }
        }
    }
    found.sort();
    found.dedup();
    Some(found)
}

/// The regular file that an entry of a process stands for, if it was opened for writing.
fn written(entry: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    // The entry is a link whose permissions say what the file was opened for.
    let opened = std::fs::symlink_metadata(entry).ok()?;
    if opened.permissions().mode() & 0o200 == 0 {
        return None;
    }
    let path = std::fs::read_link(entry).ok()?;
    let is_file = path.is_absolute() && std::fs::metadata(entry).is_ok_and(|found| found.is_file());
    is_file.then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_read_whatever_the_columns_are_called() {
        let top = |titles: [&str; 2]| Top {
            titles: titles.map(str::to_owned).to_vec(),
            processes: Some(vec![vec!["7".into(), "python train.py".into()], vec!["x".into(), "y".into()]]),
        };
        assert_eq!(processes(&top(["PID", "COMMAND"])), [(7, "python train.py".to_owned())]);
        assert_eq!(processes(&top(["PID", "CMD"])).len(), 1);
        assert!(processes(&top(["A", "B"])).is_empty());
    }

    #[test]
    fn only_what_is_open_for_writing_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.log");
        let file = std::fs::File::create(&path).unwrap();
        let own = i64::from(std::process::id());
        assert!(writers(&[own]).unwrap().contains(&(own, path.clone())));
        drop(file);
        let _read = std::fs::File::open(&path).unwrap();
        assert!(!writers(&[own]).unwrap().contains(&(own, path)));
    }
}
