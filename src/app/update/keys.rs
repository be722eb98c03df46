//! What each key does. Which key that is stands in `crate::keys`, nowhere else.

use super::State;
use crate::app::edit::Editor;
use crate::app::msg::Cmd;
use crate::core::event::Event;
use crate::keys::{Action, TABLE};
use crate::model::key::{Key, KeyCode};
use crate::model::{Editing, Notice, Overlay, Page, Tab};
use crate::ui;

impl State {
    /// Takes a key: for the line being edited, for what lies on top, or for the view.
    pub(super) fn key(&mut self, key: Key) -> Vec<Cmd> {
        self.model.notice = None;
        if self.editor.is_some() {
            return self.edit(key);
        }
        if self.ends_tour(key) {
            return Vec::new();
        }
        match TABLE.iter().find(|binding| binding.on.iter().any(|on| is(key, on))) {
            _ if self.model.overlay.is_some() => self.overlay_key(key),
            Some(binding) => self.act(binding.action),
            None => Vec::new(),
        }
    }

    /// Takes pasted text; it counts only while a line is edited.
    pub(super) fn paste(&mut self, text: &str) -> Vec<Cmd> {
        if let Some(editor) = &mut self.editor {
            editor.paste(text);
            self.edited();
        }
        Vec::new()
    }

    fn act(&mut self, action: Action) -> Vec<Cmd> {
        if let Some(cmds) = self.disk_key(action).or_else(|| self.backups_key(action)) {
            return cmds;
        }
        match action {
            Action::Quit => return vec![Cmd::Quit],
            Action::Up => return self.step(-1),
            Action::Down => return self.step(1),
            Action::PageUp => return self.step(-self.page()),
            Action::PageDown => return self.step(self.page()),
            Action::Top => return self.step(isize::MIN),
            Action::Bottom => return self.step(isize::MAX),
            Action::Left | Action::Right => {
                let mut cmds = self.turn_page(action == Action::Right);
                self.scroll();
                cmds.extend(self.page_needs());
                return cmds;
            }
            Action::NextTab | Action::PreviousTab => {
                let tab = self.model.tab.neighbour(action == Action::NextTab, true);
                return tab.map(|tab| self.show_tab(tab)).unwrap_or_default();
            }
            Action::Workspaces => return self.show_tab(Tab::Workspaces),
            Action::AtRisk => return self.show_tab(Tab::AtRisk),
            Action::Disk => return self.show_tab(Tab::Disk),
            Action::Backups => return self.show_tab(Tab::Backups),
            Action::View => self.model.notice = Some(Notice::bad(VIEWS)),
            Action::Whose => self.model.notice = Some(Notice::bad(ON_DISK)),
            Action::Open => return self.open(),
            Action::Back => self.back(),
            Action::WhatIf => self.what_if(),
            Action::Filter => self.start_filter(),
            Action::Find => self.start_find(),
            Action::Sort => self.sort(),
            Action::Refresh => return self.refresh(),
            Action::Copy => return self.copy(),
            Action::Habits => return self.habits(),
            Action::StopOrStart => return self.stop_or_start(),
            Action::Retire => return self.retire(),
            Action::Undo => return self.bring_back(),
            Action::CopyOut if self.browsed().is_none() => return self.rescue(),
            Action::Mark if self.browsed().is_none() && (self.model.open || self.model.tab == Tab::AtRisk) => {
                self.mark_file();
            }
            Action::Mark => return self.mark(),
            Action::Backup | Action::Restore | Action::Verify | Action::Forget | Action::CallOff => {
                return self.job_key(action);
            }
            Action::Trash | Action::Rename | Action::CopyOut | Action::CopyIn => {
                return self.act_on_file(action);
            }
            Action::Verbs => self.model.overlay = Some(Overlay::Verbs(self.verbs(), 0)),
            Action::Help => self.help(),
        }
        self.scroll();
        Vec::new()
    }

    /// Rows that a page key moves.
    pub(super) fn page(&self) -> isize {
        isize::try_from(ui::page_height(&self.model)).unwrap_or(1).saturating_sub(1).max(1)
    }

    fn step(&mut self, rows: isize) -> Vec<Cmd> {
        if let Some(tree) = self.model.disk.tree.as_mut().filter(|_| self.model.tab == Tab::Disk) {
            tree.step(rows);
        }
        self.list_mut().step(rows);
        self.scroll();
        // The frame answers at once with the mark; the detail follows when the keys rest.
        vec![Cmd::Settle]
    }

