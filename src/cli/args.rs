//! Verbs and their arguments, as clap reads them. The doc comments are the help.

mod backup;
mod changing;
mod disk;
mod learning;
mod saving;

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) use backup::{
    BackupArgs, BackupsArgs, CloneArgs, ForgetArgs, JobsArgs, RepositoryArgs, RestoreArgs, VerifyArgs, What,
    WorkArgs,
};

pub(super) use changing::{AgreeArgs, ChangeArgs, KeepAliveArgs, RescueArgs, RetireArgs, UndoArgs};
pub(super) use disk::{DuArgs, SumBy};
pub(super) use learning::{CompletionsArgs, GuideArgs, HabitsArgs, ProfilesArgs, ProfilesCommand, TourArgs};

use super::file_args::{CatArgs, CopyArgs, FilesArgs, RenameArgs, TrashArgs};
pub(super) use saving::{
    ArchiveArgs, ArchiveCommand, GitArgs, GitInitArgs, MirrorArgs, ScheduleArgs, UnpackArgs,
};

use crate::core::event::Event;
use crate::core::span::Span;
use crate::text::read_size;

/// See what outlasts your container: which files survive, which are lost, and why.
///
/// Without a command it opens the dashboard.
#[derive(Debug, Parser)]
#[command(name = "outlast", version, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
}

/// What holds for every command.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// Where to look: the best that is there, unless said here.
    #[arg(long, global = true, value_name = "WHERE", env = "OUTLAST_ENGINE")]
    pub engine: Option<EngineChoice>,
    /// The platform of every workspace: a profile's name, or a file. Recognised by itself unless said here.
    #[arg(long, global = true, value_name = "NAME", env = "OUTLAST_PROFILE")]
    pub profile: Option<String>,
    /// Draw with ASCII only.
    #[arg(long, global = true)]
    pub ascii: bool,
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<When>,
}

