//! What every verb takes that changes something.

use clap::Args;

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
