//! `X`, `U` and `C`: retire, bring back, rescue. Each through a plan that is made first, No by default; and
//! what came of plans that were run.

use std::path::PathBuf;

use super::State;
use crate::app::msg::{Cmd, Whole};
use crate::core::error::{Error, Kind, Result};
use crate::core::plan::{Plan, Verb};
use crate::core::workspace::{RunState, WsKey};
use crate::model::{Notice, Overlay, Page, Row, Tab};
use crate::port::{Can, Right};
use crate::text::printable;

impl State {
    /// Has the plans made that retire what is marked, else the selection.
    pub(super) fn retire(&mut self) -> Vec<Cmd> {
        if let Some(reason) = self.cannot_retire() {
            self.model.notice = Some(Notice::bad(reason));
            return Vec::new();
        }
        let keys = self.meant();
        self.plan_whole(keys, Whole::Retire, "looking at what would go with it")
    }

    /// Has the plan made that brings back the selected retired workspace, else what was retired last.
    pub(super) fn bring_back(&mut self) -> Vec<Cmd> {
        let retired = self.attended().and_then(|key| {
            let row = self.model.row(&key)?;
            (row.workspace.state == RunState::Retired).then(|| row.workspace.name.clone())
        });
        self.plan_whole(Vec::new(), Whole::Undo(retired), "looking at what can be brought back")
    }

    /// Has the plans made that copy files out of harm's way: the marked ones, the selected one, or all
    /// of the selected workspace.
    pub(super) fn rescue(&mut self) -> Vec<Cmd> {
        if let Some(reason) = self.cannot_rescue() {
            self.model.notice = Some(Notice::bad(reason));
            return Vec::new();
        }
        let paths = self.meant_files();
        let mut keys: Vec<WsKey> = paths.iter().map(|(key, _)| key.clone()).collect();
        keys.dedup();
        keys.sort();
        keys.dedup();
        if keys.is_empty() {
            keys = self.meant();
        }
        self.plan_whole(keys, Whole::Rescue(paths), "looking at what is copied")
    }

    /// Marks the selected file at risk, or takes its mark away, and goes on to the next.
    pub(super) fn mark_file(&mut self) {
        let Some(file) = self.selected_risk() else { return };
        if !self.model.marked_files.remove(&file) {
            self.model.marked_files.insert(file);
        }
        self.list_mut().step(1);
        self.scroll();
    }

    /// What is marked, else the selection.
    fn meant(&self) -> Vec<WsKey> {
        let on_list = self.model.tab == Tab::Workspaces && !self.model.open;
        let marked = self.model.rows.iter().filter(|row| row.marked && on_list);
        let marked: Vec<WsKey> = marked.map(|row| row.workspace.key.clone()).collect();
        if marked.is_empty() { self.attended().into_iter().collect() } else { marked }
    }

    /// The files that are marked, else the selected one; none where no file is looked at.
    fn meant_files(&self) -> Vec<(WsKey, PathBuf)> {
        let marked: Vec<_> =
            if self.on_files() { self.model.marked_files.iter().cloned().collect() } else { Vec::new() };
        if marked.is_empty() { self.selected_risk().into_iter().collect() } else { marked }
    }

    fn on_files(&self) -> bool {
        let page = self.model.open && self.model.page == Page::Files;
        page || (!self.model.open && self.model.tab == Tab::AtRisk)
    }

    /// The file at risk under the cursor.
    fn selected_risk(&self) -> Option<(WsKey, PathBuf)> {
        let model = &self.model;
        if model.open {
            let key = model.detail.clone().filter(|_| model.page == Page::Files)?;
            let index = model.detail_list.selected_item()?;
            let finding = model.row(&key)?.risk.known.as_ref()?.findings.get(index)?;
            return Some((key, finding.path.clone()));
        }
        let index = model.at_risk.selected_item().filter(|_| model.tab == Tab::AtRisk)?;
        let (row, finding) = model.files.get(index)?.find(&model.rows)?;
        Some((row.workspace.key.clone(), finding.path.clone()))
    }

    /// Why nothing can be retired here; `None` where it can.
    pub(super) fn cannot_retire(&self) -> Option<String> {
        let keys = self.meant();
        if keys.is_empty() {
            return Some("nothing is selected".into());
        }
        if let Can::No(reason) = self.model.endpoint.capabilities.can(Right::Run) {
            return Some(reason);
        }
        let rows: Vec<&Row> = keys.iter().filter_map(|key| self.model.row(key)).collect();
        for row in &rows {
            let name = printable(&row.workspace.name);
            if row.workspace.container.is_none() {
                return Some(format!("{name} has no container that could be retired"));
            }
            if row.workspace.protected {
                let error = Error::new(Kind::Protected, "its platform protects it from being changed");
                return Some(self.complaint(error, Some(&row.workspace.key)).text);
            }
            if row.grounds().is_none() {
                return Some(format!("{name}: its facts are not read yet; try again in a moment"));
            }
        }
        None
    }

