//! The arguments of what saves folders: archives, mirrors, git, schedules.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::size;

/// `archive`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct ArchiveArgs {
    /// What to do with archives that are there.
    #[command(subcommand)]
    pub what: Option<ArchiveCommand>,
    /// A workspace, or a folder of this host; the folder you are in, unless said here.
    #[arg(value_name = "NAME|PATH")]
    pub subject: Option<OsString>,
    /// The folder to write the archive to; set for good with `archives` in the settings.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// The most that is backed up: 500M, 15G (binary), 1GB (decimal). Only more than that is refused.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub limit: Option<u64>,
    /// Leave this out: a name anywhere, or a path beneath the folder. `.vessl` always is.
    #[arg(long, value_name = "NAME")]
    pub exclude: Vec<String>,
    /// Leave caches out: what programs fill again by themselves.
    #[arg(long)]
    pub no_caches: bool,
    /// Show the plan and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl ArchiveArgs {
    pub(super) const fn in_json(&self) -> bool {
        match &self.what {
            None => self.json,
            Some(
                ArchiveCommand::List { json, .. }
                | ArchiveCommand::Verify { json, .. }
                | ArchiveCommand::Restore(UnpackArgs { json, .. }),
            ) => *json,
        }
    }
}

/// What to do with archives.
#[derive(Debug, Subcommand)]
pub enum ArchiveCommand {
    /// List the archives of a folder, the newest first, damaged ones marked.
    List {
        /// The folder; the one archives are written to, unless said here.
        dir: Option<PathBuf>,
        /// Read all of them to their ends, however long it takes.
        #[arg(long)]
        all: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Read an archive to its end and check every sum.
    Verify {
        /// The archive.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Put the files of an archive into an empty folder.
    Restore(UnpackArgs),
}

/// `archive restore`
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct UnpackArgs {
    /// The archive: .tar.gz, or .zip of an older release.
    pub file: PathBuf,
    /// The folder: empty, or not there yet.
    pub dest: PathBuf,
    /// Add to a folder that holds files. Newer ones stay, older ones are moved aside.
    #[arg(long)]
    pub merge: bool,
    /// Give everything to this user and group, as numbers.
    #[arg(long, value_name = "UID:GID", value_parser = owner)]
    pub owner: Option<(u32, u32)>,
    /// A .zip larger than this goes to a folder beside; the platform's limit, unless said here.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub limit: Option<u64>,
    /// Show the plan and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `mirror`
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct MirrorArgs {
    /// A workspace, or a folder of this host.
    #[arg(value_name = "NAME|PATH")]
    pub source: OsString,
    /// A folder of this host, HOST:PATH over ssh, or an address of an rsync server.
    pub dest: String,
    /// Delete there what is no more here. Needs --lose-data.
    #[arg(long)]
    pub delete: bool,
    /// Leave this out, as rsync's own --exclude.
    #[arg(long, value_name = "NAME")]
    pub exclude: Vec<String>,
    /// Show the plan and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask. Never agrees to losing data.
    #[arg(short, long)]
    pub yes: bool,
    /// Agree to losing the files that the plan names.
    #[arg(long)]
    pub lose_data: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `git`
#[derive(Args, Debug)]
pub struct GitArgs {
    /// A workspace, or a folder of this host; all projects, unless said here.
    #[arg(value_name = "NAME|PATH")]
    pub subject: Option<OsString>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `git-init`
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct GitInitArgs {
    /// A workspace, or a folder of this host; the folder you are in, unless said here.
    #[arg(value_name = "NAME|PATH")]
    pub subject: Option<OsString>,
    /// Where to push to.
    #[arg(long, value_name = "URL")]
    pub remote: Option<String>,
    /// Push the first commit there.
    #[arg(long)]
    pub push: bool,
    /// Show the plan and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `schedule`
#[derive(Args, Debug)]
pub struct ScheduleArgs {
    /// The workspace; all of yours without a name.
    pub name: Option<String>,
    /// How old a last backup may be, such as 12h or 2d; `overdue_after` in the settings, unless said here.
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub older_than: Option<String>,
    /// A service and a timer of systemd; what is printed unless --cron is said.
    #[arg(long, conflicts_with = "cron")]
    pub systemd: bool,
    /// A line for crontab.
    #[arg(long)]
    pub cron: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

pub(super) fn owner(text: &str) -> std::result::Result<(u32, u32), String> {
    crate::core::archive::read_owner(text).ok_or_else(|| "no two numbers such as 1000:1000".to_owned())
}

/// A length of time as it was typed: it is printed again.
fn age(text: &str) -> std::result::Result<String, String> {
    super::span(text).map(|_| text.trim().to_owned())
}
