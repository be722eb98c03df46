//! Which rows the lists show, in which order, and where they are scrolled.

use std::cmp::Reverse;
use std::path::Path;

use super::State;
use super::stop_or_start::verb;
use crate::app::msg::Cmd;
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::timer::Timer;
use crate::core::timing;
use crate::core::workspace::RunState;
use crate::model::cells::{self, AtRisk};
use crate::model::disk::Size;
use crate::model::{FileRef, List, Model, Notice, Page, Row, Sort, Tab, file_matches, lifecycle_items};
use crate::{text, ui, work};

impl State {
    /// The list that has the keys.
    pub(super) fn list(&self) -> &List {
        match (self.model.open, self.model.tab) {
            (true, _) => &self.model.detail_list,
            (false, Tab::Workspaces) => &self.model.workspaces,
            (false, Tab::AtRisk) => &self.model.at_risk,
            (false, Tab::Disk) => &self.model.disk.list,
            (false, Tab::Backups) => self.model.backups.list(),
        }
    }

    /// The list that has the keys, to change.
    pub(super) fn list_mut(&mut self) -> &mut List {
        match (self.model.open, self.model.tab) {
            (true, _) => &mut self.model.detail_list,
            (false, Tab::Workspaces) => &mut self.model.workspaces,
            (false, Tab::AtRisk) => &mut self.model.at_risk,
            (false, Tab::Disk) => &mut self.model.disk.list,
            (false, Tab::Backups) => self.model.backups.list_mut(),
        }
    }

    /// The text that narrows what has the keys, to change.
    pub(super) fn filter_mut(&mut self) -> &mut String {
        if !self.in_tree() {
            return &mut self.list_mut().filter;
        }
        match &mut self.model.disk.tree {
            Some(tree) => &mut tree.filter,
            None => &mut self.model.disk.list.filter,
        }
    }

    /// Keeps the selection on the screen.
    pub(super) fn scroll(&mut self) {
        if self.in_tree() {
            return self.scroll_tree();
        }
        let height = ui::page_height(&self.model);
        self.list_mut().scroll(height);
    }

    /// Filters and sorts all lists anew, keeping what is selected selected.
    pub(super) fn show_lists(&mut self) {
        show_workspaces(&mut self.model);
        // Thousands of files are put in order only while somebody looks at them.
        if self.model.tab == Tab::AtRisk {
            show_files(&mut self.model);
        }
        if self.model.tab == Tab::Disk {
            self.show_places();
        }
        if self.model.tab == Tab::Backups {
            self.model.backups.show(None);
        }
        self.show_detail_list();
        self.scroll();
    }

    /// Lets the clock go on for every workspace. What changes by it may change every list.
    pub(super) fn tick(&mut self) {
        let now = self.model.now;
        for row in &mut self.model.rows {
            row.tick(now);
        }
        self.show_lists();
    }

    /// Lists what the open page of the detail holds.
    pub(super) fn show_detail_list(&mut self) {
        self.report_lifecycle();
        let filter = &self.model.detail_list.filter;
        let shown = match (self.model.page, self.model.detailed()) {
            (Page::Browse, Some(row)) => match &self.model.browse {
                Some(browse) if browse.key == row.workspace.key => {
                    let all = browse.entries.iter().enumerate();
                    all.filter(|(_, entry)| entry.matches(filter)).map(|(index, _)| index).collect()
                }
                _ => Vec::new(),
            },
            (_, None) => Vec::new(),
            (Page::Paths, Some(row)) => (0..cells::places(row).len()).collect(),
            (Page::Files, Some(row)) => {
                let files = row.risk.known.as_ref().map_or(0, |risk| risk.findings.len());
                (0..files).collect()
            }
            (Page::Lifecycle, Some(_)) => {
                let items = self.model.lifecycle.as_ref().map_or(0, |report| lifecycle_items(report).len());
                (0..items).collect()
            }
        };
        self.model.detail_list.show(shown, None);
    }

    /// Sorts by the next column and says which.
    pub(super) fn sort(&mut self) {
        if self.sort_folder() || self.model.open {
            return;
        }
        self.model.sort = self.model.sort.next();
        self.show_lists();
        self.model.notice = Some(Notice::good(format!("sorted by {}", self.model.sort.title())));
    }

    /// Marks the selected workspace and goes on to the next.
    pub(super) fn mark(&mut self) -> Vec<Cmd> {
        if self.model.tab != Tab::Workspaces || self.model.open {
            return Vec::new();
        }
        if let Some(index) = self.model.workspaces.selected_item()
            && let Some(row) = self.model.rows.get_mut(index)
        {
            row.marked = !row.marked;
        }
        self.model.workspaces.step(1);
        self.scroll();
        vec![Cmd::Settle]
    }

    /// Copies the command that does the same in a shell.
    pub(super) fn copy(&mut self) -> Vec<Cmd> {
        let command = match self.model.tab {
            _ if self.model.open && self.model.page == Page::Lifecycle => {
                self.model.recovery_command().map(ToOwned::to_owned)
            }
            _ if self.browsed().is_some() => self.browse_command(),
            _ if self.model.open => self.explain_command(),
            Tab::AtRisk => self.explain_command(),
            Tab::Workspaces => self.change_command(),
            // These tabs have commands of their own.
            Tab::Disk | Tab::Backups => None,
        };
        match command {
            Some(command) => self.copied(command),
            None => self.nothing_to_copy(),
        }
    }