/// Where workspaces are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// Docker or Podman.
    Docker,
    /// This machine itself, read from inside.
    Machine,
    /// A playground in memory.
    Demo,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// Where the terminal has any.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List workspaces and what each would lose.
    Ls(LsArgs),
    /// List the mounts of a workspace and what becomes of each.
    Mounts(MountsArgs),
    /// Say what becomes of a path, and why.
    Explain(ExplainArgs),
    /// Find files by name on this machine and in every container, and say what becomes of each.
    Find(FindArgs),
    /// List files that would be lost, the most valuable first.
    Risk(RiskArgs),
    /// Say how long each part of a workspace lives, what ends it, and what brings it back.
    Lifecycle(LifecycleArgs),
    /// Show what survives an event: the places of a workspace as a tree.
    Survives(SurvivesArgs),
    /// Say what is wrong, for cron and monitoring: exit 0 ok, 1 warning, 2 critical, 3 unknown.
    Check(CheckArgs),
    /// Say what takes the space in a folder.
    Du(DuArgs),
    /// List what is in a folder of a workspace, running, stopped or retired, or of this host.
    Files(FilesArgs),
    /// Print a file of a workspace as it is.
    Cat(CatArgs),
    /// Copy a file or folder out of a workspace, or into it.
    Copy(CopyArgs),
    /// Give a file or folder another name.
    Rename(RenameArgs),
    /// List the trash, put something there, bring it back, or erase it.
    Trash(TrashArgs),
    /// List the file systems that matter here, how full they are, and who is affected.
    Df(super::df::DfArgs),
    /// Say which limits on space there are, and how near they are.
    Quota(super::quota::QuotaArgs),
    /// Start a stopped workspace.
    Start(ChangeArgs),
    /// Stop a running workspace.
    Stop(ChangeArgs),
    /// Stop a workspace and start it again.
    Restart(ChangeArgs),
    /// Freeze the processes of a workspace; what is in memory stays.
    Pause(ChangeArgs),
    /// Let the processes of a paused workspace go on.
    Unpause(ChangeArgs),
    /// Save what a container holds, read it back, and remove the container. Its folder stays.
    Retire(RetireArgs),
    /// Bring back what was retired, with its files.
    Undo(UndoArgs),
    /// Copy files at risk to where they are kept: read back, nothing overwritten.
    Rescue(RescueArgs),
    /// Tell the platform that a workspace is in use, so that it is not stopped for being idle.
    KeepAlive(KeepAliveArgs),
    /// Write a folder into an archive as the platform does; list, check and restore archives.
    Archive(ArchiveArgs),
    /// Make another folder, here or elsewhere, like this one, through rsync. Deletes nothing unless asked to.
    Mirror(MirrorArgs),
    /// Say how projects stand with git: what was never pushed comes first to mind.
    Git(GitArgs),
    /// Put a project under git: a .gitignore, a first commit without data and models, a remote.
    GitInit(GitInitArgs),
    /// Print what makes this machine back up by itself: for systemd or cron. Installs nothing.
    Schedule(ScheduleArgs),
    /// Save a workspace or a folder to a repository.
    Backup(BackupArgs),
    /// List the snapshots of a repository.
    Backups(BackupsArgs),
    /// Write the files of a snapshot to a new or empty folder.
    Restore(RestoreArgs),
    /// Make a workspace once more under another name, from a backup: beside the old one, or on another machine.
    Clone(CloneArgs),
    /// Read saved data back, every byte of it.
    Verify(VerifyArgs),
    /// Remove snapshots, but never the newest one that was verified.
    Forget(ForgetArgs),
    /// Show jobs that go on or are over; they outlive the connection they were started over.
    Jobs(JobsArgs),
    /// Work on a job.
    #[command(name = "__job", hide = true)]
    Work(WorkArgs),
    /// Show what outlast changed.
    Log(LogArgs),
    /// List the platforms that are known.
    Profiles(ProfilesArgs),
    /// Learn what lasts here: the rule, words, examples and who helps.
    Guide(GuideArgs),
    /// See good habits, and how a workspace stands to each.
    Habits(HabitsArgs),
    /// Open the dashboard on a playground in memory, with a guided tour.
    Demo,
    /// See on a throw-away container which files are kept and which are lost.
    Tour(TourArgs),
    /// Print completions for a shell.
    Completions(CompletionsArgs),
    /// Print the manual page.
    Man,
}

impl Command {
    /// Its name, where it was asked to answer in JSON.
    pub(super) fn in_json(&self) -> Option<&'static str> {
        let (json, name) = match self {
            Self::Ls(args) => (args.json, "ls"),
            Self::Mounts(args) => (args.json, "mounts"),
            Self::Explain(args) => (args.json, "explain"),
            Self::Find(args) => (args.json, "find"),
            Self::Risk(args) => (args.json, "risk"),
            Self::Lifecycle(args) => (args.json, "lifecycle"),
            Self::Survives(args) => (args.json, "survives"),
            Self::Check(args) => (args.json, "check"),
            Self::Du(args) => (args.json, "du"),
            Self::Df(args) => (args.json, "df"),
            Self::Quota(args) => (args.json, "quota"),
            Self::Archive(args) => (args.in_json(), "archive"),
            Self::Mirror(args) => (args.json, "mirror"),
            Self::Git(args) => (args.json, "git"),
            Self::GitInit(args) => (args.json, "git-init"),
            Self::Schedule(args) => (args.json, "schedule"),
            Self::Backup(args) => (args.json, "backup"),
            Self::Backups(args) => (args.json, "backups"),
            Self::Restore(args) => (args.json, "restore"),
            Self::Clone(args) => (args.json, "clone"),
            Self::Verify(args) => (args.json, "verify"),
            Self::Forget(args) => (args.json, "forget"),
            Self::Jobs(args) => (args.json, "jobs"),
            Self::Files(args) => (args.json, "files"),
            Self::Copy(args) => (args.agree.json, "copy"),
            Self::Rename(args) => (args.agree.json, "rename"),
            Self::Trash(args) => (args.in_json(), "trash"),
            Self::Start(args) => (args.agree.json, "start"),
            Self::Stop(args) => (args.agree.json, "stop"),
            Self::Restart(args) => (args.agree.json, "restart"),
            Self::Pause(args) => (args.agree.json, "pause"),
            Self::Unpause(args) => (args.agree.json, "unpause"),
            Self::Retire(args) => (args.agree.json, "retire"),
            Self::Undo(args) => (args.agree.json, "undo"),
            Self::Rescue(args) => (args.agree.json, "rescue"),
            Self::KeepAlive(args) => (args.agree.json, "keep-alive"),
            Self::Log(args) => (args.json, "log"),
            Self::Profiles(args) => (args.json, "profiles"),
            Self::Tour(args) => (args.json, "tour"),
            Self::Guide(args) => (args.json, "guide"),
            Self::Habits(args) => (args.json, "habits"),
            Self::Cat(_) | Self::Demo | Self::Completions(_) | Self::Man | Self::Work(_) => (false, ""),
        };
        if json { Some(name) } else { None }
    }
}

