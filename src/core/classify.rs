//! The heart: which events does this path survive, and why.
//!
//! Pure and total: any absolute path of any workspace gets an answer. The order
//! is mount, storage kind, profile rule, conditions; a rule may make a fate worse
//! for any kind and better only for kinds that can be raised.

use std::borrow::Cow;
use std::path::Path;

use super::event::Event;
use super::fate::{Answer, Basis, Condition, Fate, Fates, Verdict};
use super::finding::{Risk, Tally};
use super::mount::{self, Mount};
use super::profile::{PathRule, Profile};
use super::storage::{Aftermath, StorageKind};
use super::workspace::Detail;

/// Where a path on the root file system comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// An unchanged file of the image.
    Image,
    /// Written after the container was made, or changed since.
    Layer,
    /// Nothing is there yet; what is written will be in the layer.
    Absent,
    /// Not looked at, or could not be.
    #[default]
    Unknown,
}

/// What is known about conditions. Unknown stays unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether a verified copy exists in a place that survives the event itself.
    pub backed_up: Option<bool>,
    /// Whether a container made from the image exists.
    pub container_exists: Option<bool>,
    /// Whether volumes without a container are left alone here.
    pub orphan_volumes_kept: Option<bool>,
    /// Whether the host leaves its temporary directories alone.
    pub host_temp_kept: Option<bool>,
    /// Whether released claims keep their bytes.
    pub claim_retained: Option<bool>,
    /// Whether the pod returns to its node.
    pub same_node: Option<bool>,
    /// Whether the image can be had again.
    pub image_obtainable: Option<bool>,
}

impl Facts {
    /// Whether a condition holds; `None` where that is not known.
    pub const fn holds(&self, condition: Condition) -> Option<bool> {
        match condition {
            Condition::BackedUp => self.backed_up,
            Condition::ContainerExists => self.container_exists,
            Condition::OrphanVolumeKept => self.orphan_volumes_kept,
            Condition::HostTempNotCleaned => self.host_temp_kept,
            Condition::ClaimRetained => self.claim_retained,
            Condition::SameNode => self.same_node,
            Condition::ImageObtainable => self.image_obtainable,
        }
    }
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
    pub violation: Option<&'a str>,
}

/// What is at stake in an event: what a look found, and what it did not reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stake<'a> {
    /// Files and bytes that were found.
    pub tally: Tally,
    /// Whether that is all of it.
    pub complete: bool,
    /// Places that the event would lose and that were not looked at.
    pub unread: Vec<&'a Mount>,
}

/// Classifies paths of one workspace.
#[derive(Clone, Copy, Debug)]
pub struct Classifier<'a> {
    /// What the engine said about the workspace.
    pub detail: &'a Detail,
    /// The platform's rules.
    pub profile: &'a Profile,
    /// What is known about conditions.
    pub facts: Facts,
}

