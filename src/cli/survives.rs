//! `outlast survives NAME`: the places of a workspace as a tree, and which of them an event loses.

use super::args::SurvivesArgs;
use super::context::Context;
use super::ls::missed;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::error::{Error, Kind, Result};
use crate::core::event::Event;
use crate::core::mount::READ_ONLY;
use crate::core::places::{Place, PlaceRow, Survives, tree};
use crate::core::report::{Head, Trouble};
use crate::text::{printable, printable_path};
use crate::work::{ground, risk};

/// Files that are kept while their folders are looked for.
const FILES_KEPT: usize = 300;

/// Prints the tree; 1 where not all of it is known.
pub(super) async fn run(args: &SurvivesArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let (workspace, mut grounds, list) = context.named(&args.name).await?;
    let images = list.images.get(&workspace.key.endpoint).map(Vec::as_slice);
    grounds.facts = ground::with_images(grounds.facts, &workspace, images);
    let event = context.event(args.event, Some(&grounds.rules));
    let (engine, clock) = (context.engine.as_ref(), context.clock.as_ref());
    let risk = risk::read(engine, &workspace.key, &grounds, false, FILES_KEPT, clock, &mut |_| {}).await;
    let mut troubles = list.troubles;
    if let Some(reason) = &grounds.detail.mounts_missing {
        let error = Error::new(Kind::Incomplete, format!("not all mounts are known: {reason}"));
        troubles.push(Trouble::new(&workspace.key.endpoint, "mounts", &error));
    }
    troubles.extend(missed(&workspace.key.endpoint, "files", &risk));
    let complete = troubles.is_empty();
    let classifier = grounds.classifier();
    let places = tree(&classifier, risk.as_ref().ok());
    if args.json {
        out.json(&Survives {
            head: Head::new(context.clock.now(), complete, troubles),
            workspace: args.name.clone(),
            endpoint: workspace.key.endpoint.clone(),
            profile: grounds.rules.profile.id.clone(),
            event,
            places: places.iter().map(|place| PlaceRow::of(place, event)).collect(),
        })?;
    } else {
        context.warn(&troubles);
        out.table(&table(&places, event))?;
        let rules = &grounds.rules;
        let why = printable(&rules.recognised.words()).into_owned();
        out.lines([format!("platform: {} ({why})", printable(&rules.profile.title))])?;
    }
    Ok(u8::from(!complete))
}

fn table(places: &[Place<'_>], event: Event) -> Table {
    let heading = event.if_words().to_uppercase();
    let mut table = Table::new(&[
        ("IN CONTAINER", Side::Left),
        ("STORAGE", Side::Left),
        (&heading, Side::Left),
        ("NOTE", Side::Left),
    ]);
    for place in places {
        let note = match place.answer.violation {
            Some(violation) => violation.short(),
            None if place.read_only() => READ_ONLY,
            None => "",
        };
        table.row([
            format!("{}{}", "  ".repeat(place.depth), printable_path(&place.name)).into(),
            place.answer.storage.label().into(),
            place.verdict(event).words(),
            note.into(),
        ]);
    }
    table
}
