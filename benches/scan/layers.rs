//! The writable layers of containers: `outlast risk` against `docker diff`, which the engine's
//! daemon works for. Takes root and an engine; every container is removed at the end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use futures_util::StreamExt as _;
use outlast::core::storage::StorageKind;
use outlast::port::ScanItem;
use outlast::scan::{Below, Job, Rule, stream};

use super::{cpu_of_children, grow, median, verdict};

/// The image of the containers: busybox alone.
const IMAGE: &str = "outlast-bench:busybox";

/// A container with files in its layer; removed when this goes.
struct Container {
    name: String,
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "-f", &self.name]);
    }
}

/// Measures layers of so many files.
pub(crate) fn run(sizes: &[u64], rounds: usize) {
    if sizes.is_empty() {
        return;
    }
    let Some(daemon) = daemon() else {
        eprintln!("layers are not measured: no dockerd here, or not root");
        return;
    };
    image();
    let driver = docker(&["info", "--format", "{{.Driver}}"]).unwrap_or_default();
    println!("\n### layers on {driver}, against `docker diff`\n");
    println!(
        "| files | `docker diff`: s of the daemon | `outlast risk`: s on a processor | ratio | walk, ms |"
    );
    println!("|---:|---:|---:|---:|---:|");
    let mut ratios = Vec::new();
    for &files in sizes {
        let container = container(files);
        let rounds = if files > 200_000 { rounds.min(3) } else { rounds };
        let (mut diff, mut ours, mut walks) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..=rounds {
            let before = cpu_of(daemon);
            docker(&["diff", &container.name]).unwrap();
            let took = cpu_of(daemon) - before;
            let own = cpu_of_children();
            let risk = Command::new(super::OURS)
                .args(["risk", &container.name, "--json"])
                .stdout(Stdio::null())
                .status();
            assert!(risk.is_ok_and(|status| status.success()));
            let own = cpu_of_children() - own;
            let walk = walk(&container.name);
            // The first round brings everything into memory.
            if round > 0 {
                diff.push(took);
                ours.push(own);
                walks.push(walk);
            }
        }
        let (diff, ours, walk) = (median(diff), median(ours), median(walks));
        let ratio = if diff > 0.0 { format!("{:.3} x", ours / diff) } else { "-".into() };
        println!("| {files} | {diff:.2} | {ours:.2} | {ratio} | {walk:.1} |");
        ratios.push((files, ours / diff, walk));
    }
    for (files, ratio, walk) in ratios {
        match files {
            500_000.. => verdict(&format!("`docker diff` of {files} files"), ratio, 0.12),
            ..=1_000 => println!(
                "- {walk:.1} ms for {files} files, less than 10: {}",
                if walk < 10.0 { "held" } else { "MISSED" }
            ),
            _ => {}
        }
    }
}

/// What the engine's daemon has used of the processors, in seconds.
fn cpu_of(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11..13].iter().map(|field| field.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// The daemon behind the socket; another than the usual one is told by `OUTLAST_BENCH_DOCKERD`.
fn daemon() -> Option<u32> {
    let told = std::env::var("OUTLAST_BENCH_DOCKERD").ok();
    let pid = told.or_else(|| std::fs::read_to_string("/var/run/docker.pid").ok())?;
    let pid = pid.trim().parse().ok()?;
    (rustix::process::getuid().is_root()
        && docker(&["version"]).is_some()
        && Path::new(&format!("/proc/{pid}")).exists())
    .then_some(pid)
}

/// Runs the engine's own command; what it printed where it went well.
fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn image() {
    if docker(&["image", "inspect", IMAGE]).is_some() {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    for folder in ["bin", "root", "tmp", "home", "etc", "proc", "sys", "dev"] {
        std::fs::create_dir(root.path().join(folder)).unwrap();
    }
    std::fs::copy("/bin/busybox", root.path().join("bin/sh")).unwrap();
    let tar = root.path().with_extension("tar");
    let made = Command::new("tar").arg("-cf").arg(&tar).arg("-C").arg(root.path()).arg(".").status();
    assert!(made.is_ok_and(|status| status.success()));
    docker(&["import", &tar.to_string_lossy(), IMAGE]).unwrap();
    std::fs::remove_file(tar).unwrap();
}

/// A running container in whose layer so many files were written through its own root.
fn container(files: u64) -> Container {
    let name = format!("outlast-bench-{}-{files}", std::process::id());
    let command = "trap 'exit 0' TERM; read forever < /dev/ptmx";
    docker(&["run", "-d", "-t", "--name", &name, IMAGE, "/bin/sh", "-c", command]).unwrap();
    let container = Container { name };
    let pid = docker(&["inspect", "--format", "{{.State.Pid}}", &container.name]).unwrap();
    grow::grow(&PathBuf::from(format!("/proc/{pid}/root/root/eph")), files);
    container
}

/// Reads the layer to its end: milliseconds.
fn walk(name: &str) -> f64 {
    let told = |key: &str| {
        docker(&["inspect", "--format", &format!("{{{{.GraphDriver.Data.{key}}}}}"), name]).unwrap()
    };
    let layers = told("LowerDir").split(':').map(PathBuf::from).collect();
    let job = Job {
        root: told("UpperDir").into(),
        shown_at: "/".into(),
        storage: StorageKind::WritableLayer,
        rule: Rule::Upper,
        skip: Vec::new(),
        below: Below { layers, trusted: true },
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let start = Instant::now();
    let files: usize = runtime.block_on(async {
        let mut items = stream(vec![job], false);
        let mut files = 0;
        while let Some(item) = items.next().await {
            if let ScanItem::Files(more) = item {
                files += more.len();
            }
        }
        files
    });
    assert!(files > 0);
    start.elapsed().as_secs_f64() * 1000.0
}
