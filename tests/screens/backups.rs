//! Backups on the screen, looked at and accepted.

use jiff::{SignedDuration, Timestamp};
use outlast::core::backup::{
    Check, End, Job, JobState, JobView, LOCAL, Line, Outcome, Progress, Record, Records, Repository, Restore,
    Snapshot, Stage, Task, Verified,
};
use outlast::core::error::{Error, Kind};
use outlast::core::plan::Verb;
use outlast::core::report::Change;
use outlast::core::workspace::WsKey;
use outlast::model::backups::{BackupView, Listing};
use outlast::model::{JobAct, JobPlan, Model, Overlay, Tab};
use outlast::ui::Theme;

use crate::support::model::{self, now};
use crate::support::screen;

fn shot(model: &Model) -> String {
    screen::text(&screen::buffer(model, &Theme::dark()))
}

fn ascii(model: &Model) -> String {
    screen::text(&screen::buffer(model, &Theme::mono().ascii()))
}

fn hours(ago: i64) -> Timestamp {
    now() - SignedDuration::from_hours(ago)
}

fn snapshot(id: &str, of: &str, ago: i64) -> Snapshot {
    Snapshot {
        id: id.repeat(8),
        at: hours(ago),
        host: "lab01".into(),
        workspace: of.into(),
        folders: vec![format!("/home/alice/workspace/{of}")],
        files: Some(1234),
        bytes: Some(21 << 27),
        added: Some(3 << 20),
        own: true,
        incomplete: false,
    }
}

fn repository() -> Repository {
    Repository::new("/home/alice/.local/share/outlast/repository", "/home/alice/key".into()).unwrap()
}

fn job(id: &str, task: Task, state: JobState, ago: i64) -> JobView {
    let (user, made_at) = ("alice".into(), hours(ago));
    let job = Job { id: id.into(), made_at, user, repository: repository(), task, notes: Vec::new() };
    let progress = Progress {
        at: made_at + SignedDuration::from_secs(10),
        stage: Stage::Restoring,
        files: 50,
        bytes: 10 << 20,
        of_files: Some(200),
        of_bytes: Some(40 << 20),
        written: 0,
        skipped: 1,
    };
    JobView { job, state, progress: Some(progress), began: Some(made_at), seen: true }
}

/// The tab in a model that anything else may be wrong with.
pub(super) fn odd(model: &mut Model, jobs: bool) {
    fill(model, if jobs { BackupView::Jobs } else { BackupView::Snapshots });
}

/// The tab with four snapshots, three jobs and one change.
fn filled(columns: u16, rows: u16, view: BackupView) -> Model {
    let mut model = model::demo(columns, rows);
    fill(&mut model, view);
    model
}

