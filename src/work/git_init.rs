//! Puts a project under git: a `.gitignore`, one commit of what somebody wrote, a remote, a push.
//!
//! Nothing in the folder is believed: no hooks, no settings, no templates. A repository that is there
//! stays as it is.

use std::fs::OpenOptions;
use std::future::Future;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::act::one_step;
use super::child::{self, Ended};
use super::explain::quote;
use super::git;
use super::watched::watched;
use crate::core::error::{Error, Kind, Result};
use crate::core::git_init::{IGNORE, takes, wrong_address};
use crate::core::habits::Git;
use crate::core::plan::{Plan, Verb};
use crate::port::archive::Meter;
use crate::port::{Clock, Host, ScanItem};
use crate::text::{printable, printable_path, size};

/// The branch that a new repository begins with.
const BRANCH: &str = "main";
/// The name of the remote.
const REMOTE: &str = "origin";
/// How long what stays on this machine may take.
const HERE_WITHIN: Duration = Duration::from_mins(2);
/// How long a push may take.
const PUSH_WITHIN: Duration = Duration::from_mins(10);
/// Names that are told.
const TOLD: usize = 8;

/// What a first commit will be.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What will be done.
    pub plan: Plan,
    /// The project's folder.
    pub folder: PathBuf,
    /// The files of the first commit, by their paths in the folder; `.gitignore` is one of them.
    pub files: Vec<PathBuf>,
    ignore: bool,
    remote: Option<String>,
    push: bool,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The commit.
    pub commit: String,
    /// Whether it was pushed.
    pub pushed: bool,
}

/// Looks at a folder and plans its first commit.
pub async fn prepare(
    folder: &Path,
    remote: Option<String>,
    push: bool,
    host: &Host,
    clock: &dyn Clock,
) -> Result<Prepared> {
    let shown = printable_path(folder).into_owned();
    if let Some((url, why)) = remote.as_ref().and_then(|url| Some((url, wrong_address(url)?))) {
        return Err(Error::new(Kind::Usage, format!("“{}” cannot be pushed to: {why}", printable(url))));
    }
    if push && remote.is_none() {
        return Err(Error::new(Kind::Usage, "nobody said where to push to").hint("`--remote URL` says it"));
    }
    may_begin(folder, host)?;
    let (mut files, left, gaps) = choose(folder, host).await?;
    let ignore = folder.join(".gitignore").symlink_metadata().is_err();
    if ignore {
        files.push(".gitignore".into());
    }
    files.sort();
    files.dedup();
    let quoted = quote(folder).unwrap_or_else(|| shown.clone());
    let mut call = format!("outlast git-init {quoted}");
    if let Some(url) = &remote {
        call.push_str(" --remote ");
        call.push_str(&quote(Path::new(url)).unwrap_or_else(|| printable(url).into_owned()));
    }
    call.push_str(if push { " --push" } else { "" });
    let undo = if ignore {
        format!("rm -r {quoted}/.git {quoted}/.gitignore")
    } else {
        format!("rm -r {quoted}/.git")
    };
    let mut plan = one_step(Verb::GitInit, folder, call, Some(undo), clock);
    plan.notes = notes(&files, &left, gaps, ignore, remote.as_deref(), push);
    Ok(Prepared { plan, folder: folder.to_path_buf(), files, ignore, remote, push })
}

/// Whether a repository may be made here: none is there, and the folder is the person's own.
fn may_begin(folder: &Path, host: &Host) -> Result<()> {
    let shown = printable_path(folder);
    match git::state(folder, host) {
        Git::NotARepository => {}
        Git::Read(_) => {
            return Err(Error::new(
                Kind::Conflict,
                format!("{shown} is a git repository already; it stays as it is"),
            )
            .hint("`outlast habits` says how it stands"));
        }
        Git::NotInstalled => {
            return Err(Error::new(Kind::NotSupported, "git is not installed here")
                .hint("install the package git: apt-get install git"));
        }
        Git::NotRead(why) => {
            return Err(Error::new(Kind::Failed, format!("{shown} could not be asked about: {why}")));
        }
    }
    let metadata = folder.metadata().map_err(|why| Error::new(Kind::NotFound, format!("{shown}: {why}")))?;
    if !metadata.is_dir() {
        return Err(Error::new(Kind::Usage, format!("{shown} is no folder")));
    }
    if metadata.uid() == host.uid {
        return Ok(());
    }
    let owner = host.user_name(metadata.uid()).unwrap_or_else(|| metadata.uid().to_string());
    Err(Error::new(
        Kind::NotPermitted,
        format!("{shown} is {}'s: the repository would be yours", printable(&owner)),
    )
    .hint("let its owner do it"))
}

