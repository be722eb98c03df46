//! Plans and their runner on an engine in memory; real containers are in `tests/cli`.

use super::*;
use crate::core::finding::Method;
use std::sync::Arc;

use crate::port::{FileFact, Files, Host, ScanItem};
use crate::store::Store;
use crate::work::fake::{self, Fake, Still, block_on};

const YES: Consent = Consent { yes: true, lose_data: false };

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(folder.path().into()).unwrap();
    (folder, store)
}

fn scan(files: usize) -> Vec<ScanItem> {
    let file = |n| FileFact {
        path: format!("/dev/shm/{n}").into(),
        bytes: Some(4096),
        storage: StorageKind::Tmpfs,
        modified: None,
        changed: false,
    };
    vec![
        ScanItem::By(Method::Upper),
        ScanItem::Reading(StorageKind::Tmpfs),
        ScanItem::Files((0..files).map(file).collect()),
    ]
}

fn engine(files: usize) -> Fake {
    Fake { scan: scan(files).into(), ..Fake::default() }
}

fn local() -> Arc<dyn Files> {
    Arc::new(crate::files::LocalFiles)
}

fn look(engine: &Fake) -> Risk {
    let grounds = fake::grounds(fake::detail(RunState::Running));
    let key = fake::workspace("p").key;
    block_on(crate::work::risk::read(engine, &key, &grounds, true, 10, &Still, &mut |_| {})).unwrap()
}

fn stop(risk: Option<&Risk>) -> Plan {
    let grounds = fake::grounds(fake::detail(RunState::Running));
    plan(Verb::Stop, &fake::workspace("p"), &grounds, risk, &Still).unwrap()
}

fn go(engine: &Fake, store: &Store, plan: &Plan, consent: Consent) -> Result<()> {
    let (host, profiles) = (Host::default(), fake::profiles());
    let job = Arc::default();
    let program = std::path::Path::new("outlast");
    let (profiles, files) = (&profiles, local());
    let runner = Runner { engine, files, store, host: &host, profiles, clock: &Still, program, job };
    block_on(runner.run(plan, consent))
}

#[test]
fn a_verb_that_does_not_apply_says_why() {
    let make = |verb, state| {
        plan(verb, &fake::workspace("p"), &fake::grounds(fake::detail(state)), None, &Still)
            .map(|_| ())
            .map_err(|error| (error.kind, error.message))
    };
    assert_eq!(make(Verb::Start, RunState::Exited), Ok(()));
    let conflict = |text: &str| Err((Kind::Conflict, text.to_string()));
    assert_eq!(make(Verb::Start, RunState::Running), conflict("p is running already"));
    assert_eq!(make(Verb::Stop, RunState::Exited), conflict("p is not running"));
    assert_eq!(make(Verb::Stop, RunState::Dead), conflict("p is dead, so it cannot be stopped"));
}

#[test]
fn a_protected_container_is_left_alone() {
    let workspace = Workspace { protected: true, ..fake::workspace("p") };
    let grounds = fake::grounds(fake::detail(RunState::Running));
    let error = plan(Verb::Stop, &workspace, &grounds, None, &Still).unwrap_err();
    assert_eq!(error.kind, Kind::Protected);
}

#[test]
fn a_plan_names_what_it_does_what_it_loses_and_what_undoes_it() {
    let plan = stop(Some(&look(&engine(3))));
    assert_eq!(
        plan_lines(&plan, plan.made_at),
        [
            "stop p",
            "  does    docker stop p",
            "  loses   /dev/shm (tmpfs (memory)): 3 files, 12K",
            "  undo    docker start p",
        ]
    );
    assert!(plan.loses_data());
    assert!(!stop(Some(&look(&engine(0)))).loses_data(), "an empty /dev/shm is nothing to lose");
    assert!(stop(None).loses_data(), "what nobody could look at may be lost");
}

