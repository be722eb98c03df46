//! The command line: one file a verb; prints the same reports as the screen.

mod agree;
mod archive;
mod args;
mod backup;
mod change;
mod check;
mod context;
mod copy;
mod df;
mod documents;
mod du;
mod explain;
mod file_args;
mod files;
mod find;
mod folder;
mod git;
mod guide;
mod habits;
mod interrupt;
mod keep_alive;
mod lifecycle;
mod locale;
mod log;
mod ls;
mod mirror;
mod mounts;
mod out;
mod profiles;
mod progress;
mod quota;
mod reach;
mod rescue;
mod retire;
mod risk;
mod schedule;
mod survives;
mod table;
mod tour;
mod trash;
mod undo;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser as _;

pub use args::{Cli, Command, EngineChoice, Global, When};
use context::Context;
use out::Out;

use crate::core::check::UNKNOWN;
use crate::core::error::{Error, Kind, Result};
use crate::core::lessons::with_help;
use crate::core::recognise::Profiles;
use crate::core::report::{Failure, Head, Trouble};
use crate::core::subject::Subject;
use crate::text::printable;
use crate::work::{
    Archives, Backups, Clock, Collection, Config, Disk, Engine, FileSystems, Files, Host, profiles_of,
};

/// Makes the engine that was chosen; `None` means the best one that is there. The paths are files
/// that give a platform away, for the engine to look for.
pub type MakeEngine =
    dyn Fn(Option<EngineChoice>, &Arc<Host>, &Arc<dyn Clock>, &[PathBuf]) -> Result<Arc<dyn Engine>>;
/// Opens the dashboard and returns the exit code.
pub type Dashboard<'d> = dyn FnOnce(Start) -> Result<u8> + 'd;

/// What the command line is given by the program around it.
pub struct Wiring<'w> {
    /// This machine.
    pub host: Arc<Host>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// Archives of folders.
    pub archives: Arc<dyn Archives>,
    /// Repositories of backups.
    pub backups: Arc<dyn Backups>,
    /// This very program, to work on jobs in a process of its own.
    pub program: PathBuf,
    /// Columns of the terminal that the answer goes to; `None` where it goes elsewhere.
    pub columns: Option<u16>,
    /// How full this machine's file systems are, and what limits there are on them.
    pub file_systems: Arc<dyn FileSystems>,
    /// The files of this machine.
    pub files: Arc<dyn Files>,
    /// Makes engines.
    pub engine: &'w MakeEngine,
    /// Reads the profiles: the built-in ones and people's own.
    pub profiles: &'w dyn Fn() -> Result<Collection>,
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
    /// Repositories of backups.
    pub backups: Arc<dyn Backups>,
    /// This very program, to work on jobs in a process of its own.
    pub program: PathBuf,
    /// The profiles in force.
    pub profiles: Arc<Profiles>,
    /// The person's settings.
    pub config: Config,
    /// What is wrong with the settings and the profile files, to be shown.
    pub wrong: Vec<Error>,
    /// Whether to draw with ASCII only: asked for here or in the settings.
    pub ascii: bool,
    /// When to use colour, where that was asked for on the command line.
    pub color: Option<When>,
}

/// Runs one command and returns the exit code. Nothing is printed anywhere else.
pub fn run(args: impl IntoIterator<Item = OsString>, wiring: Wiring<'_>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            if error.use_stderr() && args.iter().any(|arg| arg == "--json") {
                misused(&error, wiring.clock.as_ref());
            }
            // Help is not an error; a closed pipe is none either.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let mut out = Out::new(&cli.global, wiring.columns);
    let json = cli.command.as_ref().and_then(Command::in_json);
    let clock = Arc::clone(&wiring.clock);
    // Monitoring reads 2 as critical; what cannot be looked at is unknown.
    let checks = matches!(cli.command, Some(Command::Check(_)));
    let mut endpoint = String::new();
    match dispatch(cli, wiring, &mut out, &mut endpoint) {
        Ok(code) => code,
        Err(error) => {
            if let Some(command) = json.filter(|_| !out.answered()) {
                let trouble = Trouble::new(&endpoint, command, &error);
                // The error is told below, whether this can be written or not.
                let _ = out.json(&Failure { head: Head::new(clock.now(), false, vec![trouble]) });
            }
            complain("error", &error);
            if checks { UNKNOWN } else { error.kind.exit_code() }
        }
    }
}