/// The files of the first commit, some of those that are left out with their sizes, and what could not
/// be read.
async fn choose(folder: &Path, host: &Host) -> Result<(Vec<PathBuf>, Vec<(PathBuf, u64)>, Vec<String>)> {
    let walk =
        host.walk.ok_or_else(|| Error::new(Kind::NotSupported, "nothing of this machine may be read"))?;
    let mut items = walk(folder, &[]);
    let (mut files, mut left, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(item) = items.next().await {
        match item {
            ScanItem::Files(found) => {
                for file in found {
                    let Ok(relative) = file.path.strip_prefix(folder) else { continue };
                    // The size that git would store, holes and all.
                    let bytes = file.path.symlink_metadata().map_or(0, |metadata| metadata.len());
                    if takes(relative, bytes) {
                        files.push(relative.to_path_buf());
                    } else {
                        left.push((relative.to_path_buf(), bytes));
                    }
                }
            }
            ScanItem::Gap(gap) => gaps.push(gap),
            _ => {}
        }
    }
    left.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok((files, left, gaps))
}

fn notes(
    files: &[PathBuf],
    left: &[(PathBuf, u64)],
    gaps: Vec<String>,
    ignore: bool,
    remote: Option<&str>,
    push: bool,
) -> Vec<String> {
    let mut notes = Vec::new();
    if ignore {
        notes.push("writes .gitignore: data, models, caches and secrets stay out of git".into());
    }
    notes.push(format!("first commit, on the branch {BRANCH}, of {} files:", files.len()));
    notes.extend(files.iter().take(TOLD).map(|file| format!("  {}", printable_path(file))));
    if let Some(more) = files.len().checked_sub(TOLD).filter(|more| *more > 0) {
        notes.push(format!("  and {more} more"));
    }
    if !left.is_empty() {
        notes.push(format!("{} files are not in it, the largest first; `git add NAME` adds one:", left.len()));
        let named = left.iter().take(TOLD);
        notes.extend(named.map(|(file, bytes)| format!("  {} ({})", printable_path(file), size(*bytes))));
    }
    match (remote, push) {
        (Some(url), true) => notes.push(format!("pushes it to {}", printable(url))),
        (Some(url), false) => notes.push(format!("names {} as its remote, and pushes nothing", printable(url))),
        (None, _) => notes.push("without --remote URL --push it is on this machine only".into()),
    }
    notes.extend(gaps.into_iter().map(|gap| format!("not everything was read: {gap}")));
    notes
}

/// Makes the repository. Where that fails before there is a commit, nothing of it is left.
pub async fn run(
    prepared: Arc<Prepared>,
    stop: impl Future<Output = ()>,
    tell: &mut dyn FnMut(u64, u64),
) -> Result<Done> {
    watched(&Arc::default(), move |meter| perform(&prepared, meter), stop, tell).await
}

fn perform(prepared: &Prepared, meter: &Meter) -> Result<Done> {
    let folder = &prepared.folder;
    let git = |arguments: &[&str], input: Vec<u8>, limit| ask(folder, arguments, input, limit, meter);
    // Asked before anything is made: without a name there is no commit.
    let name = git(&["var", "GIT_COMMITTER_IDENT"], Vec::new(), HERE_WITHIN)?;
    if name.0.code != Some(0) {
        return Err(Error::new(Kind::Config, "git does not know your name")
            .hint("git config --global user.name \"Your Name\"")
            .hint("git config --global user.email you@example.org"));
    }
    let mut made = Made { folder, ignore: false, kept: false };
    if prepared.ignore {
        write_ignore(folder)?;
        made.ignore = true;
    }
    let begun = git(&["init", "-q", "--template=", "-b", BRANCH], Vec::new(), HERE_WITHIN)?;
    must(&begun.0, "git could not make a repository")?;
    let mut names = Vec::new();
    for file in &prepared.files {
        names.extend_from_slice(file.as_os_str().as_bytes());
        names.push(0);
    }
    let add = ["add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"];
    must(&git(&add, names, HERE_WITHIN)?.0, "git could not take the files in")?;
    let commit = ["commit", "-q", "--no-verify", "--allow-empty", "-m", "First commit"];
    must(&git(&commit, Vec::new(), HERE_WITHIN)?.0, "git could not commit")?;
    let (ended, commit) = git(&["rev-parse", "HEAD"], Vec::new(), HERE_WITHIN)?;
    must(&ended, "git could not name the commit")?;
    made.kept = true;
    if let Some(url) = &prepared.remote {
        must(
            &git(&["remote", "add", REMOTE, url], Vec::new(), HERE_WITHIN)?.0,
            "git could not name the remote",
        )?;
    }
    if prepared.push {
        let (ended, _) = git(&["push", "-q", "-u", REMOTE, BRANCH], Vec::new(), PUSH_WITHIN)?;
        if ended.code != Some(0) {
            let why = printable(&ended.why()).into_owned();
            return Err(Error::new(
                Kind::Unreachable,
                format!("the commit is made, and could not be pushed: {why}"),
            )
            .hint(format!("mend that, then: git push -u {REMOTE} {BRANCH}")));
        }
    }
    Ok(Done { commit: commit.trim().to_owned(), pushed: prepared.push })
}

/// What was made so far; goes when it is dropped before there is a commit.
struct Made<'m> {
    folder: &'m Path,
    ignore: bool,
    kept: bool,
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_dir_all(self.folder.join(".git"));
            if self.ignore {
                let _ = std::fs::remove_file(self.folder.join(".gitignore"));
            }
        }
    }
}

