//! `outlast du [PATH]`: what takes the space in a folder, and which files are large or new.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::Wiring;
use super::args::{DuArgs, SumBy};
use super::context::Context;
use super::interrupt::Interrupt;
use super::out::Out;
use super::progress::Line;
use super::table::{Side, Table};
use crate::core::error::{Error, Kind, Result};
use crate::core::report::{Head, PathText, Trouble};
use crate::core::subject::Subject;
use crate::text::{age, printable, printable_path, size};
use crate::work::du::{Question, Start, Usage, usage};
use crate::work::{self, By, Clock, Disk, EntryKind, Host, Matching, Progress, Row, Sum, Totals, Trait};

/// The exit code of a walk that was told to stop.
const STOPPED: u8 = 130;

#[derive(Serialize)]
struct Du {
    #[serde(flatten)]
    head: Head,
    /// The workspace that the path is inside of; `null` for a path of this host.
    workspace: Option<String>,
    /// How it was walked: `upper` (what was written to the layer alone), `mount`, `proc` (through the
    /// container's process, as memory is); `null` for a path of this host.
    method: Option<&'static str>,
    #[serde(flatten)]
    path: PathText,
    total: Total,
    /// Entries on which something else is mounted; they are not in the total.
    mounts: u64,
    /// When every file was last looked at; folders, and files that are likely to grow, are as of now.
    files_as_of: Option<Timestamp>,
    top: Vec<Entry>,
    /// What all files come to by what `--by` named, the largest first.
    by: Vec<Together>,
    /// The first that could not be read.
    unread: Vec<PathText>,
}

#[derive(Serialize)]
struct Total {
    allocated: u64,
    apparent: u64,
    files: u64,
    dirs: u64,
    errors: u64,
    /// Entries that changed while the walk went on; each is counted with a size that it had.
    changed_while_read: u64,
}

#[derive(Serialize)]
struct Together {
    /// The kind of thing, or the owner's name, or their number where it has none here.
    of: String,
    /// The owner's number.
    uid: Option<u32>,
    #[serde(flatten)]
    total: Total,
    modified: Option<Timestamp>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    path: PathText,
    kind: &'static str,
    #[serde(flatten)]
    total: Total,
    modified: Option<Timestamp>,
    /// One more name of a file that is counted elsewhere.
    counted_elsewhere: bool,
    complete: bool,
}

