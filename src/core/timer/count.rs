//! Lets a profile's timers count for one workspace.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Action, HighDemand, KeepAlive, Starts, TimerRule};
use crate::core::limits::{Allowance, LimitKey};
use crate::core::span::{Limit, Span};
use crate::core::workspace::RunState;
use crate::text::{ago, cut, printable, span};

/// Seconds in an hour, in which labels count.
const HOUR: f64 = 3_600.0;

/// What timers need to know about a workspace; `None` is "not known", or "not there" for the file.
#[derive(Clone, Debug)]
pub struct TimerFacts<'f> {
    /// What it is doing.
    pub state: RunState,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When its main process last started.
    pub started: Option<Timestamp>,
    /// When its main process last ended.
    pub finished: Option<Timestamp>,
    /// Whether it holds a GPU.
    pub has_gpu: Option<bool>,
    /// Its owner's group.
    pub group: Option<String>,
    /// What type of container the platform takes it for (untrusted text).
    pub container_type: Option<String>,
    /// Its labels (untrusted text).
    pub labels: &'f BTreeMap<String, String>,
    /// When the keep-alive file was last changed, if there is one.
    pub keep_alive: Option<Timestamp>,
    /// When it was last active.
    pub idle_since: Option<Timestamp>,
    /// Which share of the host's GPUs is allocated.
    pub gpus_allocated: Option<f64>,
}

/// One timer of one workspace at one moment. Its texts are safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// The rule's name in JSON.
    pub id: String,
    /// The rule's name for people.
    pub title: String,
    /// What happens when the time is over.
    pub then: Action,
    /// How long it counts in all; `None` where it does not count.
    pub after: Option<SignedDuration>,
    /// What set that length: "group student", "this host's limits".
    pub by: Option<String>,
    /// Whether it counts, and how far it is.
    pub state: TimerState,
    /// How much it matters now.
    pub urgency: Urgency,
    /// What else there is to know, each a part of a sentence.
    pub notes: Vec<String>,
}

/// Whether a timer counts, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimerState {
    /// It counts.
    Counting {
        /// When the time is over.
        due: Timestamp,
        /// How long until then; negative when that was in the past.
        left: SignedDuration,
    },
    /// A keep-alive file holds it off.
    HeldOff {
        /// Until when.
        until: Timestamp,
        /// How long until then.
        left: SignedDuration,
    },
    /// It may count, but something is not known.
    Unknown {
        /// What is not known.
        why: String,
    },
    /// It does not concern this workspace as it is now.
    NotSubject {
        /// Why not.
        why: String,
    },
}

/// How much a timer matters now, from nothing to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// It does not count.
    None,
    /// There is time.
    Calm,
    /// A point to warn at is passed.
    Warning,
    /// The last point to warn at is passed, or the time is over.
    Critical,
}

impl Timer {
    /// When the time is over, where it counts.
    pub const fn due(&self) -> Option<Timestamp> {
        match &self.state {
            TimerState::Counting { due, .. } => Some(*due),
            _ => None,
        }
    }

    /// The order of lists: the most urgent first, then the one due soonest.
    pub fn rank(&self) -> impl Ord + use<> {
        let (place, at) = match &self.state {
            TimerState::Counting { due, .. } => (0, Some(*due)),
            TimerState::HeldOff { until, .. } => (0, Some(*until)),
            TimerState::Unknown { .. } => (1, None),
            TimerState::NotSubject { .. } => (2, None),
        };
        (Reverse(self.urgency), place, at)
    }
}

/// Lets every rule count for one workspace; the most urgent timer comes first.
/// `limits` are those of the workspace's owner, where the host has a file of them.
pub fn timers(
    rules: &[TimerRule],
    facts: &TimerFacts<'_>,
    limits: Option<&Allowance<'_>>,
    now: Timestamp,
) -> Vec<Timer> {
    let mut timers: Vec<Timer> = rules.iter().map(|rule| Count { rule, facts, limits, now }.timer()).collect();
    timers.sort_by_key(Timer::rank);
    timers
}

/// One rule at work on one workspace.
struct Count<'c> {
    rule: &'c TimerRule,
    facts: &'c TimerFacts<'c>,
    limits: Option<&'c Allowance<'c>>,
    now: Timestamp,
}

