//! Timers at work: each sentence of the platforms' guides about waiting too long.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::*;
use crate::core::limits::{Limits, Times};
use crate::core::workspace::RunState;

/// Any moment.
const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

/// What DS01 does by itself.
const DS01: &str = include_str!("../../../assets/profiles/ds01.toml");

/// What VESSL does by itself.
const VESSL: &str = include_str!("../../../assets/profiles/vessl.toml");

#[derive(Deserialize)]
struct File {
    timer: Vec<TimerRule>,
}

fn rules(text: &str) -> Vec<TimerRule> {
    toml::from_str::<File>(text).unwrap().timer
}

/// A moment some minutes ago.
fn ago(minutes: i64) -> Option<Timestamp> {
    NOW.checked_sub(SignedDuration::from_mins(minutes)).ok()
}

static NO_LABELS: BTreeMap<String, String> = BTreeMap::new();

/// A container of which nothing is known but its state.
fn facts(state: RunState) -> TimerFacts<'static> {
    TimerFacts {
        state,
        created: None,
        started: None,
        finished: None,
        has_gpu: Some(false),
        group: None,
        container_type: None,
        labels: &NO_LABELS,
        keep_alive: None,
        idle_since: None,
        gpus_allocated: Some(0.0),
    }
}

/// A container with a GPU that started and was last active some minutes ago.
fn idle(started: i64, active: i64) -> TimerFacts<'static> {
    TimerFacts {
        has_gpu: Some(true),
        started: ago(started),
        idle_since: ago(active),
        ..facts(RunState::Running)
    }
}

fn ds01(facts: &TimerFacts<'_>) -> Vec<Timer> {
    timers(&rules(DS01), facts, None, NOW)
}

fn one(facts: &TimerFacts<'_>, id: &str) -> Timer {
    ds01(facts).into_iter().find(|timer| timer.id == id).unwrap()
}

fn sentence(facts: &TimerFacts<'_>, id: &str) -> String {
    one(facts, id).sentence()
}

#[test]
fn a_container_that_exited_20_minutes_ago_has_10_minutes_left() {
    // Made and started long before: only the end counts.
    let stopped =
        TimerFacts { created: ago(9_000), started: ago(8_000), finished: ago(20), ..facts(RunState::Exited) };
    let hold = one(&stopped, "hold");
    assert_eq!(hold.sentence(), "10 min left until it is removed");
    assert_eq!(hold.short(), "10 min left");
    assert_eq!(hold.urgency, Urgency::Critical);
    assert_eq!(ds01(&stopped)[0], hold, "the most urgent comes first");
}

#[test]
fn a_stopped_container_past_its_hold_is_due_now() {
    let at = |minutes| TimerFacts { finished: ago(minutes), ..facts(RunState::Exited) };
    assert_eq!(sentence(&at(300), "hold"), "due now: it is removed at the platform's next check");
    assert_eq!(one(&at(30), "hold").short(), "due now");
    let unknown = TimerFacts { finished: None, ..at(0) };
    assert_eq!(sentence(&unknown, "hold"), "not known: when it ended");
    assert_eq!(sentence(&facts(RunState::Running), "hold"), "not subject: it is running");
}

#[test]
fn lists_put_the_container_that_goes_first_on_top() {
    let hold = |minutes| one(&TimerFacts { finished: ago(minutes), ..facts(RunState::Exited) }, "hold");
    let mut list =
        [hold(2), one(&facts(RunState::Running), "hold"), hold(40), hold(29), one(&idle(9, 9), "idle")];
    list.sort_by_key(Timer::rank);
    let order: Vec<String> = list.iter().map(Timer::short).collect();
    assert_eq!(order, ["due now", "1 min left", "28 min left", "21 min left", "not subject"]);
}

