//! The heart: which events does this path survive, and why.
//!
//! Pure and total: any absolute path of any workspace gets an answer. The order
//! is mount, storage kind, profile rule, conditions; a rule may make a fate worse
//! for any kind and better only for kinds that can be raised.

use std::collections::BTreeMap;
use std::path::Path;

pub use super::grounds::Grounds;

use super::aftermath::{Aftermath, Rule};
use super::backup::Cover;
use super::event::Event;
use super::facts::Facts;
use super::fate::{Answer, Basis, Condition, Fate, Fates, Verdict};
use super::finding::Lot;
use super::mount::{self, Backing, Mount, Source};
use super::object::ObjectKind;
use super::phrase::Phrase;
use super::profile::{PathRule, Violation};
use super::rules::{Rules, Ruling};
use super::storage::{Ceiling, StorageKind};
use super::workspace::Detail;

/// Where a path on the root file system comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// An unchanged file of the image.
    Image,
    /// Written after the container was made, or changed since.
    Layer,
    /// Written after the container was made, as an unchanged file of a package from a repository.
    Package,
    /// Nothing is there yet; what is written will be in the layer.
    Absent,
    /// Not looked at, or could not be.
    #[default]
    Unknown,
}

/// A path's answer for all seven events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// The mount the path lives on; `None` where the workspace's mounts are not known.
    pub mount: Option<&'a Mount>,
    /// What it lives on.
    pub storage: StorageKind,
    /// What becomes of it.
    pub fates: Fates,
    /// The profile rule that applied.
    pub rule: Option<&'a PathRule>,
    /// What is wrong: a rule matches by path, but what it needs is not there.
    pub violation: Option<Violation>,
}

/// Classifies paths of one workspace.
#[derive(Clone, Copy, Debug)]
pub struct Classifier<'a> {
    /// What the engine said about the workspace.
    pub detail: &'a Detail,
    /// The platform's rules, made ready for this workspace.
    pub rules: &'a Rules,
    /// What is known about conditions.
    pub facts: Facts,
    /// Which of its folders are backed up, and what that is good for.
    pub covers: &'a [Cover],
}

