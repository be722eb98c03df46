//! `f`: files by name, as they are found, on this machine and in every container.

use super::State;
use super::explain::view;
use crate::app::edit::Editor;
use crate::app::msg::Cmd;
use crate::core::workspace::{RunState, WsKey};
use crate::model::key::Key;
use crate::model::{FindView, FoundRow, Notice, Overlay};
use crate::work::find::{Match, News, Wanted};
use crate::{text, ui, work};

use super::keys::is;

/// Files that the screen keeps; `outlast find` lists all.
const KEPT: usize = 1000;

/// What the last search found.
#[derive(Debug, Default)]
pub(super) struct Finding {
    /// The line being edited is the name to find.
    pub(super) asking: bool,
    /// Numbers the searches: what an older one still says is dropped.
    number: u64,
    /// The files, in the order of the rows on the screen.
    matches: Vec<Match>,
    /// The list beneath the explanation of one of its rows.
    beneath: Option<Box<FindView>>,
}

impl State {
    /// Asks for a part of the name.
    pub(super) fn start_find(&mut self) {
        self.finding.asking = true;
        self.editor = Some(Editor::new(""));
        self.edited();
    }

    /// The name was typed: searches for it.
    pub(super) fn find(&mut self) -> Vec<Cmd> {
        let part = self.editor.as_ref().map(|editor| editor.line().text).unwrap_or_default();
        self.stop_editing();
        if let Err(error) = Wanted::new(&part) {
            self.model.notice = Some(Notice::bad(error.message));
            return Vec::new();
        }
        let number = self.finding.number + 1;
        self.finding = Finding { number, ..Finding::default() };
        let view = FindView {
            part: part.trim().to_string(),
            rows: Vec::new(),
            cursor: 0,
            looking: true,
            missing: Vec::new(),
            more: 0,
        };
        let rows = self.model.rows.iter().filter(|row| row.workspace.state != RunState::Retired);
        let places: Vec<WsKey> = rows.map(|row| row.workspace.key.clone()).collect();
        self.model.overlay = Some(Overlay::Find(Box::new(view)));
        vec![Cmd::Find { number, part, places, roots: self.model.folder_roots.clone() }]
    }

    /// Takes what a search says; `None` is its end.
    pub(super) fn found(&mut self, number: u64, news: Option<News>) {
        if number != self.finding.number {
            return;
        }
        let event = self.model.event;
        let lists = (&mut self.finding.beneath, &mut self.model.overlay);
        let ((Some(view), _) | (None, Some(Overlay::Find(view)))) = lists else { return };
        match news {
            None => view.looking = false,
            Some(News::Trouble(trouble)) => {
                let says = format!("{}: {}", trouble.section, trouble.message);
                if !view.missing.contains(&says) {
                    view.missing.push(says);
                }
            }
            Some(News::Match(_)) if view.rows.len() >= KEPT => view.more += 1,
            Some(News::Match(file)) => {
                let row = FoundRow {
                    place: file.whereabouts(),
                    verdict: file.explanation().fates.verdict(event),
                    bytes: file.bytes,
                    modified: file.modified,
                    hidden: file.is_hidden(),
                };
                // Hidden ones come last; the selected row stays the selected one.
                let at =
                    if row.hidden { view.rows.len() } else { view.rows.partition_point(|row| !row.hidden) };
                if at <= view.cursor && view.cursor > 0 {
                    view.cursor += 1;
                }
                view.rows.insert(at, row);
                self.finding.matches.insert(at, *file);
            }
        }
    }

    /// Keys while the list of found files lies on top.
    pub(super) fn find_key(&mut self, key: Key) -> Vec<Cmd> {
        let page = ui::find_page(&self.model);
        let Some(Overlay::Find(view)) = &mut self.model.overlay else { return Vec::new() };
        let last = view.rows.len().saturating_sub(1);
        let any = |keys: &[&str]| keys.iter().any(|on| is(key, on));
        if any(&["esc"]) {
            self.close_overlay();
            return vec![Cmd::EndFind];
        } else if any(&["j", "down"]) {
            view.cursor = (view.cursor + 1).min(last);
        } else if any(&["k", "up"]) {
            view.cursor = view.cursor.saturating_sub(1);
        } else if any(&["pgdn", "ctrl-f"]) {
            view.cursor = (view.cursor + page).min(last);
        } else if any(&["pgup", "ctrl-b"]) {
            view.cursor = view.cursor.saturating_sub(page);
        } else if any(&["g", "home"]) {
            view.cursor = 0;
        } else if any(&["G", "end"]) {
            view.cursor = last;
        } else if any(&["f", "/"]) {
            self.start_find();
        } else if any(&["y"]) {
            let command = self.selected_match().and_then(|file| self.command_for(file));
            match command {
                Some(command) => return self.copied(command),
                None => self.model.notice = Some(Notice::bad("nothing to copy for this row")),
            }
        } else if any(&["enter"]) {
            self.explain_found();
        }
        Vec::new()
    }

    fn selected_match(&self) -> Option<&Match> {
        let Some(Overlay::Find(view)) = &self.model.overlay else { return None };
        self.finding.matches.get(view.cursor)
    }

    /// The command that brings a file out of harm's way, else the one that explains it.
    fn command_for(&self, file: &Match) -> Option<String> {
        let (event, classifier) = (self.model.event, file.place.grounds.classifier());
        let workspace = &file.place.workspace;
        let verdict = file.explanation().fates.verdict(event);
        work::explain::command(workspace, &classifier, &file.path, verdict, event).or_else(|| match &workspace
            .container
        {
            Some(_) => work::twin::explain(workspace, &file.path),
            None => work::twin::explain_here(&file.path),
        })
    }

    fn explain_found(&mut self) {
        let Some(file) = self.selected_match() else { return };
        let mut facts: Vec<String> = file.bytes.map(text::size).into_iter().collect();
        facts.extend(file.modified.map(|at| format!("changed {}", text::ago(at, self.model.now))));
        facts.extend(file.host_path.as_ref().map(|path| format!("on the host {}", text::printable_path(path))));
        facts.extend(file.also().into_iter().map(|place| format!("seen in {place}")));
        let (place, explanation) = (&file.place, file.explanation());
        let classifier = place.grounds.classifier();
        let mut shown =
            view(&place.workspace, &classifier, &file.path, &explanation, facts.join(", "), self.model.event);
        shown.command = shown.command.or_else(|| self.command_for(file));
        let overlay = self.model.overlay.replace(Overlay::Explain(Box::new(shown)));
        if let Some(Overlay::Find(list)) = overlay {
            self.finding.beneath = Some(list);
        }
    }

    /// Back from the explanation of a file to the list it is in, where there is one.
    pub(super) fn back_to_found(&mut self) {
        if let Some(list) = self.finding.beneath.take() {
            self.model.overlay = Some(Overlay::Find(list));
        }
    }
}