    pub(super) fn nothing_to_copy(&mut self) -> Vec<Cmd> {
        self.model.notice = Some(Notice::bad("nothing to copy for this row"));
        Vec::new()
    }

    /// What `S` would run; where it would run nothing, what tells of the workspace.
    fn change_command(&self) -> Option<String> {
        let row = self.model.selected()?;
        let workspace = &row.workspace;
        if workspace.state == RunState::Retired {
            return work::twin::explain_here(Path::new(&workspace.key.id));
        }
        let verb = verb(row).filter(|_| self.cannot_stop_or_start().is_none());
        Some(verb.map_or_else(
            || work::twin::risk(Some(workspace), None),
            |verb| work::act::command(verb, workspace),
        ))
    }

    /// Copies the command that lists what an event would lose.
    pub(super) fn copy_what_if(&mut self, event: Option<Event>) -> Vec<Cmd> {
        let marked = self.model.rows.iter().any(|row| row.marked);
        let row = self.attended().filter(|_| !marked).and_then(|key| self.model.row(&key));
        let command = work::twin::risk(row.map(|row| &row.workspace), event);
        self.copied(command)
    }

    /// Says what was copied, so that it can also be typed where the terminal takes no copies.
    pub(super) fn copied(&mut self, command: String) -> Vec<Cmd> {
        self.model.notice = Some(Notice::good(format!("copied: {}", text::printable(&command))));
        vec![Cmd::Copy(command)]
    }

    /// What is shown for a moment after the last movement.
    pub(super) fn settled(&mut self) -> Vec<Cmd> {
        if self.model.open || self.model.tab != Tab::Workspaces {
            return Vec::new();
        }
        let Some(key) = self.model.selected().map(|row| row.workspace.key.clone()) else {
            self.model.detail = None;
            return Vec::new();
        };
        if self.model.detail.as_ref() == Some(&key) {
            return Vec::new();
        }
        self.model.detail = Some(key.clone());
        self.look_at(&key)
    }
}

fn show_workspaces(model: &mut Model) {
    let keep = model.workspaces.selected_item();
    let filter = &model.workspaces.filter;
    let mut shown: Vec<usize> = (0..model.rows.len())
        .filter(|&index| model.rows.get(index).is_some_and(|row| row.matches(filter)))
        .collect();
    shown.sort_by_cached_key(|&index| model.rows.get(index).map(|row| order(row, model)));
    model.workspaces.show(shown, keep);
}

/// What a row is sorted by: a number first, then words.
fn order(row: &Row, model: &Model) -> (Reverse<u64>, String, String) {
    let workspace = &row.workspace;
    let name = workspace.name.to_lowercase();
    let up = u64::from(workspace.state.is_up()) * 2 + u64::from(workspace.container.is_some());
    match model.sort {
        Sort::State => (Reverse(up), String::new(), name),
        Sort::Name => (Reverse(0), String::new(), name),
        Sort::AtRisk => {
            let bytes = match cells::at_risk(row, model.event) {
                AtRisk::Files { tally, .. } | AtRisk::Reading(tally) => tally.bytes.saturating_add(1),
                AtRisk::Nothing | AtRisk::NotRead | AtRisk::Folder => 0,
            };
            (Reverse(bytes), String::new(), name)
        }
        Sort::Age => {
            let born = workspace.created.map_or(0, |at| u64::try_from(at.as_second()).unwrap_or(0));
            (Reverse(born), String::new(), name)
        }
        Sort::Ending => {
            let due = timing::next(&row.timers).and_then(Timer::due);
            let soon = due.map_or(0, |at| u64::MAX - u64::try_from(at.as_second()).unwrap_or(0));
            (Reverse(soon), String::new(), name)
        }
        Sort::Disk => {
            let bytes = match model.disk.size_of(row) {
                Size::Known { bytes, .. } | Size::Reading(bytes) => bytes.saturating_add(1),
                Size::Waiting | Size::NotRead | Size::Nothing => 0,
            };
            (Reverse(bytes), String::new(), name)
        }
        Sort::Owner => {
            // Unknown owners come last.
            let owner = workspace.owner.name.clone();
            (Reverse(u64::from(owner.is_some())), owner.unwrap_or_default().to_lowercase(), name)
        }
    }
}

fn show_files(model: &mut Model) {
    let selected = model.at_risk.selected_item().and_then(|index| model.files.get(index).cloned());
    let mut files = Vec::new();
    for row in &model.rows {
        let (Some(risk), Some(classifier)) = (&row.risk.known, row.classifier()) else {
            continue;
        };
        for (index, finding) in risk.findings.iter().enumerate() {
            if classifier.verdict(&finding.lot(), model.event) == Verdict::Lost {
                files.push((finding.rank(), FileRef { key: row.workspace.key.clone(), index }));
            }
        }
    }
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    model.files = files.into_iter().map(|(_, file)| file).collect();
    let filter = &model.at_risk.filter;
    let shown = (0..model.files.len())
        .filter(|&index| {
            filter.is_empty()
                || model
                    .files
                    .get(index)
                    .and_then(|file| file.find(&model.rows))
                    .is_some_and(|(row, finding)| file_matches(row, finding, filter))
        })
        .collect();
    let keep = selected.and_then(|file| model.files.iter().position(|other| *other == file));
    model.at_risk.show(shown, keep);
}
