//! What happened to a workspace: crashed, ended with its host, retired, without its image, without
//! its folder. What each of them keeps and loses follows from the fates; nothing is promised twice.

use jiff::Timestamp;
use serde::Serialize;

use super::classify::Classifier;
use super::event::Event;
use super::fate::Verdict;
use super::lifecycle::Object;
use super::object::ObjectKind;
use super::workspace::{Detail, RunState};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// The folder that is mounted as its workspace was deleted.
    WorkspaceDeleted,
    /// Its image was deleted.
    ImageDeleted,
    /// Its container was removed; the folder is there.
    Retired,
    /// It ended with its host or its engine.
    EndedWithHost,
    /// Its main process failed or was killed.
    Crashed,
    /// Its main process came to its end, or was asked to stop.
    Ended,
    /// It was made and never started.
    NeverStarted,
}

/// What is known of a workspace besides its detail.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signs {
    /// Whether its image exists.
    pub image: Option<bool>,
    /// Whether its folder was deleted.
    pub folder_deleted: bool,
    /// When its host was booted.
    pub booted: Option<Timestamp>,
}

/// What happened, what is left of it, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Situation {
    /// Which of the scenarios.
    pub scenario: Scenario,
    /// One sentence without a full stop.
    pub title: String,
    /// What is kept.
    pub kept: Vec<String>,
    /// What is lost.
    pub lost: Vec<String>,
    /// What to do, the first first.
    pub steps: Vec<Recovery>,
}

/// One step of a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recovery {
    /// What it does.
    pub says: String,
    /// The command that does it.
    pub command: Option<String>,
    /// The key that does it in the dashboard.
    pub key: Option<&'static str>,
}

/// The engine writes this for a container that it finds ended when it comes up.
const FOUND_ENDED: i64 = 255;

impl Scenario {
    /// Everything that happened, the most serious first.
    pub fn all(state: RunState, detail: &Detail, signs: Signs) -> Vec<Self> {
        let mut all = Vec::new();
        if signs.folder_deleted {
            all.push(Self::WorkspaceDeleted);
        }
        if signs.image == Some(false) {
            all.push(Self::ImageDeleted);
        }
        all.extend(Self::of_state(state, detail, signs.booted));
        all
    }

    fn of_state(state: RunState, detail: &Detail, booted: Option<Timestamp>) -> Option<Self> {
        match state {
            RunState::Retired => Some(Self::Retired),
            RunState::Created => Some(Self::NeverStarted),
            RunState::Dead => Some(Self::Crashed),
            RunState::Exited => {
                let code = detail.exit_code;
                // It ran before the host came up, and nobody noticed its end before that.
                let across = booted.is_some_and(|booted| {
                    detail.started.is_some_and(|at| at < booted)
                        && detail.finished.is_some_and(|at| at >= booted)
                });
                Some(match code {
                    _ if detail.oom => Self::Crashed,
                    _ if across => Self::EndedWithHost,
                    Some(FOUND_ENDED) => Self::EndedWithHost,
                    // Interrupted or asked to end.
                    Some(0 | 130 | 143) | None => Self::Ended,
                    Some(_) => Self::Crashed,
                })
            }
            RunState::Running
            | RunState::Paused
            | RunState::Restarting
            | RunState::Removing
            | RunState::Unknown => None,
        }
    }

    /// The event whose fates say what is kept; `None` where nothing happened to any file.
    const fn event(self) -> Option<Event> {
        match self {
            Self::WorkspaceDeleted => Some(Event::WorkspaceDeletion),
            Self::ImageDeleted => Some(Event::ImageRemoval),
            Self::Retired => Some(Event::Retire),
            Self::EndedWithHost => Some(Event::Reboot),
            Self::Crashed | Self::Ended => Some(Event::Crash),
            Self::NeverStarted => None,
        }
    }

    /// What the scenario itself took away.
    const fn took(self) -> Option<ObjectKind> {
        match self {
            Self::WorkspaceDeleted => Some(ObjectKind::Workspace),
            Self::ImageDeleted => Some(ObjectKind::Image),
            Self::Retired => Some(ObjectKind::Container),
            Self::EndedWithHost | Self::Crashed | Self::Ended | Self::NeverStarted => None,
        }
    }

