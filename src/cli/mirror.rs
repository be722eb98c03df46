//! `outlast mirror SRC DEST`: what rsync would do is the plan; after yes it does it.

use serde::Serialize;

use super::agree::ask;
use super::args::{AgreeArgs, MirrorArgs};
use super::context::Context;
use super::folder;
use super::interrupt::Interrupt;
use super::out::Out;
use super::progress::Line;
use crate::core::archive::Excludes;
use crate::core::error::{Error, Kind, Result};
use crate::core::mirror::{Place, Preview};
use crate::core::plan::Plan;
use crate::core::report::{Head, PathText, Trouble};
use crate::text::{printable, size};
use crate::work::act::{self, Books};
use crate::work::{Store, mirror};

/// Complaints that are told on the screen; JSON has them all.
const TOLD: usize = 20;

#[derive(Serialize)]
struct Mirrored<'m> {
    #[serde(flatten)]
    head: Head,
    plan: &'m Plan,
    result: &'static str,
    new: u64,
    changed: u64,
    bytes: u64,
    deleted: Vec<PathText>,
}

fn report<'m>(head: Head, plan: &'m Plan, result: &'static str, of: &Preview) -> Mirrored<'m> {
    Mirrored {
        head,
        plan,
        result,
        new: of.new,
        changed: of.content,
        bytes: of.bytes,
        deleted: of.deleted.iter().map(|path| path.as_path().into()).collect(),
    }
}

/// Mirrors a folder; 1 where not all could be done.
pub(super) async fn run(args: &MirrorArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let folder = folder::find(Some(&args.source), context).await?;
    let place = Place::read(&args.dest).ok_or_else(|| {
        Error::new(Kind::Usage, format!("“{}” is no target", printable(&args.dest)))
            .hint("a folder, HOST:PATH or rsync://HOST/MODULE")
    })?;
    let place = match place {
        Place::Here(path) => Place::Here(context.host_path(&path)?),
        away @ Place::Away(_) => away,
    };
    let patterns = folder.rules.profile.backup_exclude.iter().chain(&args.exclude).cloned();
    let excludes = Excludes::new(patterns).patterns().to_vec();
    let asked = mirror::Asked { source: folder.path, place, delete: args.delete, excludes };
    let clock = context.clock.as_ref();
    let mut interrupt = Interrupt::listen()?;
    let mut line = Line::new();
    let prepared = mirror::prepare(asked, clock, interrupt.came(), &mut |_, _| line.tell("looking")).await;
    line.clear();
    let prepared = prepared?;
    let plan = &prepared.plan;
    if args.dry_run || prepared.preview.is_empty() {
        let head = Head::new(clock.now(), true, Vec::new());
        if args.json {
            out.json(&report(head, plan, if args.dry_run { "planned" } else { "done" }, &prepared.preview))?;
        } else if args.dry_run {
            out.lines(act::plan_lines(plan, clock.now()))?;
        } else {
            out.lines(plan.notes.iter().map(|note| printable(note)))?;
        }
        return Ok(0);
    }
    let said = AgreeArgs { dry_run: false, yes: args.yes, lose_data: args.lose_data, json: args.json };
    let (store, consent) = (Store::open(&context.host)?, ask(plan, &said, None, context, out)?);
    let books = Books { store: &store, host: &context.host, clock };
    let mut line = Line::new();
    let tell = &mut |files, bytes| line.amount(files, bytes);
    let work = mirror::run(&prepared, interrupt.came(), tell);
    let done = act::local(books, plan, consent, work).await;
    line.clear();
    let done = done?;
    let code = u8::from(!done.troubles.is_empty());
    if args.json {
        let trouble =
            |line: &String| Trouble::new("machine", "mirror", &Error::new(Kind::Incomplete, line.as_str()));
        let head =
            Head::new(clock.now(), done.troubles.is_empty(), done.troubles.iter().map(trouble).collect());
        out.json(&report(head, plan, "done", &done.did))?;
        return Ok(code);
    }
    let did = &done.did;
    out.lines([format!(
        "mirrored: {} new files, {} changed, {} deleted, {}",
        did.new,
        did.content,
        did.deleted.len(),
        size(did.bytes)
    )])?;
    for line in done.troubles.iter().take(TOLD) {
        super::warn(line);
    }
    Ok(code)
}