fn write_ignore(folder: &Path) -> Result<()> {
    let path = folder.join(".gitignore");
    let written = OpenOptions::new().write(true).create_new(true).open(&path);
    written.and_then(|mut file| file.write_all(IGNORE.as_bytes())).map_err(|why| {
        Error::new(Kind::Failed, format!("{} could not be written: {why}", printable_path(&path)))
    })
}

fn must(ended: &Ended, what: &str) -> Result<()> {
    if ended.code == Some(0) {
        return Ok(());
    }
    Err(Error::new(Kind::Failed, format!("{what}: {}", printable(&ended.why()))))
}

/// Runs git on the folder; how it ended, and what it printed.
fn ask(
    folder: &Path,
    arguments: &[&str],
    input: Vec<u8>,
    limit: Duration,
    meter: &Meter,
) -> Result<(Ended, String)> {
    let mut command = Command::new("git");
    command.args(["--no-pager", "--literal-pathspecs"]);
    for setting in
        ["core.hooksPath=/dev/null", "core.fsmonitor=false", "commit.gpgSign=false", "protocol.ext.allow=never"]
    {
        command.args(["-c", setting]);
    }
    command.arg("-C").arg(folder).args(arguments);
    for (name, _) in std::env::vars_os() {
        // The caller's own git variables would lead it to another repository.
        let leads = [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_NAMESPACE",
            "GIT_TEMPLATE_DIR",
        ];
        if leads.iter().any(|known| name == *known) || name.as_encoded_bytes().starts_with(b"GIT_CONFIG_KEY") {
            command.env_remove(name);
        }
    }
    command.env_remove("GIT_CONFIG_COUNT").env_remove("GIT_CONFIG_PARAMETERS");
    command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    let mut out = String::new();
    let mut line = |text: &[u8]| {
        out.push_str(&String::from_utf8_lossy(text));
        out.push('\n');
    };
    let ended = child::run(command, "git", input, limit, meter, &mut line)?;
    Ok((ended, out))
}
