//! Jobs: a folder each, worked by a process of its own. Everybody else only reads the folder.
//!
//! `job.json` says what to do, `lock` is held for as long as somebody is at it, `progress.jsonl` is
//! appended to, `cancel` calls it off, `result.json` is there once it is over, `seen` once somebody was
//! told so, `output` holds what the process printed. No file is rewritten, so a home shared between machines is safe.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::failed;
use crate::core::backup::{Job, JobState, JobView, Outcome, Progress};
use crate::core::error::{Error, Kind, Result};

const JOB: &str = "job.json";
const LOCK: &str = "lock";
const PROGRESS: &str = "progress.jsonl";
const CANCEL: &str = "cancel";
const RESULT: &str = "result.json";
/// Somebody was told how it ended.
const SEEN: &str = "seen";
/// What the process printed.
const OUTPUT: &str = "output";

/// Jobs that are over are kept up to this many; the oldest go first.
const KEPT: usize = 200;
/// A job whose process did not begin for so long never will.
const BEGINS_WITHIN: SignedDuration = SignedDuration::from_secs(20);
/// The end of the progress file that is read for its last line.
const TAIL: u64 = 2048;

/// The jobs of one machine.
#[derive(Clone, Debug)]
pub struct Jobs {
    folder: PathBuf,
}

impl Jobs {
    pub(super) const fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes a new job down, on disk when this returns; gives its folder.
    pub fn create(&self, job: &Job) -> Result<PathBuf> {
        self.sweep();
        let folder = self.folder.join(&job.id);
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(&self.folder).map_err(|error| failed("make", &self.folder, &error))?;
        builder.recursive(false).create(&folder).map_err(|error| failed("make", &folder, &error))?;
        write_new(&folder.join(JOB), &to_json(job)?)?;
        Ok(folder)
    }

    /// Where the process of a job prints to.
    pub fn output(folder: &Path) -> Result<File> {
        let path = folder.join(OUTPUT);
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed("open", &path, &error))
    }

    /// The folder of a job; an error where no id begins like this, or more than one.
    pub fn find(&self, id: &str) -> Result<JobView> {
        let mut found: Vec<JobView> =
            self.all()?.into_iter().filter(|view| view.job.id.starts_with(id)).collect();
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(_), false) => Err(Error::new(Kind::Usage, format!("more than one job begins with {id}"))),
            (None, _) => Err(Error::new(Kind::NotFound, format!("no job begins with {id}"))
                .hint("`outlast jobs` lists them")),
        }
    }

    /// All jobs, the oldest first; those that cannot be read are left out.
    pub fn all(&self) -> Result<Vec<JobView>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("read", &self.folder, &error)),
        };
        let mut views: Vec<JobView> = entries.flatten().filter_map(|entry| view(&entry.path())).collect();
        views.sort_by(|one, other| one.job.id.cmp(&other.job.id));
        Ok(views)
    }

    /// How one job is.
    pub fn view(&self, id: &str) -> Option<JobView> {
        view(&self.folder.join(id))
    }

    /// Calls a job off: its process sees that soon.
    pub fn cancel(&self, id: &str) -> Result<()> {
        self.mark(id, CANCEL)
    }

    /// Remembers that somebody was told how a job ended.
    pub fn seen(&self, id: &str) -> Result<()> {
        self.mark(id, SEEN)
    }

    fn mark(&self, id: &str, name: &str) -> Result<()> {
        let path = self.folder.join(id).join(name);
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map(drop)
            .map_err(|error| failed("write", &path, &error))
    }

    /// Forgets the oldest jobs that are over.
    fn sweep(&self) {
        let Ok(all) = self.all() else { return };
        let over: Vec<_> = all.into_iter().filter(|view| !view.is_live()).collect();
        for view in over.iter().take(over.len().saturating_sub(KEPT)) {
            let _ = fs::remove_dir_all(self.folder.join(&view.job.id));
        }
    }
}