impl Count<'_> {
    fn timer(&self) -> Timer {
        let mut timer = Timer {
            id: self.rule.id.clone(),
            title: self.rule.title.clone(),
            then: self.rule.then,
            after: None,
            by: None,
            state: TimerState::Unknown { why: String::new() },
            urgency: Urgency::None,
            notes: Vec::new(),
        };
        timer.state = self.count(&mut timer).unwrap_or_else(|state| state);
        if let (TimerState::Counting { left, .. } | TimerState::HeldOff { left, .. }, Some(after)) =
            (&timer.state, timer.after)
        {
            timer.urgency = self.urgency(*left, after);
        }
        timer
    }

    /// The state of a timer that counts, or why it does not; length and notes go into the timer.
    fn count(&self, timer: &mut Timer) -> Result<TimerState, TimerState> {
        let unknown = |why: &str| TimerState::Unknown { why: why.into() };
        self.concerns()?;
        if let (Some(limits), Some(key)) = (self.limits, self.rule.limit)
            && limits.is_exempt(key)
        {
            return Err(TimerState::NotSubject { why: "the administrators exempted its owner".into() });
        }
        let (limit, by) = self.limit().map_err(|why| TimerState::Unknown { why })?;
        let Limit::After(mut after) = limit else {
            return Err(TimerState::NotSubject { why: format!("no limit ({by})") });
        };
        timer.by = Some(by);
        if let Some(demand) = self.demand() {
            after = self.in_demand(demand, after, &mut timer.notes);
        }
        timer.after = Some(after.length());
        let until = self.held_off(&mut timer.notes);
        let (since, missing) = match self.rule.starts {
            Starts::Stopped => (self.facts.finished, "when it ended"),
            Starts::Created => (self.facts.created, "when it was made"),
            Starts::Running => (self.facts.started, "when it started"),
            Starts::Idle => (self.facts.idle_since, "when it was last active"),
        };
        let graced = self.facts.started.zip(self.grace()).map(|(started, grace)| later(started, grace));
        let due = since.map(|since| later(since, after)).max(since.and(graced));
        match (until, due) {
            (Some(until), due) if due.is_none_or(|due| due <= until) => {
                Ok(TimerState::HeldOff { until, left: until.duration_since(self.now) })
            }
            (_, Some(due)) => Ok(TimerState::Counting { due, left: due.duration_since(self.now) }),
            (_, None) => Err(unknown(missing)),
        }
    }

    /// Whether the rule concerns the workspace as it is now.
    fn concerns(&self) -> Result<(), TimerState> {
        let not = |why: String| Err(TimerState::NotSubject { why });
        let set = |spared: &&String| match spared.split_once('=') {
            Some((key, value)) => self.facts.labels.get(key).is_some_and(|set| set == value),
            None => self.facts.labels.contains_key(spared.as_str()),
        };
        if let Some(spared) = self.rule.spared_labels.iter().find(set) {
            return not(format!("label {}", printable(spared)));
        }
        if self.rule.gpu_only && self.facts.has_gpu == Some(false) {
            return not("no GPU".into());
        }
        let state = self.facts.state;
        let counts = match self.rule.starts {
            Starts::Stopped => state == RunState::Exited,
            Starts::Created => state == RunState::Created,
            Starts::Running | Starts::Idle => state.is_up(),
        };
        let unknown = |why: &str| Err(TimerState::Unknown { why: why.into() });
        match state {
            RunState::Unknown => unknown("what it is doing"),
            _ if !counts => not(format!("it is {}", state.key())),
            _ if self.rule.gpu_only && self.facts.has_gpu.is_none() => unknown("whether it holds a GPU"),
            _ => Ok(()),
        }
    }

    /// How long the rule counts here, and what says so; or what is not known about it.
    fn limit(&self) -> Result<(Limit, String), String> {
        let set = |label: &&String| self.facts.labels.get(*label).filter(|text| !text.trim().is_empty());
        if let Some((label, text)) = self.rule.label_hours.iter().find_map(|label| Some((label, set(&label)?)))
        {
            let by = format!("label {}", printable(label));
            return Limit::parse(text, HOUR)
                .map(|limit| (limit, by.clone()))
                .map_err(|_| format!("how many hours: {by} says “{}”", cut(&printable(text), 20, "...")));
        }
        if let Some((limits, limit)) = self.rule.limit.and_then(|key| Some((self.limits?, self.time(key)?))) {
            let by = match limits.limits.unread.as_slice() {
                [] => "this host's limits",
                [..] => "this host's limits, as far as they can be read",
            };
            return Ok((limit, by.into()));
        }
        let kind = self.facts.container_type.as_deref();
        if let Some((kind, limit)) = kind.and_then(|kind| Some((kind, self.rule.by_type.get(kind)?))) {
            return Ok((*limit, format!("container type {}", printable(kind))));
        }
        let group = self.facts.group.as_deref().or_else(|| self.limits.and_then(|limits| limits.group));
        if let Some((group, limit)) = group.and_then(|group| Some((group, self.rule.by_group.get(group)?))) {
            return Ok((*limit, format!("group {}", printable(group))));
        }
        Ok((self.rule.after, "the platform's default".into()))
    }

    /// A time that the host's file of limits sets for this workspace.
    fn time(&self, key: LimitKey) -> Option<Limit> {
        self.limits?.time(key, self.facts.container_type.as_deref())
    }

    /// A length that the host's file of limits sets, else the rule's own.
    fn length(&self, key: LimitKey, own: Span) -> Span {
        match self.time(key) {
            Some(Limit::After(span)) => span,
            Some(Limit::Never) | None => own,
        }
    }

    fn grace(&self) -> Option<Span> {
        self.rule.grace.map(|grace| self.length(LimitKey::GracePeriod, grace))
    }

    fn demand(&self) -> Option<HighDemand> {
        let HighDemand { gpus_allocated, factor } = self.rule.high_demand?;
        let limits = self.limits.map(|allowance| allowance.limits);
        Some(HighDemand {
            gpus_allocated: limits.and_then(|limits| limits.high_demand_from).unwrap_or(gpus_allocated),
            factor: limits.and_then(|limits| limits.high_demand_factor).unwrap_or(factor),
        })
    }

    /// The length that counts while GPUs are as scarce as they are.
    fn in_demand(&self, demand: HighDemand, usual: Span, notes: &mut Vec<String>) -> Span {
        let from = demand.gpus_allocated.value();
        let short = usual.shortened(demand.factor);
        let in_all = span(short.length());
        match self.facts.gpus_allocated {
            Some(allocated) if allocated >= from => {
                notes.push(format!("high demand: {in_all} instead of {}", span(usual.length())));
                short
            }
            Some(_) => usual,
            None => {
                let percent = (from * 100.0).round();
                notes.push(format!("{in_all} in all while {percent} % of the GPUs are allocated"));
                usual
            }
        }
    }

    /// Until when a keep-alive file holds the timer off.
    fn held_off(&self, notes: &mut Vec<String>) -> Option<Timestamp> {
        let KeepAlive { valid, note, .. } = self.rule.keep_alive.as_ref()?;
        let until = later(self.facts.keep_alive?, self.length(LimitKey::KeepaliveMaxDuration, *valid));
        let counts = until > self.now;
        if !counts {
            notes.push(format!("keep-alive expired {}", ago(until, self.now)));
        }
        notes.extend(note.as_deref().map(|note| printable(note).into_owned()));
        counts.then_some(until)
    }

    /// How much it matters that this much of the time is left.
    fn urgency(&self, left: SignedDuration, after: SignedDuration) -> Urgency {
        if !left.is_positive() {
            return Urgency::Critical;
        }
        let used = (after.as_secs_f64() - left.as_secs_f64()) / after.as_secs_f64();
        let points = &self.rule.warn_at;
        let passed = points.iter().filter(|point| used >= point.value()).count();
        match passed {
            0 => Urgency::Calm,
            _ if passed > 1 && passed == points.len() => Urgency::Critical,
            _ => Urgency::Warning,
        }
    }
}

/// The moment that is a length of time after another, as far as the calendar goes.
fn later(at: Timestamp, span: Span) -> Timestamp {
    at.checked_add(span.length()).unwrap_or(Timestamp::MAX)
}