#[test]
fn an_idle_gpu_container_is_warned_at_80_and_95_percent() {
    let at = |minutes| one(&idle(600, minutes), "idle");
    assert_eq!(at(10).sentence(), "20 min left until it is stopped and removed");
    let urgencies = [23, 24, 28, 29, 30].map(|minutes| at(minutes).urgency);
    assert_eq!(
        urgencies,
        [Urgency::Calm, Urgency::Warning, Urgency::Warning, Urgency::Critical, Urgency::Critical]
    );
    let unknown = TimerFacts { idle_since: None, ..idle(600, 0) };
    assert_eq!(sentence(&unknown, "idle"), "not known: when it was last active");
}

#[test]
fn a_container_without_a_gpu_is_never_stopped_for_idleness() {
    let cpu_only = TimerFacts { has_gpu: Some(false), ..idle(600, 500) };
    assert_eq!(sentence(&cpu_only, "idle"), "not subject: no GPU");
    assert_eq!(one(&cpu_only, "idle").urgency, Urgency::None);
    let unseen = TimerFacts { has_gpu: None, ..idle(600, 500) };
    assert_eq!(sentence(&unseen, "idle"), "not known: whether it holds a GPU");
}

#[test]
fn high_demand_halves_the_idle_time() {
    let at = |allocated| one(&TimerFacts { gpus_allocated: allocated, ..idle(600, 10) }, "idle");
    assert_eq!(at(Some(0.79)).short(), "20 min left");
    assert_eq!(at(Some(0.79)).notes, Vec::<String>::new());
    assert_eq!(at(Some(0.8)).short(), "5 min left");
    assert_eq!(at(Some(0.8)).notes, ["high demand: 15 min instead of 30 min"]);
    assert_eq!(at(None).short(), "20 min left");
    assert_eq!(at(None).notes, ["15 min in all while 80 % of the GPUs are allocated"]);
}

#[test]
fn nothing_is_stopped_for_idleness_in_the_first_half_hour() {
    // A type with a shorter time than the grace.
    let young = TimerFacts { container_type: Some("unknown".into()), ..idle(10, 10) };
    assert_eq!(one(&young, "idle").short(), "20 min left");
    let old = TimerFacts { container_type: Some("unknown".into()), ..idle(600, 10) };
    assert_eq!(one(&old, "idle").short(), "5 min left");
}

#[test]
fn groups_and_types_of_container_have_times_of_their_own() {
    let of = |group: &str, kind: Option<&str>| {
        let facts =
            TimerFacts { group: Some(group.into()), container_type: kind.map(str::to_owned), ..idle(600, 10) };
        let timer = one(&facts, "idle");
        (timer.short(), timer.by.unwrap_or_default())
    };
    assert_eq!(of("researcher", None), ("50 min left".into(), "group researcher".into()));
    assert_eq!(of("visitor", None), ("20 min left".into(), "the platform's default".into()));
    assert_eq!(of("researcher", Some("compose")), ("20 min left".into(), "container type compose".into()));
    let devcontainer = TimerFacts { container_type: Some("devcontainer".into()), ..idle(600, 500) };
    assert_eq!(sentence(&devcontainer, "idle"), "not subject: no limit (container type devcontainer)");
}

#[test]
fn a_container_that_started_23_hours_ago_of_24_has_one_hour_left_and_comes_first() {
    let running = TimerFacts { started: ago(23 * 60), ..idle(0, 1) };
    let all = ds01(&running);
    assert_eq!(all[0].id, "max_runtime");
    assert_eq!(all[0].sentence(), "1 h left until it is stopped");
    assert_eq!(all[0].urgency, Urgency::Critical);
    let earlier = |hours: i64| one(&TimerFacts { started: ago(hours * 60), ..idle(0, 1) }, "max_runtime");
    assert_eq!(
        [17, 18, 21].map(|hours| earlier(hours).urgency),
        [Urgency::Calm, Urgency::Warning, Urgency::Warning]
    );
}

