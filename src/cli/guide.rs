//! `outlast guide`: what newcomers are taught, about a workspace or about the platform.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::args::GuideArgs;
use super::context::Context;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::error::Result;
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::lessons::{self, Lessons};
use crate::core::report::{Head, Trouble};
use crate::core::rules::Rules;
use crate::text::{pad, printable, wrap};
use crate::work::ground;

/// Columns that text is broken at.
const COLUMNS: usize = 80;
/// How long finding out which platform this machine is on may take.
const RECOGNISED_WITHIN: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Guide<'l> {
    #[serde(flatten)]
    head: Head,
    workspace: Option<&'l str>,
    profile: &'l str,
    title: &'l str,
    rule: &'l str,
    warning: Option<&'l str>,
    places: Vec<PlaceRow<'l>>,
    events: BTreeMap<Event, EventRow<'l>>,
    words: BTreeMap<&'l str, &'l str>,
    good: &'l [String],
    bad: &'l [String],
    contacts: &'l [String],
}

#[derive(Serialize)]
struct PlaceRow<'l> {
    paths: &'l [String],
    storage: &'l str,
    /// In words, a condition and all.
    fates: BTreeMap<Event, Cow<'static, str>>,
}

#[derive(Serialize)]
struct EventRow<'l> {
    word: Option<&'l str>,
    meaning: &'l str,
}

/// Prints the guide; 1 where a part of the answer is missing.
pub(super) async fn run(args: &GuideArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let (lessons, troubles) = match &args.name {
        Some(name) => {
            let (workspace, grounds, list) = context.named(name).await?;
            (lessons::of_workspace(&workspace.name, &grounds.classifier()), list.troubles)
        }
        None => (lessons::of_platform(&in_force(context).await), Vec::new()),
    };
    let code = u8::from(!troubles.is_empty());
    if args.json {
        out.json(&as_json(&lessons, troubles, context))?;
        return Ok(code);
    }
    context.warn(&troubles);
    for part in [title(&lessons), table(&lessons), words(&lessons), examples(&lessons), contacts(&lessons)] {
        out.lines(part)?;
    }
    Ok(code)
}

/// The profile that was asked for, else the one that this machine gives away, else plain Docker.
async fn in_force(context: &Context<'_>) -> Rules {
    let asked = context.rules.recognised.forced;
    let look = async {
        let machine = context.machine().ok()?;
        let workspace = machine.inventory().await.ok()?.workspaces.into_iter().next()?;
        ground::look(machine.as_ref(), &context.profiles, &workspace).await.ok()
    };
    if !asked && let Ok(Some(grounds)) = tokio::time::timeout(RECOGNISED_WITHIN, look).await {
        return (*grounds.rules).clone();
    }
    context.rules.clone()
}

fn as_json<'l>(lessons: &'l Lessons, troubles: Vec<Trouble>, context: &Context<'_>) -> Guide<'l> {
    let fates = |verdicts: &[(Event, Verdict)]| {
        verdicts.iter().map(|(event, verdict)| (*event, verdict.words())).collect()
    };
    Guide {
        head: Head::new(context.clock.now(), troubles.is_empty(), troubles),
        workspace: lessons.workspace.as_deref(),
        profile: &lessons.profile,
        title: &lessons.title,
        rule: &lessons.rule,
        warning: lessons.warning.as_deref(),
        places: lessons
            .places
            .iter()
            .map(|place| PlaceRow {
                paths: &place.paths,
                storage: place.storage,
                fates: fates(&place.verdicts),
            })
            .collect(),
        events: lessons
            .events
            .iter()
            .map(|word| (word.event, EventRow { word: word.word.as_deref(), meaning: word.meaning }))
            .collect(),
        words: lessons.words.iter().map(|(word, meaning)| (word.as_str(), meaning.as_str())).collect(),
        good: &lessons.good,
        bad: &lessons.bad,
        contacts: &lessons.contacts,
    }
}

fn title(lessons: &Lessons) -> Vec<String> {
    let about = lessons.workspace.as_ref().map(|name| format!("{} on ", printable(name))).unwrap_or_default();
    let mut lines = vec![format!("{about}{}: what lasts", printable(&lessons.title)), String::new()];
    lines.extend(said(&lessons.rule));
    lines.extend(lessons.warning.iter().flat_map(|warning| said(warning)));
    lines.push(String::new());
    lines
}

fn table(lessons: &Lessons) -> Vec<String> {
    let events: Vec<Event> = lessons
        .places
        .first()
        .map_or_else(Vec::new, |place| place.verdicts.iter().map(|(event, _)| *event).collect());
    let heads: Vec<String> = events.iter().map(|event| event.if_words().to_uppercase()).collect();
    let mut columns = vec![("IN CONTAINER", Side::Left), ("STORAGE", Side::Left)];
    columns.extend(heads.iter().map(|head| (head.as_str(), Side::Left)));
    let mut table = Table::new(&columns);
    for place in &lessons.places {
        for path in &place.paths {
            let fates = place.verdicts.iter().map(|(_, verdict)| verdict.words());
            table.row([Cow::from(path), place.storage.into()].into_iter().chain(fates));
        }
    }
    table.lines()
}

fn words(lessons: &Lessons) -> Vec<String> {
    let mut lines = vec![String::new(), "What may happen".into()];
    for word in &lessons.events {
        let own = word.word.as_ref().map(|own| format!("; here: {own}")).unwrap_or_default();
        lines.extend(entry(&word.event.key().replace('_', " "), &format!("{}{own}", word.meaning)));
    }
    lines.extend([String::new(), "Words".into()]);
    for (word, meaning) in &lessons.words {
        lines.extend(entry(word, meaning));
    }
    lines
}

fn examples(lessons: &Lessons) -> Vec<String> {
    let lists =
        [("Good: saved where it is kept", &lessons.good), ("Bad: saved where it is lost", &lessons.bad)];
    let mut lines = Vec::new();
    for (head, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        lines.extend([String::new(), head.into()]);
        lines.extend(list.iter().map(|line| format!("  {}", printable(line))));
    }
    lines
}

fn contacts(lessons: &Lessons) -> Vec<String> {
    let mut lines = vec![String::new(), "Who helps".into()];
    lines.extend(lessons.contacts.iter().map(|contact| format!("  {}", printable(contact))));
    lines
}

/// A word and what it means, broken into lines beside it.
fn entry(word: &str, says: &str) -> Vec<String> {
    const LABEL: usize = 20;
    let parts = wrap(&printable(says), COLUMNS - LABEL - 2);
    let head = |row: usize| if row == 0 { printable(word) } else { Cow::from("") };
    parts.iter().enumerate().map(|(row, part)| format!("  {}{part}", pad(&head(row), LABEL))).collect()
}

fn said(text: &str) -> Vec<String> {
    wrap(&printable(text), COLUMNS)
}
