//! `outlast explain [NAME:]PATH`: what becomes of a path, why, and the one command to do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::args::ExplainArgs;
use super::context::Context;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::mount::READ_ONLY;
use crate::core::profile::Violation;
use crate::core::report::{Explain, Head, PathText, SeenIn, Trouble, maps};
use crate::core::subject::Subject;
use crate::core::workspace::Workspace;
use crate::text::{printable, printable_path};
use crate::work::explain::{Explained, command, container_paths, explain, seen_in};
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
}

/// Explains one path.
pub(super) async fn run(args: &ExplainArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let subject = Subject::parse(&args.subject);
    let asked = args.subject.to_string_lossy();
    if subject.path.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
        return Err(Error::new(Kind::Usage, format!("“{asked}” names no path after the colon"))
            .hint(format!("a path inside it: outlast explain {asked}/tmp")));
    }
    let question = match (args.within.clone().or(subject.name), subject.path) {
        (Some(name), Some(path)) => inside(context, &name, path).await?,
        (None, Some(path)) => on_host(context, &path).await?,
        // With `--in`, a bare word is a path.
        (Some(name), None) if args.within.is_some() => inside(context, &name, (&args.subject).into()).await?,
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
    // There is nothing to copy where nothing is.
    let todo = (answer.kind != PathKind::Absent)
        .then(|| command(workspace, &grounds.classifier(), &answer.resolved, verdict, event))
        .flatten();
    if args.json {
        out.json(&report(&question, &answer, todo, context))?;
    } else {
        context.warn(&question.troubles);
        out.lines(lines(&question, &answer, todo.as_deref(), event))?;
    }
    Ok(u8::from(context.denied.is_some()))
}

/// A path inside a named workspace.
async fn inside(context: &Context<'_>, name: &str, path: PathBuf) -> Result<Question> {
    let (workspace, grounds, list) = context.named(name).await?;
    let engine = Arc::clone(&context.engine);
    Ok(Question {
        engine,
        workspace,
        grounds,
        asked: path.clone(),
        path,
        seen_in: Vec::new(),
        troubles: list.troubles,
    })
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
    let places = [Some(asked.clone()), std::fs::canonicalize(&asked).ok()];
    for place in places.into_iter().flatten() {
        let found: Vec<_> = list
            .entries
            .iter()
            .filter(|entry| entry.workspace.container.is_some())
            .filter_map(|entry| Some((&entry.workspace, entry.stands_on()?)))
            .flat_map(|(workspace, grounds)| {
                let places = container_paths(&grounds.detail, &place);
                places.into_iter().map(move |path| (workspace, grounds, path))
            })
            .collect();
        if let Some((workspace, grounds, path)) = there(context, found).await {
            return Ok(Question {
                engine: Arc::clone(&context.engine),
                workspace: workspace.clone(),
                grounds: grounds.clone(),
                path,
                seen_in: seen_in(&place, list.known()),
                asked,
                troubles: list.troubles,
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
    let grounds = ground::stand_under(rules, home, &workspace, detail).await;
    let seen_in = Vec::new();
    Ok(Question { engine, workspace, grounds, path: asked.clone(), asked, seen_in, troubles: list.troubles })
}

fn report(question: &Question, answer: &Explained, command: Option<String>, context: &Context<'_>) -> Explain {
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
        storage: answer.storage,
        read_only: answer.read_only,
        profile: question.grounds.rules.profile.id.clone(),
        profile_why: question.grounds.rules.recognised.words(),
        rule: answer.rule.clone(),
        source: answer.source.clone(),
        violation: answer.violation.map(Violation::key),
        fates,
        why,
        command,
    }
}

fn seen(question: &Question, answer: &Explained) -> Vec<SeenIn> {
    match (&answer.host_path, question.seen_in.is_empty()) {
        (Some(host), true) => seen_in(host, [(&question.workspace, &*question.grounds.detail)].into_iter()),
        _ => question.seen_in.clone(),
    }
}

fn lines(question: &Question, answer: &Explained, command: Option<&str>, event: Event) -> Vec<String> {
    let first = answer.fates.of(event);
    let mut lines = Vec::new();
    let mut sentence =
        format!("{}: {} {}: {}", printable_path(&question.asked), first.verdict().words(), event.if_words(), {
            printable(&first.reason)
        });
    if !first.advice.is_empty() {
        sentence = format!("{sentence}; {}", printable(&first.advice));
    }
    lines.push(sentence);
    if let Some(command) = command {
        lines.push(format!("  {}", printable(command)));
    }
    lines.push(String::new());
    let mut fact = |name: &str, text: &str| lines.push(format!("{name:<12}{text}"));
    let name = question.workspace.container.as_deref().unwrap_or("this machine");
    fact("in", &printable(name));
    if answer.resolved != question.path {
        fact("leads to", &printable_path(&answer.resolved));
    }
    fact("lives on", answer.storage.label());
    if answer.read_only == Some(true) {
        fact("mode", READ_ONLY);
    }
    if let Some(host) = &answer.host_path {
        fact("on the host", &printable_path(host));
    }
    for place in seen(question, answer) {
        fact("seen in", &format!("{}:{}", printable(&place.workspace), printable(&place.path)));
    }
    if answer.kind == PathKind::Absent {
        fact("there now", "nothing");
    }
    if let Some(rule) = &answer.rule {
        fact("rule", &printable(rule));
    }
    if let Some(source) = &answer.source {
        fact("source", &printable(source));
    }
    let rules = &question.grounds.rules;
    fact(
        "platform",
        &format!("{} ({})", printable(&rules.profile.title), printable(&rules.recognised.words())),
    );
    if let Some(violation) = &answer.violation {
        fact("wrong", violation.words());
    }
    for note in &answer.notes {
        fact("note", &printable(note));
    }
    lines.push(String::new());
    let mut table = Table::new(&[("EVENT", Side::Left), ("FATE", Side::Left), ("WHY", Side::Left)]);
    for event in Event::ALL {
        let answer = answer.fates.of(event);
        table.row([event.key().into(), answer.verdict().words(), answer.reason.to_string().into()]);
    }
    lines.extend(table.lines());
    lines
}
