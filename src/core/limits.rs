//! How long a host lets its users' containers go on: by group, by person, by type of container.
//!
//! The shape is that of DS01's `resource-limits.yaml`; the file is read in `platform`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::span::{Fraction, Limit};

/// A time that such a file sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKey {
    /// How long a container may be idle.
    IdleTimeout,
    /// How long a container may run.
    MaxRuntime,
    /// How long a stopped container stays.
    ContainerHoldAfterStop,
    /// How long a stopped container keeps its GPU.
    GpuHoldAfterStop,
    /// How long a container that never started stays.
    CreatedContainerTimeout,
    /// How long after a start nobody asks whether a container is idle.
    GracePeriod,
    /// How long a keep-alive file counts.
    KeepaliveMaxDuration,
}

impl LimitKey {
    /// All of them with the words for them in a file, and how many seconds a bare number counts.
    const ALL: [(Self, &'static str, f64); 7] = [
        (Self::IdleTimeout, "idle_timeout", 3_600.0),
        (Self::MaxRuntime, "max_runtime", 3_600.0),
        (Self::ContainerHoldAfterStop, "container_hold_after_stop", 3_600.0),
        (Self::GpuHoldAfterStop, "gpu_hold_after_stop", 3_600.0),
        (Self::CreatedContainerTimeout, "created_container_timeout", 60.0),
        (Self::GracePeriod, "grace_period", 60.0),
        (Self::KeepaliveMaxDuration, "keepalive_max_duration", 3_600.0),
    ];

    /// Finds a time by its word in a file and says how many seconds a bare number
    /// counts; the word may end in its unit: `idle_timeout_h`, `grace_period_m`.
    pub fn from_key(key: &str) -> Option<(Self, f64)> {
        let (stem, written) = match key.rsplit_once('_') {
            Some((stem, "h")) => (stem, Some(3_600.0)),
            Some((stem, "m")) => (stem, Some(60.0)),
            Some((stem, "s")) => (stem, Some(1.0)),
            _ => (key, None),
        };
        let (found, _, usual) = Self::ALL.into_iter().find(|(_, word, _)| *word == stem)?;
        Some((found, written.unwrap_or(usual)))
    }

    /// Whether a type of container has a time of its own, before its owner's.
    const fn depends_on_type(self) -> bool {
        matches!(self, Self::IdleTimeout | Self::MaxRuntime)
    }
}

/// Times that are set in one place of the file.
pub type Times = BTreeMap<LimitKey, Limit>;

/// A group of people with times of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// What it is called.
    pub name: String,
    /// Who is in it.
    pub members: BTreeSet<String>,
    /// What differs from the defaults.
    pub times: Times,
}

/// A person whose containers are spared some of the times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// Who.
    pub user: String,
    /// Which times.
    pub from: BTreeSet<LimitKey>,
    /// Until when; for good where nothing is said.
    pub until: Option<Timestamp>,
}

/// All limits of a host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// For everybody, unless a group or a person differs.
    pub defaults: Times,
    /// The group of people whom no group names.
    pub default_group: Option<String>,
    /// The groups in the order of the file: the first that names a person counts.
    pub groups: Vec<Group>,
    /// Exceptions for single people; they replace what the person's group says.
    pub users: BTreeMap<String, Times>,
    /// By type of container, for containers that the platform's own tools did not make.
    pub types: BTreeMap<String, Times>,
    /// From which share of allocated GPUs on idle containers go sooner.
    pub high_demand_from: Option<Fraction>,
    /// To which part the idle timeout shrinks then.
    pub high_demand_factor: Option<Fraction>,
    /// People whom somebody spared some of it, for good or for a while.
    pub exemptions: Vec<Exemption>,
    /// Files that belong to this one and could not be read: people in them are taken
    /// for members of the default group.
    pub unread: Vec<String>,
}

impl Limits {
    /// The group that counts for a person; `None` is a person who is not known.
    pub fn group_of(&self, user: Option<&str>) -> Option<&str> {
        let names = names(user);
        let named = |group: &&Group| names.iter().any(|name| group.members.contains(name));
        let group = self.groups.iter().find(named).map(|group| group.name.as_str());
        group.or(self.default_group.as_deref())
    }

    /// What counts for a person; `None` is a person who is not known.
    pub fn of(&self, user: Option<&str>) -> Allowance<'_> {
        let group = self.group_of(user);
        let own = names(user).iter().find_map(|name| self.users.get(name));
        // The platform puts an exception in the place of the group, not on top of it.
        let times = own.or_else(|| {
            let group = self.groups.iter().find(|known| Some(known.name.as_str()) == group);
            group.map(|group| &group.times)
        });
        Allowance { limits: self, group, times, exempt_from: BTreeSet::new() }
    }
}

fn names_of(user: &str) -> Vec<String> {
    names(Some(user))
}

/// A person's name as it stands, then as the platform writes it where only simple names go:
/// without the domain, other characters as underscores.
fn names(user: Option<&str>) -> Vec<String> {
    let Some(user) = user else { return Vec::new() };
    let local = user.split('@').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == ':';
    let words: Vec<&str> = local.split(|c| !plain(c)).filter(|word| !word.is_empty()).collect();
    vec![user.to_owned(), words.join("_")]
}

/// The limits that count for one person.
#[derive(Clone, Debug)]
pub struct Allowance<'l> {
    /// All limits of the host.
    pub limits: &'l Limits,
    /// The group that counts for the person.
    pub group: Option<&'l str>,
    times: Option<&'l Times>,
    exempt_from: BTreeSet<LimitKey>,
}

