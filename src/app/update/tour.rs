//! The guided tour of the demo: it follows what the person does, and leaves for good at Esc.

use super::State;
use super::keys::is;
use crate::app::msg::Msg;
use crate::core::workspace::WsKey;
use crate::model::key::Key;
use crate::model::{HelpPage, Lesson, Overlay, Tab};

/// How things stood before a key.
pub(super) struct Before {
    key: Option<Key>,
    attended: Option<WsKey>,
    choosing: bool,
}

impl State {
    /// What the tour must remember of a moment; nothing while there is no tour.
    pub(super) fn before(&self, msg: &Msg) -> Option<Before> {
        self.model.tour.as_ref()?;
        let key = if let Msg::Key(key) = msg { Some(*key) } else { None };
        let choosing = matches!(self.model.overlay, Some(Overlay::WhatIf { .. }));
        Some(Before { key, attended: self.attended(), choosing })
    }

    /// Ticks off what the person just did.
    pub(super) fn follow(&mut self, before: &Before) {
        let attended = self.attended();
        let Some(key) = before.key else { return };
        let model = &mut self.model;
        let Some(tour) = &mut model.tour else { return };
        let listed = model.tab == Tab::Workspaces && !model.open;
        if model.open || (listed && attended != before.attended) {
            tour.learn(Lesson::List);
        }
        if model.open {
            tour.learn(Lesson::Open);
        }
        if before.choosing && model.overlay.is_none() && is(key, "enter") {
            tour.learn(Lesson::Event);
        }
        if model.tab == Tab::AtRisk {
            tour.learn(Lesson::Files);
        }
        match &model.overlay {
            Some(Overlay::Explain(_)) => tour.learn(Lesson::Why),
            Some(Overlay::Help(view)) if view.page == HelpPage::WhatLasts => tour.learn(Lesson::Rule),
            _ => {}
        }
    }

    /// Esc ends the tour where it has nothing else to do.
    pub(super) fn ends_tour(&mut self, key: Key) -> bool {
        let model = &self.model;
        let busy = model.overlay.is_some()
            || self.is_editing()
            || self.plan_for.is_some()
            || model.has_a_way_back()
            || model.rows.iter().any(|row| row.marked);
        is(key, "esc") && !busy && self.model.tour.take().is_some()
    }
}
