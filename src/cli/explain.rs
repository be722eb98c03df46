//! `outlast explain [NAME:]PATH`: what becomes of a path, why, and the one command to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::ExplainArgs;
use super::context::Context;
use super::out::Out;
use crate::core::also::Also;
use crate::core::classify::{Grounds, Origin};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::fate::Basis;
use crate::core::mount::{self, READ_ONLY};
use crate::core::profile::Violation;
use crate::core::report::{Explain, Head, PathText, SeenIn, Trouble, maps};
use crate::core::storage::StorageKind;
use crate::core::subject::Subject;
use crate::core::workspace::Workspace;
use crate::text::{pad, printable, printable_path, width, wrap};
use crate::work::also::also;
use crate::work::explain::{Explained, command, explain, of_the_host, seen_in};
use crate::work::refetch::{Copies, copies};
use crate::work::roster::Entry;
use crate::work::{Engine, PathKind, ground};

/// What the question turned out to be about.
struct Question {
    engine: Arc<dyn Engine>,
    workspace: Workspace,
    grounds: Grounds,
    /// The path inside the workspace.
    path: PathBuf,
    /// The path as it was asked for.
    asked: PathBuf,
    /// Where else the place is seen; filled for host paths at once.
    seen_in: Vec<SeenIn>,
    troubles: Vec<Trouble>,
    /// All that may see the place, too.
    others: Vec<Entry>,
}

/// Explains one path.
pub(super) async fn run(args: &ExplainArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let subject = match &args.within {
        // Whatever it looks like, it is a path of that workspace.
        Some(name) => Subject { name: Some(name.clone()), path: Some((&args.subject).into()) },
        None => Subject::parse(&args.subject),
    };
    let asked = args.subject.to_string_lossy();
    if subject.path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        return Err(Error::new(Kind::Usage, format!("“{asked}” names no path after the colon"))
            .hint(format!("a path inside it: outlast explain {asked}/tmp")));
    }
    let question = match (subject.name, subject.path) {
        (Some(name), Some(path)) => inside(context, &name, path).await?,
        (None, Some(path)) => on_host(context, &path).await?,
        (_, None) => {
            return Err(Error::new(Kind::Usage, format!("“{asked}” names no path"))
                .hint(format!("a path inside it: outlast explain {asked}:/tmp"))
                .hint(format!("a path of this host: outlast explain ./{asked}")));
        }
    };
    let Question { engine, workspace, grounds, path, .. } = &question;
    let event = context.event(args.event, Some(&grounds.rules));
    let answer = explain(engine.as_ref(), workspace, grounds, path).await?;
    let verdict = answer.fates.verdict(event);
    let also = others_say(&question, &answer);
    // There is nothing to copy where nothing is.
    let todo = (answer.kind != PathKind::Absent)
        .then(|| command(workspace, &grounds.classifier(), &answer.resolved, verdict, event))
        .flatten();
    let on_host =
        answer.host_path.clone().or_else(|| workspace.container.is_none().then(|| answer.resolved.clone()));
    let copies = match on_host.filter(|_| !context.is_playground()) {
        Some(on_host) => copies(on_host, &answer.resolved, &grounds.rules).await,
        None => None,
    };
    if args.json {
        out.json(&Explain {
            copies: copies.map(Copies::key),
            ..report(&question, &answer, todo, also, context)
        })?;
    } else {
        context.warn(&question.troubles);
        out.lines(lines(&question, &answer, todo.as_deref(), &also, event, copies))?;
    }
    Ok(u8::from(context.denied.is_some()))
}

/// A path inside a named workspace.
async fn inside(context: &Context<'_>, name: &str, path: PathBuf) -> Result<Question> {
    let (workspace, grounds, mut list) = context.named(name).await?;
    let engine = Arc::clone(&context.engine);
    // Another container may see the same files and lose them.
    if grounds
        .detail
        .mounts
        .iter()
        .any(|mount| mount.host_path.is_some() && mount.storage != StorageKind::WritableLayer)
        && let Ok(closer) = context.gather(|_| true).await
    {
        list = closer;
    }
    Ok(Question {
        engine,
        workspace,
        grounds,
        asked: path.clone(),
        path,
        seen_in: Vec::new(),
        troubles: list.troubles,
        others: list.entries,
    })
}

/// Those that see the same place and answer worse.
fn others_say(question: &Question, answer: &Explained) -> Vec<Also> {
    let Some(host) = &answer.host_path else { return Vec::new() };
    let others =
        question.others.iter().filter_map(|other| Some((&other.workspace, other.stands_on()?.classifier())));
    also(host, (&question.workspace, &answer.resolved), &answer.fates, others)
}

type Place<'l> = (&'l Workspace, &'l Grounds, PathBuf);