impl Allowance<'_> {
    /// The same with what the person is spared at a moment.
    #[must_use]
    pub fn at(mut self, user: Option<&str>, now: Timestamp) -> Self {
        let names = names(user);
        let counts = |exemption: &&Exemption| {
            let is_meant = names.contains(&exemption.user)
                || names.iter().zip(names_of(&exemption.user)).any(|(name, theirs)| *name == theirs);
            is_meant && exemption.until.is_none_or(|until| now < until)
        };
        self.exempt_from =
            self.limits.exemptions.iter().filter(counts).flat_map(|one| one.from.clone()).collect();
        self
    }

    /// Whether the person is spared a time.
    pub fn is_exempt(&self, key: LimitKey) -> bool {
        self.exempt_from.contains(&key)
    }

    /// A time for a container of a type; `None` where the file says nothing about it.
    pub fn time(&self, key: LimitKey, container_type: Option<&str>) -> Option<Limit> {
        let by_type = || container_type.and_then(|name| self.limits.types.get(name));
        let places =
            [if key.depends_on_type() { by_type() } else { None }, self.times, Some(&self.limits.defaults)];
        places.into_iter().flatten().find_map(|times| times.get(&key)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        let hours = |hours: &str| Limit::parse(hours, 3_600.0).unwrap();
        let times = |idle: &str| Times::from([(LimitKey::IdleTimeout, hours(idle))]);
        let group = |name: &str, members: &[&str], idle: &str| Group {
            name: name.into(),
            members: members.iter().map(|&name| name.into()).collect(),
            times: times(idle),
        };
        Limits {
            defaults: Times::from([(LimitKey::IdleTimeout, hours("0.5")), (LimitKey::MaxRuntime, hours("24"))]),
            default_group: Some("student".into()),
            groups: vec![
                group("student", &["bob"], "0.25"),
                group("researcher", &["bob", "h_baker", "eve"], "1"),
            ],
            users: BTreeMap::from([("eve".into(), Times::from([(LimitKey::MaxRuntime, Limit::Never)]))]),
            types: BTreeMap::from([("devcontainer".into(), times("none"))]),
            ..Limits::default()
        }
    }

    fn idle_minutes(limits: &Limits, user: &str) -> Option<i64> {
        match limits.of(Some(user)).time(LimitKey::IdleTimeout, None)? {
            Limit::Never => None,
            Limit::After(span) => Some(span.length().as_mins()),
        }
    }

    #[test]
    fn the_first_group_that_names_a_person_counts_and_strangers_are_in_the_default_group() {
        let limits = limits();
        assert_eq!(limits.group_of(Some("bob")), Some("student"));
        assert_eq!(limits.group_of(Some("h.baker@example.org")), Some("researcher"));
        assert_eq!(limits.group_of(Some("nobody")), Some("student"));
        assert_eq!(limits.group_of(None), Some("student"));
        assert_eq!(
            ["bob", "h_baker", "nobody"].map(|user| idle_minutes(&limits, user)),
            [Some(15), Some(60), Some(15)]
        );
    }

    #[test]
    fn an_exception_for_a_person_takes_the_place_of_the_group() {
        let limits = limits();
        assert_eq!(limits.of(Some("eve")).time(LimitKey::MaxRuntime, None), Some(Limit::Never));
        // As the platform itself reads it: the group's hour is gone, the default holds.
        assert_eq!(idle_minutes(&limits, "eve"), Some(30));
    }

    #[test]
    fn somebody_may_be_spared_a_time_for_good_or_for_a_while() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let one =
            |user: &str, from: LimitKey, until| Exemption { user: user.into(), from: [from].into(), until };
        let limits = Limits {
            exemptions: vec![
                one("eve@example.org", LimitKey::IdleTimeout, None),
                one("bob", LimitKey::MaxRuntime, Some(at(100))),
            ],
            ..limits()
        };
        let spared =
            |user: &str, second: i64, key| limits.of(Some(user)).at(Some(user), at(second)).is_exempt(key);
        assert!(spared("eve@example.org", 1, LimitKey::IdleTimeout) && spared("eve", 1, LimitKey::IdleTimeout));
        assert!(!spared("eve", 1, LimitKey::MaxRuntime) && !spared("steve", 1, LimitKey::IdleTimeout));
        assert!(spared("bob", 99, LimitKey::MaxRuntime) && !spared("bob", 100, LimitKey::MaxRuntime));
    }

    #[test]
    fn a_type_of_container_goes_before_its_owner() {
        let limits = limits();
        let bob = limits.of(Some("bob"));
        assert_eq!(bob.time(LimitKey::IdleTimeout, Some("devcontainer")), Some(Limit::Never));
        assert_eq!(bob.time(LimitKey::GpuHoldAfterStop, Some("devcontainer")), None);
    }

    #[test]
    fn words_may_end_in_their_unit() {
        assert_eq!(LimitKey::from_key("idle_timeout_h"), Some((LimitKey::IdleTimeout, 3_600.0)));
        assert_eq!(LimitKey::from_key("idle_timeout"), Some((LimitKey::IdleTimeout, 3_600.0)));
        assert_eq!(LimitKey::from_key("grace_period_m"), Some((LimitKey::GracePeriod, 60.0)));
        assert_eq!(LimitKey::from_key("memory"), None);
        assert_eq!(LimitKey::from_key("max_tasks"), None);
    }
}
