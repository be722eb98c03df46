//! What the verbs take that change something.

use std::path::PathBuf;

use clap::Args;

use super::{RepositoryArgs, size};

/// `start` and `stop`
#[derive(Args, Debug)]
pub struct ChangeArgs {
    /// A workspace, a container or the start of its id.
    pub name: String,
    /// Without the backup before a stop, or the restore before a start, that the platform's rule asks for.
    #[arg(long)]
    pub no_backup: bool,
    /// Whether to ask, and what was agreed to.
    #[command(flatten)]
    pub agree: AgreeArgs,
}

/// What every verb that changes something takes.
#[derive(Args, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct AgreeArgs {
    /// Show the plan and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask. Never agrees to losing data.
    #[arg(short, long)]
    pub yes: bool,
    /// Agree to losing the data that the plan names.
    #[arg(long)]
    pub lose_data: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `retire`
#[derive(Args, Debug)]
pub struct RetireArgs {
    /// Workspaces, containers or the starts of their ids.
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Remove the image too, unless something else uses it.
    #[arg(long)]
    pub images: bool,
    /// Make an image of the container first, under a new name, so that its packages stay.
    #[arg(long)]
    pub save_packages: bool,
    /// Copy files at risk to this folder first; nothing is removed where that fails.
    #[arg(long, value_name = "DIR")]
    pub rescue_to: Option<PathBuf>,
    /// Refuse to save more than this: 500M, 15G (binary), 1GB (decimal).
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "15G")]
    pub limit: u64,
    /// The repository that what would be lost is saved to.
    #[command(flatten)]
    pub repository: RepositoryArgs,
    /// Whether to ask, and what was agreed to.
    #[command(flatten)]
    pub agree: AgreeArgs,
}

/// `undo`
#[derive(Args, Debug)]
pub struct UndoArgs {
    /// What to bring back: its id, or the container's name. The newest without it.
    pub id: Option<String>,
    /// List what can be brought back, until when, and why not.
    #[arg(long, conflicts_with = "id")]
    pub list: bool,
    /// The repository, where it needs a password.
    #[command(flatten)]
    pub repository: RepositoryArgs,
    /// Whether to ask, and what was agreed to.
    #[command(flatten)]
    pub agree: AgreeArgs,
}

/// `rescue`
#[derive(Args, Debug)]
pub struct RescueArgs {
    /// A workspace, a container or the start of its id.
    pub name: String,
    /// Files and folders in it; all that a retire would lose without one.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// The folder of this host that they go to; a new one in the workspace's own folder without it.
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Whether to ask, and what was agreed to.
    #[command(flatten)]
    pub agree: AgreeArgs,
}

/// `keep-alive`
#[derive(Args, Debug)]
pub struct KeepAliveArgs {
    /// A workspace, a container or the start of its id.
    pub name: String,
    /// Take it back.
    #[arg(long)]
    pub off: bool,
    /// Whether to ask, and what was agreed to.
    #[command(flatten)]
    pub agree: AgreeArgs,
}
