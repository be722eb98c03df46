//! Arguments of the verbs about backups and jobs.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::saving::owner;
use super::{size, span};
use crate::core::span::Span;

/// Where backups are.
#[derive(Args, Clone, Debug, Default)]
pub struct RepositoryArgs {
    /// The repository: a folder, rest:https://host/path, or with rclone sftp:, s3:, rclone:.
    #[arg(long, value_name = "WHERE", env = "OUTLAST_REPOSITORY", hide_env_values = true)]
    pub repository: Option<String>,
    /// The file that holds its password.
    #[arg(long, value_name = "FILE", env = "OUTLAST_PASSWORD_FILE")]
    pub password_file: Option<std::path::PathBuf>,
}

/// `backup`
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct BackupArgs {
    /// A workspace, or a folder of this host; without it the workspace whose folder this is, or the only one.
    #[arg(value_name = "NAME|PATH")]
    pub what: Option<OsString>,
    /// The repository.
    #[command(flatten)]
    pub repository: RepositoryArgs,
    /// Only where it is due: the last backup is older than `overdue_after` in the settings, or there
    /// is none. Without a name every workspace of yours whose turn it is.
    #[arg(long, conflicts_with = "layer")]
    pub due: bool,
    /// With --due: how old a last backup may be, such as 12h or 2d.
    #[arg(long, value_name = "AGE", value_parser = span, requires = "due")]
    pub older_than: Option<Span>,
    /// With --due: everybody's workspaces.
    #[arg(long, requires = "due")]
    pub all_users: bool,
    /// Save the files that you made in the writable layer too.
    #[arg(long)]
    pub layer: bool,
    /// Read what was saved back afterwards.
    #[arg(long)]
    pub verify: bool,
    /// Refuse a folder that is larger: 500M, 15G (binary), 1GB (decimal).
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

/// `backups`
#[derive(Args, Debug)]
pub struct BackupsArgs {
    /// Only those of this workspace.
    pub name: Option<String>,
    /// The repository.
    #[command(flatten)]
    pub repository: RepositoryArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What of a snapshot is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// The workspace's folder.
    Workspace,
    /// The files of the writable layer.
    Layer,
    /// Everything in the snapshot.
    All,
}

/// `restore`
#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The beginning of a snapshot's id; `latest` is the newest.
    pub id: String,
    /// A folder that is new or empty.
    #[arg(required_unless_present = "name")]
    pub dest: Option<std::path::PathBuf>,
    /// As a workspace of this name, where this platform's workspaces lie.
    #[arg(long = "as", value_name = "NAME", conflicts_with = "dest", id = "name")]
    pub name: Option<String>,
    /// Give what is its owner's to this user and group, as numbers; what is root's or others' stays theirs.
    #[arg(long, value_name = "UID:GID", value_parser = owner)]
    pub remap: Option<(u32, u32)>,
    /// The repository.
    #[command(flatten)]
    pub repository: RepositoryArgs,
    /// What of the snapshot.
    #[arg(long, value_enum, default_value_t = What::Workspace)]
    pub what: What,
    /// Only this path and what lies below, from the top of what is restored.
    #[arg(long, value_name = "PATH")]
    pub include: Option<std::path::PathBuf>,
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

/// `clone`
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct CloneArgs {
    /// The workspace; on another machine the name that it was backed up under.
    pub name: String,
    /// The name of the new one.
    pub new: String,
    /// The beginning of a snapshot's id; `latest` is the workspace's newest.
    #[arg(long, value_name = "ID", default_value = "latest")]
    pub from: String,
    /// Give what is its owner's to this user and group, as numbers; what is root's or others' stays theirs.
    #[arg(long, value_name = "UID:GID", value_parser = owner)]
    pub remap: Option<(u32, u32)>,
    /// The repository.
    #[command(flatten)]
    pub repository: RepositoryArgs,
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

/// `verify`
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The beginning of a snapshot's id; all without one.
    pub id: Option<String>,
    /// The repository.
    #[command(flatten)]
    pub repository: RepositoryArgs,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `forget`
#[derive(Args, Debug)]
pub struct ForgetArgs {
    /// The beginning of a snapshot's id: this one alone, unless a rule would always keep it.
    #[arg(conflicts_with_all = ["keep_last", "keep_days"])]
    pub id: Option<String>,
    /// Keep the last so many of each folder.
    #[arg(long, value_name = "N", required_unless_present_any = ["keep_days", "id"])]
    pub keep_last: Option<u64>,
    /// Keep all that are younger than so many days.
    #[arg(long, value_name = "D")]
    pub keep_days: Option<u64>,
    /// The repository.
    #[command(flatten)]
    pub repository: RepositoryArgs,
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

/// `jobs`
#[derive(Args, Debug)]
pub struct JobsArgs {
    /// Call a job off, by the beginning of its id.
    #[arg(long, value_name = "ID")]
    pub cancel: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `__job`
#[derive(Args, Debug)]
pub struct WorkArgs {
    /// The job's folder.
    pub folder: std::path::PathBuf,
}
