//! What is memory although it does not look like it: disks that are files in memory, engines that
//! keep their data in memory, files among devices.

use std::path::{Path, PathBuf};
use std::process::Command;

use outlast::core::classify::{Classifier, Origin};
use outlast::core::event::Event;
use outlast::core::facts::Facts;
use outlast::core::fate::{Condition, Verdict};
use outlast::core::storage::StorageKind;
use outlast::core::workspace::Detail;

use super::{adapter_at, detail, in_folder, mount, plain, real, real_as_root};
use crate::support::docker::missing;
use crate::support::dockerd::Dockerd;

fn verdict(detail: &Detail, path: &str, origin: Origin, event: Event) -> Verdict {
    let rules = plain();
    let classifier = Classifier { detail, rules: &rules, facts: Facts::default(), covers: &[] };
    classifier.explain(Path::new(path), origin).fates.verdict(event)
}

/// A file system in a file, mounted; `held` keeps the file.
struct Disk {
    place: PathBuf,
    _held: tempfile::TempDir,
}

impl Disk {
    fn in_a_file_below(folder: &str) -> Option<Self> {
        let held = in_folder(folder);
        let file = held.path().join("disk.img");
        std::fs::File::create(&file).unwrap().set_len(16 << 20).unwrap();
        let place = PathBuf::from("/srv").join(crate::support::docker::unique("disk"));
        let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&file).status();
        std::fs::create_dir(&place).unwrap();
        let mounted = Command::new("mount").args(["-o", "loop"]).arg(&file).arg(&place).status();
        let disk = Self { place, _held: held };
        if made.is_ok_and(|status| status.success()) && mounted.is_ok_and(|status| status.success()) {
            return Some(disk);
        }
        missing("no loop devices here")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.place).status();
        let _ = std::fs::remove_dir(&self.place);
    }
}

#[test]
fn a_disk_that_is_a_file_in_memory_is_lost_at_a_reboot_and_one_on_disk_is_not() {
    let Some((cli, docker)) = real_as_root() else { return };
    for (below, storage, reboot) in
        [("/dev/shm", StorageKind::BindMemory, Verdict::Lost), ("/srv", StorageKind::BindMount, Verdict::Kept)]
    {
        let Some(disk) = Disk::in_a_file_below(below) else { return };
        let project = disk.place.join("project");
        std::fs::create_dir(&project).unwrap();
        let device = format!("device={}", project.display());
        let volume = cli.volume("loop", &["-o", "type=none", "-o", "o=bind", "-o", &device]);
        let binds = [format!("{}:/w", project.display()), format!("{}:/v", volume.name)];
        let container = cli.container("loop").args(["-v", &binds[0], "-v", &binds[1]]).run();
        container.exec("echo x > /w/model.pt");
        for _ in 0..2 {
            let detail = detail(&docker, &container);
            for path in ["/w/model.pt", "/v/model.pt"] {
                assert_eq!(verdict(&detail, path, Origin::Unknown, Event::Reboot), reboot, "{below}: {path}");
                assert_eq!(verdict(&detail, path, Origin::Unknown, Event::Retire), Verdict::Kept, "{below}");
            }
            assert_eq!(mount(&detail, "/w").storage, storage, "{below}");
            assert_eq!(mount(&detail, "/w").filesystem.as_deref(), Some("ext4"));
            container.stop();
        }
    }
}

#[test]
fn a_disk_in_memory_is_lost_at_a_reboot_by_its_path_on_the_host_too() {
    use outlast::engine::machine::Machine;
    use outlast::port::{Engine, Host};
    if !rustix::process::getuid().is_root() {
        return missing("mounting needs root").unwrap_or_default();
    }
    let Some(disk) = Disk::in_a_file_below("/dev/shm") else { return };
    let machine = Machine::new(Host::default().into(), std::sync::Arc::new(super::Still), Vec::new());
    let detail = super::wait(async {
        let inventory = machine.inventory().await.unwrap();
        machine.detail(&inventory.workspaces[0].key).await.unwrap()
    });
    let path = disk.place.join("x");
    assert_eq!(verdict(&detail, path.to_str().unwrap(), Origin::Unknown, Event::Reboot), Verdict::Lost);
}

