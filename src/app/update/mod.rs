//! The pure heart of the loop: a message changes the state and asks for commands.
//!
//! Never awaits, never reads a clock, never touches a port, never draws.

mod answers;
mod backups;
mod browse;
mod disk;
mod explain;
mod find;
mod habits;
mod help;
mod jobs;
mod keys;
mod lifecycle;
mod places;
mod retired;
mod stock;
mod stop_or_start;
mod tour;
mod verbs;
mod view;
mod what_if;
mod whole;

use super::edit::Editor;
use super::msg::{Cmd, Msg};
use crate::core::workspace::WsKey;
use crate::model::{LinkState, Model};

/// What the loop keeps: what is drawn, and the line being edited.
#[derive(Debug)]
pub struct State {
    /// What is drawn.
    pub model: Model,
    /// The line being edited: the filter, the name a plan asks for, or the name of a file to find.
    editor: Option<Editor>,
    /// What the filter was before it was edited, for Esc.
    filter_before: String,
    /// The workspace whose files are read once more before its plan is shown.
    plan_for: Option<WsKey>,
    /// Whether the person picked the event that is shown.
    event_picked: bool,
    /// What the last search by name found.
    finding: find::Finding,
    /// The number of the last folder that was asked for.
    browsing: u64,
    /// The number of the last question about a file.
    asking: u64,
    /// What a line is being typed for, on the page Browse.
    asked: Option<browse::Asked>,
    /// Whether the folders on this machine were looked at since the last list.
    folders_asked: bool,
    /// Places that wait for being walked, as it was last said.
    queued: Vec<std::path::PathBuf>,
}

impl State {
    /// A state around a model.
    pub fn new(model: Model) -> Self {
        Self {
            model,
            editor: None,
            filter_before: String::new(),
            plan_for: None,
            event_picked: false,
            finding: find::Finding::default(),
            browsing: 0,
            asking: 0,
            asked: None,
            folders_asked: false,
            queued: Vec::new(),
        }
    }

    /// Takes one message.
    pub fn update(&mut self, msg: Msg) -> Vec<Cmd> {
        let before = self.attended();
        let on_tour = self.before(&msg);
        let mut cmds = self.take(msg);
        if let Some(on_tour) = on_tour {
            self.follow(&on_tour);
        }
        // Whatever moved the selection, the detail follows it.
        if self.attended() != before && !cmds.contains(&Cmd::Settle) {
            cmds.push(Cmd::Settle);
        }
        cmds.extend(self.disk_wants());
        cmds
    }

    fn take(&mut self, msg: Msg) -> Vec<Cmd> {
        match msg {
            Msg::Key(key) => self.key(key),
            Msg::Paste(text) => self.paste(&text),
            Msg::Resized(columns, rows) => {
                self.model.size = (columns, rows);
                self.scroll();
                Vec::new()
            }
            Msg::Now(now) => {
                self.model.now = now;
                self.tick();
                // An engine that stopped answering but kept its line is asked again by the minute.
                if matches!(self.model.endpoint.state, LinkState::Lost { .. }) {
                    vec![Cmd::List]
                } else {
                    Vec::new()
                }
            }
            Msg::Settled => self.settled(),
            other => self.answer(other),
        }
    }
}
