//! The loop: input, message, pure update, commands, tasks, message.
//!
//! One task owns the screen. It draws first and connects afterwards, draws only
//! what changed, and never waits for an engine, a disk or another process.

mod backups;
mod browse;
mod edit;
mod effect;
mod jobs;
mod live;
mod msg;
mod scans;
pub mod session;
mod update;
mod walks;
mod whole;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

pub use msg::{Browsed, Cmd, JobWish, Listed, Msg, Remembered, Walking, Wish};
pub use update::State;

use crate::core::error::{Error, Kind, Result};
use crate::core::workspace::WsKey;
use crate::model::{LinkState, Model};
use crate::port::{Backups, Clock, Disk, Engine, Files, Host};
use crate::store::Store;
use crate::term::{Input, Screen};
use crate::ui::{self, Theme};
use crate::work::BackupSettings;
use effect::Effects;

/// How long the selection rests before the detail follows.
const REST: Duration = Duration::from_millis(80);
/// Messages taken before the next frame is drawn, so that a flood cannot starve the screen.
const BATCH: usize = 256;

/// The world, as the loop sees it.
#[derive(Clone)]
pub struct Ports {
    /// Where workspaces run.
    pub engine: Arc<dyn Engine>,
    /// This machine itself, whose folders are searched too; `None` where they are not.
    pub machine: Option<Arc<dyn Engine>>,
    /// The disk: this machine's, or the demo's own.
    pub disk: Arc<dyn Disk>,
    /// The files of this machine.
    pub files: Arc<dyn Files>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// This machine.
    pub host: Arc<Host>,
    /// Repositories of backups.
    pub backups: Arc<dyn Backups>,
    /// Where backups go.
    pub backup: BackupSettings,
    /// This very program, to work on jobs in a process of its own.
    pub program: PathBuf,
    /// Opens what is remembered. Called when needed, away from the loop: a home may be on a slow share.
    pub store: Arc<dyn Fn() -> Result<Store> + Send + Sync>,
}

/// How the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The person left.
    Quit,
    /// A signal ended it.
    Signal(i32),
    /// The terminal is gone.
    Gone,
}

/// What the loop starts with.
pub struct Start {
    /// What the first frame shows.
    pub model: Model,
    /// How it is drawn.
    pub theme: Theme,
}

/// Runs until the person leaves, a signal comes or the terminal is gone.
///
/// Generic over input and output: a test gives keys and reads the frames.
/// Returns the last model too, for what must be said on the normal screen.
///
/// # Errors
/// Where the first contact fails for a reason that waiting does not mend: no engine
/// there, or no right to use it.
pub async fn run<W: Write>(
    inputs: &mut (impl Stream<Item = Input> + Unpin),
    screen: &mut Screen<W>,
    ports: Ports,
    start: Start,
) -> Result<(Ended, Model)> {
    let (sender, mut messages) = unbounded_channel();
    let Start { model, theme } = start;
    let mut effects = Effects::new(ports.clone(), &model, sender);
    let mut state = State::new(model);
    let started = Instant::now();
    let mut rest: Option<Instant> = None;
    if screen.draw(ui::frame(&state.model, &theme)).is_err() {
        return Ok((Ended::Gone, state.model));
    }
    effects.start();
    loop {
        let wake = next_wake(&state.model, started, ports.clock.now());
        let happened = tokio::select! {
            biased;
            input = inputs.next() => Happened::Input(input.unwrap_or(Input::Gone)),
            Some(msg) = messages.recv() => Happened::Msg(msg),
            () = sleep_until(rest.unwrap_or(wake)), if rest.is_some() => Happened::Msg(Msg::Settled),
            () = sleep_until(wake) => Happened::Msg(time_passed(&state.model, started, ports.clock.now())),
        };
        let mut queue = vec![happened];
        drain(&mut messages, &mut queue);
        for happened in queue {
            let msg = match happened {
                Happened::Input(input) => match take(input, screen) {
                    Taken::Msg(msg) => msg,
                    Taken::Nothing => continue,
                    Taken::End(ended) => return Ok((ended, state.model)),
                },
                Happened::Msg(Msg::Connected(Err(error))) if is_final(&error, &state.model) => {
                    return Err(error);
                }
                Happened::Msg(msg) => {
                    if !effects.came_back(&msg) {
                        continue;
                    }
                    msg
                }
            };
            if matches!(msg, Msg::Settled) {
                rest = None;
            }
            for cmd in state.update(msg) {
                match cmd {
                    Cmd::Quit => return Ok((Ended::Quit, state.model)),
                    Cmd::Settle => rest = Some(Instant::now() + REST),
                    // A text too long for the clipboard is still shown in the footer.
                    Cmd::Copy(text) => drop(screen.copy(&text)),
                    other => effects.run(other, |key: &WsKey| state.model.row(key)),
                }
            }
        }
        if screen.draw(ui::frame(&state.model, &theme)).is_err() {
            return Ok((Ended::Gone, state.model));
        }
    }
}

enum Happened {
    Input(Input),
    Msg(Msg),
}

enum Taken {
    Msg(Msg),
    Nothing,
    End(Ended),
}

/// What an input means: a message, something for the screen alone, or the end.
fn take<W: Write>(input: Input, screen: &mut Screen<W>) -> Taken {
    let again = |taken: std::io::Result<()>| match taken {
        Ok(()) => Taken::Nothing,
        Err(_) => Taken::End(Ended::Gone),
    };
    match input {
        Input::Key(key) => Taken::Msg(Msg::Key(key)),
        Input::Paste(text) => Taken::Msg(Msg::Paste(text)),
        Input::Resized { cols, rows } => {
            screen.resize(cols, rows);
            Taken::Msg(Msg::Resized(cols, rows))
        }
        Input::Suspended => again(screen.suspend()),
        Input::Resumed => again(screen.resume()),
        Input::Terminate(signal) => Taken::End(Ended::Signal(signal)),
        Input::Gone => Taken::End(Ended::Gone),
    }
}

/// Whether a failed contact ends the session: nothing was ever heard, and waiting does not mend it.
fn is_final(error: &Error, model: &Model) -> bool {
    let never_heard = matches!(model.endpoint.state, LinkState::Connecting { .. });
    never_heard && matches!(error.kind, Kind::Unreachable | Kind::NotPermitted)
}

fn drain(messages: &mut UnboundedReceiver<Msg>, queue: &mut Vec<Happened>) {
    while queue.len() < BATCH
        && let Ok(msg) = messages.try_recv()
    {
        queue.push(Happened::Msg(msg));
    }
}

/// When the screen must change although nothing happens: each second while nothing
/// answers, else with the minute that ages are counted in.
fn next_wake(model: &Model, started: Instant, now: Timestamp) -> Instant {
    match model.endpoint.state {
        LinkState::Connecting { .. } => {
            let seconds = started.elapsed().as_secs() + 1;
            started + Duration::from_secs(seconds)
        }
        LinkState::Live | LinkState::Lost { .. } => {
            let into_minute = u64::try_from(now.as_second().rem_euclid(60)).unwrap_or(0);
            Instant::now() + Duration::from_secs(60 - into_minute)
        }
    }
}

fn time_passed(model: &Model, started: Instant, now: Timestamp) -> Msg {
    match model.endpoint.state {
        LinkState::Connecting { .. } => Msg::Waiting(started.elapsed().as_secs()),
        LinkState::Live | LinkState::Lost { .. } => Msg::Now(now),
    }
}
