//! `outlast archive`: a folder into an archive as the platform writes them; archives listed, checked and
//! put back.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::agree::ask;
use super::args::{AgreeArgs, ArchiveArgs, ArchiveCommand, UnpackArgs};
use super::context::Context;
use super::folder;
use super::interrupt::Interrupt;
use super::out::Out;
use super::progress::Line;
use super::table::{Side, Table};
use crate::core::archive::Excludes;
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::Plan;
use crate::core::report::{Head, PathText, Trouble};
use crate::core::rules::Rules;
use crate::core::secrets;
use crate::core::surroundings::CACHES;
use crate::text::{age, printable, printable_path, size};
use crate::work::Store;
use crate::work::act::{self, Books};
use crate::work::archive::{self, ArchiveFile, Condition, Missed, RestoreOrder, Restored, Verified, Written};

/// Names that are told on the screen; JSON has them all.
const TOLD: usize = 20;

/// What an act says in JSON.
#[derive(Serialize)]
struct Done<'d> {
    #[serde(flatten)]
    head: Head,
    plan: &'d Plan,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<Made>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored: Option<Back>,
}

#[derive(Serialize)]
struct Made {
    #[serde(flatten)]
    path: PathText,
    bytes: u64,
    files: u64,
    content_bytes: u64,
    skipped: Vec<Skipped>,
    secrets: Vec<Secret>,
    mounts: Vec<PathText>,
    sockets: u64,
}

#[derive(Serialize)]
struct Back {
    #[serde(flatten)]
    path: PathText,
    files: u64,
    bytes: u64,
    skipped: Vec<Skipped>,
    kept_newer: Vec<PathText>,
    replaced: Option<PathText>,
    replaced_files: u64,
}

#[derive(Serialize)]
struct Skipped {
    #[serde(flatten)]
    path: PathText,
    why: String,
}

#[derive(Serialize)]
struct Secret {
    #[serde(flatten)]
    path: PathText,
    kind: Option<&'static str>,
}

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    head: Head,
    archives: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    path: PathText,
    made: Option<Timestamp>,
    bytes: u64,
    source: Option<String>,
    /// `whole`, `damaged` or `not read`.
    condition: &'static str,
    why: Option<String>,
}

#[derive(Serialize)]
struct Checked {
    #[serde(flatten)]
    head: Head,
    #[serde(flatten)]
    path: PathText,
    bytes: u64,
    files: u64,
    content_bytes: u64,
    source: Option<String>,
    outside: Vec<PathText>,
}

/// Runs what was asked for.
pub(super) async fn run(args: &ArchiveArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    match &args.what {
        None => write(args, context, out).await,
        Some(ArchiveCommand::List { dir, all, json }) => list(dir.as_deref(), *all, *json, context, out).await,
        Some(ArchiveCommand::Verify { file, json }) => verify(file, *json, context, out).await,
        Some(ArchiveCommand::Restore(args)) => restore(args, context, out).await,
    }
}

/// Where archives lie: what was said, else the settings, else the platform.
fn place(said: Option<&Path>, rules: &Rules, context: &Context<'_>) -> Result<PathBuf> {
    let platform = rules.parameters.get("archives").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let place = said.map(Path::to_path_buf).or_else(|| context.config.archives.clone()).or(platform);
    let place = place.ok_or_else(|| {
        Error::new(Kind::Usage, "nobody said which folder archives lie in")
            .hint("`--to DIR`, on a disk that outlasts this one")
            .hint("for good: archives = \"DIR\" in the settings; an administrator sets it in [parameters.PROFILE]")
    })?;
    context.host_path(&place)
}

async fn write(args: &ArchiveArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let folder = folder::find(args.subject.as_deref(), context).await?;
    let profile = &folder.rules.profile;
    let caches = CACHES.map(str::to_owned).into_iter().chain(profile.caches.iter().cloned());
    let caches = caches.filter(|_| args.no_caches);
    let patterns = profile.backup_exclude.iter().cloned().chain(args.exclude.iter().cloned()).chain(caches);
    let asked = archive::Asked {
        folder: folder.path.clone(),
        to: place(args.to.as_deref(), &folder.rules, context)?,
        limit: args.limit.or(profile.limits.backup_bytes),
        excludes: Excludes::new(patterns),
        host: context.host.hostname.clone(),
    };
    let mut interrupt = Interrupt::listen()?;
    let mut line = Line::new();
    let (disk, clock) = (&context.disk, context.clock.as_ref());
    let tell = &mut |_, _| line.tell("measuring");
    let prepared = archive::prepare(asked, disk, clock, interrupt.came(), tell).await;
    line.clear();
    let prepared = prepared?;
    let plan = &prepared.plan;
    if args.dry_run {
        return planned(plan, args.json, context, out);
    }
    let said = AgreeArgs { dry_run: false, yes: args.yes, lose_data: false, json: args.json };
    let (store, consent) = (Store::open(&context.host)?, ask(plan, &said, None, context, out)?);
    let file = prepared.order.file.clone();
    let mut line = Line::new();
    let tell = &mut |files, bytes| line.amount(files, bytes);
    let work = archive::write(&context.archives, prepared.order, interrupt.came(), tell);
    let written = act::local(books(&store, context), plan, consent, work).await;
    line.clear();
    let written = written?;
    let code = u8::from(!written.missed.is_empty());
    if args.json {
        let made = Made {
            path: file.as_path().into(),
            bytes: written.bytes,
            files: written.files,
            content_bytes: written.content,
            skipped: skipped(&written.missed),
            secrets: written
                .secrets
                .iter()
                .map(|path| Secret { kind: secrets::kind(path), path: path.as_path().into() })
                .collect(),
            mounts: written.mounts.iter().map(|path| path.as_path().into()).collect(),
            sockets: written.sockets,
        };
        let head = head(&written.missed, "archive", context);
        out.json(&Done { head, plan, result: "done", archive: Some(made), restored: None })?;
        return Ok(code);
    }
    out.lines(words_of_written(&file, &written))?;
    warn_missed(&written.missed);
    Ok(code)
}

