//! `du`: what takes the space in a folder; equal to the program of that name.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{Outlast, one};
use crate::support::docker;

/// What `du` says, in bytes.
fn du(options: &[&str], path: &Path) -> u64 {
    let output = Command::new("du").args(["-s", "--block-size=1"]).args(options).arg(path).output().unwrap();
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().unwrap().parse().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with a large sparse file, a real one and a few small ones.
fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("data/raw")).unwrap();
    File::create(dir.path().join("data/raw/sparse")).unwrap().set_len(2 << 30).unwrap();
    fs::write(dir.path().join("data/real.bin"), vec![1; 3 << 20]).unwrap();
    fs::write(dir.path().join("notes"), "x").unwrap();
    dir
}

#[test]
fn a_folder_is_as_large_as_du_says_and_its_entries_come_largest_first() {
    let dir = project();
    let report = Outlast::new().json(&["du", text(dir.path()), "--json"]);
    let total = &report["total"];
    assert_eq!(total["allocated"], du(&[], dir.path()));
    assert_eq!((&total["files"], &total["dirs"], &total["errors"]), (&3.into(), &2.into(), &0.into()));
    assert_eq!(report["complete"], true);
    let top = report["top"].as_array().unwrap();
    assert_eq!(top[0]["path"], text(&dir.path().join("data")));
    assert_eq!((&top[0]["kind"], &top[1]["kind"]), (&"folder".into(), &"file".into()));
    assert_eq!(top[0]["allocated"], du(&[], &dir.path().join("data")));
    assert!(top[0]["apparent"].as_u64().unwrap() > 2 << 30);
    assert!(top[0]["modified"].is_string());
    let one = Outlast::new().json(&["du", text(dir.path()), "--top", "1", "--json"]);
    assert_eq!(one["top"].as_array().unwrap().len(), 1);
    assert_eq!(&one["total"], total, "totals count all");
}

#[test]
fn large_files_are_found_by_what_reading_them_gives_and_both_sizes_are_shown() {
    let dir = project();
    let outlast = Outlast::new();
    let paths = |larger: &str| {
        let report = outlast.json(&["du", text(dir.path()), "--larger", larger, "--json"]);
        let top = report["top"].as_array().unwrap().clone();
        top.iter()
            .map(|row| row["path"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(paths("2G"), ["sparse"]);
    assert_eq!(paths("2.1G"), [""; 0]);
    assert_eq!(paths("2.1GB"), ["sparse"], "decimal");
    assert_eq!(paths("3M"), ["real.bin", "sparse"], "what takes most comes first");
    let shown = outlast.run(&["du", text(dir.path()), "--larger", "1G"]);
    assert_eq!(shown.code, 0);
    assert!(shown.out.contains("  0      2.0G") && shown.out.contains("data/raw/sparse"), "{}", shown.out);
    let wrong = outlast.run(&["du", "--larger", "much"]);
    assert!(wrong.code == 2 && wrong.err.contains("no size such as 500M"), "{}", wrong.err);
}

#[test]
fn all_files_are_added_up_by_what_they_are_and_by_whose_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("a/model.ckpt", 300_000), ("b/c/last.ckpt", 200_000), ("b/notes.ipynb", 5_000)] {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, vec![1; bytes]).unwrap();
    }
    let outlast = Outlast::new();
    let by = |what| outlast.json(&["du", text(folder.path()), "--by", what, "--json"]);
    let kinds = by("kind");
    let checkpoints = one(&kinds["by"], "of", "model checkpoint");
    assert_eq!((&checkpoints["files"], &checkpoints["apparent"]), (&2.into(), &500_000.into()), "{kinds}");
    assert_eq!(kinds["by"][0]["of"], "model checkpoint", "the largest first");
    let owners = by("owner");
    let own = rustix::process::geteuid().as_raw();
    assert_eq!((&owners["by"][0]["uid"], &owners["by"][0]["files"]), (&own.into(), &3.into()), "{owners}");
    let shown = outlast.run(&["du", text(folder.path()), "--by", "kind"]).out;
    assert!(shown.contains("KIND") && shown.contains("checkpoint") && shown.contains("notebook"), "{shown}");
    assert_eq!(outlast.run(&["du", text(folder.path()), "--by", "kind", "--larger", "1M"]).code, 2);
}

#[test]
fn new_files_are_found_wherever_they_are() {
    let dir = project();
    let old = std::time::SystemTime::now() - std::time::Duration::from_hours(80);
    File::options().write(true).open(dir.path().join("notes")).unwrap().set_modified(old).unwrap();
    let outlast = Outlast::new();
    let report = outlast.json(&["du", text(dir.path()), "--newer", "3d", "--json"]);
    assert_eq!(report["top"].as_array().unwrap().len(), 2);
    let all = outlast.json(&["du", text(dir.path()), "--newer", "4d", "--json"]);
    assert_eq!(one(&all["top"], "path", text(&dir.path().join("notes")))["files"], 1);
    assert_eq!(outlast.run(&["du", "--newer", "soon"]).code, 2);
}

