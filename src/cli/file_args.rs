//! Arguments of the verbs that look at files and change them.

use std::ffi::OsString;

use clap::{Args, Subcommand, ValueEnum};

use super::args::{AgreeArgs, event, span};
use crate::core::event::Event;
use crate::core::span::Span;

/// `files`
#[derive(Args, Debug)]
pub struct FilesArgs {
    /// A workspace, a folder in it as `NAME:PATH`, or a folder of this host.
    #[arg(value_name = "NAME:PATH")]
    pub subject: OsString,
    /// What comes first.
    #[arg(long, value_name = "BY", default_value = "name")]
    pub sort: SortBy,
    /// How many entries to list.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: usize,
    /// The event to answer for.
    #[arg(long, value_parser = event)]
    pub event: Option<Event>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What comes first in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SortBy {
    /// Folders, then names.
    Name,
    /// The largest.
    Size,
    /// The newest.
    Age,
}

/// `cat`
#[derive(Args, Debug)]
pub struct CatArgs {
    /// A file in a workspace, or of this host.
    #[arg(value_name = "NAME:PATH")]
    pub subject: OsString,
}

/// `copy`
#[derive(Args, Debug)]
pub struct CopyArgs {
    /// A file or folder: `NAME:PATH` in a workspace, else a path of this host.
    #[arg(value_name = "FROM")]
    pub from: OsString,
    /// Where it goes, likewise; into it where that is a folder. Nothing is overwritten.
    #[arg(value_name = "TO")]
    pub to: OsString,
    /// Whether to ask, and what was agreed to.
    #[command(flatten)]
    pub agree: AgreeArgs,
}

/// `rename`
#[derive(Args, Debug)]
pub struct RenameArgs {
    /// A file or folder in a workspace, or of this host.
    #[arg(value_name = "NAME:PATH")]
    pub subject: OsString,
    /// Its new name, in the same folder.
    #[arg(value_name = "NEW-NAME")]
    pub name: OsString,
    /// Whether to ask, and what was agreed to.
    #[command(flatten)]
    pub agree: AgreeArgs,
}

/// `trash`
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct TrashArgs {
    /// What to do; without it the trash is listed.
    #[command(subcommand)]
    pub what: Option<TrashCommand>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What to do with the trash.
#[derive(Debug, Subcommand)]
pub enum TrashCommand {
    /// Move a file or folder to the trash of its file system.
    Put {
        /// A file or folder in a workspace, or of this host; a retired workspace's name for all of it.
        #[arg(value_name = "NAME:PATH")]
        subject: OsString,
        /// The name of the workspace whose whole folder goes, in place of typing it.
        #[arg(long, value_name = "NAME")]
        confirm: Option<String>,
        /// Whether to ask, and what was agreed to.
        #[command(flatten)]
        agree: AgreeArgs,
    },
    /// Move something back to where it was.
    Restore {
        /// Its id, or the beginning of it.
        id: String,
        /// Whether to ask, and what was agreed to.
        #[command(flatten)]
        agree: AgreeArgs,
    },
    /// Erase what was in the trash long enough.
    Empty {
        /// Only this one, however long it was there.
        id: Option<String>,
        /// What is there for at least so long.
        #[arg(long, value_name = "TIME", value_parser = span, default_value = "14d", conflicts_with = "id")]
        older: Span,
        /// Whether to ask, and what was agreed to.
        #[command(flatten)]
        agree: AgreeArgs,
    },
}

impl TrashArgs {
    /// Whether it answers in JSON.
    pub(super) fn in_json(&self) -> bool {
        match &self.what {
            None => self.json,
            Some(
                TrashCommand::Put { agree, .. }
                | TrashCommand::Restore { agree, .. }
                | TrashCommand::Empty { agree, .. },
            ) => agree.json,
        }
    }
}
