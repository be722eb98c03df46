//! What was retired comes back: the same container, every byte of its files, and what it had in memory.

use super::Bench;
use crate::backup::nasty::{grow, listing};
use crate::support::docker::Volume;

/// A main process that writes its last checkpoint when it is asked to stop.
const TRAINS: &str = "trap 'echo last > /root/last.ckpt; exit 0' TERM; while :; do sleep 3600 & wait $!; done";

#[test]
fn a_running_container_comes_back_with_every_byte_and_every_choice() {
    let Some(bench) = Bench::new() else { return };
    let bind = bench.bind();
    let container = bench
        .engine
        .container("back")
        .args(["-v", &bind, "-v", "/anon", "--tmpfs", "/scratch:size=8m,mode=1777", "-w", "/workspace"])
        .args(["-e", "TOKEN=hidden word", "-e", "EMPTY=", "--label", "course=ml 1", "--user", "0:0"])
        .args(["--memory", "256m", "--cpus", "1.5", "--pids-limit", "300", "--restart", "on-failure:3"])
        .args([
            "--cap-add",
            "SYS_PTRACE",
            "--ulimit",
            "nofile=1024:2048",
            "--shm-size",
            "32m",
            "--hostname",
            "box",
        ])
        .script(TRAINS)
        .run();
    container.exec(
        "echo mine > /root/model.pt; rm /opt/from-image; rm -rf /home/u; mkdir /home/u; echo x > /home/u/new",
    );
    container.exec("echo kept > /anon/kept; mkdir /scratch/deep; echo memory > /scratch/deep/a.csv; chown 1000 /scratch/deep; echo shm > /dev/shm/b");
    std::fs::write(bench.outlast.home().join("work/notes"), "notes").unwrap();
    let Some(layer) = bench.layer(&container.name) else { return };
    let tree = tempfile::tempdir().unwrap();
    grow(tree.path());
    let odd = layer.join("root/odd");
    let copied = std::process::Command::new("cp").arg("-a").arg(tree.path()).arg(&odd).status().unwrap();
    assert!(copied.success());
    let (chosen, before) = (bench.chosen(&container.name), listing(&layer));

    let retired = bench.retire(&container);
    assert_eq!((&retired["result"], &retired["items"][0]["result"]), (&"done".into(), &"done".into()));
    assert!(!bench.is_there(&container.name));
    assert_eq!(bench.pins(), 1, "a name keeps its image");
    let listed = bench.outlast.json(&["undo", "--list", "--json"]);
    let undo = &listed["undos"][0];
    assert_eq!((&undo["container"], &undo["lacks"]), (&container.name.clone().into(), &serde_json::json!([])));
    let days = |field: &str| undo[field].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert_eq!(days("until").duration_since(days("retired")).as_hours() / 24, 13, "14 days from its plan on");

    let undone = bench.undo(&container);
    assert_eq!(undone["result"], "done");
    assert_eq!(bench.chosen(&container.name), chosen);
    let text = |path: &str| bench.engine.run(&["exec", &container.name, "cat", path]);
    assert_eq!(text("/root/last.ckpt"), "last", "what it wrote when it was stopped was saved too");
    let Some(layer) = bench.layer(&container.name) else { return };
    std::fs::remove_file(layer.join("root/last.ckpt")).unwrap();
    let time = |line: &String| !line.starts_with("root ") && !line.starts_with("root/last");
    let kept = |lines: Vec<String>| lines.into_iter().filter(time).collect::<Vec<_>>();
    let (before, after) = (kept(before), kept(listing(&layer)));
    for (one, other) in before.iter().zip(&after) {
        assert_eq!(one, other);
    }
    assert_eq!(before.len(), after.len());
    assert_eq!(
        [text("/root/model.pt"), text("/anon/kept"), text("/workspace/notes")],
        ["mine", "kept", "notes"]
    );
    assert_eq!([text("/scratch/deep/a.csv"), text("/dev/shm/b")], ["memory", "shm"]);
    let said =
        bench.engine.run(&["exec", &container.name, "sh", "-c", "ls /opt /home/u; stat -c %u /scratch/deep"]);
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["/home/u:", "new", "/opt:", "1000"], "{said}");
    assert_eq!(bench.pins(), 0);
    assert!(bench.outlast.json(&["undo", "--list", "--json"])["undos"].as_array().unwrap().is_empty());
    let again = bench.outlast.run(&["undo", &container.name, "--yes"]);
    assert_eq!(again.code, 2, "{}", again.err);
}

