//! Reports at a fixed moment: objects, timers, what happened, what to do.

use jiff::SignedDuration;

use super::*;
use crate::core::event::Event;
use crate::core::fate::Verdict;
use crate::core::workspace::{Gpu, RestartPolicy};
use crate::port::Image;
use crate::work::fake::{self, Fake, block_on};

/// Any moment.
const NOW: Timestamp = Timestamp::constant(1_790_000_000, 0);

fn ago(minutes: i64) -> Option<Timestamp> {
    NOW.checked_sub(SignedDuration::from_mins(minutes)).ok()
}

/// A container dressed as one of DS01.
fn ds01() -> Workspace {
    let mut workspace = fake::workspace("p");
    workspace.labels.insert("ds01.user".into(), "alice".into());
    workspace.owner.name = Some("alice".into());
    workspace
}

fn stopped(minutes: i64, code: i64) -> Detail {
    Detail { finished: ago(minutes), exit_code: Some(code), ..fake::detail(RunState::Exited) }
}

fn stand(workspace: &Workspace, detail: Detail) -> Grounds {
    block_on(ground::stand(&fake::profiles(), workspace, detail)).at(workspace, NOW)
}

fn of(workspace: &Workspace, grounds: &Grounds, images: Option<&[Image]>) -> Lifecycle {
    of_surrounded(workspace, grounds, images, None)
}

fn of_surrounded(
    workspace: &Workspace,
    grounds: &Grounds,
    images: Option<&[Image]>,
    surroundings: Option<&Surroundings>,
) -> Lifecycle {
    let folder = grounds.classifier().folder().and_then(|mount| mount.host_path.clone());
    let layers = roster::layers(workspace, Some(&grounds.detail), images, folder.as_deref());
    let about = About {
        workspace,
        detail: Some(&grounds.detail),
        rules: &grounds.rules,
        facts: grounds.facts,
        covers: &grounds.covers,
        timing: &grounds.timing,
        layers: &layers,
        surroundings,
    };
    report(&about, NOW)
}

fn object<'r>(report: &'r Lifecycle, id: &str) -> &'r Object {
    report.objects.iter().find(|object| object.id == id).unwrap()
}

fn commands(situation: &Situation) -> Vec<&str> {
    situation.steps.iter().filter_map(|step| step.command.as_deref()).collect()
}

#[test]
fn a_container_that_exited_20_minutes_ago_is_removed_in_10() {
    let report = of(&ds01(), &stand(&ds01(), stopped(20, 1)), None);
    assert_eq!(report.next.as_deref(), Some("hold"));
    assert_eq!(report.timers[0].sentence, "10 min left until it is removed");
    assert_eq!(object(&report, "container").lifetime, "until removed, in 10 min at the latest");
}

#[test]
fn past_its_hold_a_stopped_container_is_lost_and_before_that_it_depends() {
    let stop = |minutes| {
        let grounds = stand(&ds01(), stopped(minutes, 0));
        let layer = grounds.classifier().mount(&grounds.detail.mounts[0]).fates.verdict(Event::Stop);
        (object(&of(&ds01(), &grounds, None), "container").answers.verdict(Event::Stop), layer)
    };
    let (before, layer) = stop(29);
    assert!(
        matches!(before, Verdict::KeptIf(_)) && matches!(layer, Verdict::KeptIf(_)),
        "{before:?} {layer:?}"
    );
    assert_eq!(stop(31), (Verdict::Lost, Verdict::Lost));
}

#[test]
fn a_stopped_container_that_starts_again_is_no_longer_past_its_hold() {
    let grounds = stand(&ds01(), stopped(31, 0));
    let running = stand(&ds01(), fake::detail(RunState::Running));
    let again = Grounds { facts: grounds.facts, ..running }.at(&ds01(), NOW);
    assert_eq!(again.facts.holds(crate::core::fate::Condition::RestartedInTime), None);
}