/// The first place where the path exists, else the first one at all.
async fn there<'l>(context: &Context<'_>, found: Vec<Place<'l>>) -> Option<Place<'l>> {
    for (workspace, grounds, path) in &found {
        let look = context.engine.look(&workspace.key, &grounds.detail, path).await;
        if look.is_ok_and(|look| !matches!(look.kind, PathKind::Absent | PathKind::Unknown)) {
            return Some((workspace, grounds, path.clone()));
        }
    }
    found.into_iter().next()
}

/// A path of this host: through a workspace that mounts it, else as this machine's own.
async fn on_host(context: &Context<'_>, typed: &Path) -> Result<Question> {
    let asked = context.host_path(typed)?;
    let mut list = context.gather(|_| true).await?;
    // Running workspaces answer better: more of them can be seen.
    list.entries.sort_by_key(|entry| !entry.workspace.state.is_up());
    // The list may name the place itself or where a link leads.
    let real = std::fs::canonicalize(&asked).ok();
    let places = [real, Some(asked.clone())];
    for place in places.into_iter().flatten() {
        let found: Vec<_> = list
            .entries
            .iter()
            .filter(|entry| entry.workspace.container.is_some())
            .filter_map(|entry| Some((&entry.workspace, entry.stands_on()?)))
            .flat_map(|(workspace, grounds)| {
                let places = mount::paths_inside(&grounds.detail.mounts, &place);
                places.into_iter().map(move |path| (workspace, grounds, path))
            })
            .collect();
        // Whoever would lose it answers for it.
        let mut found = found;
        found.sort_by_cached_key(|(_, grounds, path)| {
            std::cmp::Reverse(grounds.classifier().explain(path, Origin::Unknown).fates.severity())
        });
        if let Some((workspace, grounds, path)) = there(context, found).await {
            return Ok(Question {
                engine: Arc::clone(&context.engine),
                workspace: workspace.clone(),
                grounds: grounds.clone(),
                path,
                seen_in: seen_in(&place, list.known()),
                asked,
                troubles: list.troubles,
                others: list.entries,
            });
        }
    }
    let engine = context.machine()?;
    let inventory = engine.inventory().await?;
    let Some(workspace) = inventory.workspaces.into_iter().next() else {
        return Err(Error::new(Kind::NotFound, "this machine cannot be looked at"));
    };
    let detail = engine.detail(&workspace.key).await?;
    let own = context.profiles.rules(&workspace, Some(&detail));
    let rules = if own.recognised.is_certain() { own } else { context.profiles.standing(list.rules()) };
    let home = context.profiles.home.as_deref();
    let mut grounds = of_the_host(ground::stand_under(rules, home, &workspace, detail).await);
    grounds.covers = context.covers().await.of(&grounds).await;
    let (path, seen_in, troubles, others) = (asked.clone(), Vec::new(), list.troubles, Vec::new());
    Ok(Question { engine, workspace, grounds, path, asked, seen_in, troubles, others })
}

fn report(
    question: &Question,
    answer: &Explained,
    command: Option<String>,
    also: Vec<Also>,
    context: &Context<'_>,
) -> Explain {
    let (fates, why) = maps(&answer.fates);
    let workspace = &question.workspace;
    let mut troubles = question.troubles.clone();
    for note in &answer.notes {
        let error = Error::new(Kind::Incomplete, note.clone());
        troubles.push(Trouble::new(&workspace.key.endpoint, "path", &error));
    }
    Explain {
        head: Head::new(context.clock.now(), troubles.is_empty(), troubles),
        workspace: workspace.container.clone(),
        endpoint: workspace.key.endpoint.clone(),
        path: PathText::from(question.asked.as_path()),
        resolved: answer.resolved.to_string_lossy().into_owned(),
        host_path: answer.host_path.as_ref().map(|path| path.to_string_lossy().into_owned()),
        seen_in: seen(question, answer),
        also,
        storage: answer.storage,
        read_only: answer.read_only,
        profile: question.grounds.rules.profile.id.clone(),
        profile_why: question.grounds.rules.recognised.words(),
        rule: answer.rule.clone(),
        source: answer.source.clone(),
        violation: answer.violation.map(Violation::key),
        violation_words: answer.violation.map(Violation::words),
        exists: answer.exists(),
        fates,
        why,
        command,
        copies: None,
    }
}

fn seen(question: &Question, answer: &Explained) -> Vec<SeenIn> {
    match (&answer.host_path, question.seen_in.is_empty()) {
        (Some(host), true) => {
            let own = (&question.workspace, &*question.grounds.detail);
            let others = question.others.iter().filter(|other| other.workspace.key != question.workspace.key);
            let others = others.filter_map(|other| Some((&other.workspace, other.known()?)));
            seen_in(host, std::iter::once(own).chain(others))
        }
        _ => question.seen_in.clone(),
    }
}

