//! What becomes of a path in each event, and why.
//!
//! Only values live here; the rules that produce them are in `classify`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::phrase::Phrase;

/// What an event does to a path, before its condition is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Still there afterwards.
    Kept,
    /// Still there if the named condition holds.
    Conditional,
    /// Gone, but brought back from a named source such as the image.
    Rebuilt,
    /// Gone.
    Lost,
    /// The event does not concern this path.
    Untouched,
}

impl Fate {
    /// The name used in JSON and in profiles.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Conditional => "conditional",
            Self::Rebuilt => "rebuilt",
            Self::Lost => "lost",
            Self::Untouched => "untouched",
        }
    }
}

/// How an answer was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The engine or the kernel said so for this very container.
    Observed,
    /// Follows from what was observed and a rule that was tested by doing it.
    Derived,
    /// A best guess from inside, without the engine.
    Inferred,
}

/// The closed list of conditions a fate may depend on.
///
/// A condition is evaluated against facts; one that cannot be decided leaves
/// the fate conditional, never kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A verified backup exists in a place that survives the event itself.
    BackedUp,
    /// The bytes are on the network, or a verified backup of them survives the event itself.
    BackedUpOrRemote,
    /// A container made from the image still exists and holds its layers.
    ContainerExists,
    /// Nobody removes unused volumes, and the container goes without its volumes.
    OrphanVolumeKept,
    /// No boot-time or age-based cleaner covers the host directory.
    HostTempNotCleaned,
    /// The object behind the mount is not erased when its claim is released.
    ClaimRetained,
    /// The pod still belongs to the same node after the event.
    SameNode,
    /// The image can be pulled or built again.
    ImageObtainable,
    /// A Dockerfile of the project exists, in its folder or among the person's Dockerfiles.
    DockerfilePresent,
    /// The stopped container is started again before its platform removes it.
    RestartedInTime,
    /// The graphics processor is still reserved for the stopped container.
    GpuHeld,
    /// The platform has not yet replaced the container that ended.
    ContainerNotReplaced,
    /// The session was not ended: its platform has not cleared it away.
    SessionNotEnded,
    /// The very same session is restarted, rather than ended and made anew.
    SameSession,
    /// The platform picks the session up again after the reboot.
    SessionResumed,
    /// The volume is not tied to one machine.
    VolumeMoves,
    /// The volume is not tied to one machine, or the last backup succeeded and nothing exceeds its limit.
    VolumeMovesOrBackedUp,
    /// The volume can be attached to the next machine, or a copy of it exists.
    VolumeReattached,
    /// The folder still lies in the platform's trash.
    InTrash,
    /// The volume that holds the backups outlives the workspace.
    BackupVolumeKept,
    /// Nobody put another folder in the place of the mounted one since the container started.
    SourceInPlace,
}

impl Condition {
    /// Every condition, in the order of the table in the documents.
    pub const ALL: [Self; 21] = [
        Self::BackedUp,
        Self::BackedUpOrRemote,
        Self::ContainerExists,
        Self::OrphanVolumeKept,
        Self::HostTempNotCleaned,
        Self::ClaimRetained,
        Self::SameNode,
        Self::ImageObtainable,
        Self::DockerfilePresent,
        Self::RestartedInTime,
        Self::GpuHeld,
        Self::ContainerNotReplaced,
        Self::SessionNotEnded,
        Self::SameSession,
        Self::SessionResumed,
        Self::VolumeMoves,
        Self::VolumeMovesOrBackedUp,
        Self::VolumeReattached,
        Self::InTrash,
        Self::BackupVolumeKept,
        Self::SourceInPlace,
    ];

