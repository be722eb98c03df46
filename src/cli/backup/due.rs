//! `outlast backup --due`: backs up every workspace whose last backup is too old, says why the others
//! are left alone, and never runs twice at once: for cron and timers.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use super::super::args::BackupArgs;
use super::super::context::Context;
use super::super::interrupt::Interrupt;
use super::super::out::Out;
use super::save::{exists, folder};
use super::{Asked, Body, agree, body, run, tell, troubles};
use crate::core::backup::{Job, Outcome};
use crate::core::error::{Error, Kind, Result};
use crate::core::report::{Head, Trouble};
use crate::core::rules::Rules;
use crate::core::workspace::Owner;
use crate::text::printable;
use crate::work::backup::{self, Candidate, Lasts, Rule, Subject, Turn};
use crate::work::gather::Gathered;
use crate::work::roster::Entry;
use crate::work::{Store, viewer};

/// What only one run does at a time.
const LOCK: &str = "due";

/// What is known of the last backups of folders.
pub(in crate::cli) struct Backed {
    pub(in crate::cli) lasts: Lasts,
    /// What backs up here.
    pub(in crate::cli) verb: &'static str,
    /// Where archives lie.
    pub(in crate::cli) place: Option<PathBuf>,
}

/// When these folders were last backed up; `None` where nothing tells that backups are made here at all.
pub(in crate::cli) async fn lasts(
    folders: &[PathBuf],
    standing: &Rules,
    context: &Context<'_>,
) -> Option<Backed> {
    let covers = context.covers().await;
    let to_a_repository = !covers.is_empty()
        || context.config.backup.repository.is_some()
        || std::env::var_os("OUTLAST_REPOSITORY").is_some();
    let platform = standing.parameters.get("archives").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let place = context.config.archives.clone().or(platform);
    let place = place.and_then(|place| context.host_path(&place).ok());
    if !to_a_repository && place.is_none() {
        return None;
    }
    let archives = place.as_deref().map(|place| (&context.archives, place));
    let lasts = backup::lasts(folders, covers, archives, &context.host).await;
    let verb = if to_a_repository { "backup" } else { "archive" };
    Some(Backed { lasts, verb, place })
}

/// One workspace and what came of it.
struct One<'e> {
    name: String,
    folder: Option<PathBuf>,
    entry: Option<&'e Entry>,
    last: Option<Timestamp>,
    turn: Turn,
    job: Option<Job>,
    ended: Option<Result<Outcome>>,
}

#[derive(Serialize)]
struct Report<'r> {
    #[serde(flatten)]
    head: Head,
    /// `planned`, `done`, `incomplete`, `failed`, `cancelled`, `refused`, or `busy` where another run is at it.
    result: &'static str,
    workspaces: Vec<Row<'r>>,
}

#[derive(Serialize)]
struct Row<'r> {
    workspace: &'r str,
    last_backup: Option<Timestamp>,
    /// `null` where nobody knows.
    due: Option<bool>,
    why: String,
    #[serde(flatten)]
    body: Option<Body<'r>>,
}

/// Backs up what is due; nothing due is no failure.
pub(super) async fn due(args: &BackupArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    if !context.engine.shares_our_disk() {
        return Err(
            Error::new(Kind::NotSupported, "its files are on another machine").hint("run outlast there")
        );
    }
    let _alone = if args.dry_run {
        None
    } else {
        match Store::open(&context.host)?.alone(LOCK)? {
            None => return busy(args, context, out),
            alone => alone,
        }
    };
    let asked = Asked { dry_run: args.dry_run, yes: args.yes, json: args.json };
    let (list, roots) = list(args, context).await?;
    let mut all = turns(args, &list, &roots, context).await?;
    plan(&mut all, args, context).await?;
    let lines = |all: &[One<'_>]| -> Vec<String> {
        all.iter().flat_map(|one| one.lines(context.clock.now())).collect()
    };
    let result = if args.dry_run {
        if !args.json {
            out.lines(lines(&all))?;
        }
        "planned"
    } else {
        let any = all.iter().any(|one| one.job.is_some());
        if any
            && !args.yes
            && let Err(error) = agree(|| lines(&all), asked, out)
        {
            if args.json {
                print(&all, &list.troubles, "refused", context, out)?;
            }
            return Err(error);
        }
        work(&mut all, asked, context, out).await?
    };
    if args.json {
        print(&all, &list.troubles, result, context, out)?;
    } else {
        context.warn(&list.troubles);
    }
    Ok(code(&all, &list.troubles))
}

