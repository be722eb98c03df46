//! Containers dressed as the platforms: each is recognised, then every event is performed on every
//! kind of storage, and what is left is compared with what was predicted.
//!
//! Where a platform makes a new container at every start, a stop is performed as it does it: the
//! container is removed, and another one is made with the same mounts. Backend.AI removes the
//! volumes without a name as well. Whoever made a session's directory erases it with the session.

use std::path::{Path, PathBuf};

use outlast::core::aftermath::Aftermath;
use outlast::core::classify::Grounds;
use outlast::core::event::Event;
use outlast::core::fate::{Basis, Verdict};
use outlast::core::storage::StorageKind;
use outlast::core::workspace::Workspace;
use outlast::engine::docker::Docker;
use outlast::work::explain::{Explained, explain};
use outlast::work::ground;

use super::{in_folder, listed, real_as_root, wait};
use crate::support::docker::{Cli, Container, Volume, unique};
use crate::support::model::profiles;

/// How a platform dresses its containers.
struct Dress {
    profile: &'static str,
    /// The folder that it keeps.
    folder: &'static str,
    /// Whether that folder is a volume rather than a directory of the host.
    on_volume: bool,
    /// Labels, variables, further mounts; `ROOT` is the stage's own directory.
    args: &'static [&'static str],
    /// Further files that are written.
    files: &'static [(&'static str, StorageKind)],
}

const DRESSES: [Dress; 5] = [
    Dress { profile: "docker", folder: "/workspace", on_volume: false, args: &[], files: &[] },
    Dress {
        profile: "ds01",
        folder: "/workspace",
        on_volume: false,
        args: &[
            "--label=ds01.user=1001",
            "--label=ds01.managed=true",
            "--label=ds01.interface=atomic",
            "--env=HF_HOME=/workspace/.cache/huggingface",
            "--workdir=/workspace",
            "-vROOT/ssh:/home/u/.ssh:ro",
            "-vROOT/models:/models",
        ],
        files: &[
            ("/home/u/notes.ipynb", StorageKind::WritableLayer),
            ("/models/m.pt", StorageKind::BindMount),
            ("/data/x", StorageKind::WritableLayer),
        ],
    },
    Dress {
        profile: "vessl",
        folder: "/home/vessl",
        on_volume: true,
        args: &["--env=VESSL_DEFAULT_ORGANIZATION=lab", "--env=VESSL_ACCESS_TOKEN=x", "-vROOT/models:/input"],
        files: &[
            ("/home/vessl/.vessl/state", StorageKind::NamedVolume),
            ("/input/set", StorageKind::BindMount),
            ("/opt/tool", StorageKind::WritableLayer),
        ],
    },
    Dress {
        profile: "backendai",
        folder: "/home/work/data",
        on_volume: false,
        args: &[
            "--label=ai.backend.session-id=5f",
            "--label=ai.backend.kernel-id=77",
            "--label=ai.backend.owner-user-id=u",
            "--env=LOCAL_USER_ID=1000",
            "-vROOT/scratches/77/home:/home/work",
            "-vROOT/vf/local:/home/work/.local",
            "-vROOT/vf/brew:/home/linuxbrew/.linuxbrew",
        ],
        files: &[
            ("/home/work/plain.txt", StorageKind::BindScratch),
            ("/home/work/.conda/x", StorageKind::BindScratch),
            ("/home/work/.local/x", StorageKind::BindMount),
            ("/home/work/.linuxbrew/x", StorageKind::BindScratch),
            ("/home/linuxbrew/.linuxbrew/x", StorageKind::BindMount),
        ],
    },
    Dress {
        profile: "deeporigin",
        folder: "/home/bench-user",
        on_volume: true,
        args: &[],
        files: &[
            ("/home/bench-user/.local/bin/x", StorageKind::NamedVolume),
            ("/etc/apt/keyrings/x.gpg", StorageKind::WritableLayer),
            ("/usr/local/bin/tool", StorageKind::WritableLayer),
        ],
    },
];

