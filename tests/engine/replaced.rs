//! Folders of the host that are moved, replaced or covered while a container shows them: what the
//! container goes on with, what its next start shows, and that what is said of it comes true.

use std::path::{Path, PathBuf};

use outlast::core::classify::{Classifier, Origin};
use outlast::core::event::Event;
use outlast::core::facts::Facts;
use outlast::core::fate::Verdict;
use outlast::core::mount::paths_inside;
use outlast::core::storage::StorageKind;
use outlast::core::workspace::Detail;
use outlast::work::explain::host_path;

use super::{detail, in_folder, mount, plain, real_as_root};
use crate::support::docker::{Cli, Container, missing};

/// What an event does to a path, as it is said.
fn verdict(detail: &Detail, path: &str, event: Event) -> Verdict {
    let rules = plain();
    let classifier = Classifier { detail, rules: &rules, facts: Facts::default(), covers: &[] };
    classifier.explain(Path::new(path), Origin::Unknown).fates.verdict(event)
}

fn bound(cli: &Cli, what: &str, folder: &Path, options: &str) -> Container {
    let bind = format!("{}:/w{options}", folder.display());
    cli.container(what).args(["-v", &bind]).run()
}

/// Brings an event about and starts the container again.
fn perform(container: &Container, event: Event) {
    match event {
        Event::Crash => container.kill(),
        Event::Stop => container.stop(),
        other => panic!("{other:?} is not performed here"),
    }
    container.start();
}

#[test]
fn a_folder_that_was_renamed_and_made_anew_is_not_the_one_that_the_container_writes_to() {
    let Some((cli, docker)) = real_as_root() else { return };
    for event in [Event::Crash, Event::Stop] {
        let outer = in_folder("/srv");
        let (folder, old) = (outer.path().join("p"), outer.path().join("p.old"));
        std::fs::create_dir(&folder).unwrap();
        let container = bound(&cli, "renamed", &folder, "");
        container.exec("echo weights > /w/model.pt");
        assert_eq!(verdict(&detail(&docker, &container), "/w/model.pt", event), Verdict::Kept);
        std::fs::rename(&folder, &old).unwrap();
        std::fs::create_dir(&folder).unwrap();
        let before = detail(&docker, &container);
        for event in [Event::Crash, Event::Stop, Event::Retire, Event::Reboot, Event::HostLoss] {
            assert_eq!(verdict(&before, "/w/model.pt", event), Verdict::Lost, "{event:?}");
        }
        assert_eq!(verdict(&before, "/w/model.pt", Event::ImageRemoval), Verdict::Untouched);
        // Where the file is by now is known, by its path inside and by that on the host.
        assert_eq!(host_path(&before, Path::new("/w/model.pt")), Some(old.join("model.pt")));
        assert_eq!(paths_inside(&before.mounts, &old.join("model.pt")), [PathBuf::from("/w/model.pt")]);
        assert_eq!(paths_inside(&before.mounts, &folder.join("model.pt")), Vec::<PathBuf>::new());
        perform(&container, event);
        assert!(!container.succeeds("test -e /w/model.pt"), "{event:?}");
        assert!(old.join("model.pt").exists());
        assert_eq!(mount(&detail(&docker, &container), "/w").storage, StorageKind::BindMount, "a new start");
    }
}

#[test]
fn a_folder_that_was_only_moved_away_is_lost_to_the_container_as_well() {
    let Some((cli, docker)) = real_as_root() else { return };
    let outer = in_folder("/srv");
    let (folder, old) = (outer.path().join("p"), outer.path().join("elsewhere"));
    std::fs::create_dir(&folder).unwrap();
    let container = bound(&cli, "moved", &folder, "");
    container.exec("echo weights > /w/model.pt");
    std::fs::rename(&folder, &old).unwrap();
    assert_eq!(verdict(&detail(&docker, &container), "/w/model.pt", Event::Stop), Verdict::Lost);
    perform(&container, Event::Stop);
    assert!(!container.succeeds("test -e /w/model.pt"), "the engine makes an empty folder");
}