impl<'a> Classifier<'a> {
    /// Answers for one path: absolute, normal, links already followed. Allocates nothing.
    pub fn explain(&self, path: &Path, origin: Origin) -> Explanation<'a> {
        let mount = mount::holding(&self.detail.mounts, path);
        let storage = match mount.map(|mount| mount.storage_at(path)) {
            Some(StorageKind::WritableLayer) if origin == Origin::Image => StorageKind::ImageLayer,
            Some(storage) => storage,
            None => StorageKind::Unknown,
        };
        let Ruling { rule, violation } = self.ruling(path, storage, mount, origin);
        let mut fates = self.fates(storage, mount, Some(path), rule);
        if storage == StorageKind::RuntimeFile && origin == Origin::Layer {
            edited_by_hand(&mut fates);
        }
        Explanation { mount, storage, fates, rule, violation }
    }

    /// Answers for everything directly on one mount.
    pub fn mount(&self, mount: &'a Mount) -> Explanation<'a> {
        let Ruling { rule, violation } =
            self.ruling(&mount.target, mount.storage, Some(mount), Origin::Unknown);
        let fates = self.fates(mount.storage, Some(mount), Some(&mount.target), rule);
        Explanation { mount: Some(mount), storage: mount.storage, fates, rule, violation }
    }

    /// The share of what was found that a file belongs to: what shares a lot shares its fates.
    pub fn lot(&self, path: &Path, storage: StorageKind) -> Lot {
        let mount = mount::holding(&self.detail.mounts, path);
        let rule = self.ruling(path, storage, mount, Origin::Layer).rule;
        Lot { storage, rule: rule.map(|rule| rule.id.clone()) }
    }

    /// What becomes of a lot in one event.
    pub fn verdict(&self, lot: &Lot, event: Event) -> Verdict {
        let rule = lot.rule.as_deref().and_then(|id| self.rules.named(id));
        self.answer(lot.storage, None, None, rule, event).verdict()
    }

    /// What is wrong with the workspace as a whole: its folder is not mounted, or on what does not last.
    pub fn violation(&self) -> Option<(&'a Path, Violation)> {
        let folder = self.rules.workspace.as_deref()?;
        // Without a container there is nothing that should be mounted.
        mount::holding(&self.detail.mounts, folder)?;
        let violation = self.explain(folder, Origin::Unknown).violation?;
        Some((folder, violation))
    }

    pub(super) fn mount_verdict(&self, mount: &'a Mount, event: Event) -> Verdict {
        self.mount(mount).fates.verdict(event)
    }

    /// The rule for the path inside; where there is none, the one for the place on the host behind it.
    fn ruling(&self, path: &Path, storage: StorageKind, mount: Option<&Mount>, origin: Origin) -> Ruling<'a> {
        let inside = self.rules.inside(path, storage, origin);
        if inside.rule.is_some() || !self.rules.speaks_of_hosts() {
            return inside;
        }
        let behind = mount.filter(|mount| mount.storage != StorageKind::WritableLayer);
        let behind = behind.and_then(|mount| mount.on_host(path, |place| self.rules.on_host(place, storage)));
        match behind {
            Some(ruling) if ruling.rule.is_some() => Ruling { violation: inside.violation, ..ruling },
            _ => inside,
        }
    }

    fn fates(
        &self,
        storage: StorageKind,
        mount: Option<&Mount>,
        path: Option<&Path>,
        rule: Option<&PathRule>,
    ) -> Fates {
        Fates(Event::ALL.map(|event| self.answer(storage, mount, path, rule, event)))
    }

    fn answer(
        &self,
        storage: StorageKind,
        mount: Option<&Mount>,
        path: Option<&Path>,
        rule: Option<&PathRule>,
        event: Event,
    ) -> Answer {
        let after = self.after(event);
        let base = storage.rule(event, after, mount.map(|mount| &mount.backing));
        let mut answer = answer_of(base, advice_for(base.fate, storage), basis(event, storage));
        // A rule has no say in what no image is left to bring back.
        self.without_its_image(storage, &mut answer);
        if let Some(rule) = rule {
            let goes_along = || match event {
                Event::WorkspaceDeletion => mount.is_some_and(|mount| self.is_in_the_folder(mount)),
                _ => after == Aftermath::Removed && goes_with_its_container(storage),
            };
            apply(rule, event, storage, goes_along, &mut answer);
            self.without_its_image(storage, &mut answer);
        }
        if event == Event::Reboot {
            self.in_memory(storage, mount, &mut answer);
        }
        let starts_again = matches!(event, Event::Crash | Event::Stop | Event::Retire | Event::Reboot);
        let unsure =
            matches!(mount.map(|mount| &mount.backing), Some(Backing::HostDir { source: Source::Unsure, .. }));
        if starts_again && unsure && answer.fate == Fate::Kept {
            answer.fate = Fate::Conditional;
            answer.condition = Some(Condition::SourceInPlace);
            answer.reason = "whether the mount still shows the folder at that place could not be seen".into();
            answer.advice = "ask somebody who may look into the container, or start it anew".into();
        }
        let backed_up = self.backed_up(mount, path, event);
        if answer.fate == Fate::Lost && event == Event::WorkspaceDeletion && backed_up == Some(true) {
            answer.fate = Fate::Conditional;
            answer.condition = Some(Condition::BackedUp);
            answer.reason = "a backup of it outlives the folder".into();
            answer.advice = "`outlast restore` brings it back".into();
        }
        answer.holds =
            answer.condition.and_then(|condition| self.holds(condition, event, after, storage, backed_up));
        answer
    }

    /// An image that was deleted rebuilds nothing.
    fn without_its_image(&self, storage: StorageKind, answer: &mut Answer) {
        let is_gone = || self.facts.holds(Condition::ImageObtainable) == Some(false);
        if answer.fate == Fate::Rebuilt && storage == StorageKind::ImageLayer && is_gone() {
            answer.fate = Fate::Lost;
            answer.reason = "its image was deleted, so no new container has the file".into();
        }
    }

    /// What the host keeps in memory no reboot leaves, whatever a rule says of it. Of a lot it is only known
    /// on which kind of storage it is.
    fn in_memory(&self, storage: StorageKind, mount: Option<&Mount>, answer: &mut Answer) {
        let of_the_kind = || {
            self.detail.mounts.iter().find(|mount| mount.storage == storage && mount.in_memory != Some(false))
        };
        let in_memory = mount.or_else(of_the_kind).map_or(Some(false), |mount| mount.in_memory);
        match in_memory {
            Some(true) if answer.fate != Fate::Untouched => {
                answer.fate = Fate::Lost;
                answer.condition = None;
                answer.reason = "the disk it is on is kept in the memory of the host".into();
                answer.advice = StorageKind::BindMemory.advice().into();
            }
            None if matches!(answer.fate, Fate::Kept | Fate::Rebuilt) => {
                answer.fate = Fate::Conditional;
                answer.condition = Some(Condition::BackedUp);
                answer.reason = "whether it is on a disk or in the memory of the host could not be seen".into();
            }
            _ => {}
        }
    }

    /// Whether a condition holds in an event, for what is on this kind of storage.
    fn holds(
        &self,
        condition: Condition,
        event: Event,
        after: Aftermath,
        storage: StorageKind,
        backed_up: Option<bool>,
    ) -> Option<bool> {
        let container_goes = matches!(event, Event::Retire | Event::HostLoss) || after != Aftermath::Stays;
        let on_the_network = matches!(storage, StorageKind::BindNetwork | StorageKind::NetworkVolume);
        match condition {
            Condition::ContainerExists if container_goes => Some(false),
            Condition::ContainerNotReplaced if after != Aftermath::Stays => Some(false),
            Condition::BackedUpOrRemote
            | Condition::VolumeMoves
            | Condition::VolumeMovesOrBackedUp
            | Condition::VolumeReattached
                if on_the_network =>
            {
                Some(true)
            }
            Condition::BackedUp
            | Condition::BackedUpOrRemote
            | Condition::VolumeMovesOrBackedUp
            | Condition::VolumeReattached
                if backed_up == Some(true) =>
            {
                Some(true)
            }
            _ => self.facts.holds(condition),
        }
    }

    /// Whether a backup of a path is good for an event; `None` where none is known to be.
    fn backed_up(&self, mount: Option<&Mount>, path: Option<&Path>, event: Event) -> Option<bool> {
        let (mount, path) = (mount?, path?);
        let good = |cover: &Cover| {
            if cover.inside {
                return cover.holds(path, event);
            }
            mount.on_host(path, |place| cover.holds(place, event)).flatten()
        };
        self.covers.iter().any(|cover| good(cover) == Some(true)).then_some(true)
    }

    /// Whether another mount shows a part of the workspace's own folder, which goes with it.
    fn is_in_the_folder(&self, mount: &Mount) -> bool {
        let Some(folder) = self.folder().filter(|folder| folder.target != mount.target) else { return false };
        let same_volume = matches!(mount.backing, Backing::Volume { .. }) && mount.backing == folder.backing;
        let below = match (&mount.host_path, &folder.host_path) {
            (Some(part), Some(whole)) => part.starts_with(whole),
            _ => false,
        };
        same_volume || below
    }

    /// What an event does to the container itself, here.
    pub fn after(&self, event: Event) -> Aftermath {
        let lifecycle = self.rules.profile.lifecycle;
        let platform = match event {
            Event::Crash => lifecycle.crash,
            Event::Stop => lifecycle.stop,
            Event::Reboot => lifecycle.reboot,
            _ => None,
        };
        // The engine knows of containers that do worse than their platform's usually do.
        self.detail.aftermath(event).max(platform.unwrap_or(Aftermath::Stays))
    }

    /// What becomes of a thing that the workspace is made of, in all events.
    pub fn object(&self, kind: ObjectKind) -> Fates {
        let folder = self.folder();
        let rule = self.rules.profile.objects.iter().find(|object| object.id == kind);
        Fates(Event::ALL.map(|event| match (kind, folder) {
            // The folder is a path like any other.
            (ObjectKind::Workspace, Some(mount)) if rule.is_none() => self.mount(mount).fates.of(event).clone(),
            _ => {
                let after = self.after(event);
                let base = kind.rule(event, after, folder.map(|mount| mount.storage));
                let mut answer = answer_of(base, "".into(), Basis::Derived);
                if let Some(rule) = rule
                    && !(after == Aftermath::Removed && kind == ObjectKind::Container)
                    && let Some((fate, condition)) = changed(&rule.fates, &rule.conditions, event)
                {
                    answer = Answer { fate, condition, reason: rule.reason.clone(), ..answer };
                }
                answer.holds = answer.condition.and_then(|condition| self.facts.holds(condition));
                answer
            }
        }))
    }

    /// The mount of the workspace's own folder, where one is mounted.
    pub fn folder(&self) -> Option<&'a Mount> {
        let folder = self.rules.workspace.as_deref()?;
        let mount = mount::holding(&self.detail.mounts, folder)?;
        (mount.storage != StorageKind::WritableLayer).then_some(mount)
    }
}

