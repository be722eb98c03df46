//! Keeps up with the files at risk: which workspaces are watched, and how often one is read again.
//!
//! Nothing here asks an engine again and again, and nothing is shown unless something changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::Ports;
use super::msg::Msg;
use crate::core::classify::Grounds;
use crate::core::workspace::{Detail, WsKey};
use crate::work;

/// A workspace is read again for this part of the time at most.
const PART: u32 = 20;
/// And this often at most.
const EVERY: Duration = Duration::from_secs(1);
/// Workspaces that are followed at once; the least recent of more is let go.
const MOST: usize = 512;

/// The workspaces that are watched.
pub(super) struct Live {
    ports: Ports,
    out: UnboundedSender<Msg>,
    follows: HashMap<WsKey, Follow>,
    number: u64,
}

struct Follow {
    detail: Arc<Detail>,
    number: u64,
    /// How long the last scan took, in microseconds.
    cost: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Live {
    pub(super) fn new(ports: Ports, out: UnboundedSender<Msg>) -> Self {
        Self { ports, out, follows: HashMap::new(), number: 0 }
    }

    /// Follows a workspace whose files were read from a moment on, unless it is followed already.
    pub(super) fn follow(&mut self, key: WsKey, grounds: &Grounds, since: Timestamp, cost: Duration) {
        let same =
            |follow: &&Follow| Arc::ptr_eq(&follow.detail, &grounds.detail) && !follow.task.is_finished();
        if let Some(follow) = self.follows.get(&key).filter(same) {
            follow.cost.store(micros(cost), Relaxed);
            return;
        }
        self.end(&key);
        if self.follows.len() >= MOST {
            let oldest = self.follows.iter().min_by_key(|(_, follow)| follow.number);
            if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                self.end(&key);
            }
        }
        self.number += 1;
        let cost = Arc::new(AtomicU64::new(micros(cost)));
        let task = self.task(key.clone(), grounds.clone(), since, Arc::clone(&cost));
        let detail = Arc::clone(&grounds.detail);
        self.follows.insert(key, Follow { detail, number: self.number, cost, task });
    }

    fn task(&self, key: WsKey, grounds: Grounds, since: Timestamp, cost: Arc<AtomicU64>) -> AbortHandle {
        let (ports, out) = (self.ports.clone(), self.out.clone());
        let task = tokio::spawn(async move {
            let mut stirs = work::risk::follow(ports.engine.as_ref(), &key, &grounds, since);
            while stirs.next().await.is_some() {
                if out.send(Msg::Stirred(key.clone())).is_err() {
                    return;
                }
                sleep(Duration::from_micros(cost.load(Relaxed)).saturating_mul(PART).max(EVERY)).await;
            }
        });
        task.abort_handle()
    }

    /// The workspace is gone.
    pub(super) fn end(&mut self, key: &WsKey) {
        if let Some(follow) = self.follows.remove(key) {
            follow.task.abort();
        }
    }
}

fn micros(cost: Duration) -> u64 {
    u64::try_from(cost.as_micros()).unwrap_or(u64::MAX)
}
