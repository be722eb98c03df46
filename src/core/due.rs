//! Whether a backup is due: never made, or made too long ago.

use jiff::Timestamp;

use super::check::{Finding, Severity};
use super::span::Span;
use crate::text::{age, printable};

/// Days after which a backup is overdue, unless the settings say otherwise.
pub const DAYS: f64 = 7.0;

/// How a backup stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// There is none.
    Never,
    /// The last one is older than it may be.
    Overdue(Timestamp),
    /// The last one is young enough.
    Fresh(Timestamp),
}

/// Judges the last backup; a moment in the future, from a clock that is wrong, is young.
pub fn due(last: Option<Timestamp>, now: Timestamp, after: Option<Span>) -> Due {
    let Some(last) = last else { return Due::Never };
    let after = after.or_else(|| Span::from_seconds(DAYS * 86_400.0));
    let old = after.is_some_and(|after| now.duration_since(last) > after.length());
    if old { Due::Overdue(last) } else { Due::Fresh(last) }
}

impl Due {
    /// Whether one is to be made.
    pub const fn is_due(self) -> bool {
        !matches!(self, Self::Fresh(_))
    }

    /// How it stands, as a clause.
    pub fn words(self, now: Timestamp) -> String {
        match self {
            Self::Never => "it was never backed up".into(),
            Self::Overdue(last) | Self::Fresh(last) => format!("its last backup is {} old", age(last, now)),
        }
    }

    /// When the last one was made.
    pub const fn last(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::Overdue(last) | Self::Fresh(last) => Some(last),
        }
    }

    /// What `check` says of it; nothing while the last one is young enough. `verb` is what backs up here.
    pub fn finding(self, subject: &str, verb: &str, now: Timestamp) -> Option<Finding> {
        let id = match self {
            Self::Never => "backup-never",
            Self::Overdue(_) => "backup-overdue",
            Self::Fresh(_) => return None,
        };
        let (evidence, fix) = (self.words(now), format!("outlast {verb} {}", printable(subject)));
        Some(Finding { id, severity: Severity::Warning, subject: subject.into(), evidence, fix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_overdue_after_seven_days_or_what_the_settings_say() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        assert_eq!(due(None, now, None), Due::Never);
        assert!(!due(at("2026-03-03T12:00:00Z"), now, None).is_due(), "exactly seven days");
        assert!(due(at("2026-03-03T11:59:59Z"), now, None).is_due());
        let day = Span::try_from("1d".to_owned()).ok();
        assert!(due(at("2026-03-09T11:00:00Z"), now, day).is_due());
        assert!(!due(at("2026-04-01T00:00:00Z"), now, day).is_due(), "the clock was wrong once");
    }

    #[test]
    fn only_what_is_due_is_found() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let old: Timestamp = "2026-02-01T12:00:00Z".parse().unwrap();
        let finding = due(Some(old), now, None).finding("p", "backup", now).unwrap();
        assert_eq!((finding.id, finding.severity), ("backup-overdue", Severity::Warning));
        assert!(finding.evidence.contains("5w") || finding.evidence.contains("37d"), "{}", finding.evidence);
        assert_eq!(Due::Never.finding("p", "backup", now).map(|finding| finding.id), Some("backup-never"));
        assert_eq!(Due::Fresh(now).finding("p", "backup", now), None);
    }
}