    /// Position in [`Condition::ALL`], used to index facts.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name used in JSON and in profiles.
    pub const fn key(self) -> &'static str {
        match self {
            Self::BackedUp => "backed_up",
            Self::BackedUpOrRemote => "backed_up_or_remote",
            Self::ContainerExists => "container_exists",
            Self::OrphanVolumeKept => "orphan_volume_kept",
            Self::HostTempNotCleaned => "host_temp_not_cleaned",
            Self::ClaimRetained => "claim_retained",
            Self::SameNode => "same_node",
            Self::ImageObtainable => "image_obtainable",
            Self::DockerfilePresent => "dockerfile_present",
            Self::RestartedInTime => "restarted_in_time",
            Self::GpuHeld => "gpu_held",
            Self::ContainerNotReplaced => "container_not_replaced",
            Self::SessionNotEnded => "session_not_ended",
            Self::SameSession => "same_session",
            Self::SessionResumed => "session_resumed",
            Self::VolumeMoves => "volume_moves",
            Self::VolumeMovesOrBackedUp => "volume_moves_or_backed_up",
            Self::VolumeReattached => "volume_reattached",
            Self::InTrash => "in_trash",
            Self::BackupVolumeKept => "backup_volume_kept",
            Self::SourceInPlace => "source_in_place",
        }
    }

    /// Words that follow "kept if".
    pub const fn words(self) -> &'static str {
        match self {
            Self::BackedUp | Self::BackedUpOrRemote => "backed up",
            Self::ContainerExists => "container exists",
            Self::OrphanVolumeKept => "not pruned",
            Self::HostTempNotCleaned => "not cleaned",
            Self::ClaimRetained => "claim retained",
            Self::SameNode => "on the same node",
            Self::ImageObtainable => "image available",
            Self::DockerfilePresent => "Dockerfile exists",
            Self::RestartedInTime => "in time",
            Self::GpuHeld => "GPU still held",
            Self::ContainerNotReplaced => "not replaced",
            Self::SessionNotEnded => "session lives",
            Self::SameSession => "same session",
            Self::SessionResumed => "session resumes",
            Self::VolumeMoves => "volume moves",
            Self::VolumeMovesOrBackedUp => "movable",
            Self::VolumeReattached => "reattached",
            Self::InTrash => "in the trash",
            Self::BackupVolumeKept => "volume stays",
            Self::SourceInPlace => "still in place",
        }
    }

    /// One sentence for `explain`, without a full stop.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::BackedUp => "a verified backup exists in a place that survives the event itself",
            Self::BackedUpOrRemote => {
                "it is on network storage, or a verified backup exists in a place that survives the event itself"
            }
            Self::ContainerExists => "a container made from the image still exists",
            Self::OrphanVolumeKept => "nobody removes unused volumes",
            Self::HostTempNotCleaned => "nothing on the host cleans this directory at boot or by age",
            Self::ClaimRetained => "the cluster keeps the bytes of a released claim",
            Self::SameNode => "the pod returns to the same node",
            Self::ImageObtainable => "the image can be pulled or built again",
            Self::DockerfilePresent => "a Dockerfile of the project exists, so the image can be built again",
            Self::RestartedInTime => "it is started again before the platform removes the stopped container",
            Self::GpuHeld => "it is started again while its graphics processor is still reserved",
            Self::ContainerNotReplaced => "the platform has not yet replaced the container that ended",
            Self::SessionNotEnded => "the platform has not yet cleared the session away",
            Self::SameSession => "the same session is restarted, rather than ended and made anew",
            Self::SessionResumed => "the platform picks the session up again after the reboot",
            Self::VolumeMoves => "the volume is not tied to one machine",
            Self::VolumeMovesOrBackedUp => {
                "the volume is not tied to one machine, or a backup was made and the folder is within its limit"
            }
            Self::VolumeReattached => "the volume can be attached to the next machine, or a copy of it exists",
            Self::InTrash => "the folder is still in the trash of the platform",
            Self::BackupVolumeKept => "the volume that holds the backups outlives the workspace",
            Self::SourceInPlace => {
                "nobody moved or replaced the folder of the host since the container started"
            }
        }
    }
}

/// The answer for one path and one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What happens, before the condition is looked at.
    #[serde(skip)]
    pub fate: Fate,
    /// One clause that says why.
    pub reason: Phrase,
    /// One clause that says what to do; empty where nothing needs doing.
    pub advice: Phrase,
    /// What a conditional fate depends on.
    pub condition: Option<Condition>,
    /// Whether the condition holds; `None` where that is not known.
    pub holds: Option<bool>,
    /// How the answer was reached.
    pub basis: Basis,
}

