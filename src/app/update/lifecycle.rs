//! The page Lifecycle: its report is made anew whenever the detail or the minute changes.

use super::State;
use crate::app::msg::Cmd;
use crate::core::event::Event;
use crate::core::lifecycle::Surroundings;
use crate::model::{ExplainView, LifecycleItem, Page, Row};
use crate::{text, work};

impl State {
    /// Puts the report on the shown workspace together, while its page is open.
    pub(super) fn report_lifecycle(&mut self) {
        let model = &self.model;
        let row = model.detailed().filter(|_| model.page == Page::Lifecycle);
        let report = row.and_then(|row| {
            let about = work::lifecycle::About {
                workspace: &row.workspace,
                detail: row.detail.known().map(AsRef::as_ref),
                rules: &row.rules,
                facts: row.facts,
                timing: &row.timing,
                layers: row.layers.as_ref()?,
                surroundings: row.surroundings.as_ref(),
            };
            Some(work::lifecycle::report(&about, model.now))
        });
        self.model.lifecycle = report;
    }

    /// Asks for what takes a while to measure, once, while the page is open.
    pub(super) fn surroundings(&mut self) -> Option<Cmd> {
        if self.model.page != Page::Lifecycle {
            return None;
        }
        let key = self.model.detail.clone()?;
        let row = self.model.row_mut(&key)?;
        if row.surroundings.is_some() || row.detail.known().is_none() {
            return None;
        }
        row.surroundings = Some(Surroundings::default());
        Some(Cmd::Surroundings(key))
    }

    /// What happens to the selected thing in each event, and why.
    pub(super) fn object(&self, row: &Row) -> Option<ExplainView> {
        let Some(LifecycleItem::Object(index)) = self.model.lifecycle_item() else { return None };
        let object = self.model.lifecycle.as_ref()?.objects.get(index)?;
        let name = object.name.as_ref().map(|name| text::printable(name).into_owned());
        Some(ExplainView {
            path: text::printable(&object.title).into_owned(),
            workspace: text::printable(&row.workspace.name).into_owned(),
            storage: "part of the workspace",
            facts: name.into_iter().chain([object.lifetime.clone()]).collect::<Vec<_>>().join(", "),
            events: Event::ALL
                .into_iter()
                .map(|event| {
                    let answer = object.answers.of(event);
                    (event, answer.verdict(), answer.reason.to_string(), answer.basis)
                })
                .collect(),
            advice: object.answers.of(self.model.event).advice.to_string(),
            command: self.model.recovery_command().map(ToOwned::to_owned),
            says: None,
            condition: object.answers.of(self.model.event).condition_words(),
            also: Vec::new(),
            rule: None,
            platform: row.rules.words(),
            scroll: 0,
            violation: None,
        })
    }
}
