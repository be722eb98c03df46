//! What git says about a folder. Asks `git` itself, never a server, and changes nothing.
//!
//! A repository is somebody's data, and its configuration can name programs to run: monitors,
//! hooks, filters, transports. Each is switched off, and as root git runs as the folder's owner.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::core::habits::{Git, GitState, Remotes};
use crate::port::Host;

mod parse;
#[cfg(test)]
mod tests;

/// How long all questions together may take.
const DEADLINE: Duration = Duration::from_secs(3);
/// What an answer may have in bytes; the rest is not read.
const LONGEST: u64 = 8 * 1024 * 1024;
/// What a complaint may have in bytes.
const LONGEST_ERROR: u64 = 4096;
/// Filters that a configuration may name before it is not taken for one.
const FILTERS: usize = 64;

/// Settings that would run a program or take long, switched off.
const OFF: [&str; 8] = [
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.alternateRefsCommand=true",
    "core.sshCommand=false",
    "protocol.allow=never",
    "status.submoduleSummary=false",
    "status.renames=false",
    "log.showSignature=false",
];

/// Reads the state of the repository that a folder lies in. Waits for a stuck disk no longer than
/// the deadline, so it belongs on a thread that may wait.
pub fn state(folder: &Path, host: &Host) -> Git {
    within(folder, host, "git", DEADLINE)
}

fn within(folder: &Path, host: &Host, program: &'static str, limit: Duration) -> Git {
    let (sender, receiver) = mpsc::channel();
    let (folder, viewer, end) = (folder.to_path_buf(), host.uid, Instant::now() + limit);
    let started = thread::Builder::new().name("git".into()).spawn(move || {
        let said = Asker::new(&folder, viewer, program, end).and_then(|mut asker| asker.read());
        // Nobody waits any more after the deadline.
        let _ = sender.send(said);
    });
    if let Err(error) = started {
        return Git::NotRead(format!("no thread to ask with ({error})"));
    }
    match receiver.recv_timeout(limit) {
        Ok(Ok(state)) => Git::Read(state),
        Ok(Err(Refusal::NotARepository)) => Git::NotARepository,
        Ok(Err(Refusal::NotInstalled)) => Git::NotInstalled,
        Ok(Err(Refusal::Because(why))) => Git::NotRead(why),
        Ok(Err(Refusal::Late)) | Err(_) => Git::NotRead(format!("no answer in {} s", limit.as_secs())),
    }
}

/// Why there is no answer.
#[derive(Debug)]
enum Refusal {
    NotARepository,
    NotInstalled,
    Late,
    Because(String),
}

/// What a command printed.
struct Said {
    /// Standard output, cut at the limit.
    out: Vec<u8>,
    /// Whether more would have followed.
    cut: bool,
}

impl Said {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).trim_end_matches('\n').to_owned()
    }
}

/// Asks one folder's git, one question after the other.
struct Asker {
    program: &'static str,
    folder: PathBuf,
    /// Whom git runs as, where that is not the viewer.
    owner: Option<(u32, u32)>,
    /// Settings on the command line: what is switched off.
    settings: Vec<String>,
    end: Instant,
}

impl Asker {
    fn new(folder: &Path, viewer: u32, program: &'static str, end: Instant) -> Result<Self, Refusal> {
        let unseen = |error: std::io::Error| Refusal::Because(error.to_string());
        let folder = folder.canonicalize().map_err(unseen)?;
        let metadata = folder.metadata().map_err(unseen)?;
        let owner = (viewer == 0 && metadata.uid() != 0).then(|| (metadata.uid(), metadata.gid()));
        let mut settings: Vec<String> = OFF.iter().map(|setting| (*setting).to_owned()).collect();
        // Git refuses folders of others for fear of their settings, which do nothing here.
        let text = folder.to_str().ok_or_else(|| Refusal::Because("its path is no text".into()))?;
        settings.push(format!("safe.directory={text}"));
        Ok(Self { program, folder, owner, settings, end })
    }

    fn read(&mut self) -> Result<GitState, Refusal> {
        let prefix = self.ask(&["rev-parse", "--show-prefix"])?.text();
        self.filters_off()?;
        // A folder inside somebody's larger repository, such as one of a home's settings, is only
        // part of it where the repository has files of it.
        if !prefix.is_empty() && self.ask(&["ls-files", "-z", "--", "."])?.out.is_empty() {
            return Err(Refusal::NotARepository);
        }
        let status = ["status", "--porcelain=v2", "--branch", "-z", "--untracked-files=no"];
        let status = self.ask(&[&status[..], &["--ignore-submodules=all", "--", "."]].concat())?;
        let mut state = parse::status(&status.out);
        let remotes = parse::remotes(&self.ask(&["remote", "-v"])?.text());
        let away: BTreeSet<_> = remotes.iter().filter(|(_, url)| !parse::is_local(url)).collect();
        state.remotes = match (remotes.is_empty(), away.is_empty()) {
            (true, _) => Remotes::None,
            (false, true) => Remotes::Here,
            (false, false) => Remotes::Away,
        };
        let first = away.first().copied().or_else(|| remotes.first()).map(|(name, _)| name.clone());
        state.push_to = first.filter(|name| parse::is_plain(name));
        if state.commits {
            state.unpushed = self.unpushed(&away.into_iter().map(|(name, _)| name.as_str()).collect())?;
        }
        // A repository without a stash has no such name to count.
        if self.ask(&["for-each-ref", "refs/stash"])?.out.is_empty() {
            state.stashes = 0;
        } else {
            state.stashes = number(&self.ask(&["rev-list", "-g", "--count", "refs/stash", "--"])?)?;
        }
        state.large = if state.commits {
            self.ask(&["ls-tree", "-r", "-l", "-z", "HEAD"])
                .ok()
                .and_then(|said| parse::large(&said.out, said.cut))
        } else {
            Some(Vec::new())
        };
        let untracked = self.ask(&["ls-files", "--others", "--exclude-standard", "-z", "--", "."]);
        state.untracked = untracked.ok().map(|said| parse::untracked(&said.out));
        Ok(state)
    }

