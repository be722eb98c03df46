//! Files copied out of harm's way: from what runs and what is stopped, the same in every respect.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Bench;
use crate::backup::nasty::{grow, listing};

fn run(bench: &Bench, args: &[&str]) -> crate::cli::Answer {
    bench.outlast.run(&[&["rescue"], args, &["--yes"]].concat())
}

#[test]
fn all_that_is_at_risk_lands_in_the_folder_that_is_kept() {
    let Some(bench) = Bench::new() else { return };
    // A folder below /tmp is not kept.
    let kept = tempfile::Builder::new().prefix("outlast-test-").tempdir_in("/srv").unwrap();
    let work = kept.path().to_path_buf();
    let bind = format!("{}:/workspace", work.display());
    std::os::unix::fs::chown(&work, Some(1001), Some(1002)).unwrap();
    let container = bench.engine.container("rescue").args(["-v", &bind, "--tmpfs", "/scratch"]).run();
    container.exec("echo model > /root/model.pt; chown 7:8 /root/model.pt; chmod 640 /root/model.pt; mkdir -p /opt/deep; echo t > /opt/deep/table.csv; echo m > /scratch/m.csv");
    let answer = run(&bench, &[&container.name]);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let rescued = work.join("rescued");
    let time = std::fs::read_dir(&rescued).unwrap().next().unwrap().unwrap().path();
    let text = |path: &str| std::fs::read_to_string(time.join(path)).unwrap();
    assert_eq!(
        [text("root/model.pt"), text("opt/deep/table.csv"), text("scratch/m.csv")],
        ["model\n", "t\n", "m\n"]
    );
    let of = |path: &Path| std::fs::metadata(path).map(|m| (m.uid(), m.gid(), m.mode() & 0o7777)).unwrap();
    assert_eq!(of(&time.join("root/model.pt")), (7, 8, 0o640));
    assert_eq!(
        (of(&rescued).0, of(&rescued).1, of(&time).0),
        (1001, 1002, 1001),
        "the folders are the workspace's own"
    );
    assert_eq!(container.exec("cat /root/model.pt"), "model", "it is a copy");
}

#[test]
fn an_odd_tree_is_the_same_running_and_stopped_and_nothing_is_overwritten() {
    let Some(bench) = Bench::new() else { return };
    let container = bench.engine.container("odd").run();
    container.exec("touch /root/other");
    let Some(layer) = bench.layer(&container.name) else { return };
    let tree = tempfile::tempdir().unwrap();
    grow(tree.path());
    // In a layer it says that something was deleted.
    let _ = std::fs::remove_file(tree.path().join("white"));
    // Some layers add to names, and then the longest do not fit.
    std::fs::remove_file(tree.path().join("n".repeat(255))).unwrap();
    // Through the container's own process: a layer that is in use is written to by nobody else.
    let root = std::path::PathBuf::from(format!("/proc/{}/root", container.inspect("{{.State.Pid}}")));
    let place = root.join("root/odd");
    let copied = std::process::Command::new("cp").arg("-a").arg(tree.path()).arg(&place).status().unwrap();
    assert!(copied.success());
    for (what, stop) in [("running", false), ("stopped", true)] {
        let seen = if stop { layer.join("root/odd") } else { place.clone() };
        if stop {
            container.stop();
        }
        let to = bench.outlast.home().join(what);
        let answer = run(&bench, &[&container.name, "/root/odd", "--to", to.to_str().unwrap()]);
        assert_eq!(answer.code, 0, "{what}: {}", answer.err);
        // What only says how a layer lies over another is nobody's.
        let own = |line: &String| !line.starts_with(".wh..") && !line.contains("/.wh..");
        let plain = |line: String| line.replace(r#"["trusted.overlay.opaque=\"y\"", ""]"#, "[]");
        let one: Vec<_> = listing(&seen).into_iter().filter(own).map(plain).collect();
        let other = listing(&to.join("root/odd"));
        for (one, other) in one.iter().zip(&other) {
            assert_eq!(one, other, "{what}");
        }
        assert_eq!(one.len(), other.len(), "{what}");
    }
    let to = bench.outlast.home().join("stopped");
    let before = listing(&to);
    let again = run(&bench, &[&container.name, "/root/odd", "--to", to.to_str().unwrap()]);
    assert_eq!(again.code, 0, "what is there already is the same: {}", again.err);
    assert_eq!(listing(&to), before);
    std::fs::write(to.join("root/odd/empty"), "theirs").unwrap();
    std::fs::remove_file(to.join("root/odd/a/hard")).unwrap();
    let clash = run(&bench, &[&container.name, "/root/odd", "--to", to.to_str().unwrap()]);
    assert_eq!(clash.code, 1, "{}", clash.err);
    assert!(clash.err.contains("nothing is overwritten"), "{}", clash.err);
    assert_eq!(std::fs::read_to_string(to.join("root/odd/empty")).unwrap(), "theirs");
    assert!(to.join("root/odd/a/hard").exists(), "it goes on with the rest");
}

#[test]
fn an_interrupt_leaves_no_half_file_and_the_next_time_it_goes_on() {
    let Some(bench) = Bench::new() else { return };
    let container = bench.engine.container("cancel").run();
    container.exec(
        "for n in 1 2 3 4 5 6 7 8; do dd if=/dev/urandom of=/root/f$n bs=1048576 count=24 2>/dev/null; done",
    );
    let to = bench.outlast.home().join("to");
    let args = ["rescue", &container.name, "--yes", "--to", to.to_str().unwrap()];
    let mut child = bench.outlast.command(&args).stderr(std::process::Stdio::null()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while !to.exists() && begun.elapsed().as_secs() < 20 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::thread::sleep(std::time::Duration::from_millis(100));
    let _ = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    let code = child.wait().unwrap().code();
    let is_half = |line: &String| line.contains(".outlast-");
    let left = listing(&to);
    assert!(!left.iter().any(is_half), "{left:?}");
    let whole = |line: &&String| line.starts_with("root/f");
    assert!(left.iter().filter(whole).all(|line| line.contains(&(24 << 20).to_string())), "{left:?}");
    assert!(code == Some(130) || code == Some(0), "{code:?}");
    let again = bench.outlast.run(&args);
    assert_eq!(again.code, 0, "{}", again.err);
    for number in 1..=8 {
        let name = format!("f{number}");
        let sum = |text: String| text.split(' ').next().unwrap_or_default().to_owned();
        let there = sum(crate::backup::nasty::shell(&to.join("root"), &format!("md5sum {name}")));
        assert_eq!(sum(container.exec(&format!("md5sum /root/{name}"))), there);
    }
}