/// What the runtime writes anew at each start is not what somebody made of it.
fn edited_by_hand(fates: &mut Fates) {
    for answer in fates.0.iter_mut().filter(|answer| answer.fate == Fate::Rebuilt) {
        answer.fate = Fate::Lost;
        answer.reason = "it was changed since the start, and the runtime writes it anew at each start".into();
    }
}

/// What a rule makes of an event; a condition means that it is kept only under it.
fn changed(
    fates: &BTreeMap<Event, Fate>,
    conditions: &BTreeMap<Event, Condition>,
    event: Event,
) -> Option<(Fate, Option<Condition>)> {
    match (conditions.get(&event), fates.get(&event)) {
        (Some(condition), _) => Some((Fate::Conditional, Some(*condition))),
        (None, Some(fate)) => Some((*fate, None)),
        (None, None) => None,
    }
}

/// What is removed together with its container.
const fn goes_with_its_container(storage: StorageKind) -> bool {
    matches!(storage, StorageKind::WritableLayer | StorageKind::ImageLayer | StorageKind::AnonymousVolume)
}

/// Lets a rule change a fate: worse always, better only as far as the kind allows, and never for
/// what is lost because it goes along with something else.
fn apply(
    rule: &PathRule,
    event: Event,
    storage: StorageKind,
    goes_along: impl FnOnce() -> bool,
    answer: &mut Answer,
) {
    let Some((fate, condition)) = changed(&rule.fates, &rule.conditions, event) else { return };
    let better = rank(fate) < rank(answer.fate);
    let other_condition = fate == Fate::Conditional && answer.fate == Fate::Conditional;
    if better || other_condition {
        let allowed = match storage.ceiling() {
            Ceiling::AsItIs => false,
            Ceiling::Conditional => !matches!(fate, Fate::Kept | Fate::Untouched),
            Ceiling::Kept => true,
        };
        if !allowed || (answer.fate == Fate::Lost && goes_along()) {
            return;
        }
    }
    answer.fate = fate;
    answer.condition = condition;
    answer.reason = rule.reason.clone();
    if let Some(advice) = &rule.advice {
        answer.advice = advice.clone();
    } else {
        answer.advice = advice_for(fate, storage);
    }
}

/// An answer before its condition is looked at.
const fn answer_of(base: Rule, advice: Phrase, basis: Basis) -> Answer {
    Answer {
        fate: base.fate,
        reason: Phrase::Fixed(base.reason),
        advice,
        condition: base.condition,
        holds: None,
        basis,
    }
}

const fn rank(fate: Fate) -> u8 {
    match fate {
        Fate::Untouched | Fate::Kept => 0,
        Fate::Rebuilt => 1,
        Fate::Conditional => 2,
        Fate::Lost => 3,
    }
}

fn advice_for(fate: Fate, storage: StorageKind) -> Phrase {
    match fate {
        Fate::Kept | Fate::Untouched => "".into(),
        Fate::Conditional | Fate::Rebuilt | Fate::Lost => storage.advice().into(),
    }
}

/// Crash, stop, retire and image removal are performed by the tests on real
/// containers; reboot and host loss follow from what the storage is.
const fn basis(event: Event, storage: StorageKind) -> Basis {
    match (event, storage) {
        (_, StorageKind::Unknown) => Basis::Inferred,
        (Event::Reboot | Event::HostLoss, _) => Basis::Derived,
        _ => Basis::Observed,
    }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
