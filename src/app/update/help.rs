//! `?`: all keys, and what there is to learn, with the paths of the selected workspace.

use super::State;
use super::keys::is;
use crate::app::msg::Cmd;
use crate::core::lessons::{self, Lessons};
use crate::model::key::Key;
use crate::model::{HelpPage, HelpView, Overlay};
use crate::{ui, work};

impl State {
    /// Opens help on its first page.
    pub(super) fn help(&mut self) {
        let view = HelpView { page: HelpPage::Keys, scroll: 0, lessons: self.lessons() };
        self.model.overlay = Some(Overlay::Help(Box::new(view)));
    }

    /// What is taught about the workspace that the keys are about, else about the platform.
    fn lessons(&self) -> Lessons {
        let row = self.attended().and_then(|key| self.model.row(&key));
        match row.map(|row| (row, row.classifier())) {
            Some((row, Some(classifier))) => lessons::of_workspace(&row.workspace.name, &classifier),
            Some((row, None)) => lessons::of_platform(&row.rules),
            None => lessons::of_platform(&self.model.rules),
        }
    }

    /// Keys while help is open: pages to the sides, lines up and down.
    pub(super) fn help_key(&mut self, key: Key) -> Vec<Cmd> {
        let any = |keys: &[&str]| keys.iter().any(|written| is(key, written));
        let (furthest, page) = ui::help_rows(&self.model);
        let Some(Overlay::Help(view)) = &mut self.model.overlay else { return Vec::new() };
        let (forward, back) = (any(&["tab", "l", "right"]), any(&["backtab", "h", "left"]));
        if any(&["esc", "?"]) {
            self.close_overlay();
        } else if any(&["y"]) {
            let row = self.attended().and_then(|key| self.model.row(&key));
            return self.copied(work::twin::guide(row.map(|row| &row.workspace)));
        } else if forward || back {
            view.page = view.page.turned(forward);
            view.scroll = 0;
        } else {
            let scroll = view.scroll.min(furthest);
            view.scroll = match () {
                () if any(&["j", "down"]) => scroll + 1,
                () if any(&["k", "up"]) => scroll.saturating_sub(1),
                () if any(&["pgdn", "ctrl-f", "space"]) => scroll + page,
                () if any(&["pgup", "ctrl-b"]) => scroll.saturating_sub(page),
                () if any(&["g", "home"]) => 0,
                () if any(&["G", "end"]) => furthest,
                () => scroll,
            }
            .min(furthest);
        }
        Vec::new()
    }
}
