//! `outlast profiles`: the platforms that are known.

use serde::Serialize;

use super::Wiring;
use super::args::ProfilesArgs;
use super::out::Out;
use super::table::{Side, Table};
use crate::core::error::Result;
use crate::core::report::Head;
use crate::work::built_in_profiles;

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
}

/// Lists the built-in profiles.
pub(super) fn run(args: &ProfilesArgs, wiring: &Wiring<'_>, out: &mut Out) -> Result<u8> {
    let profiles = built_in_profiles()?;
    if args.json {
        let rows = profiles.into_iter().map(|profile| Row { id: profile.id, title: profile.title });
        let head = Head::new(wiring.clock.now(), true, Vec::new());
        out.json(&Profiles { head, profiles: rows.collect() })?;
        return Ok(0);
    }
    let mut table = Table::new(&[("ID", Side::Left), ("TITLE", Side::Left)]);
    for profile in &profiles {
        table.row([profile.id.as_str().into(), profile.title.as_str().into()]);
    }
    out.table(&table)?;
    Ok(0)
}
