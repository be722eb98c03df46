//! `outlast quota [PATH]`: which limits on space there are, whose they are, and how near.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::context::Context;
use super::df::{FailOn, tell};
use super::out::Out;
use super::table::{Side, Table};
use crate::core::check::Finding;
use crate::core::error::Result;
use crate::core::quota::{Amount, Counted, Quota, QuotaKind, Reading, Status};
use crate::core::report::Head;
use crate::text::{printable_path, size};
use crate::work::space::{Known, Limits, Spaces};

/// `quota`
#[derive(Args, Debug)]
pub struct QuotaArgs {
    /// Only the file system that this path lies on.
    pub path: Option<PathBuf>,
    /// Everybody's, most used first; only root may ask.
    #[arg(long)]
    pub all_users: bool,
    /// Exit 1 where something is found that is this bad, or worse.
    #[arg(long, value_name = "SEVERITY")]
    pub fail_on: Option<FailOn>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    head: Head,
    quotas: Vec<Entry>,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct Entry {
    kind: QuotaKind,
    subject: String,
    /// The number of the user, group, project or subvolume.
    id: Option<u64>,
    /// Where the file system is mounted.
    filesystem: String,
    /// The folder the limit is on; of a user or group, that of the file system.
    place: String,
    used: Option<u64>,
    soft: Option<u64>,
    hard: Option<u64>,
    percent: Option<u64>,
    /// When the soft limit becomes a hard one, while it is exceeded.
    grace_ends: Option<Timestamp>,
    /// How long writes go on above the soft limit.
    grace_seconds: Option<u64>,
    inodes: Amount,
    /// Whether there is a limit; `null` where nobody here knows.
    limited: Option<bool>,
    status: Status,
    /// The answer in words, where the numbers do not say it all.
    note: Option<String>,
}

/// Lists them; 1 where something could not be asked.
pub(super) async fn run(args: &QuotaArgs, context: &Context<'_>, out: &mut Out) -> Result<u8> {
    let only = args.path.as_deref().map(|path| context.host_path(path)).transpose()?;
    let asker = context.asker()?;
    let limits = if args.all_users { Limits::Everybody } else { Limits::Mine };
    let of_one = only.is_some();
    let spaces = Spaces::ask(&asker, only, limits).await?;
    let now = context.clock.now();
    let findings = spaces.findings(now, asker.help);
    let complete = spaces.troubles.is_empty();
    let code = FailOn::exit_code(args.fail_on, &findings, complete);
    let quotas = spaces.quotas(of_one);
    if args.json {
        let head = Head::new(now, complete, spaces.troubles.clone());
        let quotas = quotas.iter().map(|(known, quota)| entry(known, quota, now)).collect();
        out.json(&Answer { head, quotas, findings })?;
        return Ok(code);
    }
    out.table(&table(&quotas, now))?;
    tell(&findings, out)?;
    context.warn(&spaces.troubles);
    Ok(code)
}

fn entry(known: &Known, quota: &Quota, now: Timestamp) -> Entry {
    let counted = quota.counted().copied().unwrap_or_default();
    let words = quota.words(now);
    Entry {
        kind: quota.kind,
        subject: quota.subject.clone(),
        id: quota.id,
        filesystem: known.disk.target.to_string_lossy().into_owned(),
        place: quota.place.to_string_lossy().into_owned(),
        used: counted.bytes.used,
        soft: counted.bytes.soft,
        hard: counted.bytes.hard,
        percent: counted.bytes.percent(),
        grace_ends: counted.bytes.grace_ends,
        grace_seconds: counted.grace_seconds,
        inodes: counted.inodes,
        limited: quota.limited(),
        status: quota.status(),
        note: (!words.is_empty()).then_some(words),
    }
}

fn table(quotas: &[(&Known, Quota)], now: Timestamp) -> Table {
    let mut table = Table::new(&[
        ("ON", Side::Left),
        ("LIMIT OF", Side::Left),
        ("USED", Side::Right),
        ("SOFT", Side::Right),
        ("HARD", Side::Right),
        ("USE", Side::Right),
        ("INODES", Side::Right),
        ("STATUS", Side::Left),
    ]);
    for (known, quota) in quotas {
        let place = match quota.kind {
            QuotaKind::Project | QuotaKind::Qgroup => &quota.place,
            QuotaKind::User | QuotaKind::Group | QuotaKind::Volume => &known.disk.target,
        };
        let subject = match quota.kind {
            QuotaKind::Volume => "the file system".to_owned(),
            kind => format!("{} {}", kind.word(), quota.subject),
        };
        let mut cells = vec![printable_path(place).into_owned(), subject];
        cells.extend(numbers(&quota.reading));
        let words = quota.words(now);
        cells.push(match (quota.status(), words.is_empty()) {
            (Status::NotEnabled, _) => "not enabled".into(),
            (Status::NotReadable, _) => format!("not readable: {words}"),
            (status, true) => word(status).into(),
            (Status::Ok, false) => words,
            (status, false) => format!("{}: {words}", word(status)),
        });
        table.row(cells.into_iter().map(Into::into));
    }
    table
}

fn numbers(reading: &Reading) -> [String; 5] {
    let Reading::Counted(Counted { bytes, inodes, .. }) = reading else { return Default::default() };
    let limit = |limit: Option<u64>| limit.map_or_else(|| "-".into(), size);
    let share = |percent: Option<u64>| percent.map(|percent| format!("{percent}%")).unwrap_or_default();
    [
        bytes.used.map_or_else(|| "?".into(), size),
        limit(bytes.soft),
        limit(bytes.hard),
        share(bytes.percent()),
        share(inodes.percent()),
    ]
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Notice => "notice",
        Status::Warning => "warning",
        Status::Over => "over",
        Status::NotEnabled => "not enabled",
        Status::NotReadable => "not readable",
    }
}