#[test]
fn a_stopped_container_comes_back_stopped() {
    let Some(bench) = Bench::new() else { return };
    let container = bench.engine.container("stopped").run();
    container.exec("echo mine > /root/a.pt");
    container.stop();
    let chosen = bench.chosen(&container.name);
    bench.retire(&container);
    assert!(!bench.is_there(&container.name));
    bench.undo(&container);
    let mut now = bench.chosen(&container.name);
    assert_eq!(now["state"], "created", "it is not started");
    now["state"] = chosen["state"].clone();
    assert_eq!(now, chosen);
    bench.engine.run(&["start", &container.name]);
    assert_eq!(bench.engine.run(&["exec", &container.name, "cat", "/root/a.pt"]), "mine");
}

#[test]
fn one_that_removes_itself_brings_its_volumes_and_memory_back_too() {
    let Some(bench) = Bench::new() else { return };
    let container = bench.engine.container("rm").args(["--rm", "-v", "/anon", "--tmpfs", "/scratch"]).run();
    container.exec("echo v > /anon/v; echo m > /scratch/m; echo l > /root/l");
    let plan = bench.outlast.run(&["retire", &container.name, "--dry-run"]);
    assert!(plan.out.contains("--rm") && plan.out.contains("goes with it"), "{}", plan.out);
    bench.retire(&container);
    assert!(!bench.is_there(&container.name));
    bench.undo(&container);
    let text = |path: &str| bench.engine.run(&["exec", &container.name, "cat", path]);
    assert_eq!([text("/anon/v"), text("/scratch/m"), text("/root/l")], ["v", "m", "l"]);
}

#[test]
fn its_volumes_stay_and_so_do_its_image_and_its_folder() {
    let Some(bench) = Bench::new() else { return };
    let bind = bench.bind();
    let container = bench.engine.container("stays").args(["-v", "/anon", "-v", &bind]).run();
    container.exec("echo v > /anon/v; echo w > /workspace/w");
    let name = container.inspect("{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Name}}{{end}}{{end}}");
    let volume = Volume::left_behind(&bench.engine, &name);
    bench.retire(&container);
    assert!(volume.place().is_some_and(|place| place.join("v").exists()), "never `-v`");
    assert!(bench.engine.try_run(&["image", "inspect", &bench.engine.base()]).is_ok());
    assert_eq!(std::fs::read_to_string(bench.outlast.home().join("work/w")).unwrap(), "w\n");
    bench.undo(&container);
    bench.engine.run(&["rm", "-f", &container.name]);
}

#[test]
fn the_log_says_who_removed_what_and_its_command_makes_an_equal_container() {
    let Some(bench) = Bench::new() else { return };
    let bind = bench.bind();
    let container = bench
        .engine
        .container("log")
        .args([
            "-v",
            &bind,
            "-e",
            "TOKEN=hidden-word",
            "--label",
            "a=b c",
            "--memory",
            "64m",
            "-w",
            "/workspace",
        ])
        .args(["--restart", "unless-stopped", "--cap-add", "SYS_PTRACE", "--tmpfs", "/scratch:size=1m"])
        .run();
    let chosen = bench.chosen(&container.name);
    bench.retire(&container);
    let log = bench.outlast.log();
    let line = log.iter().find(|line| line["verb"] == "remove").unwrap();
    assert_eq!(
        (&line["before"], &line["after"], &line["result"]),
        (&"exited".into(), &"absent".into(), &"done".into())
    );
    assert!(line["user"].is_string() && line["at"].is_string());
    let command = line["recreate"].as_str().unwrap();
    assert!(!serde_json::to_string(&log).unwrap().contains("hidden-word"), "values may be secrets");
    let made = std::process::Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(made.status.success(), "{command}: {}", String::from_utf8_lossy(&made.stderr));
    let mut again = bench.chosen(&container.name);
    for field in ["state", "restarts"] {
        again[field] = chosen[field].clone();
    }
    // The engine names a container's host after the id that it gave out.
    again["config"]["Hostname"] = chosen["config"]["Hostname"].clone();
    let sorted = |value: &serde_json::Value| {
        let mut lines: Vec<String> =
            value["config"]["Env"].as_array().unwrap().iter().map(ToString::to_string).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&again), sorted(&chosen));
    again["config"]["Env"] = chosen["config"]["Env"].clone();
    for field in ["AttachStdout", "AttachStderr"] {
        again["config"][field] = chosen["config"][field].clone();
    }
    assert_eq!(again, chosen);
}