/// Says that another run is at it, which is no failure of this one.
fn busy(args: &BackupArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    if args.json {
        let head = Head::new(context.clock.now(), true, Vec::new());
        out.json(&Report { head, result: "busy", workspaces: Vec::new() })?;
    } else {
        out.lines(["another run of this goes on, so nothing was begun"])?;
    }
    Ok(0)
}

/// All workspaces, retired ones too. A folder that was named needs none.
async fn list(args: &BackupArgs, context: &Context<'_>) -> Result<(Gathered, Vec<PathBuf>)> {
    if folder(args, context)?.is_some() {
        return Ok((Gathered::default(), Vec::new()));
    }
    let mut list = context.gather(|_| true).await?;
    let (_, roots) = context.add_retired(&mut list);
    Ok((list, roots))
}

/// Who is meant, and whose turn it is.
async fn turns<'e>(
    args: &BackupArgs,
    list: &'e Gathered,
    roots: &[PathBuf],
    context: &Context<'_>,
) -> Result<Vec<One<'e>>> {
    let nobody = Owner::default();
    let named = args.what.as_ref().map(|what| what.to_string_lossy());
    let path = folder(args, context)?;
    let entries: Vec<&Entry> = match (&path, &named) {
        (Some(_), _) => Vec::new(),
        (None, Some(name)) => vec![list.find(name)?],
        (None, None) => list.entries.iter().collect(),
    };
    let of_path = path.iter().map(|path| (name_of(path), Some(path.clone()), None));
    let of_list = entries
        .into_iter()
        .map(|entry| (entry.workspace.name.clone(), backup::folder(entry, roots), Some(entry)));
    let found: Vec<(String, Option<PathBuf>, Option<&Entry>)> = of_path.chain(of_list).collect();

    let places: Vec<PathBuf> = found.iter().filter_map(|(_, folder, _)| folder.clone()).collect();
    let standing = context.profiles.standing(list.rules());
    let backed = lasts(&places, &standing, context).await;
    let mut each = backed.map(|backed| backed.lasts.each).unwrap_or_default().into_iter();
    let mut last = |folder: &Option<PathBuf>| folder.as_ref().and_then(|_| each.next().flatten());
    let lasts: Vec<Option<Timestamp>> = found.iter().map(|(_, folder, _)| last(folder)).collect();

    let candidates: Vec<Candidate<'_>> = found
        .iter()
        .zip(&lasts)
        .map(|((name, folder, entry), last)| Candidate {
            name,
            owner: entry.map_or(&nobody, |entry| &entry.workspace.owner),
            folder: folder.as_deref(),
            unknown: entry.and_then(|entry| entry.grounds.as_ref()?.as_ref().err()),
            last: *last,
        })
        .collect();
    let viewer = viewer(&context.host, &context.profiles, context.engine.endpoint());
    // Who is named is meant, whoever owns it.
    let everybody = args.all_users || named.is_some();
    let rule = Rule {
        after: args.older_than.or(context.config.overdue_after),
        of: (!everybody).then_some(&viewer),
        now: context.clock.now(),
    };
    let jobs = Store::existing(&context.host)?.map(|store| store.jobs());
    let at_work = jobs.map(|jobs| backup::busy(&jobs)).transpose()?.unwrap_or_default();
    let turns = backup::turns(&candidates, &rule, &at_work);
    Ok(found
        .into_iter()
        .zip(lasts)
        .zip(turns)
        .map(|(((name, folder, entry), last), turn)| One {
            name,
            folder,
            entry,
            last,
            turn,
            job: None,
            ended: None,
        })
        .collect())
}

