//! The list: every container, its state, its owner and project.

use std::collections::BTreeSet;

use outlast::core::workspace::RunState;
use outlast::port::{Can, Engine, Right};

use super::{listed, real, wait};
use crate::support::docker::unique;

#[test]
fn the_list_is_what_the_engine_itself_lists_with_the_same_states() {
    let Some((cli, docker)) = real() else { return };
    let label = format!("outlast.list={}", unique("list"));
    let mark = ["--label", label.as_str()];
    let runs = cli.container("runs").args(mark).run();
    let ended = cli.container("ended").args(mark).script("exit 3").run();
    ended.wait();
    let made = cli.container("made").args(mark).create();
    let paused = cli.container("paused").args(mark).run();
    cli.run(&["pause", &paused.id]);

    let (name, value) = label.split_once('=').unwrap();
    let ours: BTreeSet<_> = wait(docker.inventory())
        .unwrap()
        .workspaces
        .into_iter()
        .filter(|workspace| workspace.labels.get(name).is_some_and(|set| set == value))
        .map(|workspace| format!("{} {}", workspace.container.unwrap(), workspace.state.key()))
        .collect();
    let filter = format!("label={label}");
    let theirs = cli.run(&["ps", "-a", "--filter", &filter, "--format", "{{.Names}} {{.State}}"]);
    assert_eq!(ours, theirs.lines().map(str::to_string).collect());
    assert_eq!(listed(&docker, &runs).state, RunState::Running);
    assert_eq!(listed(&docker, &ended).state, RunState::Exited);
    assert_eq!(listed(&docker, &made).state, RunState::Created);
    cli.run(&["unpause", &paused.id]);
}

#[test]
fn a_container_shows_its_image_age_and_no_slash() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("plain").create();
    let workspace = listed(&docker, &container);
    assert_eq!(workspace.container.as_deref(), Some(container.name.as_str()));
    assert_eq!(workspace.image.as_deref(), Some(cli.base().as_str()));
    assert_eq!(workspace.image_id, Some(container.inspect("{{.Image}}")));
    let created: jiff::Timestamp = container.inspect("{{.Created}}").parse().unwrap();
    assert_eq!(workspace.created.unwrap().as_second(), created.as_second());
    let images = wait(docker.inventory()).unwrap().images.unwrap();
    assert!(images.iter().any(|image| image.tags.contains(&cli.base())));
}

#[test]
fn project_and_owner_are_read_from_names_with_a_number_or_a_name() {
    let Some((cli, docker)) = real() else { return };
    for suffix in ["1001", "alice"] {
        let project = unique("p");
        let container = cli.container("p").name(format!("{project}._.{suffix}")).create();
        let workspace = listed(&docker, &container);
        assert_eq!(workspace.name, project);
        assert_eq!(workspace.project, Some(project));
        assert_eq!(workspace.owner.name.as_deref(), Some("alice"), "{suffix}");
    }
}

#[test]
fn the_owner_is_found_step_by_step_and_never_guessed() {
    let Some((cli, docker)) = real() else { return };
    let all = ["ds01.user=ann", "aime.mlc.USER=ben", "devcontainer.local_folder=/home/cem/project"];
    let owner = |labels: &[&str], suffix: &str| {
        let labels = labels.iter().flat_map(|label| ["--label", label]);
        let name = format!("{}{suffix}", unique("o"));
        let container = cli.container("o").name(name).args(labels).create();
        listed(&docker, &container).owner.name
    };
    assert_eq!(owner(&all, "._.dan").as_deref(), Some("ann"));
    assert_eq!(owner(&all[1..], "._.dan").as_deref(), Some("ben"));
    assert_eq!(owner(&all[2..], "._.dan").as_deref(), Some("cem"));
    assert_eq!(owner(&[], "._.dan").as_deref(), Some("dan"));
    assert_eq!(owner(&[], ""), None);
}

#[test]
fn hostile_labels_arrive_as_they_are() {
    let Some((cli, docker)) = real() else { return };
    let nasty = "red\u{1b}[31m\u{202e}\nsecond line\t\u{9b}";
    let label = format!("outlast.nasty={nasty}");
    let long = format!("outlast.long={}", "x".repeat(4096));
    let user = format!("ds01.user={nasty}");
    let container =
        cli.container("nasty").args(["--label", &label, "--label", &long, "--label", &user]).create();
    let workspace = listed(&docker, &container);
    assert_eq!(workspace.labels["outlast.nasty"], nasty);
    assert_eq!(workspace.labels["outlast.long"].len(), 4096);
    assert_eq!(workspace.owner.name.as_deref(), Some(nasty));
}

#[test]
fn a_first_contact_tells_product_and_rights() {
    let Some((cli, docker)) = real() else { return };
    let probe = wait(docker.probe()).unwrap();
    let version = cli.run(&["version", "--format", "{{.Server.Version}}"]);
    assert!(probe.product.ends_with(&version), "{}", probe.product);
    assert_eq!(probe.capabilities.can(Right::Watch), Can::Yes);
    assert_eq!(probe.capabilities.can(Right::Run), Can::Yes);
    if rustix::process::getuid().is_root() {
        assert_eq!(probe.capabilities.can(Right::ScanAll), Can::Yes);
    }
}