#[test]
fn two_folders_that_changed_places_are_noticed() {
    let Some((cli, docker)) = real_as_root() else { return };
    let outer = in_folder("/srv");
    let [folder, other, aside] = ["p", "q", "aside"].map(|name| outer.path().join(name));
    std::fs::create_dir(&other).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let container = bound(&cli, "swapped", &folder, "");
    container.exec("echo weights > /w/model.pt");
    for (from, to) in [(&folder, &aside), (&other, &folder), (&aside, &other)] {
        std::fs::rename(from, to).unwrap();
    }
    let before = detail(&docker, &container);
    assert_eq!(verdict(&before, "/w/model.pt", Event::Stop), Verdict::Lost);
    assert_eq!(host_path(&before, Path::new("/w/model.pt")), Some(other.join("model.pt")));
    perform(&container, Event::Stop);
    assert!(!container.succeeds("test -e /w/model.pt"));
}

#[test]
fn a_single_file_that_an_editor_replaced_is_not_the_one_that_is_mounted() {
    let Some((cli, docker)) = real_as_root() else { return };
    let outer = in_folder("/srv");
    let file = outer.path().join("notes.txt");
    std::fs::write(&file, "old").unwrap();
    let bind = format!("{}:/notes.txt", file.display());
    let container = cli.container("one-file").args(["-v", &bind]).run();
    assert_eq!(verdict(&detail(&docker, &container), "/notes.txt", Event::Stop), Verdict::Kept);
    // As most editors save: a new file takes the name of the old one.
    std::fs::write(outer.path().join("new"), "from the host").unwrap();
    std::fs::rename(outer.path().join("new"), &file).unwrap();
    container.exec("echo from inside > /notes.txt");
    assert_eq!(verdict(&detail(&docker, &container), "/notes.txt", Event::Stop), Verdict::Lost);
    perform(&container, Event::Stop);
    assert_eq!(container.exec("cat /notes.txt"), "from the host");
}

/// Something mounted on this machine; unmounted when this goes.
struct Mounted(PathBuf);

impl Mounted {
    fn new(args: &[&str], place: &Path) -> Option<Self> {
        std::fs::create_dir_all(place).unwrap();
        let status = std::process::Command::new("mount").args(args).arg(place).status();
        if status.is_ok_and(|status| status.success()) { Some(Self(place.into())) } else { missing("no mount") }
    }