#[test]
fn a_gpu_is_reserved_for_a_while_after_a_stop_and_then_released() {
    let at = |minutes| {
        let gpus = vec![Gpu { name: "1".into(), from: "label ds01.gpu.allocated".into() }];
        let report = of(&ds01(), &stand(&ds01(), Detail { gpus, ..stopped(minutes, 0) }), None);
        let gpu = object(&report, "gpu");
        (
            gpu.lifetime.clone(),
            gpu.exists,
            report.gpu_released,
            gpu.answers.verdict(Event::Stop) == Verdict::Lost,
        )
    };
    assert_eq!(at(10), ("reserved for another 5 min".into(), Some(true), false, false));
    assert_eq!(at(16), ("released".into(), Some(false), true, true));
    // What was released already is not what comes next.
    let gpus = vec![Gpu { name: "1".into(), from: String::new() }];
    let report = of(&ds01(), &stand(&ds01(), Detail { gpus, ..stopped(20, 0) }), None);
    assert_eq!(report.next.as_deref(), Some("hold"));
}

#[test]
fn a_running_container_without_a_gpu_is_not_subject_to_the_idle_timeout() {
    let report = of(&ds01(), &stand(&ds01(), fake::detail(RunState::Running)), None);
    let sentence = |id: &str| report.timers.iter().find(|timer| timer.id == id).unwrap().sentence.clone();
    assert_eq!(sentence("idle"), "not subject: no GPU");
    assert_eq!(sentence("max_runtime"), "not subject: no GPU");
}

#[test]
fn idleness_that_nobody_measured_is_not_known_and_says_why() {
    let gpus = vec![Gpu { name: "1".into(), from: String::new() }];
    let detail = Detail { gpus, started: ago(60), ..fake::detail(RunState::Running) };
    let mut grounds = stand(&ds01(), detail);
    let idle = |grounds: &Grounds| {
        let report = of(&ds01(), grounds, None);
        report.timers.into_iter().find(|timer| timer.id == "idle").unwrap()
    };
    let row = idle(&grounds);
    assert_eq!((row.state, row.sentence.as_str()), ("unknown", "not known: when it was last active"));
    assert!(row.notes.contains(&"activity is not measured yet".to_string()), "{:?}", row.notes);
    grounds.timing = Arc::new(Timing { keep_alive: ago(25 * 60), ..Timing::default() });
    assert!(idle(&grounds).notes.iter().any(|note| note.starts_with("keep-alive expired")));
    grounds.timing = Arc::new(Timing { keep_alive: ago(60), ..Timing::default() });
    let held = idle(&grounds);
    assert_eq!(held.sentence, "held off by keep-alive for another 23 h, then it is stopped and removed");
}

#[test]
fn a_container_that_never_started_counts_from_when_it_was_made() {
    let mut workspace = ds01();
    workspace.state = RunState::Created;
    workspace.created = ago(25);
    let report = of(&workspace, &stand(&workspace, fake::detail(RunState::Created)), None);
    assert_eq!(report.timers[0].sentence, "5 min left until it is removed");
    assert_eq!(report.situations[0].scenario, Scenario::NeverStarted);
}

#[test]
fn max_hours_of_vessl_count_from_the_start() {
    let mut workspace = fake::workspace("w");
    workspace.labels.insert("outlast.profile".into(), "vessl".into());
    workspace.labels.insert("max_hours".into(), "24".into());
    let detail = Detail { started: ago(23 * 60), ..fake::detail(RunState::Running) };
    let report = of(&workspace, &stand(&workspace, detail), None);
    let timer = &report.timers[0];
    assert_eq!((timer.sentence.as_str(), timer.urgency), ("1 h left until it is stopped", "critical"));
    assert_eq!(report.after_reboot, Return::ComesBackNew);
    let ids: Vec<_> = report.objects.iter().map(|object| (object.id, object.title.as_str())).collect();
    assert!(ids.contains(&("container", "pod")) && ids.contains(&("start_script", "init script")), "{ids:?}");
    assert!(ids.contains(&("backups", "backup archive")), "{ids:?}");
}

