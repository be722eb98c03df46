//! Changes as they happen, and an engine that goes away and comes back.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use outlast::core::error::Kind;
use outlast::port::{Engine, Tick, WatchStream};

use super::{adapter_at, key, real, wait};
use crate::support::dockerd::Dockerd;

/// Reads until the tick that is waited for, at most this long.
async fn until(stream: &mut WatchStream, limit: Duration, wanted: impl Fn(&Tick) -> bool) -> Option<Tick> {
    let read = async {
        while let Some(tick) = stream.next().await {
            if wanted(&tick) {
                return Some(tick);
            }
        }
        None
    };
    tokio::time::timeout(limit, read).await.ok().flatten()
}

#[test]
fn a_stop_from_outside_is_seen_within_two_seconds() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("watched").run();
    wait(async {
        let mut stream = docker.watch();
        assert_eq!(stream.next().await, Some(Tick::Live));
        let ours = Tick::Changed(Some(key(&container)));
        std::thread::spawn({
            let (cli, id) = (cli.clone(), container.id.clone());
            move || cli.run(&["stop", &id])
        });
        let begun = Instant::now();
        let seen = until(&mut stream, Duration::from_secs(5), |tick| *tick == ours).await;
        assert!(seen.is_some(), "the stop was not seen");
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    });
}

#[test]
fn commands_inside_a_container_change_nothing_that_is_shown() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("quiet").run();
    wait(async {
        let mut stream = docker.watch();
        assert_eq!(stream.next().await, Some(Tick::Live));
        let (id, runs) = (container.id.clone(), cli.clone());
        std::thread::spawn(move || {
            runs.run(&["exec", &id, "true"]);
            runs.run(&["top", &id]);
        });
        let ours = Tick::Changed(Some(key(&container)));
        let seen = until(&mut stream, Duration::from_secs(1), |tick| *tick == ours).await;
        assert_eq!(seen, None);
    });
}

#[test]
fn an_engine_that_is_killed_and_restarted_is_lost_and_found() {
    let Some(mut dockerd) = Dockerd::start() else { return };
    let docker = adapter_at(&dockerd.socket());
    wait(async {
        let mut stream = docker.watch();
        assert_eq!(stream.next().await, Some(Tick::Live));
        assert!(docker.probe().await.is_ok());
        dockerd.kill();
        let lost = until(&mut stream, Duration::from_secs(5), |tick| matches!(tick, Tick::Lost(_))).await;
        assert!(matches!(&lost, Some(Tick::Lost(why)) if why.kind == Kind::Unreachable), "{lost:?}");
        assert_eq!(stream.next().await, None, "nothing comes after the loss");
        assert_eq!(docker.inventory().await.unwrap_err().kind, Kind::Unreachable);
        let again = docker.watch().next().await;
        assert!(matches!(again, Some(Tick::Lost(_))), "{again:?}");

        dockerd.restart();
        assert_eq!(docker.watch().next().await, Some(Tick::Live));
        assert!(docker.probe().await.is_ok());
        assert!(docker.inventory().await.is_ok());
    });
}
