//! `risk`: exactly the files that do not last, the most valuable first.

use super::{Outlast, finding_paths, one};
use crate::support::docker::{self, Container};

/// What one block of the file system is at most: totals are compared to within one.
const BLOCK: i64 = 4096;

fn bytes(outlast: &Outlast, container: &Container) -> i64 {
    let report = outlast.json(&["risk", &container.name, "--json"]);
    report["workspaces"][0]["bytes"].as_i64().unwrap()
}

#[test]
fn ten_megabytes_in_tmp_raise_the_figure_and_moving_them_to_the_mount_lowers_it() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let bind = format!("{}:/workspace", folder.path().display());
    let container = engine.container("score").args(["-v", &bind]).run();
    let before = bytes(&outlast, &container);
    container.exec("head -c 10485760 /dev/urandom > /tmp/big.bin");
    let full = bytes(&outlast, &container);
    assert!((full - before - 10_485_760).abs() <= BLOCK, "{before} {full}");
    container.exec("mv /tmp/big.bin /workspace/");
    let after = bytes(&outlast, &container);
    assert!((after - before).abs() <= BLOCK, "{before} {after}");
}

#[test]
fn files_of_the_layer_are_listed_and_those_of_the_image_are_not() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("layer").run();
    container.exec("for d in /tmp /home/u / /root /opt; do echo x > $d/mine; done; rm /opt/from-image");
    let report = Outlast::new().json(&["risk", &container.name, "--json"]);
    let mut paths = finding_paths(&report);
    paths.sort();
    assert_eq!(paths, ["/home/u/mine", "/mine", "/opt/mine", "/root/mine", "/tmp/mine"]);
    assert_eq!(report["workspaces"][0]["files"], 5);
    assert_eq!(report["complete"], true);
}

#[test]
fn files_in_memory_are_listed_and_lost_at_stop() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("memory").args(["--tmpfs", "/scratch"]).run();
    container.exec("echo x > /scratch/a.csv; echo x > /dev/shm/b.csv");
    let report = Outlast::new().json(&["risk", &container.name, "--event", "stop", "--json"]);
    let mut paths = finding_paths(&report);
    paths.sort();
    assert_eq!(paths, ["/dev/shm/b.csv", "/scratch/a.csv"]);
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!((&finding["storage"], &finding["fates"]["stop"]), (&"tmpfs".into(), &"lost".into()));
    }
}

#[test]
fn a_fresh_container_has_no_findings() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let bind = format!("{}:/deep/bind", folder.path().display());
    let container = engine.container("fresh").args(["-v", &bind, "--tmpfs", "/t", "-v", "/v"]).run();
    container.exec("mkdir -p /var/lib/apt/lists /var/cache/apt; echo x > /var/lib/apt/lists/a; echo x > /var/cache/apt/b; echo x > /var/log/lastlog");
    let report = outlast.json(&["risk", &container.name, "--json"]);
    assert_eq!(finding_paths(&report), Vec::<String>::new());
    assert_eq!(report["workspaces"][0]["files"], 0);
    let table = outlast.run(&["ls"]);
    let row = table.out.lines().find(|line| line.starts_with(&container.name)).unwrap().to_string();
    assert!(row.contains("  none  "), "{row}");
}

#[test]
fn a_checkpoint_ranks_above_a_log() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("value").run();
    container.exec("head -c 100000 /dev/zero > /tmp/a.log; echo x > /tmp/model.pt");
    let report = Outlast::new().json(&["risk", &container.name, "--json"]);
    assert_eq!(finding_paths(&report), ["/tmp/model.pt", "/tmp/a.log"]);
    assert_eq!(one(&report["findings"], "path", "/tmp/model.pt")["label"], "model checkpoint");
}

#[test]
fn an_environment_is_one_finding_and_what_can_be_fetched_again_comes_last() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("whole").run();
    container.exec(
        "cd /root; for p in a b c; do mkdir -p env/lib/python3.11/site-packages/$p
           for n in 1 2 3 4 5; do echo x > env/lib/python3.11/site-packages/$p/$n.py; done; done
         mkdir -p env/bin; echo x > env/bin/activate; echo x > train.py
         hub=/opt/hf/hub/models--org--net; mkdir -p $hub/blobs $hub/refs $hub/snapshots/0a1b
         head -c 9000 /dev/zero > $hub/blobs/0123; echo 0a1b > $hub/refs/main
         ln -s ../../blobs/0123 $hub/snapshots/0a1b/model.safetensors",
    );
    let outlast = Outlast::new();
    let report = outlast.json(&["risk", &container.name, "--json"]);
    assert_eq!(finding_paths(&report), ["/root/train.py", "/opt/hf/hub/models--org--net", "/root/env"]);
    let found = |path: &str| one(&report["findings"], "path", path).clone();
    let environment = found("/root/env");
    assert_eq!((&environment["files"], &environment["value"]), (&16.into(), &"environment".into()));
    assert_eq!(environment["again"], serde_json::Value::Null);
    assert_eq!(found("/opt/hf/hub/models--org--net")["again"], "Hugging Face: org/net");
    assert_eq!(report["workspaces"][0]["files"], 19, "every file counts");
    let shown = outlast.run(&["risk", &container.name]).out;
    assert!(shown.contains("/root/env/") && shown.contains("environment, 16 files"), "{shown}");
    assert!(
        shown.contains("can be fetched again (Hugging Face: org/net)") && !shown.contains("more: --limit"),
        "{shown}"
    );
}

#[test]
fn new_changed_and_deleted_files_of_a_layer_are_counted_and_said() {
    let Some(engine) = docker::engine() else { return };
    let container = engine.container("counted").run();
    container.exec("echo x > /root/a.py; echo more >> /etc/passwd; rm /bin/arping; rm -r /opt; mkdir /opt; echo x > /opt/mine");
    let outlast = Outlast::new();
    let report = outlast.json(&["risk", &container.name, "--json"]);
    let row = &report["workspaces"][0];
    if row["method"] != "upper" {
        assert_eq!(row["layer"], serde_json::Value::Null);
        return;
    }
    let expected = serde_json::json!({ "new": 2, "changed": 1, "attributes": 0, "deleted": 2 });
    assert_eq!(row["layer"], expected, "the folder made anew hides what the image has in it");
    assert_eq!(one(&report["findings"], "path", "/etc/passwd")["changed"], true);
    assert_eq!(one(&report["findings"], "path", "/root/a.py")["changed"], false);
    let shown = outlast.run(&["risk", &container.name]).out;
    assert!(shown.contains("  writable layer: 2 new files, 1 changed, 2 deleted"), "{shown}");
}

#[test]
fn a_stopped_container_has_the_same_list_but_for_memory() {
    let Some(engine) = docker::engine() else { return };
    let outlast = Outlast::new();
    let container = engine.container("stopped").args(["--tmpfs", "/scratch"]).run();
    container.exec("echo x > /tmp/a.csv; echo x > /root/b.py; echo x > /scratch/c.csv");
    let list = || outlast.json(&["risk", &container.name, "--json"]);
    assert_eq!(finding_paths(&list()).len(), 3);
    container.stop();
    let after = list();
    assert_eq!(finding_paths(&after), ["/tmp/a.csv", "/root/b.py"]);
    let notes = after["workspaces"][0]["notes"].to_string();
    assert!(notes.contains("tmpfs content is gone"), "{notes}");
}
