//! `S`: stop what runs, start what does not. Through a plan: shown first, No by default.

use super::State;
use super::keys::is;
use crate::app::msg::Cmd;
use crate::core::error::{Error, Kind};
use crate::core::finding::Risk;
use crate::core::plan::{Plan, Verb};
use crate::core::workspace::{RunState, WsKey};
use crate::model::key::Key;
use crate::model::{Confirm, Notice, Overlay, PlanState, PlanView, Row};
use crate::port::{Can, Right};
use crate::work;

impl State {
    /// Shows the plan for the selection, or says why there is none.
    ///
    /// What a stop would lose is read once more first: a plan on old facts
    /// would ask for consent to the wrong loss.
    pub(super) fn stop_or_start(&mut self) -> Vec<Cmd> {
        if let Some(reason) = self.cannot_stop_or_start() {
            self.model.notice = Some(Notice::bad(reason));
            return Vec::new();
        }
        let Some(key) = self.attended() else { return Vec::new() };
        let now = self.model.now;
        let Some(row) = self.model.row_mut(&key).filter(|row| row.detail.known().is_some()) else {
            self.model.notice = Some(Notice::bad("its facts are not read yet; try again in a moment"));
            return Vec::new();
        };
        if verb(row) == Some(Verb::Stop) {
            row.risk.begin(now);
            self.model.notice = Some(Notice::good("reading what a stop would lose"));
            self.plan_for = Some(key.clone());
            return vec![Cmd::Scan { key, asked: true }];
        }
        self.offer(&key, None);
        Vec::new()
    }

    /// Shows the plan for a workspace, made with what a look found just now.
    ///
    /// Not where the person has gone on to something else meanwhile.
    pub(super) fn offer(&mut self, key: &WsKey, fresh: Option<&Risk>) {
        if self.attended().as_ref() != Some(key) || self.model.overlay.is_some() || self.is_editing() {
            return;
        }
        self.model.notice = None;
        match self.plan(key, fresh) {
            Some(Ok(plan)) => self.show_plan(plan),
            Some(Err(error)) => self.model.notice = Some(self.complaint(error, Some(key))),
            None => {}
        }
    }

    /// Why the selection can be neither stopped nor started.
    pub(super) fn cannot_stop_or_start(&self) -> Option<String> {
        let Some(row) = self.attended().and_then(|key| self.model.row(&key).cloned()) else {
            return Some("nothing is selected".into());
        };
        if let Can::No(reason) = self.model.endpoint.capabilities.can(Right::Run) {
            return Some(reason);
        }
        match verb(&row) {
            Some(_) if row.workspace.protected => {
                let error = Error::new(Kind::Protected, "its platform protects it from being changed");
                Some(self.complaint(error, Some(&row.workspace.key)).text)
            }
            Some(verb) => {
                // The key makes no backup and restores nothing, and does not go on without either.
                let before = work::act::asked_for(verb, &row.workspace, &row.rules)?;
                let (before, command) = (before.key(), work::twin::change(verb, &row.workspace));
                Some(format!("a {before} is asked for before: `{command}` makes it first"))
            }
            None => Some(format!("it is {}: there is nothing to stop or start", row.workspace.state.key())),
        }
    }

    fn plan(&self, key: &WsKey, risk: Option<&Risk>) -> Option<crate::core::error::Result<Plan>> {
        let row = self.model.row(key)?;
        let (grounds, verb) = (row.grounds()?, verb(row)?);
        Some(work::act::plan(verb, &row.workspace, &grounds, risk, &self.model.now))
    }

    pub(super) fn show_plan(&mut self, plan: Plan) {
        self.show_plans(plan, Vec::new());
    }

    /// Shows a plan, and what more is done with the same answer.
    pub(super) fn show_plans(&mut self, plan: Plan, more: Vec<Plan>) {
        let mut lines = work::act::plan_lines(&plan, self.model.now);
        for plan in &more {
            lines.extend(work::act::plan_lines(plan, self.model.now));
        }
        let name = plan.steps.first().map(|step| step.name.clone()).unwrap_or_default();
        let confirm = if let Some(name) = plan.asks_for.clone() {
            self.ask_for_name();
            Confirm::Name { name, typed: String::new() }
        } else if plan.loses_data() {
            self.ask_for_name();
            Confirm::Name { name, typed: String::new() }
        } else {
            Confirm::Yes
        };
        let view = PlanView { plan, more, lines, confirm, state: PlanState::Asking };
        self.model.overlay = Some(Overlay::Plan(Box::new(view)));
    }

    /// Keys on a plan that asks for `y`: anything else is No.
    pub(super) fn plan_key(&mut self, key: Key) -> Vec<Cmd> {
        let Some(Overlay::Plan(view)) = &mut self.model.overlay else { return Vec::new() };
        match (&view.confirm, &view.state) {
            (Confirm::Yes, PlanState::Asking) if is(key, "y") => {
                view.state = PlanState::Running;
                if view.more.is_empty() {
                    return vec![Cmd::Run { plan: Box::new(view.plan.clone()), lose_data: false }];
                }
                let all = std::iter::once(&view.plan).chain(&view.more).cloned();
                vec![Cmd::RunAll(all.collect())]
            }
            (_, PlanState::Asking) => {
                self.close_overlay();
                self.model.notice = Some(Notice::good("nothing was changed"));
                Vec::new()
            }
            (_, PlanState::Running) => Vec::new(),
        }
    }

    /// What was typed into a plan that asks for the name.
    pub(super) fn typed(&mut self, text: String) {
        if let Some(Overlay::Plan(view)) = &mut self.model.overlay
            && let Confirm::Name { typed, .. } = &mut view.confirm
        {
            *typed = text;
        }
    }

    /// Enter behind the typed name: runs if it is the right one.
    pub(super) fn name_typed(&mut self) -> Vec<Cmd> {
        let Some(Overlay::Plan(view)) = &mut self.model.overlay else { return Vec::new() };
        let right = matches!(&view.confirm, Confirm::Name { name, typed } if name == typed);
        if !right {
            self.close_overlay();
            self.model.notice = Some(Notice::bad("that is not its name: nothing was changed"));
            return Vec::new();
        }
        view.state = PlanState::Running;
        let plan = Box::new(view.plan.clone());
        self.stop_editing();
        vec![Cmd::Run { plan, lose_data: true }]
    }
}

/// What `S` does to a workspace in its state.
pub(super) fn verb(row: &Row) -> Option<Verb> {
    row.workspace.container.as_ref()?;
    match row.workspace.state {
        RunState::Running | RunState::Paused | RunState::Restarting => Some(Verb::Stop),
        RunState::Exited | RunState::Created => Some(Verb::Start),
        RunState::Removing | RunState::Dead | RunState::Retired | RunState::Unknown => None,
    }
}
