//! Wires the adapters together: which engine, which files, which faces. No logic of its own.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use outlast::app::Ports;
use outlast::app::session::{self, Session};
use outlast::backup::{LocalArchives, Restic};
use outlast::cli::{self, EngineChoice, Start, When, Wiring};
use outlast::core::error::{Error, Kind, Result};
use outlast::core::habits::FolderFacts;
use outlast::engine::demo::{Demo, DemoDisk};
use outlast::engine::docker::{self, Docker};
use outlast::engine::machine::Machine;
use outlast::files::LocalFiles;
use outlast::platform::clock::System;
use outlast::platform::config::Color;
use outlast::platform::quota::LocalFileSystems;
use outlast::platform::{config, host, profiles};
use outlast::port::{Clock, Disk, Engine, Host};
use outlast::scan::{self, IndexedDisk, LocalDisk};
use outlast::store::Store;
use outlast::term::ColorChoice;

/// How to see more than this machine.
const NO_ENGINE: &str = "no engine here: set DOCKER_HOST or join the group of its socket to see containers";

fn main() -> ExitCode {
    // Without it a panic is reported all the same, only less well.
    let _ = color_eyre::install();
    let code = cli::run(
        std::env::args_os(),
        Wiring {
            host: Arc::new(Host {
                project: Some(project),
                walk: Some(scan::folder),
                newest: Some(scan::newest),
                ..host::this_host()
            }),
            clock: Arc::new(System),
            disk: disk(),
            archives: Arc::new(LocalArchives),
            backups: Arc::new(Restic),
            // Still this program where its file was replaced meanwhile.
            program: PathBuf::from("/proc/self/exe"),
            columns: outlast::term::columns(),
            file_systems: Arc::new(LocalFileSystems),
            files: Arc::new(LocalFiles),
            engine: &engine,
            profiles: &|| profiles::collect(profiles::folder().as_deref()),
            config: &config::load,
            dashboard: Box::new(dashboard),
        },
    );
    ExitCode::from(code)
}

/// The disk of this machine, and what is remembered of it where there is a place for that.
fn disk() -> Arc<dyn Disk> {
    match config::cache() {
        Some(cache) => Arc::new(IndexedDisk::new(cache.join("index"), host::this_host().machine_id)),
        None => Arc::new(LocalDisk),
    }
}

/// One look at a project folder, at the usual cost.
fn project(folder: &Path, now: Timestamp) -> FolderFacts {
    scan::project(folder, now, scan::Budget::default())
}

/// The engine that was chosen; without a choice Docker or Podman where a socket is, else this machine.
fn engine(
    choice: Option<EngineChoice>,
    host: &Arc<Host>,
    clock: &Arc<dyn Clock>,
    landmarks: &[PathBuf],
) -> Result<Arc<dyn Engine>> {
    let (host, clock, landmarks) = (Arc::clone(host), Arc::clone(clock), landmarks.to_vec());
    match choice {
        Some(EngineChoice::Machine) => return Ok(Arc::new(Machine::new(host, clock, landmarks))),
        Some(EngineChoice::Demo) => return Ok(Arc::new(Demo::both(clock))),
        Some(EngineChoice::Docker) | None => {}
    }
    match docker::find(&|name| std::env::var(name).ok())? {
        Some(address) => Ok(Arc::new(Docker::new(address, host, clock, landmarks))),
        None if choice.is_none() => Ok(Arc::new(Machine::new(host, clock, landmarks))),
        None => Err(Error::new(Kind::Unreachable, "no Docker or Podman socket is in the usual places")
            .hint("start the engine, or set DOCKER_HOST=unix:///path/to/its.sock")
            .hint("`--engine machine` looks at this machine without an engine")),
    }
}

/// Opens the dashboard on a runtime of its own.
fn dashboard(start: Start) -> Result<u8> {
    let Start { engine, fallback, host, clock, backups, program, profiles, config, wrong, ascii, color } =
        start;
    let playground = engine.endpoint().id == "demo";
    let disk: Arc<dyn Disk> = if playground { Arc::new(DemoDisk::new(clock.as_ref())) } else { disk() };
    let on_this_machine = engine.endpoint().id == "machine";
    // The playground opens no file.
    let machine: Option<Arc<dyn Engine>> = match engine.endpoint().id.as_str() {
        "demo" => None,
        "machine" => Some(Arc::clone(&engine)),
        _ => Some(Arc::new(Machine::new(Arc::clone(&host), Arc::clone(&clock), profiles.landmarks()))),
    };
    let session = Session {
        ports: Ports {
            machine,
            engine,
            disk,
            files: Arc::new(LocalFiles),
            clock,
            backups,
            backup: config.backup,
            program,
            store: {
                let host = Arc::clone(&host);
                Arc::new(move || Store::open(&host))
            },
            host,
        },
        fallback,
        profiles,
        event: config.event,
        overdue_after: config.overdue_after,
        hint: on_this_machine.then(|| NO_ENGINE.to_string()),
        notice: (!wrong.is_empty())
            .then(|| wrong.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; ")),
        tour: playground,
        ascii,
        color: match (color, config.color) {
            (Some(When::Always), _) => ColorChoice::Always,
            (Some(When::Never), _) | (None, Color::Never) => ColorChoice::Never,
            (Some(When::Auto), _) | (None, Color::Auto | Color::Dark | Color::Light) => ColorChoice::Auto,
        },
        light: config.color == Color::Light,
    };
    let runtime = cli::runtime()?;
    let ended = runtime.block_on(session::open(session));
    // A disk that does not answer must not keep the program from leaving.
    runtime.shutdown_background();
    ended
}