    fn turn_page(&mut self, forward: bool) -> Vec<Cmd> {
        if self.model.open {
            let at = Page::ALL.iter().position(|page| *page == self.model.page).unwrap_or(0);
            let to = if forward { at + 1 } else { at.saturating_sub(1) };
            if let Some(page) = Page::ALL.get(to).copied().filter(|page| *page != self.model.page) {
                self.model.page = page;
                self.model.detail_list.select(0);
                self.show_detail_list();
            }
        } else if let Some(tab) = self.model.tab.neighbour(forward, false) {
            return self.show_tab(tab);
        }
        Vec::new()
    }

    fn show_tab(&mut self, tab: Tab) -> Vec<Cmd> {
        self.model.tab = tab;
        self.model.open = false;
        self.show_lists();
        match tab {
            Tab::Disk => self.visit_disk(),
            Tab::Backups => self.visit_backups(),
            Tab::Workspaces | Tab::AtRisk => Vec::new(),
        }
    }

    pub(super) fn open(&mut self) -> Vec<Cmd> {
        if self.browsed().is_some() {
            return self.open_file();
        }
        if self.model.open || self.model.tab == Tab::AtRisk {
            self.explain();
            return Vec::new();
        }
        let Some(key) = self.model.selected().map(|row| row.workspace.key.clone()) else { return Vec::new() };
        self.model.detail = Some(key.clone());
        self.model.open = true;
        self.model.detail_list.select(0);
        self.show_detail_list();
        self.look_at(&key)
    }

    /// One step back: the detail, the marks, the filter, the chosen event; one at a time.
    fn back(&mut self) {
        if self.plan_for.take().is_some() {
            self.model.notice = Some(Notice::good("nothing was changed"));
        } else if self.back_in_folder() {
            // The filter of the folder is over.
        } else if self.model.open {
            self.model.open = false;
        } else if !self.list().filter.is_empty() {
            self.list_mut().filter.clear();
            self.show_lists();
        } else if self.model.event_chosen() {
            self.model.event = self.model.default_event;
            self.event_picked = false;
            self.show_lists();
        } else {
            for row in &mut self.model.rows {
                row.marked = false;
            }
        }
    }

    fn start_filter(&mut self) {
        if self.model.open && self.browsed().is_none() {
            return;
        }
        let filter = self.filter_mut().clone();
        self.editor = Some(Editor::new(&filter));
        self.filter_before = filter;
        self.edited();
    }

    /// Keys while a line is edited: Enter takes it, Esc takes back what was typed.
    fn edit(&mut self, key: Key) -> Vec<Cmd> {
        let typing_a_name = matches!(self.model.overlay, Some(Overlay::Plan(_)));
        match key.code {
            KeyCode::Char('c') if key.ctrl => return vec![Cmd::Quit],
            KeyCode::Enter if typing_a_name => return self.name_typed(),
            KeyCode::Esc if typing_a_name => {
                self.close_overlay();
                self.model.notice = Some(Notice::good("nothing was changed"));
                return Vec::new();
            }
            KeyCode::Up | KeyCode::Down if typing_a_name => return Vec::new(),
            KeyCode::Enter if self.asked.is_some() => {
                return self.asked.map_or_else(Vec::new, |asked| self.answered(asked));
            }
            KeyCode::Esc if self.asked.is_some() => {
                self.stop_editing();
                self.model.notice = Some(Notice::good("nothing was changed"));
                return Vec::new();
            }
            KeyCode::Up | KeyCode::Down if self.asked.is_some() => return Vec::new(),
            KeyCode::Enter if self.finding.asking => return self.find(),
            KeyCode::Esc if self.finding.asking => {
                self.stop_editing();
                return Vec::new();
            }
            KeyCode::Up | KeyCode::Down if self.finding.asking => return Vec::new(),
            KeyCode::Enter => self.editor = None,
            KeyCode::Esc => {
                self.editor = None;
                *self.filter_mut() = std::mem::take(&mut self.filter_before);
                self.show_lists();
            }
            KeyCode::Up => return self.step(-1),
            KeyCode::Down => return self.step(1),
            _ => {
                if let Some(editor) = &mut self.editor {
                    editor.press(key);
                }
            }
        }
        self.edited();
        Vec::new()
    }

    /// Shows the line as it now is and lets the list follow.
    pub(super) fn edited(&mut self) {
        let line = self.editor.as_ref().map(Editor::line);
        if let Some(Overlay::Plan(_)) = self.model.overlay {
            self.typed(line.map(|line| line.text).unwrap_or_default());
            return;
        }
        if let Some(asked) = self.asked {
            self.model.editing = line.map(|line| Editing { prompt: Some(asked.prompt()), ..line });
            return;
        }
        if self.finding.asking {
            self.model.editing = line.map(|line| Editing { find: true, ..line });
            return;
        }
        if let Some(line) = &line {
            self.filter_mut().clone_from(&line.text);
            self.show_lists();
        }
        self.model.editing = line;
    }

    /// Whether a line is being edited.
    pub(super) fn is_editing(&self) -> bool {
        self.editor.is_some()
    }