fn words_of_written(file: &Path, written: &Written) -> Vec<String> {
    let Written { bytes, files, content, secrets: found, mounts, .. } = written;
    let mut lines = vec![format!(
        "wrote {}: {files} files, {} packed into {}",
        printable_path(file),
        size(*content),
        size(*bytes)
    )];
    if !found.is_empty() {
        lines.push(format!(
            "  note: it holds {} secrets, so only you can read it (mode 600); do not pass it on:",
            found.len()
        ));
        lines.extend(
            found.iter().take(TOLD).map(|path| {
                format!("    {} ({})", printable_path(path), secrets::kind(path).unwrap_or("secret"))
            }),
        );
    }
    lines.extend(mounts.iter().take(TOLD).map(|path| {
        format!("  note: {} is on another disk; its content is not in the archive", printable_path(path))
    }));
    lines
}

/// Names on standard error what is not as it should be.
fn warn_missed(missed: &[Missed]) {
    for one in missed.iter().take(TOLD) {
        super::warn(&format!("{} {}", printable_path(&one.path), one.why));
    }
    if let Some(more) = missed.len().checked_sub(TOLD).filter(|more| *more > 0) {
        super::warn(&format!("and {more} more; --json names all"));
    }
}

fn skipped(missed: &[Missed]) -> Vec<Skipped> {
    missed.iter().map(|one| Skipped { path: one.path.as_path().into(), why: one.why.clone() }).collect()
}

fn head(missed: &[Missed], section: &str, context: &Context<'_>) -> Head {
    let trouble = |count| {
        let error = Error::new(Kind::Incomplete, format!("{count} entries are not as they should be"))
            .hint("`skipped` names them");
        Trouble::new("machine", section, &error)
    };
    let troubles: Vec<_> = (!missed.is_empty()).then(|| trouble(missed.len())).into_iter().collect();
    Head::new(context.clock.now(), troubles.is_empty(), troubles)
}

/// Shows a plan that is not run.
fn planned(plan: &Plan, json: bool, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let now = context.clock.now();
    if json {
        let head = Head::new(now, true, Vec::new());
        out.json(&Done { head, plan, result: "planned", archive: None, restored: None })?;
    } else {
        out.lines(act::plan_lines(plan, now))?;
    }
    Ok(0)
}

fn books<'b>(store: &'b Store, context: &'b Context<'_>) -> Books<'b> {
    Books { store, host: &context.host, clock: context.clock.as_ref() }
}

async fn list(dir: Option<&Path>, all: bool, json: bool, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let rules = folder::find(None, context).await?.rules;
    let folder = place(dir, &rules, context)?;
    let mut interrupt = Interrupt::listen()?;
    let mut line = Line::new();
    let tell = &mut |_, bytes| line.tell(&format!("reading them to their ends: {}", size(bytes)));
    let found = archive::list(&context.archives, &folder, all, interrupt.came(), tell).await;
    line.clear();
    let found = found?;
    let now = context.clock.now();
    let damaged = found.iter().any(|one| matches!(one.condition, Condition::Damaged(_)));
    if json {
        let archives = found.iter().map(row).collect();
        out.json(&Listed { head: Head::new(now, true, Vec::new()), archives })?;
        return Ok(u8::from(damaged));
    }
    if found.is_empty() {
        out.lines([format!("no archives in {}", printable_path(&folder))])?;
        return Ok(0);
    }
    let columns = [
        ("AGE", Side::Right),
        ("SIZE", Side::Right),
        ("STATE", Side::Left),
        ("SOURCE", Side::Left),
        ("FILE", Side::Left),
    ];
    let mut table = Table::new(&columns);
    for one in &found {
        let name = one.file.file_name().map(Path::new).map(printable_path).unwrap_or_default();
        table.row([
            Cow::from(one.made.map_or_else(|| "?".into(), |at| age(at, now))),
            size(one.bytes).into(),
            words(&one.condition).0.into(),
            one.from.as_deref().unwrap_or("not said").into(),
            name.into_owned().into(),
        ]);
    }
    out.table(&table)?;
    for one in &found {
        if let Condition::Damaged(why) = &one.condition {
            super::warn(&format!("{} is damaged: {why}", printable_path(&one.file)));
        }
    }
    if found.iter().any(|one| one.condition == Condition::NotRead) {
        out.lines(["  note: not all were read to their ends in time; --all reads them"])?;
    }
    Ok(u8::from(damaged))
}

