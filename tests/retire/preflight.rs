//! What is said before a workspace is retired, and the answer that is asked for.

use serde_json::Value;

use super::Bench;
use crate::cli::change::on_a_terminal;
use crate::support::docker;

fn fact<'v>(plan: &'v Value, about: &str) -> &'v Value {
    let facts = plan["plan"]["facts"].as_array().unwrap();
    facts
        .iter()
        .find(|fact| fact["about"] == about)
        .unwrap_or_else(|| panic!("nothing about {about}: {facts:#?}"))
}

#[test]
fn all_that_people_should_know_is_counted_and_measured() {
    let Some(bench) = Bench::new() else { return };
    let bind = bench.bind();
    let container = bench
        .engine
        .container("facts")
        .args(["-v", &bind, "-v", "/anon", "--tmpfs", "/scratch", "-w", "/workspace"])
        .script("exec 3>/tmp/train.log; trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done")
        .run();
    container.exec("dd if=/dev/zero of=/root/model.pt bs=1024 count=2048 2>/dev/null; echo x > /scratch/a.csv; dd if=/dev/zero of=/anon/v bs=1024 count=1024 2>/dev/null");
    container.exec("d=/usr/lib/python3/site-packages; mkdir -p $d/foo $d/foo-1.2.dist-info; echo m > $d/foo-1.2.dist-info/METADATA; echo c > $d/foo/__init__.py");
    let plan = bench.outlast.json(&["retire", &container.name, "--dry-run", "--json"]);
    assert_eq!(plan["result"], "planned");
    let count = |about: &str| fact(&plan, about)["count"].as_u64();
    let bytes = |about: &str| fact(&plan, about)["bytes"].as_u64().unwrap();
    assert_eq!(count("memory"), Some(1));
    assert_eq!(bytes("memory"), 4096);
    // A model, a log, and two files of a package.
    assert_eq!(count("at risk"), Some(4), "{}", fact(&plan, "at risk"));
    assert_eq!(bytes("at risk"), (2 << 20) + 2 * 4096);
    assert!((1 << 20..(1 << 20) + 16384).contains(&bytes("volume")), "{}", fact(&plan, "volume"));
    assert_eq!((count("package"), count("running"), count("writing")), (Some(1), Some(2), Some(1)));
    let says = |about: &str| fact(&plan, about)["says"].as_str().unwrap().to_owned();
    assert!(says("package").contains("foo 1.2") && says("writing").contains("/tmp/train.log"), "{plan:#}");
    assert!(says("git").contains("no repository") && says("backup").contains("none"), "{plan:#}");
    assert!(says("volume").contains("/anon") && says("saves").contains("repository"), "{plan:#}");
    assert_eq!(container.inspect("{{.State.Status}}"), "running");
    assert!(!bench.outlast.home().join("state").exists(), "nothing is written either");
    assert!(!bench.outlast.home().join("repository").exists());
}

#[test]
fn yes_retires_and_anything_else_changes_nothing() {
    let Some(engine) = docker::engine() else { return };
    if !rustix::process::getuid().is_root() {
        return;
    }
    let outlast = crate::cli::Outlast::new();
    let container = engine.container("asked").run();
    container.exec("echo x > /root/a.pt");
    // The person's own repository must outlive the container, which one in memory does not.
    let fit = outlast.run(&["retire", &container.name, "--dry-run"]);
    if !fit.out.contains("saves ") {
        eprintln!("skipped: {}", fit.out);
        return;
    }
    let before = container.inspect("{{.State.StartedAt}} {{.State.Status}}");
    for answer in ["\n", "n\n", "\x04"] {
        let (code, shown) = on_a_terminal(&outlast, &["retire", &container.name], answer);
        assert_eq!(code, 130, "{shown}");
        assert!(shown.contains("docker rm") && shown.contains("[y/N]"), "{shown}");
        assert_eq!(container.inspect("{{.State.StartedAt}} {{.State.Status}}"), before);
    }
    let (code, shown) = on_a_terminal(&outlast, &["retire", &container.name], "y\n");
    assert_eq!(code, 0, "{shown}");
    assert!(!container.exists() && shown.contains("outlast undo"), "{shown}");
    let undone = outlast.run(&["undo", "--yes"]);
    assert_eq!(undone.code, 0, "{}", undone.err);
}
