//! `df` and `quota` on real file systems: memory, loop devices, btrfs, one whose server is dead.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::{Outlast, one};
use crate::engine::stand_in::StandIn;
use crate::support::docker;

/// Runs a command that must work here.
pub(super) fn done(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap_or_else(|why| panic!("{program}: {why}"));
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A file system of its own, unmounted when dropped.
pub(super) struct Mounted {
    folder: TempDir,
}

impl Mounted {
    /// Memory of so many bytes.
    fn memory(size: &str) -> Option<Self> {
        let folder = Self::folder()?;
        let at = folder.path().join("at");
        std::fs::create_dir(&at).unwrap();
        done("mount", &["-t", "tmpfs", "-o", &format!("size={size},mode=755"), "outlast-test", text(&at)]);
        Some(Self { folder })
    }

    /// A loop device of so many bytes; says why and gives `None` where that is not possible.
    fn on_loop(kind: &str, size: &str) -> Option<Self> {
        let folder = Self::folder()?;
        let (image, at) = (folder.path().join("image"), folder.path().join("at"));
        std::fs::create_dir(&at).unwrap();
        done("truncate", &["-s", size, text(&image)]);
        let tool = format!("mkfs.{kind}");
        if Command::new(&tool).arg("-V").output().is_err() {
            return docker::missing(&format!("{tool} is not installed"));
        }
        done(&tool, &["-q", text(&image)]);
        let mounted = Command::new("mount").args(["-o", "loop", text(&image), text(&at)]).output().unwrap();
        if !mounted.status.success() {
            eprintln!("skipped: no {kind} on a loop device: {}", String::from_utf8_lossy(&mounted.stderr));
            return None;
        }
        Some(Self { folder })
    }

    pub(super) fn folder() -> Option<TempDir> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: mounting needs root");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        done("chmod", &["755", text(folder.path())]);
        Some(folder)
    }

    fn at(&self) -> PathBuf {
        self.folder.path().join("at")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l", text(&self.at())]).output();
    }
}

/// What `df` says of one mount: size, used, available, percent, and the same of inodes.
fn df(target: &Path) -> Vec<Option<u64>> {
    let columns = "--output=size,used,avail,pcent,itotal,iused,iavail,ipcent";
    let said = done("df", &["-B1", columns, text(target)]);
    let numbers = said.lines().nth(1).unwrap().split_whitespace();
    numbers.map(|number| number.trim_end_matches('%').parse().ok()).collect()
}

/// The same figures of ours.
fn ours(report: &Value, target: &Path) -> Vec<Option<u64>> {
    let row = one(&report["filesystems"], "target", text(target));
    let inodes = &row["inodes"];
    let all = [
        &row["size"],
        &row["used"],
        &row["available"],
        &row["use_percent"],
        &inodes["total"],
        &inodes["used"],
        &inodes["available"],
        &row["inodes_percent"],
    ];
    all.map(Value::as_u64).to_vec()
}

#[test]
fn every_figure_of_df_is_the_same_on_memory_on_a_64_mb_volume_and_on_btrfs() {
    let outlast = Outlast::new();
    let volumes = [Mounted::memory("64M"), Mounted::on_loop("ext4", "64M"), Mounted::on_loop("btrfs", "128M")];
    for volume in volumes.into_iter().flatten() {
        let at = volume.at();
        std::fs::write(at.join("data"), vec![1_u8; 5_000_000]).unwrap();
        std::fs::File::open(at.join("data")).unwrap().sync_all().unwrap();
        let report = outlast.json(&["df", text(&at), "--json"]);
        let mut theirs = df(&at);
        if theirs[4] == Some(0) {
            // Without a fixed number of inodes there is no share of them.
            theirs[4..].fill(None);
        }
        assert_eq!(ours(&report, &at), theirs, "{report}");
        assert_eq!(report["filesystems"].as_array().unwrap().len(), 1);
        let quotas = outlast.json(&["quota", text(&at), "--json"]);
        let size = one(&quotas["quotas"], "kind", "volume");
        assert_eq!((size["used"].as_u64(), size["hard"].as_u64()), (theirs[1], theirs[0]), "{size}");
        assert_eq!((&size["status"], &size["limited"]), (&"ok".into(), &true.into()));
    }
}

