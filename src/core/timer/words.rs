//! What a timer says: in one cell, and in a sentence.

use super::{Action, Timer, TimerState};
use crate::text::{age, span};

impl Action {
    /// What happens, after "until" or "due now:".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Stop => "it is stopped",
            Self::Remove => "it is removed",
            Self::StopAndRemove => "it is stopped and removed",
            Self::ReleaseGpu => "its GPU is released",
        }
    }

    /// What happened then, before "in 10m": "removed".
    const fn past(self) -> &'static str {
        match self {
            Self::Stop => "stopped",
            Self::Remove => "removed",
            Self::StopAndRemove => "ended",
            Self::ReleaseGpu => "GPU released",
        }
    }
}

impl Timer {
    /// A part of a cell that says more: "removed in 10m"; in brief "10m left". `None` where it does not count.
    pub fn beside(&self, brief: bool) -> Option<String> {
        let TimerState::Counting { due, left } = &self.state else { return None };
        let past = self.then.past();
        if !left.is_positive() {
            return Some(if brief { "due now".into() } else { format!("{past} any moment") });
        }
        let now = due.checked_sub(*left).unwrap_or(*due);
        let left = age(now, *due);
        Some(if brief { format!("{left} left") } else { format!("{past} in {left}") })
    }

    /// One cell: "10 min left", "due now", "not subject".
    pub fn short(&self) -> String {
        match &self.state {
            TimerState::Counting { left, .. } if left.is_positive() => format!("{} left", span(*left)),
            TimerState::Counting { .. } => "due now".into(),
            TimerState::HeldOff { left, .. } => format!("held off {}", span(*left)),
            TimerState::Unknown { .. } => "not known".into(),
            TimerState::NotSubject { .. } => "not subject".into(),
        }
    }

    /// A sentence without its full stop: "10 min left until it is removed".
    pub fn sentence(&self) -> String {
        let (short, then) = (self.short(), self.then.words());
        match &self.state {
            TimerState::Counting { left, .. } if left.is_positive() => format!("{short} until {then}"),
            TimerState::Counting { .. } => format!("{short}: {then} at the platform's next check"),
            TimerState::HeldOff { left, .. } => {
                format!("held off by keep-alive for another {}, then {then}", span(*left))
            }
            TimerState::Unknown { why } | TimerState::NotSubject { why } => format!("{short}: {why}"),
        }
    }
}
