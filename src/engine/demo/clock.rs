//! A clock that stands still, for tests and pictures.

use jiff::Timestamp;

use crate::port::Clock;

/// Always tells the same time.
#[derive(Clone, Copy, Debug)]
pub struct Fixed(pub Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}
