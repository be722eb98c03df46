//! The same loop on real containers.

use std::sync::Arc;
use std::time::Instant;

use outlast::engine::docker::{Docker, find};
use outlast::platform::{clock::System, host};
use outlast::port::{Clock, Engine};

use super::WIDE;
use crate::support::docker::{self, Cli};
use crate::support::journey::{journey, meanwhile, press, see};

fn real() -> (Arc<dyn Engine>, Arc<dyn Clock>) {
    let clock: Arc<dyn Clock> = Arc::new(System);
    let address = find(&|name| std::env::var(name).ok()).unwrap().unwrap();
    (Arc::new(Docker::new(address, Arc::new(host::this_host()), Arc::clone(&clock))), clock)
}

fn only(name: &str) -> crate::support::journey::Step {
    press(&format!("/{name}<enter>"))
}

#[test]
fn a_stop_from_outside_is_on_the_screen_within_two_seconds() {
    let Some(cli) = docker::engine() else { return };
    let container = cli.container("outside").run();
    let (engine, clock) = real();
    let name = container.name.clone();
    let stopper: Cli = cli.clone();
    let at = Arc::new(std::sync::Mutex::new(None));
    let (stopped, seen) = (Arc::clone(&at), Arc::clone(&at));
    let target = name.clone();
    journey(
        engine,
        clock,
        WIDE,
        &[
            see("AT RISK"),
            only(&name),
            see("running"),
            meanwhile(move || {
                let (stopper, target, stopped) = (stopper.clone(), target.clone(), Arc::clone(&stopped));
                std::thread::spawn(move || {
                    stopper.run(&["stop", "-t", "0", &target]);
                    *stopped.lock().unwrap() = Some(Instant::now());
                });
            }),
            see("exited"),
            meanwhile(move || {
                // The screen may be faster than the command that stopped it.
                let stopped = *seen.lock().unwrap();
                if let Some(stopped) = stopped {
                    assert!(stopped.elapsed().as_millis() < 2_000, "{} ms", stopped.elapsed().as_millis());
                }
            }),
        ],
    );
}

#[test]
fn files_written_while_looking_are_counted_after_r() {
    let Some(cli) = docker::engine() else { return };
    let container = cli.container("writes").run();
    let (engine, clock) = real();
    let name = container.name.clone();
    let writer = cli.clone();
    let target = name.clone();
    journey(
        engine,
        clock,
        WIDE,
        &[
            see("AT RISK"),
            only(&name),
            see("none"),
            meanwhile(move || {
                writer.run(&["exec", &target, "dd", "if=/dev/zero", "of=/tmp/model.pt", "bs=1M", "count=10"]);
            }),
            press("r"),
            see("10M"),
            see("/tmp/model.pt"),
        ],
    );
}
