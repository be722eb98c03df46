//! What the clock makes of a workspace: its timers, the one that ends first, and the
//! conditions that time alone decides. Pure, so that every face says the same at the same moment.

use std::sync::Arc;

use jiff::Timestamp;

use super::classify::Grounds;
use super::facts::Facts;
use super::fate::Condition;
use super::identity;
use super::limits::Limits;
use super::rules::Rules;
use super::timer::{self, Action, Starts, Timer, TimerFacts, TimerState, Urgency};
use super::workspace::{Detail, Workspace};

/// What timers stand on besides what the engine says: read once with each closer look.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timing {
    /// The limits of the host, where it has a file of them.
    pub limits: Option<Arc<Limits>>,
    /// When the keep-alive file was last changed, if there is one.
    pub keep_alive: Option<Timestamp>,
    /// When the host was booted, where the workspace is on this machine.
    pub booted: Option<Timestamp>,
    /// What could not be read, each a part of a sentence (may hold untrusted text).
    pub unread: Vec<String>,
}

/// All timers of a workspace, the most urgent first.
pub fn timers(
    workspace: &Workspace,
    detail: &Detail,
    rules: &Rules,
    timing: &Timing,
    now: Timestamp,
) -> Vec<Timer> {
    if rules.profile.timers.is_empty() {
        return Vec::new();
    }
    let name = workspace.container.as_deref().unwrap_or(&workspace.name);
    let owner = workspace.owner.name.as_deref();
    let allowance = timing.limits.as_ref().map(|limits| limits.of(owner).at(owner, now));
    let facts = TimerFacts {
        state: detail.state,
        created: workspace.created,
        started: detail.started,
        finished: detail.finished,
        has_gpu: Some(!detail.gpus.is_empty()),
        group: None,
        container_type: Some(identity::container_type(&workspace.labels, name)),
        labels: &workspace.labels,
        keep_alive: timing.keep_alive,
        // Nobody measures activity or counts the GPUs of the host yet; both stay unknown.
        idle_since: None,
        gpus_allocated: None,
    };
    timer::timers(&rules.profile.timers, &facts, allowance.as_ref(), now)
}

/// The timer that ends first, of those that still change something.
pub fn next(timers: &[Timer]) -> Option<&Timer> {
    let counts = |timer: &&Timer| matches!(timer.state, TimerState::Counting { .. });
    timers.iter().filter(counts).find(|timer| !is_released(timer))
}

/// The timer that ends first, where it is near enough to be seen in every list.
pub fn pressing(timers: &[Timer]) -> Option<&Timer> {
    next(timers).filter(|timer| timer.urgency >= Urgency::Warning)
}

/// Whether the platform has given the GPU of the stopped workspace to others by now.
pub fn gpu_released(timers: &[Timer]) -> bool {
    timers.iter().any(is_released)
}

fn is_released(timer: &Timer) -> bool {
    timer.then == Action::ReleaseGpu && is_over(timer)
}

fn is_over(timer: &Timer) -> bool {
    matches!(&timer.state, TimerState::Counting { left, .. } if !left.is_positive())
}

/// What is known once the clock is asked: a stopped container past its hold is not started in time.
///
/// Before that it stays unknown whether somebody starts it.
#[must_use]
pub fn at(facts: Facts, rules: &Rules, timers: &[Timer]) -> Facts {
    let from_stop =
        |id: &str| rules.profile.timers.iter().any(|rule| rule.id == id && rule.starts == Starts::Stopped);
    let over = |then: &[Action]| {
        let over =
            timers.iter().any(|timer| then.contains(&timer.then) && from_stop(&timer.id) && is_over(timer));
        over.then_some(false)
    };
    facts
        .with(Condition::RestartedInTime, over(&[Action::Remove, Action::StopAndRemove]))
        .with(Condition::GpuHeld, over(&[Action::ReleaseGpu]))
}

impl Grounds {
    /// The timers of the workspace that these grounds are about.
    pub fn timers(&self, workspace: &Workspace, now: Timestamp) -> Vec<Timer> {
        timers(workspace, &self.detail, &self.rules, &self.timing, now)
    }

    /// The same grounds with what the clock adds to them.
    #[must_use]
    pub fn at(mut self, workspace: &Workspace, now: Timestamp) -> Self {
        self.facts = at(self.facts, &self.rules, &self.timers(workspace, now));
        self
    }
}
