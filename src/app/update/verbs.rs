//! `!`: every verb that changes something or looks, and why it is not available here.

use super::State;
use super::keys::ON_DISK;
use crate::keys::{Action, Group, TABLE};
use crate::model::{Page, Tab};
use crate::port::{Can, Right};

impl State {
    /// All verbs of the key table with the reason where one is not available.
    pub(super) fn verbs(&self) -> Vec<(Action, Option<String>)> {
        TABLE
            .iter()
            .filter(|binding| binding.group != Group::Move && !binding.short.is_empty())
            .map(|binding| (binding.action, self.unavailable(binding.action)))
            .collect()
    }

    /// Why an action is not available for the selection; `None` where it is.
    pub(super) fn unavailable(&self, action: Action) -> Option<String> {
        let nothing = self.attended().is_none();
        match action {
            Action::StopOrStart => self.cannot_stop_or_start(),
            Action::Retire => self.cannot_retire(),
            Action::CopyOut if self.browsed().is_none() => self.cannot_rescue(),
            Action::Trash | Action::Rename | Action::CopyOut | Action::CopyIn => self.cannot_act(action),
            Action::Backup | Action::Restore | Action::Verify | Action::Forget | Action::CallOff => {
                self.cannot_job(action)
            }
            Action::Copy if self.model.tab == Tab::Backups => {
                self.model.backups.selected_id().is_none().then(|| "nothing is selected".into())
            }
            Action::WhatIf | Action::Copy if nothing => Some("nothing is selected".into()),
            Action::View if self.model.tab == Tab::Backups => None,
            Action::View | Action::Whose if self.model.tab != Tab::Disk => Some(ON_DISK.into()),
            Action::Mark if self.in_tree() => None,
            Action::Mark if self.model.open && self.model.page != Page::Files => {
                Some("only workspaces and files at risk can be marked".into())
            }
            Action::Filter if self.model.open && self.browsed().is_none() => {
                Some("only lists can be filtered".into())
            }
            Action::Refresh => match self.model.endpoint.capabilities.can(Right::Scan) {
                Can::No(reason) if !nothing => Some(format!("files cannot be read: {reason}")),
                Can::Yes | Can::No(_) => None,
            },
            _ => None,
        }
    }
}