#[test]
fn the_file_systems_of_this_machine_are_those_of_df_and_none_is_the_kernels() {
    let report = Outlast::new().run(&["df", "--json"]).json();
    let rows = report["filesystems"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["affects"].as_array().unwrap().iter().any(|who| who == "your home")));
    for row in rows.iter().filter(|row| row["error"].is_null()) {
        let target = Path::new(row["target"].as_str().unwrap());
        // Tests that run beside this one mount and unmount.
        let Ok(output) = Command::new("df").args(["-B1", "--output=size", text(target)]).output() else {
            continue;
        };
        if let Some(size) = String::from_utf8_lossy(&output.stdout).lines().nth(1) {
            assert_eq!(row["size"].to_string(), size.trim(), "{row}");
        }
        let kernels = ["/proc", "/sys", "/run/docker"];
        assert!(!kernels.iter().any(|folder| target.starts_with(folder)), "{row}");
        assert!(!text(target).contains("/overlay2/") && !text(target).contains("/merged"), "{row}");
    }
    let shown = Outlast::new().run(&["df"]);
    assert!(shown.out.starts_with("MOUNTED AT"), "{}", shown.out);
}

/// Runs a script as root in a mount namespace of its own; `None` where that is not possible.
fn apart(script: &str, args: &[&str]) -> Option<Output> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: a mount namespace needs root");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-ec", script, "sh"]);
    Some(command.arg(env!("CARGO_BIN_EXE_outlast")).args(args).output().unwrap())
}

pub(super) fn json(output: &Output) -> Value {
    let out = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&out)
        .unwrap_or_else(|why| panic!("{why}: {out} {}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_server_that_does_not_answer_is_named_and_holds_up_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // A user-space file system whose program never says a word: every question waits for ever.
    let script = "exec 3<>/dev/fuse
        mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 outlast-test \"$2\" || exit 77
        exec timeout 60 \"$1\" --engine machine $3 --json";
    for verb in ["df", "quota", "check"] {
        let begun = std::time::Instant::now();
        let Some(output) = apart(script, &[text(dir.path()), verb]) else { return };
        if output.status.code() == Some(77) {
            eprintln!("skipped: no FUSE here: {}", String::from_utf8_lossy(&output.stderr));
            return;
        }
        let report = json(&output);
        assert!(begun.elapsed().as_secs() < 30, "{verb} waited for {:?}", begun.elapsed());
        if verb == "check" {
            let silent = one(&report["findings"], "id", "disk-not-responding");
            assert_eq!(silent["subject"], text(dir.path()));
            assert!(silent["evidence"].as_str().unwrap().contains("not responding"));
            continue;
        }
        assert_eq!((output.status.code(), &report["complete"]), (Some(1), &false.into()), "{report}");
        let trouble = one(&report["errors"], "section", text(dir.path()));
        assert_eq!(trouble["message"], format!("{} is not responding", dir.path().display()));
        if verb == "df" {
            let row = one(&report["filesystems"], "target", text(dir.path()));
            assert_eq!((&row["error"], &row["size"]), (&"not responding".into(), &Value::Null));
            let others = report["filesystems"].as_array().unwrap().iter().filter(|row| row["size"].is_u64());
            assert!(others.count() > 0, "the others are there");
        } else {
            let row = one(&report["quotas"], "filesystem", text(dir.path()));
            assert_eq!((&row["status"], &row["limited"]), (&"not-readable".into(), &Value::Null));
        }
    }
}

#[test]
fn binds_of_one_disk_are_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let script = "mkdir \"$2/disk\" \"$2/a\" \"$2/b\"
        truncate -s 64M \"$2/image\" && mkfs.ext4 -q \"$2/image\"
        mount -o loop \"$2/image\" \"$2/disk\" && mkdir \"$2/disk/x\" \"$2/disk/y\"
        mount --bind \"$2/disk/x\" \"$2/a\" && mount --bind \"$2/disk/y\" \"$2/b\"
        exec \"$1\" --engine machine df --json";
    let Some(output) = apart(script, &[text(dir.path())]) else { return };
    let report = json(&output);
    let rows = report["filesystems"].as_array().unwrap();
    let here: Vec<_> =
        rows.iter().filter(|row| row["target"].as_str().unwrap().starts_with(text(dir.path()))).collect();
    assert_eq!(here.len(), 1, "{report}");
    assert_eq!(here[0]["target"], text(&dir.path().join("disk")));
    let also: Vec<_> = ["a", "b"].iter().map(|name| text(&dir.path().join(name)).to_owned()).collect();
    assert_eq!(here[0]["also"], serde_json::json!(also));
}