#[test]
fn a_container_that_removes_itself_loses_everything_and_cannot_be_brought_back() {
    let mut detail = fake::detail(RunState::Running);
    detail.on_stop = Aftermath::Removed;
    let plan = plan(Verb::Stop, &fake::workspace("p"), &fake::grounds(detail), None, &Still).unwrap();
    let what: Vec<_> = plan.losses().map(|loss| loss.what.as_str()).collect();
    assert_eq!(what, ["/", "/anon", "/dev/shm"]);
    assert_eq!(plan.steps[0].reversible_by, None);
}

#[test]
fn losing_data_needs_to_be_asked_for_in_so_many_words() {
    let (engine, (_folder, store)) = (engine(3), store());
    let plan = stop(Some(&look(&engine)));
    let error = go(&engine, &store, &plan, YES).unwrap_err();
    assert_eq!(error.kind.exit_code(), 4);
    assert!(engine.ran.lock().unwrap().is_empty());
    go(&engine, &store, &plan, Consent { yes: true, lose_data: true }).unwrap();
    assert_eq!(*engine.ran.lock().unwrap(), ["docker stop p"]);
}

#[test]
fn every_change_is_logged_with_the_state_before_and_after() {
    let (engine, (_folder, store)) = (engine(0), store());
    go(&engine, &store, &stop(Some(&look(&engine))), YES).unwrap();
    let (changes, _) = store.audit().read().unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].before.as_str(), changes[0].after.as_str()), ("running", "exited"));
    assert_eq!(changes[0].recreate.as_deref(), Some("docker start p"));
    assert!(store.unfinished().unwrap().is_empty());
}

#[test]
fn a_failed_step_is_logged_as_failed_and_is_over() {
    let fail = Some(Error::new(Kind::Failed, "the engine said no"));
    let (engine, (_folder, store)) = (Fake { fail, ..engine(0) }, store());
    let error = go(&engine, &store, &stop(Some(&look(&engine))), YES).unwrap_err();
    assert_eq!(error.message, "the engine said no");
    assert_eq!(store.audit().read().unwrap().0[0].result, "failed: the engine said no");
    assert!(store.unfinished().unwrap().is_empty());
}

#[test]
fn a_plan_is_not_run_when_things_changed() {
    let refused = |change: &dyn Fn(&Fake)| {
        let (engine, (_folder, store)) = (engine(0), store());
        let plan = stop(Some(&look(&engine)));
        change(&engine);
        let error = go(&engine, &store, &plan, Consent { yes: true, lose_data: true }).unwrap_err();
        assert_eq!(error.kind, Kind::Refused);
        assert!(error.hints[0].contains("outlast stop p --dry-run"));
        assert!(engine.ran.lock().unwrap().is_empty() && store.unfinished().unwrap().is_empty());
        error.message.replace("things changed since the plan was made: ", "")
    };
    assert_eq!(refused(&|e| *e.state.lock().unwrap() = RunState::Exited), "it was running, it is exited");
    assert_eq!(refused(&|e| *e.started.lock().unwrap() = None), "it was started anew");
    assert_eq!(
        refused(&|e| *e.scan.lock().unwrap() = scan(1)),
        "now it would lose /dev/shm (tmpfs (memory)): 1 file, 4.0K"
    );
}

#[test]
fn a_plan_that_was_cut_off_is_finished_in_the_books_only() {
    let (engine, (_folder, store)) = (engine(0), store());
    let plan = stop(Some(&look(&engine)));
    let mut journal = store.journal(&plan).unwrap();
    journal.begin(0, plan.made_at).unwrap();
    drop(journal);
    *engine.state.lock().unwrap() = RunState::Exited;
    let said = block_on(recover(&engine, &local(), &store, &Still, Path::new("")));
    assert_eq!(said, [format!("plan {} was cut off; stop p: done", plan.id)]);
    assert!(engine.ran.lock().unwrap().is_empty());
    assert!(store.audit().read().unwrap().0[0].result.starts_with("done (cut off"));
    assert!(block_on(recover(&engine, &local(), &store, &Still, Path::new(""))).is_empty(), "it is said once");
}

