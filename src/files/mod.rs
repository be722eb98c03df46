//! Files of this machine: looked at, read, renamed, copied, moved to the trash and back.
//!
//! Every act opens its folder first and works beneath it by handles, so that a folder swapped for a
//! link meanwhile leads nowhere else. Nothing that is there is ever replaced.

mod copy;
mod erase;
mod failure;
mod held;
mod list;
mod moves;
mod rescue;
mod stream;
#[cfg(test)]
mod tests;
mod touch;
mod trash;

use std::io::Read;

use crate::core::error::{Error, Kind, Result};
use crate::core::plan::Verb;
use crate::core::rescue::{Rescue, Rescued};
use crate::core::spot::{FileAct, Identity, Spot};
use crate::port::{Entry, Files, Job, Listing};
use failure::{changed, failed};
use held::Held;

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalFiles;

impl Files for LocalFiles {
    fn entry(&self, spot: &Spot) -> Result<Option<Entry>> {
        held::entry(spot)
    }

    fn list(&self, folder: &Spot, most: usize) -> Result<Listing> {
        list::list(folder, most)
    }

    fn open(&self, file: &Spot) -> Result<Box<dyn Read + Send>> {
        let held = Held::open(file)?;
        let content = held.content().map_err(|why| failed("read", file, why))?;
        Ok(Box::new(content))
    }

    fn count(&self, spot: &Spot, job: &Job) -> Result<(u64, u64)> {
        erase::count(spot, job)
    }

    fn act(&self, verb: Verb, act: &FileAct, job: &Job) -> Result<()> {
        match verb {
            Verb::Rename => moves::rename(act),
            Verb::Trash => trash::put(act),
            Verb::Restore => trash::restore(act),
            Verb::Erase => trash::erase(act, job),
            Verb::Copy => copy::copy(act, job),
            _ => Err(not_ours(verb)),
        }
    }

    fn settle(&self, verb: Verb, act: &FileAct) -> Result<bool> {
        match verb {
            Verb::Rename => moves::arrived(act),
            Verb::Trash => trash::settle_put(act),
            Verb::Restore => trash::settle_restore(act),
            Verb::Erase => trash::settle_erase(act),
            Verb::Copy => copy::settle(act),
            _ => Err(not_ours(verb)),
        }
    }

    fn rescue(&self, what: &Rescue, job: &Job) -> Result<Rescued> {
        rescue::rescue(what, job)
    }

    fn settle_rescue(&self, what: &Rescue) -> Result<()> {
        rescue::settle(what)
    }

    fn touch(&self, spot: &Spot) -> Result<()> {
        touch::touch(spot)
    }

    fn remove(&self, spot: &Spot) -> Result<()> {
        touch::remove(spot)
    }

    fn put_back(&self, new: &Spot, place: &Spot) -> Result<()> {
        moves::put_back(new, place)
    }
}

fn not_ours(verb: Verb) -> Error {
    Error::new(Kind::NotSupported, format!("`{}` is nothing that is done to files", verb.key()))
}

/// Where an act goes.
fn goal(act: &FileAct) -> Result<&Spot> {
    act.to.as_ref().ok_or_else(|| Error::new(Kind::Failed, "the plan does not say where it goes"))
}

/// That an entry is the one that the plan was made for, as it was then.
fn unchanged(act: &FileAct, now: &Identity) -> Result<()> {
    if *now == act.seen { Ok(()) } else { Err(changed(&act.from, "it was changed")) }
}
