//! Wires the adapters together: which engine, which files, which faces. No logic of its own.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use outlast::cli::{self, EngineChoice, Start, Wiring};
use outlast::core::error::{Error, Kind, Result};
use outlast::core::profile::Profile;
use outlast::engine::docker::{self, Docker};
use outlast::engine::machine::Machine;
use outlast::platform::clock::System;
use outlast::platform::{config, host, profiles};
use outlast::port::{Clock, Engine, Host};

fn main() -> ExitCode {
    // Without it a panic is reported all the same, only less well.
    let _ = color_eyre::install();
    let code = cli::run(
        std::env::args_os(),
        Wiring {
            host: Arc::new(host::this_host()),
            clock: Arc::new(System),
            engine: &engine,
            profile: &profile,
            config: &config::load,
            dashboard: Box::new(dashboard),
        },
    );
    ExitCode::from(code)
}

/// The engine that was chosen; without a choice Docker or Podman where a socket is, else this machine.
fn engine(choice: Option<EngineChoice>, host: &Arc<Host>, clock: &Arc<dyn Clock>) -> Result<Arc<dyn Engine>> {
    let (host, clock) = (Arc::clone(host), Arc::clone(clock));
    match choice {
        Some(EngineChoice::Machine) => return Ok(Arc::new(Machine::new(host, clock))),
        Some(EngineChoice::Demo) => {
            return Err(Error::new(Kind::NotSupported, "the demo is not there yet"));
        }
        Some(EngineChoice::Docker) | None => {}
    }
    match docker::find(&|name| std::env::var(name).ok())? {
        Some(address) => Ok(Arc::new(Docker::new(address, host, clock))),
        None if choice.is_none() => Ok(Arc::new(Machine::new(host, clock))),
        None => Err(Error::new(Kind::Unreachable, "no Docker or Podman socket is in the usual places")
            .hint("start the engine, or set DOCKER_HOST=unix:///path/to/its.sock")
            .hint("`--engine machine` looks at this machine without an engine")),
    }
}

fn profile(file: Option<&Path>) -> Result<Profile> {
    file.map_or_else(profiles::docker, profiles::load)
}

fn dashboard(_start: Start) -> Result<u8> {
    Err(Error::new(Kind::NotSupported, "the dashboard is not there yet")
        .hint("`outlast ls` and `outlast risk` are"))
}
