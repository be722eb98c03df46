//! What is measured: starts, an idle time, single keys, held keys.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::process::{memory, used};
use crate::program::{Running, Subject};
use crate::proxy::Proxy;

/// How long a first name may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// After a start, until pictures, sizes and scans are done.
const SETTLE: Duration = Duration::from_secs(5);

/// From a key on: until here it is the reply.
const REPLY: Duration = Duration::from_millis(70);

/// From the reply on: until here it is the detail, then the next key.
const DETAIL: Duration = Duration::from_millis(330);

/// Between two repeats of a held key, as keyboards do.
const REPEAT: Duration = Duration::from_millis(33);

/// Single keys, and repeats of a held one.
const KEYS: u32 = 20;

/// What one program needed.
pub(crate) struct Measured {
    pub(crate) label: &'static str,
    /// Milliseconds to the first byte and to the first name, one for each start.
    pub(crate) starts: Vec<(Option<f64>, Option<f64>)>,
    pub(crate) idle_bytes: Option<f64>,
    pub(crate) idle_cpu: Option<f64>,
    pub(crate) wakes_per_second: Option<f64>,
    pub(crate) idle_requests: Option<f64>,
    pub(crate) rss: Option<f64>,
    pub(crate) rss_anon: Option<f64>,
    pub(crate) rows: Option<f64>,
    pub(crate) key_median: Option<f64>,
    pub(crate) key_max: Option<f64>,
    pub(crate) key_bytes: Option<f64>,
    pub(crate) detail_bytes: Option<f64>,
    pub(crate) held_bytes: Option<f64>,
}

impl Measured {
    /// Nothing measured yet.
    pub(crate) fn of(label: &'static str) -> Self {
        Self {
            label,
            starts: Vec::new(),
            idle_bytes: None,
            idle_cpu: None,
            wakes_per_second: None,
            idle_requests: None,
            rss: None,
            rss_anon: None,
            rows: None,
            key_median: None,
            key_max: None,
            key_bytes: None,
            detail_bytes: None,
            held_bytes: None,
        }
    }
}

/// One start: milliseconds to the first byte and to the first name.
pub(crate) fn measure_start(subject: &Subject, proxy: &Proxy, prefix: &str) -> (Option<f64>, Option<f64>) {
    Running::start(subject, proxy).until_name(prefix, PATIENCE)
}

/// One long run: idle time first, then keys.
pub(crate) fn measure_run(subject: &Subject, proxy: &Proxy, prefix: &str, idle: u64, row: &mut Measured) {
    let running = Running::start(subject, proxy);
    running.until_name(prefix, PATIENCE);
    sleep(SETTLE);
    let (before, bytes, requests, start) =
        (used(running.pid()), running.bytes(), proxy.requests(), Instant::now());
    sleep(Duration::from_secs(idle));
    let (after, seconds) = (used(running.pid()), start.elapsed().as_secs_f64());
    let idle_bytes = (running.bytes() - bytes) as f64;
    row.idle_bytes = Some(idle_bytes);
    row.idle_cpu = Some(after.cpu - before.cpu);
    row.wakes_per_second = Some(after.wakes_since(&before) as f64 / seconds);
    row.idle_requests = Some((proxy.requests() - requests) as f64);
    row.rows = Some(running.rows_with(prefix) as f64);
    let (rss, anon) = memory(running.pid());
    (row.rss, row.rss_anon) = (Some(rss), Some(anon));
    // Bytes that would have come without a key are not the key's.
    let net =
        |bytes: usize, span: Duration| (bytes as f64 - idle_bytes / seconds * span.as_secs_f64()).max(0.0);
    let (mut times, mut replies, mut details) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..KEYS {
        let pressed = running.press("j");
        sleep(REPLY + DETAIL);
        let (first, reply) = running.since(pressed, Duration::ZERO, REPLY);
        let (_, detail) = running.since(pressed, REPLY, REPLY + DETAIL);
        times.extend(first);
        replies.push(net(reply, REPLY));
        details.push(net(detail, DETAIL));
    }
    row.key_max = times.iter().copied().reduce(f64::max);
    row.key_median = median(&mut times);
    row.key_bytes = median(&mut replies);
    row.detail_bytes = median(&mut details);
    let held = running.bytes();
    for _ in 0..KEYS {
        running.press("k");
        sleep(REPEAT);
    }
    sleep(DETAIL);
    row.held_bytes = Some(net(running.bytes() - held, REPEAT * KEYS + DETAIL));
}

/// The middle value; the mean of the two middle ones.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}