    /// Why nothing can be rescued here; `None` where it can.
    pub(super) fn cannot_rescue(&self) -> Option<String> {
        let Some(row) = self.attended().and_then(|key| self.model.row(&key)) else {
            return Some("nothing is selected".into());
        };
        match row.grounds() {
            None if row.workspace.state == RunState::Retired => {
                Some("it has no container whose files could be lost".into())
            }
            None => Some("its facts are not read yet; try again in a moment".into()),
            Some(_) => None,
        }
    }

    fn plan_whole(&mut self, keys: Vec<WsKey>, wish: Whole, says: &str) -> Vec<Cmd> {
        self.asking += 1;
        self.model.notice = Some(Notice::good(says.to_owned()));
        vec![Cmd::PlanWhole { number: self.asking, keys, wish }]
    }

    /// The plans were made. Of several, one that would lose files is left to be asked about alone.
    pub(super) fn whole_planned(&mut self, number: u64, plans: Result<Vec<Plan>>) {
        if number != self.asking || self.model.overlay.is_some() || self.is_editing() {
            return;
        }
        self.model.notice = None;
        let mut plans = match plans {
            Ok(plans) => plans,
            Err(error) => {
                let key = self.attended();
                self.model.notice = Some(self.complaint(error, key.as_ref()));
                return;
            }
        };
        if plans.len() > 1 {
            let (lose, keep): (Vec<Plan>, Vec<Plan>) = plans.into_iter().partition(Plan::loses_data);
            let names: Vec<_> = lose.iter().map(name_of).collect();
            if !names.is_empty() {
                let names = names.join(", ");
                self.model.notice = Some(Notice::bad(format!("{names} would lose files: retire each alone")));
            }
            plans = keep;
        }
        let mut plans = plans.into_iter();
        if let Some(first) = plans.next() {
            self.show_plans(first, plans.collect());
        }
    }

    /// What came of a plan.
    pub(super) fn ran(&mut self, plan: &Plan, result: Result<()>) -> Vec<Cmd> {
        if matches!(&self.model.overlay, Some(Overlay::Plan(view)) if view.plan.id == plan.id) {
            self.close_overlay();
        }
        self.model.notice = Some(match result {
            Ok(()) => Notice::good(done(plan)),
            Err(error) => self.complaint(error, plan.steps.first().map(|step| &step.subject)),
        });
        self.look_after(std::slice::from_ref(plan))
    }

    /// What came of several: who is done, and why who is not.
    pub(super) fn ran_all(&mut self, ran: Vec<(Plan, Result<()>)>) -> Vec<Cmd> {
        let ours = |view: &crate::model::PlanView| ran.iter().any(|(plan, _)| plan.id == view.plan.id);
        if matches!(&self.model.overlay, Some(Overlay::Plan(view)) if ours(view)) {
            self.close_overlay();
        }
        let (well, badly): (Vec<_>, Vec<_>) = ran.iter().partition(|(_, result)| result.is_ok());
        let mut says: Vec<String> = well.iter().map(|(plan, _)| done(plan)).collect();
        says.extend(badly.iter().filter_map(|(plan, result)| {
            Some(format!("not {}: {}", name_of(plan), printable(&result.as_ref().err()?.message)))
        }));
        let says = says.join("; ");
        self.model.notice = Some(if badly.is_empty() { Notice::good(says) } else { Notice::bad(says) });
        let plans: Vec<Plan> = ran.into_iter().map(|(plan, _)| plan).collect();
        self.look_after(&plans)
    }

    fn look_after(&mut self, plans: &[Plan]) -> Vec<Cmd> {
        for row in &mut self.model.rows {
            row.marked = false;
        }
        self.model.marked_files.clear();
        // A retired folder may be gone, or back.
        self.folders_asked = false;
        if plans.iter().all(Plan::is_about_files) {
            return [Cmd::List].into_iter().chain(self.read_again()).collect();
        }
        let keys = plans.iter().flat_map(|plan| plan.steps.iter().map(|step| step.subject.clone())).collect();
        vec![Cmd::List, Cmd::Detail(keys)]
    }
}

fn name_of(plan: &Plan) -> String {
    plan.steps.first().map(|step| printable(&step.name).into_owned()).unwrap_or_default()
}

/// What a plan did, in words.
fn done(plan: &Plan) -> String {
    let words = |verb: Verb, name: &str| format!("{} {}", verb.past(), printable(name));
    match plan.whole() {
        Some(Verb::Retire) => format!("retired {}; U brings it back", name_of(plan)),
        Some(verb) => words(verb, &name_of(plan)),
        None => plan.steps.iter().map(|step| words(step.verb, &step.name)).collect::<Vec<_>>().join(", "),
    }
}
