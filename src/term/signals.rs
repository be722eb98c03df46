//! Signals become input, and a watchdog ends the process where the loop cannot.
//!
//! A thread of its own, because the loop may be blocked in a write to a line that nobody reads
//! any more. A dropped line must not run destructors that touch the terminal: printing on it
//! panics, and a panic in the panic hook ends in SIGABRT.

use std::io;
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Input;
use super::guard;

/// How long the loop may take to leave once the line is gone.
const HANGUP_GRACE: Duration = Duration::from_millis(150);

/// How long the loop may take to leave on any other request to end.
const TERMINATE_GRACE: Duration = Duration::from_millis(500);

/// How long giving the terminal back may take on a line that nobody reads.
const RESTORE_GRACE: Duration = Duration::from_millis(100);

/// Where the one signal thread of this process sends to: the latest listener.
static LISTENER: OnceLock<Mutex<UnboundedSender<Input>>> = OnceLock::new();

/// The exit code of a program that a signal ended.
pub fn exit_code(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(u8::MAX)
}

/// Starts listening. While nobody listens (a child has the terminal), Ctrl-C, Ctrl-\ and Ctrl-Z
/// are meant for the child and ignored here; hang-up and termination still end the process.
///
/// # Errors
/// Where the handlers or the thread cannot be set up.
pub(super) fn listen() -> io::Result<UnboundedReceiver<Input>> {
    let (sender, receiver) = unbounded_channel();
    if let Some(listener) = LISTENER.get() {
        *listener.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = sender;
        return Ok(receiver);
    }
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT])?;
    let listener = LISTENER.get_or_init(|| Mutex::new(sender));
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            handle(signal, listener);
        }
    })?;
    Ok(receiver)
}

fn handle(signal: i32, listener: &Mutex<UnboundedSender<Input>>) {
    let input = match signal {
        SIGTSTP => Input::Suspended,
        SIGCONT => Input::Resumed,
        _ => Input::Terminate(signal),
    };
    let heard = listener.lock().unwrap_or_else(std::sync::PoisonError::into_inner).send(input).is_ok();
    match signal {
        SIGTSTP | SIGCONT => {}
        SIGHUP => watch(signal, HANGUP_GRACE),
        SIGINT | SIGQUIT if !heard => {}
        _ => watch(signal, TERMINATE_GRACE),
    }
}

/// Ends the process after a grace, unless it ended itself by then.
fn watch(signal: i32, grace: Duration) {
    let end = move || {
        thread::sleep(grace);
        if signal != SIGHUP {
            let (done, wait) = mpsc::channel();
            let restoring = thread::Builder::new().spawn(move || {
                guard::restore();
                done.send(())
            });
            if restoring.is_ok() {
                let _stalled = wait.recv_timeout(RESTORE_GRACE);
            }
        }
        signal_hook::low_level::exit(i32::from(exit_code(signal)))
    };
    if thread::Builder::new().name("watchdog".to_owned()).spawn(end).is_err() {
        signal_hook::low_level::exit(i32::from(exit_code(signal)));
    }
}
