//! `B`, `O`, `V`, `F`, `A`: backups made, written out, read back, removed and called off. Through a plan:
//! shown first, No by default, then a job that outlives the session.

use super::State;
use super::browse::Asked;
use super::keys::is;
use crate::app::edit::Editor;
use crate::app::msg::{Cmd, JobWish};
use crate::core::error::Result;
use crate::core::workspace::WsKey;
use crate::keys::Action;
use crate::model::key::Key;
use crate::model::{JobAct, JobPlan, Notice, Overlay, Tab};
use crate::text::printable;

/// Why a key of the backups does nothing elsewhere.
const IN_BACKUPS: &str = "that is for the backups: 5";

impl State {
    /// Why a key of backups does nothing here; `None` where it does something.
    pub(super) fn cannot_job(&self, action: Action) -> Option<String> {
        let model = &self.model;
        if action == Action::Backup {
            if model.endpoint.endpoint.id.starts_with("demo") {
                return Some("the playground has no files that could be saved".into());
            }
            return self.to_back_up().is_empty().then(|| "no workspace is selected: 1 lists them".into());
        }
        if model.tab != Tab::Backups {
            return Some(IN_BACKUPS.into());
        }
        if action == Action::CallOff {
            return match model.backups.job() {
                None => Some("no job is selected: v shows them".into()),
                Some(view) if !view.is_live() => Some("it is over already".into()),
                Some(_) => None,
            };
        }
        model.backups.snapshot().is_none().then(|| "no snapshot is selected".into())
    }

    /// What is backed up: what is marked, else what is selected.
    fn to_back_up(&self) -> Vec<WsKey> {
        let marked = self.model.rows.iter().filter(|row| row.marked);
        let marked: Vec<_> = marked.map(|row| row.workspace.key.clone()).collect();
        if marked.is_empty() || self.model.open || self.model.tab != Tab::Workspaces {
            return self.attended().into_iter().collect();
        }
        marked
    }

    /// Asks for what it takes, and has the plan made.
    pub(super) fn job_key(&mut self, action: Action) -> Vec<Cmd> {
        if let Some(reason) = self.cannot_job(action) {
            self.model.notice = Some(Notice::bad(reason));
            return Vec::new();
        }
        let snapshot = self.model.backups.snapshot().cloned().map(Box::new);
        match (action, snapshot) {
            (Action::Backup, _) => self.plan_jobs(JobWish::Backup(self.to_back_up())),
            (Action::Restore, Some(_)) => {
                self.asked = Some(Asked::Into);
                self.editor = Some(Editor::new("~/"));
                self.edited();
                Vec::new()
            }
            (Action::Verify, Some(snapshot)) => self.plan_jobs(JobWish::Verify(snapshot)),
            (Action::Forget, Some(snapshot)) => self.plan_jobs(JobWish::Forget(snapshot)),
            (Action::CallOff, _) => {
                if let Some(view) = self.model.backups.job() {
                    let lines = vec![
                        format!("call off {}", printable(&view.name())),
                        format!("  state   {}", printable(&view.words())),
                        "  then    takes back what was begun".into(),
                        format!("  does    outlast jobs --cancel {}", view.job.id),
                    ];
                    self.show_jobs(JobPlan { act: JobAct::CallOff(view.job.id.clone()), lines });
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// Enter behind the folder that a snapshot is written to.
    pub(super) fn restore_into(&mut self, typed: &str) -> Vec<Cmd> {
        match self.model.backups.snapshot().cloned() {
            Some(snapshot) => self.plan_jobs(JobWish::Restore(Box::new(snapshot), typed.into())),
            None => Vec::new(),
        }
    }

    fn plan_jobs(&mut self, wish: JobWish) -> Vec<Cmd> {
        self.asking += 1;
        self.model.notice = Some(Notice::good("looking at what it takes"));
        vec![Cmd::PlanJobs { number: self.asking, wish }]
    }

    /// A plan was made. Not shown where the person has gone on to something else meanwhile.
    pub(super) fn jobs_planned(&mut self, number: u64, plan: Result<JobPlan>) {
        if number != self.asking || self.model.overlay.is_some() || self.is_editing() {
            return;
        }
        self.model.notice = None;
        match plan {
            Ok(plan) => self.show_jobs(plan),
            Err(error) => {
                let key = self.attended();
                self.model.notice = Some(self.complaint(error, key.as_ref()));
            }
        }
    }

    fn show_jobs(&mut self, plan: JobPlan) {
        self.model.overlay = Some(Overlay::Jobs(Box::new(plan)));
    }

    /// Keys on such a plan: `y` is yes, anything else is No.
    pub(super) fn jobs_key(&mut self, key: Key) -> Vec<Cmd> {
        let Some(Overlay::Jobs(plan)) = self.model.overlay.take() else { return Vec::new() };
        if !is(key, "y") {
            self.model.notice = Some(Notice::good("nothing was changed"));
            return Vec::new();
        }
        for row in &mut self.model.rows {
            row.marked = false;
        }
        vec![match plan.act {
            JobAct::Begin(all) => Cmd::BeginJobs(all),
            JobAct::CallOff(id) => Cmd::CallOff(id),
        }]
    }

    /// Jobs were begun, or one was called off.
    pub(super) fn jobs_begun(&mut self, begun: Result<(String, Vec<String>)>) -> Vec<Cmd> {
        match begun {
            Ok((says, ids)) => {
                self.model.notice = Some(Notice::good(says));
                vec![Cmd::Watch(ids)]
            }
            Err(error) => {
                self.model.notice = Some(self.complaint(error, None));
                // Some may have been begun before that.
                vec![Cmd::Remember]
            }
        }
    }
}
