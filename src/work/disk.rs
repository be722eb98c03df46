//! A part of a walk, as it is shown to people.

use std::cmp::Reverse;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::du::{Start, open, watch};
use crate::core::ondisk::OnDisk;
use crate::core::report::DiskUse;
use crate::core::value::Value;
use crate::port::{
    Asked, Clock, Disk, EntryKind, Host, Line, Matching, Order, Pace, Progress, Row, Show, Shown, Sum, Trait,
    Walk,
};

/// Files anywhere that are listed at most, the first ones of their order.
pub const MOST: usize = 1_000;

/// Answers what was asked. May take a while where all files are looked at, and look up users' names.
pub fn shown(walk: &dyn Walk, asked: &Asked, host: &Host) -> Shown {
    let total = || {
        let progress = walk.progress();
        (progress.total, !progress.finished)
    };
    match asked.show {
        Show::Entries => {
            let Some(folder) = walk.find(&asked.at) else { return Shown::default() };
            let page = walk.named(folder, &asked.named, asked.order, asked.from, asked.limit);
            let above = Path::new("/").join(&asked.at);
            let lines = page.rows.into_iter().map(|row| line(row, &above)).collect();
            Shown { lines, of: page.of, totals: page.totals, growing: page.growing, there: true }
        }
        Show::Files(having) => {
            let matching = Matching { named: asked.named.clone(), having, ..Matching::default() };
            let rows = walk.files(&matching, asked.order, MOST);
            let of = rows.len();
            let rows = rows.into_iter().skip(asked.from).take(asked.limit);
            let lines = rows.map(|row| line(row, Path::new("/"))).collect();
            let (totals, growing) = total();
            Shown { lines, of, totals, growing, there: true }
        }
        Show::Sums(by) => {
            let mut lines: Vec<Line> = walk.sums(by).iter().map(|sum| sum_line(sum, host)).collect();
            lines.sort_by(|one, other| match asked.order {
                Order::Name => one.row.name.cmp(&other.row.name),
                _ => Reverse(rank(&one.row, asked.order)).cmp(&Reverse(rank(&other.row, asked.order))),
            });
            let of = lines.len();
            let lines = lines.into_iter().skip(asked.from).take(asked.limit).collect();
            let (totals, growing) = total();
            Shown { lines, of, totals, growing, there: true }
        }
    }
}

/// Measures what a workspace has on the disk, one place after the other; `None` where that is nothing.
pub async fn measure(disk: &Arc<dyn Disk>, own: &OnDisk, clock: &dyn Clock) -> Option<DiskUse> {
    if own.is_nothing() {
        return None;
    }
    let (mut bytes, mut complete) = (None, !own.unseen);
    for path in &own.paths {
        let Ok(walk) = open(disk, &Start::Here(path.clone()), false, Pace::Full).await else {
            complete = false;
            continue;
        };
        let stopped = watch(&walk, std::future::pending(), &mut |_| {}).await;
        let Progress { total, finished, .. } = walk.progress();
        bytes = Some(bytes.unwrap_or(0_u64).saturating_add(total.allocated));
        complete &= finished && !stopped && total.errors == 0;
    }
    Some(DiskUse { bytes, complete, as_of: clock.now() })
}

fn line(row: Row, above: &Path) -> Line {
    let value = (row.kind == EntryKind::File).then(|| Value::of(&above.join(&row.name)));
    Line { row, value, sum: None }
}

/// What files that have something in common are called: a kind of thing, or a user (untrusted text).
pub fn name(of: Trait, host: &Host) -> String {
    match of {
        Trait::Value(value) => value.label().to_owned(),
        Trait::Owner(uid) => host.user_name(uid).unwrap_or_else(|| uid.to_string()),
    }
}

fn sum_line(sum: &Sum, host: &Host) -> Line {
    let name = name(sum.of, host);
    let row = Row {
        name: name.into(),
        kind: EntryKind::Folder,
        totals: sum.totals,
        modified: sum.newest,
        owner: None,
        folder: None,
        growing: false,
        again: false,
        changed: false,
    };
    Line { row, value: None, sum: Some(sum.of) }
}

fn rank(row: &Row, order: Order) -> i128 {
    match order {
        Order::Size => row.totals.allocated.into(),
        Order::Count => row.totals.files.into(),
        Order::Age => row.modified.map_or(i64::MIN, Timestamp::as_second).into(),
        Order::Name => 0,
    }
}