/// An answer with its condition taken into account: what the screen says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Still there.
    Kept,
    /// Still there if the condition holds, which is not known.
    KeptIf(Condition),
    /// Gone and brought back.
    Rebuilt,
    /// Gone.
    Lost,
    /// Not concerned.
    Untouched,
}

impl Answer {
    /// What the answer depends on and whether that holds, in words.
    pub fn condition_words(&self) -> Option<String> {
        let holds = match self.holds {
            Some(true) => "holds",
            Some(false) => "does not hold",
            None => "not known whether it holds",
        };
        self.condition.map(|condition| format!("{}: {holds}", condition.meaning()))
    }

    /// Folds the condition in: a condition that holds keeps, one that does not loses.
    pub fn verdict(&self) -> Verdict {
        match (self.fate, self.condition, self.holds) {
            (Fate::Kept, _, _) | (Fate::Conditional, Some(_), Some(true)) => Verdict::Kept,
            (Fate::Rebuilt, _, _) => Verdict::Rebuilt,
            (Fate::Untouched, _, _) => Verdict::Untouched,
            (Fate::Conditional, Some(condition), None) => Verdict::KeptIf(condition),
            // A conditional fate whose condition fails, or that names none, is not kept.
            (Fate::Lost | Fate::Conditional, _, _) => Verdict::Lost,
        }
    }
}

impl Verdict {
    /// The column word: kept, kept if ..., rebuilt, lost, untouched.
    pub fn words(self) -> Cow<'static, str> {
        match self {
            Self::Kept => "kept".into(),
            Self::KeptIf(condition) => format!("kept if {}", condition.words()).into(),
            Self::Rebuilt => "rebuilt".into(),
            Self::Lost => "lost".into(),
            Self::Untouched => "untouched".into(),
        }
    }

    /// Orders verdicts from harmless to worst, to name the worst of a selection.
    pub const fn severity(self) -> u8 {
        match self {
            Self::Untouched => 0,
            Self::Kept => 1,
            Self::Rebuilt => 2,
            Self::KeptIf(_) => 3,
            Self::Lost => 4,
        }
    }

    /// The worse of two verdicts.
    #[must_use]
    pub const fn worse(self, other: Self) -> Self {
        if other.severity() > self.severity() { other } else { self }
    }
}

/// The answers for all seven events, in the order of [`Event::ALL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fates(pub [Answer; 7]);

impl Fates {
    /// The answer for one event.
    pub fn of(&self, event: Event) -> &Answer {
        &self.0[event.index()]
    }

    /// How bad all events together are: to pick the worst of several answers.
    pub fn severity(&self) -> u32 {
        self.0.iter().map(|answer| u32::from(answer.verdict().severity())).sum()
    }

    /// The answer for one event with its condition taken into account.
    pub fn verdict(&self, event: Event) -> Verdict {
        self.of(event).verdict()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(fate: Fate, condition: Option<Condition>, holds: Option<bool>) -> Answer {
        Answer { fate, reason: "".into(), advice: "".into(), condition, holds, basis: Basis::Derived }
    }

    #[test]
    fn an_unknown_condition_is_never_called_kept() {
        let backed_up = Some(Condition::BackedUp);
        assert_eq!(answer(Fate::Conditional, backed_up, None).verdict(), Verdict::KeptIf(Condition::BackedUp));
        assert_eq!(answer(Fate::Conditional, backed_up, Some(true)).verdict(), Verdict::Kept);
        assert_eq!(answer(Fate::Conditional, backed_up, Some(false)).verdict(), Verdict::Lost);
        assert_eq!(answer(Fate::Conditional, None, Some(true)).verdict(), Verdict::Lost);
    }

    #[test]
    fn every_condition_stands_at_its_index_and_has_its_key() {
        for (index, condition) in Condition::ALL.into_iter().enumerate() {
            assert_eq!(condition.index(), index);
            assert_eq!(serde_json::to_value(condition).ok(), Some(condition.key().into()));
        }
    }

    #[test]
    fn the_worst_of_kept_and_lost_is_lost() {
        assert_eq!(Verdict::Kept.worse(Verdict::Lost), Verdict::Lost);
        assert_eq!(Verdict::Lost.worse(Verdict::Kept), Verdict::Lost);
    }
}
