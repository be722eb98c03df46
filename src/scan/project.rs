//! One look at a project folder: checkpoints, trackers, large and old temporary files.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::tree::{Met, Tree};
use super::{Below, Job, Rule, troubles};
use crate::core::habits::names;
use crate::core::habits::{Dated, FolderFacts, LARGE, LargeFile, OLD_DAYS};
use crate::core::storage::StorageKind;
use crate::port::{FileFact, Pace, Walk as _};

/// Large files that are named, largest first.
const NAMED: usize = 8;
/// Entries at the top of a folder among which the usual folders are looked for.
const TOP: usize = 2_000;
/// What a walk may take longer than its budget to end.
const GRACE: Duration = Duration::from_millis(500);
/// What a look may take longer than its budget before the disk counts as stuck.
const STUCK: Duration = Duration::from_secs(2);
/// Where paths begin, so that they are shown as they are written in the folder.
const HERE: &str = ".";

/// What a look at a project folder may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Entries after which it ends; a few more may be met till then.
    pub entries: u64,
    /// Time that it takes at most.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { entries: 300_000, time: Duration::from_secs(3) }
    }
}

/// Looks at a project folder. Waits for a stuck disk no longer than the budget and a little more,
/// so it belongs on a thread that may wait.
pub fn project(folder: &Path, now: Timestamp, budget: Budget) -> FolderFacts {
    let (sender, receiver) = mpsc::channel();
    let folder = folder.to_path_buf();
    let started = thread::Builder::new().name("project".into()).spawn(move || {
        // Nobody waits any more after the deadline.
        let _ = sender.send(look(&folder, now, budget));
    });
    match started {
        Ok(_) => receiver
            .recv_timeout(budget.time + STUCK)
            .unwrap_or_else(|_| FolderFacts::not_read("the disk does not answer")),
        Err(error) => FolderFacts::not_read(format!("no thread to read with ({error})")),
    }
}

