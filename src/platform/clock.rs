//! This machine's clock.

use jiff::Timestamp;

use crate::port::Clock;

/// The time of day as this machine has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