#[test]
fn a_plan_that_was_cut_off_before_its_step_took_effect_says_so() {
    let (engine, (_folder, store)) = (engine(0), store());
    let plan = stop(Some(&look(&engine)));
    store.journal(&plan).unwrap().begin(0, plan.made_at).unwrap();
    let said = block_on(recover(&engine, &local(), &store, &Still, Path::new("")));
    assert_eq!(said, [format!("plan {} was cut off; stop p: not done", plan.id)]);
}

#[test]
fn a_plan_whose_steps_all_ended_is_closed_without_a_word() {
    let (engine, (_folder, store)) = (engine(0), store());
    let plan = stop(Some(&look(&engine)));
    let mut journal = store.journal(&plan).unwrap();
    journal.begin(0, plan.made_at).unwrap();
    journal.end(0, "done", plan.made_at).unwrap();
    drop(journal);
    assert!(block_on(recover(&engine, &local(), &store, &Still, Path::new(""))).is_empty());
    assert!(store.audit().read().unwrap().0.is_empty());
    assert!(store.unfinished().unwrap().is_empty());
}

#[test]
fn a_step_that_the_log_has_already_is_not_logged_again() {
    let (engine, (folder, store)) = (engine(0), store());
    let plan = stop(Some(&look(&engine)));
    go(&engine, &store, &plan, YES).unwrap();
    let mut journal = store.journal(&plan).unwrap();
    journal.begin(0, plan.made_at).unwrap();
    drop(journal);
    let said = block_on(recover(&engine, &local(), &store, &Still, Path::new("")));
    assert_eq!(said, [format!("plan {} was cut off; stop p: done", plan.id)]);
    assert_eq!(store.audit().read().unwrap().0.len(), 1);
    drop(folder);
}

#[test]
fn books_that_cannot_be_written_do_not_hide_that_it_was_done() {
    let (engine, (folder, store)) = (engine(0), store());
    std::fs::create_dir(folder.path().join("audit.jsonl")).unwrap();
    let error = go(&engine, &store, &stop(Some(&look(&engine))), YES).unwrap_err();
    assert!(error.message.starts_with("p was stopped, but that is not written down: "), "{error}");
}

#[test]
fn a_container_that_removes_itself_is_absent_once_it_is_gone() {
    let (engine, (_folder, store)) = (Fake { gone_after: Some(3), ..engine(0) }, store());
    let mut plan = stop(Some(&look(&engine)));
    plan.steps[0].reversible_by = None;
    go(&engine, &store, &plan, YES).unwrap();
    assert_eq!(store.audit().read().unwrap().0[0].after, "absent");
}

#[test]
fn where_a_start_makes_a_new_container_the_plan_says_that_a_stop_is_no_pause() {
    let noted = |profile: &str| {
        let mut workspace = fake::workspace("p");
        workspace.labels.insert("outlast.profile".into(), profile.into());
        let detail = fake::detail(RunState::Running);
        let grounds = block_on(crate::work::ground::stand(&fake::profiles(), &workspace, detail));
        let plan = plan(Verb::Stop, &workspace, &grounds, None, &fake::Still).unwrap();
        plan_lines(&plan, plan.made_at).join("\n").contains("the next start makes a new container")
    };
    assert!(noted("vessl") && noted("deeporigin") && noted("backendai"));
    assert!(!noted("docker") && !noted("ds01"));
}

#[test]
fn a_plan_without_the_backup_that_is_asked_for_says_so() {
    let mut workspace = fake::workspace("p");
    workspace.labels.insert("outlast.backup-on-stop".into(), "true".into());
    let grounds = fake::grounds(fake::detail(RunState::Running));
    let plan = plan(Verb::Stop, &workspace, &grounds, None, &Still).unwrap();
    assert!(plan_lines(&plan, plan.made_at).join("\n").contains("a backup is asked for before a stop"));
    let plan = without(plan, "it is too large".into());
    let lines = plan_lines(&plan, plan.made_at).join("\n");
    assert!(lines.contains("it is too large") && !lines.contains("asked for"), "{lines}");
}