#[test]
fn names_that_are_no_text_are_exact_in_json_and_harmless_on_a_terminal() {
    use base64::Engine as _;
    let dir = tempfile::tempdir().unwrap();
    let odd = dir.path().join(std::ffi::OsStr::from_bytes(b"\xff\x1b[2J\n"));
    fs::write(&odd, "x").unwrap();
    let outlast = Outlast::new();
    let report = outlast.json(&["du", text(dir.path()), "--json"]);
    let exact = report["top"][0]["path_b64"].as_str().unwrap();
    assert_eq!(base64::engine::general_purpose::STANDARD.decode(exact).unwrap(), odd.as_os_str().as_bytes());
    let shown = outlast.run(&["du", text(dir.path())]);
    assert!(!shown.out.contains('\x1b') && shown.out.lines().count() == 3, "{}", shown.out);
}

#[test]
fn what_a_plain_user_may_not_read_is_named_and_makes_the_total_a_lower_bound() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root to become another user");
        return;
    }
    let dir = project();
    let program = dir.path().join("program");
    fs::copy(env!("CARGO_BIN_EXE_outlast"), &program).unwrap();
    for (path, mode) in [("", 0o755), ("data", 0o700), ("program", 0o755)] {
        fs::set_permissions(dir.path().join(path), PermissionsExt::from_mode(mode)).unwrap();
    }
    let plainly = |program: &str, arguments: &[&str]| {
        let setpriv = ["--reuid=65534", "--regid=65534", "--clear-groups", program];
        let output = Command::new("setpriv").args(setpriv).args(arguments).arg(dir.path()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, json) = plainly(text(&program), &["du", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &report["complete"]), (1, &false.into()));
    assert_eq!(report["total"]["errors"], 1);
    assert_eq!(report["unread"][0]["path"], text(&dir.path().join("data")));
    let message = report["errors"][0]["message"].as_str().unwrap();
    let data = dir.path().join("data");
    assert_eq!(message, format!("1 folder could not be read: permission denied, {}", data.display()));
    let (_, same) = plainly("du", &["-s", "--block-size=1"]);
    assert_eq!(report["total"]["allocated"].to_string(), same.split_whitespace().next().unwrap());
    let (_, shown) = plainly(text(&program), &["du"]);
    assert!(shown.contains(">= ") && shown.contains("missing: 1 folder could not be read"), "{shown}");
}

#[test]
fn a_deep_tree_needs_a_handful_of_handles() {
    let dir = tempfile::tempdir().unwrap();
    let deep: std::path::PathBuf = (0..400).map(|level| format!("d{level}")).collect();
    fs::create_dir_all(dir.path().join(&deep)).unwrap();
    let command = format!("ulimit -n 64; exec {} du --json .", env!("CARGO_BIN_EXE_outlast"));
    let output = Command::new("sh").args(["-c", &command]).current_dir(dir.path()).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["total"]["dirs"], &report["complete"]), (&400.into(), &true.into()));
    assert_eq!(report["total"]["allocated"], du(&[], dir.path()));
}

#[test]
fn what_is_not_there_is_wrong_use() {
    let outlast = Outlast::new();
    let gone = outlast.run(&["du", "/nowhere/at/all", "--json"]);
    assert_eq!(gone.code, 2);
    let message = gone.json()["errors"][0]["message"].as_str().unwrap().to_owned();
    assert_eq!(message, "/nowhere/at/all could not be read: it is not there");
    if docker::engine().is_some() {
        let nobody = outlast.run(&["du", "outlast-test-nobody:/workspace"]);
        assert!(nobody.code == 2 && nobody.err.contains("outlast-test-nobody"), "{}", nobody.err);
    }
}

#[test]
fn a_path_inside_a_workspace_is_walked_where_it_lies_and_no_link_leads_out() {
    let Some(engine) = docker::engine() else { return };
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: reading layers needs root");
        return;
    }
    let folder = project();
    let bind = format!("{}:/data", folder.path().display());
    let container = engine.container("du").args(["-v", &bind, "--tmpfs", "/scratch"]).run();
    container.exec(
        "mkdir -p /root/a; head -c 100000 /dev/zero > /root/a/b; ln -s /data /root/link; ln -s /etc /root/out",
    );
    let outlast = Outlast::new();
    let of = |path: &str| outlast.json(&["du", &format!("{}:{path}", container.name), "--json"]);
    let mount = of("/root/link/data");
    assert_eq!((&mount["method"], &mount["path"]), (&"mount".into(), &"/data/data".into()));
    assert_eq!(mount["workspace"], container.name.as_str());
    assert_eq!(mount["total"]["allocated"], du(&[], &folder.path().join("data")));
    assert_eq!(one(&mount["top"], "path", "/data/data/real.bin")["files"], 1);
    let layer = of("/root");
    assert_eq!(layer["method"], "upper");
    // An overlay in user space keeps marks of its own beside the three.
    assert!(layer["total"]["files"].as_u64().unwrap() >= 3, "{layer}");
    assert!(layer["total"]["allocated"].as_u64().unwrap() >= 100_000);
    assert_eq!(of("/root/a/b")["total"]["files"], 1);
    let shown = outlast.run(&["du", &format!("{}:/root", container.name)]);
    assert!(shown.out.starts_with(&format!("{}:/root: ", container.name)), "{}", shown.out);
    assert!(shown.out.contains("what the image holds is not counted"), "{}", shown.out);
    container.exec("mkdir /scratch/x; head -c 300000 /dev/zero > /scratch/x/y; ln -s /etc /scratch/out");
    let memory = of("/scratch");
    assert_eq!((&memory["method"], &memory["total"]["files"]), (&"proc".into(), &2.into()), "{memory}");
    assert_eq!(memory["total"]["allocated"].as_u64().unwrap() / 4096, 300_000_u64.div_ceil(4096));
    container.stop();
    let memory = outlast.run(&["du", &format!("{}:/scratch", container.name)]);
    assert!(memory.code != 0 && memory.err.contains("no place of its own"), "{}", memory.err);
    assert_eq!(of("/root")["total"], layer["total"], "also of one that is stopped");
}

