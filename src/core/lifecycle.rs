//! One workspace's report: what it is made of and how long each part lives, its timers,
//! whether it comes back after a reboot, and what happened to it. Also its JSON.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use super::aftermath::Aftermath;
use super::classify::Classifier;
use super::event::Event;
use super::fate::Fates;
use super::object::ObjectKind;
use super::report::{FateMap, Head, WhyMap, maps};
use super::situation::Situation;
use super::timer::{Action, Timer, TimerState, Urgency};
use super::workspace::{Detail, RestartPolicy, RunState, Workspace};
use crate::text::{size, span};

/// `lifecycle --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Lifecycles {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// One object a workspace; one alone where one was named.
    pub workspaces: Vec<Lifecycle>,
}

/// One workspace.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lifecycle {
    /// The name shown.
    pub workspace: String,
    /// The endpoint it is on.
    pub endpoint: String,
    /// The container's name; `null` for a retired folder or this machine.
    pub container: Option<String>,
    /// The platform's id.
    pub profile: String,
    /// The state's word.
    pub state: &'static str,
    /// How the main process ended, in words.
    pub exit_cause: Option<String>,
    /// What it is made of.
    pub objects: Vec<Object>,
    /// What its platform does by itself, the most urgent first.
    pub timers: Vec<TimerRow>,
    /// The id of the timer that ends first; `null` where none counts.
    pub next: Option<String>,
    /// Whether it is there again after a reboot of the host.
    pub after_reboot: Return,
    /// The same in words.
    pub after_reboot_words: &'static str,
    /// Whether the GPU it was given belongs to others by now.
    pub gpu_released: bool,
    /// Whether it is tied to its node; `null` where its platform has no such limit, or nobody measured.
    pub node: Option<Node>,
    /// Its folder among the platform's folder roots; `null` where there is none, or nobody looked.
    pub folder: Option<Folder>,
    /// What happened to it, the most serious first; empty where all is as it should be.
    pub situations: Vec<Situation>,
}

impl Lifecycle {
    /// The timer that ends first.
    pub fn next_timer(&self) -> Option<&TimerRow> {
        self.timers.iter().find(|timer| Some(&timer.id) == self.next.as_ref())
    }
}

/// A thing that a workspace is made of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Object {
    /// Which thing, by name.
    pub id: &'static str,
    /// The platform's word for it.
    pub title: String,
    /// What it is called, or where it is (untrusted text).
    pub name: Option<String>,
    /// Whether it exists; `null` where that is not known.
    pub exists: Option<bool>,
    /// How long it lives, in words.
    pub lifetime: String,
    /// What becomes of it.
    pub fates: FateMap,
    /// Why.
    pub why: WhyMap,
    /// The same for those who draw it.
    #[serde(skip)]
    pub answers: Fates,
}

impl Object {
    /// An object whose two maps follow from its answers.
    pub fn new(id: &'static str, title: String, lifetime: String, answers: Fates) -> Self {
        let (fates, why) = maps(&answers);
        Self { id, title, name: None, exists: None, lifetime, fates, why, answers }
    }

    /// Whether it should be there and is not.
    pub fn is_absent(&self) -> bool {
        let may_be_gone = [ObjectKind::Processes.key(), ObjectKind::Gpu.key()].contains(&self.id);
        self.exists == Some(false) && !may_be_gone
    }

    /// Whether it ended with the main process although it is no longer there: memory, and a GPU that was given.
    pub fn ends_with_the_process(&self) -> bool {
        self.id == ObjectKind::Processes.key() || (self.id == ObjectKind::Gpu.key() && self.name.is_some())
    }
}

/// One timer. Its texts are safe to print.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimerRow {
    /// The rule's name.
    pub id: String,
    /// The rule's name for people.
    pub title: String,
    /// `counting`, `held_off`, `unknown` or `not_subject`.
    pub state: &'static str,
    /// When the time is over, or the keep-alive file no longer counts.
    pub due: Option<Timestamp>,
    /// Seconds until then; negative where that was in the past.
    pub left_seconds: Option<i64>,
    /// How long it counts in all.
    pub after_seconds: Option<i64>,
    /// What set that length.
    pub by: Option<String>,
    /// `none`, `calm`, `warning` or `critical`.
    pub urgency: &'static str,
    /// One cell: "10 min left".
    pub short: String,
    /// One sentence: "10 min left until it is removed".
    pub sentence: String,
    /// What else there is to know.
    pub notes: Vec<String>,
}

