//! Flags of what looks at the disk.

use clap::Args;

use super::{Span, size, span};

/// `du`
#[derive(Args, Debug)]
pub struct DuArgs {
    /// A folder or file of this host, or NAME:PATH inside a workspace.
    #[arg(default_value = ".")]
    pub path: std::path::PathBuf,
    /// How many entries to list; totals count all.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub top: usize,
    /// List files of this size or larger, anywhere beneath: 500M, 1G (binary), 1GB (decimal).
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub larger: Option<u64>,
    /// List files changed in this time, anywhere beneath: 12h, 2d, 1w.
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub newer: Option<Span>,
    /// Add up all files by the kind of thing they are, or by their owner.
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["larger", "newer"])]
    pub by: Option<SumBy>,
    /// Look at every file, and not only at what changed since the last time.
    #[arg(long)]
    pub fresh: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What `du --by` adds up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SumBy {
    /// The kind of thing: checkpoint, data set, environment, ...
    Kind,
    /// The user a file belongs to.
    Owner,
}