#[test]
fn ctrl_c_leaves_with_what_was_found_so_far() {
    let outlast = Outlast::new();
    // Whatever the machine, one of these moments lies between the start and the end.
    let mut left_early = 0;
    for after in [20, 60, 120, 240] {
        let mut command = outlast.command(&["du", "/", "--json"]);
        let child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(after));
        let pid = rustix::process::Pid::from_child(&child);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let told = std::time::Instant::now();
        let output = child.wait_with_output().unwrap();
        if output.status.code() != Some(130) {
            continue;
        }
        assert!(told.elapsed() < std::time::Duration::from_secs(1), "{:?}", told.elapsed());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["complete"], false);
        let Some(message) = report["errors"][0]["message"].as_str() else { panic!("{report}") };
        left_early += u32::from(message == "stopped before the end" && report["path"] == "/");
    }
    assert!(left_early > 0, "at least one walk of the whole machine was cut short");
}

#[test]
fn what_a_workspace_takes_is_what_du_says_of_its_folder_and_its_layer() {
    let Some(engine) = docker::engine() else { return };
    let project = project();
    fs::hard_link(project.path().join("data/real.bin"), project.path().join("again")).unwrap();
    let bind = format!("{}:/workspace", text(project.path()));
    // On this platform `/workspace` is the project's folder.
    let container = engine.container("takes").args(["--label", "ds01.user=root", "-v", &bind]).run();
    container.exec("dd if=/dev/zero of=/root/model.pt bs=1M count=5; mkdir -p /opt/a/b; echo x > /opt/a/b/c");
    let outlast = Outlast::new();
    let asked = outlast.run(&["ls", "--no-risk", "--disk", "--json"]).json();
    let row = one(&asked["workspaces"], "container", &container.name);
    assert!(row["disk"]["as_of"].is_string(), "{row}");
    let folder = du(&[], project.path());
    let upper = container.inspect("{{.GraphDriver.Data.UpperDir}}");
    if rustix::process::geteuid().is_root() && Path::new(&upper).is_dir() {
        assert_eq!(row["disk"]["bytes"], folder + du(&[], Path::new(&upper)), "{row}");
        assert_eq!(row["disk"]["complete"], true);
    } else {
        assert_eq!((&row["disk"]["bytes"], &row["disk"]["complete"]), (&folder.into(), &false.into()));
    }
    let shown = outlast.run(&["ls", "--no-risk", "--disk"]).out;
    assert!(shown.contains("DISK"), "{shown}");
}

#[test]
fn a_workspace_root_its_projects_and_the_largest_entries_equal_du() {
    let root = tempfile::tempdir().unwrap();
    for (number, size) in (1..=25).map(|number| (number, number * 7_919)) {
        let project = root.path().join(format!("project-{number:02}/src"));
        fs::create_dir_all(&project).unwrap();
        fs::write(project.join("file"), vec![1; size]).unwrap();
    }
    fs::hard_link(root.path().join("project-25/src/file"), root.path().join("project-01/again")).unwrap();
    let report = Outlast::new().json(&["du", text(root.path()), "--top", "20", "--json"]);
    assert_eq!(report["total"]["allocated"], du(&[], root.path()));
    let top = report["top"].as_array().unwrap();
    assert_eq!(top.len(), 20);
    let linked = ["project-25", "project-01"];
    for row in top.iter().filter(|row| !linked.iter().any(|name| row["path"].as_str().unwrap().ends_with(name)))
    {
        let path = Path::new(row["path"].as_str().unwrap());
        assert_eq!(row["allocated"], du(&[], path), "{}", path.display());
    }
    let sizes: Vec<u64> = top.iter().map(|row| row["allocated"].as_u64().unwrap()).collect();
    assert!(sizes.is_sorted_by(|one, other| one >= other), "{sizes:?}");
}