/// Columns that the text is made for.
const COLUMNS: usize = 80;
/// Columns of the names of facts.
const NAMES: usize = 13;

fn lines(
    question: &Question,
    answer: &Explained,
    command: Option<&str>,
    also: &[Also],
    event: Event,
    copies: Option<Copies>,
) -> Vec<String> {
    let first = answer.fates.of(event);
    let mut lines = wrap(&sentence(question, answer, event), COLUMNS);
    if let Some(command) = command {
        // Whole, so that it can be copied.
        lines.push(format!("  {}", printable(command)));
    }
    lines.push(String::new());
    let mut fact = |name: &str, text: &str| lines.extend(hanging(&pad(name, NAMES), text));
    let name = question.workspace.container.as_deref().unwrap_or("this machine");
    fact("in", &printable(name));
    if answer.resolved != question.path {
        fact("leads to", &one_word(&printable_path(&answer.resolved)));
    }
    fact("lives on", answer.storage.label());
    if answer.read_only == Some(true) {
        fact("mode", READ_ONLY);
        fact("read-only", "nothing can be saved here");
    }
    if let Some(host) = &answer.host_path {
        fact("on the host", &one_word(&printable_path(host)));
    }
    let elsewhere = question.workspace.container.iter().flat_map(|_| seen(question, answer));
    for place in elsewhere {
        let place = format!("{}:{}", printable(&place.workspace), printable(&place.path));
        fact("seen in", &one_word(&place));
    }
    for other in also {
        fact("but", &printable(&other.words(event)));
    }
    match answer.exists() {
        Some(true) => {}
        Some(false) => fact("there now", "nothing yet"),
        None => fact("there now", "not known"),
    }
    if let Some(copies) = copies {
        fact("copies", &copies.words());
    }
    if let Some(condition) = first.condition_words() {
        fact("condition", &condition);
    }
    if first.basis == Basis::Inferred {
        fact("how sure", "a best guess from inside");
    }
    if let Some(violation) = &answer.violation {
        fact("wrong", violation.words());
    }
    if let Some(rule) = &answer.rule {
        fact("rule", &printable(rule));
    }
    if let Some(source) = &answer.source {
        fact("source", &printable(source));
    }
    fact("platform", &printable(&question.grounds.rules.words()));
    for note in &answer.notes {
        fact("note", &printable(note));
    }
    lines.push(String::new());
    lines.extend(table(answer));
    lines.into_iter().map(|line| line.replace(BLANK, " ")).collect()
}

/// Stands for a blank that no line is broken at.
const BLANK: char = '\u{e000}';

/// A path as one word: its blanks are part of it.
fn one_word(path: &str) -> String {
    path.replace(' ', &BLANK.to_string())
}

/// The answer, why, and what to do, in one sentence.
fn sentence(question: &Question, answer: &Explained, event: Event) -> String {
    let first = answer.fates.of(event);
    let path = one_word(&printable_path(&question.asked));
    let verdict = format!("{} {}", first.verdict().words(), event.if_words());
    let said = match answer.exists() {
        Some(false) => format!("nothing is there yet; what is written there would be {verdict}"),
        _ => verdict,
    };
    let mut sentence = format!("{path}: {said}: {}", printable(&first.reason));
    if !first.advice.is_empty() {
        sentence.push_str("; ");
        sentence.push_str(&printable(&first.advice));
    }
    sentence
}

/// The seven events, each with its fate and the reason.
fn table(answer: &Explained) -> Vec<String> {
    let rows = Event::ALL.map(|event| {
        let answer = answer.fates.of(event);
        (event.key().to_string(), answer.verdict().words().into_owned(), answer.reason.to_string())
    });
    let widest = |cell: fn(&(String, String, String)) -> &String, heading: &str| {
        rows.iter().map(|row| width(cell(row))).max().unwrap_or(0).max(heading.len()) + 2
    };
    let (events, fates) = (widest(|row| &row.0, "EVENT"), widest(|row| &row.1, "FATE"));
    let mut lines = vec![format!("{}{}WHY", pad("EVENT", events), pad("FATE", fates))];
    for (event, fate, why) in &rows {
        let before = format!("{}{}", pad(event, events), pad(fate, fates));
        lines.extend(hanging(&before, &printable(why)));
    }
    lines
}

/// A text behind its name, on further lines below itself. Paths are broken only where they must.
fn hanging(before: &str, says: &str) -> Vec<String> {
    let from = width(before);
    let lines = wrap(says, COLUMNS.saturating_sub(from));
    let lines = if lines.is_empty() { vec![String::new()] } else { lines };
    let indent = " ".repeat(from);
    let with = |(at, line): (usize, String)| format!("{}{line}", if at == 0 { before } else { &indent });
    lines.into_iter().enumerate().map(with).map(|line| line.trim_end().to_string()).collect()
}
