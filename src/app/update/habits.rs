//! `b`: good habits, and how the workspace that the keys are about stands to each.

use super::State;
use super::keys::is;
use crate::app::msg::Cmd;
use crate::core::habits::Habit;
use crate::core::workspace::WsKey;
use crate::model::key::Key;
use crate::model::{HabitsView, Notice, Overlay};
use crate::{text, work};

impl State {
    /// Opens the list at once; the ticks come when everything was looked at.
    pub(super) fn habits(&mut self) -> Vec<Cmd> {
        let Some(row) = self.attended().and_then(|key| self.model.row(&key)) else {
            self.model.notice = Some(Notice::bad("nothing is selected"));
            return Vec::new();
        };
        let (key, name) = (row.workspace.key.clone(), text::printable(&row.workspace.name).into_owned());
        let view = HabitsView { key: key.clone(), name, habits: None, cursor: 0 };
        self.model.overlay = Some(Overlay::Habits(Box::new(view)));
        vec![Cmd::Habits(key)]
    }

    /// The ticks came. They are dropped where the person has gone on to something else.
    pub(super) fn ticked(&mut self, key: &WsKey, habits: Vec<Habit>) {
        if let Some(Overlay::Habits(view)) = &mut self.model.overlay
            && view.key == *key
        {
            view.habits = Some(habits);
        }
    }

    /// Keys while the list is open.
    pub(super) fn habits_key(&mut self, key: Key) -> Vec<Cmd> {
        let any = |keys: &[&str]| keys.iter().any(|written| is(key, written));
        let Some(Overlay::Habits(view)) = &mut self.model.overlay else { return Vec::new() };
        let last = view.habits.as_ref().map_or(0, |habits| habits.len().saturating_sub(1));
        if any(&["esc", "b"]) {
            self.close_overlay();
        } else if any(&["j", "down"]) {
            view.cursor = (view.cursor + 1).min(last);
        } else if any(&["k", "up"]) {
            view.cursor = view.cursor.saturating_sub(1);
        } else if any(&["g", "home", "pgup"]) {
            view.cursor = 0;
        } else if any(&["G", "end", "pgdn"]) {
            view.cursor = last;
        } else if any(&["r"]) {
            view.habits = None;
            return vec![Cmd::Habits(view.key.clone())];
        } else if any(&["y"]) {
            let habit = view.habits.as_ref().and_then(|habits| habits.get(view.cursor));
            let own = habit.and_then(|habit| habit.command.clone());
            let key = view.key.clone();
            let twin = || self.model.row(&key).map(|row| work::twin::habits(&row.workspace));
            return own.or_else(twin).map_or_else(Vec::new, |command| self.copied(command));
        }
        Vec::new()
    }
}