fn fill(model: &mut Model, view: BackupView) {
    model.tab = Tab::Backups;
    let backups = &mut model.backups;
    backups.view = view;
    backups.listing = Listing::Known;
    backups.url = repository().url;
    backups.good_for = Some(LOCAL.into());
    backups.as_of = Some(hours(0) - SignedDuration::from_mins(4));
    let foreign = Snapshot {
        workspace: String::new(),
        folders: vec!["/srv/shared/da\u{1b}ta".into()],
        files: None,
        bytes: None,
        own: false,
        ..snapshot("3", "", 700)
    };
    let all = [snapshot("1", "my-project", 72), snapshot("2", "thesis", 1), snapshot("4", "llm-finetune", 216)];
    let saved = all.iter().map(|snapshot| {
        Line::Saved(Box::new(Record {
            repository: repository(),
            snapshot: snapshot.clone(),
            folder: "/w".into(),
            exclude: Vec::new(),
            skipped: 0,
        }))
    });
    let verified = |id: &str, whole| Line::Verified(Verified { snapshot: id.repeat(8), at: hours(70), whole });
    backups.records = Some(Records::new(saved.chain([verified("1", true), verified("4", false)])));
    backups.snapshots = [foreign].into_iter().chain(all).collect();
    let verify = || Task::Verify(Check { snapshots: vec!["1".repeat(8)] });
    let restore = Task::Restore(Restore {
        snapshot: "1".repeat(8),
        part: None,
        include: None,
        to: "/home/alice/back".into(),
        remap: None,
        becomes: None,
    });
    let mut incomplete = Outcome::new(hours(3), End::Incomplete);
    incomplete.damaged.add("/data/train.parquet".as_ref(), "its data is damaged");
    let failed = Outcome::failed(hours(2), &Error::new(Kind::Refused, "the disk is full").hint("make room"));
    backups.jobs = vec![
        job("a", verify(), JobState::Over(Box::new(incomplete)), 4),
        job("b", verify(), JobState::Over(Box::new(failed)), 2),
        job("c", restore, JobState::Running, 0),
    ];
    backups.changes = vec![Change {
        at: hours(5),
        user: "alice".into(),
        endpoint: "demo".into(),
        verb: Verb::Stop,
        subject: WsKey { endpoint: "demo".into(), id: "1".into() },
        container: "thesis._.alice".into(),
        before: "running".into(),
        after: "exited".into(),
        plan: "p1".into(),
        result: "done".into(),
        command: "docker stop thesis._.alice".into(),
        recreate: Some("docker start thesis._.alice".into()),
    }];
    backups.show(None);
}

#[test]
fn snapshots_jobs_and_the_log_at_every_size() {
    for (columns, rows) in [(120, 40), (80, 24), (40, 12)] {
        for (view, name) in
            [(BackupView::Snapshots, "snapshots"), (BackupView::Jobs, "jobs"), (BackupView::Log, "log")]
        {
            let model = filled(columns, rows, view);
            insta::assert_snapshot!(format!("backups_{name}_{columns}x{rows}"), shot(&model));
        }
    }
    insta::assert_snapshot!("backups_snapshots_80x24_ascii", ascii(&filled(80, 24, BackupView::Snapshots)));
}

#[test]
fn a_job_that_goes_on_is_seen_from_every_tab() {
    let mut model = filled(80, 24, BackupView::Snapshots);
    model.tab = Tab::Workspaces;
    insta::assert_snapshot!("backups_job_line_80x24", shot(&model));
}

#[test]
fn what_is_not_known_of_the_repository_is_said() {
    for (columns, rows) in [(80, 24), (40, 12)] {
        let mut model = model::demo(columns, rows);
        model.tab = Tab::Backups;
        let mut shots = Vec::new();
        model.backups.listing = Listing::Reading;
        shots.push(shot(&model));
        let error =
            Error::new(Kind::TimedOut, "the repository timed out: no answer in 10 s").hint("r asks again");
        model.backups.listing = Listing::Failed(error.clone());
        shots.push(shot(&model));
        (model.backups.url, model.backups.good_for) = (repository().url, Some(LOCAL.into()));
        model.backups.listing = Listing::Absent;
        shots.push(shot(&model));
        let mut old = filled(columns, rows, BackupView::Snapshots);
        old.backups.listing = Listing::Failed(error);
        shots.push(shot(&old));
        insta::assert_snapshot!(format!("backups_unknown_{columns}x{rows}"), shots.join("\n"));
    }
}

#[test]
fn a_plan_for_a_job_asks_like_any_other() {
    let lines = [
        "backup my-project",
        "  saves   /home/alice/workspace/my-project",
        "  without .vessl __pycache__",
        "  into    /home/alice/.local/share/outlast/repository, which is made",
        "  note    a repository on this host protects against retire and deletion, not against losing this host",
    ];
    for (columns, rows) in [(80, 24), (40, 12)] {
        let mut model = model::demo(columns, rows);
        let plan = JobPlan { act: JobAct::CallOff("x".into()), lines: lines.map(Into::into).into() };
        model.overlay = Some(Overlay::Jobs(Box::new(plan)));
        insta::assert_snapshot!(format!("backups_plan_{columns}x{rows}"), shot(&model));
    }
}
