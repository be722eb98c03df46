//! `outlast git`: how every project stands with git. `outlast git-init`: a project put under git.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::agree::ask;
use super::args::{AgreeArgs, GitArgs, GitInitArgs};
use super::context::Context;
use super::folder;
use super::interrupt::Interrupt;
use super::out::Out;
use super::progress::Line;
use super::table::{Side, Table};
use crate::core::check::Severity;
use crate::core::error::{Error, Kind, Result};
use crate::core::habits::{Git, GitState, Remotes, Standing};
use crate::core::plan::Plan;
use crate::core::report::{Head, PathText, Trouble};
use crate::text::{printable, printable_path};
use crate::work::act::{self, Books};
use crate::work::{Store, gather, git_init, habits};

#[derive(Serialize)]
struct Listed<'l> {
    #[serde(flatten)]
    head: Head,
    projects: Vec<Row<'l>>,
}

#[derive(Serialize)]
struct Row<'l> {
    name: &'l str,
    #[serde(flatten)]
    path: PathText,
    state: Standing,
    severity: Option<Severity>,
    remote: Option<&'static str>,
    unpushed: Option<u64>,
    uncommitted: Option<u64>,
    untracked: Option<u64>,
    too_large: Option<u64>,
    why: Option<String>,
}

#[derive(Serialize)]
struct Begun<'b> {
    #[serde(flatten)]
    head: Head,
    plan: &'b Plan,
    result: &'static str,
    files: Vec<PathText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    pushed: bool,
}

/// Prints how projects stand; 1 where one could not be read.
pub(super) async fn list(args: &GitArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let mut projects = Vec::new();
    if let Some(subject) = &args.subject {
        let folder = folder::find(Some(subject), context).await?;
        let name = folder.path.file_name().unwrap_or(OsStr::new("/")).to_string_lossy().into_owned();
        projects.push((name, folder.path));
    } else {
        let mut list = context.gather(|_| true).await?;
        let (_, roots) = context.add_retired(&mut list);
        for entry in &list.entries {
            projects
                .extend(gather::folder_of(entry, &roots).map(|folder| (entry.workspace.name.clone(), folder)));
        }
    }
    let mut found = Vec::new();
    for (name, folder) in projects {
        let git = habits::repository(&context.host, &folder).await;
        found.push((name, folder, git));
    }
    let unread = found.iter().filter(|(.., git)| Standing::of(git) == Standing::NotKnown).count();
    let code = u8::from(unread > 0);
    let rows = found.iter().map(|(name, folder, git)| row(name, folder, git));
    if args.json {
        let error = Error::new(Kind::Incomplete, format!("{unread} repositories could not be read"));
        let troubles: Vec<_> =
            (unread > 0).then(|| Trouble::new("machine", "git", &error)).into_iter().collect();
        let head = Head::new(context.clock.now(), troubles.is_empty(), troubles);
        out.json(&Listed { head, projects: rows.collect() })?;
        return Ok(code);
    }
    if found.is_empty() {
        out.lines(["no project has a folder on this machine"])?;
        return Ok(0);
    }
    let mut table = Table::new(&[
        ("NAME", Side::Left),
        ("STATE", Side::Left),
        ("REMOTE", Side::Left),
        ("UNPUSHED", Side::Right),
        ("UNCOMMITTED", Side::Right),
        ("NEW", Side::Right),
        ("TOO LARGE", Side::Right),
    ]);
    for row in rows {
        let number =
            |number: Option<u64>| Cow::from(number.map_or_else(|| "?".into(), |number| number.to_string()));
        let none = row.state == Standing::NoRepository;
        let cell = |value: Option<u64>| if none { Cow::from("") } else { number(value) };
        table.row([
            Cow::from(row.name),
            match row.severity {
                Some(Severity::Critical) => format!("{}!", row.state.words()).into(),
                _ => row.state.words().into(),
            },
            row.remote.unwrap_or("").into(),
            cell(row.unpushed),
            cell(row.uncommitted),
            cell(row.untracked),
            cell(row.too_large),
        ]);
    }
    out.table(&table)?;
    for (name, _, git) in &found {
        if let Git::NotRead(why) = git {
            super::warn(&format!("{name}: {why}"));
        }
    }
    Ok(code)
}

fn row<'l>(name: &'l str, folder: &Path, git: &Git) -> Row<'l> {
    let state = Standing::of(git);
    let read: Option<&GitState> = match git {
        Git::Read(read) => Some(read),
        _ => None,
    };
    Row {
        name,
        path: folder.into(),
        state,
        severity: state.severity(),
        remote: read.map(|read| match read.remotes {
            Remotes::None => "none",
            Remotes::Here => "this machine",
            Remotes::Away => "elsewhere",
        }),
        unpushed: read.map(|read| read.unpushed),
        uncommitted: read.map(|read| read.uncommitted),
        untracked: read.and_then(|read| read.untracked).map(|new| new.files),
        too_large: read.and_then(|read| read.large.as_ref()).map(|large| large.len() as u64),
        why: match git {
            Git::NotRead(why) => Some(why.clone()),
            Git::NotInstalled => Some("git is not installed here".into()),
            _ => None,
        },
    }
}

/// Puts a project under git.
pub(super) async fn init(args: &GitInitArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let folder = folder::find(args.subject.as_deref(), context).await?.path;
    let clock = context.clock.as_ref();
    let prepared = git_init::prepare(&folder, args.remote.clone(), args.push, &context.host, clock).await?;
    let plan = prepared.plan.clone();
    let files: Vec<PathText> = prepared.files.iter().map(|file| file.as_path().into()).collect();
    let now = clock.now();
    if args.dry_run {
        if args.json {
            let head = Head::new(now, true, Vec::new());
            out.json(&Begun { head, plan: &plan, result: "planned", files, commit: None, pushed: false })?;
        } else {
            out.lines(act::plan_lines(&plan, now))?;
        }
        return Ok(0);
    }
    let said = AgreeArgs { dry_run: false, yes: args.yes, lose_data: false, json: args.json };
    let (store, consent) = (Store::open(&context.host)?, ask(&plan, &said, None, context, out)?);
    let books = Books { store: &store, host: &context.host, clock };
    let mut interrupt = Interrupt::listen()?;
    let mut line = Line::new();
    let tell = &mut |_, _| line.tell("working");
    let work = git_init::run(Arc::new(prepared), interrupt.came(), tell);
    let done = act::local(books, &plan, consent, work).await;
    line.clear();
    let done = done?;
    if args.json {
        let head = Head::new(clock.now(), true, Vec::new());
        let commit = Some(done.commit);
        out.json(&Begun { head, plan: &plan, result: "done", files, commit, pushed: done.pushed })?;
        return Ok(0);
    }
    let pushed = if done.pushed { ", and pushed" } else { "" };
    let commit = done.commit.get(..10).unwrap_or(&done.commit);
    out.lines([format!(
        "{} is under git: {} files in commit {}{pushed}",
        printable_path(&folder),
        files.len(),
        printable(commit)
    )])?;
    Ok(0)
}
