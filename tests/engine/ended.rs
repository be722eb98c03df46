//! How a container ended, what it holds, and that starting and stopping works.

use outlast::core::aftermath::Aftermath;
use outlast::core::error::Kind;
use outlast::core::plan::{Step, Verb};
use outlast::core::workspace::{RestartPolicy, RunState};
use outlast::port::Engine;

use super::{detail, key, real, wait};
use crate::support::docker::{Container, missing};

fn step(verb: Verb, container: &Container) -> Step {
    Step {
        verb,
        subject: key(container),
        name: container.name.clone(),
        call: String::new(),
        bytes: None,
        loses: Vec::new(),
        reversible_by: None,
        files: None,
        job: None,
        deed: None,
    }
}

#[test]
fn a_container_that_overran_its_memory_says_so() {
    let Some((cli, docker)) = real() else { return };
    // `tail` keeps a line that never ends; as the first process it is the one that is killed.
    let args = ["--memory", "16m", "--memory-swap", "16m"];
    let container = cli.container("oom").args(args).script("exec tail /dev/zero").run();
    // The engine hears of the kill and of the end from two sides, and drops the first where the
    // second comes before it: another try is as good.
    let told = (0..10).any(|_| {
        container.wait();
        let told = container.inspect("{{.State.OOMKilled}}") == "true";
        if !told {
            container.start();
        }
        told
    });
    if !told {
        let why = container.inspect("limit {{.HostConfig.Memory}}, exit {{.State.ExitCode}}");
        let _: Option<()> = missing(&format!("this engine never reports a lack of memory ({why})"));
        return;
    }
    let detail = detail(&docker, &container);
    assert!(detail.oom);
    assert_eq!(detail.exit_cause().as_deref(), Some("out of memory (exit 137)"));
    assert!(detail.finished > detail.started);
}

#[test]
fn exit_code_restarts_and_policy_are_those_of_the_engine() {
    let Some((cli, docker)) = real() else { return };
    let args = ["--restart", "on-failure:2"];
    let container = cli.container("fails").args(args).script("exit 7").run();
    let ended = || container.inspect("{{.State.Status}}") == "exited";
    let begun = std::time::Instant::now();
    while !ended() && begun.elapsed().as_secs() < 20 {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let detail = detail(&docker, &container);
    assert_eq!(detail.exit_code, Some(7));
    assert_eq!(detail.restarts, 2);
    assert_eq!(detail.restart_policy, RestartPolicy::OnFailure);
    assert_eq!(detail.exit_cause().as_deref(), Some("failed (exit 7)"));
}

#[test]
fn a_container_that_could_not_start_tells_the_engines_words() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("nostart").args(["--entrypoint", "/no/such/program"]).create();
    let start = wait(docker.run(&step(Verb::Start, &container)));
    assert!(start.unwrap_err().message.contains("/no/such/program"));
    let detail = detail(&docker, &container);
    assert_eq!(detail.state, RunState::Created);
    assert!(detail.error.unwrap().contains("/no/such/program"));
    assert_eq!(detail.started, None);
}

#[test]
fn a_container_that_runs_has_no_exit_code_yet() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("runs").args(["--workdir", "/opt", "--user", "u"]).run();
    let detail = detail(&docker, &container);
    assert_eq!((detail.exit_code, detail.finished), (None, None));
    assert!(detail.started.is_some());
    assert_eq!(detail.workdir.as_deref(), Some("/opt".as_ref()));
    assert_eq!(detail.user.as_deref(), Some("u"));
    assert_eq!(detail.on_stop, Aftermath::Stays);
}

#[test]
fn graphics_processors_are_shown_with_the_fact_that_names_them() {
    let Some((cli, docker)) = real() else { return };
    let args = ["--label", "ds01.gpu.allocated=1", "--env", "NVIDIA_VISIBLE_DEVICES=0", "--gpus", "2"];
    let container = cli.container("gpu").args(args).create();
    let gpus = detail(&docker, &container).gpus;
    let said: Vec<_> = gpus.iter().map(|gpu| (gpu.name.as_str(), gpu.from.as_str())).collect();
    let expected =
        [("1", "label ds01.gpu.allocated"), ("2 of any", "device request"), ("0", "NVIDIA_VISIBLE_DEVICES")];
    assert_eq!(said, expected);
}

#[test]
fn stop_and_start_do_what_they_say_and_may_be_repeated() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("steps").run();
    for (verb, status) in
        [(Verb::Stop, "exited"), (Verb::Stop, "exited"), (Verb::Start, "running"), (Verb::Start, "running")]
    {
        wait(docker.run(&step(verb, &container))).unwrap();
        assert_eq!(container.inspect("{{.State.Status}}"), status, "{verb:?}");
    }
    container.rm();
    let error = wait(docker.run(&step(Verb::Stop, &container))).unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
}

#[test]
fn a_container_that_vanishes_between_list_and_look_is_not_found() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("gone").create();
    wait(docker.inventory()).unwrap();
    container.rm();
    let error = wait(docker.detail(&key(&container))).unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    assert!(!error.hints.is_empty());
}
