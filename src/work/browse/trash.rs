//! What the trash holds: listed with its age, and found by its id.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::core::error::{Error, Kind, Result};
use crate::core::spot::Trashed;
use crate::port::Files;
use crate::store::Store;
use crate::text::printable_path;
use crate::work::act::files::on_disk;

/// Something in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// What is remembered of it.
    pub record: Trashed,
    /// Whether it is still there; `None` where nobody could look.
    pub there: Option<bool>,
}

/// All that is in the trash, the oldest first.
pub async fn list(files: &Arc<dyn Files>, store: &Store) -> Result<Vec<Thing>> {
    let records = store.trash().list()?;
    on_disk(files, move |files| {
        let look = |record: Trashed| {
            let there = files.entry(&record.now).ok().map(|entry| entry.is_some());
            Thing { record, there }
        };
        Ok(records.into_iter().map(look).collect())
    })
    .await
}

/// The one thing that an id, or the beginning of one, means.
pub fn find<'t>(things: &'t [Thing], id: &str) -> Result<&'t Thing> {
    let exact = things.iter().find(|thing| thing.record.id == id);
    let mut begun = things.iter().filter(|thing| !id.is_empty() && thing.record.id.starts_with(id));
    match (exact, begun.next(), begun.next()) {
        (Some(thing), ..) | (None, Some(thing), None) => Ok(thing),
        (None, Some(one), Some(other)) => {
            let error = Error::new(Kind::Usage, format!("“{id}” could be several things in the trash"));
            let named =
                |thing: &Thing| format!("{}: {}", thing.record.id, printable_path(&thing.record.from.full()));
            Err(error.hint(named(one)).hint(named(other)))
        }
        (None, None, _) => Err(Error::new(Kind::NotFound, format!("nothing in the trash is called “{id}”"))
            .hint("`outlast trash` lists what there is")),
    }
}

/// Those that are in the trash for at least so long.
pub fn older(things: Vec<Thing>, than: SignedDuration, now: Timestamp) -> Vec<Thing> {
    things.into_iter().filter(|thing| now.duration_since(thing.record.at) >= than).collect()
}