#[test]
fn a_keep_alive_file_counts_for_a_day_and_never_stops_the_max_runtime() {
    let with = |hours: i64| TimerFacts { keep_alive: ago(hours * 60), ..idle(23 * 60, 20 * 60) };
    let fresh = one(&with(1), "idle");
    assert_eq!(fresh.sentence(), "held off by keep-alive for another 23 h, then it is stopped and removed");
    assert_eq!(fresh.urgency, Urgency::Calm);
    assert!(fresh.notes[0].contains("last resort"), "{:?}", fresh.notes);

    let expired = one(&with(25), "idle");
    assert_eq!(expired.short(), "due now");
    assert_eq!(expired.notes[0], "keep-alive expired 1h ago");

    assert_eq!(sentence(&with(1), "max_runtime"), "1 h left until it is stopped");
}

#[test]
fn a_keep_alive_file_that_runs_out_first_changes_nothing() {
    let ending = TimerFacts { keep_alive: ago(24 * 60 - 5), ..idle(600, 10) };
    assert_eq!(one(&ending, "idle").short(), "20 min left");
    let ending_later = TimerFacts { keep_alive: ago(24 * 60 - 5), ..idle(600, 600) };
    assert_eq!(one(&ending_later, "idle").short(), "held off 5 min");
    assert_eq!(one(&ending_later, "idle").urgency, Urgency::Warning);
}

#[test]
fn a_container_that_never_started_goes_after_30_minutes() {
    let created = TimerFacts { created: ago(12), ..facts(RunState::Created) };
    assert_eq!(sentence(&created, "never_started"), "18 min left until it is removed");
    assert_eq!(sentence(&created, "hold"), "not subject: it is created");
}

#[test]
fn the_gpu_of_a_stopped_container_is_released_before_it_is_removed() {
    let stopped = TimerFacts { has_gpu: Some(true), finished: ago(10), ..facts(RunState::Exited) };
    assert_eq!(sentence(&stopped, "gpu_hold"), "5 min left until its GPU is released");
}

#[test]
fn a_label_of_the_platform_spares_a_container() {
    let labels = BTreeMap::from([("ds01.protected".to_owned(), "true".to_owned())]);
    let stopped = TimerFacts { finished: ago(90), labels: &labels, ..facts(RunState::Exited) };
    assert_eq!(sentence(&stopped, "hold"), "not subject: label ds01.protected=true");
    let labels = BTreeMap::from([("ds01.protected".to_owned(), "false".to_owned())]);
    assert_eq!(one(&TimerFacts { labels: &labels, ..stopped }, "hold").short(), "due now");
}

#[test]
fn a_label_says_how_many_hours_a_vessl_workspace_runs() {
    let after = |label: &str, hours: &str| {
        let labels = BTreeMap::from([(label.to_owned(), hours.to_owned())]);
        let running = TimerFacts { started: ago(20 * 60), labels: &labels, ..facts(RunState::Running) };
        let timer = timers(&rules(VESSL), &running, None, NOW).remove(0);
        (timer.sentence(), timer.by)
    };
    let left = |hours| Some(format!("{hours} h left until it is stopped"));
    let label = |name: &str| Some(format!("label {name}"));
    assert_eq!((Some(after("max_hours", "24").0), after("max_hours", "24").1), (left(4), label("max_hours")));
    assert_eq!(Some(after("vessl.max_hours", "30.0").0), left(10));
    assert_eq!(Some(after("outlast.max_hours", "26h").0), left(6));
    assert_eq!(after("other", "1"), (left(4).unwrap(), Some("the platform's default".into())));
    assert_eq!(after("max_hours", "none").0, "not subject: no limit (label max_hours)");
    assert_eq!(
        after("max_hours", "\u{1b}[2J many").0,
        "not known: how many hours: label max_hours says “\\u{1b}[2J many”"
    );
}

