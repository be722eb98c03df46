//! What goes wrong around a retire: places that go with it, settings that change meanwhile,
//! starts that fail.

use super::Bench;

/// A repository that is there, with the bench's key.
fn repository(bench: &Bench, place: &std::path::Path) {
    let made = std::process::Command::new("restic")
        .args(["-q", "init", "-r"])
        .arg(place)
        .arg("-p")
        .arg(bench.outlast.home().join("key"))
        .status();
    assert!(made.unwrap().success());
}

#[test]
fn nothing_is_saved_into_what_goes_with_the_container() {
    let Some(bench) = Bench::new() else { return };
    let container = bench.engine.container("doomed").args(["--rm", "-v", "/anon", "--tmpfs", "/scratch"]).run();
    container.exec("echo v > /anon/v; echo l > /root/l; echo m > /scratch/m");
    let volume = container.inspect("{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Source}}{{end}}{{end}}");
    let volume = std::path::PathBuf::from(volume);
    repository(&bench, &volume.join("repository"));
    let Some(layer) = bench.layer(&container.name) else { return };
    let link = bench.outlast.home().join("link");
    std::os::unix::fs::symlink(layer.join("root"), &link).unwrap();
    let process = format!("/proc/{}/root/scratch/repository", container.inspect("{{.State.Pid}}"));
    let places = [volume.join("repository"), link.join("repository"), process.into()];
    for place in &places {
        let place = place.to_str().unwrap();
        let refused = bench.outlast.run(&["retire", &container.name, "--yes", "--repository", place]);
        assert_eq!(refused.code, 4, "{}", refused.err);
        assert!(refused.err.contains("goes with the container itself"), "{}", refused.err);
        for verb in [["retire", "--lose-data", "--rescue-to"], ["rescue", "--yes", "--to"]] {
            let [verb, option, to] = verb;
            let refused = bench.outlast.run(&[verb, &container.name, "--yes", option, to, place]);
            assert_ne!(refused.code, 0, "{verb} {place}: {}", refused.out);
        }
    }
    assert_eq!(container.inspect("{{.State.Status}}"), "running");
    assert_eq!(bench.engine.run(&["exec", &container.name, "cat", "/scratch/m"]), "m");
}

#[test]
fn settings_that_were_changed_while_it_was_saved_come_back_too() {
    let Some(bench) = Bench::new() else { return };
    // It takes a while to stop, and its settings change meanwhile.
    let slow = "trap 'echo stops > /root/stops; sleep 3; exit 0' TERM; while :; do sleep 3600 & wait $!; done";
    let container = bench.engine.container("changed").script(slow).run();
    container.exec("echo x > /root/a.pt");
    let Some(layer) = bench.layer(&container.name) else { return };
    let other = format!("{}-renamed", container.name);
    let (engine, name, renamed) = (bench.engine.clone(), container.name.clone(), other.clone());
    let neighbour = std::thread::spawn(move || {
        while !layer.join("root/stops").exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        engine.run(&["update", "--restart", "on-failure:7", &name]);
        engine.run(&["rename", &name, &renamed]);
    });
    bench.retire(&container);
    neighbour.join().unwrap();
    let undone = bench.outlast.run(&["undo", "--yes"]);
    assert_eq!(undone.code, 0, "{}", undone.err);
    let policy =
        bench.engine.try_run(&["inspect", "-f", "{{.HostConfig.RestartPolicy.MaximumRetryCount}}", &other]);
    let _ = bench.engine.try_run(&["rm", "-f", &other]);
    assert_eq!(policy.unwrap(), "7", "under the name that it had in the end");
}

#[test]
fn one_that_cannot_start_is_taken_back_and_comes_back_later() {
    let Some(bench) = Bench::new() else { return };
    let device = bench.outlast.home().join("device");
    let node = || {
        let made = std::process::Command::new("mknod").arg(&device).args(["c", "1", "3"]).status();
        assert!(made.unwrap().success());
    };
    node();
    let inside = format!("{}:/dev/odd", device.display());
    let container = bench.engine.container("start").args(["--device", &inside, "--tmpfs", "/scratch"]).run();
    container.exec("echo l > /root/l; echo m > /scratch/m");
    bench.retire(&container);
    std::fs::remove_file(&device).unwrap();
    let failed = bench.outlast.run(&["undo", &container.name, "--yes"]);
    assert_ne!(failed.code, 0);
    assert!(failed.err.contains("taken back"), "{}", failed.err);
    assert!(!bench.is_there(&container.name));
    node();
    bench.undo(&container);
    let text = |path: &str| bench.engine.run(&["exec", &container.name, "cat", path]);
    assert_eq!([text("/root/l"), text("/scratch/m")], ["l", "m"]);
}

#[test]
fn one_without_the_program_of_its_image_comes_back_without_it() {
    let Some(bench) = Bench::new() else { return };
    let image = crate::support::docker::unique("program");
    let maker = bench.engine.container("maker").create();
    bench.engine.run(&["commit", "-c", "ENTRYPOINT [\"/bin/echo\"]", &maker.name, &image]);
    let name = crate::support::docker::unique("without");
    bench.engine.run(&[
        "create",
        "--name",
        &name,
        "--label",
        "outlast.test=1",
        "--entrypoint",
        "",
        &image,
        "sh",
    ]);
    let before = bench.chosen(&name);
    bench.outlast.json(&["retire", &name, "--yes", "--json"]);
    bench.outlast.json(&["undo", &name, "--yes", "--json"]);
    let after = bench.chosen(&name);
    let _ = bench.engine.try_run(&["rm", "-f", &name]);
    let _ = bench.engine.try_run(&["rmi", &image]);
    assert_eq!(after["config"], before["config"]);
}

#[test]
fn why_nothing_can_be_saved_is_said_with_what_would_be_lost() {
    let Some(bench) = Bench::new() else { return };
    let container = bench.engine.container("why").run();
    container.exec("dd if=/dev/urandom of=/root/big bs=1024 count=3000 2>/dev/null; echo odd > /dev/odd");
    let refused = bench.outlast.run(&["retire", &container.name, "--yes", "--limit", "1M"]);
    assert_eq!(refused.code, 4, "{}", refused.err);
    assert!(refused.err.contains("cannot be saved") && refused.err.contains("limit"), "{}", refused.err);
    let plan = bench.outlast.run(&["retire", &container.name, "--dry-run"]);
    assert!(plan.out.contains("to memory while it stops"), "{}", plan.out);
    bench.retire(&container);
    let undo = bench.outlast.run(&["undo", &container.name, "--dry-run"]);
    assert!(undo.out.contains("/dev, are not put back"), "{}", undo.out);
}

#[test]
fn an_interrupt_after_it_stopped_gives_memory_back_too() {
    let Some(bench) = Bench::new() else { return };
    let slow = "trap 'echo stops > /root/stops; sleep 2; exit 0' TERM; while :; do sleep 3600 & wait $!; done";
    let container = bench.engine.container("interrupt").args(["--tmpfs", "/scratch"]).script(slow).run();
    container.exec("echo l > /root/l; echo m > /scratch/m; echo s > /dev/shm/s");
    let Some(layer) = bench.layer(&container.name) else { return };
    let mut retiring = bench.outlast.command(&["retire", &container.name, "--yes"]).spawn().unwrap();
    while !layer.join("root/stops").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = rustix::process::Pid::from_child(&retiring);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(retiring.wait().unwrap().code(), Some(130));
    let text = |path: &str| bench.engine.run(&["exec", &container.name, "cat", path]);
    assert_eq!([text("/root/l"), text("/scratch/m"), text("/dev/shm/s")], ["l", "m", "s"]);
}
