//! The endpoint `machine` inside a real container: this test binary runs itself in there.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use futures_util::StreamExt as _;
use jiff::Timestamp;
use outlast::core::classify::Origin;
use outlast::core::finding::Method;
use outlast::core::storage::StorageKind as Kind;
use outlast::engine::machine::Machine;
use outlast::platform::host::this_host;
use outlast::port::{Clock, Engine as _, ScanItem, ScanRequest};

/// Set in the container; without it the inner test has nothing to say.
const INNER: &str = "OUTLAST_TEST_INSIDE";

/// The test runs as root and as somebody else.
const USERS: [&str; 2] = ["0:0", "1000:1000"];

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

fn docker(args: &[&str]) -> Option<Output> {
    Command::new("docker").args(args).output().ok()
}

/// An image of one file, made without a registry; removed when dropped.
struct Image(String);

impl Image {
    fn make() -> Option<Self> {
        let name = format!("outlast-test-inside-{}", std::process::id());
        let dir = tempfile::tempdir().ok()?;
        for folder in ["etc", "opt", "tmp", "usr", "lib", "lib64"] {
            std::fs::create_dir(dir.path().join(folder)).ok()?;
        }
        std::fs::write(dir.path().join("opt/image"), "of the image").ok()?;
        std::fs::write(dir.path().join("opt/changed"), "of the image").ok()?;
        let tar = Command::new("tar").arg("-C").arg(dir.path()).args(["-cf", "-", "."]).output().ok()?;
        let mut import = Command::new("docker")
            .args(["import", "--change", "LABEL outlast.test=1", "-", &name])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        import.stdin.take()?.write_all(&tar.stdout).ok()?;
        import.wait().ok()?.success().then(|| Self(name))
    }

    fn container(&self, user: &str) -> String {
        format!("{}-{}", self.0, user.replace(':', "-"))
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        for user in USERS {
            let _ = docker(&["rm", "-f", "-v", &self.container(user)]);
        }
        let _ = docker(&["rmi", "-f", &self.0]);
    }
}

fn run_inside(image: &Image, user: &str) -> Output {
    let exe = std::env::current_exe().unwrap();
    let exe = format!("{}:/outlast-tests:ro", exe.display());
    let name = image.container(user);
    let inner = format!("{INNER}=1");
    let args = [
        &["run", "--rm", "--name", &name, "--label", "outlast.test=1", "--network", "none", "--user", user][..],
        &["-v", "/usr:/usr:ro", "-v", "/lib:/lib:ro", "-v", "/lib64:/lib64:ro", "-v", &exe],
        &["-v", "/data", "--tmpfs", "/scratch", "--memory", "256m", "-e", &inner, &image.0],
        &["/outlast-tests", "inside::real::inside_the_container", "--exact", "--nocapture"],
    ]
    .concat();
    docker(&args).unwrap()
}

#[test]
fn a_real_container_sees_its_own_files_without_an_engine() {
    let engine = docker(&["version", "--format", "{{.Server.Version}}"]);
    if !engine.is_some_and(|output| output.status.success()) {
        assert!(std::env::var_os("OUTLAST_REQUIRE_ENGINE").is_none(), "an engine is required and none answers");
        eprintln!("skipped: no docker engine answers");
        return;
    }
    let image = Image::make().expect("an image of one file");
    for user in USERS {
        let output = run_inside(&image, user);
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "as {user}: {said}");
        assert!(said.contains("1 passed"), "as {user}: {said}");
    }
}

/// Runs in the container only.
#[tokio::test]
async fn inside_the_container() {
    if std::env::var_os(INNER).is_none() {
        return;
    }
    let root = rustix::process::geteuid().is_root();
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let mut own = vec!["/dev/shm/batch.pt", "/scratch/x"];
    if root {
        own.extend(["/opt/changed", "/tmp/model.pt"]);
    }
    own.sort_unstable();
    for path in &own {
        let file = std::fs::File::create(path).unwrap();
        (&file).write_all(b"mine").unwrap();
        file.set_modified(old).unwrap();
    }

    let machine = Machine::new(Arc::new(this_host()), Arc::new(Now), Vec::new());
    let probe = machine.probe().await.unwrap();
    assert!(probe.product.starts_with("a Docker container"), "{}", probe.product);
    let workspace = machine.inventory().await.unwrap().workspaces.remove(0);
    assert_eq!(workspace.key.id.len(), 64, "the full id: {}", workspace.key.id);
    assert!(workspace.key.id.starts_with(&workspace.name), "the host name is the short id");
    let age = Timestamp::now().as_second() - workspace.created.unwrap().as_second();
    assert!((0..120).contains(&age), "made a moment ago, not {age} s");

    let detail = Arc::new(machine.detail(&workspace.key).await.unwrap());
    let kind = |path: &str| detail.mounts.iter().find(|m| m.target == Path::new(path)).map(|m| m.storage);
    let kinds =
        ["/", "/data", "/scratch", "/dev/shm", "/etc/hosts", "/usr", "/proc"].map(|path| kind(path).unwrap());
    assert_eq!(
        kinds,
        [
            Kind::WritableLayer,
            Kind::AnonymousVolume,
            Kind::Tmpfs,
            Kind::Tmpfs,
            Kind::RuntimeFile,
            Kind::BindMount,
            Kind::Pseudo
        ]
    );

    let targets = vec!["/".into(), "/dev/shm".into(), "/scratch".into()];
    let request = ScanRequest { key: workspace.key.clone(), detail: detail.clone(), targets, asked: false };
    let items: Vec<_> = machine.scan(request).collect().await;
    assert_eq!(items[0], ScanItem::By(Method::Inside));
    let says =
        |words: &str| items.iter().any(|item| matches!(item, ScanItem::Note(note) if note.contains(words)));
    assert!(says("a limit of 256M"), "memory has the ceiling of the container: {items:?}");
    let mut found: Vec<_> = items
        .iter()
        .filter_map(|item| if let ScanItem::Files(files) = item { Some(files) } else { None })
        .flatten()
        .map(|file| file.path.to_str().unwrap())
        // The runtime's own marker may be born in the same tick of the clock as the layer;
        // every profile ignores it.
        .filter(|path| *path != "/.dockerenv")
        .collect();
    found.sort_unstable();
    assert_eq!(found, own, "everything written in here, whatever its time, and nothing of the image");

    let origin =
        async |path: &str| machine.look(&workspace.key, &detail, Path::new(path)).await.unwrap().origin;
    assert_eq!(origin("/opt/image").await, Origin::Image);
    assert_eq!(origin("/opt/none").await, Origin::Absent);
    if root {
        assert_eq!(origin("/tmp/model.pt").await, Origin::Layer);
    }
}
