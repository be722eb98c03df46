//! `outlast profiles`: the platforms that are known; one of them as a file; a check of a file.

use serde::Serialize;

use super::Wiring;
use super::args::{ProfilesArgs, ProfilesCommand};
use super::out::Out;
use super::table::{Side, Table};
use crate::core::error::{Error, Kind, Result};
use crate::core::report::{Head, Trouble};
use crate::text::printable_path;
use crate::work::load_profile;

#[derive(Serialize)]
struct Profiles {
    #[serde(flatten)]
    head: Head,
    profiles: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    title: String,
    extends: Option<String>,
    file: Option<String>,
    sources: Vec<String>,
}

/// Lists the profiles, prints one, or checks a file; 1 where files were refused.
pub(super) fn run(args: &ProfilesArgs, wiring: &Wiring<'_>, out: &mut Out) -> Result<u8> {
    match &args.what {
        None => list(args, wiring, out),
        Some(ProfilesCommand::Show { name }) => show(name, wiring, out),
        Some(ProfilesCommand::Check { file }) => {
            let known = load_profile(file)?;
            let (profile, file) = (&known.profile, printable_path(file));
            out.lines([format!(
                "{file}: right: {} ({}), {} rules",
                profile.title,
                profile.id,
                profile.rules.len()
            )])?;
            Ok(0)
        }
    }
}

fn list(args: &ProfilesArgs, wiring: &Wiring<'_>, out: &mut Out) -> Result<u8> {
    let collection = (wiring.profiles)()?;
    let code = u8::from(!collection.refused.is_empty());
    if args.json {
        let rows = collection.known.iter().map(|known| Row {
            id: known.profile.id.clone(),
            title: known.profile.title.clone(),
            extends: known.profile.extends.clone(),
            file: known.file.as_ref().map(|file| file.to_string_lossy().into_owned()),
            sources: known.profile.sources.clone(),
        });
        let troubles: Vec<_> =
            collection.refused.iter().map(|error| Trouble::new("", "profiles", error)).collect();
        let head = Head::new(wiring.clock.now(), troubles.is_empty(), troubles);
        out.json(&Profiles { head, profiles: rows.collect() })?;
        return Ok(code);
    }
    for error in &collection.refused {
        super::complain("refused", error);
    }
    let mut table = Table::new(&[("ID", Side::Left), ("TITLE", Side::Left), ("FROM", Side::Left)]);
    for known in &collection.known {
        let from = known.file.as_deref().map_or("built in".into(), printable_path);
        table.row([known.profile.id.as_str().into(), known.profile.title.as_str().into(), from]);
    }
    out.table(&table)?;
    Ok(code)
}

/// Prints the text of a profile: a copy of it, changed, is a profile of one's own.
fn show(name: &str, wiring: &Wiring<'_>, out: &mut Out) -> Result<u8> {
    let collection = (wiring.profiles)()?;
    let Some(known) = collection.known.iter().find(|known| known.profile.id == name) else {
        let ids: Vec<_> = collection.known.iter().map(|known| known.profile.id.as_str()).collect();
        return Err(Error::new(Kind::NotFound, format!("no profile is called “{name}”"))
            .hint(format!("known are {}", ids.join(", "))));
    };
    out.lines(known.text.lines().map(|line| crate::text::printable(line).into_owned()))?;
    Ok(0)
}