fn name_of(folder: &Path) -> String {
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

/// Plans the job of each whose turn it is.
async fn plan(all: &mut [One<'_>], args: &BackupArgs, context: &Context<'_>) -> Result<()> {
    if !all.iter().any(|one| matches!(one.turn, Turn::Now(_))) {
        return Ok(());
    }
    let chosen = context.repository(&args.repository).await?;
    let exists = exists(context, &chosen).await?;
    let now = context.clock.now();
    for one in all.iter_mut().filter(|one| matches!(one.turn, Turn::Now(_))) {
        let Some(folder) = &one.folder else { continue };
        let standing = one.entry.and_then(|entry| Some((&entry.workspace, entry.stands_on()?)));
        let roots = standing.map(|(_, grounds)| context.profiles.roots(&grounds.rules.profile));
        let roots = roots.unwrap_or_default();
        let subject = match standing {
            Some((workspace, grounds)) => Subject::Workspace { workspace, grounds, roots: &roots, layer: None },
            None => Subject::Folder(folder),
        };
        let host = &context.host;
        one.job = Some(backup::backup(&subject, &chosen, exists, args.verify, args.limit, host, now)?);
    }
    Ok(())
}

/// Does one after the other. Being called off ends them all; a failure ends only its own.
async fn work(all: &mut [One<'_>], asked: Asked, context: &Context<'_>, out: &mut Out) -> Result<&'static str> {
    let mut interrupt = Interrupt::of_one_who_watches()?;
    let jobs = Store::open(&context.host)?.jobs();
    let mut result = "done";
    for one in all {
        if !asked.json {
            out.lines([one.line(context.clock.now())])?;
        }
        let Some(job) = &one.job else { continue };
        let ended = run(job, &jobs, &mut interrupt, context).await;
        let error = match &ended {
            Ok(outcome) => outcome.error.as_ref().map(Error::from),
            Err(error) => Some(error.clone()),
        };
        match (&ended, &error) {
            (Ok(outcome), None) if !asked.json => tell(job, outcome, out)?,
            (_, Some(error)) if error.kind == Kind::Cancelled => return Err(error.clone()),
            (_, Some(error)) => {
                super::super::warn(&format!("{} was not backed up: {}", one.name, error.message));
            }
            _ => {}
        }
        result = match (&ended, error) {
            (_, Some(_)) => "failed",
            (Ok(outcome), None) if outcome.exit_code() != 0 && result == "done" => "incomplete",
            _ => result,
        };
        one.ended = Some(ended);
    }
    Ok(result)
}

impl One<'_> {
    /// What comes of it, in one line.
    fn line(&self, now: Timestamp) -> String {
        format!("{}: {}", printable(&self.name), self.turn.words(now))
    }

    /// The same, and the plan where there is one.
    fn lines(&self, now: Timestamp) -> Vec<String> {
        let mut lines = vec![self.line(now)];
        lines.extend(
            self.job.iter().flat_map(|job| backup::lines(job, &[], now)).map(|line| format!("  {line}")),
        );
        lines
    }

    /// The exit code that it leads to.
    fn code(&self) -> u8 {
        match (&self.turn, &self.ended) {
            (_, Some(Ok(outcome))) => outcome.exit_code(),
            (_, Some(Err(error))) => error.kind.exit_code(),
            (Turn::Unknown(_), None) => 1,
            _ => 0,
        }
    }
}

/// 0 where all went well. What failed for one reason ends with that one's code, other failures with 1.
fn code(all: &[One<'_>], troubles: &[Trouble]) -> u8 {
    let mut codes: Vec<u8> = all.iter().map(One::code).filter(|code| *code != 0).collect();
    codes.extend((!troubles.is_empty()).then_some(1));
    codes.dedup();
    match codes[..] {
        [] => 0,
        [one] => one,
        _ => 1,
    }
}

fn print(
    all: &[One<'_>],
    troubles_before: &[Trouble],
    result: &'static str,
    context: &Context<'_>,
    out: &mut Out,
) -> Result<()> {
    let now = context.clock.now();
    let mut missing = troubles_before.to_vec();
    let mut rows = Vec::new();
    for one in all {
        let outcome = one.ended.as_ref().and_then(|ended| ended.as_ref().ok());
        let error = match &one.ended {
            Some(Err(error)) => Some(error.clone()),
            _ => outcome.and_then(|outcome| outcome.error.as_ref()).map(Error::from),
        };
        if let Turn::Unknown(why) = &one.turn {
            missing.push(Trouble::new("", &one.name, &Error::new(Kind::Incomplete, why.clone())));
        }
        let ended = match (outcome, &one.ended) {
            (Some(outcome), _) => outcome.end.word(),
            (None, Some(_)) => "failed",
            (None, None) => "planned",
        };
        missing.extend(one.job.iter().flat_map(|job| troubles(job, outcome, error.as_ref())));
        rows.push(Row {
            workspace: &one.name,
            last_backup: one.last,
            due: match &one.turn {
                Turn::Now(_) => Some(true),
                Turn::Fresh(_) | Turn::Skipped(_) => Some(false),
                Turn::Unknown(_) => None,
            },
            why: one.turn.words(now),
            body: one.job.as_ref().map(|job| body(job, outcome, ended)),
        });
    }
    out.json(&Report { head: Head::new(now, missing.is_empty(), missing), result, workspaces: rows })
}
