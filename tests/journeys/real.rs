//! The same loop on real containers.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use outlast::engine::docker::{Address, Docker, find};
use outlast::model::LinkState;
use outlast::platform::{clock::System, host};
use outlast::port::{Clock, Engine};

use super::WIDE;
use crate::engine::far::Heard;
use crate::support::docker::{self, Cli};
use crate::support::dockerd::Dockerd;
use crate::support::journey::{journey, journey_below, meanwhile, press, see, unsee};

pub(super) fn real() -> (Arc<dyn Engine>, Arc<dyn Clock>) {
    let clock: Arc<dyn Clock> = Arc::new(System);
    let address = find(&|name| std::env::var(name).ok()).unwrap().unwrap();
    (Arc::new(Docker::new(address, Arc::new(host::this_host()), Arc::clone(&clock), Vec::new())), clock)
}

pub(super) fn only(name: &str) -> crate::support::journey::Step {
    press(&format!("/{name}<enter>"))
}

#[test]
fn a_stop_from_outside_is_on_the_screen_within_two_seconds() {
    let Some(cli) = docker::engine() else { return };
    let container = cli.container("outside").run();
    let (engine, clock) = real();
    let name = container.name.clone();
    let stopper: Cli = cli.clone();
    let at = Arc::new(Mutex::new(None));
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
fn where_a_backup_is_asked_for_before_a_stop_the_key_does_not_stop_without_it() {
    let Some(cli) = docker::engine() else { return };
    let container = cli.container("asks").args(["--label", "outlast.backup-on-stop=true"]).run();
    let (engine, clock) = real();
    let steps = [
        see("AT RISK"),
        only(&container.name),
        see("none"),
        press("S"),
        see("a backup is asked for before: `outlast stop"),
    ];
    journey(engine, clock, WIDE, &steps);
    assert_eq!(container.inspect("{{.State.Running}}"), "true");
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

/// The end of a name, which stays where the rest gives way.
fn end(name: &str) -> &str {
    &name[name.len() - 6..]
}

/// The adapter at a private engine, on the system's clock.
fn at(dockerd: &Dockerd) -> (Arc<dyn Engine>, Arc<dyn Clock>) {
    let clock: Arc<dyn Clock> = Arc::new(System);
    let host = Arc::new(host::this_host());
    (
        Arc::new(Docker::new(Address::new(dockerd.socket(), "the test"), host, Arc::clone(&clock), Vec::new())),
        clock,
    )
}

#[test]
fn an_engine_that_is_killed_and_restarted_is_called_lost_and_found_again() {
    let Some(dockerd) = Dockerd::start() else { return };
    let container = dockerd.cli().container("survivor").create();
    let (engine, clock) = at(&dockerd);
    let dockerd = Arc::new(Mutex::new(dockerd));
    let (killed, restarted) = (Arc::clone(&dockerd), Arc::clone(&dockerd));
    let arrived = journey(
        engine,
        clock,
        WIDE,
        &[
            see(end(&container.name)),
            meanwhile(move || killed.lock().unwrap().kill()),
            see("not answering"),
            // What was known stays, and the keys work.
            see(end(&container.name)),
            press("?"),
            see("leave"),
            press("<esc>"),
            unsee("leave"),
            meanwhile(move || {
                let restarted = Arc::clone(&restarted);
                std::thread::spawn(move || restarted.lock().unwrap().restart());
            }),
            unsee("not answering"),
            see(end(&container.name)),
        ],
    );
    assert_eq!(arrived.model.endpoint.state, LinkState::Live);
    drop(container);
}

#[test]
fn an_engine_that_hangs_is_said_to_have_timed_out_and_the_keys_still_work() {
    let Some(dockerd) = Dockerd::start() else { return };
    let container = dockerd.cli().container("hung").create();
    let (engine, clock) = at(&dockerd);
    let dockerd = Arc::new(dockerd);
    let (frozen, thawed) = (Arc::clone(&dockerd), Arc::clone(&dockerd));
    let asked = Arc::new(Mutex::new(Instant::now()));
    let (begun, answered) = (Arc::clone(&asked), Arc::clone(&asked));
    journey(
        engine,
        clock,
        WIDE,
        &[
            see(end(&container.name)),
            see("none"),
            meanwhile(move || {
                frozen.freeze();
                *begun.lock().unwrap() = Instant::now();
            }),
            press("r?"),
            see("leave"),
            meanwhile(move || {
                let took = answered.lock().unwrap().elapsed();
                assert!(took < Duration::from_millis(200), "a key took {took:?}");
            }),
            press("<esc>"),
            see("not answering"),
            see(end(&container.name)),
            meanwhile(move || thawed.thaw()),
            press("r"),
            unsee("not answering"),
        ],
    );
    drop(container);
}

#[test]
fn a_folder_is_retired_until_a_container_mounts_it() {
    let Some(cli) = docker::engine() else { return };
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("paper")).unwrap();
    let name = docker::unique("mounts");
    let (engine, clock) = real();
    let (made, folder, called) = (cli.clone(), root.path().join("paper").display().to_string(), name.clone());
    let guard: Arc<Mutex<Option<docker::Container>>> = Arc::default();
    let keep = Arc::clone(&guard);
    let arrived = journey_below(
        engine,
        clock,
        WIDE,
        vec![root.path().to_path_buf()],
        &[
            see(" paper "),
            meanwhile(move || {
                let bind = format!("{folder}:/w");
                let container = made.container("mounts").name(called.clone()).args(["-v", &bind]).run();
                *keep.lock().unwrap() = Some(container);
            }),
            // Where other containers need the room, the name is cut in its middle.
            see(end(&name)),
            unsee(" paper "),
        ],
    );
    assert!(arrived.model.rows.iter().all(|row| row.workspace.name != "paper"));
    drop(guard);
}

#[test]
fn nothing_costly_is_asked_on_the_way_to_a_frame() {
    let Some(cli) = docker::engine() else { return };
    let container = cli.container("cheap").run();
    let heard = Heard::listening();
    let clock: Arc<dyn Clock> = Arc::new(System);
    let address = Address::new(heard.socket(), "the test");
    let engine = Docker::new(address, Arc::new(host::this_host()), Arc::clone(&clock), Vec::new());
    let steps = [see("AT RISK"), only(&container.name), see("none"), press("<enter>"), see("IN CONTAINER")];
    journey(Arc::new(engine), clock, WIDE, &steps);
    let lines = heard.lines();
    assert!(lines.iter().any(|line| line.contains("/containers/json")), "{lines:?}");
    for costly in ["stats", "size=", "system/df", "/changes"] {
        assert!(lines.iter().all(|line| !line.contains(costly)), "{costly}: {lines:?}");
    }
    assert!(lines.iter().all(|line| line.starts_with("GET ") || line.starts_with("HEAD ")), "{lines:?}");
}

#[test]
fn the_copied_command_does_what_the_key_would_do() {
    let Some(cli) = docker::engine() else { return };
    let container = cli.container("copied").run();
    for (state, verb, after) in [("running", "stop", "exited"), ("exited", "start", "running")] {
        let (engine, clock) = real();
        let says = format!("copied: docker {verb} {}", container.name);
        let arrived = journey(
            engine,
            clock,
            WIDE,
            &[see("S stop or start"), only(&container.name), see(state), press("y"), see(&says)],
        );
        let notice = arrived.model.notice.unwrap().text;
        let command = notice.strip_prefix("copied: ").unwrap();
        assert!(std::process::Command::new("sh").args(["-c", command]).output().unwrap().status.success());
        assert_eq!(container.inspect("{{.State.Status}}"), after, "after {command}");
    }
}

#[test]
fn four_platforms_are_named_and_a_folder_that_is_not_mounted_is_flagged() {
    let Some(cli) = docker::engine() else { return };
    let ds01 = cli.container("on-ds01").args(["--label", "ds01.user=alice"]).run();
    let vessl = cli.container("on-vessl").args(["-e", "VESSL_WORKSPACE_ID=7"]).run();
    let backendai = cli.container("on-backendai").args(["--label", "ai.backend.session-id=5f3c"]).run();
    let deeporigin = cli.container("on-deeporigin").args(["-e", "DEEP_ORIGIN_ORG=lab"]).run();
    let plain = cli.container("on-docker").run();
    let (engine, clock) = real();
    let mut steps = vec![see("AT RISK")];
    for (container, title) in [
        (&ds01, "platform  DS01 (label ds01.user"),
        (&vessl, "platform  VESSL (variable VESSL_WORKSPACE_ID"),
        (&backendai, "platform  Backend.AI (label ai.backend.session-id"),
        (&deeporigin, "platform  Deep Origin (variable DEEP_ORIGIN_ORG"),
        (&plain, "platform  Docker (no platform's sign was found"),
    ] {
        steps.extend([only(&container.name), see(title), press("<esc>")]);
    }
    steps.extend([
        only(&ds01.name),
        see("/workspace not mounted"),
        press("<enter>"),
        see("Nothing is mounted at /workspace"),
    ]);
    let arrived = journey(engine, clock, WIDE, &steps);
    let profile = |name: &str| {
        let row = arrived.model.rows.iter().find(|row| row.workspace.container.as_deref() == Some(name));
        row.map(|row| row.rules.profile.id.clone())
    };
    assert_eq!(profile(&vessl.name).as_deref(), Some("vessl"));
    assert_eq!(profile(&plain.name).as_deref(), Some("docker"));
}