/// A file on every kind of storage that can be made here, whatever the platform.
const FILES: [(&str, StorageKind); 11] = [
    ("/root/x", StorageKind::WritableLayer),
    ("/tmp/x", StorageKind::WritableLayer),
    ("/opt/from-image", StorageKind::ImageLayer),
    ("/named/x", StorageKind::NamedVolume),
    ("/anon/x", StorageKind::AnonymousVolume),
    ("/mem/x", StorageKind::Tmpfs),
    ("/dev/shm/x", StorageKind::Tmpfs),
    ("/hostmem/x", StorageKind::BindMemory),
    ("/hosttmp/x", StorageKind::BindTemp),
    ("/session/x", StorageKind::BindScratch),
    ("/read/x", StorageKind::BindMount),
];

/// One container of a platform with a file on every kind of storage.
struct Stage {
    cli: Cli,
    docker: Docker,
    dress: &'static Dress,
    root: tempfile::TempDir,
    memory: tempfile::TempDir,
    temp: tempfile::TempDir,
    named: Volume,
    home: Volume,
    image: String,
    container: Container,
    /// The volumes without a name that were made on the way.
    anonymous: Vec<Volume>,
}

impl Stage {
    fn set(dress: &'static Dress, more: &[&str]) -> Option<Self> {
        let (cli, docker) = real_as_root()?;
        let root = in_folder("/srv");
        for folder in ["project", "ssh", "models", "read", "vf/local", "vf/brew"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        std::fs::write(root.path().join("read/x"), "theirs").unwrap();
        let (memory, temp) = (in_folder("/dev/shm"), in_folder("/var/tmp"));
        let (named, home) = (cli.volume("named", &[]), cli.volume("home", &[]));
        let image = format!("{}:1", unique("dressed"));
        cli.run(&["tag", &cli.base(), &image]);
        let mut stage = Self {
            container: Container::none(&cli),
            anonymous: Vec::new(),
            cli,
            docker,
            dress,
            root,
            memory,
            temp,
            named,
            home,
            image,
        };
        stage.make(more);
        Some(stage)
    }

    /// Makes a container with the same mounts as any before it.
    fn make(&mut self, more: &[&str]) {
        let root = self.root.path().display().to_string();
        let own: Vec<String> = self.dress.args.iter().map(|arg| arg.replace("ROOT", &root)).collect();
        let folder = if self.dress.on_volume { self.home.name.clone() } else { format!("{root}/project") };
        let mounts = [
            format!("-v{folder}:{}", self.dress.folder),
            format!("-v{}:/named", self.named.name),
            "-v/anon".into(),
            "--tmpfs=/mem".into(),
            format!("--tmpfs={}/.cache", self.dress.folder),
            format!("-v{}:/hostmem", self.memory.path().display()),
            format!("-v{}:/hosttmp", self.temp.path().display()),
            format!("-v{root}/scratches/77/work:/session"),
            format!("-v{root}/read:/read:ro"),
        ];
        let args = own.iter().chain(&mounts).map(String::as_str).chain(more.iter().copied());
        self.container = self.cli.container(self.dress.profile).args(args).image(&self.image).run();
        let name = "{{range .Mounts}}{{if eq .Destination \"/anon\"}}{{.Name}}{{end}}{{end}}";
        self.anonymous.push(Volume::left_behind(&self.cli, &self.container.inspect(name)));
    }

    /// The files of this platform, each with the kind of storage it must be seen on.
    fn files(&self) -> Vec<(String, StorageKind)> {
        let folder = if self.dress.on_volume { StorageKind::NamedVolume } else { StorageKind::BindMount };
        let mut all = vec![
            (format!("{}/model.pt", self.dress.folder), folder),
            (format!("{}/.cache/x", self.dress.folder), StorageKind::Tmpfs),
        ];
        all.extend(FILES.iter().chain(self.dress.files).map(|(path, kind)| ((*path).to_string(), *kind)));
        all
    }

    fn write(&self) {
        let paths: Vec<String> = self.files().into_iter().map(|(path, _)| path).collect();
        let written: Vec<&String> =
            paths.iter().filter(|path| !path.starts_with("/read/") && !path.starts_with("/opt/from")).collect();
        let one = |path: &&String| format!("mkdir -p $(dirname {path}) && echo weights > {path}");
        self.container.exec(&written.iter().map(one).collect::<Vec<_>>().join(" && "));
        assert!(!self.container.succeeds("echo x > /read/new"), "what is read-only cannot be written");
    }

    fn look(&self) -> (Workspace, Grounds) {
        let workspace = listed(&self.docker, &self.container);
        let grounds = wait(ground::look(&self.docker, &profiles(), &workspace)).unwrap();
        (workspace, grounds)
    }

    /// What is predicted for every file, after writing it.
    fn predict(&self) -> Vec<(String, Explained)> {
        self.write();
        let (workspace, grounds) = self.look();
        let one = |(path, kind): (String, StorageKind)| {
            let answer = wait(explain(&self.docker, &workspace, &grounds, Path::new(&path))).unwrap();
            assert_eq!(answer.storage, kind, "{path} of {}", self.dress.profile);
            for event in [Event::Reboot, Event::HostLoss] {
                assert_eq!(answer.fates.of(event).basis, Basis::Derived, "{path}: nobody performs this");
            }
            (path, answer)
        };
        self.files().into_iter().map(one).collect()
    }

    /// Compares what is left with what was predicted for an event.
    fn compare(
        &self,
        predicted: &[(String, Explained)],
        event: Event,
        what: &str,
        left: impl Fn(&str) -> bool,
    ) {
        for (path, answer) in predicted {
            let verdict = answer.fates.verdict(event);
            let there = left(path);
            let right = match verdict {
                Verdict::Kept | Verdict::Rebuilt | Verdict::Untouched => there,
                Verdict::Lost => !there,
                Verdict::KeptIf(_) => true,
            };
            let profile = self.dress.profile;
            assert!(right, "{profile}, {what}: {path} was predicted {verdict:?}, and there is {there}");
        }
    }

    fn inside(&self, path: &str) -> bool {
        self.container.succeeds(&format!("test -e {path}"))
    }

    /// Where a file is while no container holds it.
    fn on_host(&self, path: &str) -> Option<PathBuf> {
        let root = self.root.path();
        let folder = if self.dress.on_volume { self.home.place() } else { Some(root.join("project")) };
        let first = self.anonymous.last().and_then(Volume::place);
        let models = Some(root.join("models"));
        let mut places = vec![
            (self.dress.folder, folder),
            ("/named", self.named.place()),
            ("/anon", first),
            ("/hostmem", Some(self.memory.path().into())),
            ("/hosttmp", Some(self.temp.path().into())),
            ("/session", Some(root.join("scratches/77/work"))),
            ("/read", Some(root.join("read"))),
            ("/models", models.clone()),
            ("/input", models),
            ("/home/work/.local", Some(root.join("vf/local"))),
            ("/home/linuxbrew/.linuxbrew", Some(root.join("vf/brew"))),
            ("/home/work", Some(root.join("scratches/77/home"))),
        ];
        places.retain(|(target, _)| Path::new(path).starts_with(target));
        let (target, place) = places.into_iter().max_by_key(|(target, _)| target.len())?;
        Some(place?.join(Path::new(path).strip_prefix(target).ok()?))
    }

    /// Whether a file is left when its container is gone; of the image, whether a new container has it.
    fn after_all(&self, path: &str) -> bool {
        if path == "/opt/from-image" {
            return self.cli.container("again").run().succeeds(&format!("test -e {path}"));
        }
        // A nested mount hides nothing once no container holds it: its stub is an empty folder.
        self.on_host(path).is_some_and(|path| path.exists())
    }

    /// Ends the container for good, as the platform does it.
    fn retire(&self) {
        if self.dress.profile == "backendai" {
            self.cli.run(&["rm", "-f", "-v", &self.container.id]);
        } else {
            self.container.rm();
        }
        let _ = std::fs::remove_dir_all(self.root.path().join("scratches"));
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.cli.try_run(&["rm", "-f", "-v", &self.container.id]);
        let _ = self.cli.try_run(&["rmi", "-f", &self.image]);
    }
}

fn recognised(stage: &Stage) -> Grounds {
    let (_, grounds) = stage.look();
    let rules = &grounds.rules;
    assert_eq!(rules.profile.id, stage.dress.profile, "{:?}", rules.recognised);
    assert!(!rules.recognised.tie && !rules.recognised.forced);
    assert_eq!(grounds.classifier().violation(), None, "{}: nothing is wrong with it", stage.dress.profile);
    grounds
}

/// Everything that can be performed on one platform.
fn perform(profile: &str) {
    let dress = DRESSES.iter().find(|dress| dress.profile == profile).unwrap();
    let Some(mut stage) = Stage::set(dress, &[]) else { return };
    let grounds = recognised(&stage);
    let after_stop = grounds.classifier().after(Event::Stop);

    let predicted = stage.predict();
    stage.container.kill();
    stage.container.start();
    stage.compare(&predicted, Event::Crash, "crash", |path| stage.inside(path));

    let predicted = stage.predict();
    if after_stop == Aftermath::Stays {
        stage.container.stop();
        stage.container.start();
        stage.compare(&predicted, Event::Stop, "stop and start", |path| stage.inside(path));
        let predicted = stage.predict();
        stage.cli.run(&["restart", "-t", "3", &stage.container.id]);
        stage.compare(&predicted, Event::Stop, "restart", |path| stage.inside(path));
    } else {
        stage.retire();
        stage.make(&[]);
        stage.compare(&predicted, Event::Stop, "remove and make anew", |path| stage.inside(path));
    }

    let predicted = stage.predict();
    stage.cli.run(&["rmi", "-f", &stage.image]);
    let image_is_there = stage.cli.try_run(&["image", "inspect", &stage.image]).is_ok();
    stage.compare(&predicted, Event::ImageRemoval, "image removal", |path| {
        // VESSL counts on the image at every start: its files are not in the next pod.
        let of_the_image = profile == "vessl" && path == "/opt/from-image";
        if of_the_image { image_is_there } else { stage.inside(path) }
    });

    let predicted = stage.predict();
    stage.retire();
    stage.compare(&predicted, Event::Retire, "retire", |path| stage.after_all(path));
}

/// A container that removes itself, and one whose source is deleted while it runs.
fn perform_rm_and_deletion(profile: &str) {
    let dress = DRESSES.iter().find(|dress| dress.profile == profile).unwrap();
    let Some(stage) = Stage::set(dress, &["--rm"]) else { return };
    recognised(&stage);
    let predicted = stage.predict();
    stage.container.stop();
    let begun = std::time::Instant::now();
    let there = || stage.container.exists() || stage.anonymous.iter().any(|volume| volume.place().is_some());
    while there() && begun.elapsed().as_secs() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    stage.compare(&predicted, Event::Stop, "--rm and stop", |path| stage.after_all(path));

    let gone = stage.root.path().join("gone");
    std::fs::create_dir(&gone).unwrap();
    std::fs::write(gone.join("x"), "weights").unwrap();
    let bind = format!("-v{}:/gone", gone.display());
    let Some(mut stage) = Stage::set(dress, &[&bind]) else { return };
    std::fs::remove_dir_all(&gone).unwrap();
    let (workspace, grounds) = stage.look();
    let answer = wait(explain(&stage.docker, &workspace, &grounds, Path::new("/gone/x"))).unwrap();
    assert_eq!(answer.storage, StorageKind::BindDeleted, "{profile}");
    for event in [Event::Crash, Event::Stop, Event::Retire, Event::Reboot, Event::HostLoss] {
        assert_eq!(answer.fates.verdict(event), Verdict::Lost, "{profile} {event:?}");
    }
    assert!(!stage.container.succeeds("echo x > /gone/new"), "writes lead nowhere");
    stage.container.kill();
    stage.container.start();
    assert!(!stage.inside("/gone/x"), "what takes its place is empty");
    stage.retire();
    stage.make(&[&bind]);
    assert!(!stage.inside("/gone/x"));
}

#[test]
fn on_plain_docker_every_event_leaves_what_was_predicted() {
    perform("docker");
    perform_rm_and_deletion("docker");
}

#[test]
fn on_ds01_every_event_leaves_what_was_predicted() {
    perform("ds01");
    perform_rm_and_deletion("ds01");
}

#[test]
fn on_vessl_every_event_leaves_what_was_predicted() {
    perform("vessl");
    perform_rm_and_deletion("vessl");
}

#[test]
fn on_backendai_every_event_leaves_what_was_predicted() {
    perform("backendai");
    perform_rm_and_deletion("backendai");
}

#[test]
fn on_deeporigin_every_event_leaves_what_was_predicted() {
    perform("deeporigin");
    perform_rm_and_deletion("deeporigin");
}
