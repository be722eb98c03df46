//! Predictions against what really happens: a file is written to every kind of
//! storage, the event is performed, and what is left is compared.

use std::path::{Path, PathBuf};

use outlast::core::classify::{Classifier, Origin};
use outlast::core::event::Event;
use outlast::core::facts::Facts;
use outlast::core::fate::{Condition, Verdict};
use outlast::core::storage::StorageKind;

use super::{detail, in_folder, mount, plain, real_as_root};
use crate::support::docker::{Cli, Container, Volume};

/// One file on each kind of storage.
const FILES: [(&str, StorageKind); 8] = [
    ("/root/model.pt", StorageKind::WritableLayer),
    ("/tmp/model.pt", StorageKind::WritableLayer),
    ("/workspace/model.pt", StorageKind::BindMount),
    ("/workspace/.cache/model.pt", StorageKind::Tmpfs),
    ("/data/model.pt", StorageKind::NamedVolume),
    ("/anon/model.pt", StorageKind::AnonymousVolume),
    ("/scratch/model.pt", StorageKind::Tmpfs),
    ("/dev/shm/model.pt", StorageKind::Tmpfs),
];

/// A container with one file on each kind of storage, and where they are on the host.
struct Stage {
    container: Container,
    folder: tempfile::TempDir,
    volume: Volume,
    anonymous: Volume,
}

impl Stage {
    fn set(cli: &Cli, args: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/srv").unwrap();
        let volume = cli.volume("kept", &[]);
        let container = cli
            .container("performed")
            .args(["-v", &format!("{}:/workspace", folder.path().display())])
            .args(["-v", &format!("{}:/data", volume.name), "-v", "/anon"])
            .args(["--tmpfs", "/scratch", "--tmpfs", "/workspace/.cache"])
            .args(args.iter().copied())
            .run();
        for (path, _) in FILES {
            container.exec(&format!("echo weights > {path}"));
        }
        let name = "{{range .Mounts}}{{if eq .Destination \"/anon\"}}{{.Name}}{{end}}{{end}}";
        let anonymous = Volume::left_behind(cli, &container.inspect(name));
        Self { container, folder, volume, anonymous }
    }

    /// Where a file is on the host while no container holds it; `None` where only a container could.
    fn on_host(&self, path: &str) -> Option<PathBuf> {
        let below = |place: Option<PathBuf>, target: &str| Some(place?.join(path.strip_prefix(target)?));
        below(self.volume.place(), "/data/")
            .or_else(|| below(self.anonymous.place(), "/anon/"))
            .or_else(|| below(Some(self.folder.path().into()), "/workspace/"))
    }
}

/// What the core predicts for each file, before anything happens.
fn predictions(docker: &outlast::engine::docker::Docker, stage: &Stage, event: Event) -> Vec<Verdict> {
    let (detail, rules) = (detail(docker, &stage.container), plain());
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
    let predict = |(path, kind): (&str, StorageKind)| {
        let explanation = classifier.explain(Path::new(path), Origin::Layer);
        assert_eq!(explanation.storage, kind, "{path}");
        explanation.fates.verdict(event)
    };
    FILES.into_iter().map(predict).collect()
}

fn compare(predicted: &[Verdict], left: impl Fn(&str) -> bool, event: &str) {
    for ((path, _), verdict) in FILES.into_iter().zip(predicted) {
        let kept = match verdict {
            // Nobody removed unused volumes in this test.
            Verdict::Kept | Verdict::KeptIf(Condition::OrphanVolumeKept) => true,
            Verdict::Lost => false,
            other => panic!("{path}: {other:?} is not a prediction that can be performed"),
        };
        assert_eq!(left(path), kept, "{event}: {path} was predicted {verdict:?}");
    }
}

#[test]
fn a_crash_leaves_what_was_predicted() {
    let Some((cli, docker)) = real_as_root() else { return };
    let stage = Stage::set(&cli, &[]);
    let predicted = predictions(&docker, &stage, Event::Crash);
    stage.container.kill();
    stage.container.start();
    compare(&predicted, |path| stage.container.succeeds(&format!("test -e {path}")), "crash");
}

#[test]
fn a_main_process_that_ends_by_itself_leaves_what_was_predicted() {
    let Some((cli, docker)) = real_as_root() else { return };
    let stage = Stage::set(&cli, &["--restart", "always"]);
    let predicted = predictions(&docker, &stage, Event::Crash);
    let began = stage.container.inspect("{{.State.StartedAt}}");
    // Nothing inside may kill the first process with force; ending by a signal it handles is as good.
    stage.container.exec("kill -TERM 1");
    let again = || {
        stage.container.inspect("{{.State.StartedAt}} {{.State.Running}}").ends_with("true")
            && stage.container.inspect("{{.State.StartedAt}}") != began
    };
    let clock = std::time::Instant::now();
    while !again() && clock.elapsed().as_secs() < 20 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    compare(&predicted, |path| stage.container.succeeds(&format!("test -e {path}")), "exit and restart");
}

