//! Changes as they happen: the engine's events, cut down to those that change what is shown.

use std::sync::Arc;

use futures_util::stream;
use serde::Deserialize;

use crate::core::error::{Error, Kind};
use crate::port::{Tick, WatchStream};

use super::http::{Answer, encoded};
use super::{LIMIT, Link, failure};

/// No event is longer.
const MAX_EVENT: usize = 1 << 20;
/// Other types change nothing that is shown, and Podman's `system` is one that clients stumble over.
const FILTER: &str = r#"{"type":["container","image","volume"]}"#;

/// What counts of an event.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Type", default)]
    kind: String,
    #[serde(rename = "Action", default)]
    action: String,
    #[serde(rename = "Actor", default)]
    actor: Actor,
    #[serde(default)]
    id: String,
}

#[derive(Default, Deserialize)]
struct Actor {
    #[serde(rename = "ID", default)]
    id: String,
}

enum State {
    Start,
    Open { answer: Answer, read: Vec<u8> },
    Over,
}

pub(super) fn stream(link: Arc<Link>) -> WatchStream {
    Box::pin(stream::unfold((link, State::Start), async |(link, state)| match state {
        State::Start => match open(&link).await {
            Ok(answer) => Some((Tick::Live, (link, State::Open { answer, read: Vec::new() }))),
            Err(why) => Some((Tick::Lost(why), (link, State::Over))),
        },
        State::Open { mut answer, mut read } => match next(&link, &mut answer, &mut read).await {
            Ok(tick) => Some((tick, (link, State::Open { answer, read }))),
            Err(why) => Some((Tick::Lost(why), (link, State::Over))),
        },
        State::Over => None,
    }))
}

async fn open(link: &Link) -> Result<Answer, Error> {
    let path = format!("/events?filters={}", encoded(FILTER));
    let answer = link.socket.ask(&path);
    let what = "watching for changes";
    tokio::time::timeout(LIMIT, answer).await.map_err(|_| failure::timed_out(&link.socket, what, LIMIT))?
}

/// Waits for the next event that counts. One that cannot be read is one bad event, no disconnect.
async fn next(link: &Link, answer: &mut Answer, read: &mut Vec<u8>) -> Result<Tick, Error> {
    loop {
        while let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            let text: Vec<u8> = read.drain(..=end).collect();
            if let Some(news) = tick(link, &text) {
                return Ok(news);
            }
        }
        if read.len() > MAX_EVENT {
            read.clear();
        }
        match answer.chunk().await {
            Ok(Some(chunk)) => read.extend_from_slice(&chunk),
            Ok(None) => {
                let message = format!("{} ended the connection", link.socket.title);
                return Err(Error::new(Kind::Unreachable, message)
                    .hint("it was stopped or restarted; connecting again goes on by itself"));
            }
            Err(why) => return Err(failure::from_io(&link.socket, &why)),
        }
    }
}

fn tick(link: &Link, text: &[u8]) -> Option<Tick> {
    let event: Event = serde_json::from_slice(text).ok()?;
    let said = event.action.split(':').next().unwrap_or_default();
    match event.kind.as_str() {
        "container" if changes_a_container(said) => {
            let id = if event.actor.id.is_empty() { event.id } else { event.actor.id };
            Some(Tick::Changed((!id.is_empty()).then(|| link.key(&id))))
        }
        // Mounting a volume comes with every start and stop, which says it already.
        "volume" if matches!(said, "create" | "destroy" | "remove" | "prune") => Some(Tick::Changed(None)),
        "image" if !matches!(said, "save" | "push" | "mount" | "unmount") => Some(Tick::Changed(None)),
        _ => None,
    }
}

/// Docker's and Podman's words for what changes a container's state, name or presence.
fn changes_a_container(action: &str) -> bool {
    matches!(
        action,
        "create"
            | "init"
            | "start"
            | "restart"
            | "stop"
            | "die"
            | "died"
            | "oom"
            | "pause"
            | "unpause"
            | "rename"
            | "update"
            | "destroy"
            | "remove"
            | "cleanup"
            | "prune"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_the_screen_counts() {
        for action in ["start", "die", "destroy", "remove", "rename", "oom"] {
            assert!(changes_a_container(action), "{action}");
        }
        for action in ["exec_create", "exec_die", "top", "attach", "resize", "health_status", "archive-path"] {
            assert!(!changes_a_container(action), "{action}");
        }
    }
}