    /// Commits of all branches that no remote has. Where there are remotes elsewhere, one on this
    /// machine does not count.
    fn unpushed(&self, away: &BTreeSet<&str>) -> Result<u64, Refusal> {
        let mut question: Vec<String> =
            ["rev-list", "--count", "HEAD", "--branches", "--not"].map(str::to_owned).into();
        if away.is_empty() {
            question.push("--remotes".into());
        }
        question.extend(away.iter().map(|name| format!("--remotes={name}")));
        question.push("--".into());
        let question: Vec<&str> = question.iter().map(String::as_str).collect();
        number(&self.ask(&question)?)
    }

    /// Switches off the filters that the configuration names: git runs them to compare files.
    fn filters_off(&mut self) -> Result<(), Refusal> {
        let names = self.ask(&["config", "--list", "--name-only", "-z"])?;
        let filters = parse::filters(&names.out).filter(|found| !names.cut && found.len() <= FILTERS);
        let filters = filters.ok_or_else(|| {
            Refusal::Because("its configuration names filters that cannot be switched off".into())
        })?;
        for filter in filters {
            for setting in ["clean=", "smudge=", "process=", "required=false"] {
                self.settings.push(format!("filter.{filter}.{setting}"));
            }
        }
        Ok(())
    }

    fn ask(&self, question: &[&str]) -> Result<Said, Refusal> {
        let mut child = self.command(question).spawn().map_err(|error| match error.kind() {
            // A folder on the search path that is closed to us answers for a program that is nowhere.
            std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied => Refusal::NotInstalled,
            _ => Refusal::Because(format!("git could not be started: {error}")),
        })?;
        let heard = self.hear(&mut child);
        if heard.is_err() {
            // One that is stuck in the kernel goes when the kernel lets it.
            let _ = child.kill();
            let _ = thread::Builder::new().name("git-end".into()).spawn(move || child.wait());
        }
        let (status, said, complaint) = heard?;
        // One that could not print all it had ended for that reason.
        if status.success() || said.cut {
            return Ok(said);
        }
        Err(refusal(&complaint.text()))
    }

    /// Reads both outputs to their end, then waits for the child's.
    fn hear(&self, child: &mut Child) -> Result<(ExitStatus, Said, Said), Refusal> {
        let out = reader(child.stdout.take(), LONGEST);
        let complaint = reader(child.stderr.take(), LONGEST_ERROR);
        let (out, complaint) = (self.receive(&out)?, self.receive(&complaint)?);
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok((status, out, complaint)),
                Ok(None) if Instant::now() < self.end => thread::sleep(Duration::from_millis(1)),
                Ok(None) => return Err(Refusal::Late),
                Err(error) => return Err(Refusal::Because(error.to_string())),
            }
        }
    }

    fn receive(&self, receiver: &Receiver<Said>) -> Result<Said, Refusal> {
        let left = self.end.saturating_duration_since(Instant::now());
        receiver.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => Refusal::Late,
            RecvTimeoutError::Disconnected => Refusal::Because("what git printed could not be read".into()),
        })
    }

    fn command(&self, question: &[&str]) -> Command {
        let mut command = Command::new(self.program);
        command.args(["--no-pager", "--no-optional-locks", "--literal-pathspecs"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.arg("-C").arg(&self.folder).args(question);
        // The caller's own git variables would lead it to another repository.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"GIT_") {
                command.env_remove(name);
            }
        }
        command.envs([
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ALLOW_PROTOCOL", "none"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("LC_ALL", "C"),
        ]);
        if let Some((user, group)) = self.owner {
            // Root's own settings are not for others to read.
            command.uid(user).gid(group).env("HOME", "/nonexistent").env_remove("XDG_CONFIG_HOME");
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn number(said: &Said) -> Result<u64, Refusal> {
    said.text().parse().map_err(|_| Refusal::Because("git counted in a way that is not understood".into()))
}

/// What a complaint of git means.
fn refusal(complaint: &str) -> Refusal {
    let line = complaint.lines().find(|line| line.starts_with("fatal: ")).or_else(|| complaint.lines().next());
    let line = line.unwrap_or_default().trim_start_matches("fatal: ");
    if line.starts_with("not a git repository") {
        return Refusal::NotARepository;
    }
    Refusal::Because(if line.is_empty() { "git gave no reason".into() } else { line.into() })
}

/// Reads one output on a thread of its own, up to a limit.
fn reader(pipe: Option<impl Read + Send + 'static>, limit: u64) -> Receiver<Said> {
    let (sender, receiver) = mpsc::channel();
    // Without a thread the sender is dropped, and the receiver hears of that.
    let _ = thread::Builder::new().name("git-read".into()).spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let mut out = Vec::new();
        if pipe.by_ref().take(limit).read_to_end(&mut out).is_ok() {
            let cut = out.len() as u64 == limit && pipe.read(&mut [0]).is_ok_and(|more| more > 0);
            // Nobody waits any more after the deadline.
            let _ = sender.send(Said { out, cut });
        }
    });
    receiver
}