impl From<&Timer> for TimerRow {
    fn from(timer: &Timer) -> Self {
        let (state, due, left) = match &timer.state {
            TimerState::Counting { due, left } => ("counting", Some(*due), Some(left.as_secs())),
            TimerState::HeldOff { until, left } => ("held_off", Some(*until), Some(left.as_secs())),
            TimerState::Unknown { .. } => ("unknown", None, None),
            TimerState::NotSubject { .. } => ("not_subject", None, None),
        };
        let urgency = match timer.urgency {
            Urgency::None => "none",
            Urgency::Calm => "calm",
            Urgency::Warning => "warning",
            Urgency::Critical => "critical",
        };
        Self {
            id: timer.id.clone(),
            title: timer.title.clone(),
            state,
            due,
            left_seconds: left,
            after_seconds: timer.after.map(|after| after.as_secs()),
            by: timer.by.clone(),
            urgency,
            short: timer.short(),
            sentence: timer.sentence(),
            notes: timer.notes.clone(),
        }
    }
}

/// Whether a workspace is there again after a reboot of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Return {
    /// The engine starts it again.
    ComesBack,
    /// A new container takes its place.
    ComesBackNew,
    /// The engine starts it again if it ended with a failure, which a reboot mostly is.
    AfterFailure,
    /// Somebody must start it.
    WillNotReturn,
    /// It removes itself.
    Removed,
    /// It does not run, so a reboot ends nothing.
    NotRunning,
    /// Not known from here.
    Unknown,
}

impl Return {
    /// What the engine does with a workspace after a reboot.
    pub fn of(workspace: &Workspace, detail: Option<&Detail>, after: Aftermath) -> Self {
        let Some(detail) = detail.filter(|_| workspace.container.is_some()) else {
            return if workspace.state == RunState::Retired { Self::NotRunning } else { Self::Unknown };
        };
        match (detail.state.is_up(), detail.restart_policy) {
            // The engine starts it even after somebody stopped it.
            (false, RestartPolicy::Always) if detail.state == RunState::Exited => Self::ComesBack,
            (false, _) => Self::NotRunning,
            (true, _) if after == Aftermath::Removed => Self::Removed,
            (true, _) if after == Aftermath::Recreated => Self::ComesBackNew,
            (true, RestartPolicy::Always | RestartPolicy::UnlessStopped) => Self::ComesBack,
            (true, RestartPolicy::OnFailure) => Self::AfterFailure,
            (true, RestartPolicy::No) => Self::WillNotReturn,
        }
    }

    /// A few words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ComesBack => "comes back",
            Self::ComesBackNew => "comes back as a new container",
            Self::AfterFailure => "comes back if it failed",
            Self::WillNotReturn => "will not return",
            Self::Removed => "is removed (--rm)",
            Self::NotRunning => "not running",
            Self::Unknown => "not known",
        }
    }

    /// One clause that says why, and what to do about it.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ComesBack => "the engine starts it again (restart policy); memory is lost",
            Self::ComesBackNew => "a new container takes its place",
            Self::AfterFailure => {
                "its restart policy is on-failure, and a host that goes down in order ends it without one"
            }
            Self::WillNotReturn => "it has no restart policy, so somebody must start it",
            Self::Removed => "it removes itself when it stops",
            Self::NotRunning => "it stays as it is",
            Self::Unknown => "the engine knows, and it cannot be asked from here",
        }
    }
}

/// What takes a while to measure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Whether it is tied to its node.
    pub node: Option<Node>,
    /// Its folder among the folder roots.
    pub folder: Option<Folder>,
    /// The file that its image is built from.
    pub dockerfile: Option<PathBuf>,
}

/// Whether a workspace is tied to its node, by how much its folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Tied to the node; `null` where that is not known.
    pub pinned: Option<bool>,
    /// Bytes in the folder, where they were measured.
    pub bytes: Option<u64>,
    /// The most that is backed up; exactly as much still is.
    pub limit: u64,
}

