//! Workspaces that see the same place as another one and lose it in more events, or more surely.

use std::path::Path;

use serde::Serialize;

use super::event::Event;
use super::fate::{Fates, Verdict};
use super::report::{FateMap, PathText, maps};
use super::storage::StorageKind;

/// A worse answer for the same place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Also {
    /// The workspace (untrusted text).
    pub workspace: String,
    /// The path inside it (untrusted text).
    #[serde(flatten)]
    pub path: PathText,
    /// What it lives on there.
    pub storage: StorageKind,
    /// What becomes of it there.
    pub fates: FateMap,
    /// The events in which it is worse.
    pub worse: Vec<Event>,
    #[serde(skip)]
    verdicts: [Verdict; 7],
}

impl Also {
    /// The answer of another workspace, if in some event it is worse than what was answered.
    pub fn of(
        workspace: &str,
        path: &Path,
        storage: StorageKind,
        theirs: &Fates,
        ours: &Fates,
    ) -> Option<Self> {
        let is_worse = |event: &Event| {
            let (theirs, ours) = (theirs.verdict(*event).severity(), ours.verdict(*event).severity());
            // Kept and not concerned are alike to a person.
            theirs > ours && theirs > Verdict::Kept.severity()
        };
        let worse: Vec<Event> = Event::ALL.into_iter().filter(is_worse).collect();
        (!worse.is_empty()).then(|| Self {
            workspace: workspace.into(),
            path: path.into(),
            storage,
            fates: maps(theirs).0,
            worse,
            verdicts: Event::ALL.map(|event| theirs.verdict(event)),
        })
    }

    /// One sentence without a full stop: the event that is asked about first, if it is worse in that.
    pub fn words(&self, event: Event) -> String {
        let mut said: Vec<String> = Vec::new();
        let first = self.worse.iter().filter(|worse| **worse == event);
        let rest = self.worse.iter().filter(|worse| **worse != event);
        for worse in first.chain(rest) {
            said.push(format!("{} {}", self.verdicts[worse.index()].words(), worse.if_words()));
        }
        format!("{}:{} is {}", self.workspace, self.path.path, said.join(", "))
    }
}
