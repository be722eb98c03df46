//! When the engine is not there, or goes.

use std::sync::Arc;

use outlast::app::Ended;
use outlast::core::error::{Error, Kind};
use outlast::engine::demo::Demo;
use outlast::model::LinkState;

use super::{OLD, clock};
use crate::support::journey::{journey, journey_ends, press, see};

fn down() -> Error {
    Error::new(Kind::Unreachable, "nothing listens on /run/x.sock").hint("start it: systemctl start docker")
}

#[test]
fn a_first_contact_that_waiting_does_not_mend_ends_the_session_with_the_way_out() {
    let engine = Arc::new(Demo::docker_shaped(clock()).failing(down()));
    assert_eq!(journey_ends(engine, clock(), OLD), Err(down()));
}

#[test]
fn an_engine_that_is_only_slow_is_named_and_the_keys_work() {
    let slow = Error::new(Kind::TimedOut, "no answer within 10 s").hint("see whether `docker ps` answers");
    let engine = Arc::new(Demo::docker_shaped(clock()).failing(slow));
    let steps = [see("o answer within 10 s"), see("docker ps"), press("?"), see("Looking"), press("q")];
    let arrived = journey(engine, clock(), OLD, &steps);
    assert_eq!(arrived.ended, Ended::Quit);
    assert!(matches!(arrived.model.endpoint.state, LinkState::Lost { .. }));
}

#[test]
fn an_engine_without_containers_says_what_could_be_done() {
    journey(Arc::new(Demo::empty(clock())), clock(), OLD, &[see("No container")]);
}
