//! `outlast df [PATH]`: how full the file systems are that matter here, and who is affected.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::context::Context;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::check::{Finding, Severity};
use crate::core::error::Result;
use crate::core::filesystem::Filesystem;
use crate::core::quota::{Answer, Inodes, Space, Status};
use crate::core::report::Head;
use crate::text::{printable, printable_path, size};
use crate::work::space::{Known, Limits, Spaces};

/// `df`
#[derive(Args, Debug)]
pub struct DfArgs {
    /// Only the file system that this path lies on.
    pub path: Option<PathBuf>,
    /// Exit 1 where something is found that is this bad, or worse.
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// From how bad a finding on a script wants to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// 80 % of a limit, and more.
    Notice,
    /// 90 % of a limit, and more.
    Warning,
    /// Only at a limit.
    Critical,
}

impl FailOn {
    /// The exit code: 1 where the answer has gaps, or a finding is as bad.
    pub(super) fn exit_code(wanted: Option<Self>, findings: &[Finding], complete: bool) -> u8 {
        let from = wanted.map(|wanted| match wanted {
            Self::Notice => Severity::Notice,
            Self::Warning => Severity::Warning,
            Self::Critical => Severity::Critical,
        });
        let failed = from.is_some_and(|from| findings.iter().any(|finding| finding.severity >= from));
        u8::from(failed || !complete)
    }
}

#[derive(Serialize)]
struct Df<'s> {
    #[serde(flatten)]
    head: Head,
    filesystems: Vec<Entry<'s>>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Entry<'s> {
    target: String,
    /// Other places where the same is mounted.
    also: Vec<String>,
    source: &'s str,
    filesystem: &'s str,
    kind: &'static str,
    read_only: bool,
    size: Option<u64>,
    used: Option<u64>,
    available: Option<u64>,
    use_percent: Option<u64>,
    inodes: Option<Inodes>,
    inodes_percent: Option<u64>,
    /// It grows as it is filled: its size is no limit.
    elastic: Option<bool>,
    /// `null` where it told nothing.
    status: Option<Status>,
    affects: &'s [String],
    /// Where the engine keeps its images and containers, if on this one.
    engine_root: Option<String>,
    /// Why it told nothing.
    error: Option<String>,
}

/// Lists them; 1 where one gave no answer.
pub(super) async fn run(args: &DfArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let only = args.path.as_deref().map(|path| context.host_path(path)).transpose()?;
    let asker = context.asker()?;
    let spaces = Spaces::ask(&asker, only, Limits::None).await?;
    let now = context.clock.now();
    let findings = spaces.findings(now, asker.help);
    let complete = spaces.troubles.is_empty();
    let code = FailOn::exit_code(args.fail_on, &findings, complete);
    if args.json {
        let head = Head::new(now, complete, spaces.troubles.clone());
        out.json(&Df { head, filesystems: spaces.known.iter().map(entry).collect(), findings })?;
        return Ok(code);
    }
    out.table(&table(&spaces.known))?;
    tell(&findings, out)?;
    context.warn(&spaces.troubles);
    Ok(code)
}

/// What is wrong, and what to do about it, below a table. What gave no answer is told as missing.
pub(super) fn tell(findings: &[Finding], out: &mut Out) -> Result<()> {
    for finding in findings.iter().filter(|finding| finding.id != "disk-not-responding") {
        let severity = finding.severity.word();
        out.lines([format!("{severity}: {}: {}", printable(&finding.subject), printable(&finding.evidence))])?;
        out.lines([format!("  to do: {}", printable(&finding.fix))])?;
    }
    Ok(())
}

fn entry(known: &Known) -> Entry<'_> {
    let disk = &known.disk;
    let space = known.told().map(|told| told.space);
    Entry {
        target: text(&disk.target),
        also: disk.also.iter().map(|path| text(path)).collect(),
        source: &disk.source,
        filesystem: &disk.kind,
        kind: kind(&disk.kind),
        read_only: disk.read_only,
        size: space.map(|space| space.total),
        used: space.map(|space| space.used),
        available: space.map(|space| space.available),
        use_percent: space.and_then(Space::percent),
        inodes: space.and_then(|space| space.inodes),
        inodes_percent: space.and_then(|space| space.inodes?.percent()),
        elastic: space.map(|space| space.elastic),
        status: space.map(Space::status),
        affects: &known.affects,
        engine_root: known.engine_root.as_deref().map(text),
        error: match &disk.answer {
            Answer::Told(_) => None,
            Answer::Silent => Some("not responding".into()),
            Answer::Failed(error) => Some(error.message.clone()),
        },
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Where the bytes are, in a word.
fn kind(filesystem: &str) -> &'static str {
    match (Filesystem::of(filesystem), filesystem) {
        (_, "overlay" | "fuse.fuse-overlayfs") => "layer",
        (Filesystem::Memory, _) => "memory",
        (Filesystem::Network, _) => "network",
        (Filesystem::Disk, _) => "disk",
        (Filesystem::Pseudo | Filesystem::Unclear, _) => "other",
    }
}

fn table(known: &[Known]) -> Table {
    let mut table = Table::new(&[
        ("MOUNTED AT", Side::Left),
        ("SIZE", Side::Right),
        ("USED", Side::Right),
        ("FREE", Side::Right),
        ("USE", Side::Right),
        ("INODES", Side::Right),
        ("KIND", Side::Left),
        ("AFFECTS", Side::Left),
    ]);
    for one in known {
        let disk = &one.disk;
        let mut cells = vec![printable_path(&disk.target).into_owned()];
        let said = match &disk.answer {
            Answer::Told(told) if told.space.elastic => {
                let space = told.space;
                cells.extend(["elastic".into(), size(space.used), String::new(), String::new(), String::new()]);
                "no fixed size".into()
            }
            Answer::Told(told) => {
                let space = told.space;
                let share =
                    |percent: Option<u64>| percent.map(|percent| format!("{percent}%")).unwrap_or_default();
                cells.extend([size(space.total), size(space.used), size(space.available)]);
                cells.extend([share(space.percent()), share(space.inodes.and_then(Inodes::percent))]);
                String::new()
            }
            Answer::Silent | Answer::Failed(_) => {
                cells.extend(std::iter::repeat_n("?".to_owned(), 5));
                if disk.answer == Answer::Silent { "not responding".into() } else { "not readable".to_owned() }
            }
        };
        cells.push(format!("{} ({})", kind(&disk.kind), disk.kind));
        let also = disk.also.iter().map(|path| printable_path(path).into_owned());
        let affects = one.affects.iter().cloned().chain(also);
        let words: Vec<String> =
            Some(said).filter(|said| !said.is_empty()).into_iter().chain(affects).collect();
        cells.push(words.join(", "));
        table.row(cells.into_iter().map(Into::into));
    }
    table
}
