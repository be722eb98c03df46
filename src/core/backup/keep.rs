//! Which snapshots are kept: the last ones, the young ones, and always the newest that was verified.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Snapshot;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// How many are kept of each workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// The last so many.
    pub last: Option<u64>,
    /// All that are younger than so many days.
    pub days: Option<u64>,
}

/// What a retention rule makes of a list of snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Snapshots that go, the oldest first, by id.
    pub forget: Vec<String>,
    /// Snapshots that stay, the oldest first, each with the reason.
    pub keep: Vec<(String, &'static str)>,
}

/// Applies a rule to the snapshots of a repository: each machine's and folder's on their own.
///
/// Only snapshots that this program made are ever forgotten. Of each group the newest complete one
/// stays whatever the rule says, and so does the newest one that is known to be verified.
pub fn retain(snapshots: &[Snapshot], keep: Keep, verified: &BTreeSet<String>, now: Timestamp) -> Retention {
    let mut groups: BTreeMap<(&str, &[String]), Vec<&Snapshot>> = BTreeMap::new();
    for snapshot in snapshots {
        groups.entry((&snapshot.host, &snapshot.folders)).or_default().push(snapshot);
    }
    let mut reasons: BTreeMap<&str, &'static str> = BTreeMap::new();
    for group in groups.values_mut() {
        group.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| other.id.cmp(&one.id)));
        for (nth, snapshot) in group.iter().enumerate() {
            let nth = u64::try_from(nth).unwrap_or(u64::MAX);
            let young = keep.days.is_some_and(|days| {
                let days = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY);
                now.duration_since(snapshot.at) < SignedDuration::from_secs(days)
            });
            if !snapshot.own {
                reasons.insert(&snapshot.id, "made by another program");
            } else if keep.last.is_some_and(|last| nth < last) {
                reasons.insert(&snapshot.id, "one of the last");
            } else if young {
                reasons.insert(&snapshot.id, "young");
            }
        }
        let newest_verified = group.iter().find(|snapshot| verified.contains(&snapshot.id));
        if let Some(snapshot) = newest_verified {
            reasons.entry(&snapshot.id).or_insert("the newest one that was verified");
        }
        if let Some(snapshot) = group.iter().find(|snapshot| !snapshot.incomplete) {
            reasons.entry(&snapshot.id).or_insert("the newest complete one");
        }
    }
    let mut sorted: Vec<&Snapshot> = snapshots.iter().collect();
    sorted.sort_by_key(|snapshot| snapshot.at);
    let mut retention = Retention::default();
    for snapshot in sorted {
        match reasons.get(snapshot.id.as_str()) {
            Some(reason) => retention.keep.push((snapshot.id.clone(), reason)),
            None => retention.forget.push(snapshot.id.clone()),
        }
    }
    retention
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(id: &str, day: i64) -> Snapshot {
        Snapshot {
            id: id.into(),
            at: Timestamp::from_second(day * DAY).unwrap(),
            host: "h".into(),
            workspace: "p".into(),
            folders: vec!["/p".into()],
            files: None,
            bytes: None,
            added: None,
            own: true,
            incomplete: false,
        }
    }

    fn forgotten(snapshots: &[Snapshot], keep: Keep, verified: &[&str]) -> Vec<String> {
        let verified = verified.iter().map(|id| (*id).to_owned()).collect();
        retain(snapshots, keep, &verified, Timestamp::from_second(10 * DAY).unwrap()).forget
    }

    const LAST_3: Keep = Keep { last: Some(3), days: None };

    #[test]
    fn of_five_the_oldest_two_go_and_the_newest_verified_one_never() {
        let five: Vec<_> =
            ["a", "b", "c", "d", "e"].iter().zip(1..).map(|(id, day)| snapshot(id, day)).collect();
        assert_eq!(forgotten(&five, LAST_3, &[]), ["a", "b"]);
        assert_eq!(forgotten(&five, LAST_3, &["a"]), ["b"]);
        assert_eq!(forgotten(&five, LAST_3, &["a", "b"]), ["a"], "only the newest of them is needed");
    }

    #[test]
    fn young_ones_stay_and_every_folder_counts_for_itself() {
        let days = |days| Keep { last: None, days: Some(days) };
        let mut all = vec![snapshot("a", 1), snapshot("b", 9)];
        assert_eq!(forgotten(&all, days(3), &[]), ["a"]);
        all.push(Snapshot { folders: vec!["/other".into()], ..snapshot("c", 1) });
        assert_eq!(forgotten(&all, Keep { last: Some(1), days: None }, &[]), ["a"]);
        assert_eq!(forgotten(&all, days(0), &[]), ["a"], "the newest complete one of each always stays");
    }

    #[test]
    fn a_rule_that_keeps_none_keeps_the_newest_complete_one() {
        let all = [snapshot("a", 1), snapshot("b", 2), Snapshot { incomplete: true, ..snapshot("c", 3) }];
        assert_eq!(forgotten(&all, Keep { last: Some(1), days: None }, &[]), ["a"]);
        let foreign = [Snapshot { own: false, ..snapshot("a", 1) }, snapshot("b", 2)];
        assert_eq!(forgotten(&foreign, Keep { last: Some(1), days: None }, &[]), Vec::<String>::new());
    }
}