#[test]
fn a_stop_and_start_leaves_what_was_predicted() {
    let Some((cli, docker)) = real_as_root() else { return };
    let stage = Stage::set(&cli, &[]);
    let predicted = predictions(&docker, &stage, Event::Stop);
    stage.container.stop();
    stage.container.start();
    compare(&predicted, |path| stage.container.succeeds(&format!("test -e {path}")), "stop and start");
}

#[test]
fn retiring_leaves_what_was_predicted() {
    let Some((cli, docker)) = real_as_root() else { return };
    let stage = Stage::set(&cli, &[]);
    let predicted = predictions(&docker, &stage, Event::Retire);
    stage.container.rm();
    compare(&predicted, |path| stage.on_host(path).is_some_and(|path| path.exists()), "retire");
}

#[test]
fn stopping_a_container_that_removes_itself_leaves_what_was_predicted() {
    let Some((cli, docker)) = real_as_root() else { return };
    let stage = Stage::set(&cli, &["--rm"]);
    let predicted = predictions(&docker, &stage, Event::Stop);
    stage.container.stop();
    let begun = std::time::Instant::now();
    while (stage.container.exists() || stage.anonymous.place().is_some()) && begun.elapsed().as_secs() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(!stage.container.exists());
    compare(&predicted, |path| stage.on_host(path).is_some_and(|path| path.exists()), "--rm and stop");
}

#[test]
fn a_crash_of_a_container_that_removes_itself_leaves_what_was_predicted() {
    let Some((cli, docker)) = real_as_root() else { return };
    let stage = Stage::set(&cli, &["--rm"]);
    let predicted = predictions(&docker, &stage, Event::Crash);
    cli.run(&["kill", "-s", "KILL", &stage.container.id]);
    let begun = std::time::Instant::now();
    while (stage.container.exists() || stage.anonymous.place().is_some()) && begun.elapsed().as_secs() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    compare(&predicted, |path| stage.on_host(path).is_some_and(|path| path.exists()), "--rm and crash");
}

#[test]
fn removing_the_image_leaves_an_existing_container_its_files() {
    let Some((cli, docker)) = real_as_root() else { return };
    let tag = format!("{}:1", crate::support::docker::unique("image"));
    cli.run(&["tag", &cli.base(), &tag]);
    let container = cli.container("image").image(&tag).run();
    container.exec("echo weights > /root/model.pt");
    let (detail, rules) = (detail(&docker, &container), plain());
    let facts = Facts::default().with(Condition::ContainerExists, Some(true));
    let classifier = Classifier { detail: &detail, rules: &rules, facts, covers: &[] };
    for (path, origin) in [("/root/model.pt", Origin::Layer), ("/opt/from-image", Origin::Image)] {
        let explanation = classifier.explain(Path::new(path), origin);
        assert_eq!(explanation.fates.verdict(Event::ImageRemoval), Verdict::Kept, "{path}");
    }
    cli.run(&["rmi", "-f", &tag]);
    container.stop();
    container.start();
    assert!(container.succeeds("test -e /root/model.pt && test -e /opt/from-image"));
    assert_eq!(mount(&detail, "/").storage, StorageKind::WritableLayer);
}

/// One bind mount and the file `model.pt` in it, through one event; predicted, performed, compared.
fn bind_through(kind: StorageKind, folder: &Path, options: &str, event: Event, deleted: bool) {
    let Some((cli, docker)) = real_as_root() else { return };
    std::fs::write(folder.join("model.pt"), "weights").unwrap();
    let bind = format!("{}:/w{options}", folder.display());
    let container = cli.container("bind").args(["-v", &bind]).run();
    if deleted {
        std::fs::remove_dir_all(folder).unwrap();
    }
    let (detail, rules) = (detail(&docker, &container), plain());
    let classifier = Classifier { detail: &detail, rules: &rules, facts: Facts::default(), covers: &[] };
    let explanation = classifier.explain(Path::new("/w/model.pt"), Origin::Unknown);
    assert_eq!(explanation.storage, kind);
    let verdict = explanation.fates.verdict(event);
    assert!(matches!(verdict, Verdict::Kept | Verdict::Lost), "{event:?}: {verdict:?}");
    match event {
        Event::Crash => container.kill(),
        Event::Stop => container.stop(),
        Event::Retire => container.rm(),
        other => panic!("{other:?} is not performed here"),
    }
    assert_eq!(folder.join("model.pt").exists(), verdict == Verdict::Kept, "{event:?}");
}

const DAILY: [Event; 3] = [Event::Crash, Event::Stop, Event::Retire];

#[test]
fn a_bind_of_the_hosts_memory_is_kept_while_the_host_runs() {
    for event in DAILY {
        let folder = in_folder("/dev/shm");
        bind_through(StorageKind::BindMemory, folder.path(), "", event, false);
    }
}

#[test]
fn a_read_only_bind_is_kept() {
    for event in DAILY {
        let folder = in_folder("/srv");
        bind_through(StorageKind::BindMount, folder.path(), ":ro", event, false);
    }
}

#[test]
fn a_source_deleted_under_a_running_container_is_lost() {
    for event in DAILY {
        let folder = in_folder("/srv");
        bind_through(StorageKind::BindDeleted, folder.path(), "", event, true);
    }
}
