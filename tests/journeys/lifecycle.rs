//! A crash on a real container: seen, explained, and one key that starts it again.

use std::sync::Arc;

use super::WIDE;
use super::real::{only, real};
use crate::support::docker;
use crate::support::journey::{journey, meanwhile, press, see};

#[test]
fn a_crash_is_seen_with_its_cause_and_s_starts_it_again_with_its_files() {
    let Some(cli) = docker::engine() else { return };
    let container = Arc::new(cli.container("killed").run());
    container.exec("echo kept > /opt/result");
    let (engine, clock) = real();
    let (killed, looked) = (Arc::clone(&container), Arc::clone(&container));
    journey(
        engine,
        clock,
        WIDE,
        &[
            see("AT RISK"),
            only(&container.name),
            see("running"),
            press("<enter>ll"),
            see("after a reboot  will not return"),
            meanwhile(move || killed.kill()),
            see("killed by signal 9 (exit 137)"),
            see(&format!("docker start {}", container.name)),
            press("S"),
            see("Plan"),
            press("y"),
            see("started outlast"),
            see("will not return"),
            meanwhile(move || assert_eq!(looked.exec("cat /opt/result"), "kept")),
        ],
    );
}