#[test]
fn the_limits_of_the_host_go_before_those_of_the_profile() {
    let hours = |hours: &str| Limit::parse(hours, 3_600.0).unwrap();
    let limits = Limits {
        defaults: Times::from([
            (LimitKey::IdleTimeout, hours("3")),
            (LimitKey::KeepaliveMaxDuration, hours("2")),
            (LimitKey::GracePeriod, hours("0")),
        ]),
        default_group: Some("researcher".into()),
        high_demand_from: Fraction::try_from(0.5).ok(),
        ..Limits::default()
    };
    let count = |facts: &TimerFacts<'_>, id: &str| {
        let all = timers(&rules(DS01), facts, Some(&limits.of(Some("alice"))), NOW);
        all.into_iter().find(|timer| timer.id == id).unwrap()
    };
    let busy = TimerFacts { gpus_allocated: Some(0.5), ..idle(600, 60) };
    assert_eq!(count(&busy, "idle").sentence(), "30 min left until it is stopped and removed");
    assert_eq!(count(&busy, "idle").by.unwrap(), "this host's limits");
    let held = TimerFacts { keep_alive: ago(90), ..idle(600, 600) };
    assert_eq!(count(&held, "idle").short(), "held off 30 min");
    // What the file does not say comes from the profile, for the group that the file names.
    assert_eq!(count(&idle(60, 1), "max_runtime").short(), "47 h left");
    let partly = Limits { unread: vec!["researcher.members: permission denied".into()], ..limits.clone() };
    let all = timers(&rules(DS01), &idle(60, 1), Some(&partly.of(Some("alice"))), NOW);
    assert!(
        all.iter().any(|timer| timer.by.as_deref() == Some("this host's limits, as far as they can be read"))
    );
}

#[test]
fn what_is_not_known_about_a_container_is_said_and_not_guessed() {
    for timer in ds01(&TimerFacts { has_gpu: None, ..facts(RunState::Unknown) }) {
        assert!(matches!(timer.state, TimerState::Unknown { .. }), "{timer:?}");
    }
    let retired = facts(RunState::Retired);
    assert_eq!(sentence(&retired, "hold"), "not subject: it is retired");
}

#[test]
fn moments_at_the_ends_of_the_calendar_are_no_panic() {
    for at in [Timestamp::MIN, Timestamp::MAX] {
        for now in [Timestamp::MIN, NOW, Timestamp::MAX] {
            let stopped = TimerFacts {
                finished: Some(at),
                started: Some(at),
                idle_since: Some(at),
                keep_alive: Some(at),
                has_gpu: Some(true),
                ..facts(RunState::Exited)
            };
            for facts in [TimerFacts { state: RunState::Running, ..stopped.clone() }, stopped] {
                assert_eq!(timers(&rules(DS01), &facts, None, now).len(), 5);
            }
        }
    }
}

#[test]
fn a_wrong_timer_is_refused_with_its_line_and_the_reason() {
    let refused = |line: &str, with: &str| {
        let text = VESSL.replacen(line, with, 1);
        assert_ne!(text, VESSL);
        let error = toml::from_str::<File>(&text).map(|file| file.timer.len()).unwrap_err();
        let at = error.span().unwrap().start;
        (text[..at].lines().count() + usize::from(text[..at].ends_with('\n')), error.message().to_owned())
    };
    let (line, reason) = refused("after = \"24h\"", "after = \"24 hours\"");
    let place = VESSL.lines().position(|text| text.starts_with("after = ")).unwrap() + 1;
    assert_eq!(line, place);
    assert!(reason.starts_with("“24 hours” is no length of time such as \"30m\""), "{reason}");
    assert!(refused("then = \"stop\"", "then = \"delete\"").1.starts_with("unknown variant `delete`"));
    assert!(refused("then = ", "than = ").1.starts_with("unknown field `than`"));
    assert!(refused("warn_at = [0.75, 0.9]", "warn_at = [75]").1.contains("75 is no fraction"));
}