impl Node {
    /// A clause for people.
    pub fn words(&self) -> String {
        let limit = size(self.limit);
        match (self.pinned, self.bytes) {
            (Some(true), Some(bytes)) => {
                let over = bytes.saturating_sub(self.limit);
                format!(
                    "pinned to this node: {} is {} over the {limit} that are backed up",
                    size(bytes),
                    size(over)
                )
            }
            (Some(true), None) => format!("pinned to this node: more than the {limit} that are backed up"),
            (Some(false), None) => "movable: its volume is not tied to one node".into(),
            (Some(false), Some(bytes)) => format!("movable: {} of at most {limit} are backed up", size(bytes)),
            (None, Some(bytes)) => {
                format!("movable once it is backed up: {} of at most {limit}", size(bytes))
            }
            (None, None) => format!("not measured: pinned to this node where it holds more than {limit}"),
        }
    }
}

/// Where a workspace's folder lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Folder {
    /// On the host (untrusted text).
    pub path: PathBuf,
    /// What that place is.
    pub place: Place,
    /// The projects in it, where it is a whole folder root (untrusted text).
    pub projects: Vec<String>,
}

/// What place a workspace's folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// One project below a folder root: the usual one.
    Project,
    /// A whole folder root with all its projects.
    WholeRoot,
    /// Somewhere else.
    NotDefault,
}

impl Folder {
    /// Which place a path is, given the folder roots.
    pub fn place(path: &std::path::Path, roots: &[PathBuf]) -> Place {
        if roots.iter().any(|root| root == path) {
            Place::WholeRoot
        } else if roots.iter().any(|root| path.parent() == Some(root)) {
            Place::Project
        } else {
            Place::NotDefault
        }
    }
}

/// How long the container lives, in words.
pub fn container_lifetime(classifier: &Classifier<'_>, timers: &[Timer]) -> String {
    let ends = |timer: &&Timer| matches!(timer.then, Action::Remove | Action::StopAndRemove);
    let counting = timers.iter().filter(ends).find_map(|timer| match &timer.state {
        TimerState::Counting { left, .. } if left.is_positive() => {
            Some(format!("until removed, in {} at the latest", span(*left)))
        }
        TimerState::Counting { .. } => Some("until the next check of its platform".into()),
        _ => None,
    });
    match classifier.after(Event::Stop) {
        _ if counting.is_some() => counting.unwrap_or_default(),
        Aftermath::Removed => "until it stops (--rm)".into(),
        Aftermath::Recreated => "until it stops".into(),
        Aftermath::Stays if timers.iter().any(|timer| timer.then == Action::Remove) => {
            "until removed, or a while after it stops".into()
        }
        Aftermath::Stays => "until removed".into(),
    }
}

/// How long the GPU is its own, in words.
pub fn gpu_lifetime(detail: &Detail, timers: &[Timer]) -> String {
    if detail.gpus.is_empty() {
        return "none was given".into();
    }
    let held = timers.iter().find_map(|timer| match &timer.state {
        TimerState::Counting { left, .. } if timer.then == Action::ReleaseGpu && left.is_positive() => {
            Some(format!("reserved for another {}", span(*left)))
        }
        _ => None,
    });
    if detail.state.is_up() { "while it runs".into() } else { held.unwrap_or_else(|| "released".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn exactly_the_limit_is_backed_up_and_one_byte_more_is_said_exactly() {
        let limit = 16_106_127_360;
        let node = |pinned, bytes| Node { pinned, bytes: Some(bytes), limit }.words();
        assert_eq!(node(None, limit), "movable once it is backed up: 15G of at most 15G");
        assert_eq!(
            node(Some(true), limit + 1),
            "pinned to this node: 15G is 1 over the 15G that are backed up"
        );
    }

    #[test]
    fn a_folder_is_one_project_all_of_them_or_somewhere_else() {
        let roots = [PathBuf::from("/home/u/workspace")];
        let place = |path: &str| Folder::place(Path::new(path), &roots);
        assert_eq!(place("/home/u/workspace/p"), Place::Project);
        assert_eq!(place("/home/u/workspace"), Place::WholeRoot);
        assert_eq!(place("/home/u/other/path"), Place::NotDefault);
        assert_eq!(place("/home/u"), Place::NotDefault);
    }
}