/// Tells a script in JSON that its arguments make no sense.
fn misused(error: &clap::Error, clock: &dyn Clock) {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let error = Error::new(Kind::Usage, first).hint("`outlast --help` lists what there is");
    let trouble = Trouble::new("", "arguments", &error);
    // The person is told as well, whether this can be written or not.
    let _ = Out::plain().json(&Failure { head: Head::new(clock.now(), false, vec![trouble]) });
}

/// Runs one command; `endpoint` is the engine that was asked, once it is known.
fn dispatch(cli: Cli, wiring: Wiring<'_>, out: &mut Out, endpoint: &mut String) -> Result<u8> {
    let Some(command) = cli.command else { return dashboard(&cli.global, wiring, cli.global.engine) };
    match command {
        Command::Demo => return dashboard(&cli.global, wiring, Some(EngineChoice::Demo)),
        Command::Completions(args) => return documents::completions(&args, out),
        Command::Man => return documents::man(out),
        Command::Profiles(args) => return profiles::run(&args, &wiring, out),
        Command::Du(args) if du::inside(&args).is_none() => return du::run(&args, &wiring, out),
        Command::Work(args) => return crate::work::backup::run(&args.folder, &wiring.backups, &wiring.clock),
        Command::Jobs(args) => return backup::jobs(&args, &wiring, out),
        _ => {}
    }
    let config = (wiring.config)().unwrap_or_else(|error| {
        warn(&error.message);
        Config::default()
    });
    let mut context = Context::new(&cli.global, config, wiring)?;
    context.endpoint().clone_into(endpoint);
    let runtime = runtime()?;
    let code = runtime.block_on(async {
        let looks = matches!(
            command,
            Command::Ls(_)
                | Command::Mounts(_)
                | Command::Explain(_)
                | Command::Find(_)
                | Command::Risk(_)
                | Command::Habits(_)
                | Command::Lifecycle(_)
                | Command::Survives(_)
                | Command::Check(_)
                | Command::Archive(_)
                | Command::Mirror(_)
                | Command::Git(_)
                | Command::GitInit(_)
                | Command::Backup(_)
                | Command::Clone(_)
                | Command::Du(_)
        ) || match &command {
            Command::Guide(args) => args.name.is_some(),
            Command::Files(args) => names_a_workspace(&args.subject),
            Command::Cat(args) => names_a_workspace(&args.subject),
            _ => false,
        };
        if looks {
            context.or_this_machine().await?;
        }
        if let Some(denied) = &context.denied {
            complain("warning", &denied.error);
        }
        match command {
            Command::Ls(args) => ls::run(&args, &context, out).await,
            Command::Mounts(args) => mounts::run(&args, &context, out).await,
            Command::Explain(args) => explain::run(&args, &context, out).await,
            Command::Find(args) => find::run(&args, &context, out).await,
            Command::Risk(args) => risk::run(&args, &context, out).await,
            Command::Lifecycle(args) => lifecycle::run(&args, &context, out).await,
            Command::Survives(args) => survives::run(&args, &context, out).await,
            Command::Check(args) => check::run(&args, &context, out).await,
            Command::Files(args) => files::run(&args, &context, out).await,
            Command::Cat(args) => files::cat(&args, &context, out).await,
            Command::Copy(args) => copy::copy(&args, &context, out).await,
            Command::Rename(args) => copy::rename(&args, &context, out).await,
            Command::Trash(args) => trash::run(&args, &context, out).await,
            Command::Df(args) => df::run(&args, &context, out).await,
            Command::Quota(args) => quota::run(&args, &context, out).await,
            Command::Start(args) => change::run(crate::core::plan::Verb::Start, &args, &context, out).await,
            Command::Stop(args) => change::run(crate::core::plan::Verb::Stop, &args, &context, out).await,
            Command::Restart(args) => change::run(crate::core::plan::Verb::Restart, &args, &context, out).await,
            Command::Pause(args) => change::run(crate::core::plan::Verb::Pause, &args, &context, out).await,
            Command::Unpause(args) => change::run(crate::core::plan::Verb::Unpause, &args, &context, out).await,
            Command::Retire(args) => retire::run(&args, &context, out).await,
            Command::Undo(args) => undo::run(&args, &context, out).await,
            Command::Rescue(args) => rescue::run(&args, &context, out).await,
            Command::KeepAlive(args) => keep_alive::run(&args, &context, out).await,
            Command::Archive(args) => archive::run(&args, &context, out).await,
            Command::Mirror(args) => mirror::run(&args, &context, out).await,
            Command::Git(args) => git::list(&args, &context, out).await,
            Command::GitInit(args) => git::init(&args, &context, out).await,
            Command::Schedule(args) => schedule::run(&args, &context, out),
            Command::Backup(args) => backup::save(&args, &context, out).await,
            Command::Backups(args) => backup::list(&args, &context, out).await,
            Command::Restore(args) => backup::restore(&args, &context, out).await,
            Command::Clone(args) => backup::clone(&args, &context, out).await,
            Command::Verify(args) => backup::verify(&args, &context, out).await,
            Command::Forget(args) => backup::forget(&args, &context, out).await,
            Command::Log(args) => log::run(&args, &context, out).await,
            Command::Tour(args) => tour::run(&args, &context, out).await,
            Command::Guide(args) => guide::run(&args, &context, out).await,
            Command::Habits(args) => habits::run(&args, &context, out).await,
            Command::Demo
            | Command::Completions(_)
            | Command::Man
            | Command::Profiles(_)
            | Command::Work(_)
            | Command::Jobs(_) => Ok(0),
            Command::Du(args) => du::run_inside(&args, &context, out).await,
        }
    });
    // A disk that does not answer must not keep the program from leaving.
    runtime.shutdown_background();
    code.map_err(|error| with_help(error, &context.rules.profile.contacts))
}

