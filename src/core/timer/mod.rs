//! Timers: what a platform does by itself to a workspace that waits too long.
//!
//! Here the rules, as a profile writes them in `[[timer]]` tables; `count` lets
//! them count, `words` says it.

mod count;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::limits::LimitKey;
use super::span::{Fraction, Limit, Span};

pub use count::{Timer, TimerFacts, TimerState, Urgency, timers};

/// One thing that the platform does by itself after a while.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimerRule {
    /// The rule's name in JSON.
    pub id: String,
    /// The rule's name for people.
    pub title: String,
    /// From when on it counts.
    pub starts: Starts,
    /// How long it counts, unless something below says otherwise; `none` is for ever.
    pub after: Limit,
    /// How long by the owner's group.
    #[serde(default)]
    pub by_group: BTreeMap<String, Limit>,
    /// How long by type of container; it goes before the group.
    #[serde(default)]
    pub by_type: BTreeMap<String, Limit>,
    /// The time in the host's file of limits, which goes before all of the above.
    #[serde(default)]
    pub limit: Option<LimitKey>,
    /// Labels that say how many hours; the first that is set goes before everything.
    #[serde(default)]
    pub label_hours: Vec<String>,
    /// What happens when the time is over.
    pub then: Action,
    /// It concerns only workspaces that hold a GPU.
    #[serde(default)]
    pub gpu_only: bool,
    /// Labels, as `key=value`, that spare a workspace.
    #[serde(default)]
    pub spared_labels: Vec<String>,
    /// Nothing happens this soon after a start.
    #[serde(default)]
    pub grace: Option<Span>,
    /// The parts of the time after which it becomes urgent; the last is the most urgent.
    #[serde(default)]
    pub warn_at: Vec<Fraction>,
    /// When the time is shorter because GPUs are scarce.
    #[serde(default)]
    pub high_demand: Option<HighDemand>,
    /// A file that holds the timer off.
    #[serde(default)]
    pub keep_alive: Option<KeepAlive>,
    /// Where the rule comes from.
    #[serde(default)]
    pub source: Option<String>,
}

/// From when on a timer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Starts {
    /// From the end of the main process.
    Stopped,
    /// From when the container was made, if it never started.
    Created,
    /// From the start of the main process.
    Running,
    /// From the last activity.
    Idle,
}

/// What a platform does when a time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It stops the container.
    Stop,
    /// It removes the stopped container.
    Remove,
    /// It stops the container and removes it at once.
    StopAndRemove,
    /// It gives the GPU to others.
    ReleaseGpu,
}

/// When a time is shorter because GPUs are scarce.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HighDemand {
    /// At least this share of the host's GPUs is allocated.
    pub gpus_allocated: Fraction,
    /// The part of the time that is left then.
    pub factor: Fraction,
}

/// A file that holds a timer off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepAlive {
    /// Its path inside the container.
    pub file: String,
    /// How long after its last change it counts.
    pub valid: Span,
    /// What people should know before they use it.
    #[serde(default)]
    pub note: Option<String>,
}
