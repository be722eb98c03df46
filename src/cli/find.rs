//! `outlast find NAME-PART`: where files of that name are, and what becomes of each.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::args::FindArgs;
use super::context::Context;
use super::out::Out;
use crate::core::error::{Error, Kind, Result};
use crate::core::found::{FindReport, MatchRow};
use crate::core::report::{Head, PathText, Trouble, maps};
use crate::text::{age, pad, size};
use crate::work::find::{Budget, Match, News, Place, Search, Wanted, this_machine};

/// Columns of the answer; the longer ones push the rest aside.
const ANSWER: usize = 24;

/// What was found so far.
#[derive(Default)]
struct Found {
    matches: Vec<Match>,
    /// Those that are shown last.
    hidden: Vec<Match>,
    troubles: Vec<Trouble>,
}

/// Finds files; 1 where not everything could be read, 130 where it was cancelled.
pub(super) async fn run(args: &FindArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let wanted = Wanted::new(&args.part)?;
    let mut cancel = signal(SignalKind::interrupt())
        .map_err(|error| Error::new(Kind::Failed, format!("no way to be cancelled: {error}")))?;
    let mut found = Found::default();
    let mut printed = Ok(());
    let cancelled = {
        let mut on = |news: News| match news {
            News::Trouble(trouble) => {
                if !args.json {
                    context.warn(std::slice::from_ref(&trouble));
                }
                found.troubles.push(trouble);
            }
            News::Match(file) if file.is_hidden() => found.hidden.push(*file),
            News::Match(file) => {
                if !args.json && printed.is_ok() {
                    printed = out.lines([line(&file, args, context)]);
                }
                found.matches.push(*file);
            }
        };
        tokio::select! {
            searched = search(args, context, &wanted, &mut on) => searched.map(|()| false)?,
            _ = cancel.recv() => true,
        }
    };
    printed?;
    let Found { mut matches, hidden, mut troubles } = found;
    if !args.json {
        out.lines(hidden.iter().map(|file| line(file, args, context)))?;
    }
    matches.extend(hidden);
    if cancelled {
        let error = Error::new(Kind::Cancelled, "cancelled: this is what was found until then");
        troubles.push(Trouble::new(context.endpoint(), "find", &error));
    }
    if args.json {
        let head = Head::new(context.clock.now(), troubles.is_empty(), troubles.clone());
        out.json(&FindReport { head, matches: matches.iter().map(row).collect() })?;
    } else if cancelled {
        context.warn(troubles.last().map(std::slice::from_ref).unwrap_or_default());
    } else if matches.is_empty() {
        out.lines(["no file of that name was found"])?;
    }
    Ok(if cancelled { Kind::Cancelled.exit_code() } else { u8::from(!troubles.is_empty()) })
}

async fn search(
    args: &FindArgs,
    context: &Context<'_>,
    wanted: &Wanted,
    on: &mut impl FnMut(News),
) -> Result<()> {
    let list = context.gather(|_| true).await?;
    let only = args.within.as_ref().map(|name| list.find(name).map(|entry| entry.workspace.key.clone()));
    let only = match (only.transpose(), &context.denied) {
        // It may well be there, behind the engine.
        (Err(_), Some(denied)) => return Err(denied.error.clone()),
        (only, _) => only?,
    };
    let mut known = Vec::new();
    for entry in &list.entries {
        if let Some(grounds) = entry.stands_on() {
            known.push(Arc::new(Place { workspace: entry.workspace.clone(), grounds: grounds.clone() }));
        }
    }
    for trouble in list.troubles {
        on(News::Trouble(trouble));
    }
    let mut places = known.clone();
    let mut owner = None;
    match only {
        Some(key) => places.retain(|place| place.workspace.key == key),
        None => match machine(context).await {
            Ok(place) => owner = place,
            Err(error) => on(News::Trouble(Trouble::new("machine", "folders", &error))),
        },
    }
    let search = Search {
        engine: context.engine.as_ref(),
        places,
        machine: owner,
        host: &context.host,
        folders: context
            .profiles
            .roots(&context.rules.profile)
            .into_iter()
            .chain(context.host.home.clone())
            .collect(),
        known,
        budget: Budget::default(),
    };
    search.run(wanted, on).await;
    Ok(())
}

/// This machine as the owner of its folders; the playground has none.
async fn machine(context: &Context<'_>) -> Result<Option<Arc<Place>>> {
    if context.is_playground() {
        return Ok(None);
    }
    this_machine(context.machine()?.as_ref(), &context.profiles).await
}

fn line(file: &Match, args: &FindArgs, context: &Context<'_>) -> String {
    let event = context.event(args.event, Some(&file.place.grounds.rules));
    let verdict = file.explanation().fates.verdict(event);
    let answer = pad(&format!("{} {}", verdict.words(), event.if_words()), ANSWER);
    let bytes = file.bytes.map_or_else(|| "?".into(), size);
    let changed = file.modified.map_or_else(|| "?".into(), |at| age(at, context.clock.now()));
    let also = match file.also() {
        also if also.is_empty() => String::new(),
        also => format!(" ({})", also.join(", ")),
    };
    format!("{answer}  {bytes:>6}  {changed:>4}  {}{also}", file.whereabouts())
}

fn row(file: &Match) -> MatchRow {
    let explanation = file.explanation();
    let (fates, why) = maps(&explanation.fates);
    let workspace = &file.place.workspace;
    MatchRow {
        workspace: workspace.container.clone(),
        endpoint: workspace.key.endpoint.clone(),
        path: PathText::from(file.path.as_path()),
        host_path: file.host_path.as_ref().map(|path| path.to_string_lossy().into_owned()),
        storage: explanation.storage,
        bytes: file.bytes,
        modified: file.modified,
        fates,
        why,
        seen_in: file.seen_in.clone(),
    }
}
