//! What is known about conditions. Unknown stays unknown.

use super::fate::Condition;

/// Which conditions hold, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts([Option<bool>; Condition::ALL.len()]);

impl Facts {
    /// The same facts and one more; `None` leaves the condition unknown.
    #[must_use]
    pub const fn with(mut self, condition: Condition, holds: Option<bool>) -> Self {
        self.0[condition.index()] = holds;
        self
    }

    /// Whether a condition holds; `None` where that is not known.
    pub const fn holds(&self, condition: Condition) -> Option<bool> {
        self.0[condition.index()]
    }
}
