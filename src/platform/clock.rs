//! The system's clock.

use jiff::Timestamp;

use crate::port::Clock;

/// Tells the time of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
