//! `outlast jobs`: jobs that go on or are over, and calling one off.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

use super::super::Wiring;
use super::super::args::JobsArgs;
use super::super::out::Out;
use super::super::table::{Side, Table};
use crate::core::backup::{Outcome, Progress};
use crate::core::error::{Error, Kind, Result};
use crate::core::report::Head;
use crate::text::age;
use crate::work::{JobState, JobView, Store};

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    head: Head,
    jobs: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    id: String,
    verb: &'static str,
    subject: String,
    repository: String,
    user: String,
    made_at: Timestamp,
    /// `waiting`, `running`, `cut_off`, or how it ended.
    state: &'static str,
    progress: Option<Progress>,
    result: Option<Outcome>,
}

/// Lists jobs, or calls one off.
pub(in crate::cli) fn jobs(args: &JobsArgs, wiring: &Wiring<'_>, out: &mut Out) -> Result<u8> {
    let store = Store::existing(&wiring.host)?;
    let jobs = store.as_ref().map(Store::jobs);
    if let Some(id) = &args.cancel {
        let none = || Error::new(Kind::NotFound, "there are no jobs");
        let jobs = jobs.ok_or_else(none)?;
        let view = jobs.find(id)?;
        if !view.is_live() {
            return Err(Error::new(Kind::Conflict, format!("the job {} is over already", view.job.id)));
        }
        jobs.cancel(&view.job.id)?;
        out.lines([format!("called off {}", view.job.id)])?;
        return Ok(0);
    }
    let all = jobs.map_or_else(|| Ok(Vec::new()), |jobs| jobs.all())?;
    let now = wiring.clock.now();
    if args.json {
        let jobs = all.into_iter().map(row).collect();
        out.json(&Listed { head: Head::new(now, true, Vec::new()), jobs })?;
        return Ok(0);
    }
    if all.is_empty() {
        out.lines(["no job yet"])?;
        return Ok(0);
    }
    let columns = [
        ("ID", Side::Left),
        ("BEGUN", Side::Right),
        ("VERB", Side::Left),
        ("OF", Side::Left),
        ("STATE", Side::Left),
    ];
    let mut table = Table::new(&columns);
    for view in &all {
        table.row([
            Cow::from(&view.job.id),
            age(view.job.made_at, now).into(),
            view.job.task.key().into(),
            view.job.task.subject().into(),
            view.words().into(),
        ]);
    }
    out.table(&table)?;
    Ok(0)
}

fn row(view: JobView) -> Row {
    let state = word(&view.state);
    Row {
        verb: view.job.task.key(),
        subject: view.job.task.subject(),
        repository: view.job.repository.url,
        user: view.job.user,
        made_at: view.job.made_at,
        id: view.job.id,
        state,
        progress: view.progress,
        result: match view.state {
            JobState::Over(outcome) => Some(*outcome),
            _ => None,
        },
    }
}

const fn word(state: &JobState) -> &'static str {
    match state {
        JobState::Waiting => "waiting",
        JobState::Running => "running",
        JobState::CutOff => "cut_off",
        JobState::Over(outcome) => outcome.end.word(),
    }
}