#[test]
fn a_crash_says_its_cause_what_is_left_and_how_to_start_again() {
    let report = of(&ds01(), &stand(&ds01(), stopped(1, 3)), None);
    let [crash] = report.situations.as_slice() else { panic!("{:?}", report.situations) };
    assert_eq!(crash.title, "Crashed: failed (exit 3)");
    assert!(crash.kept.contains(&"container".into()) && crash.kept.contains(&"workspace".into()));
    assert!(crash.lost.contains(&"processes, RAM".into()), "{:?}", crash.lost);
    assert_eq!(commands(crash), ["docker start p", "docker logs --tail 50 p"]);
    assert_eq!(crash.steps[0].key, Some("S"));
}

#[test]
fn a_name_that_means_harm_is_quoted_or_not_offered() {
    let mut workspace = ds01();
    workspace.container = Some("p; reboot".into());
    let report = of(&workspace, &stand(&workspace, stopped(1, 3)), None);
    assert_eq!(commands(&report.situations[0])[0], "docker start 'p; reboot'");
    workspace.container = Some("p\x1b[2J".into());
    let report = of(&workspace, &stand(&workspace, stopped(1, 3)), None);
    assert_eq!(commands(&report.situations[0]), [""; 0]);
}

#[test]
fn without_its_image_the_container_is_saved_first_and_the_image_built_or_fetched_again() {
    let grounds = stand(&ds01(), fake::detail(RunState::Running));
    let report = of(&ds01(), &grounds, Some(&[]));
    let [deleted] = report.situations.as_slice() else { panic!("{:?}", report.situations) };
    assert_eq!(deleted.scenario, Scenario::ImageDeleted);
    assert!(deleted.lost.contains(&"image".into()) && deleted.kept.contains(&"container".into()));
    assert_eq!(commands(deleted), ["docker export p | docker import - p:saved", "docker pull debian:12"]);
    let around =
        Surroundings { dockerfile: Some("/home/u/workspace/p/Dockerfile".into()), ..Surroundings::default() };
    let report = of_surrounded(&ds01(), &grounds, Some(&[]), Some(&around));
    let build = "docker build -t debian:12 -f /home/u/workspace/p/Dockerfile /home/u/workspace/p";
    assert_eq!(commands(&report.situations[0])[1], build);
}

#[test]
fn a_deleted_folder_is_read_through_the_container_that_still_sees_it() {
    let gone = |state| {
        let mut detail = fake::detail(state);
        let backing = Backing::HostDir { path: "/home/u/workspace/p".into(), source: Source::Deleted };
        let at = detail.mounts.iter().position(|mount| mount.target == Path::new("/workspace")).unwrap();
        detail.mounts[at] = Mount::new("/workspace".into(), "/home/u/workspace/p".into(), backing, None);
        let report = of(&ds01(), &stand(&ds01(), detail), None);
        let situation = report.situations[0].clone();
        assert_eq!(situation.scenario, Scenario::WorkspaceDeleted);
        assert!(situation.lost.contains(&"workspace".into()), "{:?}", situation.lost);
        assert_eq!(object(&report, "workspace").exists, Some(false));
        situation
    };
    let up = gone(RunState::Running);
    assert_eq!(commands(&up), ["docker exec p tar -C /workspace -cf - . | tar -xkf -"]);
    let down = gone(RunState::Exited);
    assert!(commands(&down).is_empty());
    assert!(down.steps[0].says.contains("empty one"), "a start would hide the loss: {:?}", down.steps);
}

#[test]
fn a_retired_workspace_is_made_again_from_its_image_with_the_same_folder() {
    let images = [Image { id: "sha256:1".into(), tags: vec!["p:latest".into()] }];
    let mut workspace = fake::workspace("p");
    workspace.state = RunState::Retired;
    workspace.container = None;
    let of = |workspace: &Workspace, images: &[Image], folder: &str| {
        let layers = roster::layers(workspace, None, Some(images), Some(Path::new(folder)));
        let rules = fake::profiles().without_workspace();
        let about = About {
            workspace,
            detail: None,
            rules: &rules,
            facts: Facts::default(),
            covers: &[],
            timing: &Timing::default(),
            layers: &layers,
            surroundings: None,
        };
        report(&about, NOW)
    };
    let report = of(&workspace, &images, "/home/u/workspace/p");
    assert_eq!(report.situations[0].scenario, Scenario::Retired);
    assert!(report.situations[0].lost.contains(&"container".into()));
    assert_eq!(
        commands(&report.situations[0]),
        ["docker run -it --name p --mount type=bind,src=/home/u/workspace/p,dst=/workspace p:latest"]
    );
    assert!(commands(&of(&workspace, &images, "/home/u/a,readonly").situations[0]).is_empty());
    let without = of(&workspace, &[], "/home/u/workspace/p");
    let [retired] = without.situations.as_slice() else { panic!("{:?}", without.situations) };
    assert!(commands(retired).is_empty() && retired.steps[0].says.contains("of your choice"));
}