#[test]
fn notice_warning_and_critical_begin_at_80_90_and_100_percent_and_the_exit_codes_differ() {
    // 100 pages of memory, so that each is one percent.
    let Some(volume) = Mounted::memory("400k") else { return };
    let outlast = Outlast::new();
    let at = volume.at();
    let expected =
        [(79, "ok", [0, 0, 0]), (80, "notice", [1, 0, 0]), (90, "warning", [1, 1, 0]), (100, "over", [1; 3])];
    for (pages, status, codes) in expected {
        std::fs::write(at.join("data"), vec![1_u8; pages * 4096]).unwrap();
        let report = outlast.json(&["df", text(&at), "--json"]);
        assert_eq!(report["filesystems"][0]["status"], status, "{pages} pages: {report}");
        assert_eq!(report["findings"].as_array().unwrap().len(), usize::from(status != "ok"));
        for (severity, code) in ["notice", "warning", "critical"].iter().zip(codes) {
            for verb in ["df", "quota"] {
                let answer = outlast.run(&[verb, text(&at), "--fail-on", severity]);
                assert_eq!(answer.code, code, "{verb} {pages} {severity}: {} {}", answer.out, answer.err);
            }
        }
    }
    let shown = outlast.run(&["df", text(&at)]);
    assert!(shown.out.contains("critical: ") && shown.out.contains("to do: `outlast du "), "{}", shown.out);
}

#[test]
fn quotas_that_are_not_enabled_are_said_to_be_so_and_a_path_that_is_not_there_is_wrong_use() {
    let Some(volume) = Mounted::memory("1M") else { return };
    let outlast = Outlast::new();
    let report = outlast.json(&["quota", text(&volume.at()), "--json"]);
    let user = one(&report["quotas"], "kind", "user");
    assert_eq!(
        (&user["status"], &user["limited"], &user["subject"]),
        (&"not-enabled".into(), &false.into(), &"root".into())
    );
    assert_eq!((&user["used"], &user["soft"], &user["hard"]), (&Value::Null, &Value::Null, &Value::Null));
    let shown = outlast.run(&["quota", text(&volume.at())]);
    assert!(shown.out.contains("not enabled") && !shown.out.contains("no limit"), "{}", shown.out);
    let gone = outlast.run(&["quota", "/nowhere/at/all", "--json"]);
    assert_eq!((gone.code, gone.json()["complete"].clone()), (2, false.into()));
    assert_eq!(outlast.run(&["df", "/proc/self"]).code, 2, "the kernel's own hold no files");
    assert_ne!(outlast.run(&["--engine", "demo", "df"]).code, 0, "the playground reads no disk");
}

#[test]
fn a_subvolume_of_btrfs_has_the_limit_that_btrfs_itself_reports() {
    let Some(volume) = Mounted::on_loop("btrfs", "256M") else { return };
    let outlast = Outlast::new();
    let at = volume.at();
    let alice = at.join("alice");
    let qgroup = || {
        let report = outlast.json(&["quota", text(&alice), "--json"]);
        one(&report["quotas"], "kind", "qgroup").clone()
    };
    done("btrfs", &["subvolume", "create", text(&alice)]);
    assert_eq!(qgroup()["status"], "not-enabled");
    done("btrfs", &["quota", "enable", text(&at)]);
    assert_eq!((&qgroup()["status"], &qgroup()["limited"]), (&"ok".into(), &false.into()), "no limit yet");
    assert_eq!(qgroup()["note"], "no limit");
    done("btrfs", &["qgroup", "limit", "20M", text(&alice)]);
    for (mib, status) in [(10, "ok"), (17, "notice"), (18, "warning")] {
        // What the last round wrote is only given back with the next transaction.
        let _ = std::fs::remove_file(alice.join("data"));
        done("btrfs", &["filesystem", "sync", text(&at)]);
        std::fs::write(alice.join("data"), vec![1_u8; mib << 20]).unwrap();
        done("btrfs", &["filesystem", "sync", text(&at)]);
        let found = qgroup();
        assert_eq!(
            (&found["status"], found["hard"].as_u64()),
            (&status.into(), Some(20 << 20)),
            "{mib}: {found}"
        );
        // qgroupid, referenced, exclusive, ...
        let said = done("btrfs", &["qgroup", "show", "--raw", text(&at)]);
        let line =
            said.lines().find(|line| line.split_whitespace().next() == Some("0/256")).unwrap_or_default();
        assert_eq!(found["used"].to_string(), line.split_whitespace().nth(1).unwrap_or_default(), "{said}");
        assert_eq!(found["subject"], "0/256");
    }
    let failed = outlast.run(&["quota", text(&alice), "--fail-on", "warning"]);
    assert_eq!(failed.code, 1, "{}", failed.out);
    assert!(failed.out.contains("quota") && failed.out.contains("to do:"), "{}", failed.out);
    let all = outlast.json(&["quota", text(&at), "--all-users", "--json"]);
    let subjects: Vec<_> =
        all["quotas"].as_array().unwrap().iter().map(|quota| quota["subject"].clone()).collect();
    assert_eq!(subjects[..2], ["0/256", "0/5"], "most used first: {all}");
    // Nobody needs to be root for it, where `btrfs qgroup show` does.
    let program = volume.folder.path().join("program");
    std::fs::copy(env!("CARGO_BIN_EXE_outlast"), &program).unwrap();
    done("chmod", &["755", text(&program)]);
    let plain = ["--reuid=65534", "--regid=65534", "--clear-groups", text(&program), "--engine", "machine"];
    let said = done("setpriv", &[plain.as_slice(), &["quota", text(&alice), "--json"]].concat());
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(one(&report["quotas"], "kind", "qgroup")["status"], "warning");
}

