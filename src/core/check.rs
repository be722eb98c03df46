//! What is wrong with a workspace or with the settings, and what to do about it: the findings of `outlast check`.
//!
//! Pure rules over what answers stand on. How bad a finding is decides the exit code.

use std::path::Path;

use serde::Serialize;

use super::classify::{Classifier, Grounds, Origin};
use super::error::Error;
use super::mount::{self, Backing, Mount, Source};
use super::profile::Violation;
use super::report::Head;
use super::storage::StorageKind;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Notice,
    /// Data may be lost later.
    Warning,
    /// What is saved now is lost.
    Critical,
}

impl Severity {
    /// The word shown to people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Something to act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong, by name.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a workspace, a file (untrusted text).
    pub subject: String,
    /// What was seen (may hold untrusted text).
    pub evidence: String,
    /// What to do (may hold untrusted text).
    pub fix: String,
}

/// What is wrong with one workspace, the worst first.
pub fn workspace(subject: &str, grounds: &Grounds) -> Vec<Finding> {
    let classifier = grounds.classifier();
    let finding =
        |id, severity, evidence, fix| Finding { id, severity, subject: subject.into(), evidence, fix };
    let mut findings: Vec<Finding> = folder(subject, classifier).into_iter().collect();
    let folder = classifier.rules.workspace.as_deref();
    for mount in classifier.detail.mounts.iter().filter(|mount| mount.holds_files()) {
        let target = mount.target.display();
        if let Backing::HostDir { source: Source::Replaced, path } = &mount.backing
            && classifier.detail.state.is_up()
        {
            findings.push(replaced(subject, classifier, mount, path));
        } else if mount.storage == StorageKind::BindDeleted && classifier.detail.state.is_up() {
            findings.push(finding(
                "source-deleted",
                Severity::Critical,
                format!("the folder of the host behind {target} was deleted while the container runs"),
                "copy out what is still readable, then recreate the container".into(),
            ));
        } else if Some(mount.target.as_path()) != folder
            && let Some(violation) = classifier.mount(mount).violation
        {
            findings.push(finding(
                violation.key(),
                Severity::Warning,
                format!(
                    "{target} looks like a folder that is kept, but it lives on: {}",
                    mount.storage.label()
                ),
                format!("keep nothing in {target}, or mount a folder of the host there"),
            ));
        }
    }
    let recognised = &classifier.rules.recognised;
    if recognised.tie {
        findings.push(finding(
            "several-platforms",
            Severity::Warning,
            recognised.words(),
            "name the right one: --profile NAME, or the label outlast.profile=NAME on the container".into(),
        ));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

/// A mount that shows something else than what its next start will show.
fn replaced(subject: &str, classifier: Classifier<'_>, mount: &Mount, path: &Path) -> Finding {
    let (target, path) = (mount.target.display(), path.display());
    // Below another mount, it is one that the host made later: what is hidden is usually an empty folder.
    let above = mount.target.parent().and_then(|above| mount::holding(&classifier.detail.mounts, above));
    let below_another = above.is_some_and(|above| above.storage != StorageKind::WritableLayer);
    let now_at = mount.host_path.as_ref().map(|now| format!("; it is {} on the host now", now.display()));
    Finding {
        id: "source-replaced",
        severity: if below_another { Severity::Notice } else { Severity::Critical },
        subject: subject.into(),
        evidence: format!(
            "{target} still shows what was at {path} on the host when the container started, and something else \
             is there now{}",
            now_at.unwrap_or_default()
        ),
        fix: format!(
            "copy out what is in {target}, then start the container again: it shows the new {path} then"
        ),
    }
}

/// A profile file that was refused: its rules do not hold although somebody wrote them.
pub fn refused(error: &Error) -> Finding {
    Finding {
        id: "profile-refused",
        severity: Severity::Warning,
        subject: "profiles".into(),
        evidence: error.message.clone(),
        fix: error.hints.first().cloned().unwrap_or_else(|| "`outlast profiles check FILE` says more".into()),
    }
}

/// What is wrong with the folder that is meant to be kept, and what to do; `None` while nothing is.
pub fn folder(subject: &str, classifier: Classifier<'_>) -> Option<Finding> {
    let path = classifier.rules.workspace.as_deref()?;
    let on = classifier.explain(path, Origin::Unknown);
    let shown = path.display();
    let of = |id, severity, evidence| Finding {
        id,
        severity,
        subject: subject.into(),
        evidence,
        fix: "copy out what is there, then recreate the container with a folder of the host mounted".into(),
    };
    // A rule for such storage says that the platform means it to be so.
    let weak = |id, place| {
        let evidence = format!("{shown} is in {place} of the host");
        on.rule.is_none().then(|| of(id, Severity::Warning, evidence))
    };
    match (on.storage, classifier.violation()) {
        (StorageKind::BindMemory, _) => weak("workspace-in-memory", "the memory"),
        (StorageKind::BindTemp, _) => weak("workspace-in-tmp", "a temporary folder"),
        (StorageKind::BindScratch, _) => weak("workspace-on-scratch", "a folder for one session"),
        // It is told as what it is.
        (StorageKind::BindDeleted, _) | (_, None) => None,
        (_, Some((_, violation @ Violation::WorkspaceNotMounted))) => Some(of(
            violation.key(),
            Severity::Critical,
            format!("nothing is mounted at {shown}: what is saved there goes with the container"),
        )),
        (storage, Some((_, violation))) => Some(of(
            violation.key(),
            Severity::Warning,
            format!("{shown} looks like a folder that is kept, but it lives on: {}", storage.label()),
        )),
    }
}

/// `check --json`.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Schema, completeness, errors.
    #[serde(flatten)]
    pub head: Head,
    /// `ok`, `warning`, `critical` or `unknown`.
    pub status: &'static str,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// How many workspaces were looked at.
    pub workspaces: usize,
    /// How many workspaces of others were not.
    pub of_others: usize,
}

/// What monitoring makes of findings: the word, and the exit code of that convention.
pub fn status(findings: &[Finding], complete: bool) -> (&'static str, u8) {
    match findings.iter().map(|finding| finding.severity).max() {
        Some(Severity::Critical) => ("critical", 2),
        Some(Severity::Warning) => ("warning", 1),
        _ if !complete => ("unknown", UNKNOWN),
        _ => ("ok", 0),
    }
}

/// The exit code where nobody can say how things are.
pub const UNKNOWN: u8 = 3;

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