    /// One sentence without a full stop.
    pub fn title(self, detail: &Detail) -> String {
        let cause = detail.exit_cause().unwrap_or_else(|| "nobody knows how".into());
        match self {
            Self::WorkspaceDeleted => "Its folder was deleted or replaced under the mount".into(),
            Self::ImageDeleted => "Its image was deleted".into(),
            Self::Retired => "Retired: its container was removed".into(),
            Self::EndedWithHost if detail.exit_code == Some(FOUND_ENDED) => {
                format!("Ended with its host or engine, or {cause}")
            }
            Self::EndedWithHost => "Ended when its host was rebooted".into(),
            Self::Crashed if detail.exit_code == Some(137) && !detail.oom => {
                format!("Crashed, or did not stop when asked: {cause}")
            }
            Self::Crashed => format!("Crashed: {cause}"),
            Self::Ended => format!("Ended: {cause}"),
            Self::NeverStarted => "Made and never started".into(),
        }
    }

    /// What is kept and what is lost by now: things it is made of, and mounts.
    pub fn left(self, objects: &[Object], classifier: &Classifier<'_>) -> (Vec<String>, Vec<String>) {
        let Some(event) = self.event() else { return (Vec::new(), Vec::new()) };
        let (mut kept, mut lost) = (Vec::new(), Vec::new());
        let mut add = |what: String, verdict: Verdict| match verdict {
            Verdict::Kept => kept.push(what),
            Verdict::KeptIf(_) | Verdict::Rebuilt => kept.push(format!("{what} ({})", verdict.words())),
            Verdict::Lost => lost.push(what),
            Verdict::Untouched => {}
        };
        for object in objects {
            if Some(object.id) == self.took().map(ObjectKind::key) {
                add(object.title.clone(), Verdict::Lost);
            } else if object.exists != Some(false) || object.ends_with_the_process() {
                // What was gone before was not there to be kept.
                add(object.title.clone(), object.answers.verdict(event));
            }
        }
        for mount in classifier.detail.mounts.iter().filter(|mount| mount.holds_files()) {
            let verdict = classifier.mount(mount).fates.verdict(event);
            if verdict == Verdict::Lost && mount.target != std::path::Path::new("/") {
                add(format!("{} {}", mount.storage.label(), mount.target.display()), verdict);
            }
        }
        (kept, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: i64) -> Detail {
        Detail { exit_code: Some(code), ..Detail::new(RunState::Exited) }
    }

    fn of(detail: &Detail, signs: Signs) -> Vec<Scenario> {
        Scenario::all(detail.state, detail, signs)
    }

    #[test]
    fn a_crash_is_told_from_an_orderly_end_and_says_its_cause() {
        let none = Signs::default();
        assert_eq!(of(&ended(1), none), [Scenario::Crashed]);
        assert_eq!(of(&ended(0), none), [Scenario::Ended]);
        assert_eq!(of(&ended(143), none), [Scenario::Ended], "it was asked to end");
        assert_eq!(of(&Detail { oom: true, ..ended(0) }, none), [Scenario::Crashed]);
        assert_eq!(of(&Detail::new(RunState::Running), none), []);
        assert_eq!(Scenario::Crashed.title(&ended(3)), "Crashed: failed (exit 3)");
        assert_eq!(
            Scenario::Crashed.title(&ended(137)),
            "Crashed, or did not stop when asked: killed by signal 9 (exit 137)"
        );
    }

    #[test]
    fn what_ran_across_a_boot_ended_with_its_host() {
        let at = |second| Timestamp::from_second(second).ok();
        let detail = Detail { started: at(100), finished: at(300), ..ended(0) };
        let booted = |second| Signs { booted: at(second), ..Signs::default() };
        assert_eq!(of(&detail, booted(200)), [Scenario::EndedWithHost]);
        assert_eq!(of(&detail, booted(50)), [Scenario::Ended]);
        assert_eq!(of(&detail, booted(400)), [Scenario::Ended], "it had ended before");
        assert_eq!(of(&ended(255), Signs::default()), [Scenario::EndedWithHost]);
    }

    #[test]
    fn the_most_serious_comes_first() {
        let signs = Signs { image: Some(false), folder_deleted: true, booted: None };
        assert_eq!(
            of(&ended(1), signs),
            [Scenario::WorkspaceDeleted, Scenario::ImageDeleted, Scenario::Crashed]
        );
    }
}