#[test]
fn in_a_container_its_layer_its_memory_and_its_folders_are_listed_and_nothing_twice() {
    let Some(engine) = docker::engine() else { return };
    let folder = tempfile::tempdir_in("/var/lib").unwrap();
    let binds = [
        format!("{}:/workspace", folder.path().display()),
        format!("{}:/data", folder.path().display()),
        format!("{}:/opt/outlast:ro", env!("CARGO_BIN_EXE_outlast")),
        "/usr:/usr:ro".into(),
        "/lib:/lib:ro".into(),
        "/lib64:/lib64:ro".into(),
    ];
    let binds = binds.iter().flat_map(|bind| ["-v", bind.as_str()]);
    let container = engine.container("df").args(binds).args(["--tmpfs", "/scratch:size=10m"]).run();
    let said = container.exec("/opt/outlast df --json; /opt/outlast quota --json > /scratch/quota.json; true");
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|why| panic!("{why}: {said}"));
    let targets: Vec<&str> =
        report["filesystems"].as_array().unwrap().iter().map(|row| row["target"].as_str().unwrap()).collect();
    assert!(targets.contains(&"/") && targets.contains(&"/scratch"), "{targets:?}");
    assert_eq!(one(&report["filesystems"], "target", "/scratch")["size"], 10 << 20);
    assert!(
        !targets.iter().any(|target| target.starts_with("/etc") || target.starts_with("/proc")),
        "{targets:?}"
    );
    let shows = |row: &Value, path: &str| {
        row["target"] == path || row["also"].as_array().unwrap().iter().any(|at| at == path)
    };
    let rows = report["filesystems"].as_array().unwrap();
    let with =
        |path: &str| rows.iter().position(|row| shows(row, path)).unwrap_or_else(|| panic!("{path}: {report}"));
    assert_eq!(with("/workspace"), with("/data"), "one disk, one line");
    let quotas: Value = serde_json::from_str(&container.exec("cat /scratch/quota.json")).unwrap();
    let of_layer = quotas["quotas"]
        .as_array()
        .unwrap()
        .iter()
        .find(|quota| quota["filesystem"] == "/" && quota["kind"] == "user");
    let of_layer = of_layer.unwrap_or_else(|| panic!("{quotas}"));
    assert_eq!(of_layer["status"], "not-readable", "the host's quotas may count it: {quotas}");
    assert!(of_layer["note"].as_str().unwrap().contains("ask "), "{of_layer}");
}

#[test]
fn an_engine_whose_root_has_less_than_10_gb_free_is_a_warning() {
    let root = match (Mounted::memory("9G"), Mounted::memory("12G")) {
        (Some(small), Some(large)) => [(small, true), (large, false)],
        _ => return,
    };
    for (root, low) in root {
        let uname = rustix::system::uname();
        let info = serde_json::json!({
            "Name": uname.nodename().to_str().unwrap(),
            "KernelVersion": uname.release().to_str().unwrap(),
            "DockerRootDir": root.at(),
        });
        // The stand-in answers from texts that stay.
        let info: &'static str = Box::leak(info.to_string().into_boxed_str());
        let answers = vec![("/info", info), ("/containers/json", "[]"), ("/images/json", "[]")];
        let engine = StandIn::answering(answers.leak());
        let outlast = Outlast::new().with("DOCKER_HOST", &format!("unix://{}", engine.socket().display()));
        let report = outlast.run(&["df", "--json"]).json();
        let row = one(&report["filesystems"], "target", text(&root.at()));
        assert_eq!(row["engine_root"], text(&root.at()), "{report}");
        assert!(row["affects"][0].as_str().unwrap().starts_with("all containers of "), "{row}");
        let found = |report: &Value| {
            let findings = report["findings"].as_array().unwrap();
            findings.iter().find(|finding| finding["id"] == "engine-root-low").cloned()
        };
        assert_eq!(found(&report).is_some(), low, "{report}");
        let check = outlast.run(&["check", "--json"]);
        let finding = found(&check.json());
        assert_eq!(finding.is_some(), low, "{}", check.out);
        if let Some(finding) = finding {
            assert_eq!(finding["severity"], "warning");
            assert!(finding["evidence"].as_str().unwrap().starts_with("9.0G left"), "{finding}");
            assert!(check.code >= 1);
        }
    }
}
