//! The page Browse: folders of running, stopped and ended sessions, looked into and changed by keys.

use std::path::Path;

use super::real::{only, real};
use super::{OLD, WIDE};
use crate::support::docker;
use crate::support::journey::{Step, journey, journey_below, press, see, unsee};

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/srv").unwrap()
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Into the page Browse of the only workspace that is listed.
fn browse() -> [Step; 3] {
    [press("<enter>"), see("Lifecycle"), press("lll")]
}

/// A path of this machine typed over what the line begins with.
fn typed(path: &Path) -> Step {
    press(&format!("<backspace><backspace>{}<enter>", path.display()))
}

#[test]
fn a_folder_of_an_ended_session_is_looked_into_copied_out_renamed_and_moved_to_the_trash() {
    let Some(_engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let host = folder();
    let vfolder = host.path().join("user2-vfolder");
    std::fs::create_dir_all(vfolder.join("below")).unwrap();
    std::fs::write(vfolder.join("test_file"), "file inside user2-vfolder").unwrap();
    let taken = host.path().join("taken");
    let steps = [
        &[see("user2-vfolder"), only("user2-vfolder")][..],
        &browse(),
        &[
            see("2 entries, by name"),
            see("below/"),
            press("G"),
            see("test_file"),
            press("<enter>"),
            see("file inside user2-vfolder"),
            press("<esc>"),
            unsee("file inside"),
            press("C"),
            see("copy out to: ~/"),
            typed(&taken),
            see("outlast copy"),
            press("y"),
            see("copied user2-vfolder:/test_file"),
            press("R"),
            see("new name: test_file"),
            press("2<enter>"),
            see("outlast rename"),
            press("y"),
            see("renamed user2-vfolder:/test_file"),
            unsee("reading ..."),
            see("test_file2 "),
            press("GT"),
            see("outlast trash put"),
            see("  note "),
            press("n"),
            see("nothing was changed"),
            press("T"),
            see("outlast trash restore"),
            press("y"),
            see("moved to the trash user2-vfolder:/test_file2"),
        ],
    ]
    .concat();
    let (engine, clock) = real();
    journey_below(engine, clock, WIDE, vec![host.path().into()], &steps);
    assert_eq!(std::fs::read(&taken).unwrap(), b"file inside user2-vfolder");
    assert!(!vfolder.join("test_file").exists() && !vfolder.join("test_file2").exists());
}

#[test]
fn a_read_only_folder_offers_no_key_that_changes_it_and_says_why() {
    let Some(engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let host = folder();
    std::fs::write(host.path().join("a.csv"), "lent").unwrap();
    let mount = format!("-v{}:/workspace:ro", host.path().display());
    let session = engine.container("lent").args(["--label=ds01.user=1001", &mount]).run();
    let (engine, clock) = real();
    let steps = [
        &[see("AT RISK"), only(&session.name), see("running")][..],
        &browse(),
        &[
            see("/workspace  1 entry"),
            see("Nothing can be changed here: read-only"),
            see("C copy out"),
            press("jT"),
            see("read-only: nothing can be saved here"),
            press("!"),
            see("not now: read-only"),
        ],
    ]
    .concat();
    let arrived = journey(engine, clock, WIDE, &steps);
    assert!(!arrived.screen.contains("T to trash"), "{}", arrived.screen);
    assert_eq!(std::fs::read(host.path().join("a.csv")).unwrap(), b"lent");
}

#[test]
fn folders_are_opened_and_left_also_of_a_stopped_container_and_its_layer() {
    let Some(engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let host = folder();
    std::fs::create_dir_all(host.path().join("runs/one")).unwrap();
    std::fs::write(host.path().join("runs/one/loss.txt"), "0.5").unwrap();
    let mount = format!("-v{}:/workspace", host.path().display());
    let session = engine.container("leave").args(["--label=ds01.user=1001", &mount]).run();
    session.exec("echo x > /opt/written; ln -s /workspace/runs/one/loss.txt /opt/link");
    let (engine, clock) = real();
    let steps = [
        &[see("AT RISK"), only(&session.name), see("running")][..],
        &browse(),
        &[
            see("/workspace  1 entry"),
            press("j<enter>"),
            see("/workspace/runs  1 entry"),
            press("j<enter>"),
            see("loss.txt"),
            press("/nothing<enter>"),
            see("No name matches."),
            press("<esc>"),
            see("loss.txt"),
            press("s"),
            see("sorted by size"),
            press("g<enter>"),
            see("/workspace/runs  1 entry"),
            // What was left is selected; further up is the container's own layer.
            press("g<enter>"),
            see("/workspace  1 entry"),
            press("g<enter>"),
            see("opt/"),
            see("the container's own"),
        ],
    ]
    .concat();
    journey(engine, clock, WIDE, &steps);

    session.stop();
    let (engine, clock) = real();
    let steps = [
        &[see("AT RISK"), only(&session.name), see("exited")][..],
        &browse(),
        &[
            see("/workspace  1 entry"),
            press("g<enter>"),
            see("opt/"),
            see("only what was written in it is listed"),
        ],
    ]
    .concat();
    journey(engine, clock, OLD, &steps);
}

#[test]
fn a_retired_workspace_goes_to_the_trash_only_when_its_name_is_typed() {
    let Some(_engine) = docker::engine() else { return };
    if !root() {
        return;
    }
    let host = folder();
    let thesis = host.path().join("outlast-thesis");
    std::fs::create_dir_all(&thesis).unwrap();
    let steps = [
        see("outlast-thesis"),
        only("outlast-thesis"),
        press("T"),
        see("This is the whole workspace folder."),
        see("last backup: none is known"),
        press("thesis<enter>"),
        see("that is not its name"),
    ];
    let (engine, clock) = real();
    journey_below(engine, clock, WIDE, vec![host.path().into()], &steps);
    assert!(thesis.exists());
}
