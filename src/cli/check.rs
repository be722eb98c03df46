//! `outlast check [NAME]`: what is wrong, in one line for cron and monitoring, then what to do about it.
//!
//! The exit codes are those of monitoring: 0 ok, 1 warning, 2 critical, 3 unknown.

use super::args::CheckArgs;
use super::backup::{Backed, lasts};
use super::context::Context;
use super::ls::of_others;
use super::out::Out;
use crate::core::archive;
use crate::core::check::{self, Check, Finding};
use crate::core::classify::Grounds;
use crate::core::due;
use crate::core::error::Result;
use crate::core::report::Head;
use crate::core::workspace::Workspace;
use crate::text::printable;
use crate::work::backup;
use crate::work::gather::Gathered;
use crate::work::ground;
use crate::work::roster::Entry;
use crate::work::space::{Limits, Spaces};

/// Checks one workspace, or all with the settings and the disks of this machine.
pub(super) async fn run(args: &CheckArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let mut findings: Vec<Finding> = Vec::new();
    let (workspaces, of_hidden, troubles) = if let Some(name) = &args.name {
        let (workspace, grounds, list) = context.named(name).await?;
        findings.extend(of(&workspace, &grounds));
        findings.extend(limit(&workspace, &grounds, context).await);
        let entry = Entry { workspace: workspace.clone(), grounds: Some(Ok(grounds)) };
        let one = Gathered { entries: vec![entry], ..Gathered::default() };
        findings.extend(due(&one, Some(&workspace), context).await);
        (1, 0, list.troubles)
    } else {
        let list = context.gather(|_| true).await?;
        findings.extend(due(&list, None, context).await);
        let looked_at = list.entries.iter().filter_map(|entry| Some((&entry.workspace, entry.stands_on()?)));
        findings.extend(looked_at.clone().flat_map(|(workspace, grounds)| of(workspace, grounds)));
        for (workspace, grounds) in looked_at.clone() {
            findings.extend(limit(workspace, grounds, context).await);
        }
        findings.extend(context.refused.iter().map(check::refused));
        if !context.is_playground() {
            findings.extend(space(context).await?);
        }
        (looked_at.count(), list.hidden.len(), list.troubles)
    };
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let complete = troubles.is_empty();
    let (status, code) = check::status(&findings, complete);
    if args.json {
        let head = Head::new(context.clock.now(), complete, troubles);
        out.json(&Check { head, status, findings, workspaces, of_others: of_hidden })?;
        return Ok(code);
    }
    out.lines([summary(status, &findings, workspaces)])?;
    for finding in &findings {
        let (subject, evidence) = (printable(&finding.subject), printable(&finding.evidence));
        out.lines([format!("{} {}: {subject}: {evidence}", finding.severity.word(), finding.id)])?;
        out.lines([format!("  to do: {}", printable(&finding.fix))])?;
    }
    out.lines(of_others(of_hidden))?;
    context.warn(&troubles);
    Ok(code)
}

/// Limits and disks of this machine that are near their end; as root, the limits of everybody.
async fn space(context: &Context<'_>) -> Result<Vec<Finding>> {
    let asker = context.asker()?;
    let limits = if context.host.uid == 0 { Limits::Everybody } else { Limits::Mine };
    let spaces = Spaces::ask(&asker, None, limits).await?;
    Ok(spaces.findings(context.clock.now(), asker.help))
}

fn of(workspace: &Workspace, grounds: &Grounds) -> Vec<Finding> {
    check::workspace(workspace.container.as_deref().unwrap_or(&workspace.name), grounds)
}

/// What the platform's limit for backups makes of a folder.
async fn limit(workspace: &Workspace, grounds: &Grounds, context: &Context<'_>) -> Option<Finding> {
    let pinned = ground::pinned(context.engine.as_ref(), workspace, grounds).await?;
    let subject = workspace.container.as_deref().unwrap_or(&workspace.name);
    archive::finding(subject, pinned.bytes?, pinned.limit)
}

/// Folders whose last backup is too old, or that have none, where it is known that backups are made here.
async fn due(list: &Gathered, only: Option<&Workspace>, context: &Context<'_>) -> Vec<Finding> {
    let (entries, hidden) = (list.entries.clone(), list.hidden.clone());
    let mut list = Gathered { entries, hidden, ..Gathered::default() };
    let (standing, roots) = context.add_retired(&mut list);
    let wanted = list.entries.iter().filter(|entry| only.is_none_or(|only| only.key == entry.workspace.key));
    let folders = wanted.filter_map(|entry| Some((&entry.workspace.name, backup::folder(entry, &roots)?)));
    let (names, folders): (Vec<_>, Vec<_>) = folders.unzip();
    let Some(Backed { lasts, verb, place }) = lasts(&folders, &standing, context).await else {
        return Vec::new();
    };
    let now = context.clock.now();
    let unread = lasts.unread.map(|error| Finding {
        id: "archives-not-read",
        severity: check::Severity::Warning,
        subject: place.unwrap_or_default().display().to_string(),
        evidence: error.message,
        fix: "make the folder readable, or set another one with `archives` in the settings".into(),
    });
    let all = names.into_iter().zip(lasts.each);
    let found = all
        .filter_map(|(name, last)| due::due(last, now, context.config.overdue_after).finding(name, verb, now));
    found.chain(unread).collect()
}

/// One line that says it all: cron mails it, monitoring shows it.
fn summary(status: &str, findings: &[Finding], workspaces: usize) -> String {
    let noun = if workspaces == 1 { "workspace" } else { "workspaces" };
    let status = status.to_uppercase();
    match findings {
        [] => format!("{status}: {workspaces} {noun} looked at"),
        [first, rest @ ..] => {
            let (subject, evidence) = (printable(&first.subject), printable(&first.evidence));
            let more = if rest.is_empty() { String::new() } else { format!("; {} more", rest.len()) };
            format!("{status}: {subject}: {evidence}{more} ({workspaces} {noun} looked at)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::check::Severity;

    #[test]
    fn one_line_says_how_things_are() {
        assert_eq!(summary("ok", &[], 1), "OK: 1 workspace looked at");
        let finding = Finding {
            id: "x",
            severity: Severity::Critical,
            subject: "p\u{1b}[2J".into(),
            evidence: "nothing is mounted".into(),
            fix: "mount it".into(),
        };
        let line = summary("critical", &[finding.clone(), finding], 3);
        assert_eq!(line, "CRITICAL: p\\u{1b}[2J: nothing is mounted; 1 more (3 workspaces looked at)");
    }
}