impl<'a> Classifier<'a> {
    /// Answers for one path: absolute, normal, links already followed.
    pub fn explain(&self, path: &Path, origin: Origin) -> Explanation<'a> {
        let mount = mount::holding(&self.detail.mounts, path);
        let storage = match mount.map(|mount| mount.storage) {
            Some(StorageKind::WritableLayer) if origin == Origin::Image => StorageKind::ImageLayer,
            Some(storage) => storage,
            None => StorageKind::Unknown,
        };
        let (rule, violation) = self.rule_for(path, storage);
        Explanation { mount, storage, fates: self.fates(storage, mount, rule), rule, violation }
    }

    /// Answers for everything directly on one mount, without a path rule of its own.
    pub fn mount(&self, mount: &'a Mount) -> Explanation<'a> {
        let (rule, violation) = self.rule_for(&mount.target, mount.storage);
        let fates = self.fates(mount.storage, Some(mount), rule);
        Explanation { mount: Some(mount), storage: mount.storage, fates, rule, violation }
    }

    /// What becomes of a storage kind of this workspace in one event.
    pub fn verdict(&self, storage: StorageKind, event: Event) -> Verdict {
        self.answer(storage, None, None, event).verdict()
    }

    /// What an event would lose of what a look found.
    ///
    /// Not complete where the look was not, and where the event would lose a place
    /// that was not looked at. Memory of a container that is not running is empty.
    pub fn stake(&self, risk: &Risk, event: Event) -> Stake<'a> {
        let tally = risk.tally(|storage| self.verdict(storage, event) == Verdict::Lost);
        let is_unread = |mount: &&Mount| {
            let gone = mount.storage == StorageKind::Tmpfs && !self.detail.state.is_up();
            !gone
                && mount.holds_files()
                && self.mount_verdict(mount, event) == Verdict::Lost
                && !risk.tallies.iter().any(|(storage, _)| *storage == mount.storage)
        };
        let detail = self.detail;
        let unread: Vec<&'a Mount> = detail.mounts.iter().filter(is_unread).collect();
        Stake { tally, complete: risk.complete() && unread.is_empty(), unread }
    }

    /// The folder that files at risk should be copied to: writable, on a disk or a
    /// share, kept in the event, and kept in more of the other events than any other.
    pub fn kept_folder(&self, event: Event) -> Option<&'a Mount> {
        let preferred = self.profile.workspace.as_deref().map(Path::new);
        let detail = self.detail;
        let durable = |mount: &&Mount| {
            matches!(
                mount.storage,
                StorageKind::BindMount
                    | StorageKind::BindNetwork
                    | StorageKind::NamedVolume
                    | StorageKind::NetworkVolume
                    | StorageKind::Claim
                    | StorageKind::BlockVolume
            ) && !mount.read_only
                && mount.target != Path::new("/")
                && !is_a_file(mount)
                && self.mount_verdict(mount, event) == Verdict::Kept
        };
        let losses = |mount: &Mount| {
            let severity = |event| u32::from(self.mount_verdict(mount, event).severity());
            Event::ALL.into_iter().map(severity).sum::<u32>()
        };
        detail.mounts.iter().filter(durable).min_by_key(|mount| {
            (Some(mount.target.as_path()) != preferred, losses(mount), mount.storage, &mount.target)
        })
    }

    fn mount_verdict(&self, mount: &Mount, event: Event) -> Verdict {
        self.answer(mount.storage, Some(mount), None, event).verdict()
    }

    fn rule_for(&self, path: &Path, storage: StorageKind) -> (Option<&'a PathRule>, Option<&'a str>) {
        let mut best: Option<(usize, &'a PathRule)> = None;
        let mut violation: Option<(usize, &'a str)> = None;
        for rule in &self.profile.rules {
            let Some(depth) = rule.covers(path) else { continue };
            if rule.storage.contains(&storage) {
                if best.is_none_or(|(deepest, _)| depth > deepest) {
                    best = Some((depth, rule));
                }
            } else if let Some(text) = &rule.violation
                && violation.is_none_or(|(deepest, _)| depth > deepest)
            {
                violation = Some((depth, text));
            }
        }
        (best.map(|(_, rule)| rule), violation.map(|(_, text)| text))
    }

    fn fates(&self, storage: StorageKind, mount: Option<&Mount>, rule: Option<&PathRule>) -> Fates {
        Fates(Event::ALL.map(|event| self.answer(storage, mount, rule, event)))
    }

    fn answer(
        &self,
        storage: StorageKind,
        mount: Option<&Mount>,
        rule: Option<&PathRule>,
        event: Event,
    ) -> Answer {
        let after = self.after(event);
        let base = storage.rule(event, after, mount.map(|mount| &mount.backing));
        let mut answer = Answer {
            fate: base.fate,
            reason: base.reason.into(),
            advice: advice(base.fate, storage),
            condition: base.condition,
            holds: None,
            basis: basis(event, storage),
        };
        if let Some(rule) = rule {
            apply(rule, event, storage, &mut answer);
        }
        answer.holds = answer.condition.and_then(|condition| self.facts.holds(condition));
        answer
    }

    fn after(&self, event: Event) -> Aftermath {
        let platform = match event {
            Event::Crash => self.profile.lifecycle.crash,
            Event::Stop => self.profile.lifecycle.stop,
            Event::Reboot => self.profile.lifecycle.reboot,
            _ => None,
        };
        // A container that removes itself does so on every platform.
        match self.detail.aftermath(event) {
            Aftermath::Removed => Aftermath::Removed,
            engine => platform.unwrap_or(engine),
        }
    }
}

/// Lets a rule change a fate: worse always, better only where the kind can be raised.
fn apply(rule: &PathRule, event: Event, storage: StorageKind, answer: &mut Answer) {
    let Some(&fate) = rule.fates.get(&event) else { return };
    let condition = rule.conditions.get(&event).copied();
    let better = rank(fate) < rank(answer.fate);
    if better && !storage.raisable() {
        return;
    }
    if fate == Fate::Conditional && condition.is_none() {
        return;
    }
    answer.fate = fate;
    answer.condition = if fate == Fate::Conditional { condition } else { None };
    answer.reason = rule.reason.clone().into();
    if let Some(advice) = &rule.advice {
        answer.advice = advice.clone().into();
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

fn advice(fate: Fate, storage: StorageKind) -> Cow<'static, str> {
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

/// A mount of a single file, such as a bind mount of `/etc/localtime`, is nowhere to copy to.
fn is_a_file(mount: &Mount) -> bool {
    let extension = mount.target.extension().and_then(std::ffi::OsStr::to_str);
    let of_a_file = matches!(
        extension,
        Some("conf" | "cfg" | "toml" | "yaml" | "yml" | "json" | "txt" | "sh" | "py" | "sock" | "pem" | "key")
    );
    of_a_file || mount.target.starts_with("/etc")
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