fn look(folder: &Path, now: Timestamp, budget: Budget) -> FolderFacts {
    let skip = names::TOOLS.iter().map(|name| Path::new(HERE).join(name)).collect();
    let job = Job {
        root: folder.to_path_buf(),
        shown_at: HERE.into(),
        storage: StorageKind::Unknown,
        rule: Rule::Everything,
        skip,
        below: Below::default(),
    };
    let seen = Arc::new(Mutex::new((Seen::new(now), 0)));
    let tell = {
        let seen = Arc::clone(&seen);
        Box::new(move |met: Met| {
            let (seen, entries) = &mut *seen.lock().unwrap_or_else(PoisonError::into_inner);
            met.files.iter().for_each(|file| seen.file(file));
            *entries += met.entries;
            if *entries < budget.entries { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
    };
    let walked = Tree::of(&job, Pace::Full, Some(tell)).map(|tree| {
        if !tree.ended(budget.time) {
            tree.stop();
            tree.ended(GRACE);
        }
        tree.progress()
    });
    let (seen, entries) =
        std::mem::replace(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner), (Seen::new(now), 0));
    let mut gaps = match walked {
        Ok(walked) => {
            let cut =
                (!walked.finished).then(|| format!("it holds more than the {entries} entries that were read"));
            cut.into_iter().chain(walked.gaps).collect()
        }
        Err(reason) => vec![troubles::words(reason)],
    };
    let usual = match usual(folder) {
        Ok(usual) => usual,
        Err(_) if !gaps.is_empty() => Vec::new(),
        Err(error) => {
            gaps.push(format!("its folders could not be listed ({error})"));
            Vec::new()
        }
    };
    FolderFacts { usual, gaps, trackers: seen.trackers.into_iter().collect(), ..seen.facts }
}

/// The usual folders at the top, empty ones too. A link to a folder is none.
fn usual(folder: &Path) -> std::io::Result<Vec<&'static str>> {
    let mut found: Vec<_> = std::fs::read_dir(folder)?
        .take(TOP)
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| names::usual(&entry.file_name()))
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// What was seen so far.
struct Seen {
    /// The second before which a file is old, as `find -mtime` counts: whole days, more than so many.
    old: i64,
    trackers: BTreeSet<&'static str>,
    facts: FolderFacts,
}

impl Seen {
    fn new(now: Timestamp) -> Self {
        let old = now.as_second() - (OLD_DAYS + 1) * 86_400;
        Self { old, trackers: BTreeSet::new(), facts: FolderFacts::default() }
    }

    fn file(&mut self, file: &FileFact) {
        let path = file.path.strip_prefix(HERE).unwrap_or(&file.path);
        if names::is_a_tools(path) {
            return;
        }
        let bytes = file.bytes.unwrap_or(0);
        let old = file.modified.is_some_and(|modified| modified.as_second() <= self.old);
        if let Some(tracker) = names::tracker(path) {
            self.trackers.insert(tracker);
        }
        let (temporary, checkpoint) = (names::is_temporary(path), names::is_checkpoint(path));
        if checkpoint {
            self.facts.checkpoints += 1;
            newer(&mut self.facts.newest_checkpoint, path, file.modified);
        }
        if old && temporary {
            self.facts.old_temporary.add(bytes);
        } else if old && checkpoint {
            self.facts.old_checkpoints.add(bytes);
        }
        newer(&mut self.facts.newest, path, file.modified);
        if bytes > LARGE && !names::is_bulk(path) {
            self.large(path.to_path_buf(), bytes);
        }
    }

    fn large(&mut self, path: PathBuf, bytes: u64) {
        let large = &mut self.facts.large;
        let at = large.partition_point(|known| known.bytes >= bytes);
        if at < NAMED {
            large.insert(at, LargeFile { path, bytes });
            large.truncate(NAMED);
        }
    }
}

fn newer(known: &mut Option<Dated>, path: &Path, modified: Option<Timestamp>) {
    let Some(modified) = modified else { return };
    if known.as_ref().is_none_or(|known| modified > known.modified) {
        *known = Some(Dated { path: path.to_path_buf(), modified });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use crate::core::habits::{HabitFacts, Tick, habits};

    fn write(folder: &Path, path: &str, days_old: i64) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("parent")).expect("folders");
        fs::write(&path, vec![1; 5000]).expect("file");
        let then = std::time::SystemTime::now() - Duration::from_secs(days_old.unsigned_abs() * 86_400);
        fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(then)).expect("time");
    }

    fn looked(folder: &Path) -> FolderFacts {
        project(folder, Timestamp::now(), Budget::default())
    }

    #[test]
    fn a_project_folder_tells_its_checkpoints_trackers_and_order() {
        let dir = tempfile::tempdir().expect("temporary directory");
        write(dir.path(), "models/old.pt", 40);
        write(dir.path(), "models/checkpoint-2/model.safetensors", 2);
        write(dir.path(), ".cache/hub/model.safetensors", 0);
        write(dir.path(), "wandb/run-1/config.yaml", 3);
        write(dir.path(), "src/train.py", 1);
        write(dir.path(), "venv/lib/python3/site-packages/x/model.pt", 0);
        fs::create_dir(dir.path().join("data")).expect("an empty folder counts");
        let facts = looked(dir.path());
        assert!(facts.complete(), "{:?}", facts.gaps);
        assert_eq!((facts.checkpoints, facts.old_checkpoints.files), (2, 1));
        let newest = facts.newest_checkpoint.map(|newest| newest.path);
        assert_eq!(newest.as_deref(), Some(Path::new("models/checkpoint-2/model.safetensors")));
        assert_eq!(facts.trackers, ["Weights & Biases"]);
        assert_eq!(facts.usual, ["data", "models", "src"]);
        assert_eq!(facts.large, []);
    }

    #[test]
    fn a_link_to_a_checkpoint_or_a_folder_is_none() {
        let (dir, other) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
        write(other.path(), "x.pt", 0);
        symlink(other.path(), dir.path().join("models")).expect("link");
        symlink(other.path().join("x.pt"), dir.path().join("x.pt")).expect("link");
        let facts = looked(dir.path());
        assert_eq!((facts.checkpoints, facts.usual.len(), facts.complete()), (0, 0, true));
    }

    #[test]
    fn only_large_files_outside_the_folders_for_them_are_named() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let mut seen = Seen::new(Timestamp::now());
        for (path, bytes) in
            [("a.bin", LARGE + 1), ("b.bin", LARGE), ("data/c.bin", LARGE * 9), ("src/d.bin", LARGE * 2)]
        {
            let modified = Some(Timestamp::now());
            let (storage, bytes) = (StorageKind::Unknown, Some(bytes));
            seen.file(&FileFact { path: Path::new(HERE).join(path), bytes, storage, modified, changed: false });
        }
        let names: Vec<_> = seen.facts.large.iter().map(|file| file.path.clone()).collect();
        assert_eq!(names, [Path::new("src/d.bin"), Path::new("a.bin")]);
        assert_eq!(looked(dir.path()), FolderFacts::default());
    }

    #[test]
    fn the_command_lists_the_very_files_that_were_counted_as_old() {
        let dir = tempfile::tempdir().expect("temporary directory");
        for path in ["a.tmp", "notes.txt~", "tmp/deep/x", "src/__pycache__/m.pyc"] {
            write(dir.path(), path, 32);
        }
        for path in ["src/a.py", "lib/venv/tmp/x", ".git/tmp/x", "node_modules/a.tmp", "tmp.txt"] {
            write(dir.path(), path, 32);
        }
        write(dir.path(), "new.tmp", 30);
        let facts = looked(dir.path());
        assert_eq!(facts.old_temporary.files, 4);
        let all = HabitFacts { project: facts, ..HabitFacts::not_read(Timestamp::now()) };
        let all = habits(&all);
        let clean_up = all.iter().find(|habit| habit.id == "clean-up").expect("the habit");
        assert_eq!(clean_up.tick, Tick::No);
        let command = clean_up.command.as_deref().expect("a command");
        let output = Command::new("sh").args(["-c", command]).current_dir(dir.path()).output().expect("find");
        let listed = String::from_utf8_lossy(&output.stdout);
        let mut lines: Vec<_> = listed.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["./a.tmp", "./notes.txt~", "./src/__pycache__/m.pyc", "./tmp/deep/x"]);
    }

    #[test]
    fn a_folder_beyond_its_budget_or_out_of_reach_says_so() {
        let dir = tempfile::tempdir().expect("temporary directory");
        for number in 0..50 {
            write(dir.path(), &format!("{number}.txt"), 0);
        }
        let budget = Budget { entries: 10, ..Budget::default() };
        let facts = project(dir.path(), Timestamp::now(), budget);
        assert_eq!(facts.gaps, ["it holds more than the 50 entries that were read"]);
        let budget = Budget { time: Duration::ZERO, ..Budget::default() };
        assert!(!project(dir.path(), Timestamp::now(), budget).complete());
        assert_eq!(looked(&dir.path().join("none")).gaps, ["it is not there"]);
    }
}