/// Whether a subject needs the list of workspaces.
fn names_a_workspace(subject: &std::ffi::OsStr) -> bool {
    Subject::parse(subject).name.is_some()
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

/// Makes engines that look for the files which give platforms away.
struct Make<'w> {
    with: &'w MakeEngine,
    landmarks: Vec<PathBuf>,
}

impl Make<'_> {
    fn engine(
        &self,
        choice: Option<EngineChoice>,
        host: &Arc<Host>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<dyn Engine>> {
        (self.with)(choice, host, clock, &self.landmarks)
    }
}

/// The profiles in force, and what is wrong with files that were refused.
fn profiles_in_force(global: &Global, config: &Config, wiring: &Wiring<'_>) -> Result<(Profiles, Vec<Error>)> {
    let collection = (wiring.profiles)()?;
    let profiles = profiles_of(global.profile.as_deref(), &collection, config, &wiring.host)?;
    Ok((profiles, collection.refused))
}

fn dashboard(global: &Global, wiring: Wiring<'_>, choice: Option<EngineChoice>) -> Result<u8> {
    let (config, config_error) = match (wiring.config)() {
        Ok(config) => (config, None),
        Err(error) => (Config::default(), Some(error)),
    };
    let (profiles, refused) = profiles_in_force(global, &config, &wiring)?;
    let make = Make { with: wiring.engine, landmarks: profiles.landmarks() };
    let engine = make.engine(choice, &wiring.host, &wiring.clock)?;
    let fallback = match choice {
        None => Some(make.engine(Some(EngineChoice::Machine), &wiring.host, &wiring.clock)?),
        Some(_) => None,
    };
    let contacts = profiles.without_workspace().profile.contacts.clone();
    let ended = (wiring.dashboard)(Start {
        engine,
        fallback,
        host: wiring.host,
        clock: wiring.clock,
        backups: wiring.backups,
        program: wiring.program,
        profiles: Arc::new(profiles),
        ascii: global.ascii || config.ascii,
        config,
        wrong: config_error.into_iter().chain(refused).collect(),
        color: global.color,
    });
    ended.map_err(|error| with_help(error, &contacts))
}

/// Says what went wrong and what to do next.
fn complain(how: &str, error: &Error) {
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to tell when this fails.
    let _ = writeln!(stderr, "{how}: {}", locale::text(&printable(&error.message)));
    for hint in &error.hints {
        let _ = writeln!(stderr, "hint: {}", locale::text(&printable(hint)));
    }
}

/// Says something beside the answer, which standard output holds.
fn warn(message: &str) {
    let _ = writeln!(std::io::stderr().lock(), "warning: {}", locale::text(&printable(message)));
}
