//! Keys as a person types them, on the demo engine, through the real loop.

mod backups;
mod browsing;
mod disk;
mod finding;
mod following;
mod learning;
mod lifecycle;
mod looking;
mod real;
mod retiring;
mod stopping;
mod trouble;

use std::sync::Arc;

use outlast::engine::demo::Demo;
use outlast::port::{Clock, Engine};

use crate::support::journey::{Arrived, Step, journey, noon};

/// A wide window, as on a desk.
const WIDE: (u16, u16) = (120, 40);
/// The window of every old terminal.
const OLD: (u16, u16) = (80, 24);

fn clock() -> Arc<dyn Clock> {
    Arc::new(noon())
}

fn docker() -> Arc<dyn Engine> {
    Arc::new(Demo::docker_shaped(clock()))
}

/// A journey on the demo's containers.
fn demo(size: (u16, u16), steps: &[Step]) -> Arrived {
    journey(docker(), clock(), size, steps)
}
