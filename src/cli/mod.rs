//! The command line: one file a verb; prints the same reports as the screen.

mod args;
mod change;
mod context;
mod documents;
mod explain;
mod log;
mod ls;
mod mounts;
mod out;
mod profiles;
mod risk;
mod table;

use std::ffi::OsString;
use std::io::Write as _;
use std::sync::Arc;

use clap::Parser as _;

pub use args::{Cli, Command, EngineChoice, Global, When};
use context::Context;
use out::Out;

use crate::core::error::{Error, Kind, Result};
use crate::core::profile::Profile;
use crate::text::printable;
use crate::work::{Clock, Config, Engine, Host};

/// Makes the engine that was chosen; `None` means the best one that is there.
pub type MakeEngine = dyn Fn(Option<EngineChoice>, &Arc<Host>, &Arc<dyn Clock>) -> Result<Arc<dyn Engine>>;
/// Opens the dashboard and returns the exit code.
pub type Dashboard<'d> = dyn FnOnce(Start) -> Result<u8> + 'd;

/// What the command line is given by the program around it.
pub struct Wiring<'w> {
    /// This machine.
    pub host: Arc<Host>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Makes engines.
    pub engine: &'w MakeEngine,
    /// Reads a profile file; `None` is the profile of plain Docker.
    pub profile: &'w dyn Fn(Option<&std::path::Path>) -> Result<Profile>,
    /// Reads the person's settings.
    pub config: &'w dyn Fn() -> Result<Config>,
    /// Opens the dashboard.
    pub dashboard: Box<Dashboard<'w>>,
}

/// What the dashboard starts with.
pub struct Start {
    /// The engine that was chosen, or the best one that is there.
    pub engine: Arc<dyn Engine>,
    /// What to look at where that one, which nobody chose, may not be used.
    pub fallback: Option<Arc<dyn Engine>>,
    /// This machine.
    pub host: Arc<Host>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The platform's rules.
    pub profile: Arc<Profile>,
    /// The person's settings.
    pub config: Config,
    /// What is wrong with the settings, to be shown.
    pub config_error: Option<Error>,
    /// Whether to draw with ASCII only: asked for here or in the settings.
    pub ascii: bool,
    /// When to use colour, where that was asked for on the command line.
    pub color: Option<When>,
}

/// Runs one command and returns the exit code. Nothing is printed anywhere else.
pub fn run(args: impl IntoIterator<Item = OsString>, wiring: Wiring<'_>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help is not an error; a closed pipe is none either.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    match dispatch(cli, wiring) {
        Ok(code) => code,
        Err(error) => {
            complain(&error);
            error.kind.exit_code()
        }
    }
}

fn dispatch(cli: Cli, wiring: Wiring<'_>) -> Result<u8> {
    let Some(command) = cli.command else { return dashboard(&cli.global, wiring, cli.global.engine) };
    let mut out = Out::new(&cli.global);
    match command {
        Command::Demo => return dashboard(&cli.global, wiring, Some(EngineChoice::Demo)),
        Command::Completions(args) => return documents::completions(&args, &mut out),
        Command::Man => return documents::man(&mut out),
        Command::Profiles(args) => return profiles::run(&args, &wiring, &mut out),
        _ => {}
    }
    let config = (wiring.config)().unwrap_or_else(|error| {
        warn(&error.message);
        Config::default()
    });
    let context = Context::new(&cli.global, config, wiring)?;
    let runtime = runtime()?;
    let code = runtime.block_on(async {
        match command {
            Command::Ls(args) => ls::run(&args, &context, &mut out).await,
            Command::Mounts(args) => mounts::run(&args, &context, &mut out).await,
            Command::Explain(args) => explain::run(&args, &context, &mut out).await,
            Command::Risk(args) => risk::run(&args, &context, &mut out).await,
            Command::Start(args) => {
                change::run(crate::core::plan::Verb::Start, &args, &context, &mut out).await
            }
            Command::Stop(args) => change::run(crate::core::plan::Verb::Stop, &args, &context, &mut out).await,
            Command::Log(args) => log::run(&args, &context, &mut out).await,
            Command::Demo | Command::Completions(_) | Command::Man | Command::Profiles(_) => Ok(0),
        }
    });
    // A disk that does not answer must not keep the program from leaving.
    runtime.shutdown_background();
    code
}

/// The one runtime of a process: a single thread, and a few for what blocks.
///
/// # Errors
/// Where the system has no more of either.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(8)
        .build()
        .map_err(|error| Error::new(Kind::Failed, format!("could not start: {error}")))
}

fn dashboard(global: &Global, wiring: Wiring<'_>, choice: Option<EngineChoice>) -> Result<u8> {
    let (config, config_error) = match (wiring.config)() {
        Ok(config) => (config, None),
        Err(error) => (Config::default(), Some(error)),
    };
    let profile = (wiring.profile)(global.profile.as_deref())?;
    let engine = (wiring.engine)(choice, &wiring.host, &wiring.clock)?;
    let fallback = match choice {
        None => Some((wiring.engine)(Some(EngineChoice::Machine), &wiring.host, &wiring.clock)?),
        Some(_) => None,
    };
    (wiring.dashboard)(Start {
        engine,
        fallback,
        host: wiring.host,
        clock: wiring.clock,
        profile: Arc::new(profile),
        ascii: global.ascii || config.ascii,
        config,
        config_error,
        color: global.color,
    })
}

/// Says what went wrong and what to do next.
fn complain(error: &Error) {
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to tell when this fails.
    let _ = writeln!(stderr, "error: {}", printable(&error.message));
    for hint in &error.hints {
        let _ = writeln!(stderr, "hint: {}", printable(hint));
    }
}

/// Says something beside the answer, which standard output holds.
fn warn(message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "warning: {}", printable(message));
}
