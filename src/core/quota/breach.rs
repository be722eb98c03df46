//! Limits that are near or reached, as findings: what was seen, and what to do about it.

use std::path::Path;

use jiff::Timestamp;

use super::{FileSystem, Quota, QuotaKind, Space, Status};
use crate::core::check::{Finding, Severity};
use crate::text::size;

/// Bytes that must be free where an engine keeps its images and containers.
pub const ENGINE_ROOT_NEEDS: u64 = 10 << 30;

/// A limit that is near or reached. `help` are those who can raise it.
pub fn of_quota(quota: &Quota, now: Timestamp, help: &[String]) -> Option<Finding> {
    // The size of a file system is told of the file system.
    if quota.kind == QuotaKind::Volume {
        return None;
    }
    let status = quota.status();
    let severity = status.severity()?;
    let counted = quota.counted()?;
    let shown = quota.place.display();
    let of = |amount: super::Amount, text: fn(u64) -> String| match (amount.used, amount.limit()) {
        (Some(used), Some(limit)) => {
            let percent = amount.percent().unwrap_or_default();
            format!("{} of {} ({percent} %)", text(used), text(limit))
        }
        _ => String::new(),
    };
    let files = |count: u64| format!("{count} files");
    let numbers =
        if counted.bytes.status() == status { of(counted.bytes, size) } else { of(counted.inodes, files) };
    let words = quota.words(now);
    let said = if words.is_empty() { String::new() } else { format!("; {words}") };
    Some(Finding {
        id: if status == Status::Over { "quota-over" } else { "quota-near" },
        severity,
        subject: format!("{} {}", quota.kind.word(), quota.subject),
        evidence: format!("{numbers} of the {} quota on {shown}{said}", quota.kind.word()),
        fix: format!("{}; {}", look(quota), raise(help)),
    })
}

/// What shows where the space goes.
fn look(quota: &Quota) -> String {
    let shown = quota.place.display();
    match quota.kind {
        QuotaKind::User => {
            format!("`outlast du` in {shown} shows what is large: delete it, or move it elsewhere")
        }
        QuotaKind::Group => {
            format!("files of everybody in the group on {shown} count: delete what nobody needs")
        }
        QuotaKind::Project => format!(
            "`outlast du {shown}` shows what is large; what was renamed out of the folder goes on counting"
        ),
        QuotaKind::Qgroup | QuotaKind::Volume => {
            format!("`outlast du {shown}` shows what is large; snapshots keep what was deleted")
        }
    }
}

/// Who can give more.
fn raise(help: &[String]) -> String {
    match help {
        [] => "an administrator can raise the limit".into(),
        help => format!("who can raise the limit: {}", help.join(", ")),
    }
}

/// A file system that is full or nearly so. `affected` says in words who works on it.
pub fn of_disk(disk: &FileSystem, space: Space, affected: &str) -> Option<Finding> {
    // Nothing can be added to it anyway.
    let severity = if disk.read_only { None } else { space.status().severity() }?;
    let shown = disk.target.display();
    let full = severity == Severity::Critical;
    let inodes = space.inodes.filter(|inodes| Status::of(inodes.used, inodes.total) == space.status());
    let bytes_are_why = Status::of(space.used, space.used.saturating_add(space.available)) == space.status();
    let who = if affected.is_empty() { String::new() } else { format!("; affects {affected}") };
    let (id, evidence) = match (bytes_are_why, inodes) {
        (false, Some(inodes)) => (
            if full { "inodes-used-up" } else { "inodes-nearly-used-up" },
            format!("{} of {} files that {shown} can hold{who}", inodes.used, inodes.total),
        ),
        _ => (
            if full { "disk-full" } else { "disk-nearly-full" },
            format!(
                "{} of {} used on {shown}, {} left{who}",
                size(space.used),
                size(space.total),
                size(space.available)
            ),
        ),
    };
    Some(Finding {
        id,
        severity,
        subject: shown.to_string(),
        evidence,
        fix: format!("`outlast du {shown}` shows what is large: delete it, or move it to another disk"),
    })
}

/// An engine's own folder with too little left: images, layers and logs of all containers grow there.
pub fn engine_root(disk: &FileSystem, space: Space, root: &Path) -> Option<Finding> {
    if space.elastic || space.available >= ENGINE_ROOT_NEEDS {
        return None;
    }
    Some(Finding {
        id: "engine-root-low",
        severity: Severity::Warning,
        subject: root.display().to_string(),
        evidence: format!(
            "{} left on {}, less than {}: without space no image can be pulled and no container can write",
            size(space.available),
            disk.target.display(),
            size(ENGINE_ROOT_NEEDS)
        ),
        fix: "`docker system df` shows what images, containers, volumes and the build cache take".into(),
    })
}