fn row(one: &ArchiveFile) -> Row {
    let (condition, why) = words(&one.condition);
    Row {
        path: one.file.as_path().into(),
        made: one.made,
        bytes: one.bytes,
        source: one.from.clone(),
        condition,
        why,
    }
}

fn words(condition: &Condition) -> (&'static str, Option<String>) {
    match condition {
        Condition::Whole => ("whole", None),
        Condition::Damaged(why) => ("damaged", Some(why.clone())),
        Condition::NotRead => ("not read", None),
    }
}

async fn verify(file: &Path, json: bool, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let file = context.host_path(file)?;
    let mut interrupt = Interrupt::listen()?;
    let mut line = Line::new();
    let tell = &mut |files, bytes| line.amount(files, bytes);
    let verified = archive::verify(&context.archives, &file, interrupt.came(), tell).await;
    line.clear();
    let verified = verified?;
    let Verified { files, content, bytes, outside, from } = verified;
    let code = u8::from(!outside.is_empty());
    if json {
        let error = Error::new(Kind::Refused, "names lead out of the folder").hint("do not unpack it");
        let troubles =
            outside.first().map(|_| Trouble::new("machine", "archive", &error)).into_iter().collect();
        out.json(&Checked {
            head: Head::new(context.clock.now(), outside.is_empty(), troubles),
            path: file.as_path().into(),
            bytes,
            files,
            content_bytes: content,
            source: from,
            outside: outside.iter().map(|path| path.as_path().into()).collect(),
        })?;
        return Ok(code);
    }
    let from = from.map(|from| format!(", from {}", printable(&from))).unwrap_or_default();
    out.lines([format!(
        "{} is whole: {files} files, {} packed into {}{from}",
        printable_path(&file),
        size(content),
        size(bytes)
    )])?;
    for path in outside.iter().take(TOLD) {
        super::warn(&format!(
            "{} leads out of the folder; outlast does not restore this archive",
            printable_path(path)
        ));
    }
    Ok(code)
}

async fn restore(args: &UnpackArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let target = context.host_path(&args.dest)?;
    let rules = &context.rules;
    let limit = args.limit.or(rules.profile.limits.backup_bytes);
    let mut order =
        RestoreOrder { file: context.host_path(&args.file)?, target, merge: args.merge, owner: args.owner };
    let plan = &archive::plan_restore(&mut order, limit, context.host.uid, context.clock.as_ref())?;
    if args.dry_run {
        return planned(plan, args.json, context, out);
    }
    let said = AgreeArgs { dry_run: false, yes: args.yes, lose_data: false, json: args.json };
    let (store, consent) = (Store::open(&context.host)?, ask(plan, &said, None, context, out)?);
    let mut interrupt = Interrupt::listen()?;
    let mut line = Line::new();
    let target = order.target.clone();
    let tell = &mut |files, bytes| line.amount(files, bytes);
    let work = archive::restore(&context.archives, order, interrupt.came(), tell);
    let restored = act::local(books(&store, context), plan, consent, work).await;
    line.clear();
    let restored = restored?;
    let code = u8::from(!restored.missed.is_empty());
    if args.json {
        let back = Back {
            path: target.as_path().into(),
            files: restored.files,
            bytes: restored.content,
            skipped: skipped(&restored.missed),
            kept_newer: restored.newer.iter().map(|path| path.as_path().into()).collect(),
            replaced: restored.replaced.as_deref().map(Into::into),
            replaced_files: restored.replaced_files,
        };
        let head = head(&restored.missed, "restore", context);
        out.json(&Done { head, plan, result: "done", archive: None, restored: Some(back) })?;
        return Ok(code);
    }
    out.lines(words_of_restored(&target, &restored))?;
    // What the platform says about the place is worth reading once more.
    out.lines(
        plan.notes
            .iter()
            .filter(|note| note.contains("larger than the limit"))
            .map(|note| format!("  note: {}", printable(note))),
    )?;
    warn_missed(&restored.missed);
    Ok(code)
}

fn words_of_restored(target: &Path, restored: &Restored) -> Vec<String> {
    let shown = printable_path(target);
    let mut lines =
        vec![format!("restored {} files, {}, into {shown}", restored.files, size(restored.content))];
    if !restored.newer.is_empty() {
        lines.push(format!("  note: {} files there are newer or as old, and stayed", restored.newer.len()));
    }
    if let Some(aside) = &restored.replaced {
        lines.push(format!(
            "  note: {} older files were moved to {}",
            restored.replaced_files,
            printable_path(aside)
        ));
    }
    if restored.owners_not_kept {
        lines.push("  note: all files are yours now: only root can give them back to their owners".into());
    }
    lines
}