#[test]
fn the_restart_policy_says_what_comes_back_after_a_reboot() {
    let after = |state, restart_policy| {
        let detail = Detail { restart_policy, ..fake::detail(state) };
        of(&ds01(), &stand(&ds01(), detail), None).after_reboot
    };
    assert_eq!(after(RunState::Running, RestartPolicy::No), Return::WillNotReturn);
    assert_eq!(after(RunState::Running, RestartPolicy::Always), Return::ComesBack);
    assert_eq!(after(RunState::Running, RestartPolicy::UnlessStopped), Return::ComesBack);
    assert_eq!(after(RunState::Running, RestartPolicy::OnFailure), Return::AfterFailure);
    assert_eq!(
        after(RunState::Exited, RestartPolicy::UnlessStopped),
        Return::NotRunning,
        "somebody stopped it"
    );
    assert_eq!(after(RunState::Exited, RestartPolicy::Always), Return::ComesBack);
}

#[test]
fn a_keep_alive_file_is_never_looked_for_behind_a_link() {
    let base = tempfile::tempdir().unwrap();
    let find = |rest: &str| changed(base.path(), Path::new(rest)).unwrap().is_some();
    std::fs::create_dir(base.path().join("real")).unwrap();
    std::fs::write(base.path().join("real/.keep-alive"), "").unwrap();
    std::os::unix::fs::symlink("real", base.path().join("link")).unwrap();
    std::os::unix::fs::symlink("real/.keep-alive", base.path().join(".keep-alive")).unwrap();
    assert!(find("real/.keep-alive"));
    assert!(!find("link/.keep-alive") && !find(".keep-alive") && !find("none") && !find("real"));
    assert!(changed(base.path(), Path::new("../x")).is_err());
}

#[test]
fn files_of_this_host_say_nothing_about_a_far_engine() {
    let grounds = stand(&ds01(), stopped(20, 1));
    assert_eq!(Fake::default().endpoint().address, "");
    assert_eq!(block_on(timing(&Fake::default(), &grounds)), Timing::default());
}

#[test]
fn the_projects_below_a_whole_root_are_listed_and_another_place_is_told() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a", "b", ".hidden"] {
        std::fs::create_dir(root.path().join(name)).unwrap();
    }
    let at = |path: &Path| {
        let mut detail = fake::detail(RunState::Running);
        let backing = Backing::HostDir { path: path.into(), source: Source::Present };
        let place = detail.mounts.iter().position(|mount| mount.target == Path::new("/workspace")).unwrap();
        detail.mounts[place] = Mount::new("/workspace".into(), String::new(), backing, Some("ext4".into()));
        let (workspace, roots) = (ds01(), [root.path().to_path_buf()]);
        let grounds = stand(&workspace, detail);
        let around = block_on(surroundings(&Fake::default(), &fake::profiles(), &workspace, &grounds, &roots));
        let folder = around.folder.unwrap();
        (folder.place, folder.projects)
    };
    assert_eq!(at(root.path()), (Place::WholeRoot, vec!["a".into(), "b".into()]));
    assert_eq!(at(&root.path().join("a")), (Place::Project, vec![]));
    assert_eq!(at(Path::new("/srv/elsewhere")), (Place::NotDefault, vec![]));
    assert_eq!(at(Path::new("/home/alice/workspace/p")), (Place::Project, vec![]), "its owner's own root");
}
