//! Scans for files at risk, asked for or not: which run, which wait, and which workspaces are read
//! again because something stirred.
//!
//! Scans that nobody asked for run one at a time.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::Ports;
use super::effect::send;
use super::live::Live;
use super::msg::Msg;
use crate::core::classify::Grounds;
use crate::core::error::{Error, Kind};
use crate::core::workspace::WsKey;
use crate::work;

/// Scans that run at the same time at most, asked for or not.
const SCANS: usize = 4;
/// Files that the screen keeps of one workspace, the most valuable ones.
const FILES_KEPT: usize = 300;
/// A scan that says nothing for this long is given up.
const SCAN_SILENCE: Duration = Duration::from_secs(30);

/// The scans.
pub(super) struct Scans {
    ports: Ports,
    out: UnboundedSender<Msg>,
    /// Scans waiting for their turn; those that somebody asked for stand first.
    waiting: VecDeque<Wanted>,
    /// Scans that run. What another one of the same workspace still says is dropped.
    running: HashMap<WsKey, Running>,
    /// Workspaces that stirred while they were read.
    again: HashSet<WsKey>,
    /// When the last scan of each began, and how long it took.
    took: HashMap<WsKey, (Timestamp, Duration)>,
    live: Live,
    /// The number of the last one.
    number: u64,
}

/// A scan that waits for its turn.
struct Wanted {
    key: WsKey,
    grounds: Grounds,
    asked: bool,
    /// What is shown stays until it ends, also where it fails.
    quiet: bool,
}

/// A scan that runs.
struct Running {
    number: u64,
    asked: bool,
    quiet: bool,
    began: (Timestamp, Instant),
    task: AbortHandle,
}

impl Scans {
    pub(super) fn new(ports: Ports, out: UnboundedSender<Msg>) -> Self {
        Self {
            live: Live::new(ports.clone(), out.clone()),
            ports,
            out,
            waiting: VecDeque::new(),
            running: HashMap::new(),
            number: 0,
            again: HashSet::new(),
            took: HashMap::new(),
        }
    }

    /// Keeps up with a workspace that was read.
    pub(super) fn follow(&mut self, key: WsKey, grounds: &Grounds) {
        if let Some(&(began, cost)) = self.took.get(&key) {
            self.live.follow(key, grounds, began, cost);
        }
    }

    /// A workspace is gone.
    pub(super) fn end(&mut self, key: &WsKey) {
        self.live.end(key);
        self.took.remove(key);
    }

    /// Whether it is this scan that runs, and not a later one of the same workspace.
    pub(super) fn is_running(&self, key: &WsKey, number: u64) -> bool {
        self.running.get(key).is_some_and(|running| running.number == number)
    }

    /// A scan is over, well or not. Says whether it counts: what comes after a newer one of the same
    /// workspace began does not, and a quiet one that failed leaves what is shown.
    pub(super) fn scanned(&mut self, key: &WsKey, number: u64, well: bool) -> bool {
        if !self.is_running(key, number) {
            return false;
        }
        let quiet = self.running.remove(key).is_some_and(|ran| {
            self.took.insert(key.clone(), (ran.began.0, ran.began.1.elapsed()));
            ran.quiet
        });
        if self.again.remove(key) {
            send(&self.out, Msg::Stirred(key.clone()));
        }
        self.next_scan();
        well || !quiet
    }

    /// Reads a workspace once more because something stirred in it.
    pub(super) fn rescan(&mut self, key: WsKey, grounds: Grounds) {
        if self.running.contains_key(&key) {
            self.again.insert(key);
        } else if !self.waiting.iter().any(|waiting| waiting.key == key) {
            self.want(Wanted { key, grounds, asked: false, quiet: true });
        }
    }

    /// Reads a workspace; whatever read it till now ends.
    pub(super) fn scan(&mut self, key: WsKey, grounds: Grounds, asked: bool) {
        self.want(Wanted { key, grounds, asked, quiet: false });
    }

    fn want(&mut self, wanted: Wanted) {
        self.waiting.retain(|waiting| waiting.key != wanted.key);
        if let Some(old) = self.running.remove(&wanted.key) {
            old.task.abort();
        }
        if wanted.asked {
            self.waiting.push_front(wanted);
        } else {
            self.waiting.push_back(wanted);
        }
        self.next_scan();
    }

    /// Starts what may run now: a few at a time, and one of those that nobody asked for.
    fn next_scan(&mut self) {
        while self.running.len() < SCANS {
            let background = self.running.values().any(|running| !running.asked);
            let Some(next) = self.waiting.pop_front_if(|wanted| wanted.asked || !background) else { return };
            self.number += 1;
            let Wanted { key, asked, quiet, .. } = &next;
            let (key, asked, quiet) = (key.clone(), *asked, *quiet);
            let began = (self.ports.clock.now(), Instant::now());
            let task = self.start(self.number, next);
            self.running.insert(key, Running { number: self.number, asked, quiet, began, task });
        }
    }

    fn start(&self, number: u64, wanted: Wanted) -> AbortHandle {
        let Wanted { key, grounds, asked, quiet } = wanted;
        let (ports, out) = (self.ports.clone(), self.out.clone());
        let task = tokio::spawn(async move {
            let (heard, mut silence) = tokio::sync::watch::channel(());
            let mut progress = |tally| {
                if !quiet {
                    send(&out, Msg::Scanning(key.clone(), number, tally));
                }
                heard.send_replace(());
            };
            let read = work::risk::read(
                ports.engine.as_ref(),
                &key,
                &grounds,
                asked,
                FILES_KEPT,
                ports.clock.as_ref(),
                &mut progress,
            );
            let watchdog = async {
                while timeout(SCAN_SILENCE, silence.changed()).await.is_ok_and(|changed| changed.is_ok()) {}
            };
            let risk = tokio::select! {
                risk = read => risk,
                () = watchdog => Err(Error::new(Kind::TimedOut, "reading its files timed out: the disk does not answer")),
            };
            send(&out, Msg::Scanned(key.clone(), number, risk.map(Arc::new)));
        });
        task.abort_handle()
    }
}
