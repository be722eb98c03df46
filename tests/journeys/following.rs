//! What happens in real containers is on the screen by itself, without a key.

use super::WIDE;
use super::real::{only, real};
use crate::support::docker;
use crate::support::journey::{Step, journey, meanwhile, press, see, unsee};

/// Runs a command in a container while the screen is looked at.
fn inside(cli: &docker::Cli, container: &str, command: &'static str) -> Step {
    let (cli, container) = (cli.clone(), container.to_owned());
    meanwhile(move || {
        cli.run(&["exec", &container, "sh", "-c", command]);
    })
}

#[test]
fn ten_megabytes_written_to_a_layer_are_at_risk_by_themselves_and_safe_once_moved_to_a_mount() {
    let Some(cli) = docker::engine() else { return };
    let kept = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let bind = format!("{}:/data", kept.path().display());
    let container = cli.container("stirs").args(["-v", &bind]).run();
    let name = container.name.clone();
    let (engine, clock) = real();
    let run = |command| inside(&cli, &name, command);
    let arrived = journey(
        engine,
        clock,
        WIDE,
        &[
            see("AT RISK"),
            only(&name),
            see("none"),
            run("dd if=/dev/zero of=/tmp/model.pt bs=1M count=10"),
            see("10M"),
            see("/tmp/model.pt"),
            run("mv /tmp/model.pt /data/"),
            see("none"),
            run("mkdir -p /srv/a/b && mv /data/model.pt /srv/a/b/"),
            see("/srv/a/b/model.pt"),
            run("dd if=/dev/zero of=/srv/a/b/second.pt bs=1M count=5"),
            see("15M"),
            press("<esc>"),
        ],
    );
    let row = arrived.model.rows.iter().find(|row| row.workspace.container.as_deref() == Some(&*name));
    let risk = row.and_then(|row| row.risk.known.clone()).expect("a look");
    let bytes = risk.tally(|_| true).bytes;
    assert!(bytes.abs_diff(15 << 20) <= 2 * 4096, "{bytes}");
}

#[test]
fn a_file_that_a_container_keeps_open_is_seen_to_grow() {
    let Some(cli) = docker::engine() else { return };
    let container = cli.container("grows").run();
    let name = container.name.clone();
    let (engine, clock) = real();
    let run = |command| inside(&cli, &name, command);
    journey(
        engine,
        clock,
        WIDE,
        &[
            see("AT RISK"),
            only(&name),
            see("none"),
            // The file stays open: nothing but a look at it shows that it grew.
            run("(for n in 1 2 3; do dd if=/dev/zero bs=1M count=2 2>/dev/null; sleep 4; done; sleep 60) \
                 > /root/log.pt 2>/dev/null &"),
            see("2.0M"),
            see("6.0M"),
        ],
    );
}

#[test]
fn an_open_tree_of_the_disk_has_what_a_container_writes_without_a_key() {
    let Some(cli) = docker::engine() else { return };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    std::fs::write(folder.path().join("first"), vec![1; 200_000]).unwrap();
    let bind = format!("{}:/workspace", folder.path().display());
    let container = cli.container("fills").args(["--label", "ds01.user=alice", "-v", &bind]).run();
    let name = container.name.clone();
    let (engine, clock) = real();
    let run = |command| inside(&cli, &name, command);
    let arrived = journey(
        engine,
        clock,
        (200, 50),
        &[
            see("AT RISK"),
            only(&name),
            press("3"),
            see("fills"),
            press(&format!("/{name}:/w<enter>")),
            see("/w: 1 of "),
            press("<enter>"),
            see("first"),
            run("dd if=/dev/zero of=/workspace/second.pt bs=1M count=10"),
            see("second.pt"),
            see("10M"),
            run("mkdir /workspace/deep && mv /workspace/second.pt /workspace/deep/ && rm /workspace/first"),
            see("deep/"),
            unsee("first"),
        ],
    );
    // What the list of places says of it keeps up as well.
    let walked = arrived.model.disk.walked(folder.path()).and_then(|walked| walked.known.as_ref()).unwrap();
    assert!((10 << 20..(10 << 20) + 20_000).contains(&walked.progress.total.allocated), "{walked:?}");
}
