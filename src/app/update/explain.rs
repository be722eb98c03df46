//! Enter on a place or a file: what happens, why, and the one command to do.

use std::path::Path;

use super::State;
use crate::core::classify::{Classifier, Explanation, Origin};
use crate::core::event::Event;
use crate::core::fate::Fates;
use crate::core::finding::FileAtRisk;
use crate::core::mount::READ_ONLY;
use crate::core::places::Place;
use crate::core::workspace::Workspace;
use crate::model::{ExplainView, Overlay, Page, Row, Tab, cells};
use crate::{text, work};

impl State {
    /// Opens the explanation of the selected row.
    pub(super) fn explain(&mut self) {
        if let Some(view) = self.explanation() {
            self.model.overlay = Some(Overlay::Explain(Box::new(view)));
        }
    }

    /// What happens to the selected mount or file, and what to do.
    pub(super) fn explanation(&self) -> Option<ExplainView> {
        let model = &self.model;
        let selected = self.list().selected_item()?;
        if model.open {
            let row = model.detailed()?;
            return match model.page {
                Page::Lifecycle => self.object(row),
                // Enter opens what is selected there.
                Page::Browse => None,
                Page::Paths => self.place(row, cells::places(row).get(selected)?),
                Page::Files => self.file(row, row.risk.known.as_ref()?.findings.get(selected)?),
            };
        }
        match model.tab {
            Tab::Workspaces | Tab::Disk | Tab::Backups => None,
            Tab::AtRisk => {
                let (row, finding) = model.files.get(selected)?.find(&model.rows)?;
                self.file(row, finding)
            }
        }
    }

    /// The command for the selected mount or file: what brings it out of harm's way, else what says why.
    pub(super) fn explain_command(&self) -> Option<String> {
        let view = self.explanation()?;
        view.command.or(view.says)
    }

    fn place(&self, row: &Row, place: &Place<'_>) -> Option<ExplainView> {
        let mut facts = Vec::new();
        if let Some(mount) = place.mount {
            facts.extend((!mount.source.is_empty()).then(|| text::printable(&mount.source).into_owned()));
            facts.extend(mount.filesystem.clone());
        }
        if place.read_only() {
            facts.push(READ_ONLY.into());
        }
        let classifier = row.classifier()?;
        let mut view =
            view(&row.workspace, &classifier, &place.path, &place.answer, facts.join(", "), self.model.event);
        view.also = self.also(row, &place.path, &place.answer.fates);
        if place.mount.is_none() {
            // The profile speaks of it; nobody looked whether anything is there to be copied.
            view.command = None;
        }
        Some(view)
    }

    fn file(&self, row: &Row, finding: &FileAtRisk) -> Option<ExplainView> {
        let classifier = row.classifier()?;
        let explanation = classifier.explain(&finding.path, Origin::Layer);
        let mut facts = vec![text::printable(&finding.words()).into_owned()];
        facts.extend(finding.bytes.map(text::size));
        facts.extend(finding.modified.map(|at| format!("changed {}", text::ago(at, self.model.now))));
        if finding.changed {
            facts.push("a changed file of the image".into());
        }
        let also = self.also(row, &finding.path, &explanation.fates);
        let facts = facts.join(", ");
        let view = view(&row.workspace, &classifier, &finding.path, &explanation, facts, self.model.event);
        Some(ExplainView { also, ..view })
    }

    /// Other workspaces that see a path of this one and answer worse for it.
    fn also(&self, row: &Row, path: &Path, fates: &Fates) -> Vec<String> {
        let host = row.detail.known().and_then(|detail| work::explain::host_path(detail, path));
        let Some(host) = host else { return Vec::new() };
        let others = self.model.rows.iter().filter_map(|row| Some((&row.workspace, row.classifier()?)));
        let also = work::also::also(&host, (&row.workspace, path), fates, others);
        also.iter().map(|also| text::printable(&also.words(self.model.event)).into_owned()).collect()
    }
}

/// An explanation for the screen.
pub(super) fn view(
    workspace: &Workspace,
    classifier: &Classifier<'_>,
    path: &Path,
    explanation: &Explanation<'_>,
    facts: String,
    event: Event,
) -> ExplainView {
    let chosen = explanation.fates.of(event);
    ExplainView {
        path: text::printable_path(path).into_owned(),
        workspace: text::printable(&workspace.name).into_owned(),
        storage: explanation.storage.label(),
        facts,
        events: Event::ALL
            .into_iter()
            .map(|event| {
                let answer = explanation.fates.of(event);
                (event, answer.verdict(), answer.reason.to_string(), answer.basis)
            })
            .collect(),
        advice: chosen.advice.to_string(),
        command: work::explain::command(workspace, classifier, path, chosen.verdict(), event),
        says: work::twin::explain(workspace, path),
        violation: explanation.violation.map(|violation| violation.words().to_string()),
        condition: chosen.condition_words(),
        also: Vec::new(),
        rule: explanation.rule.map(|rule| match &rule.source {
            Some(source) => format!("{} ({source})", rule.id),
            None => rule.id.clone(),
        }),
        platform: classifier.rules.words(),
        scroll: 0,
    }
}