/// How a job is, from its folder; `None` where it holds no job.
fn view(folder: &Path) -> Option<JobView> {
    let job: Job = serde_json::from_slice(&fs::read(folder.join(JOB)).ok()?).ok()?;
    let (began, progress) = progress(&folder.join(PROGRESS));
    let over = || -> Option<Outcome> { serde_json::from_slice(&fs::read(folder.join(RESULT)).ok()?).ok() };
    let state = match over() {
        Some(outcome) => JobState::Over(Box::new(outcome)),
        None if is_held(&folder.join(LOCK)) => JobState::Running,
        // It may have ended between the two looks.
        None => match over() {
            Some(outcome) => JobState::Over(Box::new(outcome)),
            None if folder.join(LOCK).exists() => JobState::CutOff,
            None if Timestamp::now().duration_since(job.made_at) > BEGINS_WITHIN => JobState::CutOff,
            None => JobState::Waiting,
        },
    };
    Some(JobView { job, state, progress, began, seen: folder.join(SEEN).exists() })
}

/// Whether somebody holds a lock.
fn is_held(path: &Path) -> bool {
    // Shared, so that those who look are not in one another's way.
    File::open(path).is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

/// The first moment and the last line of a progress file.
fn progress(path: &Path) -> (Option<Timestamp>, Option<Progress>) {
    let Ok(mut file) = File::open(path) else { return (None, None) };
    let mut head = [0_u8; 512];
    let length = file.read(&mut head).unwrap_or(0);
    let first = head.get(..length).and_then(|head| head.split(|byte| *byte == b'\n').next());
    let began = first.and_then(|line| serde_json::from_slice::<Progress>(line).ok()).map(|first| first.at);
    let end = file.seek(SeekFrom::End(0)).unwrap_or(0);
    let mut tail = Vec::new();
    let _ = file.seek(SeekFrom::Start(end.saturating_sub(TAIL))).and_then(|_| file.read_to_end(&mut tail));
    // The last line may be cut in the middle.
    let last = tail.split(|byte| *byte == b'\n').rev().find_map(|line| serde_json::from_slice(line).ok());
    (began, last)
}

/// A job in the hands of its process.
#[derive(Debug)]
pub struct Running {
    folder: PathBuf,
    progress: File,
    _lock: File,
}

impl Running {
    /// Takes a job over for as long as this lives; an error where somebody is at it or it is over.
    pub fn begin(folder: &Path) -> Result<(Job, Self)> {
        let path = folder.join(JOB);
        let text = fs::read(&path).map_err(|error| failed("read", &path, &error))?;
        let job = serde_json::from_slice(&text)
            .map_err(|error| Error::new(Kind::Failed, format!("{} is damaged: {error}", path.display())))?;
        let open = |name: &str| {
            let path = folder.join(name);
            let mut options = OpenOptions::new();
            options.create(true).append(true).read(true).mode(0o600);
            options.open(&path).map_err(|error| failed("open", &path, &error))
        };
        let lock = open(LOCK)?;
        if lock.try_lock().is_err() {
            // Somebody may only be looking.
            std::thread::sleep(std::time::Duration::from_millis(20));
            lock.try_lock().map_err(|_| Error::new(Kind::Conflict, "another process works on this job"))?;
        }
        if folder.join(RESULT).exists() {
            return Err(Error::new(Kind::Conflict, "this job is over already"));
        }
        Ok((job, Self { folder: folder.to_path_buf(), progress: open(PROGRESS)?, _lock: lock }))
    }

    /// Tells how far it is. That it could not be told does not end the job.
    pub fn tell(&mut self, progress: &Progress) {
        if let Ok(mut line) = serde_json::to_vec(progress) {
            line.push(b'\n');
            let _ = self.progress.write_all(&line);
        }
    }

    /// Whether somebody called it off.
    pub fn is_cancelled(&self) -> bool {
        self.folder.join(CANCEL).exists()
    }

    /// Says how it ended; on disk when this returns.
    pub fn finish(self, outcome: &Outcome) -> Result<()> {
        let unfinished = self.folder.join("result.json-new");
        let _ = fs::remove_file(&unfinished);
        write_new(&unfinished, &to_json(outcome)?)?;
        let path = self.folder.join(RESULT);
        fs::rename(&unfinished, &path).map_err(|error| failed("write", &path, &error))
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(value)
        .map_err(|error| Error::new(Kind::Failed, format!("the job cannot be written down: {error}")))
}

fn write_new(path: &Path, text: &[u8]) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text)?;
            file.sync_all()
        })
        .map_err(|error| failed("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::backup::{Check, End, Repository, Stage, Task};

    fn job(id: &str, made_at: Timestamp) -> Job {
        Job {
            id: id.into(),
            made_at,
            user: "u".into(),
            repository: Repository::new("/r", "/k".into()).unwrap(),
            task: Task::Verify(Check { snapshots: Vec::new() }),
            notes: Vec::new(),
        }
    }

    fn told(bytes: u64, at: Timestamp) -> Progress {
        Progress {
            at,
            stage: Stage::Saving,
            files: 1,
            bytes,
            of_files: None,
            of_bytes: None,
            written: 0,
            skipped: 0,
        }
    }

    #[test]
    fn a_job_is_seen_from_its_plan_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let jobs = Jobs::at(folder.path().join("jobs"));
        assert_eq!(jobs.all().unwrap(), []);
        let now = Timestamp::now();
        let place = jobs.create(&job("a", now)).unwrap();
        let state = || jobs.view("a").unwrap().state;
        assert_eq!(state(), JobState::Waiting);
        let (found, mut running) = Running::begin(&place).unwrap();
        assert_eq!((found.id.as_str(), state()), ("a", JobState::Running));
        assert!(Running::begin(&place).is_err(), "one process at a time");
        running.tell(&told(1, now));
        running.tell(&told(2, now + SignedDuration::from_secs(1)));
        let view = jobs.view("a").unwrap();
        assert_eq!((view.began, view.progress.map(|progress| progress.bytes)), (Some(now), Some(2)));
        assert!(!running.is_cancelled());
        jobs.cancel("a").unwrap();
        assert!(running.is_cancelled());
        let outcome = Outcome::new(now, End::Cancelled);
        running.finish(&outcome).unwrap();
        assert_eq!(state(), JobState::Over(Box::new(outcome)));
        assert!(!jobs.view("a").unwrap().seen);
        jobs.seen("a").unwrap();
        assert!(jobs.view("a").unwrap().seen);
        assert!(Running::begin(&place).is_err(), "it is over");
    }

    #[test]
    fn a_process_that_ended_without_a_word_was_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let jobs = Jobs::at(folder.path().join("jobs"));
        let place = jobs.create(&job("a", Timestamp::now())).unwrap();
        let (_, mut running) = Running::begin(&place).unwrap();
        running.tell(&told(1, Timestamp::now()));
        drop(running);
        let mut file = OpenOptions::new().append(true).open(place.join(PROGRESS)).unwrap();
        file.write_all(b"{\"at\":").unwrap();
        let view = jobs.view("a").unwrap();
        assert_eq!((view.state, view.progress.map(|progress| progress.bytes)), (JobState::CutOff, Some(1)));
        jobs.create(&job("b", Timestamp::UNIX_EPOCH)).unwrap();
        assert_eq!(jobs.find("b").unwrap().state, JobState::CutOff, "it never began");
        assert!(jobs.find("").is_err() && jobs.find("c").is_err());
    }

    #[test]
    fn only_so_many_jobs_that_are_over_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let jobs = Jobs::at(folder.path().join("jobs"));
        for number in 0..KEPT + 3 {
            let place = jobs.create(&job(&format!("{number:04}"), Timestamp::now())).unwrap();
            let (_, running) = Running::begin(&place).unwrap();
            running.finish(&Outcome::new(Timestamp::UNIX_EPOCH, End::Done)).unwrap();
        }
        jobs.create(&job("last", Timestamp::now())).unwrap();
        let all = jobs.all().unwrap();
        assert_eq!((all.len(), all[0].job.id.as_str()), (KEPT + 1, "0003"));
    }
}