    /// Asks for the name that a plan wants typed.
    pub(super) fn ask_for_name(&mut self) {
        self.editor = Some(Editor::new(""));
    }

    /// Ends typing; what lies on top stays.
    pub(super) fn stop_editing(&mut self) {
        self.editor = None;
        self.model.editing = None;
        self.finding.asking = false;
        self.asked = None;
    }

    /// Closes what lies on top, with all that was typed into it; a list beneath comes to light again.
    pub(super) fn close_overlay(&mut self) {
        self.model.overlay = None;
        self.stop_editing();
        self.back_to_found();
    }

    /// How far a key moves what lies on top: by a row, by most of the screen, to the ends; 0 where it does not.
    fn rows_moved(&self, key: Key) -> isize {
        let page = isize::try_from(self.model.size.1).unwrap_or(1).saturating_sub(4).max(1);
        let binding = TABLE.iter().find(|binding| binding.on.iter().any(|on| is(key, on)));
        match binding.map(|binding| binding.action) {
            Some(Action::Up) => -1,
            Some(Action::Down) => 1,
            Some(Action::PageUp) => -page,
            Some(Action::PageDown) => page,
            Some(Action::Top) => isize::MIN,
            Some(Action::Bottom) => isize::MAX,
            _ => 0,
        }
    }

    /// Keys while something lies on top. Esc and the key that opened it close it; `q` leaves.
    fn overlay_key(&mut self, key: Key) -> Vec<Cmd> {
        if is(key, "ctrl-c") || is(key, "q") {
            return vec![Cmd::Quit];
        }
        let rows = self.rows_moved(key);
        let closes = is(key, "esc");
        match &mut self.model.overlay {
            Some(Overlay::Help(_)) => return self.help_key(key),
            Some(Overlay::Habits(_)) => return self.habits_key(key),
            Some(Overlay::Find(_)) => return self.find_key(key),
            Some(Overlay::Explain(view)) if rows != 0 => {
                let most = ui::explain_scroll(view, self.model.event, self.model.size);
                view.scroll = view.scroll.min(most).saturating_add_signed(rows).min(most);
            }
            Some(Overlay::Preview(view)) if rows != 0 => {
                let most = ui::preview_scroll(view, self.model.size);
                view.scroll = view.scroll.min(most).saturating_add_signed(rows).min(most);
            }
            Some(Overlay::Record(view)) if rows != 0 => {
                let most = ui::record_scroll(view, self.model.size);
                view.scroll = view.scroll.min(most).saturating_add_signed(rows).min(most);
            }
            Some(Overlay::Verbs(verbs, scroll)) if rows != 0 => {
                let most = ui::verbs_scroll(verbs, self.model.size);
                *scroll = (*scroll).min(most).saturating_add_signed(rows).min(most);
            }
            Some(Overlay::Record(view)) if is(key, "y") => {
                let command = view.command.clone();
                return command.map_or_else(Vec::new, |command| self.copied(command));
            }
            Some(Overlay::Preview(view)) if is(key, "y") => {
                let command = view.command.clone();
                return command.map_or_else(Vec::new, |command| self.copied(command));
            }
            Some(Overlay::WhatIf { cursor, worst, .. }) if rows != 0 => {
                *cursor = cursor.saturating_add_signed(rows).min(worst.len().saturating_sub(1));
            }
            Some(Overlay::WhatIf { .. }) if is(key, "enter") => self.choose_event(),
            Some(Overlay::Explain(view)) if is(key, "y") => {
                let command = view.command.clone().or_else(|| view.says.clone());
                return command.map_or_else(Vec::new, |command| self.copied(command));
            }
            Some(Overlay::WhatIf { cursor, .. }) if is(key, "y") => {
                let event = Event::ALL.get(*cursor).copied();
                return self.copy_what_if(event);
            }
            Some(Overlay::Plan(_)) if !closes => return self.plan_key(key),
            Some(Overlay::Jobs(_)) => return self.jobs_key(key),
            Some(Overlay::Preview(_) | Overlay::Explain(_) | Overlay::Record(_)) if is(key, "enter") => {
                self.close_overlay();
            }
            Some(Overlay::Verbs(..)) if is(key, "!") => self.close_overlay(),
            Some(Overlay::WhatIf { .. }) if is(key, "w") => self.close_overlay(),
            _ if closes => self.close_overlay(),
            _ => {}
        }
        Vec::new()
    }
}

/// Where there are views.
const VIEWS: &str = "that is for the disk, 3, and the backups, 5";
/// Why a key of the disk does nothing elsewhere.
pub(super) const ON_DISK: &str = "that is for the disk: 3";

/// Whether a key is the one that the table writes like this.
pub(super) fn is(key: Key, written: &str) -> bool {
    Key::parse(written) == Some(key)
}
