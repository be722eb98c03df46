//! Looks at single paths, and links followed inside the container's root.

use std::path::{Path, PathBuf};

use outlast::core::classify::{Classifier, Origin};
use outlast::core::error::Kind;
use outlast::core::event::Event;
use outlast::core::facts::Facts;
use outlast::core::fate::Verdict;
use outlast::core::path::{Resolver, Step};
use outlast::core::storage::StorageKind;
use outlast::engine::docker::Docker;
use outlast::port::{Engine, Look, PathKind};

use super::{detail, key, plain, real, real_as_root, wait};
use crate::support::docker::Container;

fn look(docker: &Docker, container: &Container, path: &str) -> Look {
    wait(docker.look(&key(container), &detail(docker, container), Path::new(path))).unwrap()
}

/// Follows links the way the product does: one look at a time.
fn resolve(docker: &Docker, container: &Container, path: &str) -> PathBuf {
    let mut resolver = Resolver::new(Path::new(path));
    loop {
        match resolver.step() {
            Step::Ask(at) => match look(docker, container, at.to_str().unwrap()).kind {
                PathKind::Link(to) => resolver.answer(Some(&to)),
                _ => resolver.answer(None),
            },
            Step::Done(path) => return path,
            Step::Loop => panic!("{path} leads in circles"),
        }
    }
}

#[test]
fn links_are_followed_inside_the_container_running_and_stopped() {
    let Some((cli, docker)) = real() else { return };
    let volume = cli.volume("ws", &[]);
    let container = cli.container("links").args(["-v", &format!("{}:/workspace", volume.name)]).run();
    container.exec("ln -s /tmp/out /workspace/out; mkdir /tmp/out; echo 1 > /tmp/out/model.pt");
    container.exec("ln -s ../../workspace/m /home/u/m; mkdir /workspace/m; echo 1 > /workspace/m/a");
    // On the host this link would lead to a file that exists there.
    container.exec("ln -s /etc/shadow /root/trap");
    for _ in 0..2 {
        let detail = detail(&docker, &container);
        let rules = plain();
        let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
        let fate = |path: &str| {
            let real = resolve(&docker, &container, path);
            let explanation = classifier.explain(&real, Origin::Layer);
            (real, explanation.storage, explanation.fates.verdict(Event::Retire))
        };
        assert_eq!(
            fate("/workspace/out/model.pt"),
            ("/tmp/out/model.pt".into(), StorageKind::WritableLayer, Verdict::Lost)
        );
        assert_eq!(fate("/home/u/m/a"), ("/workspace/m/a".into(), StorageKind::NamedVolume, Verdict::Kept));
        assert_eq!(look(&docker, &container, "/etc/shadow").kind, PathKind::Absent);
        container.stop();
    }
}

#[test]
fn what_is_the_images_and_what_is_the_layers_is_told_apart() {
    let Some((cli, docker)) = real_as_root() else { return };
    let container = cli.container("origin").run();
    container.exec("echo 1 > /root/new; echo more >> /etc/passwd; rm /opt/from-image; mkdir /tmp/d");
    for _ in 0..2 {
        let at = |path: &str| look(&docker, &container, path);
        assert_eq!(at("/root/new"), Look { kind: PathKind::File, origin: Origin::Layer });
        assert_eq!(at("/etc/passwd"), Look { kind: PathKind::File, origin: Origin::Layer });
        assert_eq!(at("/bin/busybox"), Look { kind: PathKind::File, origin: Origin::Image });
        assert_eq!(at("/opt/from-image"), Look { kind: PathKind::Absent, origin: Origin::Absent });
        assert_eq!(at("/tmp/d"), Look { kind: PathKind::Directory, origin: Origin::Layer });
        assert_eq!(at("/root/nothing"), Look { kind: PathKind::Absent, origin: Origin::Absent });
        container.stop();
    }
}

#[test]
fn a_look_into_a_container_that_is_gone_is_not_an_absent_path() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("gone").create();
    let detail = detail(&docker, &container);
    container.rm();
    let error = wait(docker.look(&key(&container), &detail, Path::new("/tmp"))).unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
}
