//! `X`, `U` and `C` on real containers: shown first, No by default, and everything comes back.

use super::OLD;
use super::real::{only, real};
use crate::support::docker::{self, Cli};
use crate::support::journey::{journey, press, see, unsee};

/// An engine, and the rights to read layers.
fn as_root() -> Option<Cli> {
    if !rustix::process::getuid().is_root() {
        return docker::missing("saving layers needs root");
    }
    docker::engine()
}

#[test]
fn what_was_retired_with_one_key_comes_back_with_another() {
    let Some(cli) = as_root() else { return };
    let container = cli.container("screen").args(["--tmpfs", "/scratch"]).run();
    container.exec("echo mine > /root/model.pt; echo m > /scratch/m.csv");
    let (engine, clock) = real();
    let name = container.name.clone();
    let arrived = journey(
        engine,
        clock,
        OLD,
        &[
            see("AT RISK"),
            only(&name),
            see("2 files"),
            press("X"),
            see("saves"),
            see("1 file, 4.0K: /scratch/m.csv"),
            press("<enter>"),
            see("nothing was changed"),
            see("running"),
            press("X"),
            see("Do this?"),
            press("y"),
            see("retired outlast-test-screen"),
            unsee("running"),
            press("U"),
            see("undo outlast-test-screen"),
            see("Do this?"),
            press("y"),
            see("brought back outlast-test-screen"),
            see("running"),
        ],
    );
    let text = |path: &str| cli.run(&["exec", &name, "cat", path]);
    assert_eq!([text("/root/model.pt"), text("/scratch/m.csv")], ["mine", "m"], "{}", arrived.screen);
    let log = std::fs::read_to_string(arrived.state.path().join("audit.jsonl")).unwrap();
    assert!(log.contains(r#""verb":"remove""#) && log.contains(r#""verb":"make""#), "{log}");
}

#[test]
fn all_that_are_marked_are_retired_with_one_answer() {
    let Some(cli) = as_root() else { return };
    let both = [cli.container("marked").run(), cli.container("marked").run()];
    for container in &both {
        container.exec("echo x > /root/a.pt");
        container.stop();
    }
    let (engine, clock) = real();
    let name = both[0].name.rsplit_once('-').unwrap().0.to_owned();
    let arrived = journey(
        engine,
        clock,
        super::WIDE,
        &[
            see("AT RISK"),
            only(&name),
            see("1 file"),
            press("<space><space>X"),
            see("Do this?"),
            see(&format!("retire {}", both[0].name)),
            see(&format!("retire {}", both[1].name)),
            press("y"),
            see("; retired outlast-test-marked"),
        ],
    );
    assert!(both.iter().all(|container| !container.exists()), "{}", arrived.screen);
    let pins = std::fs::read_dir(arrived.state.path().join("undo")).unwrap().flatten();
    for pin in pins.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_lowercase()))
    {
        cli.run(&["rmi", &format!("outlast-undo:{pin}")]);
    }
}

#[test]
fn marked_files_are_copied_to_where_they_are_kept() {
    let Some(cli) = as_root() else { return };
    // A folder below /tmp is not kept.
    let kept = tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/srv").unwrap();
    let bind = format!("{}:/workspace", kept.path().display());
    let container = cli.container("rescue").args(["-v", &bind, "-w", "/workspace"]).run();
    container.exec("echo a > /root/a.pt; echo b > /root/b.pt; echo c > /root/c.pt");
    let (engine, clock) = real();
    let arrived = journey(
        engine,
        clock,
        OLD,
        &[
            see("AT RISK"),
            only(&container.name),
            see("3 files"),
            press("2"),
            see("WORKSPACE"),
            press(&format!("/{}<enter>", container.name)),
            see("/root/a.pt"),
            press("g<space><space>C"),
            see("rescue outlast-test-rescue"),
            see("2 files, 8.0K"),
            see("/workspace/rescued/"),
            press("y"),
            see("rescued outlast-test-rescue"),
        ],
    );
    let time = std::fs::read_dir(kept.path().join("rescued")).unwrap().next().unwrap().unwrap().path();
    let mut names: Vec<_> =
        std::fs::read_dir(time.join("root")).unwrap().flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, ["b.pt", "c.pt"], "{}", arrived.screen);
}