/// `ls`
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct LsArgs {
    /// Stopped and retired workspaces too.
    #[arg(short, long)]
    pub all: bool,
    /// Do not look for files at risk.
    #[arg(long)]
    pub no_risk: bool,
    /// Measure what each takes on the disk: its project folder and its writable layer, as `du` does.
    #[arg(long)]
    pub disk: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `mounts`
#[derive(Args, Debug)]
pub struct MountsArgs {
    /// A workspace, a container or the start of its id.
    pub name: String,
    /// Mounts that hold no data too.
    #[arg(short, long)]
    pub all: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `explain`
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A path of this host, or `NAME:PATH` for one inside a workspace.
    #[arg(value_name = "[NAME:]PATH")]
    pub subject: OsString,
    /// The workspace that PATH is inside of.
    #[arg(long = "in", value_name = "NAME")]
    pub within: Option<String>,
    /// The event to answer for first.
    #[arg(long, value_parser = event)]
    pub event: Option<Event>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `find`
#[derive(Args, Debug)]
pub struct FindArgs {
    /// A part of the file's name, in any case; `*` stands for anything.
    #[arg(value_name = "NAME-PART")]
    pub part: String,
    /// Only this workspace.
    #[arg(long = "in", value_name = "NAME")]
    pub within: Option<String>,
    /// The event to answer for.
    #[arg(long, value_parser = event)]
    pub event: Option<Event>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `risk`
#[derive(Args, Debug)]
pub struct RiskArgs {
    /// One workspace; all of them without a name.
    pub name: Option<String>,
    /// The event in which files would be lost.
    #[arg(long, value_parser = event)]
    pub event: Option<Event>,
    /// How many files to list for each workspace; totals count all.
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub limit: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `lifecycle`
#[derive(Args, Debug)]
pub struct LifecycleArgs {
    /// One workspace; a table of all without a name.
    pub name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `survives`
#[derive(Args, Debug)]
pub struct SurvivesArgs {
    /// A workspace, a container or the start of its id.
    pub name: String,
    /// The event.
    #[arg(long, value_parser = event)]
    pub event: Option<Event>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `check`
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// One workspace; all of them, the profile files, disks and quotas without a name.
    pub name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `log`
#[derive(Args, Debug)]
pub struct LogArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn event(key: &str) -> std::result::Result<Event, String> {
    Event::from_key(key).ok_or_else(|| {
        let known: Vec<_> = Event::ALL.iter().map(|event| event.key()).collect();
        format!("one of {}", known.join(", "))
    })
}

fn size(text: &str) -> std::result::Result<u64, String> {
    read_size(text).ok_or_else(|| "no size such as 500M, 1G or 1GB".to_owned())
}

pub(super) fn span(text: &str) -> std::result::Result<Span, String> {
    Span::try_from(text.to_owned())
}