/// What is walked.
struct Asked {
    start: Start,
    /// The path as it is shown: on this host, or inside the workspace.
    path: PathBuf,
    /// The workspace's name and how it is walked.
    inside: Option<(String, &'static str)>,
}

/// The workspace and path that are meant, where it is no path of this host.
pub(super) fn inside(args: &DuArgs) -> Option<(String, PathBuf)> {
    let Subject { name: Some(name), path: Some(path) } = Subject::parse(args.path.as_os_str()) else {
        return None;
    };
    let is_here = std::fs::symlink_metadata(&args.path).is_ok();
    (!is_here && path.is_absolute()).then_some((name, path))
}

/// Walks a path inside a workspace.
pub(super) async fn run_inside(args: &DuArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let Some((name, path)) = inside(args) else { return Ok(0) };
    let (workspace, grounds, list) = context.named(&name).await?;
    if !args.json {
        context.warn(&list.troubles);
    }
    let found = work::du::inside(context.engine.as_ref(), &workspace, &grounds, &path).await?;
    let shown = workspace.container.clone().unwrap_or_else(|| workspace.name.clone());
    let asked =
        Asked { start: Start::Beneath(found.spot), path: found.path, inside: Some((shown, found.method)) };
    walk(args, &asked, &context.disk, &context.host, context.clock.as_ref(), out).await
}

/// Walks a folder; 1 where some of it could not be read, 130 where it was told to stop.
pub(super) fn run(args: &DuArgs, wiring: &Wiring<'_>, out: &mut Out) -> Result<u8> {
    let path = std::path::absolute(&args.path)
        .map_err(|why| Error::new(Kind::Usage, format!("{}: {why}", args.path.display())))?;
    let asked = Asked { start: Start::Here(path.clone()), path, inside: None };
    let runtime = super::runtime()?;
    let code = runtime.block_on(walk(args, &asked, &wiring.disk, &wiring.host, wiring.clock.as_ref(), out));
    // A disk that does not answer must not keep the program from leaving.
    runtime.shutdown_background();
    code
}

async fn walk(
    args: &DuArgs,
    asked: &Asked,
    disk: &Arc<dyn Disk>,
    host: &Host,
    clock: &dyn Clock,
    out: &mut Out,
) -> Result<u8> {
    let now = clock.now();
    let newer = args.newer.and_then(|span| now.checked_sub(span.length()).ok());
    let matching = (args.larger.is_some() || args.newer.is_some()).then_some(Matching {
        larger: args.larger,
        newer,
        ..Matching::default()
    });
    let by = args.by.map(|by| match by {
        SumBy::Kind => By::Value,
        SumBy::Owner => By::Owner,
    });
    let question = Question { top: args.top, matching, by, fresh: args.fresh };
    let mut line = Line::new();
    let mut interrupt = Interrupt::listen()?;
    let found =
        usage(disk, &asked.start, &question, interrupt.came(), &mut |progress| tell(&mut line, progress)).await;
    line.clear();
    let found = found?;
    let complete = found.progress.finished && found.progress.total.errors == 0;
    let missing = missing(&found);
    if args.json {
        out.json(&report(asked, &found, missing, complete, host, clock.now()))?;
    } else {
        print(asked, &found, &missing, question.matching.is_some(), now, out)?;
        if by.is_some() {
            out.table(&sums(&found.sums, args.top, host, now))?;
        }
    }
    Ok(match (found.stopped, complete) {
        (true, _) => STOPPED,
        (false, complete) => u8::from(!complete),
    })
}

/// Why the total is a lower bound.
fn missing(found: &Usage) -> Vec<String> {
    let cut = match (found.stopped, found.progress.finished) {
        (true, _) => Some("stopped before the end".to_owned()),
        (false, false) => Some("the walk broke off".to_owned()),
        (false, true) => None,
    };
    cut.into_iter().chain(found.progress.gaps.iter().cloned()).collect()
}

fn report(
    asked: &Asked,
    found: &Usage,
    missing: Vec<String>,
    complete: bool,
    host: &Host,
    now: Timestamp,
) -> Du {
    let (root, Usage { progress, rows, sums, .. }) = (asked.path.as_path(), found);
    let together = |sum: &Sum| Together {
        of: work::disk::name(sum.of, host),
        uid: if let Trait::Owner(uid) = sum.of { Some(uid) } else { None },
        total: total(sum.totals),
        modified: sum.newest,
    };
    let troubles = missing.into_iter().map(|gap| Trouble::new("", "du", &Error::new(Kind::Incomplete, gap)));
    let entry = |row: &Row| Entry {
        path: root.join(&row.name).as_path().into(),
        kind: match row.kind {
            EntryKind::File => "file",
            EntryKind::Folder => "folder",
            EntryKind::Link => "link",
            EntryKind::Special => "special",
        },
        total: total(row.totals),
        modified: row.modified,
        counted_elsewhere: row.again,
        complete: !row.growing && row.totals.errors == 0,
    };
    Du {
        head: Head::new(now, complete, troubles.collect()),
        workspace: asked.inside.as_ref().map(|(name, _)| name.clone()),
        method: asked.inside.as_ref().map(|(_, method)| *method),
        path: root.into(),
        total: total(progress.total),
        mounts: progress.mounts,
        files_as_of: progress.read,
        top: rows.iter().map(entry).collect(),
        by: sums.iter().map(together).collect(),
        unread: progress.unread.iter().map(|path| path.as_path().into()).collect(),
    }
}

const fn total(totals: Totals) -> Total {
    let Totals { allocated, apparent, files, dirs, errors, changed } = totals;
    Total { allocated, apparent, files, dirs, errors, changed_while_read: changed }
}

fn print(
    asked: &Asked,
    found: &Usage,
    missing: &[String],
    files_alone: bool,
    now: Timestamp,
    out: &mut Out,
) -> Result<()> {
    let (root, totals) = (asked.path.as_path(), found.progress.total);
    let name = asked.inside.as_ref().map(|(name, _)| format!("{}:", printable(name))).unwrap_or_default();
    let least = if missing.is_empty() { "" } else { ">= " };
    let apparent =
        if totals.alike() { String::new() } else { format!(" ({} apparent)", size(totals.apparent)) };
    out.lines([format!(
        "{name}{}: {least}{}{apparent} in {} and {}",
        printable_path(root),
        size(totals.allocated),
        counted(totals.files, "file"),
        counted(totals.dirs, "folder"),
    )])?;
    out.lines(missing.iter().map(|gap| format!("  missing: {}", printable(gap))))?;
    if let Some(read) =
        found.progress.read.filter(|read| found.progress.as_of.is_some_and(|as_of| *read < as_of))
    {
        let ago = age(read, now);
        out.lines([format!(
            "  note: every file was looked at {ago} ago, and now what changed; --fresh looks at all"
        )])?;
    }
    if found.progress.mounts > 0 {
        out.lines([format!("  note: {} not counted", counted(found.progress.mounts, "other mount"))])?;
    }
    if let Some((_, "upper")) = asked.inside {
        out.lines(["  note: what was written to the writable layer; what the image holds is not counted"])?;
    }
    match totals.changed {
        0 => {}
        1 => out.lines(["  note: 1 entry changed while it was read"])?,
        many => out.lines([format!("  note: {many} entries changed while they were read")])?,
    }
    if !found.sums.is_empty() {
        return Ok(());
    }
    if found.rows.is_empty() {
        let none = if files_alone { "no file matches" } else { "nothing in it" };
        let is_folder = asked.inside.is_some() || root.is_dir();
        let lines = (is_folder && missing.is_empty()).then_some(none);
        return out.lines(lines);
    }
    out.table(&table(&found.rows, now))
}

fn table(rows: &[Row], now: Timestamp) -> Table {
    let both = rows.iter().any(|row| !row.totals.alike());
    let mut columns = vec![("SIZE", Side::Right)];
    columns.extend(both.then_some(("APPARENT", Side::Right)));
    columns.extend([("FILES", Side::Right), ("CHANGED", Side::Right), ("NAME", Side::Left)]);
    let mut table = Table::new(&columns);
    for row in rows {
        let least = if row.growing || row.totals.errors > 0 { ">= " } else { "" };
        let mut cells = vec![format!("{least}{}", size(row.totals.allocated))];
        if both {
            cells.push(if row.totals.alike() { String::new() } else { size(row.totals.apparent) });
        }
        cells.push(if row.kind == EntryKind::Folder { row.totals.files.to_string() } else { String::new() });
        cells.push(row.modified.map_or_else(|| "?".into(), |at| age(at, now)));
        let name = printable_path(Path::new(&row.name));
        cells.push(match row.kind {
            EntryKind::Folder => format!("{name}/"),
            _ if row.again => format!("{name} (counted elsewhere)"),
            _ if row.changed => format!("{name} (changed while read)"),
            _ => name.into_owned(),
        });
        table.row(cells.into_iter().map(Into::into));
    }
    table
}

/// All files put together, the largest first.
fn sums(sums: &[Sum], top: usize, host: &Host, now: Timestamp) -> Table {
    let is_owner = sums.first().is_some_and(|sum| matches!(sum.of, Trait::Owner(_)));
    let what = if is_owner { "OWNER" } else { "KIND" };
    let mut table = Table::new(&[
        ("SIZE", Side::Right),
        ("APPARENT", Side::Right),
        ("FILES", Side::Right),
        ("NEWEST", Side::Right),
        (what, Side::Left),
    ]);
    for sum in sums.iter().take(top) {
        let newest = sum.newest.map_or_else(|| "?".into(), |at| age(at, now));
        let name = work::disk::name(sum.of, host);
        let Totals { allocated, apparent, files, .. } = sum.totals;
        let cells = [size(allocated), size(apparent), files.to_string(), newest, printable(&name).into_owned()];
        table.row(cells.into_iter().map(Into::into));
    }
    table
}

fn counted(many: u64, what: &str) -> String {
    let ending = if many == 1 { "" } else { "s" };
    format!("{many} {what}{ending}")
}

fn tell(line: &mut Line, progress: &Progress) {
    let total = progress.total;
    line.tell(&format!("{} entries, {}", total.files + total.dirs, size(total.allocated)));
}
