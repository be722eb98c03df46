//! Workspaces: what a person works in, as every engine describes it. Facts only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::aftermath::Aftermath;
use super::mount::Mount;

/// Identifies a workspace across refreshes: the endpoint and the engine's own id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WsKey {
    /// The endpoint's id, such as `docker` or `machine`.
    pub endpoint: String,
    /// The engine's id for it; a folder path for a retired workspace.
    pub id: String,
}

/// What state a workspace is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Its main process runs.
    Running,
    /// Its processes are frozen; memory is kept.
    Paused,
    /// The engine is about to start it again.
    Restarting,
    /// Its main process ended.
    Exited,
    /// It was made and never started.
    Created,
    /// The engine is removing it.
    Removing,
    /// The engine failed to remove it.
    Dead,
    /// A project folder without a container.
    Retired,
    /// The engine used a word that is not known here.
    Unknown,
}

impl RunState {
    /// The word used in JSON and on the screen.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
            Self::Created => "created",
            Self::Removing => "removing",
            Self::Dead => "dead",
            Self::Retired => "retired",
            Self::Unknown => "unknown",
        }
    }

    /// Finds a state by the engine's word for it.
    pub fn from_key(key: &str) -> Self {
        [
            Self::Running,
            Self::Paused,
            Self::Restarting,
            Self::Exited,
            Self::Created,
            Self::Removing,
            Self::Dead,
            Self::Retired,
        ]
        .into_iter()
        .find(|state| state.key() == key)
        .unwrap_or(Self::Unknown)
    }

    /// Whether its processes exist, running or frozen.
    pub const fn is_up(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }
}

/// Who a workspace belongs to and how that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user's name, or the bare number where it has no name here. `None` is "unknown", never the viewer.
    pub name: Option<String>,
    /// Which fact said so, such as `label ds01.user`.
    pub from: Option<String>,
}

/// When the engine starts a stopped container by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartPolicy {
    /// Never.
    #[default]
    No,
    /// After a failure.
    OnFailure,
    /// Always, also after a reboot.
    Always,
    /// Always, unless somebody stopped it.
    UnlessStopped,
}

/// A graphics processor that a workspace holds or asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gpu {
    /// What it is called: an index, a uuid, `all`, `2 of any`.
    pub name: String,
    /// Which fact said so: a label, a device request, an environment variable.
    pub from: String,
}

/// One workspace as an engine lists it: cheap facts, there at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Identity across refreshes.
    pub key: WsKey,
    /// The engine's name for it (untrusted text).
    pub container: Option<String>,
    /// The name shown: the project where the name carries one (untrusted text).
    pub name: String,
    /// Who it belongs to.
    pub owner: Owner,
    /// The project it holds.
    pub project: Option<String>,
    /// The image it came from, as it was asked for (untrusted text).
    pub image: Option<String>,
    /// The image's own id.
    pub image_id: Option<String>,
    /// What it is doing.
    pub state: RunState,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Labels (untrusted text).
    pub labels: BTreeMap<String, String>,
    /// What controls it, such as `compose web` or `pod` (untrusted text).
    pub managed_by: Option<String>,
    /// Marked by its platform as not to be touched.
    pub protected: bool,
    /// The engine's own command line, which commands for copying begin with.
    pub client: &'static str,
}

/// The command line of an engine that did not name another product.
pub const CLIENT: &str = "docker";

/// What only a closer look at one workspace tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What it is doing, at the time of this look.
    pub state: RunState,
    /// When its main process last started.
    pub started: Option<Timestamp>,
    /// When its main process last ended.
    pub finished: Option<Timestamp>,
    /// How the main process ended.
    pub exit_code: Option<i64>,
    /// Whether the kernel killed it for want of memory.
    pub oom: bool,
    /// The engine's own words on a failed start (untrusted text).
    pub error: Option<String>,
    /// How often the engine started it again.
    pub restarts: u64,
    /// When the engine starts it again by itself.
    pub restart_policy: RestartPolicy,
    /// Graphics processors it holds or asked for.
    pub gpus: Vec<Gpu>,
    /// Its mounts, the root first.
    pub mounts: Vec<Mount>,
    /// Whether the mounts are complete; the reason where not.
    pub mounts_missing: Option<String>,
    /// What a crash does to the container.
    pub on_crash: Aftermath,
    /// What a stop does to the container.
    pub on_stop: Aftermath,
    /// What a reboot of the host does to the container.
    pub on_reboot: Aftermath,
    /// The directory it starts in.
    pub workdir: Option<PathBuf>,
    /// The user it runs as.
    pub user: Option<String>,
    /// The names of its environment variables; their values may be secrets and are not kept.
    pub env_names: BTreeSet<String>,
    /// Files that give a platform away and that were seen in it.
    pub landmarks: BTreeSet<PathBuf>,
}

impl Detail {
    /// A container in a state of which nothing else is known yet: plain, with no mounts.
    pub const fn new(state: RunState) -> Self {
        Self {
            state,
            started: None,
            finished: None,
            exit_code: None,
            oom: false,
            error: None,
            restarts: 0,
            restart_policy: RestartPolicy::No,
            gpus: Vec::new(),
            mounts: Vec::new(),
            mounts_missing: None,
            on_crash: Aftermath::Stays,
            on_stop: Aftermath::Stays,
            on_reboot: Aftermath::Stays,
            workdir: None,
            user: None,
            env_names: BTreeSet::new(),
            landmarks: BTreeSet::new(),
        }
    }

    /// What an event does to the container itself.
    pub const fn aftermath(&self, event: super::event::Event) -> Aftermath {
        use super::event::Event;
        match event {
            Event::Crash => self.on_crash,
            Event::Stop => self.on_stop,
            Event::Reboot => self.on_reboot,
            // A container that removes itself takes its anonymous volumes along, whoever stops it.
            Event::Retire if matches!(self.on_stop, Aftermath::Removed) => Aftermath::Removed,
            _ => Aftermath::Stays,
        }
    }

    /// Why it ended, in words: "out of memory", "killed", "exit 1". `None` while it runs or never ran.
    pub fn exit_cause(&self) -> Option<String> {
        if self.state.is_up() || self.state == RunState::Created {
            return None;
        }
        let code = self.exit_code?;
        Some(match code {
            _ if self.oom => format!("out of memory (exit {code})"),
            0 => "finished (exit 0)".into(),
            126 | 127 => format!("could not start (exit {code})"),
            129..=159 => format!("killed by signal {} (exit {code})", code - 128),
            _ => format!("failed (exit {code})"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(exit_code: i64, oom: bool) -> Detail {
        Detail { exit_code: Some(exit_code), oom, ..Detail::new(RunState::Exited) }
    }

    #[test]
    fn an_exit_for_want_of_memory_says_so_and_not_just_137() {
        assert_eq!(ended(137, true).exit_cause().as_deref(), Some("out of memory (exit 137)"));
        assert_eq!(ended(137, false).exit_cause().as_deref(), Some("killed by signal 9 (exit 137)"));
        assert_eq!(ended(0, false).exit_cause().as_deref(), Some("finished (exit 0)"));
    }

    #[test]
    fn every_state_is_found_by_its_own_word() {
        assert_eq!(RunState::from_key("exited"), RunState::Exited);
        assert_eq!(RunState::from_key("sleeping"), RunState::Unknown);
    }
}