#[test]
fn an_overlay_is_as_lasting_as_what_it_writes_to() {
    let Some((cli, docker)) = real_as_root() else { return };
    let (lower, disk) = (in_folder("/srv"), in_folder("/srv"));
    let Some(memory) = Disk::in_a_file_below("/dev/shm") else { return };
    for (upper, reboot) in [(memory.place.as_path(), Verdict::Lost), (disk.path(), Verdict::Kept)] {
        let [up, work] = ["up", "work"].map(|name| upper.join(name));
        for folder in [&up, &work] {
            std::fs::create_dir(folder).unwrap();
        }
        let place = in_folder("/srv");
        let options =
            format!("lowerdir={},upperdir={},workdir={}", lower.path().display(), up.display(), work.display());
        let mounted =
            Command::new("mount").args(["-t", "overlay", "overlay", "-o", &options]).arg(place.path()).status();
        if !mounted.is_ok_and(|status| status.success()) {
            return missing("no overlay here").unwrap_or_default();
        }
        let container = cli.container("over").args(["-v", &format!("{}:/w", place.path().display())]).run();
        let said = verdict(&detail(&docker, &container), "/w/x", Origin::Unknown, Event::Reboot);
        drop(container);
        let _ = Command::new("umount").arg("-l").arg(place.path()).status();
        assert_eq!(said, reboot, "{}", upper.display());
    }
}

#[test]
fn an_engine_that_keeps_its_data_in_memory_loses_all_of_it_at_a_reboot() {
    let Some(dockerd) = Dockerd::start_below(Path::new("/dev/shm")) else { return };
    let cli = dockerd.cli();
    let docker = adapter_at(&dockerd.socket());
    let volume = cli.volume("in-memory", &[]);
    let args = ["-v", &format!("{}:/data", volume.name), "-v", "/anon"];
    let container = cli.container("in-memory").args(args).run();
    for _ in 0..2 {
        let detail = detail(&docker, &container);
        for (path, origin) in [
            ("/root/model.pt", Origin::Layer),
            ("/opt/from-image", Origin::Image),
            ("/data/x", Origin::Unknown),
            ("/anon/x", Origin::Unknown),
        ] {
            assert_eq!(verdict(&detail, path, origin, Event::Reboot), Verdict::Lost, "{path}");
            let stop = verdict(&detail, path, origin, Event::Stop);
            assert_eq!(stop, Verdict::Kept, "{path} lives as long as the host runs");
        }
        let retire = verdict(&detail, "/anon/x", Origin::Unknown, Event::Retire);
        assert_eq!(retire, Verdict::KeptIf(Condition::OrphanVolumeKept));
        container.stop();
    }
}

#[test]
fn a_file_among_the_devices_is_found_and_lost_at_a_stop() {
    let Some((cli, docker)) = real_as_root() else { return };
    let container = cli.container("devices").run();
    let fresh = super::scan::scan_all(&docker, &container);
    assert_eq!(fresh.findings(), Vec::<&PathBuf>::new(), "no false alarm");
    container.exec("echo x > /dev/model.pt; mkdir /dev/results; echo x > /dev/results/a.csv");
    let found = super::scan::scan_all(&docker, &container);
    for path in ["/dev/model.pt", "/dev/results/a.csv"] {
        let fact = found.files.get(Path::new(path)).unwrap_or_else(|| panic!("{path}: {found:?}"));
        assert_eq!(fact.storage, StorageKind::Tmpfs);
        let said = verdict(&detail(&docker, &container), path, Origin::Unknown, Event::Stop);
        assert_eq!(said, Verdict::Lost, "{path}");
    }
    let null = verdict(&detail(&docker, &container), "/dev/null", Origin::Unknown, Event::Stop);
    assert_eq!(null, Verdict::Untouched);
    container.stop();
    container.start();
    assert!(!container.succeeds("test -e /dev/model.pt || test -e /dev/results"));
}

#[test]
fn what_somebody_wrote_into_a_file_of_the_runtime_is_lost_at_the_next_start() {
    let Some((cli, docker)) = real() else { return };
    let container = cli.container("edited").run();
    let said = |path: &str| {
        let listed = super::listed(&docker, &container);
        let profiles = crate::support::model::profiles();
        super::wait(async {
            use outlast::work::{explain, ground};
            let grounds = ground::look(&docker, &profiles, &listed).await.unwrap();
            let answer = explain::explain(&docker, &listed, &grounds, Path::new(path)).await.unwrap();
            [Event::Crash, Event::Stop, Event::Retire].map(|event| answer.fates.verdict(event))
        })
    };
    let files = ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname"];
    for path in files {
        assert_eq!(said(path), [Verdict::Rebuilt; 3], "{path} is as the runtime wrote it");
        container.exec(&format!("echo '# mine' >> {path}"));
        assert_eq!(said(path), [Verdict::Lost; 3], "{path} was edited");
    }
    for crash in [false, true] {
        if crash {
            container.kill();
        } else {
            container.stop();
        }
        container.start();
        for path in files {
            assert!(!container.succeeds(&format!("grep -q mine {path}")), "{path}");
            container.exec(&format!("echo '# mine' >> {path}"));
        }
    }
}
