//! `outlast du [PATH]`: what takes the space in a folder, and which files are large or new.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::Wiring;
use super::args::DuArgs;
use super::interrupt::Interrupt;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::error::{Error, Kind, Result};
use crate::core::report::{Head, PathText, Trouble};
use crate::text::{age, printable, printable_path, size};
use crate::work::du::{Question, Usage, usage};
use crate::work::{EntryKind, Matching, Progress, Row, Totals};

/// The exit code of a walk that was told to stop.
const STOPPED: u8 = 130;

#[derive(Serialize)]
struct Du {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    path: PathText,
    total: Total,
    /// Entries on which something else is mounted; they are not in the total.
    mounts: u64,
    top: Vec<Entry>,
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

/// Walks a folder; 1 where some of it could not be read, 130 where it was told to stop.
pub(super) fn run(args: &DuArgs, wiring: &Wiring<'_>, out: &mut Out) -> Result<u8> {
    let now = wiring.clock.now();
    let root = std::path::absolute(&args.path)
        .map_err(|why| Error::new(Kind::Usage, format!("{}: {why}", args.path.display())))?;
    let newer = args.newer.and_then(|span| now.checked_sub(span.length()).ok());
    let matching = (args.larger.is_some() || args.newer.is_some()).then_some(Matching {
        larger: args.larger,
        newer,
        ..Matching::default()
    });
    let question = Question { top: args.top, matching };
    let mut line = Line::new();
    let runtime = super::runtime()?;
    let found = runtime.block_on(async {
        let mut interrupt = Interrupt::listen()?;
        usage(&wiring.disk, &root, &question, interrupt.came(), &mut |progress| line.tell(progress)).await
    });
    line.clear();
    // A disk that does not answer must not keep the program from leaving.
    runtime.shutdown_background();
    let found = found.map_err(|error| inside_a_workspace(error, &args.path))?;
    let complete = found.progress.finished && found.progress.total.errors == 0;
    let missing = missing(&found);
    if args.json {
        out.json(&report(&root, &found, missing, complete, wiring.clock.now()))?;
    } else {
        print(&root, &found, &missing, question.matching.is_some(), now, out)?;
    }
    Ok(match (found.stopped, complete) {
        (true, _) => STOPPED,
        (false, complete) => u8::from(!complete),
    })
}

/// Whoever writes `NAME:PATH` means a path inside a workspace.
fn inside_a_workspace(error: Error, path: &Path) -> Error {
    let is_subject = path.to_str().is_some_and(|path| path.contains(":/"));
    if error.kind == Kind::NotFound && is_subject {
        return error.hint("`outlast explain NAME:PATH` says where a path of a workspace is on this host");
    }
    error
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

fn report(root: &Path, found: &Usage, missing: Vec<String>, complete: bool, now: Timestamp) -> Du {
    let Usage { progress, rows, .. } = found;
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
        path: root.into(),
        total: total(progress.total),
        mounts: progress.mounts,
        top: rows.iter().map(entry).collect(),
        unread: progress.unread.iter().map(|path| path.as_path().into()).collect(),
    }
}

const fn total(totals: Totals) -> Total {
    let Totals { allocated, apparent, files, dirs, errors } = totals;
    Total { allocated, apparent, files, dirs, errors }
}

fn print(
    root: &Path,
    found: &Usage,
    missing: &[String],
    files_alone: bool,
    now: Timestamp,
    out: &mut Out,
) -> Result<()> {
    let totals = found.progress.total;
    let least = if missing.is_empty() { "" } else { ">= " };
    let apparent =
        if totals.alike() { String::new() } else { format!(" ({} apparent)", size(totals.apparent)) };
    out.lines([format!(
        "{}: {least}{}{apparent} in {} and {}",
        printable_path(root),
        size(totals.allocated),
        counted(totals.files, "file"),
        counted(totals.dirs, "folder"),
    )])?;
    out.lines(missing.iter().map(|gap| format!("  missing: {}", printable(gap))))?;
    if found.progress.mounts > 0 {
        out.lines([format!("  note: {} not counted", counted(found.progress.mounts, "other mount"))])?;
    }
    if found.rows.is_empty() {
        let none = if files_alone { "no file matches" } else { "nothing in it" };
        let lines = (root.is_dir() && missing.is_empty()).then_some(none);
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
            _ => name.into_owned(),
        });
        table.row(cells.into_iter().map(Into::into));
    }
    table
}

fn counted(many: u64, what: &str) -> String {
    let ending = if many == 1 { "" } else { "s" };
    format!("{many} {what}{ending}")
}

/// One line on standard error that tells how far it is, where somebody watches.
struct Line {
    watched: bool,
    shown: bool,
}

impl Line {
    fn new() -> Self {
        Self { watched: std::io::stderr().is_terminal(), shown: false }
    }

    fn tell(&mut self, progress: &Progress) {
        if self.watched {
            let total = progress.total;
            write_over(&format!("{} entries, {}", total.files + total.dirs, size(total.allocated)));
            self.shown = true;
        }
    }

    fn clear(&self) {
        if self.shown {
            write_over("");
        }
    }
}

fn write_over(text: &str) {
    // The answer does not depend on it.
    let _ = write!(std::io::stderr().lock(), "\r{text}\x1b[K");
}
