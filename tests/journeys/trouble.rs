//! When the engine is not there, or goes.

use std::sync::Arc;

use outlast::app::Ended;
use outlast::core::error::{Error, Kind};
use outlast::engine::demo::Demo;
use outlast::model::LinkState;

use super::{OLD, clock};
use crate::support::journey::{journey, press, see};

fn down() -> Error {
    Error::new(Kind::Unreachable, "nothing listens on /run/x.sock").hint("start it: systemctl start docker")
}

#[test]
fn an_engine_that_is_not_there_is_named_with_the_way_out_and_the_keys_work() {
    let engine = Arc::new(Demo::docker_shaped(clock()).failing(down()));
    let steps = [
        see("othing listens on /run/x.sock"),
        see("systemctl start docker"),
        press("?"),
        see("leave"),
        press("qq"),
    ];
    let arrived = journey(engine, clock(), OLD, &steps);
    assert_eq!(arrived.ended, Ended::Quit);
    assert!(matches!(arrived.model.endpoint.state, LinkState::Lost { .. }));
}

#[test]
fn an_engine_without_containers_says_what_could_be_done() {
    journey(Arc::new(Demo::empty(clock())), clock(), OLD, &[see("No container")]);
}
