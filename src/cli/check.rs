//! `outlast check [NAME]`: what is wrong, in one line for cron and monitoring, then what to do about it.
//!
//! The exit codes are those of monitoring: 0 ok, 1 warning, 2 critical, 3 unknown.

use super::args::CheckArgs;
use super::context::Context;
use super::ls::of_others;
use super::out::Out;
use crate::core::check::{self, Check, Finding};
use crate::core::classify::Grounds;
use crate::core::error::Result;
use crate::core::report::Head;
use crate::core::workspace::Workspace;
use crate::text::printable;
use crate::work::space::{Limits, Spaces};

/// Checks one workspace, or all with the settings and the disks of this machine.
pub(super) async fn run(args: &CheckArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let mut findings: Vec<Finding> = Vec::new();
    let (workspaces, of_hidden, troubles) = if let Some(name) = &args.name {
        let (workspace, grounds, list) = context.named(name).await?;
        findings.extend(of(&workspace, &grounds));
        (1, 0, list.troubles)
    } else {
        let list = context.gather(|_| true).await?;
        let looked_at = list.entries.iter().filter_map(|entry| Some((&entry.workspace, entry.stands_on()?)));
        findings.extend(looked_at.clone().flat_map(|(workspace, grounds)| of(workspace, grounds)));
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
