//! Arguments of the verbs that tell and teach.

use clap::{Args, Subcommand};

/// `profiles`
#[derive(Args, Debug)]
pub struct ProfilesArgs {
    /// What to do; without it the profiles are listed.
    #[command(subcommand)]
    pub what: Option<ProfilesCommand>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What to do with profiles.
#[derive(Debug, Subcommand)]
pub enum ProfilesCommand {
    /// Print one as a file to begin with.
    Show {
        /// The profile's name.
        name: String,
    },
    /// Check a file and say what is wrong with it.
    Check {
        /// The file.
        file: std::path::PathBuf,
    },
}

/// `tour`
#[derive(Args, Debug)]
pub struct TourArgs {
    /// Show the steps and make nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `guide`
#[derive(Args, Debug)]
pub struct GuideArgs {
    /// A workspace; the platform without a name.
    pub name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `habits`
#[derive(Args, Debug)]
pub struct HabitsArgs {
    /// A workspace; without a name the one whose folder this is, or the only one.
    pub name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `completions`
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// Which shell.
    pub shell: clap_complete::Shell,
}
