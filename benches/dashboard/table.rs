//! The table: one line a figure, one column a program, the ratio to the best of the others last.

use std::fmt::Write as _;

use crate::measure::Measured;
use crate::median_of;

type Figure = (&'static str, bool, fn(&Measured) -> Option<f64>);

/// The figures; `true` where more is better.
const FIGURES: [Figure; 14] = [
    ("first byte, ms", false, |row| median_of(row.starts.iter().map(|(byte, _)| *byte))),
    ("first name, ms", false, |row| median_of(row.starts.iter().map(|(_, name)| *name))),
    ("idle: bytes to the terminal", false, |row| row.idle_bytes),
    ("idle: own CPU, s", false, |row| row.idle_cpu),
    ("idle: wake-ups/s", false, |row| row.wakes_per_second),
    ("idle: requests to the engine", false, |row| row.idle_requests),
    ("key: reply, ms (median)", false, |row| row.key_median),
    ("key: reply, ms (max)", false, |row| row.key_max),
    ("key: bytes of the reply, net", false, |row| row.key_bytes),
    ("key: bytes of the detail, net", false, |row| row.detail_bytes),
    ("20 held keys: bytes, net", false, |row| row.held_bytes),
    ("containers on 40 rows", true, |row| row.rows),
    ("RSS, MiB", false, |row| row.rss),
    ("RssAnon, MiB", false, |row| row.rss_anon),
];

/// All figures of a run as Markdown; the first program is ours.
pub(crate) fn markdown(rows: &[Measured]) -> String {
    let labels: Vec<&str> = rows.iter().map(|row| row.label).collect();
    let mut out = format!("| | {} | to the best other |\n", labels.join(" | "));
    writeln!(out, "|---|{}", "---:|".repeat(rows.len() + 1)).unwrap();
    for (name, more_is_better, figure) in FIGURES {
        let values: Vec<Option<f64>> = rows.iter().map(figure).collect();
        let shown: Vec<String> =
            values.iter().map(|value| value.map_or_else(|| "-".to_owned(), number)).collect();
        let ratio = ratio(&values, more_is_better).unwrap_or_else(|| "-".to_owned());
        writeln!(out, "| {name} | {} | {ratio} |", shown.join(" | ")).unwrap();
    }
    out
}

fn ratio(values: &[Option<f64>], more_is_better: bool) -> Option<String> {
    let (ours, others) = values.split_first()?;
    let ours = (*ours)?;
    let others = others.iter().copied().flatten();
    let best = others.reduce(if more_is_better { f64::max } else { f64::min })?;
    Some(if best == 0.0 { format!("{} to 0", number(ours)) } else { format!("{:.2}", ours / best) })
}

fn number(value: f64) -> String {
    match value {
        whole if whole.fract() == 0.0 || whole >= 100.0 => format!("{whole:.0}"),
        part if part < 1.0 => format!("{part:.2}"),
        part => format!("{part:.1}"),
    }
}