    fn memory(place: &Path) -> Option<Self> {
        Self::new(&["-t", "tmpfs", "-o", "size=1m", "outlast-test"], place)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn what_the_host_mounts_below_a_folder_after_the_start_is_the_hosts_alone() {
    let Some((cli, docker)) = real_as_root() else { return };
    let outer = in_folder("/srv");
    let sub = outer.path().join("sub");
    std::fs::create_dir(&sub).unwrap();
    let container = bound(&cli, "late", outer.path(), "");
    let Some(_mounted) = Mounted::memory(&sub) else { return };
    std::fs::write(sub.join("of-the-host"), "x").unwrap();
    container.exec("echo x > /w/sub/hidden; echo x > /w/beside");
    let running = detail(&docker, &container);
    assert_eq!(paths_inside(&running.mounts, &sub.join("of-the-host")), Vec::<PathBuf>::new());
    assert_eq!(host_path(&running, Path::new("/w/sub/hidden")), None, "that place is another one");
    assert_eq!(verdict(&running, "/w/beside", Event::Stop), Verdict::Kept);
    assert_eq!(verdict(&running, "/w/sub/hidden", Event::Stop), Verdict::Lost);
    // A stopped container will show what the host shows.
    container.stop();
    let stopped = detail(&docker, &container);
    assert_eq!(paths_inside(&stopped.mounts, &sub.join("of-the-host")), [PathBuf::from("/w/sub/of-the-host")]);
    assert_eq!(verdict(&stopped, "/w/sub/of-the-host", Event::Reboot), Verdict::Lost, "it is memory");
    assert_eq!(verdict(&stopped, "/w/beside", Event::Reboot), Verdict::Kept);
    container.start();
    assert!(container.succeeds("test -e /w/sub/of-the-host && ! test -e /w/sub/hidden && test -e /w/beside"));
    let again = detail(&docker, &container);
    assert_eq!(paths_inside(&again.mounts, &sub.join("of-the-host")), [PathBuf::from("/w/sub/of-the-host")]);
    assert_eq!(mount(&again, "/w/sub").storage, StorageKind::BindMemory);
}

#[test]
fn what_the_host_mounts_later_is_seen_where_mounts_are_passed_on() {
    let Some((cli, docker)) = real_as_root() else { return };
    let outer = in_folder("/srv");
    // Only what is mounted itself passes anything on.
    let Some(_base) = Mounted::memory(outer.path()) else { return };
    let shared = std::process::Command::new("mount").arg("--make-shared").arg(outer.path()).status();
    assert!(shared.is_ok_and(|status| status.success()));
    let container = bound(&cli, "passed-on", outer.path(), ":rslave");
    let sub = outer.path().join("sub");
    let Some(_mounted) = Mounted::memory(&sub) else { return };
    std::fs::write(sub.join("of-the-host"), "x").unwrap();
    assert!(container.succeeds("test -e /w/sub/of-the-host"), "the container sees it");
    let running = detail(&docker, &container);
    assert_eq!(paths_inside(&running.mounts, &sub.join("of-the-host")), [PathBuf::from("/w/sub/of-the-host")]);
    assert_eq!(host_path(&running, Path::new("/w/sub/of-the-host")), Some(sub.join("of-the-host")));
    assert_eq!(verdict(&running, "/w/sub/of-the-host", Event::Stop), Verdict::Kept);
    assert_eq!(verdict(&running, "/w/sub/of-the-host", Event::Reboot), Verdict::Lost);
}

#[test]
fn a_file_system_that_the_host_unmounted_stays_with_the_container_until_it_stops() {
    let Some((cli, docker)) = real_as_root() else { return };
    let outer = in_folder("/srv");
    let sub = outer.path().join("sub");
    let Some(mounted) = Mounted::memory(&sub) else { return };
    let container = bound(&cli, "unmounted", outer.path(), "");
    container.exec("echo x > /w/sub/model.pt");
    drop(mounted);
    assert!(container.succeeds("test -e /w/sub/model.pt"));
    let running = detail(&docker, &container);
    assert_eq!(verdict(&running, "/w/sub/model.pt", Event::Stop), Verdict::Lost);
    assert_eq!(host_path(&running, Path::new("/w/sub/model.pt")), None);
    perform(&container, Event::Stop);
    assert!(!container.succeeds("test -e /w/sub/model.pt"));
}

#[test]
fn memory_that_was_mounted_inside_a_container_below_a_bind_is_lost() {
    let Some((cli, docker)) = real_as_root() else { return };
    let outer = in_folder("/srv");
    let bind = format!("{}:/w", outer.path().display());
    let container = cli.container("inside").args(["-v", &bind]).run();
    container.exec("mkdir /w/sub; echo x > /w/beside");
    // Engines of tests may not hand out the right to mount; whoever has it does this.
    let pid = container.inspect("{{.State.Pid}}");
    let entered = std::process::Command::new("nsenter")
        .args(["-t", &pid, "-m", "/bin/mount", "-t", "tmpfs", "x", "/w/sub"])
        .status();
    if !entered.is_ok_and(|status| status.success()) {
        return missing("nobody may mount inside a container here").unwrap_or_default();
    }
    container.exec("echo x > /w/sub/model.pt");
    let running = detail(&docker, &container);
    assert_eq!(mount(&running, "/w/sub").storage, StorageKind::Tmpfs);
    assert_eq!(verdict(&running, "/w/sub/model.pt", Event::Stop), Verdict::Lost);
    assert_eq!(verdict(&running, "/w/beside", Event::Stop), Verdict::Kept);
    assert_eq!(paths_inside(&running.mounts, &outer.path().join("sub/model.pt")), Vec::<PathBuf>::new());
    let found = super::scan::scan(&docker, &container);
    assert!(found.files.contains_key(Path::new("/w/sub/model.pt")), "{found:?}");
    perform(&container, Event::Stop);
    assert!(container.succeeds("test -e /w/beside && ! test -e /w/sub/model.pt"));
}

#[test]
fn a_volume_whose_folder_somebody_cleared_away_is_not_kept() {
    let Some((cli, docker)) = real_as_root() else { return };
    let volume = cli.volume("cleared", &[]);
    let container = cli.container("cleared").args(["-v", &format!("{}:/data", volume.name)]).run();
    container.exec("echo x > /data/model.pt");
    assert_eq!(verdict(&detail(&docker, &container), "/data/model.pt", Event::Retire), Verdict::Kept);
    let place = volume.place().unwrap();
    let aside = place.with_file_name("aside");
    std::fs::rename(&place, &aside).unwrap();
    std::fs::create_dir(&place).unwrap();
    assert_eq!(verdict(&detail(&docker, &container), "/data/model.pt", Event::Stop), Verdict::Lost);
    perform(&container, Event::Stop);
    assert!(!container.succeeds("test -e /data/model.pt"));
    std::fs::remove_dir_all(aside).unwrap();
}
